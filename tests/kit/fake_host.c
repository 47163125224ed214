/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of host services over lists in memory, and the calls into the plugin. It answers nothing by itself and knows no protocol; options are in
 * fake_host_options.c. Read tests/contract/test_eureka.c next.
 */
#include "kit/fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/fake_host_inside.h"

const char fake_fault_undeclared[] = "the plugin asked for an option that it does not declare";

struct fake_timer {
	struct fake_timer *next;
	struct fake_host *fake;
	int64_t due_ms;
	uint64_t order;
	void (*fn)(void *arg);
	void *arg;
};

static struct fake_host *of(const struct ek_host *host)
{
	return (struct fake_host *)host;
}

void fake_host_breach(struct fake_host *fake, const char *fault)
{
	if (!fake->fault)
		fake->fault = fault;
}

/* Nothing may be called any more once `closed` has been. */
struct fake_host *fake_host_use(const struct ek_host *host)
{
	struct fake_host *fake = of(host);

	fake->n_uses++;
	if (fake->n_closed)
		fake_host_breach(fake, "the plugin called the host after it had called closed");
	return fake;
}

void *fake_host_grow(void *list, uint32_t n, size_t size)
{
	return n & (n - 1) ? list : realloc(list, (n ? (size_t)2 * n : 1) * size);
}

char *fake_host_copy(const char *text)
{
	return strdup(text ? text : "");
}

/* ---- Log, clock, metrics, secrets --------------------------------------------------------------------------------------------------------------------------- */

static void on_log(const struct ek_host *host, uint32_t level, const char *message, const struct ek_pair *const *pairs, uint32_t n_pairs)
{
	struct fake_host *fake = fake_host_use(host);

	fake->n_logs++;
	snprintf(fake->last_log, sizeof(fake->last_log), "%s", message);
	for (uint32_t i = 0; i < n_pairs; i++)
		if (!pairs[i]->key || !pairs[i]->value)
			fake_host_breach(fake, "the plugin logged a pair that holds NULL");
}

static int64_t on_now_ms(const struct ek_host *host)
{
	return fake_host_use(host)->now_ms;
}

static int64_t on_wall_ms(const struct ek_host *host)
{
	return fake_host_use(host)->wall_ms;
}

static void on_count(const struct ek_host *host, const char *name, uint64_t delta)
{
	fake_host_use(host);
}

static void on_gauge(const struct ek_host *host, const char *name, double value)
{
	fake_host_use(host);
}

static int on_secret(const struct ek_host *host, const char *name, char *buffer, uint32_t buffer_bytes, struct ek_error *err)
{
	fake_host_use(host);
	return ek_fail(err, EK_GONE, "not configured");
}

static const struct ek_option_value *on_option(const struct ek_host *host, const char *name)
{
	const struct ek_option_value *value = fake_host_value(fake_host_use(host), name);

	if (!value)
		fake_host_breach(of(host), fake_fault_undeclared);
	return value;
}

/* ---- Timers and posts --------------------------------------------------------------------------------------------------------------------------------------- */

static struct ek_timer_handle *on_timer_start(const struct ek_host *host, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
	struct fake_host *fake = fake_host_use(host);
	struct fake_timer *timer = calloc(1, sizeof(*timer));

	*timer = (struct fake_timer){
		.next = fake->timers, .fake = fake, .due_ms = fake->now_ms + (delay_ms > 0 ? delay_ms : 0), .order = ++fake->n_timers_made,
		.fn = fn, .arg = arg,
	};
	fake->timers = timer;
	return (struct ek_timer_handle *)timer;
}

static void on_timer_stop(const struct ek_host *host, struct ek_timer_handle *handle)
{
	struct fake_host *fake = fake_host_use(host);

	if (!handle)
		return;
	for (struct fake_timer **at = &fake->timers; *at; at = &(*at)->next) {
		if (*at == (struct fake_timer *)handle) {
			*at = (*at)->next;
			free(handle);
			return;
		}
	}
	fake_host_breach(fake, "the plugin stopped a timer that does not run");
}

int64_t fake_host_next_due(const struct fake_host *fake)
{
	int64_t soonest = INT64_MAX;

	for (const struct fake_timer *timer = fake->timers; timer; timer = timer->next)
		if (timer->due_ms - fake->now_ms < soonest)
			soonest = timer->due_ms - fake->now_ms;
	return soonest;
}

static struct fake_timer *take_due(struct fake_host *fake, int64_t until_ms)
{
	struct fake_timer **best = NULL, *timer;

	for (struct fake_timer **at = &fake->timers; *at; at = &(*at)->next)
		if ((*at)->due_ms <= until_ms && (!best || (*at)->due_ms < (*best)->due_ms ||
			((*at)->due_ms == (*best)->due_ms && (*at)->order < (*best)->order)))
			best = at;
	if (!best)
		return NULL;
	timer = *best;
	*best = timer->next;
	return timer;
}

void fake_host_advance(struct fake_host *fake, int64_t ms)
{
	int64_t until_ms = fake->now_ms + ms;
	struct fake_timer *timer;

	fake_host_run_posts(fake);
	while ((timer = take_due(fake, until_ms))) {
		if (timer->due_ms > fake->now_ms) {
			fake->wall_ms += timer->due_ms - fake->now_ms;
			fake->now_ms = timer->due_ms;
		}
		timer->fn(timer->arg);
		free(timer);
		fake_host_run_posts(fake);
	}
	fake->wall_ms += until_ms - fake->now_ms;
	fake->now_ms = until_ms;
}

/* ---- What the plugin reports -------------------------------------------------------------------------------------------------------------------------------- */

static void on_op_done(const struct ek_host *host, uint64_t token, const struct ek_result *result)
{
	struct fake_host *fake = fake_host_use(host);
	struct fake_completion *done;

	if (result->size < sizeof(*result))
		fake_host_breach(fake, "a result does not know its size");
	if (fake->n_inside)
		fake_host_breach(fake, "an operation was completed inside a call into the plugin");
	if (fake_host_done(fake, token))
		fake_host_breach(fake, "an operation was completed twice");
	if (result->code != EK_OK && result->entry)
		fake_host_breach(fake, "a failed operation came with an entry");
	fake->completions = fake_host_grow(fake->completions, fake->n_completions, sizeof(*fake->completions));
	done = &fake->completions[fake->n_completions++];
	*done = (struct fake_completion){
		.token = token, .code = result->code, .http_status = result->http_status, .revision = result->revision,
		.retry_after_ms = result->retry_after_ms, .message = fake_host_copy(result->message), .has_entry = result->entry != NULL,
	};
	if (result->entry)
		done->entry = fake_host_copy_entry(fake, result->entry);
}

static int on_list_entry(const struct ek_host *host, uint64_t token, const struct ek_entry *entry)
{
	struct fake_host *fake = fake_host_use(host);

	fake->entries = fake_host_grow(fake->entries, fake->n_entries, sizeof(*fake->entries));
	fake->entries[fake->n_entries++] = fake_host_copy_entry(fake, entry);
	return fake->stop_after && fake->n_entries >= fake->stop_after;
}

static void clear_entry(struct fake_entry *entry)
{
	free(entry->application);
	free(entry->id);
	free(entry->address);
	free(entry->vip_address);
	free(entry->owner);
	free(entry->metadata);
}

void fake_host_forget_entries(struct fake_host *fake)
{
	for (uint32_t i = 0; i < fake->n_entries; i++)
		clear_entry(&fake->entries[i]);
	fake->n_entries = 0;
}

static void on_lost(const struct ek_host *host, const char *why)
{
	fake_host_use(host)->n_lost++;
}

static void on_changed(const struct ek_host *host, const char *application, const char *id)
{
	fake_host_use(host)->n_changed++;
}

static void on_closed(const struct ek_host *host)
{
	if (of(host)->n_closed)
		fake_host_breach(of(host), "closed was called more than once");
	fake_host_use(host)->n_closed++;
}

const struct fake_completion *fake_host_done(const struct fake_host *fake, uint64_t token)
{
	for (uint32_t i = 0; i < fake->n_completions; i++)
		if (fake->completions[i].token == token)
			return &fake->completions[i];
	return NULL;
}

uint32_t fake_host_times_done(const struct fake_host *fake, uint64_t token)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < fake->n_completions; i++)
		n += fake->completions[i].token == token;
	return n;
}

/* ---- Calls into the plugin ---------------------------------------------------------------------------------------------------------------------------------- */

static const struct ek_registry_ops *ops_of(const struct fake_host *fake)
{
	return fake->plugin->ops;
}

int fake_host_create(struct fake_host *fake, struct ek_error *err)
{
	int code;

	fake->n_inside++;
	code = ops_of(fake)->create(&fake->host, &fake->self, err);
	fake->n_inside--;
	if (fake->n_http)
		fake_host_breach(fake, "create sent a request");
	return code;
}

void fake_host_close(struct fake_host *fake)
{
	fake->n_inside++;
	ops_of(fake)->close(fake->self);
	fake->n_inside--;
	for (int i = 0; i < 100 && !fake->n_closed; i++)
		fake_host_advance(fake, 1000);
	if (fake->n_closed != 1)
		fake_host_breach(fake, "closed was not called exactly once");
}

const struct ek_registry_traits *fake_host_traits(struct fake_host *fake)
{
	return ops_of(fake)->traits(fake->self);
}

void fake_host_apply_all(struct fake_host *fake, const struct ek_op *const *ops, uint32_t n)
{
	fake->n_inside++;
	ops_of(fake)->apply(fake->self, ops, n);
	fake->n_inside--;
}

void fake_host_apply(struct fake_host *fake, const struct ek_op *op)
{
	fake_host_apply_all(fake, &op, 1);
}

void fake_host_list(struct fake_host *fake, const struct ek_scope *scope, uint64_t token)
{
	fake->n_inside++;
	ops_of(fake)->list(fake->self, scope, token);
	fake->n_inside--;
}

void fake_host_probe(struct fake_host *fake, uint64_t token)
{
	fake->n_inside++;
	ops_of(fake)->probe(fake->self, token);
	fake->n_inside--;
}

void fake_host_cancel(struct fake_host *fake, uint64_t token)
{
	fake->n_inside++;
	ops_of(fake)->cancel(fake->self, token);
	fake->n_inside--;
}

/* ---- Life --------------------------------------------------------------------------------------------------------------------------------------------------- */

struct fake_host *fake_host_new(const struct ek_plugin *plugin)
{
	struct fake_host *fake = calloc(1, sizeof(*fake));

	fake->plugin = plugin;
	fake->now_ms = 1000000;
	fake->wall_ms = 1790000000000;
	fake->host = (struct ek_host){
		.size = sizeof(fake->host), .log = on_log, .now_ms = on_now_ms, .wall_ms = on_wall_ms, .timer_start = on_timer_start,
		.timer_stop = on_timer_stop, .post = fake_host_post, .http = fake_host_http, .http_cancel = fake_host_http_cancel, .fd_watch = fake_host_fd_watch,
		.fd_update = fake_host_fd_update, .fd_stop = fake_host_fd_stop, .count = on_count, .gauge = on_gauge, .option = on_option, .secret = on_secret,
		.op_done = on_op_done, .list_entry = on_list_entry, .lost = on_lost, .changed = on_changed, .closed = on_closed,
	};
	fake->posts = fake_posts_new();
	fake_host_set_defaults(fake);
	return fake;
}

const char *fake_host_end(struct fake_host *fake)
{
	const char *fault;

	if (fake->timers)
		fake_host_breach(fake, "a timer was left behind");
	if (fake->watches)
		fake_host_breach(fake, "a descriptor watch was left behind");
	if (fake_host_open_requests(fake))
		fake_host_breach(fake, "a request was left behind");
	if (fake_host_has_posts(fake))
		fake_host_breach(fake, "a post was left behind");
	fault = fake->fault;
	while (fake->timers)
		on_timer_stop(&fake->host, (struct ek_timer_handle *)fake->timers);
	while (fake->watches)
		fake_host_fd_stop(&fake->host, (struct ek_fd_handle *)fake->watches);
	fake_host_free_requests(fake);
	for (uint32_t i = 0; i < fake->n_completions; i++) {
		clear_entry(&fake->completions[i].entry);
		free(fake->completions[i].message);
	}
	fake_host_forget_entries(fake);
	free(fake->completions);
	free(fake->entries);
	fake_posts_free(fake->posts);
	fake_host_clear_options(fake);
	free(fake);
	return fault;
}
