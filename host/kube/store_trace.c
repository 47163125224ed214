/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From changed keys to everything that may have changed with them: pods share addresses and have several, so keys lead to endpoints and endpoints to more keys,
 * until nothing new is found. What is found, seen alone, looks as it does in the whole view. It makes no view; store_view.c does, read that next.
 */
#include "kube/store_inside.h"

#include <string.h>

struct trace {
	struct ek_keys *keys;          /* those before `n_done` are followed */
	uint32_t n_done;
	struct ek_arena *arena;
};

static bool is_followed(const struct trace *trace, uint32_t key)
{
	for (uint32_t i = 0; i < trace->n_done; i++)
		if (trace->keys->at[i] == key)
			return true;
	return false;
}

static void add_found(struct trace *trace, struct ek_store_part *part, const struct ek_record_slice *slice, uint32_t at)
{
	if (part->n == part->room) {
		struct ek_store_found *old = part->found;

		part->room = part->room ? part->room * 2 : 8;
		part->found = ek_arena_alloc(trace->arena, part->room * sizeof(*part->found));
		if (old)
			memcpy(part->found, old, part->n * sizeof(*old));
	}
	part->found[part->n++] = (struct ek_store_found){ slice, &slice->endpoints[at] };
}

/* An endpoint that was found by one of its keys is not found again by the other. */
static void look_into(struct trace *trace, struct ek_store_part *part, const struct object *object, uint32_t key)
{
	const struct slice_keys *keys = object->keys;

	for (uint32_t i = 0; i < keys->n; i++) {
		uint32_t other;

		if (keys->at[i].address != key && keys->at[i].pod != key)
			continue;
		other = keys->at[i].address == key ? keys->at[i].pod : keys->at[i].address;
		if (other != key && is_followed(trace, other))
			continue;
		ek_keys_add(trace->keys, other);
		add_found(trace, part, ek_store_slice_of(object), i);
	}
}

static bool is_among(const struct object *const *seen, size_t n, const struct object *object)
{
	for (size_t i = 0; i < n; i++)
		if (seen[i] == object)
			return true;
	return false;
}

#define SLICES_MAX 64 /* that share one key */

static void follow(struct trace *trace, struct ek_store_part *part, const struct group *group, uint32_t key)
{
	const struct object *object, *seen[SLICES_MAX];
	size_t n_seen = 0;
	uint32_t at = 0;

	while ((object = ek_index_next(group, key, &at)) && !trace->keys->is_all) {
		if (is_among(seen, n_seen, object))
			continue;
		if (n_seen == SLICES_MAX) {
			ek_keys_set_all(trace->keys);
			return;
		}
		seen[n_seen++] = object;
		look_into(trace, part, object, key);
	}
}

bool ek_store_trace(struct ek_store *store, struct ek_keys *keys, struct ek_store_part *parts, size_t n_parts, struct ek_arena *arena)
{
	struct trace trace = { .keys = keys, .arena = arena };
	struct group **groups = ek_arena_alloc(arena, (n_parts + 1) * sizeof(struct group *));

	for (size_t i = 0; i < n_parts; i++) {
		groups[i] = ek_store_find_group(store, parts[i].service->namespace_, parts[i].service->name);
		ek_index_need(groups[i]);
		parts[i].n = parts[i].room = 0;
		parts[i].found = NULL;
	}
	while (!keys->is_all && trace.n_done < keys->n) {
		uint32_t key = keys->at[trace.n_done];

		for (size_t i = 0; i < n_parts && !keys->is_all; i++)
			follow(&trace, &parts[i], groups[i], key);
		trace.n_done++;
	}
	return !keys->is_all;
}
