/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers, the pure part: an intrusive heap of deadlines. io/loop drives one heap with real time, the simulation drives one with
 * virtual time; both therefore order timers alike. A timer is embedded in its owner and is armed or not. Equal deadlines
 * fire in the order of arming. Expiry has two phases, collect and run, so a callback may arm, disarm or free any timer.
 */
#ifndef EK_BASE_TIMERS_H
#define EK_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ek_timer {
	void (*fn)(void *arg);
	void *arg;
	int64_t due_ms;
	uint64_t order;
	size_t slot;          /* 0: not armed; otherwise 1 + its place in the heap */
	struct ek_timer *next_due, **prev_due; /* linked while collected */
};

struct ek_timers {
	struct ek_timer **heap;
	size_t n, room;
	uint64_t next_order;
};

void ek_timer_init(struct ek_timer *timer, void (*fn)(void *arg), void *arg);
bool ek_timer_is_armed(const struct ek_timer *timer);

void ek_timers_init(struct ek_timers *timers);
void ek_timers_clear(struct ek_timers *timers);
void ek_timers_arm(struct ek_timers *timers, struct ek_timer *timer, int64_t due_ms); /* re-arms if armed */
void ek_timers_disarm(struct ek_timers *timers, struct ek_timer *timer);              /* no-op if not armed */
int64_t ek_timers_next_due(const struct ek_timers *timers);                           /* INT64_MAX: none */
unsigned ek_timers_run(struct ek_timers *timers, int64_t now_ms);                     /* how many fired */

#endif
