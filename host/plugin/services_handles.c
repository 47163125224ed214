/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of what a plugin holds: timers, descriptor watches, requests. A handle names a place in it and the place's generation, so one that has ended, is of
 * another kind or was never given out finds nothing. It knows nothing of what the objects are. Read services.c next.
 */
#include "plugin/services_inside.h"

#include "base/alloc.h"

#include <stdlib.h>

#define FIRST_SLOTS 16

static const char *const names[] = { "", "timer", "descriptor watch", "request" };

/* Another one for each instance, so that what one was given means nothing to its siblings. */
static uint32_t first_generation(const struct ek_services *services)
{
	return (uint32_t)((uintptr_t)services / 16) * 2654435761u;
}

static void grow(struct ek_services *services)
{
	struct ek_handles *handles = &services->handles;
	uint32_t n = handles->n_slots ? handles->n_slots * 2 : FIRST_SLOTS;

	handles->slots = ek_xrealloc(handles->slots, n, sizeof(*handles->slots));
	for (uint32_t i = handles->n_slots; i < n; i++)
		handles->slots[i] = (struct ek_handle_slot){ .generation = first_generation(services), .next_free = i + 1 < n ? i + 2 : 0 };
	handles->free_slot = handles->n_slots + 1;
	handles->n_slots = n;
}

void *ek_handle_new(struct ek_services *services, enum ek_handle_kind kind, void *object)
{
	struct ek_handles *handles = &services->handles;
	struct ek_handle_slot *slot;
	uint32_t place;

	if (!handles->free_slot)
		grow(services);
	place = handles->free_slot;
	slot = &handles->slots[place - 1];
	handles->free_slot = slot->next_free;
	slot->object = object;
	slot->kind = kind;
	return (void *)((uintptr_t)slot->generation << 32 | place);
}

static struct ek_handle_slot *find_slot(struct ek_handles *handles, const void *handle)
{
	uint32_t index = (uint32_t)(uintptr_t)handle - 1;
	struct ek_handle_slot *slot = index < handles->n_slots ? &handles->slots[index] : NULL;

	return slot && slot->object && slot->generation == (uint32_t)((uintptr_t)handle >> 32) ? slot : NULL;
}

void *ek_handle_find(struct ek_services *services, enum ek_handle_kind kind, const void *handle, const char *slot_name)
{
	struct ek_handle_slot *slot = handle ? find_slot(&services->handles, handle) : NULL;

	if (slot && slot->kind == kind)
		return slot->object;
	if (handle)
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "calls %s with the handle of a %s that has ended or never was", slot_name, names[kind]);
	return NULL;
}

void ek_handle_drop(struct ek_services *services, const void *handle)
{
	struct ek_handles *handles = &services->handles;
	struct ek_handle_slot *slot = find_slot(handles, handle);

	if (!slot)
		EK_BUG("a handle is dropped twice");
	slot->object = NULL;
	slot->generation++;
	slot->next_free = handles->free_slot;
	handles->free_slot = (uint32_t)(slot - handles->slots) + 1;
}

void *ek_handle_next(const struct ek_services *services, enum ek_handle_kind kind, uint32_t *at)
{
	const struct ek_handles *handles = &services->handles;

	while (*at < handles->n_slots) {
		const struct ek_handle_slot *slot = &handles->slots[(*at)++];

		if (slot->object && slot->kind == kind)
			return slot->object;
	}
	return NULL;
}
