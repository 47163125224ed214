/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays the API server and the sink of one reflector, and holds the words in which its stories are told.
 * It knows nothing of resources: answers are bytes.
 * Read next: tests/scenario/test_reflector.c.
 */
#include "kit/sim_reflector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

/* ---- A server that follows a script ---- */

static void forget_stream(void *arg)
{
	((struct world *)arg)->stream = NULL;
}

static void keep(char *buffer, size_t size, const char *text)
{
	snprintf(buffer, size, "%s", text ? text : "");
}

static void note_request(struct world *w, const struct ek_serve_request *request)
{
	struct asked *asked = &w->asked[w->n_asked++];

	assert_true(w->n_asked < sizeof(w->asked) / sizeof(w->asked[0]));
	assert_string_equal(request->path, PATH);
	keep(asked->query, sizeof(asked->query), request->query);
	keep(asked->authorization, sizeof(asked->authorization), request->header(request, "Authorization"));
	keep(asked->encoding, sizeof(asked->encoding), request->header(request, "Accept-Encoding"));
	keep(asked->agent, sizeof(asked->agent), request->header(request, "User-Agent"));
	asked->at_ms = ek_loop_now_ms(w->loop);
}

/* Without a script a request is answered as a watch that stays open. */
static void on_request(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;
	struct answer answer = { .ending = OPEN, .body = "" };
	struct ek_serve_stream *stream;

	note_request(w, request);
	if (w->n_asked <= w->n_script)
		answer = w->script[w->n_asked - 1];
	else if (w->is_repeating)
		answer = w->script[w->n_script - 1];
	if (answer.status) {
		ek_serve_reply(exchange, answer.status, "application/json", answer.headers, answer.body, strlen(answer.body));
		return;
	}
	stream = ek_serve_stream(exchange, 200, "application/json", forget_stream, w);
	ek_serve_stream_write(stream, answer.body, strlen(answer.body));
	w->stream = stream;
	if (answer.ending != OPEN) {
		ek_serve_stream_end(stream, answer.ending == CUT);
		w->stream = NULL;
	}
}

/* ---- The sink: writes down what it is told ---- */

static void tell(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct world *w, const char *format, ...)
{
	size_t n = strlen(w->told);
	va_list args;

	va_start(args, format);
	vsnprintf(w->told + n, sizeof(w->told) - n, format, args);
	va_end(args);
}

static void tell_object(struct world *w, const char *what, struct ek_slice object)
{
	const char *name = memmem(object.at, object.n, "\"name\":\"", 8);

	assert_non_null(name);
	tell(w, "%s%.*s ", what, (int)strcspn(name + 8, "\""), name + 8);
}

static void on_begin(void *arg)
{
	tell(arg, "begin ");
}

static int on_add(void *arg, struct ek_slice object, struct ek_error *err)
{
	struct world *w = arg;

	if (w->refuses > 0 && w->refuses--)
		return ek_fail(err, EK_INVALID, "the sink does not like it");
	tell_object(w, "+", object);
	return EK_OK;
}

static void on_commit(void *arg)
{
	tell(arg, "commit ");
}

static void on_abort(void *arg)
{
	tell(arg, "abort ");
}

static int on_change(void *arg, enum ek_watch_type type, struct ek_slice object, struct ek_error *err)
{
	static const char *const names[] = { "ADDED:", "MODIFIED:", "DELETED:" };
	struct world *w = arg;

	if (w->refuses > 0 && w->refuses--)
		return ek_fail(err, EK_INVALID, "the sink does not like it");
	tell_object(w, names[type], object);
	return EK_OK;
}

static const struct ek_reflector_sink sink = { on_begin, on_add, on_commit, on_abort, on_change };

static void on_synced(void *arg)
{
	tell(arg, "synced ");
}

/* ---- The language of the stories ---- */

static void listen_again(struct world *w)
{
	const struct ek_serve_config config = { .host = "kube", .port = 6443, .handle = on_request, .arg = w };

	w->serve = ek_serve_new(w->loop, &config, NULL);
	assert_non_null(w->serve);
}

struct world *a_reflector_world(const char *token_file, int64_t audit_ms)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ek_kube_config kube = { .server = (char *)"http://" SERVER, .token_file = (char *)token_file };
	struct ek_error err = EK_ERROR_INIT;

	ek_log_set_level(EK_LOG_ERROR);
	w->loop = sim_loop_new(7);
	listen_again(w);
	w->http = ek_http_new(w->loop);
	w->kube = ek_kube_new(w->loop, w->http, &kube, &err);
	if (!w->kube)
		fail_msg("%s", err.message);
	w->reflector = ek_reflector_new(w->loop, w->kube, &(struct ek_reflector_config){ .name = "endpointslices", .path = PATH, .sink = &sink, .sink_arg = w, .on_synced = on_synced, .arg = w, .audit_ms = audit_ms });
	return w;
}

void end_story(struct world *w)
{
	ek_reflector_free(w->reflector);
	sim_advance(w->loop, 1000);
	assert_int_equal(sim_open_calls(w->loop), 0);
	assert_int_equal(sim_armed_timers(w->loop), 0);
	ek_kube_free(w->kube);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	sim_file_clear();
	free(w);
}

void given_script(struct world *w, const struct answer *answers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		w->script[w->n_script++] = answers[i];
}

void when_reflector_starts(struct world *w, int64_t then_ms)
{
	ek_reflector_start(w->reflector);
	sim_advance(w->loop, then_ms);
}

void when_stream_sends(struct world *w, const char *bytes)
{
	assert_non_null(w->stream);
	ek_serve_stream_write(w->stream, bytes, strlen(bytes));
	sim_advance(w->loop, 100);
}

void when_stream_ends(struct world *w, bool abruptly, int64_t then_ms)
{
	assert_non_null(w->stream);
	ek_serve_stream_end(w->stream, abruptly);
	w->stream = NULL;
	sim_advance(w->loop, then_ms);
}

/* What the sink was told since the last time it was asked. */
void then_sink_heard(struct world *w, const char *wanted)
{
	size_t n = strlen(w->told);

	if (n > 0)
		w->told[n - 1] = '\0';
	assert_string_equal(w->told, wanted);
	w->told[0] = '\0';
}

void then_query_has(struct world *w, unsigned i, const char *words)
{
	if (i >= w->n_asked)
		fail_msg("only %u requests came, not %u; the wanted one: %s", w->n_asked, i + 1, words);
	if (!strstr(w->asked[i].query, words))
		fail_msg("request %u was \"%s\", without \"%s\"", i, w->asked[i].query, words);
}

void then_query_lacks(struct world *w, unsigned i, const char *words)
{
	assert_true(i < w->n_asked);
	if (strstr(w->asked[i].query, words))
		fail_msg("request %u was \"%s\", with \"%s\"", i, w->asked[i].query, words);
}

/* Ends a story about request i: it resumed the watch at this version. */
void then_watched_from(struct world *w, unsigned i, const char *version)
{
	char words[64];

	then_query_has(w, i, "watch=1");
	then_query_lacks(w, i, "sendInitialEvents");
	snprintf(words, sizeof(words), "resourceVersion=%s", version);
	then_query_has(w, i, words);
}

/* ... or it was a streaming list, not older than this version; NULL: the newest. */
void then_listed_from(struct world *w, unsigned i, const char *version)
{
	char words[64];

	then_query_has(w, i, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	then_query_has(w, i, "allowWatchBookmarks=true");
	snprintf(words, sizeof(words), "&resourceVersion=%s", version ? version : "");
	if (version)
		then_query_has(w, i, words);
	else
		then_query_lacks(w, i, words);
}

void then_came_after(struct world *w, unsigned i, int64_t low, int64_t high)
{
	int64_t ms = w->asked[i].at_ms - w->asked[i - 1].at_ms;

	assert_true(i < w->n_asked);
	if (ms < low || ms > high)
		fail_msg("request %u came %lld ms after the one before, not %lld to %lld", i, (long long)ms, (long long)low,
			(long long)high);
}

const struct ek_reflector_stats *stats_of(struct world *w)
{
	return ek_reflector_stats(w->reflector);
}

void then_watch_is_broken(struct world *w, const char *problem)
{
	assert_true(stats_of(w)->is_broken);
	assert_true(stats_of(w)->broken_since_ms > 0);
	if (!strstr(stats_of(w)->problem, problem))
		fail_msg("the problem is \"%s\", not \"%s\"", stats_of(w)->problem, problem);
}

void then_watch_works(struct world *w)
{
	assert_false(stats_of(w)->is_broken);
	assert_int_equal(stats_of(w)->broken_since_ms, 0);
	assert_string_equal(stats_of(w)->problem, "");
}

struct world *a_synced_world(void)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = VIEW, .ending = OPEN });
	when_reflector_starts(w, 2000);
	then_sink_heard(w, "begin +a +b commit synced");
	return w;
}
