/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out lists and watches of one collection, one request at a time, and hands what arrives to the sink.
 * It parses no object and keeps none; and it decides nothing about endings, it only notices them and obeys the verdict.
 * Read next: reflector_endings.c for the decisions, watch.c for the framing, store.c for a sink.
 */
#include "kube/reflector.h"

#include "base/alloc.h"
#include "base/log.h"
#include "kube/reflector_query.h"
#include "kube/reflector_state.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_DEADLINE_MS 120000 /* servers end a LIST after 60 s */
#define WATCH_SECONDS    300    /* to twice as long, so that watchers do not all come back together */
#define WATCH_MARGIN_MS  30000  /* a watch that outlives its time by this is dead */
#define AUDIT_RETRY_MS   30000
#define MAX_PATH_BYTES   (256u << 10)

const char *ek_reflector_cause_text(enum ek_reflector_cause cause)
{
	static const char *const texts[EK_N_CAUSES] = { "end", "transport", "expired", "auth", "throttled", "server", "decode",
		"audit" };

	return (unsigned)cause < EK_N_CAUSES ? texts[cause] : "unknown";
}

/* ---- Health ---- */

static int64_t now_ms(struct ek_reflector *r)
{
	return ek_loop_now_ms(r->loop);
}

static void mend(struct ek_reflector *r)
{
	if (r->stats.is_broken)
		EK_INFO(NULL, "watch works again", EK_S("resource", r->config.name),
			EK_I("outage_ms", now_ms(r) - r->stats.broken_since_ms));
	r->stats.is_broken = false;
	r->stats.broken_since_ms = 0;
	r->stats.problem[0] = '\0';
	r->stats.status = 0;
}

/* A watch that has brought something, or has lived for a while: what was wrong before is over. */
void ek_reflector_settle(struct ek_reflector *r)
{
	ek_loop_disarm(r->loop, &r->settle_timer);
	r->n_failures = 0;
	r->n_expired = 0;
	r->outage_since_ms = 0;
	mend(r);
}

static void on_settled(void *arg)
{
	ek_reflector_settle(arg);
}

static void fail(struct ek_reflector *r, const struct ek_verdict *verdict)
{
	int64_t now = now_ms(r);

	r->n_failures++;
	if (!r->outage_since_ms)
		r->outage_since_ms = now;
	if (!r->stats.is_broken) {
		r->stats.is_broken = true;
		r->stats.broken_since_ms = now;
	}
	snprintf(r->stats.problem, sizeof(r->stats.problem), "%s", r->problem);
	r->stats.status = r->ending.status;
	EK_WARN(NULL, "watch broken", EK_S("resource", r->config.name), EK_S("cause", ek_reflector_cause_text(verdict->cause)),
		EK_S("problem", r->problem), EK_I("failures", r->n_failures));
}

/* ---- The view ---- */

void ek_reflector_begin_view(struct ek_reflector *r)
{
	if (r->has_begun)
		return;
	r->has_begun = true;
	r->config.sink->begin(r->config.sink_arg);
}

static void abort_view(struct ek_reflector *r)
{
	if (!r->has_begun)
		return;
	r->has_begun = false;
	r->config.sink->abort(r->config.sink_arg);
}

static void arm_audit(struct ek_reflector *r)
{
	int64_t period = r->config.audit_ms;

	if (period > 0)
		ek_loop_arm(r->loop, &r->audit_timer,
			period - period / 5 + (int64_t)(ek_loop_random(r->loop) % (uint64_t)(period * 2 / 5 + 1)));
}

void ek_reflector_commit_view(struct ek_reflector *r, const char *version)
{
	ek_reflector_begin_view(r);
	r->has_begun = false;
	r->is_audit = false;
	r->n_empty = 0;
	r->stats.is_synced = true;
	r->stats.last_event_ms = now_ms(r);
	snprintf(r->stats.resource_version, sizeof(r->stats.resource_version), "%s", version);
	mend(r);
	arm_audit(r);
	r->config.sink->commit(r->config.sink_arg);
	if (r->config.on_synced)
		r->config.on_synced(r->config.arg);
	if (r->wants_list)
		ek_reflector_relist(r);
}

/* ---- Endings ---- */

static void complete_ending(struct ek_reflector *r)
{
	struct ek_ending *ending = &r->ending;
	bool is_clean = ending->code == EK_OK;

	ending->during = r->activity;
	ending->asked = r->asked;
	ending->is_audit = r->is_audit;
	ending->is_continued = r->is_continued;
	ending->is_short = r->activity == EK_WATCHING && !r->n_events_here &&
			   now_ms(r) - r->started_ms < EK_REFLECTOR_SHORT_MS;
	if (r->n_events_here)
		r->n_empty = 0;
	else if (r->activity == EK_WATCHING && is_clean && !ending->is_short)
		r->n_empty++;
	ending->n_failures = r->n_failures;
	ending->n_expired = r->n_expired;
	ending->n_empty = r->n_empty;
	if (is_clean && r->activity == EK_WATCHING)
		snprintf(r->problem, sizeof(r->problem), "the watch ended as soon as it had begun");
	else if (is_clean)
		snprintf(r->problem, sizeof(r->problem), "the list ended before it was complete");
}

static void carry_out(struct ek_reflector *r, const struct ek_verdict *verdict)
{
	int64_t now = now_ms(r);

	r->plan = *verdict;
	r->stats.restarts[verdict->cause]++;
	r->n_expired += verdict->cause == EK_CAUSE_EXPIRED;
	if (verdict->refuses_streams) {
		r->refuses_streams = true;
		EK_INFO(NULL, "no streaming lists here, listing in pages", EK_S("resource", r->config.name),
			EK_S("answer", r->problem));
	}
	if (verdict->pace != EK_PACE_AT_ONCE)
		fail(r, verdict);
	if (r->is_audit && verdict->next == EK_NEXT_WATCH) {
		r->is_audit = false;
		ek_loop_arm(r->loop, &r->audit_timer, AUDIT_RETRY_MS);
	}
	ek_loop_arm(r->loop, &r->next_timer,
		ek_backoff_ms(verdict->pace, r->n_failures, r->outage_since_ms ? now - r->outage_since_ms : 0,
			r->retry_after_ms, ek_loop_random(r->loop)));
}

/* The request is over, whoever ended it; without a reply it was us, who have noted why. */
static void end_request(struct ek_reflector *r, const struct ek_kube_reply *reply)
{
	struct ek_verdict verdict;

	r->call = NULL;
	ek_loop_disarm(r->loop, &r->settle_timer);
	ek_loop_disarm(r->loop, &r->silence_timer);
	if (!r->has_ending)
		ek_reflector_note_reply(r, reply);
	r->has_ending = false;
	complete_ending(r);
	verdict = ek_ending_judge(&r->ending);
	abort_view(r);
	carry_out(r, &verdict);
}

static void on_stream_done(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_reflector *r = arg;

	ek_watch_splitter_clear(&r->events);
	end_request(r, reply);
}

void ek_reflector_await_more(struct ek_reflector *r)
{
	int64_t patience = r->is_answered ? EK_REFLECTOR_QUIET_MS : EK_REFLECTOR_ANSWER_MS;

	ek_loop_arm(r->loop, &r->silence_timer, r->activity == EK_READING_STREAM ? EK_REFLECTOR_SILENCE_MS : patience);
}

static void note_silence(struct ek_reflector *r)
{
	r->has_ending = true;
	r->retry_after_ms = 0;
	if (r->activity == EK_READING_STREAM) {
		/* A server that ignores sendInitialEvents never marks their end. */
		r->ending = (struct ek_ending){ .code = EK_CANCELLED, .is_silent = true };
		snprintf(r->problem, sizeof(r->problem), "the initial events stopped before their end was marked");
	} else if (r->is_answered) {
		/* Quiet or dead, we cannot know; asking again tells, and costs as little as after an end of the server's. */
		r->ending = (struct ek_ending){ .code = EK_OK };
	} else {
		r->ending = (struct ek_ending){ .code = EK_UNKNOWN };
		snprintf(r->problem, sizeof(r->problem), "the API server has not begun to answer within %d s", EK_REFLECTOR_ANSWER_MS / 1000);
	}
}

static void on_silence(void *arg)
{
	struct ek_reflector *r = arg;

	ek_kube_cancel(r->call);
	note_silence(r);
	ek_watch_splitter_clear(&r->events);
	end_request(r, NULL);
}

static void open_request(struct ek_reflector *r);

/* A whole page: another one follows, or the view is complete and is watched from the version of its first page. */
static void finish_page(struct ek_reflector *r)
{
	r->call = NULL;
	if (!r->is_continued)
		snprintf(r->view_version, sizeof(r->view_version), "%s", r->items.resource_version);
	ek_buf_reset(&r->continue_token);
	ek_buf_add(&r->continue_token, r->items.continue_token.at, r->items.continue_token.n);
	r->is_continued = r->continue_token.n > 0;
	ek_list_splitter_clear(&r->items);
	if (r->is_continued) {
		open_request(r);
		return;
	}
	r->plan = (struct ek_verdict){ .next = EK_NEXT_WATCH, .version = EK_VERSION_LAST };
	ek_loop_arm(r->loop, &r->next_timer, 0);
	ek_reflector_commit_view(r, r->view_version);
}

static void on_page_done(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_reflector *r = arg;

	if (reply->code == EK_OK && !r->has_ending) {
		if (r->items.is_complete && r->items.resource_version[0]) {
			finish_page(r);
			return;
		}
		ek_reflector_note_undecodable(r, "the list ended before it was complete");
	}
	ek_list_splitter_clear(&r->items);
	end_request(r, reply);
}

/* ---- Requests ---- */

static void fail_to_open(struct ek_reflector *r, const struct ek_error *err)
{
	const struct ek_kube_reply reply = { .code = EK_RETRY, .reason = "", .message = err->message, .body = "" };

	ek_watch_splitter_clear(&r->events);
	ek_list_splitter_clear(&r->items);
	end_request(r, &reply);
}

static void open_pages(struct ek_reflector *r, const char *path, struct ek_error *err)
{
	const struct ek_kube_stream_request request = {
		.path = path,
		.deadline_ms = LIST_DEADLINE_MS,
		.on_head = ek_reflector_on_page_head,
		.on_body = ek_reflector_on_page_body,
		.on_done = on_page_done,
		.arg = r,
	};

	ek_list_splitter_init(&r->items, ek_reflector_on_item, r);
	r->call = ek_kube_stream(r->kube, &request, err);
}

static void open_stream(struct ek_reflector *r, const char *path, int seconds, struct ek_error *err)
{
	const struct ek_kube_stream_request request = {
		.path = path,
		.deadline_ms = seconds * 1000 + WATCH_MARGIN_MS,
		.on_head = ek_reflector_on_stream_head,
		.on_body = ek_reflector_on_stream_body,
		.on_done = on_stream_done,
		.arg = r,
	};

	ek_watch_splitter_init(&r->events, ek_reflector_on_event, r);
	r->call = ek_kube_stream(r->kube, &request, err);
	if (r->call)
		ek_reflector_await_more(r);
}

static void open_request(struct ek_reflector *r)
{
	struct ek_error err = EK_ERROR_INIT;
	bool is_newest = r->activity != EK_WATCHING && r->asked == EK_VERSION_NEWEST;
	struct ek_list_query query = {
		.path = r->path,
		.selectors = r->selectors,
		.activity = r->activity,
		.version = is_newest ? "" : r->stats.resource_version,
		.continue_token = r->continue_token.at,
		.in_one_piece = r->in_one_piece,
		.timeout_seconds = WATCH_SECONDS + (int)(ek_loop_random(r->loop) % (WATCH_SECONDS + 1)),
	};

	r->started_ms = now_ms(r);
	r->n_events_here = 0;
	r->is_answered = false;
	if (ek_list_query_write(&query, &r->query) != EK_OK)
		ek_fail(&err, EK_TOO_BIG, "the server's continue token is too long");
	else if (r->activity == EK_READING_PAGES)
		open_pages(r, r->query.at, &err);
	else
		open_stream(r, r->query.at, query.timeout_seconds, &err);
	if (!r->call)
		fail_to_open(r, &err);
}

static void start_list(struct ek_reflector *r)
{
	bool by_stream = !r->refuses_streams && !r->plan.in_pages;

	r->activity = by_stream ? EK_READING_STREAM : EK_READING_PAGES;
	r->asked = r->stats.resource_version[0] ? r->plan.version : EK_VERSION_NEWEST;
	r->in_one_piece = r->plan.in_one_piece;
	r->is_continued = false;
	r->wants_list = false;
	ek_buf_reset(&r->continue_token);
	r->stats.lists++;
	open_request(r);
}

static void start_watch(struct ek_reflector *r)
{
	r->activity = EK_WATCHING;
	r->is_continued = false;
	r->stats.watches++;
	open_request(r);
}

static void stop_request(struct ek_reflector *r)
{
	ek_kube_cancel(r->call);
	r->call = NULL;
	r->has_ending = false;
	ek_loop_disarm(r->loop, &r->settle_timer);
	ek_loop_disarm(r->loop, &r->silence_timer);
	ek_watch_splitter_clear(&r->events);
	ek_list_splitter_clear(&r->items);
	abort_view(r);
}

static void start_next(void *arg)
{
	struct ek_reflector *r = arg;

	stop_request(r);
	if (r->plan.next == EK_NEXT_LIST || !r->stats.is_synced)
		start_list(r);
	else
		start_watch(r);
}

/* ---- From outside ---- */

/*
 * A running watch is given up for the list, and may go on if the list fails. While a view is being read another follows it;
 * while we wait after a failure the wait goes on.
 */
void ek_reflector_relist(struct ek_reflector *r)
{
	r->wants_list = r->call && r->activity != EK_WATCHING;
	if (r->wants_list)
		return;
	r->plan = (struct ek_verdict){ .next = EK_NEXT_LIST, .version = EK_VERSION_NEWEST, .cause = EK_CAUSE_AUDIT };
	r->is_audit = r->call != NULL;
	if (r->call || !ek_timer_is_armed(&r->next_timer))
		ek_loop_arm(r->loop, &r->next_timer, 0);
}

static void on_audit(void *arg)
{
	struct ek_reflector *r = arg;

	r->stats.restarts[EK_CAUSE_AUDIT]++;
	ek_reflector_relist(r);
}

struct ek_reflector *ek_reflector_new(struct ek_loop *loop, struct ek_kube *kube, const struct ek_reflector_config *config)
{
	struct ek_reflector *r = ek_xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->kube = kube;
	r->config = *config;
	r->path = ek_xstrdup(config->path);
	r->selectors = ek_xstrdup(config->selectors);
	r->plan = (struct ek_verdict){ .next = EK_NEXT_LIST, .version = EK_VERSION_NEWEST };
	ek_timer_init(&r->next_timer, start_next, r);
	ek_timer_init(&r->settle_timer, on_settled, r);
	ek_timer_init(&r->silence_timer, on_silence, r);
	ek_timer_init(&r->audit_timer, on_audit, r);
	ek_watch_splitter_init(&r->events, ek_reflector_on_event, r);
	ek_list_splitter_init(&r->items, ek_reflector_on_item, r);
	ek_buf_init(&r->continue_token, MAX_PATH_BYTES / 4);
	ek_buf_init(&r->query, MAX_PATH_BYTES);
	return r;
}

void ek_reflector_start(struct ek_reflector *r)
{
	start_next(r);
}

void ek_reflector_free(struct ek_reflector *r)
{
	if (!r)
		return;
	stop_request(r);
	ek_loop_disarm(r->loop, &r->next_timer);
	ek_loop_disarm(r->loop, &r->audit_timer);
	ek_buf_clear(&r->continue_token);
	ek_buf_clear(&r->query);
	free(r->path);
	free(r->selectors);
	free(r);
}

const struct ek_reflector_stats *ek_reflector_stats(const struct ek_reflector *r)
{
	return &r->stats;
}
