/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners: libmicrohttpd parses and answers, the loop waits, and we accept ourselves, so that running
 * out of descriptors is survived. It routes nothing and speaks no TLS.
 * Next: serve.h, what a handler may do.
 */
#include "io/serve.h"

#include <eurekube/host.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "io/listen.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_CONNECTIONS  64
#define DEFAULT_BODY         (64u * 1024)
#define CONNECTION_MEMORY    (32u * 1024)      /* bounds the header of a request */
#define DEFAULT_TIMEOUT_MS   10000
#define SWEEP_MS             1000
#define MAX_WAITING          (16u * 1024 * 1024)
#define STREAM_BLOCK         16384
#define BACKLOG              128

/* A connection. Its deadline ends those that send their request byte by byte. */
struct peer {
	struct ek_serve *serve;
	struct peer *next, **prev;
	int fd;
	int64_t request_due_ms;      /* 0: a request is being answered */
	struct ek_serve_stream *stream;
};

struct request {
	struct ek_serve_request request;
	struct peer *peer;
	struct MHD_Connection *connection;
	char *uri;
	struct ek_buf body;
	bool is_begun, is_handled;
};

struct ek_serve {
	struct ek_loop *loop;
	struct ek_serve_config config;
	struct MHD_Daemon *daemon;
	struct ek_fd *daemon_watch, *listen_watch;
	int listen_fd, reserve_fd;
	uint16_t port;
	struct ek_timer run, sweep;
	bool is_wanted;                      /* to run again, whatever the daemon says */
	struct peer *peers;
	uint32_t n_peers;
	bool is_closing;
};

struct ek_serve_exchange {
	struct request *request;
	bool is_answered;
};

/* Held by its user until it is ended or gone, and by the connection until that is over. */
struct ek_serve_stream {
	struct ek_serve *serve;
	struct MHD_Connection *connection;   /* NULL: over */
	struct ek_fd *watch;                 /* notices that the peer leaves while nothing is written */
	int fd;
	struct ek_buf waiting;
	size_t n_sent;                       /* of what waits */
	bool is_suspended, is_ended, is_cut, is_peer_gone, has_user;
	void (*on_gone)(void *arg);
	void *arg;
};

/* ---- Running libmicrohttpd ---- */

static void run(void *arg)
{
	struct ek_serve *serve = arg;
	MHD_UNSIGNED_LONG_LONG ms;

	serve->is_wanted = false;
	MHD_run(serve->daemon);
	if (serve->is_wanted) /* a stream was resumed in a handler; nothing on a descriptor will tell of it */
		ek_loop_arm(serve->loop, &serve->run, 0);
	else if (MHD_get_timeout(serve->daemon, &ms) == MHD_YES)
		ek_loop_arm(serve->loop, &serve->run, ms < SWEEP_MS ? (int64_t)ms : SWEEP_MS);
	else
		ek_loop_disarm(serve->loop, &serve->run);
}

static void run_soon(struct ek_serve *serve)
{
	serve->is_wanted = true;
	ek_loop_arm(serve->loop, &serve->run, 0);
}

static void on_daemon_ready(void *arg, uint32_t events)
{
	run(arg);
}

/* ---- Connections ---- */

static void resume_listening(struct ek_serve *serve)
{
	if (!serve->is_closing && serve->n_peers < serve->config.max_connections)
		ek_loop_update_fd(serve->listen_watch, EK_FD_READABLE);
}

static void sweep(void *arg)
{
	struct ek_serve *serve = arg;
	int64_t now_ms = ek_loop_now_ms(serve->loop);

	for (struct peer *peer = serve->peers; peer; peer = peer->next)
		if (peer->request_due_ms && now_ms > peer->request_due_ms)
			shutdown(peer->fd, SHUT_RDWR);
	resume_listening(serve);
	if (serve->peers)
		ek_loop_arm(serve->loop, &serve->sweep, SWEEP_MS);
}

static void add_peer(struct ek_serve *serve, struct MHD_Connection *connection, void **context)
{
	struct peer *peer = ek_xcalloc(1, sizeof(*peer));

	peer->serve = serve;
	peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	peer->request_due_ms = ek_loop_now_ms(serve->loop) + serve->config.request_timeout_ms;
	peer->next = serve->peers;
	peer->prev = &serve->peers;
	if (peer->next)
		peer->next->prev = &peer->next;
	serve->peers = peer;
	serve->n_peers++;
	*context = peer;
	if (!ek_timer_is_armed(&serve->sweep))
		ek_loop_arm(serve->loop, &serve->sweep, SWEEP_MS);
}

static void drop_peer(struct peer *peer)
{
	struct ek_serve *serve = peer->serve;

	*peer->prev = peer->next;
	if (peer->next)
		peer->next->prev = peer->prev;
	serve->n_peers--;
	free(peer);
	resume_listening(serve);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_peer(arg, connection, context);
	else if (*context)
		drop_peer(*context);
}

/* No descriptor is left: with the one in reserve the caller is sent away instead of being left to knock for ever. */
static void turn_away(struct ek_serve *serve)
{
	int fd;

	EK_WARN(NULL, "out of descriptors, a connection is refused", EK_I("port", serve->port));
	if (serve->reserve_fd >= 0)
		close(serve->reserve_fd);
	fd = accept4(serve->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	serve->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (serve->reserve_fd < 0 || fd < 0) {
		ek_loop_update_fd(serve->listen_watch, 0);
		ek_loop_arm(serve->loop, &serve->sweep, SWEEP_MS);
	}
}

static bool accept_one(struct ek_serve *serve)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof(address);
	int fd = accept4(serve->listen_fd, (struct sockaddr *)&address, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		int number = errno;

		if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM)
			turn_away(serve);
		return number == EINTR || number == ECONNABORTED;
	}
	MHD_add_connection(serve->daemon, fd, (struct sockaddr *)&address, n);
	return true;
}

static void on_listen(void *arg, uint32_t events)
{
	struct ek_serve *serve = arg;

	for (unsigned i = 0; i < BACKLOG; i++) {
		if (serve->n_peers >= serve->config.max_connections) {
			ek_loop_update_fd(serve->listen_watch, 0);
			break;
		}
		if (!accept_one(serve))
			break;
	}
	run(serve);
}

/* ---- Requests ---- */

static const char *find_header(const struct ek_serve_request *request, const char *name)
{
	return MHD_lookup_connection_value(((const struct request *)request)->connection, MHD_HEADER_KIND,
		name);
}

/* Comes first, with the URI as it was sent; what it returns is the request's context from then on. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct ek_serve *serve = arg;
	struct request *request = ek_xcalloc(1, sizeof(*request));

	request->connection = connection;
	request->uri = ek_xstrdup(uri);
	request->peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	ek_buf_init(&request->body, serve->config.max_body_bytes);
	return request;
}

static bool is_name_in(const char *host, size_t n, const char *name)
{
	return strlen(name) == n && !strncasecmp(host, name, n);
}

/* A page of another site, whose name was made to point here, says that name in Host. */
static bool is_localhost_name(const char *host)
{
	size_t n;
	struct in_addr address;
	char text[INET_ADDRSTRLEN];

	if (!host)
		return false;
	n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (is_name_in(host, n, "localhost") || is_name_in(host, n, "[::1]"))
		return true;
	if (n >= sizeof(text))
		return false;
	memcpy(text, host, n);
	text[n] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

static void reply_text(struct ek_serve_exchange *exchange, int status, const char *text)
{
	ek_serve_reply(exchange, status, "text/plain", NULL, text, strlen(text));
}

static void handle(struct ek_serve *serve, struct request *request, const char *method)
{
	struct ek_serve_exchange exchange = { .request = request };
	char *query = strchr(request->uri, '?');

	request->is_handled = true;
	request->peer->request_due_ms = 0;
	if (query)
		*query++ = '\0';
	request->request = (struct ek_serve_request){
		.method = method,
		.path = request->uri,
		.query = query ? query : "",
		.body = request->body.at,
		.body_bytes = request->body.n,
		.header = find_header,
	};
	if (serve->config.only_localhost_names && !is_localhost_name(find_header(&request->request, "Host")))
		reply_text(&exchange, 403, "this address answers only as localhost\n");
	else if (request->body.is_over)
		reply_text(&exchange, 413, "the request is too large\n");
	else
		serve->config.handle(serve->config.arg, &request->request, &exchange);
	if (!exchange.is_answered)
		reply_text(&exchange, 500, "no answer\n");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *n_upload, void **context)
{
	struct request *request = *context;

	if (!request)
		return MHD_NO;
	if (!request->is_begun) {
		request->is_begun = true;
		return MHD_YES;
	}
	if (*n_upload) {
		ek_buf_add(&request->body, upload, *n_upload);
		*n_upload = 0;
		return MHD_YES;
	}
	if (!request->is_handled)
		handle(arg, request, method);
	return MHD_YES;
}

static void end_stream(struct ek_serve_stream *stream);

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	struct ek_serve *serve = arg;
	struct request *request = *context;

	if (!request)
		return;
	*context = NULL;
	/* The idle time and the next request each may take as long. */
	request->peer->request_due_ms = ek_loop_now_ms(serve->loop) + 2 * serve->config.request_timeout_ms;
	if (request->peer->stream)
		end_stream(request->peer->stream);
	request->peer->stream = NULL;
	ek_buf_clear(&request->body);
	free(request->uri);
	free(request);
}

/* ---- Answers ---- */

static void add_headers(struct MHD_Response *response, const char *headers)
{
	const char *end;

	for (; headers && *headers; headers = *end ? end + 1 : end) {
		const char *colon = strchr(headers, ':');
		char name[128], value[1024];

		end = headers + strcspn(headers, "\n");
		if (!colon || colon > end)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(colon - headers), headers);
		colon++;
		colon += *colon == ' ';
		snprintf(value, sizeof(value), "%.*s", (int)(end - colon), colon);
		MHD_add_response_header(response, name, value);
	}
}

static void queue(struct ek_serve_exchange *exchange, int status, const char *content_type,
	struct MHD_Response *response)
{
	if (!response)
		EK_BUG("libmicrohttpd gives no response");
	if (exchange->is_answered)
		EK_BUG("an exchange is answered twice");
	exchange->is_answered = true;
	if (content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_queue_response(exchange->request->connection, (unsigned)status, response);
	MHD_destroy_response(response);
}

void ek_serve_reply(struct ek_serve_exchange *exchange, int status, const char *content_type,
	const char *headers, const void *body, size_t n)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(n, (void *)(n ? body : ""), MHD_RESPMEM_MUST_COPY);

	if (response)
		add_headers(response, headers);
	queue(exchange, status, content_type, response);
}

/* ---- Streams ---- */

static void resume(struct ek_serve_stream *stream)
{
	if (!stream->is_suspended)
		return;
	stream->is_suspended = false;
	MHD_resume_connection(stream->connection);
	run_soon(stream->serve);
}

static ssize_t read_stream(void *arg, uint64_t position, char *bytes, size_t max)
{
	struct ek_serve_stream *stream = arg;
	size_t n = stream->waiting.n - stream->n_sent;

	if (stream->is_peer_gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n) {
		n = n < max ? n : max;
		memcpy(bytes, stream->waiting.at + stream->n_sent, n);
		stream->n_sent += n;
		if (stream->n_sent == stream->waiting.n) {
			stream->n_sent = 0;
			if (stream->waiting.room > 4 * STREAM_BLOCK)
				ek_buf_clear(&stream->waiting);
			else
				ek_buf_reset(&stream->waiting);
		}
		return (ssize_t)n;
	}
	if (stream->is_ended)
		return stream->is_cut ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	stream->is_suspended = true;
	MHD_suspend_connection(stream->connection);
	return 0;
}

/* libmicrohttpd does not look at suspended connections, so a peer that leaves is noticed here. */
static void on_stream_readable(void *arg, uint32_t events)
{
	struct ek_serve_stream *stream = arg;
	char byte;
	ssize_t n = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	ek_loop_update_fd(stream->watch, 0);
	if (n > 0)
		return;          /* the next request, too early; it waits */
	stream->is_peer_gone = true;
	resume(stream);
}

static void free_stream(struct ek_serve_stream *stream)
{
	ek_buf_clear(&stream->waiting);
	free(stream);
}

/* The connection is over, or the answer is complete. */
static void end_stream(struct ek_serve_stream *stream)
{
	ek_loop_unwatch_fd(stream->watch);
	stream->watch = NULL;
	stream->connection = NULL;
	if (stream->has_user && !stream->serve->is_closing && stream->on_gone)
		stream->on_gone(stream->arg);
	free_stream(stream);
}

struct ek_serve_stream *ek_serve_stream(struct ek_serve_exchange *exchange, int status,
	const char *content_type, void (*on_gone)(void *arg), void *arg)
{
	struct request *request = exchange->request;
	struct ek_serve_stream *stream = ek_xcalloc(1, sizeof(*stream));

	stream->serve = request->peer->serve;
	stream->connection = request->connection;
	stream->fd = request->peer->fd;
	stream->has_user = true;
	stream->on_gone = on_gone;
	stream->arg = arg;
	ek_buf_init(&stream->waiting, SIZE_MAX);
	stream->watch = ek_loop_watch_fd(stream->serve->loop, stream->fd, EK_FD_READABLE, on_stream_readable,
		stream, NULL);
	request->peer->stream = stream;
	queue(exchange, status, content_type, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
		STREAM_BLOCK, read_stream, stream, NULL));
	return stream;
}

int ek_serve_stream_write(struct ek_serve_stream *stream, const void *bytes, size_t n)
{
	size_t n_waiting = stream->waiting.n - stream->n_sent;

	if (n > MAX_WAITING || n_waiting > MAX_WAITING - n)
		return EK_TOO_BIG;
	if (stream->n_sent > MAX_WAITING) {
		ek_buf_drop_front(&stream->waiting, stream->n_sent);
		stream->n_sent = 0;
	}
	ek_buf_add(&stream->waiting, bytes, n);
	if (n)
		resume(stream);
	return EK_OK;
}

void ek_serve_stream_end(struct ek_serve_stream *stream, bool abruptly)
{
	stream->has_user = false;
	stream->is_ended = true;
	stream->is_cut = abruptly;
	resume(stream);
}

/* ---- Listening ---- */

static struct MHD_Daemon *start_daemon(struct ek_serve *serve)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_request, serve,
		MHD_OPTION_CONNECTION_LIMIT, serve->config.max_connections,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((serve->config.request_timeout_ms + 999) / 1000),
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, serve,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, serve,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, serve,
		MHD_OPTION_END);
}

struct ek_serve *ek_serve_new(struct ek_loop *loop, const struct ek_serve_config *config, struct ek_error *err)
{
	struct ek_serve *serve;
	int fd = ek_listen(config->host, config->port, err);

	if (fd < 0)
		return NULL;
	serve = ek_xcalloc(1, sizeof(*serve));
	serve->loop = loop;
	serve->config = *config;
	serve->config.host = NULL;
	if (!serve->config.max_connections)
		serve->config.max_connections = DEFAULT_CONNECTIONS;
	if (!serve->config.max_body_bytes)
		serve->config.max_body_bytes = DEFAULT_BODY;
	if (serve->config.request_timeout_ms <= 0)
		serve->config.request_timeout_ms = DEFAULT_TIMEOUT_MS;
	serve->listen_fd = fd;
	serve->port = ek_listen_port(fd);
	serve->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	serve->daemon = start_daemon(serve);
	if (!serve->daemon)
		EK_BUG("libmicrohttpd does not start");
	ek_timer_init(&serve->run, run, serve);
	ek_timer_init(&serve->sweep, sweep, serve);
	serve->listen_watch = ek_loop_watch_fd(loop, fd, EK_FD_READABLE, on_listen, serve, NULL);
	serve->daemon_watch = ek_loop_watch_fd(loop,
		MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EK_FD_READABLE,
		on_daemon_ready, serve, NULL);
	return serve;
}

static void resume_all(struct ek_serve *serve)
{
	for (struct peer *peer = serve->peers; peer; peer = peer->next) {
		if (!peer->stream)
			continue;
		peer->stream->is_peer_gone = true;
		resume(peer->stream);
	}
}

void ek_serve_free(struct ek_serve *serve)
{
	if (!serve)
		return;
	serve->is_closing = true;
	ek_loop_unwatch_fd(serve->listen_watch);
	ek_loop_unwatch_fd(serve->daemon_watch);
	close(serve->listen_fd);
	resume_all(serve);
	MHD_stop_daemon(serve->daemon);
	ek_loop_disarm(serve->loop, &serve->run);
	ek_loop_disarm(serve->loop, &serve->sweep);
	if (serve->reserve_fd >= 0)
		close(serve->reserve_fd);
	free(serve);
}

uint16_t ek_serve_port(const struct ek_serve *serve)
{
	return serve->port;
}
