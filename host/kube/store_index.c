/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of one Service's endpoints by key: from a key to the slices that may hold endpoints of it. It is made when the first event tells of a slice, and given
 * back when a list makes all anew; it costs about 24 bytes an endpoint. It finds candidates only; whoever asks looks into the slice. Read store_delta.c next.
 */
#include "kube/store_inside.h"

#include <stdlib.h>
#include <string.h>

/*
 * A slot is 8 bits of the key above the slice's number, open addressing. Two endpoints of one slice whose keys lie close together may take each other's slot out:
 * what is left still lies where a search for either passes.
 */
#define NUMBER_BITS 24
#define NUMBER_MASK ((1u << NUMBER_BITS) - 1)
#define EMPTY 0u
#define LEFT 1u                        /* was in use */
#define FIRST 2u
#define SLOTS_MIN 16u

struct group_index {
	uint32_t *slots;
	uint32_t n_slots, n_used, n_live;  /* n_used: with those that are left */
	struct object **slices;            /* by number; NULL free */
	uint32_t n_numbers;
};

static uint32_t slot_of(uint32_t key, uint32_t number)
{
	return (key & ~NUMBER_MASK) | (number + FIRST);
}

static bool is_live(uint32_t slot)
{
	return (slot & NUMBER_MASK) >= FIRST;
}

static void put(struct group_index *index, uint32_t key, uint32_t number)
{
	uint32_t mask = index->n_slots - 1, at = key & mask;

	while (is_live(index->slots[at]))
		at = (at + 1) & mask;
	index->n_used += index->slots[at] == EMPTY;
	index->n_live++;
	index->slots[at] = slot_of(key, number);
}

static void put_both(struct group_index *index, const struct ek_endpoint_keys *keys, uint32_t number)
{
	put(index, keys->address, number);
	if (keys->pod != keys->address)
		put(index, keys->pod, number);
}

/* Makes the table anew, with room for so many more and without what is left over. */
static void rebuild(struct group_index *index, uint32_t n_more)
{
	uint32_t n = SLOTS_MIN;

	while (n < (index->n_live + n_more) / 2 * 3 + 1)
		n *= 2;
	free(index->slots);
	index->slots = ek_xcalloc(n, sizeof(*index->slots));
	index->n_slots = n;
	index->n_used = index->n_live = 0;
	for (uint32_t number = 0; number < index->n_numbers; number++) {
		const struct object *object = index->slices[number];

		for (uint32_t i = 0; object && i < object->keys->n; i++)
			put_both(index, &object->keys->at[i], number);
	}
}

/* So many more may be put before the next call. */
static void reserve(struct group_index *index, uint32_t n_more)
{
	if (index->n_used + n_more >= index->n_slots / 4 * 3)
		rebuild(index, n_more);
}

static void take(struct group_index *index, uint32_t key, uint32_t number)
{
	uint32_t mask = index->n_slots - 1, at = key & mask;

	while (index->slots[at] != slot_of(key, number)) {
		if (index->slots[at] == EMPTY)
			EK_BUG("a key is not in the index");
		at = (at + 1) & mask;
	}
	index->slots[at] = LEFT;
	index->n_live--;
}

static void take_both(struct group_index *index, const struct ek_endpoint_keys *keys, uint32_t number)
{
	take(index, keys->address, number);
	if (keys->pod != keys->address)
		take(index, keys->pod, number);
}

static struct slice_keys *make_keys(const struct object *object)
{
	const struct ek_record_slice *slice = ek_store_slice_of(object);
	struct slice_keys *keys = ek_slice_keys_new(slice->n_endpoints);

	for (uint32_t i = 0; i < slice->n_endpoints; i++)
		keys->at[i] = ek_endpoint_keys(slice, &slice->endpoints[i]);
	return keys;
}

struct slice_keys *ek_slice_keys_new(uint32_t n)
{
	struct slice_keys *keys = ek_xmalloc(sizeof(*keys) + n * sizeof(keys->at[0]));

	keys->n = n;
	keys->number = 0;
	return keys;
}

/* ---- slices ---- */

static uint32_t take_number(struct group_index *index, struct object *object)
{
	uint32_t number = 0;

	while (number < index->n_numbers && index->slices[number])
		number++;
	if (number > NUMBER_MASK - FIRST)
		EK_BUG("a Service of %u slices", number);
	if (number == index->n_numbers) {
		index->slices = ek_xrealloc(index->slices, number + 1, sizeof(struct object *));
		index->n_numbers++;
	}
	index->slices[number] = object;
	return number;
}

void ek_index_add(struct group *group, struct object *object)
{
	struct group_index *index = group->index;
	struct slice_keys *keys = make_keys(object);

	reserve(index, 2 * keys->n);
	keys->number = take_number(index, object);
	object->keys = keys;
	for (uint32_t i = 0; i < keys->n; i++)
		put_both(index, &keys->at[i], keys->number);
}

void ek_index_drop(struct group *group, struct object *object)
{
	struct slice_keys *keys = object->keys;

	for (uint32_t i = 0; i < keys->n; i++)
		take_both(group->index, &keys->at[i], keys->number);
	group->index->slices[keys->number] = NULL;
	object->keys = NULL;
	free(keys);
}

void ek_index_replace(struct group *group, struct object *object, struct slice_keys *fresh, const int32_t *origin)
{
	struct group_index *index = group->index;
	struct slice_keys *old = object->keys;
	uint8_t *is_kept = ek_xcalloc(old->n + 1, 1);

	reserve(index, 2 * fresh->n);
	fresh->number = old->number;
	for (uint32_t i = 0; i < fresh->n; i++)
		if (origin[i] >= 0)
			is_kept[origin[i]] = 1;
	for (uint32_t i = 0; i < old->n; i++)
		if (!is_kept[i])
			take_both(index, &old->at[i], old->number);
	for (uint32_t i = 0; i < fresh->n; i++)
		if (origin[i] < 0)
			put_both(index, &fresh->at[i], fresh->number);
	object->keys = fresh;
	free(is_kept);
	free(old);
}

void ek_index_need(struct group *group)
{
	if (group->index)
		return;
	group->index = ek_xcalloc(1, sizeof(*group->index));
	rebuild(group->index, 0);
	for (struct object *object = group->slices; object; object = object->next)
		ek_index_add(group, object);
}

void ek_index_forget(struct group *group)
{
	if (!group->index)
		return;
	for (struct object *object = group->slices; object; object = object->next) {
		free(object->keys);
		object->keys = NULL;
	}
	free(group->index->slots);
	free(group->index->slices);
	free(group->index);
	group->index = NULL;
}

/* ---- searching ---- */

const struct object *ek_index_next(const struct group *group, uint32_t key, uint32_t *at)
{
	const struct group_index *index = group->index;
	uint32_t mask = index->n_slots - 1;

	for (;;) {
		uint32_t slot = index->slots[(key + (*at)++) & mask];

		if (slot == EMPTY)
			return NULL;
		if (is_live(slot) && !((slot ^ key) & ~NUMBER_MASK))
			return index->slices[(slot & NUMBER_MASK) - FIRST];
	}
}
