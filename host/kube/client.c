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
#include <strings.h>

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
	struct ek_http_header impersonation[EK_KUBE_MAX_IMPERSONATION];
	unsigned n_impersonation;
	struct ek_kube_call *calls;
};

struct ek_kube_call {
	struct ek_kube *kube;
	struct ek_kube_call *next, **prev;
	struct ek_http_call *http;
	char *url;
	/* The caller's while ek_kube_call runs; our own, then wiped with the call, while it waits for a credential. */
	const char *method, *content_type;
	const void *body;
	size_t body_bytes;
	bool is_kept, is_waiting;
	int64_t waits_since_ms;
	uint64_t generation;   /* of the credential that it was sent with */
	struct ek_timer late;  /* fails it from outside of libcurl: with late_code and late_message */
	int late_code;
	const char *late_message;
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

/* ---- Failing on a later turn ---- */

static void unlink_call(struct ek_kube_call *call)
{
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
}

static void forget_request(struct ek_kube_call *call)
{
	if (call->is_kept) {
		if (call->body)
			explicit_bzero((void *)call->body, call->body_bytes);
		free((void *)call->method);
		free((void *)call->content_type);
		free((void *)call->body);
	}
	call->is_kept = false;
	call->method = call->content_type = NULL;
	call->body = NULL;
	call->body_bytes = 0;
}

static void free_call(struct ek_kube_call *call)
{
	ek_loop_disarm(call->kube->loop, &call->late);
	forget_request(call);
	ek_buf_clear(&call->error_body);
	free(call->url);
	free(call);
}

static void finish(struct ek_kube_call *call, const struct ek_kube_reply *reply)
{
	unlink_call(call);
	call->on_done(call->arg, reply);
	free_call(call);
}

static void fail_call(struct ek_kube_call *call, int code, const char *message)
{
	const struct ek_kube_reply reply = { .code = code, .body = "", .reason = "", .message = message };

	finish(call, &reply);
}

static void on_late(void *arg)
{
	struct ek_kube_call *call = arg;

	fail_call(call, call->late_code, call->late_message);
}

/* message: stays valid. */
static void fail_later(struct ek_kube_call *call, int code, const char *message, int64_t delay_ms)
{
	call->late_code = code;
	call->late_message = message;
	ek_loop_arm(call->kube->loop, &call->late, delay_ms);
}

/* ---- Credentials ---- */

static void cut_streams(struct ek_kube *kube)
{
	for (struct ek_kube_call *call = kube->calls; call; call = call->next) {
		if (!call->is_stream || !call->http)
			continue;
		ek_http_cancel(call->http);
		call->http = NULL;
		fail_later(call, EK_UNKNOWN, "our certificate has changed; connecting anew", 0);
	}
}

/* Open streams would go on in the name of the old certificate; short calls end by themselves. */
static void follow_changes(struct ek_kube *kube, unsigned changed)
{
	struct ek_http_tls tls;

	if (!changed)
		return;
	ek_credentials_tls(kube->credentials, &tls);
	ek_http_client_set_tls(kube->http, &tls);
	if (changed & EK_CREDENTIALS_CERTIFICATE)
		cut_streams(kube);
}

static void renew_credentials(struct ek_kube *kube)
{
	int64_t now = ek_loop_now_ms(kube->loop);

	if (!kube->must_reread && now - kube->read_at_ms < REREAD_PERIOD_MS)
		return;
	kube->must_reread = false;
	kube->read_at_ms = now;
	follow_changes(kube, ek_credentials_refresh(kube->credentials));
}

/* The one that has waited longest: calls are linked in at the front. */
static struct ek_kube_call *find_waiting(const struct ek_kube *kube)
{
	struct ek_kube_call *found = NULL;

	for (struct ek_kube_call *call = kube->calls; call; call = call->next)
		if (call->is_waiting)
			found = call;
	return found;
}

static void resume_call(struct ek_kube_call *call);

static void on_run_end(void *arg, unsigned changed)
{
	struct ek_kube *kube = arg;
	struct ek_kube_call *call;

	follow_changes(kube, changed);
	while ((call = find_waiting(kube)))
		resume_call(call);
}

/* Go's "socks5" leaves names to the proxy; libcurl calls that socks5h. */
static char *proxy_for_curl(const char *url)
{
	struct ek_buf buf;

	if (!url || strncasecmp(url, "socks5://", 9) != 0)
		return ek_xstrdup(url);
	ek_buf_init(&buf, 1 << 16);
	ek_buf_addf(&buf, "socks5h://%s", url + 9);
	return ek_buf_take(&buf);
}

static void copy_impersonation(struct ek_kube *kube, const struct ek_kube_header *headers)
{
	for (; headers && headers->name && kube->n_impersonation < EK_KUBE_MAX_IMPERSONATION; headers++)
		kube->impersonation[kube->n_impersonation++] = (struct ek_http_header){ ek_xstrdup(headers->name), ek_xstrdup(headers->value) };
}

struct ek_kube *ek_kube_new(struct ek_loop *loop, struct ek_http *http, const struct ek_kube_config *config,
	struct ek_error *err)
{
	struct ek_kube *kube = ek_xcalloc(1, sizeof(*kube));
	struct ek_http_client_config client = { .name = "kubernetes", .authorize = ek_credentials_authorize };
	char *proxy;

	kube->credentials = ek_credentials_new(loop, config, on_run_end, kube, err);
	if (!kube->credentials) {
		free(kube);
		return NULL;
	}
	proxy = proxy_for_curl(config->proxy_url);
	client.proxy_url = proxy;
	client.authorize_arg = kube->credentials;
	ek_credentials_tls(kube->credentials, &client.tls);
	kube->loop = loop;
	kube->server = ek_xstrdup(config->server);
	kube->read_at_ms = ek_loop_now_ms(loop);
	copy_impersonation(kube, config->impersonation);
	kube->http = ek_http_client_new(http, &client);
	free(proxy);
	return kube;
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
	for (unsigned i = 0; i < kube->n_impersonation; i++) {
		free((char *)kube->impersonation[i].name);
		free((char *)kube->impersonation[i].value);
	}
	free(kube->server);
	free(kube);
}

const char *ek_kube_server(const struct ek_kube *kube)
{
	return kube->server;
}

/* ---- One call ---- */

static int send_call(struct ek_kube_call *call, struct ek_error *err);

static bool is_good(int status)
{
	return status >= 200 && status < 300;
}

/* There may be a newer credential, on disk or from its plugin: asking again costs nothing and changes nothing. */
static bool repeat(struct ek_kube_call *call, const struct ek_http_result *result)
{
	struct ek_credentials *credentials = call->kube->credentials;

	if (result->code == EK_OK)
		ek_credentials_answered(credentials, call->generation, result->status == 401);
	if (result->code != EK_OK || result->status != 401)
		return false;
	call->kube->must_reread = true;
	if (!call->is_get || call->was_repeated || !ek_credentials_can_change(credentials) ||
		ek_credentials_prepare(credentials) == EK_EXEC_FAILED)
		return false;
	call->was_repeated = true;
	call->status = 0;
	ek_buf_reset(&call->error_body);
	return send_call(call, NULL) == EK_OK;
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
	finish(call, &reply);
}

static void on_http_head(void *arg, int status, const char *content_type)
{
	struct ek_kube_call *call = arg;

	call->status = status;
	if (is_good(status))
		ek_credentials_answered(call->kube->credentials, call->generation, false);
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

static void add_header(struct ek_http_header *headers, unsigned *n, const char *name, const char *value)
{
	headers[(*n)++] = (struct ek_http_header){ name, value };
}

static int start_http(struct ek_kube_call *call, struct ek_error *err)
{
	const struct ek_kube *kube = call->kube;
	struct ek_http_header headers[3 + EK_KUBE_MAX_IMPERSONATION];
	struct ek_http_req req = {
		.method = call->method ? call->method : "GET",
		.url = call->url,
		.headers = headers,
		.body = call->body,
		.body_bytes = call->body_bytes,
		.timeout_ms = call->timeout_ms,
		.max_body_bytes = call->max_body_bytes,
		.accept_gzip = call->accept_gzip,
		.own_connection = call->is_stream,
		.arg = call,
		.on_head = call->is_stream ? on_http_head : NULL,
		.on_body = call->is_stream ? on_http_body : NULL,
		.on_done = on_http_done,
	};

	add_header(headers, &req.n_headers, "Accept", "application/json");
	add_header(headers, &req.n_headers, "User-Agent", USER_AGENT);
	for (unsigned i = 0; i < kube->n_impersonation; i++)
		headers[req.n_headers++] = kube->impersonation[i];
	if (call->body)
		add_header(headers, &req.n_headers, "Content-Type", call->content_type ? call->content_type : "application/json");
	call->generation = ek_credentials_generation(kube->credentials);
	call->http = ek_http_start(kube->http, &req, err);
	forget_request(call);
	return call->http ? EK_OK : EK_RETRY;
}

/* The caller's strings are gone by the time the credential is there. */
static void wait_for_credential(struct ek_kube_call *call)
{
	if (!call->is_kept) {
		void *body = call->body ? ek_xmalloc(call->body_bytes + 1) : NULL;

		if (body)
			memcpy(body, call->body, call->body_bytes);
		call->method = ek_xstrdup(call->method);
		call->content_type = ek_xstrdup(call->content_type);
		call->body = body;
		call->is_kept = true;
	}
	call->is_waiting = true;
	call->waits_since_ms = ek_loop_now_ms(call->kube->loop);
	if (call->timeout_ms)
		fail_later(call, EK_RETRY, "the credential plugin has not answered in time; see the log for what it says", call->timeout_ms);
}

/* Sends, waits for a credential, or fails on a later turn. */
static int send_call(struct ek_kube_call *call, struct ek_error *err)
{
	struct ek_credentials *credentials = call->kube->credentials;

	renew_credentials(call->kube);
	switch (ek_credentials_prepare(credentials)) {
	case EK_EXEC_READY:
		return start_http(call, err);
	case EK_EXEC_WAITING:
		wait_for_credential(call);
		return EK_OK;
	case EK_EXEC_FAILED:
		forget_request(call);
		fail_later(call, EK_AUTH, ek_credentials_failure(credentials), 0);
		return EK_OK;
	}
	EK_BUG("unknown state of the credentials");
}

/* A run has ended, well or not; what was waited counts as part of the call's time. */
static void resume_call(struct ek_kube_call *call)
{
	int64_t waited_ms = ek_loop_now_ms(call->kube->loop) - call->waits_since_ms;
	struct ek_error err = EK_ERROR_INIT;

	call->is_waiting = false;
	ek_loop_disarm(call->kube->loop, &call->late);
	if (call->timeout_ms)
		call->timeout_ms = call->timeout_ms > waited_ms ? call->timeout_ms - waited_ms : 1;
	if (send_call(call, &err) != EK_OK)
		fail_call(call, err.code, err.message);
}

static struct ek_kube_call *new_call(struct ek_kube *kube, const char *path)
{
	struct ek_kube_call *call = ek_xcalloc(1, sizeof(*call));
	struct ek_buf url;

	ek_buf_init(&url, 1 << 20);
	ek_buf_addf(&url, "%s%s", kube->server, path);
	call->url = ek_buf_take(&url);
	call->kube = kube;
	ek_timer_init(&call->late, on_late, call);
	ek_buf_init(&call->error_body, ERROR_BODY_BYTES);
	call->next = kube->calls;
	call->prev = &kube->calls;
	if (call->next)
		call->next->prev = &call->next;
	kube->calls = call;
	return call;
}

static struct ek_kube_call *start(struct ek_kube_call *call, struct ek_error *err)
{
	if (send_call(call, err) == EK_OK)
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
	call->method = request->method;
	call->content_type = request->content_type;
	call->body = request->body;
	call->body_bytes = request->body_bytes;
	call->on_done = request->on_done;
	call->arg = request->arg;
	return start(call, err);
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
	return start(call, err);
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
