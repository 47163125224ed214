/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends requests to the API server and gives their answers a meaning; renews credentials on the way.
 * It has no policy: no caching, no retry beyond the one repeat of a GET that a fresh token may save, no rate limit.
 * Read next: status.c for what answers mean, credentials.c for who we are, reflector.c for the main caller.
 */
#include "kube/client.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "kube/credentials.h"
#include "kube/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 30000
#define DEFAULT_BODY_BYTES (4u << 20)
#define ERROR_BODY_BYTES   (64u << 10)
#define REREAD_PERIOD_MS   50000 /* the kubelet renews a token long before it expires; client-go looks as often */

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "unknown"
#endif

/* Must not begin as curl, Wget or Mozilla do: the server would send indented JSON, twice as large. */
#define USER_AGENT "eurekube/" EK_VERSION " (linux/" ARCHITECTURE ") kubernetes/v1"

struct ek_kube {
	struct ek_loop *loop;
	struct ek_http_client *http;
	struct ek_credentials *credentials;
	char *server;
	int64_t read_at_ms; /* when the credentials were last read */
	bool must_reread;
	struct ek_kube_call *calls;
};

struct ek_kube_call {
	struct ek_kube *kube;
	struct ek_kube_call *next, **prev;
	struct ek_http_call *http;
	char *url;
	bool is_get, is_stream, was_repeated, accept_gzip;
	int64_t timeout_ms;
	size_t max_body_bytes;
	int status; /* of a stream, once known */
	struct ek_buf error_body;
	void (*on_head)(void *arg);
	int (*on_body)(void *arg, const char *bytes, size_t n);
	void (*on_done)(void *arg, const struct ek_kube_reply *reply);
	void *arg;
};

static void renew_credentials(struct ek_kube *kube)
{
	int64_t now = ek_loop_now_ms(kube->loop);
	struct ek_http_tls tls;

	if (!kube->must_reread && now - kube->read_at_ms < REREAD_PERIOD_MS)
		return;
	kube->must_reread = false;
	kube->read_at_ms = now;
	if (!ek_credentials_refresh(kube->credentials))
		return;
	ek_credentials_tls(kube->credentials, &tls);
	ek_http_client_set_tls(kube->http, &tls);
}

struct ek_kube *ek_kube_new(struct ek_loop *loop, struct ek_http *http, const struct ek_kube_config *config,
	struct ek_error *err)
{
	struct ek_credentials *credentials = ek_credentials_new(config, err);
	struct ek_http_client_config client = {
		.name = "kubernetes",
		.proxy_url = config->proxy_url,
		.authorize = ek_credentials_authorize,
		.authorize_arg = credentials,
	};
	struct ek_kube *kube;

	if (!credentials)
		return NULL;
	ek_credentials_tls(credentials, &client.tls);
	kube = ek_xcalloc(1, sizeof(*kube));
	kube->loop = loop;
	kube->credentials = credentials;
	kube->server = ek_xstrdup(config->server);
	kube->read_at_ms = ek_loop_now_ms(loop);
	kube->http = ek_http_client_new(http, &client);
	return kube;
}

static void unlink_call(struct ek_kube_call *call)
{
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
}

static void free_call(struct ek_kube_call *call)
{
	ek_buf_clear(&call->error_body);
	free(call->url);
	free(call);
}

void ek_kube_free(struct ek_kube *kube)
{
	struct ek_kube_call *call;

	if (!kube)
		return;
	ek_http_client_free(kube->http);
	while ((call = kube->calls)) {
		unlink_call(call);
		free_call(call);
	}
	ek_credentials_free(kube->credentials);
	free(kube->server);
	free(kube);
}

const char *ek_kube_server(const struct ek_kube *kube)
{
	return kube->server;
}

/* ---- One call ---- */

static int send_call(struct ek_kube_call *call, const struct ek_kube_request *request, struct ek_error *err);

static bool is_good(int status)
{
	return status >= 200 && status < 300;
}

/* A token may have been renewed on disk since it was read: asking again costs nothing and changes nothing. */
static bool repeat(struct ek_kube_call *call, const struct ek_http_result *result)
{
	if (result->code != EK_OK || result->status != 401)
		return false;
	call->kube->must_reread = true;
	if (!call->is_get || call->was_repeated || !ek_credentials_can_change(call->kube->credentials))
		return false;
	call->was_repeated = true;
	call->status = 0;
	ek_buf_reset(&call->error_body);
	return send_call(call, NULL, NULL) == EK_OK;
}

static void explain_status(struct ek_kube_reply *reply, struct ek_kube_status *status)
{
	ek_kube_status_read(reply->body, reply->body_bytes, status);
	reply->code = ek_kube_status_code(reply->status);
	reply->reason = status->reason;
	if (!status->message[0])
		snprintf(status->message, sizeof(status->message), "the API server answered %d", reply->status);
	reply->message = status->message;
	if (status->retry_after_ms > reply->retry_after_ms)
		reply->retry_after_ms = status->retry_after_ms;
}

static void on_http_done(void *arg, const struct ek_http_result *result)
{
	struct ek_kube_call *call = arg;
	struct ek_kube_status status;
	struct ek_kube_reply reply = {
		.code = result->code,
		.status = result->status,
		.body = call->is_stream ? call->error_body.at : result->body,
		.body_bytes = call->is_stream ? call->error_body.n : result->body_bytes,
		.reason = "",
		.message = result->code == EK_OK ? "" : result->message,
		.retry_after_ms = result->retry_after_ms,
	};

	call->http = NULL;
	if (repeat(call, result))
		return;
	if (result->code == EK_OK && !is_good(result->status))
		explain_status(&reply, &status);
	if (result->code == EK_AUTH)
		call->kube->must_reread = true; /* TLS refused: certificates may have been rotated */
	unlink_call(call);
	call->on_done(call->arg, &reply);
	free_call(call);
}

static void on_http_head(void *arg, int status, const char *content_type)
{
	struct ek_kube_call *call = arg;

	call->status = status;
	if (is_good(status) && call->on_head)
		call->on_head(call->arg);
}

static int on_http_body(void *arg, const char *bytes, size_t n)
{
	struct ek_kube_call *call = arg;

	if (is_good(call->status))
		return call->on_body(call->arg, bytes, n);
	if (n > ERROR_BODY_BYTES - call->error_body.n)
		n = ERROR_BODY_BYTES - call->error_body.n;
	ek_buf_add(&call->error_body, bytes, n);
	return 0;
}

/* request: NULL when a GET is repeated. */
static int send_call(struct ek_kube_call *call, const struct ek_kube_request *request, struct ek_error *err)
{
	const struct ek_http_header headers[] = {
		{ "Accept", "application/json" },
		{ "User-Agent", USER_AGENT },
		{ "Content-Type", request && request->content_type ? request->content_type : "application/json" },
	};
	struct ek_http_req req = {
		.method = request ? request->method : "GET",
		.url = call->url,
		.headers = headers,
		.n_headers = request && request->body ? 3 : 2,
		.body = request ? request->body : NULL,
		.body_bytes = request ? request->body_bytes : 0,
		.timeout_ms = call->timeout_ms,
		.max_body_bytes = call->max_body_bytes,
		.accept_gzip = call->accept_gzip,
		.own_connection = call->is_stream,
		.arg = call,
		.on_head = call->is_stream ? on_http_head : NULL,
		.on_body = call->is_stream ? on_http_body : NULL,
		.on_done = on_http_done,
	};

	renew_credentials(call->kube);
	call->http = ek_http_start(call->kube->http, &req, err);
	return call->http ? EK_OK : EK_RETRY;
}

static struct ek_kube_call *new_call(struct ek_kube *kube, const char *path)
{
	struct ek_kube_call *call = ek_xcalloc(1, sizeof(*call));
	struct ek_buf url;

	ek_buf_init(&url, 1 << 20);
	ek_buf_addf(&url, "%s%s", kube->server, path);
	call->url = ek_buf_take(&url);
	call->kube = kube;
	ek_buf_init(&call->error_body, ERROR_BODY_BYTES);
	call->next = kube->calls;
	call->prev = &kube->calls;
	if (call->next)
		call->next->prev = &call->next;
	kube->calls = call;
	return call;
}

static struct ek_kube_call *start(struct ek_kube_call *call, const struct ek_kube_request *request,
	struct ek_error *err)
{
	if (send_call(call, request, err) == EK_OK)
		return call;
	unlink_call(call);
	free_call(call);
	return NULL;
}

struct ek_kube_call *ek_kube_call(struct ek_kube *kube, const struct ek_kube_request *request, struct ek_error *err)
{
	struct ek_kube_call *call = new_call(kube, request->path);

	call->is_get = strcmp(request->method, "GET") == 0;
	call->timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
	call->max_body_bytes = request->max_body_bytes ? request->max_body_bytes : DEFAULT_BODY_BYTES;
	call->on_done = request->on_done;
	call->arg = request->arg;
	return start(call, request, err);
}

struct ek_kube_call *ek_kube_stream(struct ek_kube *kube, const struct ek_kube_stream_request *request,
	struct ek_error *err)
{
	struct ek_kube_call *call = new_call(kube, request->path);

	call->is_get = true;
	call->is_stream = true;
	call->timeout_ms = request->deadline_ms;
	call->accept_gzip = request->accept_gzip;
	call->on_head = request->on_head;
	call->on_body = request->on_body;
	call->on_done = request->on_done;
	call->arg = request->arg;
	return start(call, NULL, err);
}

void ek_kube_cancel(struct ek_kube_call *call)
{
	if (!call)
		return;
	if (call->http)
		ek_http_cancel(call->http);
	unlink_call(call);
	free_call(call);
}
