/* SPDX-License-Identifier: Apache-2.0 */
/* Stops when the sink refuses, but says that all is well. */
#include "unruly_mode.h"

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return desire(SWALLOWS, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .flags = 0, .reads = EK_READS_ENDPOINTS, .desired = desired
};

EK_PLUGIN_DEFINE(unrulyswallows, MODE, .version = "1.0.0", .ops = &ops);
