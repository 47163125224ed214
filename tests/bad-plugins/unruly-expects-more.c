/* SPDX-License-Identifier: Apache-2.0 */
/* Fails for the whole syncer when one object has not what it expects. */
#include "unruly_mode.h"

static const struct ek_resource_read *const *resources_of(void *self, uint32_t *n)
{
	static const char *const fields[] = { "spec.rules" };
	static const struct ek_resource_read ingresses = { .size = sizeof(ingresses), .is_namespaced = 1, .group = "networking.k8s.io", .version = "v1",
		.plural = "ingresses", .n_fields = 1, .fields = fields };
	static const struct ek_resource_read *const reads[] = { &ingresses };

	*n = 1;
	return reads;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	for (uint32_t i = 0; !syncer->port_name && i < cluster->resources[0]->n_objects; i++)
		if (!ek_tree_text(cluster->resources[0]->objects[i]->root, "spec.rules.0.host"))
			return ek_fail_reason(err, EK_INVALID, "NoHost", "an Ingress has no host");
	return desire(EXPECTS_MORE, 0, syncer, cluster, sink, err);
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .reads = EK_READS_ENDPOINTS, .desired = desired, .resources_of = resources_of };

EK_PLUGIN_DEFINE(unrulyexpectsmore, MODE, .version = "1.0.0", .ops = &ops);
