/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop in virtual time: time jumps to the next event, and equal seeds give equal runs.
 * It simulates no CPU time, and a callback that never returns hangs here as anywhere.
 * Next: sim_http.c.
 */
#include "kit/sim_inside.h"

#include "base/alloc.h"
#include "base/log.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define START_US      (1000ll * 1000000)       /* a machine that has been up for a while */
#define START_WALL_MS 1700000000000ll
#define MAX_SPINS     1000000                  /* turns without time passing: something defers itself for ever */

struct ek_fd {
	struct ek_loop *loop;
	struct ek_fd *next;
	int fd;
	uint32_t events;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
	bool is_gone;
};

struct ek_loop *sim_loops;

static uint64_t next_random(uint64_t *stream)
{
	uint64_t x = *stream += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static int64_t newest_wall_ms(void)
{
	return sim_loops ? ek_loop_wall_ms(sim_loops) : START_WALL_MS;
}

struct ek_loop *sim_loop_new(uint64_t seed)
{
	struct ek_loop *loop = ek_xcalloc(1, sizeof(*loop));

	loop->now_us = START_US;
	loop->random = seed;
	loop->scheduler = seed ^ 0x5851f42d4c957f2dull;
	loop->next_port = 40000;
	loop->does_split = true;
	pthread_mutex_init(&loop->posted_lock, NULL);
	loop->origins = ek_xcalloc(1, sizeof(*loop->origins) + 1);
	loop->next_loop = sim_loops;
	sim_loops = loop;
	ek_log_set_clock(newest_wall_ms);
	return loop;
}

struct ek_loop *ek_loop_new(void)
{
	return sim_loop_new(1);
}

static void check_for_leaks(const struct ek_loop *loop)
{
	if (loop->clients || sim_open_calls((struct ek_loop *)loop))
		EK_BUG("HTTP clients or calls are left");
	if (loop->n_engines)
		EK_BUG("an HTTP engine is left");
	if (loop->n_streams || loop->servers)
		EK_BUG("servers or streams are left");
	if (loop->n_file_watches)
		EK_BUG("%zu watched files are left", loop->n_file_watches);
	for (const struct ek_fd *watch = loop->fds; watch; watch = watch->next)
		if (!watch->is_gone)
			EK_BUG("descriptor %d is still watched", watch->fd);
}

static void drop_gone_fds(struct ek_loop *loop)
{
	struct ek_fd **at = &loop->fds;

	while (*at) {
		struct ek_fd *watch = *at;

		if (watch->is_gone) {
			*at = watch->next;
			free(watch);
		} else {
			at = &watch->next;
		}
	}
}

static void free_origins(struct ek_loop *loop)
{
	while (loop->origins) {
		struct sim_origin *next = loop->origins->next;

		free(loop->origins);
		loop->origins = next;
	}
}

void ek_loop_free(struct ek_loop *loop)
{
	struct ek_loop **at = &sim_loops;

	if (!loop)
		return;
	check_for_leaks(loop);
	drop_gone_fds(loop);
	while (*at != loop)
		at = &(*at)->next_loop;
	*at = loop->next_loop;
	while (loop->ghosts) {
		struct sim_message *next = loop->ghosts->next;

		sim_message_free(loop->ghosts);
		loop->ghosts = next;
	}
	free_origins(loop);
	ek_timers_clear(&loop->timers);
	ek_timers_clear(&loop->io);
	free(loop->deferred.at);
	free(loop->running.at);
	free(loop->posted.at);
	pthread_mutex_destroy(&loop->posted_lock);
	free(loop);
	if (!sim_loops)
		ek_log_set_clock(NULL);
}

/* ---- Time ---- */

int64_t ek_loop_now_ms(struct ek_loop *loop)
{
	return loop->now_us / 1000;
}

int64_t ek_loop_now_us(struct ek_loop *loop)
{
	return loop->now_us;
}

int64_t ek_loop_wall_ms(struct ek_loop *loop)
{
	return START_WALL_MS + loop->wall_offset_ms + (loop->now_us - START_US) / 1000;
}

void sim_jump_wall(struct ek_loop *loop, int64_t ms)
{
	loop->wall_offset_ms += ms;
}

uint64_t ek_loop_random(struct ek_loop *loop)
{
	return next_random(&loop->random);
}

uint64_t sim_random(struct ek_loop *loop)
{
	return next_random(&loop->scheduler);
}

uint64_t sim_below(struct ek_loop *loop, uint64_t bound)
{
	return sim_random(loop) % bound;
}

void ek_loop_arm(struct ek_loop *loop, struct ek_timer *timer, int64_t delay_ms)
{
	int64_t now_ms = delay_ms > 0 ? (loop->now_us + 999) / 1000 : loop->now_us / 1000;

	ek_timers_arm(&loop->timers, timer, delay_ms > 0 ? now_ms + delay_ms : now_ms);
}

void ek_loop_disarm(struct ek_loop *loop, struct ek_timer *timer)
{
	ek_timers_disarm(&loop->timers, timer);
}

void sim_io_arm(struct ek_loop *loop, struct ek_timer *timer, int64_t us)
{
	ek_timers_arm(&loop->io, timer, loop->now_us + us);
}

void sim_io_disarm(struct ek_loop *loop, struct ek_timer *timer)
{
	ek_timers_disarm(&loop->io, timer);
}

size_t sim_armed_timers(struct ek_loop *loop)
{
	return loop->timers.n;
}

/* ---- Tasks ---- */

static void add_task(struct sim_tasks *tasks, void (*fn)(void *arg), void *arg)
{
	if (tasks->n == tasks->room) {
		tasks->room = tasks->room ? tasks->room * 2 : 16;
		tasks->at = ek_xrealloc(tasks->at, tasks->room, sizeof(*tasks->at));
	}
	tasks->at[tasks->n++] = (struct sim_task){ fn, arg };
}

void ek_loop_defer(struct ek_loop *loop, void (*fn)(void *arg), void *arg)
{
	add_task(&loop->deferred, fn, arg);
}

void ek_loop_post(struct ek_loop *loop, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&loop->posted_lock);
	add_task(&loop->posted, fn, arg);
	pthread_mutex_unlock(&loop->posted_lock);
}

static void take_posted(struct ek_loop *loop)
{
	pthread_mutex_lock(&loop->posted_lock);
	for (size_t i = 0; i < loop->posted.n; i++)
		add_task(&loop->deferred, loop->posted.at[i].fn, loop->posted.at[i].arg);
	loop->posted.n = 0;
	pthread_mutex_unlock(&loop->posted_lock);
}

static void run_deferred(struct ek_loop *loop)
{
	struct sim_tasks tasks = loop->deferred;

	loop->deferred = loop->running;
	loop->running = tasks;
	for (size_t i = 0; i < loop->running.n; i++)
		loop->running.at[i].fn(loop->running.at[i].arg);
	loop->running.n = 0;
}

/* ---- Descriptors and signals ---- */

struct ek_fd *ek_loop_watch_fd(struct ek_loop *loop, int fd, uint32_t events,
	void (*fn)(void *arg, uint32_t events), void *arg, struct ek_error *err)
{
	struct ek_fd *watch = ek_xcalloc(1, sizeof(*watch));

	*watch = (struct ek_fd){ .loop = loop, .next = loop->fds, .fd = fd, .events = events,
		.fn = fn, .arg = arg };
	loop->fds = watch;
	return watch;
}

void ek_loop_update_fd(struct ek_fd *watch, uint32_t events)
{
	watch->events = events;
}

void ek_loop_unwatch_fd(struct ek_fd *watch)
{
	if (watch)
		watch->is_gone = true;
}

static uint32_t ready_events(const struct ek_fd *watch)
{
	struct pollfd poll_fd = { .fd = watch->fd };

	if (watch->is_gone || !watch->events)
		return 0;
	poll_fd.events = (short)((watch->events & EK_FD_READABLE ? POLLIN : 0) |
		(watch->events & EK_FD_WRITABLE ? POLLOUT : 0));
	if (poll(&poll_fd, 1, 0) < 1)
		return 0;
	return watch->events & ((poll_fd.revents & (POLLIN | POLLHUP | POLLERR) ? EK_FD_READABLE : 0) |
		(poll_fd.revents & (POLLOUT | POLLERR) ? EK_FD_WRITABLE : 0));
}

static bool run_fds(struct ek_loop *loop)
{
	bool did_run = false;

	for (struct ek_fd *watch = loop->fds; watch; watch = watch->next) {
		uint32_t events = ready_events(watch);

		if (events) {
			did_run = true;
			watch->fn(watch->arg, events);
		}
	}
	drop_gone_fds(loop);
	return did_run;
}

void ek_loop_on_signal(struct ek_loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	if (loop->n_signals == sizeof(loop->signals) / sizeof(loop->signals[0]))
		EK_BUG("too many signals");
	loop->signals[loop->n_signals++] = (struct sim_signal){ signo, fn, arg };
}

static void run_signal(void *arg)
{
	struct sim_signal *signal = arg;

	signal->fn(signal->arg, signal->signo);
}

void sim_raise(struct ek_loop *loop, int signo)
{
	for (unsigned i = 0; i < loop->n_signals; i++)
		if (loop->signals[i].signo == signo)
			ek_loop_defer(loop, run_signal, &loop->signals[i]);
}

/* ---- Turns ---- */

/* When something will happen next, in us; INT64_MAX: never. */
static int64_t next_due_us(const struct ek_loop *loop)
{
	int64_t io_us = ek_timers_next_due(&loop->io);
	int64_t timer_ms = ek_timers_next_due(&loop->timers);
	int64_t timer_us = timer_ms > INT64_MAX / 1000 ? INT64_MAX : timer_ms * 1000;

	return io_us < timer_us ? io_us : timer_us;
}

/* One turn, if there is anything to do until then. */
static bool run_turn(struct ek_loop *loop, int64_t until_us)
{
	bool did_run;

	take_posted(loop);
	did_run = run_fds(loop);
	if (!did_run && !loop->deferred.n) {
		int64_t due_us = next_due_us(loop);

		if (due_us > until_us)
			return false;
		if (due_us > loop->now_us)
			loop->now_us = due_us;
	}
	ek_timers_run(&loop->io, loop->now_us);
	ek_timers_run(&loop->timers, loop->now_us / 1000);
	run_deferred(loop);
	return true;
}

static bool never(void *arg)
{
	return false;
}

static bool run_until_us(struct ek_loop *loop, bool (*condition)(void *arg), void *arg, int64_t until_us)
{
	int64_t last_us = loop->now_us;
	unsigned n_spins = 0;

	while (!condition(arg)) {
		if (!run_turn(loop, until_us)) {
			if (until_us != INT64_MAX && until_us > loop->now_us)
				loop->now_us = until_us;
			return false;
		}
		n_spins = loop->now_us == last_us ? n_spins + 1 : 0;
		last_us = loop->now_us;
		if (n_spins > MAX_SPINS)
			EK_BUG("the loop spins: %d turns without time passing", MAX_SPINS);
	}
	return true;
}

bool sim_run_until(struct ek_loop *loop, bool (*condition)(void *arg), void *arg, int64_t within_ms)
{
	return run_until_us(loop, condition, arg, loop->now_us + within_ms * 1000);
}

void sim_advance(struct ek_loop *loop, int64_t ms)
{
	run_until_us(loop, never, NULL, loop->now_us + ms * 1000);
}

static bool is_stopping(void *arg)
{
	return ((struct ek_loop *)arg)->is_stopping;
}

void ek_loop_run(struct ek_loop *loop)
{
	loop->is_stopping = false;
	run_until_us(loop, is_stopping, loop, INT64_MAX);
}

void ek_loop_stop(struct ek_loop *loop)
{
	loop->is_stopping = true;
}

void ek_loop_enter(struct ek_loop *loop, const char *who)
{
	if (loop->who)
		EK_BUG("\"%s\" enters while \"%s\" has not left", who, loop->who);
	loop->who = who;
}

int64_t ek_loop_leave(struct ek_loop *loop)
{
	loop->who = NULL;
	return 0;
}

/* No time passes in a turn. */
const struct ek_histogram *ek_loop_turns(const struct ek_loop *loop)
{
	static const struct ek_histogram none;

	return &none;
}

void ek_loop_tell_crashes(struct ek_loop *loop)
{
}

void ek_loop_set_watchdog(struct ek_loop *loop, int64_t log_after_ms, int64_t abort_after_ms)
{
}

/* ---- Origins ---- */

static struct sim_origin *find_origin(struct ek_loop *loop, const char *name)
{
	for (struct sim_origin *origin = loop->origins; origin; origin = origin->next)
		if (!strcmp(origin->name, name))
			return origin;
	return NULL;
}

struct sim_origin *sim_origin_of(struct ek_loop *loop, const char *name)
{
	struct sim_origin *origin = find_origin(loop, name);

	return origin ? origin : loop->origins;
}

int64_t sim_travel_us(struct ek_loop *loop, const char *origin)
{
	return sim_origin_of(loop, origin)->latency_us + (int64_t)sim_below(loop, 1000);
}

static struct sim_origin *own_origin(struct ek_loop *loop, const char *name)
{
	struct sim_origin *origin = find_origin(loop, name ? name : "");
	size_t n = name ? strlen(name) : 0;

	if (!origin) {
		origin = ek_xcalloc(1, sizeof(*origin) + n + 1);
		origin->latency_us = loop->origins->latency_us;
		memcpy(origin->name, name, n);
		origin->next = loop->origins->next;
		loop->origins->next = origin;
	}
	return origin;
}

void sim_fault(struct ek_loop *loop, const char *origin, enum sim_fault fault)
{
	own_origin(loop, origin)->fault = fault;
	sim_http_faults_changed(loop, fault);
}

void sim_latency(struct ek_loop *loop, const char *origin, int64_t one_way_ms)
{
	own_origin(loop, origin)->latency_us = one_way_ms * 1000;
}

void sim_split(struct ek_loop *loop, bool is_on)
{
	loop->does_split = is_on;
}

void sim_on_request(struct ek_loop *loop,
	void (*fn)(void *arg, const char *method, const char *url, int status), void *arg)
{
	loop->on_request = fn;
	loop->on_request_arg = arg;
}
