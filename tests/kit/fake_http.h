/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both stand-in servers share: reading a request, and scripted answers. Servers are written against io/serve.h alone, so
 * the same code answers simulated requests and real sockets.
 *
 * A rule says what happens to the next requests that match it. Rules are tried in the order they were added; the first that
 * matches and is not used up decides. A server asks fake_http_begin first and answers by fake_http_reply.
 */
#ifndef EK_KIT_FAKE_HTTP_H
#define EK_KIT_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/serve.h"

#define FAKE_ALWAYS UINT32_MAX

enum fake_action {
	FAKE_ANSWER,   /* this status, these headers and body, and nothing happens */
	FAKE_HANG,     /* a head, then silence until the client leaves; nothing happens */
	FAKE_CUT,      /* a head, then the connection breaks; nothing happens */
	FAKE_LOSE,     /* it happens, but the connection breaks before the answer */
	FAKE_DELAY,    /* it happens, and the whole answer comes delay_ms later */
	FAKE_EMPTY,    /* lists only: an empty one, as if all were well */
};

/* All strings are copied. */
struct fake_rule {
	const char *method;        /* NULL: any */
	const char *path;          /* beginning of the raw path; NULL: any */
	const char *query;         /* part of the raw query; NULL: any */
	uint32_t skip;             /* so many matching requests go through first */
	uint32_t times;            /* 0: once */
	enum fake_action action;
	int status;                /* ANSWER; 0: 500 */
	const char *headers;       /* ANSWER: "Retry-After: 1\n"; NULL none */
	const char *body;          /* ANSWER: JSON; NULL: what the server writes for that status */
	int64_t delay_ms;
};

struct fake_http_rule;
struct fake_http_late;
struct fake_http {
	struct ek_loop *loop;
	struct fake_http_rule *rules;
	struct fake_http_late *late;
	enum fake_action action;       /* what is to be done with the answer now under way */
	bool has_action;
	int64_t delay_ms;
	uint32_t n_matched;            /* requests that a rule decided */
	/* Writes the server's own body for a status; NULL: empty. The result is freed with free(). */
	char *(*default_body)(int status);
};

void fake_http_init(struct fake_http *http, struct ek_loop *loop);
void fake_http_clear(struct fake_http *http);          /* after the listener is gone */
void fake_http_add_rule(struct fake_http *http, const struct fake_rule *rule);
void fake_http_drop_rules(struct fake_http *http);

/* True when a rule has answered already. */
bool fake_http_begin(struct fake_http *http, const struct ek_serve_request *request, struct ek_serve_exchange *exchange);
void fake_http_reply(struct fake_http *http, struct ek_serve_exchange *exchange, int status, const char *content_type,
	const char *headers, const char *body);
bool fake_http_is_empty(const struct fake_http *http); /* the rule for this request says FAKE_EMPTY */

/* A query parameter decoded into `value`; false (and "") when it is not there. */
bool fake_query(const char *query, const char *name, char *value, size_t size);
/* Decodes percent-encoding; false when it is broken. */
bool fake_decode(const char *text, size_t n, char *out, size_t size);

/* RFC 3339 in UTC, with 0, 3 or 6 decimals. */
void fake_time(int64_t wall_ms, unsigned decimals, char text[40]);

#endif
