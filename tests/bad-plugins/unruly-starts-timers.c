/* SPDX-License-Identifier: Apache-2.0 */
/* A mode that starts a timer and leaves it behind. */
#include "unruly_mode.h"

static void tick(void *arg)
{
}

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self,
	struct ek_error *err)
{
	*self = host->timer_start(host, 1000, tick, NULL);
	return EK_OK;
}

static void destroy(void *self)
{
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return desire(STARTS_TIMERS, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .reads = EK_READS_ENDPOINTS, .create = create, .destroy = destroy, .desired = desired
};

EK_PLUGIN_DEFINE(unrulystartstimers, MODE, .version = "1.0.0", .ops = &ops);
