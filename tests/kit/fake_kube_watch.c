/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WATCH: the streams that are open, what each has been told, and how each ends. Initial events, bookmarks, selectors and
 * "too old" are as the real server has them. It does not decide what happened; the store does.
 * Next: fake_kube_write.c, where changes begin.
 */
#include "kit/fake_kube_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SECONDS 2400
#define LAST_WORD_MS    2000 /* a bookmark so long before the end */

struct fake_watch {
	struct fake_watch *next, **prev;
	struct fake_kube *kube;
	struct fake_kind *kind;
	struct ek_serve_stream *stream;
	struct ek_timer timer;
	int64_t end_ms;
	uint64_t version;          /* up to where it has been told */
	uint64_t bookmarked;
	bool has_bookmarks, is_unordered;
	char ns[256], labels[2048], fields[512];
};

static void free_watch(struct fake_watch *watch)
{
	ek_loop_disarm(watch->kube->loop, &watch->timer);
	*watch->prev = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	free(watch);
}

static void on_gone(void *arg)
{
	free_watch(arg);
}

static void end(struct fake_watch *watch, bool abruptly)
{
	ek_serve_stream_end(watch->stream, abruptly);
	free_watch(watch);
}

void fake_watches_forget(struct fake_kube *kube)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		while (kube->kinds[i].watches)
			free_watch(kube->kinds[i].watches);
}

/* ---- Lines ---- */

/* False when the client does not read: the watch has ended then, as on a real server. */
static bool send(struct fake_watch *watch, const char *type, const char *object)
{
	struct ek_buf line;
	int code;

	ek_buf_init(&line, SIZE_MAX);
	ek_buf_addf(&line, "{\"type\":\"%s\",\"object\":%s}\n", type, object);
	code = ek_serve_stream_write(watch->stream, line.at, line.n);
	ek_buf_clear(&line);
	if (code != EK_OK)
		end(watch, true);
	return code == EK_OK;
}

static bool send_bookmark(struct fake_watch *watch, bool is_initial_end)
{
	const struct fake_resource *resource = watch->kind->resource;
	const char *mark = is_initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "";
	char version[64], text[512];

	fake_api_version(resource, version, sizeof(version));
	snprintf(text, sizeof(text), "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\","
		"\"creationTimestamp\":null%s}}", resource->kind, version, (unsigned long long)watch->version, mark);
	watch->bookmarked = watch->version;
	return send(watch, "BOOKMARK", text);
}

static void send_too_old(struct fake_watch *watch, uint64_t asked)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
		"\"message\":\"too old resource version: %llu (%llu)\",\"reason\":\"Expired\",\"code\":410}",
		(unsigned long long)asked, (unsigned long long)watch->kind->compacted);
	if (send(watch, "ERROR", text))
		end(watch, false);
}

static bool is_in(const struct fake_watch *watch, const char *key)
{
	size_t n = strlen(watch->ns);

	return !n || (!strncmp(key, watch->ns, n) && key[n] == '/');
}

/* The object as it was before, with the version of what took it out of the selection. */
static char *with_version(const struct fake_text *text, uint64_t version)
{
	cJSON *json = cJSON_Parse(text->at);
	char number[32], *bytes;

	snprintf(number, sizeof(number), "%llu", (unsigned long long)version);
	fake_json_set(fake_json_object(json, "metadata"), "resourceVersion", cJSON_CreateString(number));
	bytes = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	return bytes;
}

static bool tell(struct fake_watch *watch, const struct fake_event *event)
{
	bool was, is, goes_on;
	char *last;

	watch->version = event->version;
	if (!is_in(watch, event->key))
		return true;
	was = event->before && fake_select(watch->labels, watch->fields, event->before->at);
	is = event->change != FAKE_DELETED && fake_select(watch->labels, watch->fields, event->now->at);
	if (is)
		return send(watch, was ? "MODIFIED" : "ADDED", event->now->at);
	if (!was)
		return true;
	if (event->change == FAKE_DELETED)
		return send(watch, "DELETED", event->now->at);
	last = with_version(event->before, event->version);
	goes_on = send(watch, "DELETED", last);
	free(last);
	return goes_on;
}

static void catch_up(struct fake_watch *watch)
{
	const struct fake_event *event = watch->kind->oldest;

	if (watch->version < watch->kind->compacted) {
		send_too_old(watch, watch->version);
		return;
	}
	if (watch->kind->is_frozen)
		return;
	for (; event; event = event->next)
		if (event->version > watch->version && !tell(watch, event))
			return;
}

/* ---- Changes and faults ---- */

#define FOR_EACH_WATCH(kind, watch, then) \
	for (struct fake_watch *watch = (kind)->watches, *then; watch && ((then = watch->next), true); watch = then)

/* How often the event that comes now is sent; 0: lost, or held back until its successor has been sent. */
static unsigned times_sent(struct fake_kind *kind, const struct fake_event *event)
{
	if (kind->n_spare) {
		kind->n_spare--;
		return 1;
	}
	if (kind->n_drop) {
		kind->n_drop--;
		return 0;
	}
	if (kind->n_repeat) {
		kind->n_repeat--;
		return 2;
	}
	if (!kind->n_swap || kind->held)
		return 1;
	kind->n_swap--;
	kind->held = event->version;
	return 0;
}

static const struct fake_event *find_event(const struct fake_kind *kind, uint64_t version)
{
	const struct fake_event *event = kind->oldest;

	while (event && event->version != version)
		event = event->next;
	return event;
}

/* The event, and behind it the one that was held back for it, to a watch that has heard of neither. */
static void tell_times(struct fake_watch *watch, const struct fake_event *event, const struct fake_event *held, unsigned times)
{
	if (held && watch->version >= held->version)
		held = NULL;
	watch->version = event->version;
	for (unsigned i = 0; i < times; i++)
		if (!tell(watch, event))
			return;
	if (held && tell(watch, held))
		watch->version = event->version;
}

void fake_watches_tell(struct fake_kube *kube, struct fake_kind *kind, const struct fake_event *event)
{
	const struct fake_event *held;
	unsigned times;

	if (kind->is_frozen)
		return;
	times = times_sent(kind, event);
	if (kind->held == event->version)
		return;
	held = find_event(kind, kind->held);
	kind->held = 0;
	FOR_EACH_WATCH(kind, watch, then)
		/* One from the future hears nothing until the future has come. */
		if (watch->version < event->version)
			tell_times(watch, event, held, times);
}

static bool is_meant(const struct fake_kind *kind, const char *plural)
{
	return !plural || !strcmp(kind->resource->plural, plural);
}

void fake_kube_cut_watches(struct fake_kube *kube, const char *plural, bool abruptly)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		if (is_meant(&kube->kinds[i], plural))
			FOR_EACH_WATCH(&kube->kinds[i], watch, then)
				end(watch, abruptly);
}

void fake_kube_bookmark(struct fake_kube *kube, const char *plural)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++) {
		if (!is_meant(&kube->kinds[i], plural) || kube->kinds[i].is_frozen)
			continue;
		FOR_EACH_WATCH(&kube->kinds[i], watch, then) {
			if (!watch->has_bookmarks || watch->version > kube->version)
				continue;
			watch->version = kube->version;
			send_bookmark(watch, false);
		}
	}
}

void fake_kube_emit(struct fake_kube *kube, const char *plural, const char *raw)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		if (is_meant(&kube->kinds[i], plural))
			FOR_EACH_WATCH(&kube->kinds[i], watch, then)
				if (ek_serve_stream_write(watch->stream, raw, strlen(raw)) != EK_OK)
					end(watch, true);
}

void fake_kube_freeze(struct fake_kube *kube, const char *plural, bool is_frozen)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++) {
		if (!is_meant(&kube->kinds[i], plural))
			continue;
		kube->kinds[i].is_frozen = is_frozen;
		if (is_frozen)
			continue;
		FOR_EACH_WATCH(&kube->kinds[i], watch, then)
			catch_up(watch);
	}
}

size_t fake_kube_open_watches(struct fake_kube *kube, const char *plural)
{
	size_t n = 0;

	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		if (is_meant(&kube->kinds[i], plural))
			FOR_EACH_WATCH(&kube->kinds[i], watch, then)
				n++;
	return n;
}

/* ---- Opening ---- */

/* First the last word, then the end. */
static void on_time(void *arg)
{
	struct fake_watch *watch = arg;
	int64_t left_ms = watch->end_ms - ek_loop_now_ms(watch->kube->loop);
	bool has_news = watch->has_bookmarks && !watch->kind->is_frozen &&
		watch->kube->version > watch->version && watch->kube->version > watch->bookmarked;

	if (left_ms <= 0) {
		end(watch, false);
		return;
	}
	if (has_news) {
		watch->version = watch->kube->version;
		if (!send_bookmark(watch, false))
			return;
	}
	ek_loop_arm(watch->kube->loop, &watch->timer, left_ms);
}

static void arm(struct fake_watch *watch, const char *seconds)
{
	int64_t ms = strtoll(seconds, NULL, 10) * 1000;

	if (ms <= 0)
		ms = DEFAULT_SECONDS * 1000;
	watch->end_ms = ek_loop_now_ms(watch->kube->loop) + ms;
	ek_loop_arm(watch->kube->loop, &watch->timer, ms > LAST_WORD_MS ? ms - LAST_WORD_MS : ms);
}

static struct fake_watch *open_watch(struct fake_kube *kube, const struct fake_target *target,
	const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct fake_watch *watch = ek_xcalloc(1, sizeof(*watch));
	char text[32];

	watch->kube = kube;
	watch->kind = target->kind;
	snprintf(watch->ns, sizeof(watch->ns), "%s", target->ns);
	fake_query(request->query, "labelSelector", watch->labels, sizeof(watch->labels));
	fake_query(request->query, "fieldSelector", watch->fields, sizeof(watch->fields));
	fake_query(request->query, "allowWatchBookmarks", text, sizeof(text));
	watch->has_bookmarks = !strcmp(text, "true") || !strcmp(text, "1");
	watch->next = target->kind->watches;
	watch->prev = &target->kind->watches;
	if (watch->next)
		watch->next->prev = &watch->next;
	target->kind->watches = watch;
	ek_timer_init(&watch->timer, on_time, watch);
	fake_query(request->query, "timeoutSeconds", text, sizeof(text));
	arm(watch, text);
	watch->stream = ek_serve_stream(exchange, 200, "application/json", on_gone, watch);
	return watch;
}

static bool send_all(struct fake_watch *watch)
{
	struct fake_object *object, *tmp;

	fake_objects_sort(watch->kind);
	watch->version = watch->kube->version;
	if (fake_http_is_empty(&watch->kube->http))
		return true;
	HASH_ITER(hh, watch->kind->objects, object, tmp)
		if (is_in(watch, object->key) && fake_select(watch->labels, watch->fields, object->text->at) &&
			!send(watch, "ADDED", object->text->at))
			return false;
	return true;
}

/* Whether the request asks for initial events in a way that this server allows. */
static bool check_initial(const struct fake_kube *kube, const char *initial, const char *match, struct fake_refusal *refusal)
{
	if (*initial && kube->has_no_streaming)
		return fake_refuse(refusal, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: "
			"Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
	if (*initial && strcmp(match, "NotOlderThan"))
		return fake_refuse(refusal, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: "
			"Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	if (!*initial && *match)
		return fake_refuse(refusal, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: "
			"Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	return true;
}

/* A streaming list of what is not there yet: an ERROR after 3 s on the real server, at once here. */
static void refuse_future(struct fake_watch *watch)
{
	if (send(watch, "ERROR", "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
		"\"message\":\"Timeout: Too large resource version\",\"reason\":\"Timeout\",\"details\":{\"causes\":["
		"{\"reason\":\"ResourceVersionTooLarge\",\"message\":\"Too large resource version\"}],"
		"\"retryAfterSeconds\":1},\"code\":504}"))
		end(watch, false);
}

void fake_kube_watch(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange)
{
	char text[64], initial[16], match[32];
	struct fake_refusal refusal = { 0 };
	struct fake_watch *watch;
	uint64_t version;
	bool is_initial;

	fake_query(request->query, "resourceVersion", text, sizeof(text));
	fake_query(request->query, "sendInitialEvents", initial, sizeof(initial));
	fake_query(request->query, "resourceVersionMatch", match, sizeof(match));
	if (!check_initial(kube, initial, match, &refusal) || (!fake_version_read(text, &version) &&
		!fake_refuse(&refusal, 500, "", "strconv.ParseUint: parsing \"%s\": invalid syntax", text))) {
		fake_reply_refusal(kube, exchange, target, &refusal);
		return;
	}
	is_initial = !strcmp(initial, "true") || !strcmp(initial, "1");
	watch = open_watch(kube, target, request, exchange);
	watch->version = version;
	if (is_initial && version > kube->version)
		refuse_future(watch);
	else if (!is_initial && version)
		catch_up(watch);
	else if (send_all(watch) && is_initial && watch->has_bookmarks)
		send_bookmark(watch, true);
}
