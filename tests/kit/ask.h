/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's own HTTP client in the simulation: asks a server and waits for the answer, or opens a stream and reads its lines. For
 * tests of servers; the operator has its own client.
 */
#ifndef EK_KIT_ASK_H
#define EK_KIT_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "io/http.h"
#include "io/loop.h"

struct ask {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_http_client *client;
	const char *origin;        /* "http://kube:6443" */
	const char *accept;        /* NULL: application/json */
	const char *more_name, *more_value;      /* one more header, NULL none */
	/* The last answer. */
	int code, status;
	bool is_done;
	char *body;
};

struct ask_stream {
	struct ask *ask;
	struct ek_http_call *call;
	char *text;                /* what has come so far */
	size_t n, at;              /* at: behind the last line that was taken */
	int code, status;
	bool is_done;
};

void ask_init(struct ask *ask, struct ek_loop *loop, const char *origin);
void ask_clear(struct ask *ask);
/* Gives the status, 0 when the request failed (see code). type NULL: application/json. */
int ask_send(struct ask *ask, const char *method, const char *path, const char *type, const char *body);
int ask_get(struct ask *ask, const char *path);
bool ask_has(const struct ask *ask, const char *text);         /* in the body */

void ask_open(struct ask *ask, struct ask_stream *stream, const char *path);
void ask_close(struct ask_stream *stream);
/* The next whole line without its end, waited for at most 5 s; NULL: none came. Valid until the next call. */
const char *ask_line(struct ask_stream *stream);
bool ask_is_silent(struct ask_stream *stream);                 /* for the next 200 ms, and not ended */
bool ask_ends(struct ask_stream *stream);                      /* within 5 s; then code tells how */

#endif
