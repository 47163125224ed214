/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that watches the loop's thread: while the loop is awake and does not come round for 5 s it writes a line that names who
 * runs, at 8 s it aborts the process. It counts only the time it has itself seen pass, so neither a suspended machine nor a
 * stopped process is taken for a blocked loop. Part of io/loop.
 */
#ifndef EK_IO_WATCHDOG_H
#define EK_IO_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ek_watchdog {
	_Atomic uint64_t turn;       /* odd: the loop is awake */
	char who[128];               /* read only while the loop is stuck */
	int64_t log_after_ms, abort_after_ms;   /* 0: never */
	bool is_running, is_ending;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t end;
};

void ek_watchdog_init(struct ek_watchdog *dog);
void ek_watchdog_start(struct ek_watchdog *dog);
void ek_watchdog_stop(struct ek_watchdog *dog);

/* From the loop's thread. */
void ek_watchdog_name(struct ek_watchdog *dog, const char *who);

static inline void ek_watchdog_sleep(struct ek_watchdog *dog)
{
	uint64_t turn = atomic_load_explicit(&dog->turn, memory_order_relaxed);

	atomic_store_explicit(&dog->turn, turn + (turn & 1), memory_order_release);
}

static inline void ek_watchdog_wake(struct ek_watchdog *dog)
{
	uint64_t turn = atomic_load_explicit(&dog->turn, memory_order_relaxed);

	if (!(turn & 1))
		atomic_store_explicit(&dog->turn, turn + 1, memory_order_release);
}

#endif
