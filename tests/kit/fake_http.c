/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripted answers and the reading of requests, for the stand-in servers.
 * It knows neither Kubernetes nor Eureka.
 * Next: fake_kube.c and fake_eureka.c, which use it.
 */
#include "kit/fake_http.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fake_http_rule {
	struct fake_http_rule *next;
	struct fake_rule rule;
	char *strings[5];
};

/* An answer that is held back: hung, or on its way. */
struct fake_http_late {
	struct fake_http *http;
	struct fake_http_late *next, **prev;
	struct ek_serve_stream *stream;
	struct ek_timer timer;
	char *body;
};

void fake_http_init(struct fake_http *http, struct ek_loop *loop)
{
	memset(http, 0, sizeof(*http));
	http->loop = loop;
}

static void free_late(struct fake_http_late *late)
{
	ek_loop_disarm(late->http->loop, &late->timer);
	*late->prev = late->next;
	if (late->next)
		late->next->prev = late->prev;
	free(late->body);
	free(late);
}

void fake_http_drop_rules(struct fake_http *http)
{
	while (http->rules) {
		struct fake_http_rule *rule = http->rules;

		http->rules = rule->next;
		for (unsigned i = 0; i < 5; i++)
			free(rule->strings[i]);
		free(rule);
	}
}

void fake_http_clear(struct fake_http *http)
{
	fake_http_drop_rules(http);
	while (http->late)
		free_late(http->late);
}

void fake_http_add_rule(struct fake_http *http, const struct fake_rule *rule)
{
	struct fake_http_rule *copy = ek_xcalloc(1, sizeof(*copy));
	struct fake_http_rule **at = &http->rules;

	copy->rule = *rule;
	copy->rule.method = copy->strings[0] = ek_xstrdup(rule->method);
	copy->rule.path = copy->strings[1] = ek_xstrdup(rule->path);
	copy->rule.query = copy->strings[2] = ek_xstrdup(rule->query);
	copy->rule.headers = copy->strings[3] = ek_xstrdup(rule->headers);
	copy->rule.body = copy->strings[4] = ek_xstrdup(rule->body);
	if (!copy->rule.times)
		copy->rule.times = 1;
	if (!copy->rule.status)
		copy->rule.status = 500;
	while (*at)
		at = &(*at)->next;
	*at = copy;
}

static bool does_match(const struct fake_rule *rule, const struct ek_serve_request *request)
{
	return rule->times && (!rule->method || !strcmp(rule->method, request->method)) &&
		(!rule->path || !strncmp(request->path, rule->path, strlen(rule->path))) &&
		(!rule->query || strstr(request->query, rule->query));
}

/* The rule that decides this request, one use of it taken. */
static struct fake_rule *take_rule(struct fake_http *http, const struct ek_serve_request *request)
{
	for (struct fake_http_rule *at = http->rules; at; at = at->next) {
		if (!does_match(&at->rule, request))
			continue;
		if (at->rule.skip) {
			at->rule.skip--;
			return NULL;
		}
		if (at->rule.times != FAKE_ALWAYS)
			at->rule.times--;
		return &at->rule;
	}
	return NULL;
}

static void on_gone(void *arg)
{
	free_late(arg);
}

static void send_late(void *arg)
{
	struct fake_http_late *late = arg;

	ek_serve_stream_write(late->stream, late->body, strlen(late->body));
	ek_serve_stream_end(late->stream, false);
	free_late(late);
}

/* delay_ms < 0: for ever. */
static void hold_back(struct fake_http *http, struct ek_serve_exchange *exchange, int status,
	const char *content_type, const char *body, int64_t delay_ms)
{
	struct fake_http_late *late = ek_xcalloc(1, sizeof(*late));

	late->http = http;
	late->body = ek_xstrdup(body);
	late->next = http->late;
	late->prev = &http->late;
	if (late->next)
		late->next->prev = &late->next;
	http->late = late;
	ek_timer_init(&late->timer, send_late, late);
	late->stream = ek_serve_stream(exchange, status, content_type, on_gone, late);
	if (delay_ms >= 0)
		ek_loop_arm(http->loop, &late->timer, delay_ms);
}

static void cut(struct ek_serve_exchange *exchange, int status)
{
	ek_serve_stream_end(ek_serve_stream(exchange, status, "application/json", NULL, NULL), true);
}

bool fake_http_begin(struct fake_http *http, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange)
{
	const struct fake_rule *rule = take_rule(http, request);
	char *own = NULL;

	http->has_action = rule;
	if (!rule)
		return false;
	http->n_matched++;
	http->action = rule->action;
	http->delay_ms = rule->delay_ms;
	switch (rule->action) {
	case FAKE_ANSWER:
		if (!rule->body && http->default_body)
			own = http->default_body(rule->status);
		http->has_action = false;
		fake_http_reply(http, exchange, rule->status, "application/json", rule->headers,
			rule->body ? rule->body : own ? own : "");
		free(own);
		return true;
	case FAKE_HANG:
		hold_back(http, exchange, 200, "application/json", "", -1);
		return true;
	case FAKE_CUT:
		cut(exchange, 200);
		return true;
	default:
		return false;
	}
}

void fake_http_reply(struct fake_http *http, struct ek_serve_exchange *exchange, int status,
	const char *content_type, const char *headers, const char *body)
{
	if (http->has_action && http->action == FAKE_LOSE)
		cut(exchange, status);
	else if (http->has_action && http->action == FAKE_DELAY)
		hold_back(http, exchange, status, content_type, body, http->delay_ms);
	else
		ek_serve_reply(exchange, status, content_type, headers, body, strlen(body));
}

bool fake_http_is_empty(const struct fake_http *http)
{
	return http->has_action && http->action == FAKE_EMPTY;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode(const char *text, size_t n, char plus, char *out, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i] == '+' ? plus : text[i];

		if (c == '%') {
			if (i + 2 >= n || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
				return false;
			c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
			i += 2;
		}
		if (at + 1 >= size)
			return false;
		out[at++] = c;
	}
	out[at] = '\0';
	return true;
}

bool fake_decode(const char *text, size_t n, char *out, size_t size)
{
	return decode(text, n, '+', out, size);
}

bool fake_query(const char *query, const char *name, char *value, size_t size)
{
	size_t n_name = strlen(name);

	*value = '\0';
	while (*query) {
		size_t n = strcspn(query, "&");

		if (n >= n_name && !strncmp(query, name, n_name) && (n == n_name || query[n_name] == '=')) {
			size_t skip = n == n_name ? n : n_name + 1;

			return decode(query + skip, n - skip, ' ', value, size);
		}
		query += n + (query[n] == '&');
	}
	return false;
}

void fake_time(int64_t wall_ms, unsigned decimals, char text[40])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	unsigned ms = (unsigned)(wall_ms % 1000);
	struct tm tm;
	char date[24];

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	if (decimals == 6)
		snprintf(text, 40, "%s.%03u000Z", date, ms);
	else if (decimals == 3)
		snprintf(text, 40, "%s.%03uZ", date, ms);
	else
		snprintf(text, 40, "%sZ", date);
}
