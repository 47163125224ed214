/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive first-in-first-out list with one timer per item for delayed adds. It does not know what an item is and never retries by itself: whoever
 * works an item adds it again. Read reconcile.c next.
 */
#include "sync/queue.h"

#include <string.h>

#define TURN_BUDGET_US 5000 /* and one turn more, whatever that takes: readers should not wait for 10 ms */

static void pump(void *arg);

static void schedule(struct ek_queue *queue)
{
	if (queue->is_pumping || queue->is_paused || !queue->first)
		return;
	queue->is_pumping = true;
	ek_loop_defer(queue->loop, pump, queue);
}

static struct ek_queue_item *take_first(struct ek_queue *queue)
{
	struct ek_queue_item *item = queue->first;

	queue->first = item->next;
	if (!queue->first)
		queue->last = &queue->first;
	item->next = NULL;
	item->is_queued = false;
	queue->depth--;
	return item;
}

static void pump(void *arg)
{
	struct ek_queue *queue = arg;
	int64_t start = ek_loop_now_us(queue->loop);

	queue->is_pumping = false;
	while (queue->first && !queue->is_paused) {
		queue->work(queue->arg, take_first(queue));
		if (ek_loop_now_us(queue->loop) - start > TURN_BUDGET_US)
			break;
	}
	schedule(queue);
}

void ek_queue_init(struct ek_queue *queue, struct ek_loop *loop, void (*work)(void *arg, struct ek_queue_item *item), void *arg)
{
	memset(queue, 0, sizeof(*queue));
	queue->loop = loop;
	queue->last = &queue->first;
	queue->work = work;
	queue->arg = arg;
}

static void on_due(void *arg)
{
	ek_queue_add(arg);
}

void ek_queue_item_init(struct ek_queue *queue, struct ek_queue_item *item)
{
	memset(item, 0, sizeof(*item));
	item->queue = queue;
	ek_timer_init(&item->timer, on_due, item);
}

void ek_queue_item_clear(struct ek_queue_item *item)
{
	struct ek_queue *queue = item->queue;

	ek_loop_disarm(queue->loop, &item->timer);
	if (!item->is_queued)
		return;
	for (struct ek_queue_item **at = &queue->first; *at; at = &(*at)->next) {
		if (*at != item)
			continue;
		*at = item->next;
		if (!*at)
			queue->last = at;
		break;
	}
	item->is_queued = false;
	queue->depth--;
}

static void add(struct ek_queue_item *item)
{
	struct ek_queue *queue = item->queue;

	item->is_queued = true;
	item->next = NULL;
	*queue->last = item;
	queue->last = &item->next;
	queue->depth++;
	queue->adds++;
	schedule(queue);
}

void ek_queue_add(struct ek_queue_item *item)
{
	item->is_part = false;
	if (!item->is_queued)
		add(item);
}

void ek_queue_add_part(struct ek_queue_item *item)
{
	if (item->is_queued)
		return;
	item->is_part = true;
	add(item);
}

void ek_queue_add_at(struct ek_queue_item *item, int64_t due_ms)
{
	struct ek_loop *loop = item->queue->loop;
	int64_t now = ek_loop_now_ms(loop);

	if (ek_timer_is_armed(&item->timer) && item->due_ms <= due_ms)
		return;
	item->due_ms = due_ms;
	ek_loop_arm(loop, &item->timer, due_ms > now ? due_ms - now : 0);
}

void ek_queue_pause(struct ek_queue *queue, bool is_paused)
{
	queue->is_paused = is_paused;
	schedule(queue);
}
