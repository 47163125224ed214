/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps what a syncer has to look at, in bounds: what does not fit means everything. It neither evaluates nor decides whether a part may be looked at alone. Read
 * evaluate_part.c next.
 */
#include "sync/part.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/engine.h"

#define LATER_MAX 4096

void ek_part_wake_keys(struct ek_sync_syncer *syncer, const struct ek_keys *keys)
{
	struct ek_part *part = &syncer->part;

	if (keys && !part->due.is_all)
		ek_keys_add_all(&part->due, keys);
	if (keys && !part->due.is_all)
		ek_queue_add_part(&syncer->item);
	else
		ek_queue_add(&syncer->item);
}

void ek_part_wake(struct ek_sync_syncer *syncer, uint32_t key)
{
	ek_part_wake_keys(syncer, &(struct ek_keys){ .at = &key, .n = 1 });
}

/* ---- at some time ---- */

static void arm(struct ek_sync_syncer *syncer, int64_t due_ms)
{
	struct ek_loop *loop = syncer->engine->loop;
	int64_t now = ek_loop_now_ms(loop);

	if (!ek_timer_is_armed(&syncer->part.timer) || syncer->part.timer.due_ms > due_ms)
		ek_loop_arm(loop, &syncer->part.timer, due_ms > now ? due_ms - now : 0);
}

static void on_due(void *arg)
{
	struct ek_sync_syncer *syncer = arg;
	struct ek_part *part = &syncer->part;
	int64_t now = ek_loop_now_ms(syncer->engine->loop), next = INT64_MAX;
	unsigned n = 0;

	for (unsigned i = 0; i < part->n_later; i++) {
		struct ek_later_key later = part->later[i];

		if (later.due_ms <= now) {
			ek_part_wake(syncer, later.key);
			continue;
		}
		if (later.due_ms < next)
			next = later.due_ms;
		part->later[n++] = later;
	}
	part->n_later = n;
	if (n)
		arm(syncer, next);
}

void ek_part_wake_at(struct ek_sync_syncer *syncer, uint32_t key, int64_t due_ms)
{
	struct ek_part *part = &syncer->part;

	if (part->n_later == LATER_MAX) {
		ek_queue_add_at(&syncer->item, due_ms);
		return;
	}
	if (part->n_later == part->later_room) {
		part->later_room = part->later_room ? part->later_room * 2 : 8;
		part->later = ek_xrealloc(part->later, part->later_room, sizeof(*part->later));
	}
	part->later[part->n_later++] = (struct ek_later_key){ .due_ms = due_ms, .key = key };
	arm(syncer, due_ms);
}

/* ---- when there is room ---- */

void ek_part_block(struct ek_sync_syncer *syncer, uint32_t key)
{
	struct ek_part *part = &syncer->part;

	if (part->blocked.n == EK_KEYS_MAX)
		part->has_more_blocked = true;
	else
		ek_keys_add(&part->blocked, key);
}

bool ek_part_wake_blocked(struct ek_sync_syncer *syncer)
{
	struct ek_part *part = &syncer->part;
	struct ek_keys first = part->blocked;

	if (syncer->item.is_queued)
		return true; /* asked again after that turn */
	if (first.n > EK_OPS_MAX)
		first.n = EK_OPS_MAX;
	ek_part_wake_keys(syncer, first.n ? &first : NULL);
	part->blocked.n -= first.n;
	if (part->blocked.n)
		memmove(part->blocked.at, part->blocked.at + first.n, part->blocked.n * sizeof(*part->blocked.at));
	return first.n && (part->blocked.n || part->has_more_blocked);
}

/* ---- life ---- */

void ek_part_init(struct ek_sync_syncer *syncer)
{
	ek_timer_init(&syncer->part.timer, on_due, syncer);
}

void ek_part_clear(struct ek_sync_syncer *syncer)
{
	struct ek_part *part = &syncer->part;

	ek_loop_disarm(syncer->engine->loop, &part->timer);
	ek_keys_clear(&part->due);
	ek_keys_clear(&part->blocked);
	part->has_more_blocked = false;
	free(part->later);
	part->later = NULL;
	part->n_later = part->later_room = 0;
}
