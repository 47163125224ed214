/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one plugin instance's services, the guard around every call into it, and its timers, descriptors and posts.
 * It does not interpret what the plugin does; completions and news go to the owner (services_news.c).
 * Read next: services_inside.h, then services_http.c, services_auth.c, services_news.c and services_tell.c.
 */
#include "plugin/services.h"

#include "base/alloc.h"
#include "plugin/services_inside.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_US      50000
#define DELAY_MAX_MS (365ll * 24 * 3600000) /* further away is never */
#define EVENTS_KNOWN ((uint32_t)(EK_FD_READABLE | EK_FD_WRITABLE))

/* ---- Around calls ---- */

void ek_services_begin(struct ek_services *services, enum ek_call_kind kind)
{
	if (services->call.kind != EK_CALL_NONE)
		EK_BUG("%s is called from within itself", services->who);
	services->call = (struct ek_call){ .kind = kind };
	services->n_call_news = 0;
	ek_loop_enter(services->loop, services->who);
}

void ek_services_enter(struct ek_services *services)
{
	ek_services_begin(services, EK_CALL_STARTING);
}

void ek_services_enter_ending(struct ek_services *services)
{
	ek_services_begin(services, EK_CALL_ENDING);
}

void ek_services_enter_closing(struct ek_services *services)
{
	services->may_close = true;
	ek_services_begin(services, EK_CALL_ENDING);
}

static void count_call(struct ek_services *services, int64_t spent_us)
{
	struct ek_services_stats *stats = &services->stats;

	stats->calls++;
	if (spent_us > stats->longest_us)
		stats->longest_us = spent_us;
	if (spent_us <= SLOW_US)
		return;
	stats->slow_calls++;
	EK_WARN(&services->log, "a plugin's call took long", EK_I("ms", spent_us / 1000));
}

/* What other threads have done cannot be logged by them. */
static void tell_of_threads(struct ek_services *services)
{
	if (__atomic_exchange_n(&services->n_strangers, 0, __ATOMIC_RELAXED))
		ek_services_blame(services, EK_MISBEHAVIOUR_THREAD, "calls the host from another thread; only post may be called so");
	if (__atomic_exchange_n(&services->n_lost_posts, 0, __ATOMIC_RELAXED))
		ek_services_blame(services, EK_MISBEHAVIOUR_TOO_MANY, "has more than %d posts waiting", EK_POSTS_MAX);
	if (__atomic_exchange_n(&services->n_late_posts, 0, __ATOMIC_RELAXED))
		ek_services_blame(services, EK_MISBEHAVIOUR_CLOSED, "calls post after closed");
}

/* One that a thread is just posting to is left alone: rather a leak than a crash. */
static void dispose(struct ek_services *services)
{
	if (__atomic_load_n(&services->n_posted, __ATOMIC_ACQUIRE))
		return;
	ek_arena_clear(&services->arena);
	free(services->handles.slots);
	free(services);
}

/* Whoever goes on using the host of a dead one shall find it dead, not gone. */
static void bury(struct ek_services *services)
{
	static struct ek_services *buried[EK_BURIED_MAX];
	static unsigned next;

	for (unsigned i = 0; i < EK_BURIED_MAX; i++)
		if (buried[i])
			tell_of_threads(buried[i]);
	if (buried[next])
		dispose(buried[next]);
	buried[next] = services;
	next = (next + 1) % EK_BURIED_MAX;
	services->is_buried = true;
}

static void release(struct ek_services *services)
{
	if (services->is_dead && !services->is_buried && services->call.kind == EK_CALL_NONE && !services->n_paused &&
		!__atomic_load_n(&services->n_posted, __ATOMIC_ACQUIRE))
		bury(services);
}

void ek_services_leave(struct ek_services *services)
{
	int64_t spent_us = services->call.spent_us + ek_loop_leave(services->loop);

	services->call.kind = EK_CALL_NONE;
	count_call(services, spent_us);
	tell_of_threads(services);
	release(services);
}

struct ek_call ek_services_pause(struct ek_services *services)
{
	struct ek_call call = services->call;

	if (call.kind != EK_CALL_NONE)
		call.spent_us += ek_loop_leave(services->loop);
	services->call.kind = EK_CALL_NONE;
	services->n_paused++;
	return call;
}

void ek_services_resume(struct ek_services *services, struct ek_call call)
{
	services->n_paused--;
	services->call = call;
	if (call.kind != EK_CALL_NONE)
		ek_loop_enter(services->loop, services->who);
	else
		release(services);
}

/* ---- Clock and options ---- */

static int64_t now_ms(const struct ek_host *host)
{
	return ek_loop_now_ms(ek_services_of(host)->loop);
}

static int64_t wall_ms(const struct ek_host *host)
{
	return ek_loop_wall_ms(ek_services_of(host)->loop);
}

static const struct ek_option_value *find_option(const struct ek_host *host, const char *name)
{
	struct ek_services *services = ek_services_of(host);
	const struct ek_services_config *config = &services->config;

	if (!ek_services_is_welcome(services, "option"))
		return NULL;
	for (uint32_t i = 0; name && i < config->n_options; i++)
		if (!strcmp(config->options[i]->name, name))
			return config->options[i];
	ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "asks for the option %.60s, which it does not declare", name ? name : "NULL");
	return NULL;
}

/* ---- What holds resources ---- */

/* Whether a slot that hands out a handle may do so now. A closed instance gets none: nobody would listen. */
static bool is_allowed(struct ek_services *services, const char *slot, bool has_function, uint64_t n, uint64_t maximum)
{
	if (!ek_services_is_welcome(services, slot))
		return false;
	if (!has_function)
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "calls %s without a function", slot);
	else if (n >= maximum)
		ek_services_blame(services, EK_MISBEHAVIOUR_TOO_MANY, "calls %s more than %llu times at once", slot, (unsigned long long)maximum);
	else
		return true;
	return false;
}

/* ---- Timers ---- */

struct timer {
	struct ek_timer timer;
	struct ek_services *services;
	void *handle;
	void (*fn)(void *arg);
	void *arg;
};

static void drop_timer(struct timer *timer)
{
	ek_handle_drop(timer->services, timer->handle);
	timer->services->stats.timers--;
	free(timer);
}

static void on_timer(void *arg)
{
	struct timer *timer = arg;
	struct ek_services *services = timer->services;
	void (*fn)(void *) = timer->fn;
	void *fn_arg = timer->arg;

	drop_timer(timer);
	if (services->is_closed)
		return;
	ek_services_begin(services, EK_CALL_CALLBACK);
	fn(fn_arg);
	ek_services_leave(services);
}

static struct ek_timer_handle *start_timer(const struct ek_host *host, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
	struct ek_services *services = ek_services_of(host);
	struct timer *timer;

	if (!is_allowed(services, "timer_start", fn != NULL, services->stats.timers, EK_TIMERS_MAX))
		return NULL;
	timer = ek_xcalloc(1, sizeof(*timer));
	timer->services = services;
	timer->fn = fn;
	timer->arg = arg;
	timer->handle = ek_handle_new(services, EK_HANDLE_TIMER, timer);
	services->stats.timers++;
	ek_timer_init(&timer->timer, on_timer, timer);
	ek_loop_arm(services->loop, &timer->timer, delay_ms <= 0 ? 0 : delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS);
	return timer->handle;
}

static void end_timer(struct timer *timer)
{
	ek_loop_disarm(timer->services->loop, &timer->timer);
	drop_timer(timer);
}

static void stop_timer(const struct ek_host *host, struct ek_timer_handle *handle)
{
	struct ek_services *services = ek_services_of(host);
	struct timer *timer = ek_services_is_welcome(services, "timer_stop") ? ek_handle_find(services, EK_HANDLE_TIMER, handle, "timer_stop") : NULL;

	if (timer)
		end_timer(timer);
}

/* ---- Descriptors ---- */

struct watch {
	struct ek_fd *fd;
	struct ek_services *services;
	void *handle;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};

static void on_fd(void *arg, uint32_t events)
{
	struct watch *watch = arg;
	struct ek_services *services = watch->services;

	if (services->is_closed)
		return;
	ek_services_begin(services, EK_CALL_CALLBACK);
	watch->fn(watch->arg, events); /* may stop the watch */
	ek_services_leave(services);
}

static struct ek_fd_handle *watch_fd(const struct ek_host *host, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events),
	void *arg, struct ek_error *err)
{
	struct ek_services *services = ek_services_of(host);
	struct watch *watch;

	if (!is_allowed(services, "fd_watch", fn && fd >= 0, services->stats.watches, EK_WATCHES_MAX)) {
		ek_fail(err, EK_INVALID, "this descriptor cannot be watched: there is no function, no descriptor, or there are too many");
		return NULL;
	}
	watch = ek_xcalloc(1, sizeof(*watch));
	watch->services = services;
	watch->fn = fn;
	watch->arg = arg;
	watch->fd = ek_loop_watch_fd(services->loop, fd, events & EVENTS_KNOWN, on_fd, watch, err);
	if (!watch->fd) {
		free(watch);
		return NULL;
	}
	watch->handle = ek_handle_new(services, EK_HANDLE_WATCH, watch);
	services->stats.watches++;
	return watch->handle;
}

static void update_fd(const struct ek_host *host, struct ek_fd_handle *handle, uint32_t events)
{
	struct ek_services *services = ek_services_of(host);
	struct watch *watch = ek_services_is_welcome(services, "fd_update") ? ek_handle_find(services, EK_HANDLE_WATCH, handle, "fd_update") : NULL;

	if (watch)
		ek_loop_update_fd(watch->fd, events & EVENTS_KNOWN);
}

static void end_watch(struct watch *watch)
{
	ek_loop_unwatch_fd(watch->fd);
	ek_handle_drop(watch->services, watch->handle);
	watch->services->stats.watches--;
	free(watch);
}

static void stop_fd(const struct ek_host *host, struct ek_fd_handle *handle)
{
	struct ek_services *services = ek_services_of(host);
	struct watch *watch = ek_services_is_welcome(services, "fd_stop") ? ek_handle_find(services, EK_HANDLE_WATCH, handle, "fd_stop") : NULL;

	if (watch)
		end_watch(watch);
}

/* ---- Posts ---- */

struct post {
	struct ek_services *services;
	void (*fn)(void *arg);
	void *arg;
};

static void on_post(void *arg)
{
	struct post post = *(struct post *)arg;
	struct ek_services *services = post.services;

	free(arg);
	__atomic_sub_fetch(&services->n_posted, 1, __ATOMIC_ACQ_REL);
	if (services->is_closed) {
		release(services);
		return;
	}
	ek_services_begin(services, EK_CALL_CALLBACK);
	post.fn(post.arg);
	ek_services_leave(services);
}

/* From any thread. */
static void post(const struct ek_host *host, void (*fn)(void *arg), void *arg)
{
	struct ek_services *services = ek_services_of(host);
	struct post *post;

	if (__atomic_load_n(&services->is_closed, __ATOMIC_ACQUIRE)) {
		__atomic_add_fetch(&services->n_late_posts, 1, __ATOMIC_RELAXED);
		return;
	}
	if (!fn || __atomic_add_fetch(&services->n_posted, 1, __ATOMIC_ACQ_REL) > EK_POSTS_MAX) {
		if (fn)
			__atomic_sub_fetch(&services->n_posted, 1, __ATOMIC_ACQ_REL);
		__atomic_add_fetch(&services->n_lost_posts, 1, __ATOMIC_RELAXED);
		return;
	}
	post = ek_xmalloc(sizeof(*post));
	*post = (struct post){ .services = services, .fn = fn, .arg = arg };
	ek_loop_post(services->loop, on_post, post);
}

/* ---- Life ---- */

static void copy_config(struct ek_services *services, const struct ek_services_config *config)
{
	struct ek_services_config *copy = &services->config;
	struct ek_arena *arena = &services->arena;

	*copy = *config;
	copy->name = ek_arena_strdup(arena, config->name);
	copy->username_file = ek_arena_strdup(arena, config->username_file);
	copy->password_file = ek_arena_strdup(arena, config->password_file);
	copy->token_file = ek_arena_strdup(arena, config->token_file);
	copy->cert_file = ek_arena_strdup(arena, config->cert_file);
	copy->key_file = ek_arena_strdup(arena, config->key_file);
	copy->ca_file = ek_arena_strdup(arena, config->ca_file);
}

static void fill_table(struct ek_host *host)
{
	host->size = sizeof(*host);
	host->now_ms = now_ms;
	host->wall_ms = wall_ms;
	host->timer_start = start_timer;
	host->timer_stop = stop_timer;
	host->post = post;
	host->http = ek_services_http;
	host->http_cancel = ek_services_http_cancel;
	host->fd_watch = watch_fd;
	host->fd_update = update_fd;
	host->fd_stop = stop_fd;
	host->option = find_option;
	host->secret = ek_services_secret;
}

struct ek_services *ek_services_new(struct ek_loop *loop, struct ek_http *http, const struct ek_services_config *config)
{
	struct ek_services *services = ek_xcalloc(1, sizeof(*services));

	services->loop = loop;
	services->http = http;
	services->thread = pthread_self();
	ek_arena_init(&services->arena);
	copy_config(services, config);
	services->who = ek_arena_printf(&services->arena, "plugin %s %s", config->library->label, config->name);
	services->log.bound[0] = EK_S("plugin", ek_arena_strdup(&services->arena, config->library->label));
	services->log.bound[1] = EK_S("instance", services->config.name);
	services->log.n_bound = 2;
	fill_table(&services->host);
	ek_services_tell_init(services);
	ek_services_news_init(services);
	return services;
}

static void stop_forgotten(struct ek_services *services)
{
	struct timer *timer;
	struct watch *watch;
	uint32_t at = 0;

	if (services->stats.timers || services->stats.watches || services->n_requests)
		EK_WARN(&services->log, "a plugin ended and left things behind", EK_I("timers", services->stats.timers),
			EK_I("descriptors", services->stats.watches), EK_I("requests", services->n_requests));
	while ((timer = ek_handle_next(services, EK_HANDLE_TIMER, &at)))
		end_timer(timer);
	at = 0;
	while ((watch = ek_handle_next(services, EK_HANDLE_WATCH, &at)))
		end_watch(watch);
}

void ek_services_free(struct ek_services *services)
{
	if (!services)
		return;
	__atomic_store_n(&services->is_closed, true, __ATOMIC_RELEASE);
	services->is_dead = true;
	stop_forgotten(services);
	ek_services_http_end(services);
	ek_services_news_end(services);
	release(services);
}

const struct ek_host *ek_services_host(struct ek_services *services)
{
	return &services->host;
}

void ek_services_stats(const struct ek_services *services, struct ek_services_stats *out)
{
	*out = services->stats;
}
