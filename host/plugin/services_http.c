/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's HTTP requests: defaults and bounds, then io/http with the instance's TLS settings and credentials.
 * It retries nothing and judges no status; both are the plugin's and the host's policy.
 * Read next: eurekube/host.h for the promises, io/http.h for what keeps them, services_auth.c for the credentials.
 */
#include "plugin/services_inside.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>

#define CONNECT_TIMEOUT_MS  3000
#define TIMEOUT_MS          10000
#define TIMEOUT_MAX_MS      60000
#define BODY_BYTES          (1u << 20)
#define COLLECTED_MAX_BYTES (64u << 20) /* whoever wants more takes it in pieces */
#define HEADERS_MAX         64
#define REQUEST_BODY_MAX    (64u << 20)

struct request {
	struct ek_http_call *call;
	struct ek_services *services;
	void *handle;
	int (*on_body)(void *arg, const char *bytes, uint32_t n_bytes);
	void (*on_done)(void *arg, const struct ek_http_response *response);
	void *arg;
};

static void drop_request(struct request *request)
{
	request->services->n_requests--;
	ek_handle_drop(request->services, request->handle);
	free(request);
}

static void end_request(struct request *request)
{
	ek_http_cancel(request->call);
	drop_request(request);
}

/* ---- The client ---- */

static void describe_tls(const struct ek_services *services, struct ek_http_tls *tls)
{
	const struct ek_services_config *config = &services->config;
	bool is_mtls = config->auth == EK_AUTH_MTLS;

	*tls = (struct ek_http_tls){
		.ca_file = config->ca_file,
		.cert_file = is_mtls ? config->cert_file : NULL,
		.key_file = is_mtls ? config->key_file : NULL,
		.insecure_skip_verify = config->insecure_skip_verify,
	};
}

static void on_tls_file(void *arg)
{
	struct ek_services *services = arg;
	struct ek_http_tls tls;

	describe_tls(services, &tls);
	ek_http_client_set_tls(services->client, &tls);
}

/* A connection keeps what it was made with; a rotated file makes the next ones new. */
static void watch_tls_files(struct ek_services *services, const struct ek_http_tls *tls)
{
	const char *const paths[] = { tls->ca_file, tls->cert_file, tls->key_file };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i])
			services->tls_files[i] = ek_file_watch(services->loop, paths[i], on_tls_file, services);
}

static void make_client(struct ek_services *services)
{
	bool has_header = services->config.auth == EK_AUTH_BASIC || services->config.auth == EK_AUTH_BEARER;
	struct ek_http_client_config config = {
		.name = services->who,
		.max_connections = services->config.connections,
		.authorize = has_header ? ek_services_authorize : NULL,
		.authorize_arg = services,
	};

	describe_tls(services, &config.tls);
	services->client = ek_http_client_new(services->http, &config);
	watch_tls_files(services, &config.tls);
}

void ek_services_http_end(struct ek_services *services)
{
	struct request *request;
	uint32_t at = 0;

	for (size_t i = 0; i < sizeof(services->tls_files) / sizeof(services->tls_files[0]); i++)
		if (services->tls_files[i])
			ek_file_unwatch(services->tls_files[i]);
	while ((request = ek_handle_next(services, EK_HANDLE_REQUEST, &at)))
		end_request(request);
	if (services->client)
		ek_http_client_free(services->client);
	services->client = NULL;
}

/* ---- Callbacks ---- */

static int on_body(void *arg, const char *bytes, size_t n)
{
	struct request *request = arg;
	struct ek_services *services = request->services;
	int code;

	if (services->is_closed)
		return 1;
	ek_services_begin(services, EK_CALL_CALLBACK);
	code = request->on_body(request->arg, bytes, (uint32_t)n); /* may cancel the request */
	ek_services_leave(services);
	return code;
}

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct request *request = arg;
	struct ek_services *services = request->services;
	void (*fn)(void *, const struct ek_http_response *) = request->on_done;
	void *fn_arg = request->arg;
	struct ek_http_response response = {
		.size = sizeof(response),
		.code = result->code,
		.http_status = result->status,
		.body = result->body,
		.body_bytes = (uint32_t)result->body_bytes,
		.content_type = result->content_type,
		.retry_after_ms = result->retry_after_ms,
		.message = result->message,
	};

	drop_request(request);
	if (services->is_closed)
		return;
	ek_services_begin(services, EK_CALL_CALLBACK);
	fn(fn_arg, &response);
	ek_services_leave(services);
}

/* ---- Requests ---- */

static int check_request(const struct ek_services *services, const struct ek_http_request *request, struct ek_error *err)
{
	if (!request)
		return ek_fail(err, EK_INVALID, "the plugin's request is NULL");
	if (request->size < sizeof(*request))
		return ek_fail(err, EK_INVALID, "the plugin's request is %u bytes, but has %zu; set .size", request->size, sizeof(*request));
	if (!request->method || !request->url || !request->on_done)
		return ek_fail(err, EK_INVALID, "the plugin's request lacks its method, URL or on_done");
	if (request->lane > EK_HTTP_LANE_RENEW)
		return ek_fail(err, EK_INVALID, "the plugin's request is for the unknown lane %u", request->lane);
	if (request->n_headers > HEADERS_MAX)
		return ek_fail(err, EK_TOO_BIG, "the plugin's request has %u headers; it may have %d", request->n_headers, HEADERS_MAX);
	if (request->n_headers && !request->headers)
		return ek_fail(err, EK_INVALID, "the plugin's request has headers that are NULL");
	for (uint32_t i = 0; i < request->n_headers; i++)
		if (!request->headers[i] || !ek_text_is_good(request->headers[i]->key, 256) || !ek_text_is_good(request->headers[i]->value, 16384))
			return ek_fail(err, EK_INVALID, "the plugin's request has a header that is NULL, too long or has control characters");
	if (!ek_text_is_good(request->method, 16) || !ek_text_is_good(request->url, 8192))
		return ek_fail(err, EK_INVALID, "the plugin's request has a method or URL that is too long or has control characters");
	if (request->body && request->body_bytes > REQUEST_BODY_MAX)
		return ek_fail(err, EK_TOO_BIG, "the plugin's request has a body of %u bytes; it may have %u", request->body_bytes, REQUEST_BODY_MAX);
	if (services->n_requests >= EK_REQUESTS_MAX)
		return ek_fail(err, EK_TOO_BIG, "the plugin has %u requests under way; it may have %u", services->n_requests, EK_REQUESTS_MAX);
	if (!services->http)
		return ek_fail(err, EK_INVALID, "there is no HTTP for this instance");
	return EK_OK;
}

static int64_t or_default(int64_t value, int64_t otherwise, int64_t maximum)
{
	if (value <= 0)
		return otherwise;
	return value < maximum ? value : maximum;
}

static void describe_request(const struct ek_http_request *request, struct ek_http_header *headers, struct ek_http_req *req)
{
	for (uint32_t i = 0; i < request->n_headers; i++)
		headers[i] = (struct ek_http_header){ .name = request->headers[i]->key, .value = request->headers[i]->value };
	*req = (struct ek_http_req){
		.method = request->method,
		.url = request->url,
		.headers = headers,
		.n_headers = request->n_headers,
		.body = request->body,
		.body_bytes = request->body ? request->body_bytes : 0,
		.connect_timeout_ms = or_default(request->connect_timeout_ms, CONNECT_TIMEOUT_MS, TIMEOUT_MAX_MS),
		.timeout_ms = or_default(request->timeout_ms, TIMEOUT_MS, TIMEOUT_MAX_MS),
		.max_body_bytes = (size_t)or_default(request->max_body_bytes, BODY_BYTES,
			request->on_body ? UINT32_MAX : COLLECTED_MAX_BYTES),
		.lane = request->lane,
		.accept_gzip = request->accept_gzip != 0,
		.on_body = request->on_body ? on_body : NULL,
		.on_done = on_done,
	};
}

/* Whose fault it is that a request is refused is plain: it was made so. */
static void blame_refused(struct ek_services *services, const struct ek_error *err)
{
	if (services->n_requests >= EK_REQUESTS_MAX)
		ek_services_blame(services, EK_MISBEHAVIOUR_TOO_MANY, "has more than %d requests under way", EK_REQUESTS_MAX);
	else
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "makes a request that cannot be sent: %.200s", err->message);
}

/* NULL with `err` filled. */
static struct request *start_request(struct ek_services *services, const struct ek_http_request *given, struct ek_error *err)
{
	struct ek_http_header headers[HEADERS_MAX];
	struct request *request;
	struct ek_http_req req;

	if (!services->client)
		make_client(services);
	describe_request(given, headers, &req);
	request = ek_xcalloc(1, sizeof(*request));
	request->services = services;
	request->on_body = given->on_body;
	request->on_done = given->on_done;
	request->arg = given->arg;
	req.arg = request;
	request->call = ek_http_start(services->client, &req, err);
	if (request->call)
		return request;
	free(request);
	return NULL;
}

struct ek_http_handle *ek_services_http(const struct ek_host *host, const struct ek_http_request *given, struct ek_error *err)
{
	struct ek_services *services = ek_services_of(host);
	struct ek_error own = EK_ERROR_INIT;
	struct request *request = NULL;

	if (!ek_services_is_welcome(services, "http"))
		ek_fail(&own, EK_INVALID, "this instance may not make requests now");
	else if (check_request(services, given, &own) != EK_OK)
		blame_refused(services, &own);
	else
		request = start_request(services, given, &own);
	if (!request) {
		if (err)
			*err = own;
		return NULL;
	}
	services->stats.requests++;
	services->n_requests++;
	request->handle = ek_handle_new(services, EK_HANDLE_REQUEST, request);
	return request->handle;
}

void ek_services_http_cancel(const struct ek_host *host, struct ek_http_handle *handle)
{
	struct ek_services *services = ek_services_of(host);
	struct request *request =
		ek_services_is_welcome(services, "http_cancel") ? ek_handle_find(services, EK_HANDLE_REQUEST, handle, "http_cancel") : NULL;

	if (request)
		end_request(request);
}
