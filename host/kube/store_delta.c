/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out which endpoints an event has changed, as keys, by comparing a slice with what it was: the work of one slice, whatever the size of its Service. It may
 * name more than what changed, never less. What changes with them is found by store_trace.c; read that next.
 */
#include "kube/store_inside.h"

#include <stdlib.h>
#include <string.h>

/* How far ahead endpoints are sought that have come or gone in between. */
#define AHEAD 8u

struct pair {
	const struct ek_record_slice *old, *fresh;
};

static bool is_same(const struct pair *pair, uint32_t old, uint32_t fresh)
{
	return old < pair->old->n_endpoints && fresh < pair->fresh->n_endpoints &&
	       ek_record_endpoint_equals(pair->old, &pair->old->endpoints[old], pair->fresh, &pair->fresh->endpoints[fresh]);
}

/* For each endpoint of the new slice which one of the old it is, unchanged; -1 none. */
static int32_t *match(const struct pair *pair)
{
	uint32_t n = pair->fresh->n_endpoints, old = 0, fresh = 0;
	int32_t *origin = ek_xmalloc((n + 1) * sizeof(*origin));

	memset(origin, 0xff, (n + 1) * sizeof(*origin));
	while (old < pair->old->n_endpoints && fresh < n) {
		uint32_t ahead = 0;

		while (ahead <= AHEAD && !is_same(pair, old + ahead, fresh) && !is_same(pair, old, fresh + ahead))
			ahead++;
		if (ahead > AHEAD)
			ahead = 0;
		else if (is_same(pair, old + ahead, fresh))
			old += ahead;
		else
			fresh += ahead;
		if (is_same(pair, old, fresh))
			origin[fresh] = (int32_t)old;
		old++;
		fresh++;
	}
	return origin;
}

static void add_both(struct ek_keys *out, const struct ek_endpoint_keys *keys)
{
	ek_keys_add(out, keys->address);
	ek_keys_add(out, keys->pod);
}

static void add_slice(struct ek_keys *out, const struct object *object)
{
	for (uint32_t i = 0; i < object->keys->n && !out->is_all; i++)
		add_both(out, &object->keys->at[i]);
}

/* Whether another slice may hold the key. */
static bool is_elsewhere(const struct group *group, uint32_t key, const struct object *object)
{
	const struct object *other;
	uint32_t at = 0;

	while ((other = ek_index_next(group, key, &at)))
		if (other != object)
			return true;
	return false;
}

/* Of an address that is in several slices the newest counts; so a slice that has become newer changes what stands in others too. */
static void add_shared(struct ek_keys *out, const struct group *group, const struct object *object)
{
	for (uint32_t i = 0; i < object->keys->n && !out->is_all; i++)
		if (is_elsewhere(group, object->keys->at[i].address, object))
			ek_keys_add(out, object->keys->at[i].address);
}

static bool has_same_ports(const struct ek_record_slice *a, const struct ek_record_slice *b)
{
	return a->n_ports == b->n_ports && memcmp(a->ports, b->ports, a->n_ports * sizeof(*a->ports)) == 0;
}

/* The keys of the new slice: those of unchanged endpoints are known. The others have changed, and so have the old ones that are not found again. */
static struct slice_keys *compare(struct ek_keys *out, const struct object *object, const struct pair *pair, const int32_t *origin)
{
	struct slice_keys *fresh = ek_slice_keys_new(pair->fresh->n_endpoints);
	uint8_t *is_kept = ek_xcalloc(pair->old->n_endpoints + 1, 1);

	for (uint32_t i = 0; i < fresh->n; i++) {
		if (origin[i] >= 0) {
			fresh->at[i] = object->keys->at[origin[i]];
			is_kept[origin[i]] = 1;
			continue;
		}
		fresh->at[i] = ek_endpoint_keys(pair->fresh, &pair->fresh->endpoints[i]);
		add_both(out, &fresh->at[i]);
	}
	for (uint32_t i = 0; i < pair->old->n_endpoints; i++)
		if (!is_kept[i])
			add_both(out, &object->keys->at[i]);
	free(is_kept);
	return fresh;
}

void ek_delta_replace(struct ek_keys *out, struct object *object, const struct ek_record_slice *record)
{
	struct pair pair = { .old = ek_store_slice_of(object), .fresh = record };
	struct slice_keys *fresh;
	int32_t *origin;

	ek_index_need(object->group);
	origin = match(&pair);
	fresh = compare(out, object, &pair, origin);
	ek_index_replace(object->group, object, fresh, origin);
	if (!has_same_ports(pair.old, pair.fresh))
		ek_keys_set_all(out);
	if (pair.old->trigger_wall_ms != pair.fresh->trigger_wall_ms)
		add_shared(out, object->group, object);
	free(origin);
}

void ek_delta_renew(struct ek_keys *out, struct object *object)
{
	ek_index_need(object->group);
	add_shared(out, object->group, object);
}

void ek_delta_add(struct ek_keys *out, struct object *object)
{
	if (object->group->index)
		ek_index_add(object->group, object);
	ek_index_need(object->group);
	add_slice(out, object);
}

void ek_delta_remove(struct ek_keys *out, struct object *object)
{
	ek_index_need(object->group);
	add_slice(out, object);
	ek_index_drop(object->group, object);
}
