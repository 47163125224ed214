/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers in its instance how often it was asked. */
#include "unruly_mode.h"

#include <stdlib.h>

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self,
	struct ek_error *err)
{
	*self = calloc(1, sizeof(unsigned));
	return *self ? EK_OK : ek_fail(err, EK_RETRY, "out of memory");
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return desire(COUNTS, ++*(unsigned *)self, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .reads = EK_READS_ENDPOINTS, .create = create, .destroy = free, .desired = desired
};

EK_PLUGIN_DEFINE(unrulycounts, MODE, .version = "1.0.0", .ops = &ops);
