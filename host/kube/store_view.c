/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives one Service with its endpoints: the union over its slices, one entry per address, one family per pod, nothing that must never be registered.
 * It keeps nothing: a view is made anew each time, in the caller's arena.
 * Next: the modes, which read it.
 */
#include "kube/store_inside.h"

#include <string.h>

/* An endpoint that may stand in the view. */
struct candidate {
	const struct ek_record_endpoint *endpoint;
	const struct ek_record_slice *slice;
	struct shared_ports *ports;
};

/* The ports of one slice, made once for all its endpoints. */
struct shared_ports {
	const struct ek_port *const *at;
	uint32_t n;
};

struct view {
	const struct ek_endpoint_policy *policy;
	struct ek_arena *arena;
	struct candidate *candidates;
	size_t n;
};

/* ---- Addresses that are never registered ---- */

struct range {
	uint8_t address[16];
	uint8_t family, bits;
};

static const struct range never[] = {
	{ { 0 }, 4, 8 },                                    /* unspecified */
	{ { 127 }, 4, 8 },                                  /* loopback */
	{ { 169, 254 }, 4, 16 },                            /* link-local, and most clouds' metadata */
	{ { 100, 100, 100, 200 }, 4, 32 },                  /* metadata (Alibaba) */
	{ { 168, 63, 129, 16 }, 4, 32 },                    /* metadata (Azure) */
	{ { 224 }, 4, 4 },                                  /* multicast */
	{ { 255, 255, 255, 255 }, 4, 32 },                  /* broadcast */
	{ { 0 }, 6, 127 },                                  /* unspecified, loopback */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 6, 96 }, /* IPv4 in disguise */
	{ { 0xfe, 0x80 }, 6, 10 },                          /* link-local */
	{ { 0xff }, 6, 8 },                                 /* multicast */
	{ { 0xfd, 0, 0x0e, 0xc2, [15] = 0x23 }, 6, 128 },   /* Amazon's pod identity agent */
	{ { 0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 6, 128 }, /* metadata (Amazon) */
};

static bool is_within(const struct range *range, const uint8_t address[16])
{
	unsigned whole = range->bits / 8u, rest = range->bits % 8u;

	if (memcmp(range->address, address, whole) != 0)
		return false;
	return !rest || (range->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool is_denied(const struct ek_endpoint_policy *policy, const struct ek_record_endpoint *endpoint)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (never[i].family == endpoint->family && is_within(&never[i], endpoint->address))
			return true;
	return policy->is_denied && policy->is_denied(policy->arg, endpoint->address, endpoint->family);
}

/* ---- Candidates ---- */

/* Its place in the order of preference, or n_families. */
static unsigned family_rank(const struct ek_endpoint_policy *policy, uint8_t family)
{
	unsigned rank = 0;

	while (rank < policy->n_families && policy->families[rank] != family)
		rank++;
	return rank;
}

static bool may_stand(const struct ek_endpoint_policy *policy, const struct ek_record_endpoint *endpoint)
{
	if (!endpoint->has_pod && !policy->allow_without_pod)
		return false;
	return family_rank(policy, endpoint->family) < policy->n_families && !is_denied(policy, endpoint);
}

static void collect(struct view *view, const struct group *group)
{
	const struct object *object;
	size_t room = 0;

	for (object = group->slices; object; object = object->next)
		room += ek_store_slice_of(object)->n_endpoints;
	view->candidates = ek_arena_alloc(view->arena, room * sizeof(struct candidate));
	for (object = group->slices; object; object = object->next) {
		const struct ek_record_slice *slice = ek_store_slice_of(object);
		struct shared_ports *ports = ek_arena_alloc(view->arena, sizeof(*ports));

		for (uint32_t i = 0; i < slice->n_endpoints; i++)
			if (may_stand(view->policy, &slice->endpoints[i]))
				view->candidates[view->n++] = (struct candidate){ &slice->endpoints[i], slice, ports };
	}
}

static int state_rank(const struct ek_record_endpoint *endpoint)
{
	if (endpoint->flags & EK_ENDPOINT_READY)
		return 0;
	if (endpoint->flags & EK_ENDPOINT_SERVING)
		return 1;
	return endpoint->flags & EK_ENDPOINT_TERMINATING ? 2 : 3;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static const char *text_of(const struct candidate *c, uint32_t at)
{
	return c->slice->texts + at;
}

/* By UID and name: a UID has one name, and endpoints are found again by the names of their pods (keys.h). */
static int compare_pods(const struct candidate *a, const struct candidate *b)
{
	int order = memcmp(a->endpoint->pod_uid, b->endpoint->pod_uid, sizeof(a->endpoint->pod_uid));

	if (order == 0)
		order = compare_numbers(a->endpoint->has_pod, b->endpoint->has_pod);
	if (order == 0)
		order = strcmp(text_of(a, a->endpoint->pod_uid_text), text_of(b, b->endpoint->pod_uid_text));
	if (order)
		return order;
	return strcmp(text_of(a, a->endpoint->pod_name), text_of(b, b->endpoint->pod_name));
}

static int compare_addresses(const struct candidate *a, const struct candidate *b)
{
	int order = compare_numbers(a->endpoint->family, b->endpoint->family);

	return order ? order : memcmp(a->endpoint->address, b->endpoint->address, sizeof(a->endpoint->address));
}

/* By pod and address; of a pod's entries for one address, which may be in two slices while it moves, the newer first. */
static int compare_ages(const void *one, const void *other)
{
	const struct candidate *a = one, *b = other;
	int order = compare_addresses(a, b);

	if (order == 0)
		order = compare_pods(a, b);
	if (order == 0)
		order = compare_numbers(b->slice->trigger_wall_ms, a->slice->trigger_wall_ms);
	if (order == 0)
		order = compare_numbers(state_rank(a->endpoint), state_rank(b->endpoint));
	return order ? order : strcmp(a->slice->name, b->slice->name);
}

/* Of the pods that claim one address (an old one may be stuck in its end), the better. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
	int order = compare_numbers(state_rank(a->endpoint), state_rank(b->endpoint));

	if (order == 0)
		order = compare_numbers(b->slice->trigger_wall_ms, a->slice->trigger_wall_ms);
	return order < 0;
}

static void keep_one_per_address(struct view *view)
{
	size_t n = 0;

	if (view->n > 1)
		qsort(view->candidates, view->n, sizeof(struct candidate), compare_ages);
	for (size_t i = 0; i < view->n; i++) {
		const struct candidate *c = &view->candidates[i];

		if (i && compare_addresses(c - 1, c) == 0) {
			if (compare_pods(c - 1, c) != 0 && is_better(c, &view->candidates[n - 1]))
				view->candidates[n - 1] = *c;
			continue;
		}
		view->candidates[n++] = *c;
	}
	view->n = n;
}

/* ---- Families ---- */

static bool has_both_families(const struct view *view)
{
	for (size_t i = 1; i < view->n; i++)
		if (view->candidates[i].endpoint->family != view->candidates[0].endpoint->family)
			return true;
	return false;
}

static int compare_for_family(const void *one, const void *other, void *arg)
{
	const struct ek_endpoint_policy *policy = arg;
	const struct candidate *a = one, *b = other;
	int order = compare_pods(a, b);

	if (order == 0)
		order = compare_numbers(family_rank(policy, a->endpoint->family), family_rank(policy, b->endpoint->family));
	return order ? order : compare_addresses(a, b);
}

static int compare_for_view(const void *a, const void *b)
{
	return compare_addresses(a, b);
}

/* A pod that has several families is given in the one that is preferred. */
static void keep_one_family_per_pod(struct view *view)
{
	const struct candidate *first = NULL;
	size_t n = 0;

	if (!has_both_families(view))
		return;
	qsort_r(view->candidates, view->n, sizeof(struct candidate), compare_for_family, (void *)(uintptr_t)view->policy);
	for (size_t i = 0; i < view->n; i++) {
		const struct candidate c = view->candidates[i];

		if (first && c.endpoint->has_pod && compare_pods(first, &c) == 0 && first->endpoint->family != c.endpoint->family)
			continue;
		view->candidates[n] = c;
		first = &view->candidates[n++];
	}
	view->n = n;
	qsort(view->candidates, view->n, sizeof(struct candidate), compare_for_view);
}

/* ---- What the modes see ---- */

static void make_ports(struct view *view, const struct candidate *c)
{
	const struct ek_record_slice *slice = c->slice;
	struct ek_port *ports;
	const struct ek_port **at;

	if (c->ports->at)
		return;
	ports = ek_arena_alloc(view->arena, slice->n_ports * sizeof(*ports));
	at = ek_arena_alloc(view->arena, (slice->n_ports + 1) * sizeof(struct ek_port *));
	for (uint32_t i = 0; i < slice->n_ports; i++) {
		const struct ek_record_port *from = &slice->ports[i];

		if (from->number < 1 || from->number > 65535)
			continue;
		ports[i] = (struct ek_port){ .size = sizeof(*ports), .number = from->number, .name = from->name, .protocol = from->protocol,
			.app_protocol = from->app_protocol };
		at[c->ports->n++] = &ports[i];
	}
	c->ports->at = at;
}

static const char *make_address(struct view *view, const struct ek_record_endpoint *endpoint)
{
	char text[EK_ADDRESS_TEXT];

	return ek_arena_strdup(view->arena, ek_record_address(endpoint, text));
}

static const char *make_uid(struct view *view, const struct candidate *c)
{
	char text[EK_UID_TEXT];
	const char *uid = ek_record_pod_uid(c->slice, c->endpoint, text);

	return uid == text ? ek_arena_strdup(view->arena, uid) : uid;
}

static void make_endpoint(struct view *view, const struct candidate *c, struct ek_endpoint *out)
{
	const struct ek_record_endpoint *from = c->endpoint;

	make_ports(view, c);
	*out = (struct ek_endpoint){
		.size = sizeof(*out), .flags = from->flags, .address = make_address(view, from),
		.pod_name = from->pod_name ? text_of(c, from->pod_name) : NULL, .pod_uid = make_uid(view, c),
		.node_name = from->node_name, .zone = from->zone, .hostname = from->hostname ? text_of(c, from->hostname) : NULL,
		.ports = c->ports->at, .n_ports = c->ports->n, .ip_family = from->family,
	};
}

static const struct ek_endpoint *const *make_endpoints(struct view *view)
{
	struct ek_endpoint *endpoints = ek_arena_alloc(view->arena, view->n * sizeof(*endpoints));
	const struct ek_endpoint **at = ek_arena_alloc(view->arena, view->n * sizeof(struct ek_endpoint *));

	for (size_t i = 0; i < view->n; i++) {
		make_endpoint(view, &view->candidates[i], &endpoints[i]);
		at[i] = &endpoints[i];
	}
	return at;
}

static const struct ek_pair *const *make_labels(const struct ek_record_service *from, struct ek_arena *arena)
{
	struct ek_pair *pairs = ek_arena_alloc(arena, from->n_labels * sizeof(*pairs));
	const struct ek_pair **at = ek_arena_alloc(arena, from->n_labels * sizeof(struct ek_pair *));

	for (uint32_t i = 0; i < from->n_labels; i++) {
		pairs[i] = (struct ek_pair){ .size = sizeof(*pairs), .key = from->labels[i].key, .value = from->labels[i].value };
		at[i] = &pairs[i];
	}
	return at;
}

static const struct ek_service_port *const *make_service_ports(const struct ek_record_service *from, struct ek_arena *arena)
{
	struct ek_service_port *ports = ek_arena_alloc(arena, from->n_ports * sizeof(*ports));
	const struct ek_service_port **at = ek_arena_alloc(arena, from->n_ports * sizeof(struct ek_service_port *));

	for (uint32_t i = 0; i < from->n_ports; i++) {
		const struct ek_record_service_port *port = &from->ports[i];

		ports[i] = (struct ek_service_port){ .size = sizeof(*ports), .port = port->port, .node_port = port->node_port,
			.target_port = port->target_port, .name = port->name, .protocol = port->protocol, .target_name = port->target_name };
		at[i] = &ports[i];
	}
	return at;
}

static const struct ek_ingress_point *const *make_ingress(const struct ek_record_service *from, struct ek_arena *arena)
{
	struct ek_ingress_point *points = ek_arena_alloc(arena, from->n_ingress * sizeof(*points));
	const struct ek_ingress_point **at = ek_arena_alloc(arena, from->n_ingress * sizeof(struct ek_ingress_point *));

	for (uint32_t i = 0; i < from->n_ingress; i++) {
		points[i] = (struct ek_ingress_point){ .size = sizeof(*points), .ip = from->ingress[i].ip, .hostname = from->ingress[i].hostname };
		at[i] = &points[i];
	}
	return at;
}

static const struct ek_service *make_service(struct view *view, const struct ek_record_service *service)
{
	struct ek_arena *arena = view->arena;
	struct ek_service *out = ek_arena_alloc(arena, sizeof(*out));

	*out = (struct ek_service){
		.size = sizeof(*out), .type = service->type, .flags = service->flags,
		.namespace_ = service->namespace_, .name = service->name, .uid = service->uid, .external_name = service->external_name,
		.n_cluster_ips = service->n_cluster_ips, .cluster_ips = service->cluster_ips,
		.n_labels = service->n_labels, .labels = make_labels(service, arena),
		.n_ports = service->n_ports, .ports = make_service_ports(service, arena),
		.n_ingress = service->n_ingress, .ingress = make_ingress(service, arena),
		.n_endpoints = (uint32_t)view->n, .endpoints = make_endpoints(view),
	};
	return out;
}

const struct ek_service *ek_store_view(const struct ek_store *store, const struct ek_record_service *service, const struct ek_endpoint_policy *policy, struct ek_arena *arena)
{
	const struct group *group = ek_store_find_group(store, service->namespace_, service->name);
	struct view view = { .policy = policy, .arena = arena };

	if (group) {
		collect(&view, group);
		keep_one_per_address(&view);
		keep_one_family_per_pod(&view);
	}
	return make_service(&view, service);
}

const struct ek_service *ek_store_view_part(const struct ek_store_part *part, const struct ek_endpoint_policy *policy, struct ek_arena *arena)
{
	struct view view = { .policy = policy, .arena = arena };

	view.candidates = ek_arena_alloc(arena, (part->n + 1) * sizeof(struct candidate));
	for (size_t i = 0; i < part->n; i++) {
		const struct ek_store_found *found = &part->found[i];

		if (may_stand(policy, found->endpoint))
			view.candidates[view.n++] = (struct candidate){ found->endpoint, found->slice, ek_arena_alloc(arena, sizeof(struct shared_ports)) };
	}
	keep_one_per_address(&view);
	keep_one_family_per_pod(&view);
	return make_service(&view, part->service);
}
