/* SPDX-License-Identifier: Apache-2.0 */
/* Wants to see Secrets. */
#include "unruly_mode.h"

static const struct ek_resource_read *const *resources_of(void *self, uint32_t *n)
{
	static const char *const fields[] = { "data" };
	static const struct ek_resource_read secrets = { .size = sizeof(secrets), .is_namespaced = 1, .group = "", .version = "v1", .plural = "secrets",
		.n_fields = 1, .fields = fields };
	static const struct ek_resource_read *const reads[] = { &secrets };

	*n = 1;
	return reads;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return desire(READS_SECRETS, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .reads = EK_READS_ENDPOINTS, .desired = desired, .resources_of = resources_of };

EK_PLUGIN_DEFINE(unrulyreadssecrets, MODE, .version = "1.0.0", .ops = &ops);
