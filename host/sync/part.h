/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a syncer has to look at in its next turn, by keys of endpoints (kube/keys.h): now, at some time, or when its registry has room. Everything that wakes a syncer
 * by ek_queue_add means the whole of it, and so does more than can be noted here; both empty this when the whole turn begins.
 */
#ifndef EK_SYNC_PART_H
#define EK_SYNC_PART_H

#include "io/loop.h"
#include "kube/keys.h"

struct ek_sync_syncer;

struct ek_later_key {
	int64_t due_ms;
	uint32_t key;
};

struct ek_part {
	struct ek_keys due;            /* for the next turn */
	struct ek_keys blocked;        /* found no room in the registry, in this order */
	bool has_more_blocked;         /* and so did others: when these are done, everything is looked at */
	bool is_possible;              /* the last whole turn has shown that parts may be looked at alone (evaluate_part.c) */
	struct ek_later_key *later;    /* owned, in no order */
	unsigned n_later, later_room;
	struct ek_timer timer;         /* for the first of them */
};

void ek_part_init(struct ek_sync_syncer *syncer);
void ek_part_clear(struct ek_sync_syncer *syncer);    /* forgets all, and stops the timer */

void ek_part_wake(struct ek_sync_syncer *syncer, uint32_t key);
void ek_part_wake_keys(struct ek_sync_syncer *syncer, const struct ek_keys *keys); /* NULL: everything */
void ek_part_wake_at(struct ek_sync_syncer *syncer, uint32_t key, int64_t due_ms);  /* loop time */

void ek_part_block(struct ek_sync_syncer *syncer, uint32_t key);
/* There is room for some: wakes it for those. True: it waits for more. */
bool ek_part_wake_blocked(struct ek_sync_syncer *syncer);

#endif
