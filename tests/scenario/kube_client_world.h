/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of the tests of the Kubernetes client: a server that answers as it is told, and one caller, in simulated time.
 */
#ifndef EK_TESTS_SCENARIO_KUBE_CLIENT_WORLD_H
#define EK_TESTS_SCENARIO_KUBE_CLIENT_WORLD_H

#include "kube/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/serve.h"
#include "kit/sim.h"
#include "kit/sim_process.h"

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_http *http;
	struct ek_kube *kube;
	/* the server */
	int status;
	const char *answer, *headers;
	const char *good_token; /* anything else is answered 401; NULL: all are good */
	unsigned n_asked;
	char method[16], path[256], query[256], body[256], authorization[8192], content_type[64], accept[64], user[64];
	/* the caller */
	unsigned n_done, n_heads;
	struct ek_kube_reply reply;
	char reply_body[8192], reason[64], message[256], streamed[256];
};

static inline void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static inline void on_request(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;
	char wanted[64];

	w->n_asked++;
	copy(w->method, sizeof(w->method), request->method);
	copy(w->path, sizeof(w->path), request->path);
	copy(w->query, sizeof(w->query), request->query);
	copy(w->body, sizeof(w->body), request->body);
	copy(w->authorization, sizeof(w->authorization), request->header(request, "Authorization"));
	copy(w->content_type, sizeof(w->content_type), request->header(request, "Content-Type"));
	copy(w->user, sizeof(w->user), request->header(request, "Impersonate-User"));
	copy(w->accept, sizeof(w->accept), request->header(request, "Accept"));
	snprintf(wanted, sizeof(wanted), "Bearer %s", w->good_token ? w->good_token : "");
	if (w->good_token && strcmp(wanted, w->authorization) != 0)
		ek_serve_reply(exchange, 401, "application/json", NULL, "{}", 2);
	else
		ek_serve_reply(exchange, w->status, "application/json", w->headers, w->answer, strlen(w->answer));
}

static inline void on_done(void *arg, const struct ek_kube_reply *reply)
{
	struct world *w = arg;

	w->n_done++;
	w->reply = *reply;
	copy(w->reply_body, sizeof(w->reply_body), reply->body);
	copy(w->reason, sizeof(w->reason), reply->reason);
	copy(w->message, sizeof(w->message), reply->message);
}

static inline void on_head(void *arg)
{
	((struct world *)arg)->n_heads++;
}

static inline int on_body(void *arg, const char *bytes, size_t n)
{
	struct world *w = arg;
	size_t at = strlen(w->streamed);

	snprintf(w->streamed + at, sizeof(w->streamed) - at, "%.*s", (int)n, bytes);
	return 0;
}

static inline struct world *a_world_of(struct ek_kube_config kube)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct ek_serve_config serve = { .host = "kube", .port = 80, .handle = on_request, .arg = w };
	struct ek_error err = EK_ERROR_INIT;

	ek_log_set_level(EK_LOG_ERROR);
	w->loop = sim_loop_new(3);
	w->serve = ek_serve_new(w->loop, &serve, NULL);
	w->http = ek_http_new(w->loop);
	w->kube = ek_kube_new(w->loop, w->http, &kube, &err);
	if (!w->kube)
		fail_msg("%s", err.message);
	w->status = 200;
	w->answer = "{}";
	return w;
}

static inline struct world *a_world(const char *server, const char *token, const char *token_file)
{
	return a_world_of((struct ek_kube_config){ .server = (char *)server, .token = (char *)token, .token_file = (char *)token_file });
}

static inline void end_of(struct world *w)
{
	ek_kube_free(w->kube);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	sim_file_clear();
	sim_program = (struct sim_program){ 0 };
	free(w);
}

static inline struct ek_kube_call *send(struct world *w, const char *method, const char *path, const char *body)
{
	const struct ek_kube_request request = { .method = method, .path = path, .body = body, .body_bytes = body ? strlen(body) : 0, .content_type = "application/merge-patch+json", .on_done = on_done, .arg = w };

	return ek_kube_call(w->kube, &request, NULL);
}

static inline void when_called(struct world *w, const char *method, const char *path, const char *body)
{
	unsigned before = w->n_done;

	assert_non_null(send(w, method, path, body));
	assert_int_equal(w->n_done, before);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, before + 1);
}

static inline void when_streamed(struct world *w)
{
	const struct ek_kube_stream_request request = { .path = "/api/v1/services?watch=1", .on_head = on_head, .on_body = on_body, .on_done = on_done, .arg = w };

	w->n_done = 0;
	assert_non_null(ek_kube_stream(w->kube, &request, NULL));
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 1);
}

#endif
