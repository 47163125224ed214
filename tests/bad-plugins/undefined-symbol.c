/* build: no-defs */
/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a function that nobody has. */
#include <eurekube/mode.h>

int no_such_function_anywhere(void);

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return no_such_function_anywhere();
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(undefinedsymbol, MODE, .version = "1.0.0", .ops = &ops);
