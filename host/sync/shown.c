/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recognises the pointers of a view. Most modes take endpoints one after the other, and then nothing is looked up; the first one that comes out of order makes a
 * table of all. It never looks at what a pointer points to. Read complete.c next.
 */
#include "sync/shown.h"

/* A Service stands under itself without an owner, an endpoint under itself with its Service. */
struct ek_shown_place {
	const void *key;
	const struct ek_service *owner;
};

void ek_shown_init(struct ek_shown *shown, const struct ek_cluster *cluster, struct ek_arena *arena)
{
	*shown = (struct ek_shown){ .cluster = cluster, .arena = arena };
	for (uint32_t i = 0; i < cluster->n_services; i++)
		shown->n_endpoints += cluster->services[i]->n_endpoints;
}

static struct ek_shown_place *place_of(const struct ek_shown *shown, const void *key)
{
	size_t at = (size_t)(((uintptr_t)key >> 4) * 0x9e3779b97f4a7c15ull >> 20) & shown->mask;

	while (shown->table[at].key && shown->table[at].key != key)
		at = (at + 1) & shown->mask;
	return &shown->table[at];
}

static void make_table(struct ek_shown *shown)
{
	size_t room = 16;

	while (room < 2 * (shown->cluster->n_services + shown->n_endpoints))
		room *= 2;
	shown->table = ek_arena_alloc(shown->arena, room * sizeof(*shown->table));
	shown->mask = room - 1;
	for (uint32_t s = 0; s < shown->cluster->n_services; s++) {
		const struct ek_service *service = shown->cluster->services[s];

		*place_of(shown, service) = (struct ek_shown_place){ service, NULL };
		for (uint32_t e = 0; e < service->n_endpoints; e++)
			*place_of(shown, service->endpoints[e]) = (struct ek_shown_place){ service->endpoints[e], service };
	}
}

static bool is_in_table(struct ek_shown *shown, const void *key, const struct ek_service *owner)
{
	const struct ek_shown_place *place;

	if (!shown->table)
		make_table(shown);
	place = place_of(shown, key);
	return place->key && place->owner == owner;
}

bool ek_shown_has_service(struct ek_shown *shown, const struct ek_service *service)
{
	if (!service)
		return false;
	if (service == shown->service)
		return true;
	if (shown->next_service < shown->cluster->n_services && shown->cluster->services[shown->next_service] == service)
		shown->next_service++;
	else if (!is_in_table(shown, service, NULL))
		return false;
	shown->service = service;
	shown->next = 0;
	return true;
}

bool ek_shown_has_endpoint(struct ek_shown *shown, const struct ek_service *service, const struct ek_endpoint *endpoint)
{
	if (!endpoint || !ek_shown_has_service(shown, service))
		return false;
	if (shown->next && service->endpoints[shown->next - 1] == endpoint)
		return true; /* once more: another port of it, say */
	if (shown->next < service->n_endpoints && service->endpoints[shown->next] == endpoint) {
		shown->next++;
		return true;
	}
	return is_in_table(shown, endpoint, service);
}
