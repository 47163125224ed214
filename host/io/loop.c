/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread's loop: libuv for descriptors and signals, base/timers for time, a queue for what is
 * deferred or posted. It knows nothing of HTTP or files, and no uv type leaves it.
 * Next: watchdog.c, the thread that notices when this one is stuck.
 */
#include "io/loop.h"

#include <eurekube/host.h>

#include "base/alloc.h"
#include "io/crash.h"
#include "io/watchdog.h"

#include <uv.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

/* epoll sleeps by a clock that stands still while the machine is suspended, our timers do not: no sleep is longer than this. */
#define MAX_SLEEP_MS 2000

struct task {
	void (*fn)(void *arg);
	void *arg;
};

struct tasks {
	struct task *at;
	size_t n, room;
};

struct ek_fd {
	uv_poll_t poll;
	struct ek_loop *loop;
	struct ek_fd *next, **prev;   /* in the loop's list */
	int fd;
	bool is_stale;                /* the descriptor was closed before its watch ended: nothing comes any more */
	bool is_unwatched, is_closed; /* by its owner; by uv: freed when it is both */
	dev_t device;
	ino_t inode;                  /* what it was when the watch began */
	uint32_t events;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};

struct signal_watch {
	uv_signal_t signal;
	struct signal_watch *next;
	void (*fn)(void *arg, int signo);
	void *arg;
};

struct ek_loop {
	uv_loop_t uv;
	uv_timer_t sleep;             /* bounds how long uv may wait */
	uv_async_t wake;
	struct ek_timers timers;
	struct tasks deferred, running;
	struct tasks posted;          /* under the lock */
	pthread_mutex_t lock;
	struct signal_watch *signals;
	struct ek_fd *fds;
	unsigned n_fds;
	bool is_stopping;
	uint64_t random;
	int64_t entered_us;
	int64_t woke_us;              /* 0: it sleeps */
	struct ek_histogram turns;
	struct ek_watchdog watchdog;
};

/* ---- Time ---- */

static int64_t read_clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t ek_loop_now_us(struct ek_loop *loop)
{
	return read_clock_us(CLOCK_BOOTTIME);
}

int64_t ek_loop_now_ms(struct ek_loop *loop)
{
	return read_clock_us(CLOCK_BOOTTIME) / 1000;
}

int64_t ek_loop_wall_ms(struct ek_loop *loop)
{
	return read_clock_us(CLOCK_REALTIME) / 1000;
}

uint64_t ek_loop_random(struct ek_loop *loop)
{
	uint64_t x = loop->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static void wake_up(struct ek_loop *loop)
{
	ek_watchdog_wake(&loop->watchdog);
	if (!loop->woke_us)
		loop->woke_us = read_clock_us(CLOCK_MONOTONIC);
}

static void fall_asleep(struct ek_loop *loop)
{
	ek_watchdog_sleep(&loop->watchdog);
	if (loop->woke_us)
		ek_histogram_add(&loop->turns, (double)(read_clock_us(CLOCK_MONOTONIC) - loop->woke_us) / 1e6);
	loop->woke_us = 0;
}

/* Never early: the clock is rounded up, except for "as soon as possible". */
void ek_loop_arm(struct ek_loop *loop, struct ek_timer *timer, int64_t delay_ms)
{
	int64_t now_us = ek_loop_now_us(loop);

	if (delay_ms > 0)
		ek_timers_arm(&loop->timers, timer, (now_us + 999) / 1000 + delay_ms);
	else
		ek_timers_arm(&loop->timers, timer, now_us / 1000);
}

void ek_loop_disarm(struct ek_loop *loop, struct ek_timer *timer)
{
	ek_timers_disarm(&loop->timers, timer);
}

/* ---- Tasks ---- */

static void add_task(struct tasks *tasks, void (*fn)(void *arg), void *arg)
{
	if (tasks->n == tasks->room) {
		tasks->room = tasks->room ? tasks->room * 2 : 16;
		tasks->at = ek_xrealloc(tasks->at, tasks->room, sizeof(*tasks->at));
	}
	tasks->at[tasks->n++] = (struct task){ fn, arg };
}

void ek_loop_defer(struct ek_loop *loop, void (*fn)(void *arg), void *arg)
{
	add_task(&loop->deferred, fn, arg);
}

void ek_loop_post(struct ek_loop *loop, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&loop->lock);
	add_task(&loop->posted, fn, arg);
	pthread_mutex_unlock(&loop->lock);
	uv_async_send(&loop->wake);
}

static void on_wake(uv_async_t *wake)
{
	struct ek_loop *loop = wake->data;

	wake_up(loop);
	pthread_mutex_lock(&loop->lock);
	for (size_t i = 0; i < loop->posted.n; i++)
		add_task(&loop->deferred, loop->posted.at[i].fn, loop->posted.at[i].arg);
	loop->posted.n = 0;
	pthread_mutex_unlock(&loop->lock);
}

static void run_deferred(struct ek_loop *loop)
{
	struct tasks tasks = loop->deferred;

	loop->deferred = loop->running;
	loop->running = tasks;
	for (size_t i = 0; i < loop->running.n; i++)
		loop->running.at[i].fn(loop->running.at[i].arg);
	loop->running.n = 0;
}

/* ---- Life ---- */

struct ek_loop *ek_loop_new(void)
{
	struct ek_loop *loop = ek_xcalloc(1, sizeof(*loop));

	/* A peer that hangs up is told by the write, not by the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	if (uv_loop_init(&loop->uv))
		EK_BUG("cannot make an event loop");
	loop->uv.data = loop;
	uv_timer_init(&loop->uv, &loop->sleep);
	if (uv_async_init(&loop->uv, &loop->wake, on_wake))
		EK_BUG("cannot make an event loop's wake-up descriptor");
	loop->wake.data = loop;
	pthread_mutex_init(&loop->lock, NULL);
	ek_timers_init(&loop->timers);
	if (getrandom(&loop->random, sizeof(loop->random), GRND_NONBLOCK) != sizeof(loop->random))
		loop->random = (uint64_t)read_clock_us(CLOCK_REALTIME);
	ek_watchdog_init(&loop->watchdog);
	return loop;
}

static void free_signals(struct ek_loop *loop)
{
	while (loop->signals) {
		struct signal_watch *next = loop->signals->next;

		free(loop->signals);
		loop->signals = next;
	}
}

void ek_loop_free(struct ek_loop *loop)
{
	if (!loop)
		return;
	if (loop->n_fds)
		EK_BUG("%u descriptors are still watched", loop->n_fds);
	ek_crash_forget(loop->watchdog.who);
	for (struct signal_watch *watch = loop->signals; watch; watch = watch->next)
		uv_close((uv_handle_t *)&watch->signal, NULL);
	uv_close((uv_handle_t *)&loop->sleep, NULL);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop->uv))
		EK_BUG("the event loop is freed while something is open");
	free_signals(loop);
	ek_timers_clear(&loop->timers);
	free(loop->deferred.at);
	free(loop->running.at);
	free(loop->posted.at);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void on_sleep_over(uv_timer_t *timer)
{
}

/* How long nothing will be due, in ms. */
static int64_t idle_ms(struct ek_loop *loop)
{
	int64_t due_ms = ek_timers_next_due(&loop->timers), now_us;

	if (loop->deferred.n)
		return 0;
	if (due_ms == INT64_MAX)
		return MAX_SLEEP_MS;
	now_us = ek_loop_now_us(loop);
	if (due_ms <= now_us / 1000)
		return 0;
	due_ms -= now_us / 1000;
	return due_ms < MAX_SLEEP_MS ? due_ms : MAX_SLEEP_MS;
}

static void wait_for_io(struct ek_loop *loop)
{
	int64_t ms = idle_ms(loop);

	if (!ms) {
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		return;
	}
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->sleep, on_sleep_over, (uint64_t)ms, 0);
	uv_run(&loop->uv, UV_RUN_ONCE);
	uv_timer_stop(&loop->sleep);
}

void ek_loop_run(struct ek_loop *loop)
{
	loop->is_stopping = false;
	ek_watchdog_start(&loop->watchdog);
	while (!loop->is_stopping) {
		fall_asleep(loop);
		wait_for_io(loop);
		wake_up(loop);
		ek_timers_run(&loop->timers, ek_loop_now_ms(loop));
		run_deferred(loop);
	}
	fall_asleep(loop);
	ek_watchdog_stop(&loop->watchdog);
}

void ek_loop_stop(struct ek_loop *loop)
{
	loop->is_stopping = true;
}

/* ---- Descriptors ---- */

static int to_uv(uint32_t events)
{
	return (events & EK_FD_READABLE ? UV_READABLE : 0) | (events & EK_FD_WRITABLE ? UV_WRITABLE : 0);
}

static void on_ready(uv_poll_t *poll, int status, int uv_events)
{
	struct ek_fd *watch = (struct ek_fd *)poll;
	uint32_t wanted = watch->events, events;

	wake_up(watch->loop);
	events = (uv_events & UV_READABLE ? EK_FD_READABLE : 0) |
		(uv_events & UV_WRITABLE ? EK_FD_WRITABLE : 0);
	if (status < 0) {
		/* A socket error: whoever reads or writes gets it. uv has stopped polling; we are level-triggered. */
		events = wanted;
		uv_poll_start(poll, to_uv(wanted), on_ready);
	}
	if (events & wanted)
		watch->fn(watch->arg, events & wanted);
}

static void note_identity(struct ek_fd *watch, int fd)
{
	struct stat is = { 0 };

	fstat(fd, &is);
	watch->fd = fd;
	watch->device = is.st_dev;
	watch->inode = is.st_ino;
}

static void on_closed(uv_handle_t *handle)
{
	struct ek_fd *watch = (struct ek_fd *)handle;

	watch->is_closed = true;
	if (watch->is_unwatched)
		free(watch);
}

/*
 * Whoever closes a descriptor before its watch ends leaves the number to what is opened next, which may be anybody's. That watch is over at once, or its late end
 * would end the other's.
 */
static void end_stale(struct ek_loop *loop, const struct ek_fd *fresh)
{
	for (struct ek_fd *watch = loop->fds; watch; watch = watch->next) {
		if (watch->fd != fresh->fd || watch->is_stale || (watch->device == fresh->device && watch->inode == fresh->inode))
			continue;
		watch->is_stale = true;
		uv_close((uv_handle_t *)&watch->poll, on_closed);
	}
}

static void link_watch(struct ek_loop *loop, struct ek_fd *watch)
{
	watch->prev = &loop->fds;
	watch->next = loop->fds;
	if (watch->next)
		watch->next->prev = &watch->next;
	loop->fds = watch;
	loop->n_fds++;
}

struct ek_fd *ek_loop_watch_fd(struct ek_loop *loop, int fd, uint32_t events,
	void (*fn)(void *arg, uint32_t events), void *arg, struct ek_error *err)
{
	struct ek_fd *watch = ek_xcalloc(1, sizeof(*watch));
	int status;

	watch->loop = loop;
	watch->events = events;
	watch->fn = fn;
	watch->arg = arg;
	note_identity(watch, fd);
	end_stale(loop, watch);
	status = uv_poll_init(&loop->uv, &watch->poll, fd);
	if (status) {
		ek_fail(err, EK_INVALID, "cannot watch descriptor %d: %s", fd, uv_strerror(status));
		free(watch);
		return NULL;
	}
	if (events)
		uv_poll_start(&watch->poll, to_uv(events), on_ready);
	link_watch(loop, watch);
	return watch;
}

void ek_loop_update_fd(struct ek_fd *watch, uint32_t events)
{
	if (watch->events == events || watch->is_stale)
		return;
	watch->events = events;
	if (events)
		uv_poll_start(&watch->poll, to_uv(events), on_ready);
	else
		uv_poll_stop(&watch->poll);
}

void ek_loop_unwatch_fd(struct ek_fd *watch)
{
	if (!watch)
		return;
	watch->events = 0;
	*watch->prev = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	watch->loop->n_fds--;
	watch->is_unwatched = true;
	if (watch->is_closed)
		free(watch);
	else if (!watch->is_stale)
		uv_close((uv_handle_t *)&watch->poll, on_closed);
}

/* ---- Signals ---- */

static void on_signal(uv_signal_t *handle, int signo)
{
	struct signal_watch *watch = (struct signal_watch *)handle;

	wake_up(handle->loop->data);
	watch->fn(watch->arg, signo);
}

void ek_loop_on_signal(struct ek_loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	struct signal_watch *watch = ek_xcalloc(1, sizeof(*watch));

	watch->fn = fn;
	watch->arg = arg;
	uv_signal_init(&loop->uv, &watch->signal);
	if (uv_signal_start(&watch->signal, on_signal, signo))
		EK_BUG("cannot handle signal %d", signo);
	watch->next = loop->signals;
	loop->signals = watch;
}

/* ---- Who runs ---- */

void ek_loop_enter(struct ek_loop *loop, const char *who)
{
	ek_watchdog_name(&loop->watchdog, who);
	loop->entered_us = read_clock_us(CLOCK_MONOTONIC);
}

int64_t ek_loop_leave(struct ek_loop *loop)
{
	ek_watchdog_name(&loop->watchdog, EK_CRASH_HOST);
	return read_clock_us(CLOCK_MONOTONIC) - loop->entered_us;
}

const struct ek_histogram *ek_loop_turns(const struct ek_loop *loop)
{
	return &loop->turns;
}

void ek_loop_tell_crashes(struct ek_loop *loop)
{
	ek_crash_install(loop->watchdog.who);
}

void ek_loop_set_watchdog(struct ek_loop *loop, int64_t log_after_ms, int64_t abort_after_ms)
{
	loop->watchdog.log_after_ms = log_after_ms;
	loop->watchdog.abort_after_ms = abort_after_ms;
}
