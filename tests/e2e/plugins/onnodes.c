/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onnodes.c - a mode that reads pods and nodes: each endpoint carries the label "version" of its pod, the zone of its node and whether that is ready.
 * test_pods_and_nodes.py builds and loads it.  What a mode must do stands in eurekube/mode.h.
 */
#include <string.h>

#include <eurekube/error.h>
#include <eurekube/mode.h>

static const char *version_of(const struct ek_pod *pod)
{
	for (uint32_t i = 0; pod && i < pod->n_labels; i++)
		if (strcmp(pod->labels[i]->key, "version") == 0)
			return pod->labels[i]->value;
	return pod ? "unlabelled" : "unseen";
}

static const struct ek_node *find_node(const struct ek_cluster *cluster, const char *name)
{
	for (uint32_t i = 0; name && i < cluster->n_nodes; i++)
		if (strcmp(cluster->nodes[i]->name, name) == 0)
			return cluster->nodes[i];
	return NULL;
}

static int emit_endpoint(const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_service *service,
                         const struct ek_endpoint *endpoint, const struct ek_sink *sink, struct ek_error *err)
{
	const struct ek_node *node = find_node(cluster, endpoint->node_name);
	const struct ek_pair version = { .size = sizeof(version), .key = "version", .value = version_of(endpoint->pod) };
	const struct ek_pair zone = { .size = sizeof(zone), .key = "nodeZone", .value = node && node->zone ? node->zone : "none" };
	const struct ek_pair state = { .size = sizeof(state), .key = "nodeState", .value = node && node->flags & EK_NODE_READY ? "ready" : "away" };
	const struct ek_pair *const metadata[] = { &version, &zone, &state };
	struct ek_instance instance = {
		.size = sizeof(instance),
		.name = endpoint->pod_name,
		.address = endpoint->address,
		.metadata = metadata,
		.n_metadata = 3,
		.source_service = service,
		.source = endpoint,
	};
	int code = ek_pick_ports(syncer, service, endpoint, &instance, err);

	if (code == EK_GONE)
		return EK_OK;
	return code == EK_OK ? sink->emit(sink, &instance, err) : code;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	(void)self;
	for (uint32_t s = 0; s < cluster->n_services; s++) {
		const struct ek_service *service = cluster->services[s];

		for (uint32_t e = 0; e < service->n_endpoints; e++) {
			int code = emit_endpoint(syncer, cluster, service, service->endpoints[e], sink, err);

			if (code != EK_OK)
				return code;
		}
	}
	return EK_OK;
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.reads = EK_READS_SERVICES | EK_READS_ENDPOINTS | EK_READS_PODS | EK_READS_NODES,
	.desired = desired,
};
EK_PLUGIN_DEFINE(onnodes, MODE, .version = "1.0.0", .ops = &ops);
