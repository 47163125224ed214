/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the view of a small cluster in an arena.
 * It checks nothing.
 * Read next: mode_rules.c, which shows it to modes.
 */
#include "sample_cluster.h"

#define NEW(arena, type, ...) memcpy(ek_arena_alloc(arena, sizeof(type)), &(type){ .size = sizeof(type), __VA_ARGS__ }, sizeof(type))
#define TEXT(text)            ek_arena_strdup(arena, text)

/* Arrays are of pointers, as everywhere at the border. */
static const void *list_of(struct ek_arena *arena, const void *one)
{
	const void **list = ek_arena_alloc(arena, 2 * sizeof(*list));

	list[0] = one;
	return list;
}

static const struct ek_pair *const *a_label(struct ek_arena *arena, const char *key, const char *value)
{
	return list_of(arena, NEW(arena, struct ek_pair, .key = TEXT(key), .value = TEXT(value)));
}

static const struct ek_pod *a_pod(struct ek_arena *arena, const char *name)
{
	return NEW(arena, struct ek_pod, .namespace_ = TEXT("shop"), .name = TEXT(name), .uid = ek_arena_printf(arena, "uid-%s", name),
		.n_labels = 1, .labels = a_label(arena, "app.kubernetes.io/version", "3"));
}

static const struct ek_endpoint *an_endpoint(struct ek_arena *arena, const struct ek_sample_wish *wish, const char *service, unsigned i)
{
	const char *pod = ek_arena_printf(arena, "%s-%u", service, i);

	return NEW(arena, struct ek_endpoint,
		.flags = wish->mixes_flags ? i % 8 : wish->flags,
		.address = ek_arena_printf(arena, "10.0.%u.7", i), .pod_name = pod, .pod_uid = ek_arena_printf(arena, "uid-%s", pod),
		.node_name = ek_arena_printf(arena, "node-%u", i % 2), .zone = ek_arena_printf(arena, "zone-%u", i % 2),
		.pod = wish->reads & EK_READS_PODS ? a_pod(arena, pod) : NULL,
		.ports = list_of(arena, NEW(arena, struct ek_port, .number = 8080, .name = TEXT("http"), .protocol = TEXT("TCP"))),
		.n_ports = 1, .ip_family = 4);
}

static const struct ek_service *a_service(struct ek_arena *arena, const struct ek_sample_wish *wish, const char *name, unsigned first,
	unsigned n)
{
	bool is_edge = !strcmp(name, "edge");
	const struct ek_endpoint **endpoints = ek_arena_alloc(arena, (n + 1) * sizeof(*endpoints));
	uint32_t n_endpoints = 0;

	for (unsigned i = first; i < first + n; i++)
		if ((wish->reads & EK_READS_ENDPOINTS) && (wish->only < 0 || (unsigned)wish->only == i))
			endpoints[n_endpoints++] = an_endpoint(arena, wish, name, i);
	return NEW(arena, struct ek_service, .type = is_edge ? EK_SERVICE_LOAD_BALANCER : EK_SERVICE_CLUSTER_IP, .namespace_ = TEXT("shop"),
		.name = TEXT(name), .uid = ek_arena_printf(arena, "uid-%s", name), .n_cluster_ips = 1,
		.cluster_ips = list_of(arena, TEXT(is_edge ? "10.96.0.2" : "10.96.0.1")), .n_labels = 1, .labels = a_label(arena, "app", name),
		.n_ports = 1,
		.ports = list_of(arena, NEW(arena, struct ek_service_port, .port = 80, .node_port = is_edge ? 30080 : 0,
			.name = TEXT("http"), .protocol = TEXT("TCP"), .target_name = TEXT("http"))),
		.n_ingress = is_edge, .ingress = list_of(arena, NEW(arena, struct ek_ingress_point, .ip = TEXT("203.0.113.5"))),
		.n_endpoints = n_endpoints, .endpoints = endpoints);
}

static const struct ek_node *a_node(struct ek_arena *arena, unsigned i)
{
	return NEW(arena, struct ek_node, .flags = EK_NODE_READY, .name = ek_arena_printf(arena, "node-%u", i),
		.zone = ek_arena_printf(arena, "zone-%u", i), .n_addresses = 1,
		.addresses = a_label(arena, "InternalIP", i ? "192.0.2.11" : "192.0.2.10"), .n_labels = 1,
		.labels = a_label(arena, "kubernetes.io/os", "linux"));
}

const struct ek_cluster *ek_sample_cluster(struct ek_arena *arena, const struct ek_sample_wish *wish)
{
	const struct ek_service **services = ek_arena_alloc(arena, 3 * sizeof(*services));
	const struct ek_node **nodes = ek_arena_alloc(arena, 3 * sizeof(*nodes));
	bool has_nodes = wish->reads & EK_READS_NODES;

	services[0] = a_service(arena, wish, "cart", 0, 3);
	services[1] = a_service(arena, wish, "edge", 3, EK_SAMPLE_ENDPOINTS - 3);
	for (unsigned i = 0; has_nodes && i < 2; i++)
		nodes[i] = a_node(arena, i);
	return NEW(arena, struct ek_cluster, .n_services = wish->has_no_services ? 0 : 2, .services = services, .n_nodes = has_nodes ? 2 : 0,
		.nodes = nodes);
}
