/* SPDX-License-Identifier: Apache-2.0 */
/* Promises to look at one endpoint at a time, and counts the others. */
#include "unruly_mode.h"

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return desire(LOOKS_AROUND, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .flags = EK_MODE_PER_ENDPOINT, .reads = EK_READS_ENDPOINTS, .desired = desired
};

EK_PLUGIN_DEFINE(unrulylooksaround, MODE, .version = "1.0.0", .ops = &ops);
