/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what a list or a watch brings: cuts it into documents, hands them to the sink, keeps the position, and notices how it
 * ended.
 * It opens no request and decides nothing about what comes next.
 * Read next: reflector.c.
 */
#include "kube/reflector_state.h"

#include <stdio.h>
#include <string.h>

/* ---- How it ended ---- */

int ek_reflector_note_undecodable(struct ek_reflector *r, const char *message)
{
	if (!r->has_ending) {
		r->has_ending = true;
		r->retry_after_ms = 0;
		r->ending = (struct ek_ending){ .code = EK_INVALID, .is_undecodable = true };
		snprintf(r->problem, sizeof(r->problem), "%s", message);
	}
	return EK_INVALID;
}

static void note_reason(struct ek_ending *ending, const char *reason)
{
	ending->is_expired = strcmp(reason, "Expired") == 0 || strcmp(reason, "Gone") == 0;
}

/* An error inside of an answer that began well: the only way in which a running watch is told that its position is too old. */
static int note_error_event(struct ek_reflector *r, const struct ek_watch_event *event)
{
	struct ek_kube_status status;

	ek_kube_status_read(event->object.at, event->object.n, &status);
	r->has_ending = true;
	r->retry_after_ms = status.retry_after_ms;
	r->ending = (struct ek_ending){
		.code = event->status_code ? ek_kube_status_code(event->status_code) : EK_RETRY,
		.status = event->status_code ? event->status_code : 500,
		.is_rv_too_large = status.is_rv_too_large,
	};
	if (r->ending.code == EK_OK)
		r->ending.code = EK_RETRY;
	note_reason(&r->ending, event->status_reason);
	snprintf(r->problem, sizeof(r->problem), "%s", event->status_message);
	return EK_CANCELLED;
}

void ek_reflector_note_reply(struct ek_reflector *r, const struct ek_kube_reply *reply)
{
	struct ek_kube_status status;

	r->retry_after_ms = reply->retry_after_ms;
	r->ending = (struct ek_ending){ .code = reply->code, .status = reply->code == EK_OK ? 0 : reply->status };
	snprintf(r->problem, sizeof(r->problem), "%s", reply->message);
	if (reply->code == EK_OK)
		return;
	ek_kube_status_read(reply->body, reply->body_bytes, &status);
	r->ending.is_rv_too_large = status.is_rv_too_large;
	note_reason(&r->ending, reply->reason);
	/* The connection broke in the middle of a good answer. */
	if (reply->status >= 200 && reply->status < 300)
		r->ending.status = 0;
}

/* ---- Streams: initial events and watches ---- */

static void advance(struct ek_reflector *r, const char *version)
{
	if (version[0])
		snprintf(r->stats.resource_version, sizeof(r->stats.resource_version), "%s", version);
}

/* Something from before our position, told again: what we hold is newer. */
static bool is_old_news(struct ek_reflector *r, const char *version)
{
	bool is_known;
	int order = ek_rv_compare(version, r->stats.resource_version, &is_known);

	return is_known && order < 0;
}

static int take_initial(struct ek_reflector *r, const struct ek_watch_event *event, struct ek_error *err)
{
	if (event->type == EK_WATCH_DELETED)
		return ek_reflector_note_undecodable(r, "a deletion among the initial events");
	if (event->type != EK_WATCH_BOOKMARK) {
		if (r->config.sink->add(r->config.sink_arg, event->object, err) != EK_OK)
			return ek_reflector_note_undecodable(r, err->message);
		return EK_OK;
	}
	if (!event->is_initial_end)
		return EK_OK;
	if (!event->resource_version[0])
		return ek_reflector_note_undecodable(r, "the initial events ended without a resourceVersion");
	r->activity = EK_WATCHING;
	r->started_ms = ek_loop_now_ms(r->loop);
	r->n_events_here = 0;
	r->stats.watches++;
	ek_loop_arm(r->loop, &r->settle_timer, EK_REFLECTOR_SHORT_MS);
	ek_reflector_await_more(r);
	ek_reflector_commit_view(r, event->resource_version);
	return EK_OK;
}

static int take_change(struct ek_reflector *r, const struct ek_watch_event *event, struct ek_error *err)
{
	if (event->type != EK_WATCH_BOOKMARK && !is_old_news(r, event->resource_version) &&
		r->config.sink->change(r->config.sink_arg, event->type, event->object, err) != EK_OK)
		return ek_reflector_note_undecodable(r, err->message);
	if (!is_old_news(r, event->resource_version))
		advance(r, event->resource_version);
	r->n_events_here++;
	r->stats.last_event_ms = ek_loop_now_ms(r->loop);
	ek_reflector_settle(r);
	return EK_OK;
}

int ek_reflector_on_event(void *arg, const struct ek_watch_event *event, struct ek_error *err)
{
	struct ek_reflector *r = arg;

	if (event->type == EK_WATCH_ERROR)
		return note_error_event(r, event);
	r->stats.events++;
	return r->activity == EK_READING_STREAM ? take_initial(r, event, err) : take_change(r, event, err);
}

int ek_reflector_on_stream_body(void *arg, const char *bytes, size_t n)
{
	struct ek_reflector *r = arg;
	struct ek_error err = EK_ERROR_INIT;

	r->stats.bytes += n;
	ek_reflector_await_more(r);
	if (ek_watch_splitter_feed(&r->events, bytes, n, &err) == EK_OK)
		return 0;
	if (!r->has_ending)
		ek_reflector_note_undecodable(r, err.message);
	return 1;
}

void ek_reflector_on_stream_head(void *arg)
{
	struct ek_reflector *r = arg;

	r->started_ms = ek_loop_now_ms(r->loop);
	r->is_answered = true;
	ek_reflector_await_more(r);
	if (r->activity == EK_READING_STREAM)
		ek_reflector_begin_view(r);
	else
		ek_loop_arm(r->loop, &r->settle_timer, EK_REFLECTOR_SHORT_MS);
}

/* ---- Pages ---- */

int ek_reflector_on_item(void *arg, struct ek_slice item, struct ek_error *err)
{
	struct ek_reflector *r = arg;

	if (r->config.sink->add(r->config.sink_arg, item, err) != EK_OK)
		return ek_reflector_note_undecodable(r, err->message);
	return EK_OK;
}

void ek_reflector_on_page_head(void *arg)
{
	ek_reflector_begin_view(arg);
}

int ek_reflector_on_page_body(void *arg, const char *bytes, size_t n)
{
	struct ek_reflector *r = arg;
	struct ek_error err = EK_ERROR_INIT;

	r->stats.bytes += n;
	if (ek_list_splitter_feed(&r->items, bytes, n, &err) == EK_OK)
		return 0;
	ek_reflector_note_undecodable(r, err.message);
	return 1;
}
