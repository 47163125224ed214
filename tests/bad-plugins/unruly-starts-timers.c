/* SPDX-License-Identifier: Apache-2.0 */
/* A mode with a timer. */
#include "unruly_mode.h"

#include <stdlib.h>

struct mode {
	const struct ek_host *host;
	struct ek_timer_handle *timer;
};

static void tick(void *arg)
{
}

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self,
	struct ek_error *err)
{
	struct mode *mode = calloc(1, sizeof(*mode));

	if (!mode)
		return ek_fail(err, EK_RETRY, "out of memory");
	*mode = (struct mode){ .host = host, .timer = host->timer_start(host, 1000, tick, NULL) };
	*self = mode;
	return EK_OK;
}

static void destroy(void *self)
{
	struct mode *mode = self;

	mode->host->timer_stop(mode->host, mode->timer);
	free(mode);
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
