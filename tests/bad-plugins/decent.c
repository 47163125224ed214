/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is wrong with it: what the others are compared with. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(decent, MODE, .version = "1.2.3", .ops = &ops);
