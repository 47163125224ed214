/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary heap of embedded timers, run in two phases: what is due is collected first, then called.
 * It has no clock and no unit: whoever drives it says what time it is.
 * Next: io/loop.c, which drives one with the machine's clock.
 */
#include "base/timers.h"

#include "base/alloc.h"

#include <stdlib.h>

#define FIRST_ROOM 32

void ek_timer_init(struct ek_timer *timer, void (*fn)(void *arg), void *arg)
{
	*timer = (struct ek_timer){ .fn = fn, .arg = arg };
}

bool ek_timer_is_armed(const struct ek_timer *timer)
{
	return timer->slot || timer->prev_due;
}

void ek_timers_init(struct ek_timers *timers)
{
	*timers = (struct ek_timers){ 0 };
}

void ek_timers_clear(struct ek_timers *timers)
{
	for (size_t i = 0; i < timers->n; i++)
		timers->heap[i]->slot = 0;
	free(timers->heap);
	ek_timers_init(timers);
}

/* Equal deadlines fire in the order of arming. */
static bool is_before(const struct ek_timer *a, const struct ek_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct ek_timers *timers, size_t i, struct ek_timer *timer)
{
	timers->heap[i] = timer;
	timer->slot = i + 1;
}

static void sift_up(struct ek_timers *timers, size_t i, struct ek_timer *timer)
{
	while (i && is_before(timer, timers->heap[(i - 1) / 2])) {
		put(timers, i, timers->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(timers, i, timer);
}

static void sift_down(struct ek_timers *timers, size_t i, struct ek_timer *timer)
{
	size_t child;

	while ((child = 2 * i + 1) < timers->n) {
		if (child + 1 < timers->n && is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!is_before(timers->heap[child], timer))
			break;
		put(timers, i, timers->heap[child]);
		i = child;
	}
	put(timers, i, timer);
}

static void take_out(struct ek_timers *timers, struct ek_timer *timer)
{
	size_t i = timer->slot - 1;
	struct ek_timer *last = timers->heap[--timers->n];

	timer->slot = 0;
	if (last == timer)
		return;
	if (i && is_before(last, timers->heap[(i - 1) / 2]))
		sift_up(timers, i, last);
	else
		sift_down(timers, i, last);
}

/* The list of collected timers, so that a callback may disarm one that is due but has not run. */
static void link_due(struct ek_timer ***tail, struct ek_timer *timer)
{
	timer->next_due = NULL;
	timer->prev_due = *tail;
	**tail = timer;
	*tail = &timer->next_due;
}

static void unlink_due(struct ek_timer *timer)
{
	*timer->prev_due = timer->next_due;
	if (timer->next_due)
		timer->next_due->prev_due = timer->prev_due;
	timer->next_due = NULL;
	timer->prev_due = NULL;
}

void ek_timers_disarm(struct ek_timers *timers, struct ek_timer *timer)
{
	if (timer->slot)
		take_out(timers, timer);
	else if (timer->prev_due)
		unlink_due(timer);
}

void ek_timers_arm(struct ek_timers *timers, struct ek_timer *timer, int64_t due_ms)
{
	ek_timers_disarm(timers, timer);
	if (timers->n == timers->room) {
		timers->room = timers->room ? timers->room * 2 : FIRST_ROOM;
		timers->heap = ek_xrealloc(timers->heap, timers->room, sizeof(struct ek_timer *));
	}
	timer->due_ms = due_ms;
	timer->order = timers->next_order++;
	sift_up(timers, timers->n++, timer);
}

int64_t ek_timers_next_due(const struct ek_timers *timers)
{
	return timers->n ? timers->heap[0]->due_ms : INT64_MAX;
}

unsigned ek_timers_run(struct ek_timers *timers, int64_t now_ms)
{
	struct ek_timer *due = NULL, **tail = &due, *timer;
	unsigned n_fired = 0;

	while (timers->n && timers->heap[0]->due_ms <= now_ms) {
		timer = timers->heap[0];
		take_out(timers, timer);
		link_due(&tail, timer);
	}
	while ((timer = due)) {
		unlink_due(timer);
		n_fired++;
		timer->fn(timer->arg);
	}
	return n_fired;
}
