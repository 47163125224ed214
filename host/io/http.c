/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP by libcurl's multi interface on the loop's descriptors and timers: starts and ends transfers, and
 * says of each how it ended. It decides nothing about retries beyond a connection that died in the pool.
 * Next: http_call.c, what is kept of a request.
 */
#include "io/http.h"

#include <eurekube/host.h>

#include "base/alloc.h"
#include "base/http_text.h"
#include "io/http_addresses.h"
#include "io/http_call.h"
#include "io/http_sockets.h"

#include <curl/curl.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_CONNECTIONS     16
#define DEFAULT_WAITING         100000
#define DEFAULT_CONNECT_MS      10000
#define MAX_IDLE_SECONDS        70
#define MAX_IDLE_CONNECTIONS    256
#define MAX_IDLE_HANDLES        32
#define MAX_AUTHORIZATION_BYTES 16384
#define PEER_SILENT_MS          30000

#ifndef EK_VERSION
#define EK_VERSION "0"
#endif

struct ek_http_handle {
	CURL *easy;
	struct ek_http_handle *next;
	uint64_t generation;
	struct curl_slist *connect_to, *resolve;
	char error[CURL_ERROR_SIZE];
};

struct ek_http {
	struct ek_loop *loop;
	CURLM *multi;
	struct ek_timer expiry;          /* libcurl's own */
	struct ek_timer chores;          /* armed when there is something to do outside libcurl */
	struct ek_http_sockets sockets;
	struct ek_http_addresses addresses;
	struct ek_http_client *clients;
	struct ek_http_call *todo;
	bool is_in_curl;                 /* libcurl is on the stack: it must not be entered again */
	bool is_working;
};

static void work(struct ek_http *http);

/* ---- Descriptors and time for libcurl ---- */

static void on_socket(void *arg, int fd, uint32_t events)
{
	struct ek_http *http = arg;
	int running, mask = (events & EK_FD_READABLE ? CURL_CSELECT_IN : 0) |
		(events & EK_FD_WRITABLE ? CURL_CSELECT_OUT : 0);

	http->is_in_curl = true;
	curl_multi_socket_action(http->multi, fd, mask, &running);
	http->is_in_curl = false;
	work(http);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct ek_http *http = arg;
	uint32_t events = 0;

	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EK_FD_READABLE;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EK_FD_WRITABLE;
	return ek_http_sockets_want(&http->sockets, fd, events) ? 0 : -1;
}

static int on_open_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct ek_http *http = arg;
	unsigned silent_ms = PEER_SILENT_MS;
	int n_probes = 3;

	ek_http_sockets_opened(&http->sockets, fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof(silent_ms));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &n_probes, sizeof(n_probes));
	return CURL_SOCKOPT_OK;
}

static int on_close_socket(void *arg, curl_socket_t fd)
{
	struct ek_http *http = arg;

	ek_http_sockets_closing(&http->sockets, fd);
	return close(fd);
}

static void on_expiry(void *arg)
{
	struct ek_http *http = arg;
	int running;

	http->is_in_curl = true;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http->is_in_curl = false;
	work(http);
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct ek_http *http = arg;

	if (ms < 0)
		ek_loop_disarm(http->loop, &http->expiry);
	else
		ek_loop_arm(http->loop, &http->expiry, ms);
	return 0;
}

static void on_chores(void *arg)
{
	work(arg);
}

static void add_todo(struct ek_http_call *call)
{
	struct ek_http *http = call->client->http;
	struct ek_http_call **at = &http->todo;

	if (call->is_todo)
		return;
	call->is_todo = true;
	call->next_todo = NULL;
	while (*at)
		at = &(*at)->next_todo;
	*at = call;
	ek_loop_arm(http->loop, &http->chores, 0);
}

static void drop_todo(struct ek_http_call *call)
{
	struct ek_http_call **at = &call->client->http->todo;

	if (!call->is_todo)
		return;
	while (*at != call)
		at = &(*at)->next_todo;
	*at = call->next_todo;
	call->is_todo = false;
}

/* ---- What libcurl tells of a transfer ---- */

static void tell_head(struct ek_http_call *call)
{
	char type[128], *raw = NULL;
	long status = 0;

	curl_easy_getinfo(call->handle->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || call->has_head)
		return;
	call->has_head = true;
	curl_easy_getinfo(call->handle->easy, CURLINFO_CONTENT_TYPE, &raw);
	ek_content_type_bare(raw, type, sizeof(type));
	call->req.on_head(call->req.arg, (int)status, type);
}

static size_t on_curl_header(char *line, size_t size, size_t n, void *arg)
{
	struct ek_http_call *call = arg;

	n *= size;
	if (call->is_cancelled)
		return 0;
	if (call->req.on_head && n <= 2 && (*line == '\r' || *line == '\n'))
		tell_head(call);
	return call->is_cancelled ? 0 : n;
}

static size_t stop_transfer(struct ek_http_call *call, int code)
{
	call->stop_code = code;
	return CURL_WRITEFUNC_ERROR;
}

static size_t on_curl_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct ek_http_call *call = arg;
	size_t limit = call->req.max_body_bytes;

	n *= size;
	if (call->is_cancelled)
		return CURL_WRITEFUNC_ERROR;
	if (call->is_paused) {
		call->is_stalled = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	call->n_flowed += n;
	if (!call->req.on_body)
		return ek_buf_add(&call->body, bytes, n) ? stop_transfer(call, EK_TOO_BIG) : n;
	if (limit && call->n_flowed > limit)
		return stop_transfer(call, EK_TOO_BIG);
	if (call->req.on_body(call->req.arg, bytes, n) && !call->is_cancelled)
		return stop_transfer(call, EK_CANCELLED);
	return call->is_cancelled ? CURL_WRITEFUNC_ERROR : n;
}

/* Comes each time before a request is sent, also when libcurl tries again because a pooled connection turned out dead. */
static int on_curl_send(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct ek_http_call *call = arg;

	if (call->n_sends && !ek_http_is_idempotent(call->req.method))
		return CURL_PREREQFUNC_ABORT;
	call->n_sends++;
	return CURL_PREREQFUNC_OK;
}

/* ---- Handles ---- */

static void set_blob(CURL *easy, CURLoption option, const struct ek_buf *pem)
{
	struct curl_blob blob = { .data = pem->at, .len = pem->n, .flags = CURL_BLOB_COPY };

	if (pem->n)
		curl_easy_setopt(easy, option, &blob);
}

static void set_tls(CURL *easy, const struct ek_tls_material *tls)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	set_blob(easy, CURLOPT_CAINFO_BLOB, &tls->ca);
	set_blob(easy, CURLOPT_SSLCERT_BLOB, &tls->cert);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, &tls->key);
	if (tls->ca_path)
		curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_path);
	if (tls->insecure_skip_verify) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* What is the same for all requests of a client. */
static void set_habits(CURL *easy, struct ek_http_client *client)
{
	struct ek_http *http = client->http;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PROXY, client->config.proxy_url ? client->config.proxy_url : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "eurekube/" EK_VERSION);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)MAX_IDLE_SECONDS);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, http);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_curl_body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_curl_header);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_curl_send);
	set_tls(easy, &client->tls);
}

static struct ek_http_handle *take_handle(struct ek_http_client *client)
{
	struct ek_http_handle *handle = client->idle;

	if (handle) {
		client->idle = handle->next;
		client->n_idle--;
		return handle;
	}
	handle = ek_xcalloc(1, sizeof(*handle));
	handle->generation = client->generation;
	handle->easy = curl_easy_init();
	if (!handle->easy)
		EK_BUG("libcurl gives no handle");
	curl_easy_setopt(handle->easy, CURLOPT_ERRORBUFFER, handle->error);
	set_habits(handle->easy, client);
	return handle;
}

static void free_handle(struct ek_http_handle *handle)
{
	curl_easy_cleanup(handle->easy);
	curl_slist_free_all(handle->connect_to);
	curl_slist_free_all(handle->resolve);
	free(handle);
}

static void free_idle_handles(struct ek_http_client *client)
{
	while (client->idle) {
		struct ek_http_handle *next = client->idle->next;

		free_handle(client->idle);
		client->idle = next;
	}
	client->n_idle = 0;
}

static void release_handle(struct ek_http_call *call)
{
	struct ek_http_client *client = call->client;
	struct ek_http_handle *handle = call->handle;

	call->handle = NULL;
	if (handle->generation != client->generation || client->n_idle >= MAX_IDLE_HANDLES ||
		handle->connect_to || handle->resolve) {
		free_handle(handle);
		return;
	}
	handle->next = client->idle;
	client->idle = handle;
	client->n_idle++;
}

/* Only a new connection tells something new; behind a proxy the address is the proxy's. */
static void keep_address(struct ek_http_call *call)
{
	long n_connects = 0;
	char *ip = NULL;

	curl_easy_getinfo(call->handle->easy, CURLINFO_NUM_CONNECTS, &n_connects);
	if (!n_connects || call->client->config.proxy_url || call->is_by_address)
		return;
	if (!curl_easy_getinfo(call->handle->easy, CURLINFO_PRIMARY_IP, &ip) && ip && *ip)
		ek_http_addresses_keep(&call->client->http->addresses, call->origin, ip);
}

/* ---- Sending ---- */

static int authorize(struct ek_http_call *call, struct ek_error *err)
{
	const struct ek_http_client_config *config = &call->client->config;
	static const char name[] = "Authorization: ";
	char line[sizeof(name) + MAX_AUTHORIZATION_BYTES];
	int code;

	if (!config->authorize)
		return EK_OK;
	memcpy(line, name, sizeof(name));
	code = config->authorize(config->authorize_arg, line + sizeof(name) - 1, MAX_AUTHORIZATION_BYTES, err);
	if (code == EK_OK && !call->authorization)
		call->authorization = ek_xstrdup(line);
	explicit_bzero(line, sizeof(line));
	return code == EK_GONE ? EK_OK : code;
}

static void add_node(struct ek_http_call *call, unsigned *n, const char *line)
{
	if (!line)
		return;
	call->nodes[*n] = (struct curl_slist){ .data = (char *)line };
	if (*n)
		call->nodes[*n - 1].next = &call->nodes[*n];
	++*n;
}

static void set_headers(struct ek_http_call *call, bool has_body)
{
	unsigned n = 0;

	call->nodes = ek_xrealloc(call->nodes, call->n_lines + 4, sizeof(*call->nodes));
	for (unsigned i = 0; i < call->n_lines; i++)
		add_node(call, &n, call->lines[i]);
	add_node(call, &n, call->host_line);
	add_node(call, &n, call->authorization);
	if (has_body) {
		add_node(call, &n, "Expect:");
		if (!call->has_content_type)
			add_node(call, &n, "Content-Type:");
	}
	curl_easy_setopt(call->handle->easy, CURLOPT_HTTPHEADER, n ? call->nodes : NULL);
}

/* HTTPGET first, since it undoes whatever the handle's last request left behind. */
static void set_method(struct ek_http_call *call)
{
	CURL *easy = call->handle->easy;
	const char *method = call->req.method;
	bool has_body = call->req.body_bytes || !strcmp(method, "POST") || !strcmp(method, "PUT") ||
		!strcmp(method, "PATCH");

	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (!strcmp(method, "HEAD")) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->req.body_bytes);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->req.body);
	}
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	set_headers(call, has_body);
}

static void set_request(struct ek_http_call *call, int64_t timeout_ms)
{
	struct ek_http_handle *handle = call->handle;
	CURL *easy = handle->easy;
	int64_t connect_ms = call->req.connect_timeout_ms;

	handle->error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(easy, CURLOPT_URL, call->req.url);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ms ? connect_ms : DEFAULT_CONNECT_MS));
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, call->req.accept_gzip ? "gzip" : NULL);
	if (call->connect_to) {
		handle->connect_to = curl_slist_append(NULL, call->connect_to);
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, handle->connect_to);
	}
	set_method(call);
}

static void enter_multi(struct ek_http_call *call)
{
	struct ek_http *http = call->client->http;

	http->is_in_curl = true;
	if (curl_multi_add_handle(http->multi, call->handle->easy))
		EK_BUG("libcurl takes no handle");
	http->is_in_curl = false;
	call->state = EK_HTTP_FLYING;
}

static void leave_multi(struct ek_http_call *call)
{
	struct ek_http *http = call->client->http;

	http->is_in_curl = true;
	curl_multi_remove_handle(http->multi, call->handle->easy);
	http->is_in_curl = false;
	call->state = EK_HTTP_WAITING;
}

/* Sends a call that has its place; not while libcurl is on the stack. */
static int fly(struct ek_http_call *call, struct ek_error *err)
{
	struct ek_http_client *client = call->client;
	int64_t timeout_ms = 0;
	int code = EK_OK;

	ek_loop_disarm(client->http->loop, &call->waited);
	if (call->deadline_ms) {
		timeout_ms = call->deadline_ms - ek_loop_now_ms(client->http->loop);
		if (timeout_ms <= 0)
			return ek_fail(err, EK_RETRY, "it could not be sent in time");
	}
	if (call->is_https)
		code = ek_tls_material_retry(&client->tls, err);
	if (code)
		return code;
	code = authorize(call, err);
	if (code)
		return code;
	call->handle = take_handle(client);
	set_request(call, timeout_ms);
	enter_multi(call);
	return EK_OK;
}

/* ---- Ending ---- */

/* Takes the call out of everything; its memory stays. */
static void detach(struct ek_http_call *call)
{
	struct ek_http_client *client = call->client;
	struct ek_http *http = client->http;

	drop_todo(call);
	ek_loop_disarm(http->loop, &call->waited);
	if (call->state == EK_HTTP_FLYING)
		leave_multi(call);
	if (call->handle)
		release_handle(call);
	ek_http_lane_leave(call);
	ek_http_call_unlink(call);
	call->state = EK_HTTP_OVER;
	if (client->lanes[call->req.lane].n_waiting)
		ek_loop_arm(http->loop, &http->chores, 0);
}

static void discard(struct ek_http_call *call)
{
	detach(call);
	ek_http_call_free(call);
}

static void fail(struct ek_http_call *call, int code, const char *message)
{
	struct ek_http_result result = { .code = code, .body = "", .content_type = "", .message = message };

	detach(call);
	call->req.on_done(call->req.arg, &result);
	ek_http_call_free(call);
}

static void on_waited(void *arg)
{
	fail(arg, EK_RETRY, "no connection became free in time");
}

static bool is_tls_refusal(const struct ek_http_call *call, CURLcode curl_code)
{
	switch (curl_code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CLIENTCERT:
		return true;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return call->is_https && strstr(call->handle->error, " alert ");
	default:
		return false;
	}
}

static int classify(const struct ek_http_call *call, CURLcode curl_code)
{
	if (curl_code == CURLE_OK)
		return EK_OK;
	if (call->stop_code)
		return call->stop_code;
	if (is_tls_refusal(call, curl_code))
		return EK_AUTH;
	return call->n_sends ? EK_UNKNOWN : EK_RETRY;
}

static const char *stop_message(int code)
{
	return code == EK_TOO_BIG ? "the response is larger than allowed" : "stopped by the reader";
}

static void finish(struct ek_http_call *call, CURLcode curl_code)
{
	CURL *easy = call->handle->easy;
	struct ek_http_result result = { .code = classify(call, curl_code), .curl_code = (int)curl_code,
		.message = "" };
	char type[128], message[CURL_ERROR_SIZE + 300], *raw_type = NULL;
	curl_off_t retry_after = 0;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &raw_type);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
	ek_content_type_bare(raw_type, type, sizeof(type));
	if (result.code) {
		const char *why = call->stop_code ? stop_message(call->stop_code) :
			call->handle->error[0] ? call->handle->error : curl_easy_strerror(curl_code);

		snprintf(message, sizeof(message), "%s: %s", call->origin, why);
		result.message = message;
	} else {
		keep_address(call);
	}
	result.status = (int)status;
	result.content_type = type;
	result.retry_after_ms = (int64_t)retry_after * 1000;
	result.body = call->body.at;
	result.body_bytes = call->body.n;
	detach(call);
	call->req.on_done(call->req.arg, &result);
	ek_http_call_free(call);
}

/* Once more by the last good address, if the name cannot be resolved and there is one. */
static bool try_by_address(struct ek_http_call *call, CURLcode curl_code)
{
	const char *ip = ek_http_addresses_find(&call->client->http->addresses, call->origin);
	char line[400];

	if (curl_code != CURLE_COULDNT_RESOLVE_HOST || call->is_by_address || !ip)
		return false;
	leave_multi(call);
	call->is_by_address = true;
	snprintf(line, sizeof(line), "+%s:%s", call->origin, ip);
	call->handle->resolve = curl_slist_append(NULL, line);
	curl_easy_setopt(call->handle->easy, CURLOPT_RESOLVE, call->handle->resolve);
	call->handle->error[0] = '\0';
	enter_multi(call);
	return true;
}

/* ---- The work between libcurl's turns ---- */

static void do_todo(struct ek_http *http)
{
	struct ek_http_call *call;

	while ((call = http->todo)) {
		struct ek_error err = EK_ERROR_INIT;

		drop_todo(call);
		if (call->is_cancelled) {
			discard(call);
		} else if (call->state == EK_HTTP_WAITING) {
			if (fly(call, &err))
				fail(call, err.code, err.message);
		} else if (call->is_stalled && !call->is_paused) {
			call->is_stalled = false;
			http->is_in_curl = true;
			curl_easy_pause(call->handle->easy, CURLPAUSE_CONT);
			http->is_in_curl = false;
		}
	}
}

static void read_messages(struct ek_http *http)
{
	const CURLMsg *message;
	int n_left;

	while ((message = curl_multi_info_read(http->multi, &n_left))) {
		CURLcode curl_code = message->data.result;
		struct ek_http_call *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		if (!try_by_address(call, curl_code))
			finish(call, curl_code);
	}
}

static void start_waiting(struct ek_http_client *client)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ek_http_call *call;

		while (!client->is_closing &&
			(call = ek_http_lane_next(&client->lanes[i], client->config.max_connections))) {
			struct ek_error err = EK_ERROR_INIT;

			if (fly(call, &err))
				fail(call, err.code, err.message);
		}
	}
}

static void free_client(struct ek_http_client *client)
{
	struct ek_http_client **at = &client->http->clients;

	while (client->calls)
		discard(client->calls);
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	free_idle_handles(client);
	ek_tls_material_clear(&client->tls);
	free((char *)client->config.name);
	free((char *)client->config.proxy_url);
	free(client);
}

static void free_closing_clients(struct ek_http *http)
{
	struct ek_http_client *client, *next;

	for (client = http->clients; client; client = next) {
		next = client->next;
		if (client->is_closing)
			free_client(client);
	}
}

static void work(struct ek_http *http)
{
	http->is_working = true;
	do_todo(http);
	read_messages(http);
	for (struct ek_http_client *client = http->clients; client; client = client->next)
		start_waiting(client);
	http->is_working = false;
	free_closing_clients(http);
}

/* ---- The interface ---- */

struct ek_http *ek_http_new(struct ek_loop *loop)
{
	struct ek_http *http = ek_xcalloc(1, sizeof(*http));

	curl_global_init(CURL_GLOBAL_DEFAULT);
	http->loop = loop;
	ek_http_sockets_init(&http->sockets, loop, on_socket, http);
	ek_timer_init(&http->expiry, on_expiry, http);
	ek_timer_init(&http->chores, on_chores, http);
	http->multi = curl_multi_init();
	if (!http->multi)
		EK_BUG("libcurl does not start");
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return http;
}

void ek_http_free(struct ek_http *http)
{
	if (!http)
		return;
	if (http->is_in_curl || http->is_working)
		EK_BUG("the HTTP engine is freed by one of its callbacks");
	while (http->clients)
		free_client(http->clients);
	http->is_in_curl = true;
	curl_multi_cleanup(http->multi);
	ek_loop_disarm(http->loop, &http->expiry);
	ek_loop_disarm(http->loop, &http->chores);
	ek_http_sockets_clear(&http->sockets);
	ek_http_addresses_clear(&http->addresses);
	free(http);
	curl_global_cleanup();
}

struct ek_http_client *ek_http_client_new(struct ek_http *http, const struct ek_http_client_config *config)
{
	struct ek_http_client *client = ek_xcalloc(1, sizeof(*client));

	client->http = http;
	client->config = *config;
	client->config.name = ek_xstrdup(config->name ? config->name : "");
	client->config.proxy_url = ek_xstrdup(config->proxy_url);
	if (!client->config.max_connections)
		client->config.max_connections = DEFAULT_CONNECTIONS;
	if (!client->config.max_waiting)
		client->config.max_waiting = DEFAULT_WAITING;
	ek_tls_material_init(&client->tls, &config->tls);
	for (unsigned i = 0; i < 2; i++)
		client->lanes[i].tail = &client->lanes[i].first;
	client->next = http->clients;
	http->clients = client;
	return client;
}

void ek_http_client_free(struct ek_http_client *client)
{
	struct ek_http_call *call, *next;

	if (!client || client->is_closing)
		return;
	if (!client->http->is_in_curl && !client->http->is_working) {
		free_client(client);
		return;
	}
	client->is_closing = true;
	for (call = client->calls; call; call = next) {
		next = call->next;
		ek_http_cancel(call);
	}
	ek_loop_arm(client->http->loop, &client->http->chores, 0);
}

void ek_http_client_set_tls(struct ek_http_client *client, const struct ek_http_tls *tls)
{
	ek_tls_material_clear(&client->tls);
	ek_tls_material_init(&client->tls, tls);
	client->generation++;
	free_idle_handles(client);
}

struct ek_http_call *ek_http_start(struct ek_http_client *client, const struct ek_http_req *req,
	struct ek_error *err)
{
	struct ek_http *http = client->http;
	struct ek_http_call *call;

	if (client->is_closing)
		EK_BUG("a request is started by a freed HTTP client");
	if (ek_http_call_new(client, req, &call, err))
		return NULL;
	ek_timer_init(&call->waited, on_waited, call);
	if (req->timeout_ms > 0)
		call->deadline_ms = ek_loop_now_ms(http->loop) + req->timeout_ms;
	if (!ek_http_lane_has_room(call)) {
		if (client->lanes[call->req.lane].n_waiting >= client->config.max_waiting) {
			discard(call);
			ek_fail(err, EK_RETRY, "too many requests to %s are waiting", client->config.name);
			return NULL;
		}
		ek_http_lane_wait(call);
		if (call->deadline_ms)
			ek_loop_arm(http->loop, &call->waited, req->timeout_ms);
		return call;
	}
	ek_http_lane_grant(call);
	if (http->is_in_curl) {
		add_todo(call);
	} else if (fly(call, err)) {
		discard(call);
		return NULL;
	}
	return call;
}

void ek_http_cancel(struct ek_http_call *call)
{
	if (!call || call->state == EK_HTTP_OVER || call->is_cancelled)
		return;
	if (call->client->http->is_in_curl) {
		call->is_cancelled = true;
		ek_loop_disarm(call->client->http->loop, &call->waited);
		add_todo(call);
	} else {
		discard(call);
	}
}

void ek_http_pause(struct ek_http_call *call, bool is_paused)
{
	if (call->state == EK_HTTP_OVER || call->is_cancelled)
		return;
	call->is_paused = is_paused;
	if (!is_paused && call->is_stalled)
		add_todo(call);
}
