/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps entries in slots by due time and hands those that are due to the registry. It neither sends nor judges outcomes; the registry puts an entry back when
 * its renewal has ended. Read registry.c next.
 */
#include "sync/lease.h"

#include <string.h>

static void on_tick(void *arg);

void ek_lease_init(struct ek_lease_wheel *wheel, struct ek_loop *loop, int64_t period_ms, void (*renew)(void *arg, struct ek_ledger_entry *entry), void *arg)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->loop = loop;
	wheel->period_ms = period_ms > 0 ? period_ms : 1;
	wheel->slot_ms = period_ms / (EK_LEASE_SLOTS / 2) > 10 ? period_ms / (EK_LEASE_SLOTS / 2) : 10;
	wheel->renew = renew;
	wheel->arg = arg;
	ek_timer_init(&wheel->timer, on_tick, wheel);
}

void ek_lease_remove(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry)
{
	if (!entry->wheel_prev)
		return;
	*entry->wheel_prev = entry->wheel_next;
	if (entry->wheel_next)
		entry->wheel_next->wheel_prev = entry->wheel_prev;
	entry->wheel_prev = NULL;
	entry->wheel_next = NULL;
	if (--wheel->n == 0)
		ek_loop_disarm(wheel->loop, &wheel->timer);
}

void ek_lease_clear(struct ek_lease_wheel *wheel)
{
	for (size_t i = 0; i < EK_LEASE_SLOTS; i++)
		while (wheel->slots[i])
			ek_lease_remove(wheel, wheel->slots[i]);
	ek_loop_disarm(wheel->loop, &wheel->timer);
}

/* Sleeps until the end of the slot that `position` stands before. */
static void arm(struct ek_lease_wheel *wheel)
{
	int64_t now = ek_loop_now_ms(wheel->loop), next = (wheel->position + 1) * wheel->slot_ms;

	if (wheel->n)
		ek_loop_arm(wheel->loop, &wheel->timer, next > now ? next - now : 0);
}

static void link_entry(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry, int64_t slot)
{
	struct ek_ledger_entry **head = &wheel->slots[slot % EK_LEASE_SLOTS];

	entry->wheel_next = *head;
	if (*head)
		(*head)->wheel_prev = &entry->wheel_next;
	entry->wheel_prev = head;
	*head = entry;
	wheel->n++;
}

void ek_lease_add_at(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry, int64_t due_ms)
{
	int64_t slot = due_ms / wheel->slot_ms;

	ek_lease_remove(wheel, entry);
	if (wheel->n == 0)
		wheel->position = ek_loop_now_ms(wheel->loop) / wheel->slot_ms;
	entry->due_ms = due_ms;
	if (slot <= wheel->position)
		slot = wheel->position;
	if (slot >= wheel->position + EK_LEASE_SLOTS - 1)
		slot = wheel->position + EK_LEASE_SLOTS - 2; /* looked at early, and put back */
	link_entry(wheel, entry, slot);
	if (wheel->n == 1)
		arm(wheel);
}

void ek_lease_add_next(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry)
{
	int64_t now = ek_loop_now_ms(wheel->loop), phase = (int64_t)(entry->id_hash % (uint64_t)wheel->period_ms);
	int64_t since = (now - phase) % wheel->period_ms;

	if (since < 0)
		since += wheel->period_ms;
	ek_lease_add_at(wheel, entry, now - since + wheel->period_ms);
}

/* Everything in one slot: what is due is renewed, what belongs to a later round goes back. */
static void run_slot(struct ek_lease_wheel *wheel, int64_t slot, int64_t now)
{
	struct ek_ledger_entry *later = NULL, *entry;

	while ((entry = wheel->slots[slot % EK_LEASE_SLOTS])) {
		ek_lease_remove(wheel, entry);
		if (entry->due_ms / wheel->slot_ms <= slot || entry->due_ms <= now) {
			wheel->renew(wheel->arg, entry);
			continue;
		}
		entry->wheel_next = later;
		later = entry;
	}
	while ((entry = later)) {
		later = entry->wheel_next;
		entry->wheel_next = NULL;
		ek_lease_add_at(wheel, entry, entry->due_ms);
	}
}

static void on_tick(void *arg)
{
	struct ek_lease_wheel *wheel = arg;
	int64_t now = ek_loop_now_ms(wheel->loop), target = now / wheel->slot_ms;

	if (target - wheel->position > EK_LEASE_SLOTS)
		wheel->position = target - EK_LEASE_SLOTS;
	while (wheel->position < target) {
		int64_t slot = wheel->position++;

		run_slot(wheel, slot, now);
	}
	arm(wheel);
}
