/* SPDX-License-Identifier: Apache-2.0 */
/* Has a version that is not what it was when the plugin was loaded. */
#include "unruly_mode.h"

static char version[] = "1.0.0";

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	version[0] = '2';
	return desire(RENAMES_ITSELF, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .flags = 0, .reads = EK_READS_ENDPOINTS, .desired = desired
};

EK_PLUGIN_DEFINE(unrulyrenamesitself, MODE, .version = version, .ops = &ops);
