/* SPDX-License-Identifier: Apache-2.0 */
/* Goes on emitting after the sink has refused. */
#include "unruly_mode.h"

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return desire(GOES_ON, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .flags = 0, .reads = EK_READS_ENDPOINTS, .desired = desired
};

EK_PLUGIN_DEFINE(unrulygoeson, MODE, .version = "1.0.0", .ops = &ops);
