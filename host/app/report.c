/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers the listeners: health, readiness, and where the longer texts come from. Liveness says only that the loop turns; it never depends on the API server or
 * a registry. Read metrics.c next.
 */
#include "app/report.h"

#include <string.h>

#include "app/run.h"

#define BROKEN_LIMIT_MS 60000
#define TEXT_LIMIT (8u << 20)

static bool is_watch_good(struct ek_app *app, const struct ek_watch *watch, char *why, size_t size)
{
	const struct ek_reflector_stats *stats = ek_reflector_stats(watch->reflector);
	int64_t broken_ms;

	if (!stats->is_synced) {
		snprintf(why, size, "not synced yet%s%s", stats->problem[0] ? ": " : "", stats->problem);
		return false;
	}
	broken_ms = stats->is_broken ? ek_loop_now_ms(app->with.loop) - stats->broken_since_ms : 0;
	if (broken_ms < BROKEN_LIMIT_MS)
		return true;
	snprintf(why, size, "broken for %lld s: %s", (long long)(broken_ms / 1000), stats->problem);
	return false;
}

/* One line; with the age of what was heard last, and what the view holds, for people. */
static bool reply_watch(struct ek_app *app, const struct ek_watch *watch, struct ek_buf *out)
{
	const struct ek_reflector_stats *stats = ek_reflector_stats(watch->reflector);
	int64_t now = ek_loop_now_ms(app->with.loop);
	char why[400];
	bool is_good = is_watch_good(app, watch, why, sizeof(why));

	ek_buf_addf(out, "[%c]watch-%s%s%s", is_good ? '+' : '-', watch->resource, watch->namespace_ ? "/" : "", watch->namespace_ ? watch->namespace_ : "");
	if (!is_good)
		ek_buf_addf(out, " failed: %s\n", why);
	else
		ek_buf_addf(out, " ok (%llu events, last %lld s ago, %llu lists, %llu bytes)\n", (unsigned long long)stats->events,
		            (long long)((now - stats->last_event_ms) / 1000), (unsigned long long)stats->lists, (unsigned long long)stats->bytes);
	return is_good;
}

/* A watch that only some modes need harms their syncers alone, and these are told: the operator is ready all the same. */
static void reply_ready(struct ek_app *app, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	bool is_verbose = strncmp(request->query, "verbose", 7) == 0, is_ready = app->engine && app->engine->is_started;
	struct ek_buf out;

	ek_buf_init(&out, 1u << 20);
	if (!app->watches.n)
		ek_buf_adds(&out, "[-]watches failed: not begun yet\n");
	for (unsigned i = 0; i < app->watches.n; i++)
		is_ready = (reply_watch(app, &app->watches.at[i], &out) || app->watches.at[i].read) && is_ready;
	if (is_ready && !is_verbose) {
		ek_buf_reset(&out);
		ek_buf_adds(&out, "ok");
	} else {
		ek_buf_addf(&out, "readyz check %s\n", is_ready ? "passed" : "failed");
	}
	ek_serve_reply(exchange, is_ready ? 200 : 503, "text/plain; charset=utf-8", NULL, out.at, out.n);
	ek_buf_clear(&out);
}

static void reply_text(struct ek_app *app, struct ek_serve_exchange *exchange, const char *content_type, void (*write)(struct ek_app *app, struct ek_buf *out))
{
	struct ek_buf out;

	ek_buf_init(&out, TEXT_LIMIT);
	write(app, &out);
	if (out.is_over)
		ek_serve_reply(exchange, 500, "text/plain", NULL, "too big\n", 8);
	else
		ek_serve_reply(exchange, 200, content_type, NULL, out.at, out.n);
	ek_buf_clear(&out);
}

static bool is_read(const struct ek_serve_request *request)
{
	return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static void reply_error(struct ek_serve_exchange *exchange, int status, const char *text)
{
	ek_serve_reply(exchange, status, "text/plain; charset=utf-8", NULL, text, strlen(text));
}

void ek_report_public(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct ek_app *app = arg;

	if (!is_read(request))
		reply_error(exchange, 405, "only GET and HEAD are answered here\n");
	else if (strcmp(request->path, "/healthz") == 0 || strcmp(request->path, "/livez") == 0)
		ek_serve_reply(exchange, 200, "text/plain; charset=utf-8", NULL, "ok", 2);
	else if (strcmp(request->path, "/readyz") == 0)
		reply_ready(app, request, exchange);
	else if (strcmp(request->path, "/metrics") == 0)
		reply_text(app, exchange, "text/plain; version=0.0.4; charset=utf-8", ek_metrics_write);
	else
		reply_error(exchange, 404, "there is /healthz, /readyz and /metrics\n");
}

void ek_report_debug(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct ek_app *app = arg;

	if (!is_read(request))
		reply_error(exchange, 405, "only GET and HEAD are answered here\n");
	else if (strcmp(request->path, "/debug/state") == 0)
		reply_text(app, exchange, "application/json", ek_state_write);
	else if (strcmp(request->path, "/debug/plugins") == 0)
		reply_text(app, exchange, "application/json", ek_plugins_write);
	else
		reply_error(exchange, 404, "there is /debug/state and /debug/plugins\n");
}
