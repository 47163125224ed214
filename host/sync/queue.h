/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work queue: which syncers must be looked at again. Adding collapses duplicates; a delayed add keeps the earlier of two times; the
 * worker runs items on the loop, one at a time, for at most 5 ms a turn (and one item more), so that readers and leases are never kept waiting by a storm.
 */
#ifndef EK_SYNC_QUEUE_H
#define EK_SYNC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"

struct ek_queue_item {
	struct ek_queue *queue;
	struct ek_queue_item *next;
	bool is_queued;
	bool is_part;            /* only what its owner has noted is to be looked at */
	int64_t due_ms;          /* of the delayed add, when the timer is armed */
	struct ek_timer timer;
};

struct ek_queue {
	struct ek_loop *loop;
	struct ek_queue_item *first, **last;
	size_t depth;
	uint64_t adds;
	bool is_pumping, is_paused;
	void (*work)(void *arg, struct ek_queue_item *item);
	void *arg;
};

void ek_queue_init(struct ek_queue *queue, struct ek_loop *loop, void (*work)(void *arg, struct ek_queue_item *item), void *arg);
void ek_queue_item_init(struct ek_queue *queue, struct ek_queue_item *item);
void ek_queue_item_clear(struct ek_queue_item *item);             /* takes it out, stops its timer */
void ek_queue_add(struct ek_queue_item *item);
void ek_queue_add_part(struct ek_queue_item *item);               /* an ordinary add, before or after it, means everything */
void ek_queue_add_at(struct ek_queue_item *item, int64_t due_ms); /* loop time */
void ek_queue_pause(struct ek_queue *queue, bool is_paused);      /* paused: collects, does not run */

#endif
