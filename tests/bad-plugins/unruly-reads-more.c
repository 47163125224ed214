/* SPDX-License-Identifier: Apache-2.0 */
/* Says after its first question that it reads more than before. */
#include "unruly_mode.h"

#include <stdlib.h>

struct mode {
	unsigned n_asked;
};

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self,
	struct ek_error *err)
{
	*self = calloc(1, sizeof(struct mode));
	return *self ? EK_OK : ek_fail(err, EK_RETRY, "out of memory");
}

static uint32_t reads_of(void *self)
{
	const struct mode *mode = self;

	return mode->n_asked ? EK_READS_ENDPOINTS | EK_READS_PODS : EK_READS_ENDPOINTS;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	struct mode *mode = self;

	mode->n_asked++;
	return desire(READS_MORE, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .reads = EK_READS_ENDPOINTS, .create = create, .destroy = free, .reads_of = reads_of, .desired = desired
};

EK_PLUGIN_DEFINE(unrulyreadsmore, MODE, .version = "1.0.0", .ops = &ops);
