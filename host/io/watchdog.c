/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread beside the loop: says who blocks it, and ends the process when that goes on, since a
 * blocked loop lets every lease of every registry expire. It mends nothing and takes no locks of others.
 * Next: loop.c, which tells it when it sleeps and wakes.
 */
#include "io/watchdog.h"

#include "io/crash.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_AFTER_MS   5000
#define ABORT_AFTER_MS 8000
#define TICK_MS        500
#define STACK_BYTES    (128 * 1024)

void ek_watchdog_init(struct ek_watchdog *dog)
{
	dog->log_after_ms = LOG_AFTER_MS;
	dog->abort_after_ms = ABORT_AFTER_MS;
	ek_watchdog_name(dog, EK_CRASH_HOST);
}

void ek_watchdog_name(struct ek_watchdog *dog, const char *who)
{
	size_t n = strnlen(who, sizeof(dog->who) - 1);

	memcpy(dog->who, who, n);
	dog->who[n] = '\0';
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* By write(2): the logger belongs to the thread that is stuck. */
static void tell(const struct ek_watchdog *dog, const char *what, int64_t blocked_ms)
{
	char line[400];
	int n = snprintf(line, sizeof(line),
		"{\"level\":\"error\",\"message\":\"%s\",\"who\":\"%s\",\"blocked_ms\":%lld}\n", what,
		dog->who, (long long)blocked_ms);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

static int64_t tick_ms(const struct ek_watchdog *dog)
{
	int64_t shortest = dog->log_after_ms && dog->log_after_ms < dog->abort_after_ms ?
		dog->log_after_ms : dog->abort_after_ms;

	return shortest > 0 && shortest / 4 < TICK_MS ? shortest / 4 + 1 : TICK_MS;
}

/* One look at the loop; returns for how long it has been seen stuck. */
static int64_t look(struct ek_watchdog *dog, uint64_t *last_turn, int64_t blocked_ms, int64_t passed_ms)
{
	uint64_t turn = atomic_load_explicit(&dog->turn, memory_order_acquire);
	int64_t before_ms = blocked_ms;

	if (!(turn & 1) || turn != *last_turn) {
		*last_turn = turn;
		return 0;
	}
	blocked_ms += passed_ms;
	if (dog->abort_after_ms && blocked_ms >= dog->abort_after_ms) {
		tell(dog, "the loop is blocked for too long, the process ends", blocked_ms);
		abort();
	}
	if (dog->log_after_ms && before_ms < dog->log_after_ms && blocked_ms >= dog->log_after_ms)
		tell(dog, "the loop is blocked", blocked_ms);
	return blocked_ms;
}

static void wait_tick(struct ek_watchdog *dog, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&dog->end, &dog->lock, &until);
}

static void *watch(void *arg)
{
	struct ek_watchdog *dog = arg;
	int64_t tick = tick_ms(dog), last_ms = now_ms(), blocked_ms = 0;
	uint64_t last_turn = 0;

	pthread_mutex_lock(&dog->lock);
	while (!dog->is_ending) {
		int64_t passed_ms;

		wait_tick(dog, tick);
		passed_ms = now_ms() - last_ms;
		last_ms += passed_ms;
		if (passed_ms > 2 * tick)
			passed_ms = 2 * tick;    /* this thread stood still as well */
		blocked_ms = look(dog, &last_turn, blocked_ms, passed_ms);
	}
	pthread_mutex_unlock(&dog->lock);
	return NULL;
}

/* Signals belong to the loop's thread. */
void ek_watchdog_start(struct ek_watchdog *dog)
{
	pthread_condattr_t clock;
	pthread_attr_t attributes;
	sigset_t all, old;

	dog->is_ending = false;
	pthread_mutex_init(&dog->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&dog->end, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	dog->is_running = !pthread_create(&dog->thread, &attributes, watch, dog);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
}

void ek_watchdog_stop(struct ek_watchdog *dog)
{
	if (dog->is_running) {
		pthread_mutex_lock(&dog->lock);
		dog->is_ending = true;
		pthread_cond_signal(&dog->end);
		pthread_mutex_unlock(&dog->lock);
		pthread_join(dog->thread, NULL);
	}
	dog->is_running = false;
	pthread_cond_destroy(&dog->end);
	pthread_mutex_destroy(&dog->lock);
}
