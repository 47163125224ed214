/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease wheel of one registry: which entry is to be renewed when. A ring of slots holding intrusive lists; adding, removing and a tick with nothing due cost
 * the same however many entries sleep in it, and nothing is allocated. Renewals are spread by the entry's hash: entry k of period P is due at
 * times congruent to hash mod P, so a burst of registrations does not become a burst of renewals.
 */
#ifndef EK_SYNC_LEASE_H
#define EK_SYNC_LEASE_H

#include <stdint.h>

#include "io/loop.h"
#include "sync/ledger.h"

#define EK_LEASE_SLOTS 512

struct ek_lease_wheel {
	struct ek_loop *loop;
	struct ek_ledger_entry *slots[EK_LEASE_SLOTS];
	int64_t period_ms, slot_ms;
	int64_t position;              /* the slot number (time / slot_ms) up to which everything has been looked at */
	size_t n;
	struct ek_timer timer;
	void (*renew)(void *arg, struct ek_ledger_entry *entry); /* takes the entry, which is out of the wheel */
	void *arg;
};

void ek_lease_init(struct ek_lease_wheel *wheel, struct ek_loop *loop, int64_t period_ms, void (*renew)(void *arg, struct ek_ledger_entry *entry), void *arg);
void ek_lease_clear(struct ek_lease_wheel *wheel);      /* takes all entries out */
void ek_lease_add_at(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry, int64_t due_ms); /* moves it if it is in */
void ek_lease_add_next(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry);               /* its next regular turn */
void ek_lease_remove(struct ek_lease_wheel *wheel, struct ek_ledger_entry *entry);                 /* no-op if not in */

#endif
