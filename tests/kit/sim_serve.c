/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server side of simulated HTTP: finds who listens, calls its handler, and sends the answer back in
 * pieces. It enforces no bounds on clients: the tests of the real io/serve are where those are shown.
 * Next: sim_file.c.
 */
#include "kit/sim_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_WAITING (16u * 1024 * 1024)

struct ek_serve {
	struct ek_loop *loop;
	struct ek_serve *next;
	struct ek_serve_config config;
	char *host;
	uint16_t port;
	struct ek_serve_stream *streams;
};

struct sim_request {
	struct ek_serve_request request;
	const struct sim_message *message;
};

struct ek_serve_exchange {
	struct ek_serve *serve;
	struct ek_http_call *call;      /* NULL: nobody listens any more */
	const char *origin;
	int status;
};

struct ek_serve_stream {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_serve_stream *next, **prev;
	struct ek_http_call *call;      /* NULL: the peer has left */
	char *origin;
	void (*on_gone)(void *arg);
	void *arg;
	struct ek_timer gone;
};

/* ---- Listening ---- */

static struct ek_serve *find_server(struct ek_loop *loop, const char *origin)
{
	const char *colon = strrchr(origin, ':');
	size_t n = (size_t)(colon - origin);
	const char *host = origin;
	long port = strtol(colon + 1, NULL, 10);

	if (*host == '[') {
		host++;
		n -= 2;
	}
	for (struct ek_serve *serve = loop->servers; serve; serve = serve->next)
		if (serve->port == port && (!*serve->host || !strcmp(serve->host, "0.0.0.0") ||
			(strlen(serve->host) == n && !strncasecmp(serve->host, host, n))))
			return serve;
	return NULL;
}

struct ek_serve *ek_serve_new(struct ek_loop *loop, const struct ek_serve_config *config, struct ek_error *err)
{
	struct ek_serve *serve;

	for (serve = loop->servers; serve; serve = serve->next) {
		if (config->port && serve->port == config->port && !strcmp(serve->host, config->host)) {
			ek_fail(err, EK_RETRY, "cannot listen on %s:%u: address already in use",
				config->host, config->port);
			return NULL;
		}
	}
	serve = ek_xcalloc(1, sizeof(*serve));
	serve->loop = loop;
	serve->config = *config;
	serve->host = ek_xstrdup(config->host);
	serve->port = config->port ? config->port : loop->next_port++;
	serve->next = loop->servers;
	loop->servers = serve;
	return serve;
}

uint16_t ek_serve_port(const struct ek_serve *serve)
{
	return serve->port;
}

static void free_stream(struct ek_serve_stream *stream)
{
	sim_io_disarm(stream->loop, &stream->gone);
	*stream->prev = stream->next;
	if (stream->next)
		stream->next->prev = stream->prev;
	stream->loop->n_streams--;
	free(stream->origin);
	free(stream);
}

void ek_serve_free(struct ek_serve *serve)
{
	struct ek_serve **at;

	if (!serve)
		return;
	while (serve->streams) {
		if (serve->streams->call)
			sim_call_cut(serve->streams->call);
		free_stream(serve->streams);
	}
	for (at = &serve->loop->servers; *at != serve; at = &(*at)->next)
		;
	*at = serve->next;
	free(serve->host);
	free(serve);
}

size_t sim_open_streams(struct ek_loop *loop)
{
	return loop->n_streams;
}

/* ---- Handling ---- */

static const char *find_header(const struct ek_serve_request *request, const char *name)
{
	const struct sim_message *message = ((const struct sim_request *)request)->message;

	for (unsigned i = 0; i < message->n_headers; i++)
		if (!strcasecmp(message->headers[i].name, name))
			return message->headers[i].value;
	return NULL;
}

int sim_serve_handle(struct ek_loop *loop, const struct sim_message *message, struct ek_http_call *call)
{
	struct ek_serve *serve = find_server(loop, message->origin);
	struct ek_serve_exchange exchange = { .serve = serve, .call = call, .origin = message->origin };
	struct sim_request request = {
		.request = {
			.method = message->method,
			.path = message->path,
			.query = message->query,
			.body = message->body,
			.body_bytes = message->body_bytes,
			.header = find_header,
		},
		.message = message,
	};

	if (!serve)
		return 0;
	serve->config.handle(serve->config.arg, &request.request, &exchange);
	if (!exchange.status)
		ek_serve_reply(&exchange, 500, "text/plain", NULL, "no answer", 9);
	if (loop->on_request)
		loop->on_request(loop->on_request_arg, message->method, message->url, exchange.status);
	return exchange.status;
}

static int64_t find_retry_after_ms(const char *headers)
{
	const char *at = headers;

	for (; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncasecmp(at, "Retry-After:", 12))
			return strtol(at + 12, NULL, 10) * 1000;
	return 0;
}

void ek_serve_reply(struct ek_serve_exchange *exchange, int status, const char *content_type,
	const char *headers, const void *body, size_t n)
{
	enum sim_fault fault = sim_origin_of(exchange->serve->loop, exchange->origin)->fault;
	struct ek_http_call *call = exchange->call;

	if (exchange->status)
		EK_BUG("an exchange is answered twice");
	exchange->status = status;
	if (!call)
		return;
	if (fault == SIM_LOSE_REPLY || (fault == SIM_CUT && !n)) {
		sim_call_cut(call);
		return;
	}
	sim_call_head(call, status, content_type, find_retry_after_ms(headers), NULL);
	sim_call_bytes(call, body, fault == SIM_CUT ? n / 2 : n);
	if (fault == SIM_CUT)
		sim_call_cut(call);
	else
		sim_call_end(call);
}

/* ---- Streams ---- */

static void tell_gone(void *arg)
{
	struct ek_serve_stream *stream = arg;
	void (*on_gone)(void *arg) = stream->on_gone;
	void *on_gone_arg = stream->arg;

	free_stream(stream);
	if (on_gone)
		on_gone(on_gone_arg);
}

void sim_stream_gone(struct ek_serve_stream *stream)
{
	stream->call = NULL;
	sim_io_arm(stream->loop, &stream->gone, sim_travel_us(stream->loop, stream->origin));
}

struct ek_serve_stream *ek_serve_stream(struct ek_serve_exchange *exchange, int status,
	const char *content_type, void (*on_gone)(void *arg), void *arg)
{
	struct ek_serve *serve = exchange->serve;
	struct ek_serve_stream *stream = ek_xcalloc(1, sizeof(*stream));

	if (exchange->status)
		EK_BUG("an exchange is answered twice");
	exchange->status = status;
	stream->loop = serve->loop;
	stream->serve = serve;
	stream->call = exchange->call;
	stream->origin = ek_xstrdup(exchange->origin);
	stream->on_gone = on_gone;
	stream->arg = arg;
	ek_timer_init(&stream->gone, tell_gone, stream);
	stream->next = serve->streams;
	stream->prev = &serve->streams;
	if (stream->next)
		stream->next->prev = &stream->next;
	serve->streams = stream;
	serve->loop->n_streams++;
	if (!stream->call) {
		sim_stream_gone(stream);
	} else if (sim_origin_of(serve->loop, stream->origin)->fault == SIM_LOSE_REPLY) {
		sim_call_cut(stream->call);
		sim_stream_gone(stream);
	} else {
		sim_call_head(stream->call, status, content_type, 0, stream);
	}
	return stream;
}

int ek_serve_stream_write(struct ek_serve_stream *stream, const void *bytes, size_t n)
{
	enum sim_fault fault = sim_origin_of(stream->loop, stream->origin)->fault;

	if (!stream->call)
		return EK_OK;
	if (n > MAX_WAITING || sim_call_waiting_bytes(stream->call) > MAX_WAITING - n)
		return EK_TOO_BIG;
	sim_call_bytes(stream->call, bytes, fault == SIM_CUT ? n / 2 : n);
	if (fault == SIM_CUT) {
		sim_call_cut(stream->call);
		sim_stream_gone(stream);
	}
	return EK_OK;
}

void ek_serve_stream_end(struct ek_serve_stream *stream, bool abruptly)
{
	if (stream->call && abruptly)
		sim_call_cut(stream->call);
	else if (stream->call)
		sim_call_end(stream->call);
	free_stream(stream);
}
