/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of an age in which there were fewer. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = 24, .desired = desired };

EK_PLUGIN_DEFINE(shortops, MODE, .version = "1.0.0", .ops = &ops);
