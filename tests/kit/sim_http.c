/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client side of simulated HTTP: queues, budgets, deadlines, and the pieces of each answer on their
 * way. There are no connections to reuse here, no TLS and no compression; faults are whole and named.
 * Next: sim_serve.c, the other side.
 */
#include "kit/sim_inside.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/http_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECTIONS 16
#define DEFAULT_WAITING     100000
#define DEFAULT_BODY        (1024u * 1024)
#define DEFAULT_CONNECT_MS  10000
#define PIECE_BYTES         16384

enum curl_code { COULDNT_CONNECT = 7, PARTIAL_FILE = 18, WRITE_ERROR = 23, TIMED_OUT = 28, GOT_NOTHING = 52 };

struct ek_http {
	struct ek_loop *loop;
};

struct lane {
	unsigned n_flying;
	struct ek_http_call *first, **tail;     /* those that wait for a connection */
	unsigned n_waiting;
};

struct ek_http_client {
	struct ek_http *http;
	struct ek_http_client *next;
	struct ek_http_client_config config;    /* its texts are not kept */
	struct lane lanes[2];
	struct ek_http_call *calls;
};

enum piece_kind { PIECE_ARRIVE, PIECE_FAIL, PIECE_HEAD, PIECE_BODY, PIECE_END, PIECE_CUT };

struct piece {
	struct piece *next;
	int64_t due_us;
	enum piece_kind kind;
	int status;                             /* of a failure: its code */
	int64_t retry_after_ms;
	size_t n;
	char bytes[];                           /* of a head: the content type; of a failure: the message */
};

struct ek_http_call {
	struct ek_http_client *client;
	struct ek_http_call *next, **prev;      /* of the client */
	struct ek_http_call *next_waiting;
	struct ek_http_req req;                 /* method, url, headers, body are in the message */
	struct sim_message *message;
	bool is_flying, is_waiting, is_accepted, is_stuck, has_arrived, has_head;
	bool is_paused, is_busy, is_over;
	struct piece *pieces, **tail;
	int64_t last_due_us;
	size_t waiting_bytes, n_flowed;
	struct ek_timer step, deadline, connect_deadline;
	struct ek_serve_stream *stream;
	int status;
	char content_type[128];
	int64_t retry_after_ms;
	struct ek_buf body;
};

static void start_waiting(struct ek_http_client *client);

/* ---- Engine and clients ---- */

struct ek_http *ek_http_new(struct ek_loop *loop)
{
	struct ek_http *http = ek_xcalloc(1, sizeof(*http));

	http->loop = loop;
	loop->n_engines++;
	return http;
}

void ek_http_free(struct ek_http *http)
{
	struct ek_http_client *client, *next;

	if (!http)
		return;
	for (client = http->loop->clients; client; client = next) {
		next = client->next;
		if (client->http == http)
			ek_http_client_free(client);
	}
	http->loop->n_engines--;
	free(http);
}

struct ek_http_client *ek_http_client_new(struct ek_http *http, const struct ek_http_client_config *config)
{
	struct ek_http_client *client = ek_xcalloc(1, sizeof(*client));

	client->http = http;
	client->config = *config;
	client->config.name = NULL;
	client->config.proxy_url = NULL;
	client->config.tls = (struct ek_http_tls){ 0 };
	if (!client->config.max_connections)
		client->config.max_connections = DEFAULT_CONNECTIONS;
	if (!client->config.max_waiting)
		client->config.max_waiting = DEFAULT_WAITING;
	for (unsigned i = 0; i < 2; i++)
		client->lanes[i].tail = &client->lanes[i].first;
	client->next = http->loop->clients;
	http->loop->clients = client;
	return client;
}

void ek_http_client_free(struct ek_http_client *client)
{
	struct ek_http_client **at;

	if (!client)
		return;
	at = &client->http->loop->clients;
	client->config.max_connections = 0;     /* so that nothing waiting is started */
	while (client->calls)
		ek_http_cancel(client->calls);
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	free(client);
}

void ek_http_client_set_tls(struct ek_http_client *client, const struct ek_http_tls *tls)
{
}

size_t sim_open_calls(struct ek_loop *loop)
{
	size_t n = 0;

	for (struct ek_http_client *client = loop->clients; client; client = client->next)
		for (struct ek_http_call *call = client->calls; call; call = call->next)
			n++;
	return n;
}

/* ---- Messages ---- */

void sim_message_free(struct sim_message *message)
{
	if (!message)
		return;
	for (unsigned i = 0; i < message->n_headers; i++) {
		free((char *)message->headers[i].name);
		free((char *)message->headers[i].value);
	}
	free(message->headers);
	free(message->method);
	free(message->url);
	free(message->origin);
	free(message->path);
	free(message->query);
	free(message->body);
	free(message);
}

static void add_header(struct sim_message *message, const char *name, const char *value)
{
	struct ek_http_header *header = &message->headers[message->n_headers++];

	header->name = ek_xstrdup(name);
	header->value = ek_xstrdup(value);
}

static struct sim_message *copy_message(const struct ek_http_req *req, const struct ek_url *url)
{
	struct sim_message *message = ek_xcalloc(1, sizeof(*message));
	const char *query = strchr(url->target, '?');
	char origin[300];

	snprintf(origin, sizeof(origin), url->is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", (int)url->host_bytes,
		url->host, url->port);
	message->origin = ek_xstrdup(origin);
	message->method = ek_xstrdup(req->method);
	message->url = ek_xstrdup(req->url);
	message->path = query ? ek_xstrndup(url->target, (size_t)(query - url->target)) :
		ek_xstrdup(*url->target ? url->target : "/");
	message->query = ek_xstrdup(query ? query + 1 : "");
	message->body = ek_xmalloc(req->body_bytes + 1);
	if (req->body_bytes)
		memcpy(message->body, req->body, req->body_bytes);
	message->body[req->body_bytes] = '\0';
	message->body_bytes = req->body_bytes;
	message->headers = ek_xcalloc(req->n_headers + 2, sizeof(*message->headers));
	add_header(message, "Host", origin);
	for (unsigned i = 0; i < req->n_headers; i++)
		add_header(message, req->headers[i].name, req->headers[i].value);
	return message;
}

/* ---- The life of a call ---- */

static struct ek_loop *loop_of(const struct ek_http_call *call)
{
	return call->client->http->loop;
}

static void drop_pieces(struct ek_http_call *call)
{
	while (call->pieces) {
		struct piece *next = call->pieces->next;

		free(call->pieces);
		call->pieces = next;
	}
	call->tail = &call->pieces;
	call->waiting_bytes = 0;
}

static void leave_lane(struct ek_http_call *call)
{
	struct lane *lane = &call->client->lanes[call->req.lane];
	struct ek_http_call **at;

	if (call->is_flying && !call->req.own_connection)
		lane->n_flying--;
	call->is_flying = false;
	if (!call->is_waiting)
		return;
	for (at = &lane->first; *at != call; at = &(*at)->next_waiting)
		;
	*at = call->next_waiting;
	if (lane->tail == &call->next_waiting)
		lane->tail = at;
	lane->n_waiting--;
	call->is_waiting = false;
}

/* A request that a hanging server has accepted will be handled although nobody waits for it. */
static void haunt(struct ek_http_call *call)
{
	struct sim_message **at = &loop_of(call)->ghosts;

	while (*at)
		at = &(*at)->next;
	*at = call->message;
	call->message = NULL;
}

/* Takes the call out of everything; its memory stays. */
static void end_call(struct ek_http_call *call)
{
	struct ek_loop *loop = loop_of(call);

	call->is_over = true;
	sim_io_disarm(loop, &call->step);
	sim_io_disarm(loop, &call->deadline);
	sim_io_disarm(loop, &call->connect_deadline);
	leave_lane(call);
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
	if (call->stream)
		sim_stream_gone(call->stream);
	call->stream = NULL;
	if (call->is_accepted && !call->has_arrived)
		haunt(call);
	drop_pieces(call);
}

static void free_call(struct ek_http_call *call)
{
	sim_message_free(call->message);
	ek_buf_clear(&call->body);
	free(call);
}

static void finish(struct ek_http_call *call, int code, int curl_code, const char *message)
{
	struct ek_http_client *client = call->client;
	struct ek_http_result result = {
		.code = code,
		.status = call->status,
		.curl_code = curl_code,
		.body = call->body.at,
		.body_bytes = call->body.n,
		.content_type = call->content_type,
		.retry_after_ms = call->retry_after_ms,
		.message = message,
	};

	if (!call->has_arrived && loop_of(call)->on_request)
		loop_of(call)->on_request(loop_of(call)->on_request_arg, call->message->method,
			call->message->url, 0);
	end_call(call);
	start_waiting(client);
	call->req.on_done(call->req.arg, &result);
	free_call(call);
}

void ek_http_cancel(struct ek_http_call *call)
{
	struct ek_http_client *client;

	if (!call || call->is_over)
		return;
	client = call->client;
	end_call(call);
	if (!call->is_busy)
		free_call(call);
	start_waiting(client);
}

static struct piece *add_piece(struct ek_http_call *call, enum piece_kind kind, const void *bytes,
	size_t n)
{
	struct ek_loop *loop = loop_of(call);
	struct piece *piece = ek_xcalloc(1, sizeof(*piece) + n + 1);
	int64_t due_us = loop->now_us + sim_travel_us(loop, call->message->origin);

	piece->kind = kind;
	piece->n = n;
	if (n)
		memcpy(piece->bytes, bytes, n);
	piece->due_us = due_us > call->last_due_us ? due_us : call->last_due_us;
	call->last_due_us = piece->due_us;
	*call->tail = piece;
	call->tail = &piece->next;
	if (call->pieces == piece && !call->is_busy)
		sim_io_arm(loop, &call->step, piece->due_us - loop->now_us);
	return piece;
}

static bool is_held_back(const struct ek_http_call *call, const struct piece *piece)
{
	enum sim_fault fault = sim_origin_of(loop_of(call), call->message->origin)->fault;

	if (piece->kind == PIECE_ARRIVE || piece->kind == PIECE_FAIL)
		return false;
	return fault == SIM_HANG || fault == SIM_BLACKHOLE ||
		(call->is_paused && piece->kind != PIECE_HEAD);
}

static void arm_step(struct ek_http_call *call)
{
	struct ek_loop *loop = loop_of(call);
	int64_t wait_us;

	if (!call->pieces || is_held_back(call, call->pieces))
		return;
	wait_us = call->pieces->due_us - loop->now_us;
	sim_io_arm(loop, &call->step, wait_us > 0 ? wait_us : 0);
}

static void refuse(struct ek_http_call *call)
{
	bool was_sent = call->is_stuck && call->is_accepted;

	call->is_accepted = false;
	call->has_arrived = false;
	if (was_sent)
		finish(call, EK_UNKNOWN, GOT_NOTHING, "connection reset");
	else
		finish(call, EK_RETRY, COULDNT_CONNECT, "connection refused");
}

/* The request reaches its server, or what stands in its place. */
static void arrive(struct ek_http_call *call)
{
	struct ek_loop *loop = loop_of(call);
	enum sim_fault fault = sim_origin_of(loop, call->message->origin)->fault;
	int status;

	if (fault == SIM_REFUSE) {
		refuse(call);
		return;
	}
	call->is_stuck = fault == SIM_BLACKHOLE || fault == SIM_HANG;
	if (fault == SIM_BLACKHOLE)
		return;
	sim_io_disarm(loop, &call->connect_deadline);
	call->is_accepted = true;
	if (fault == SIM_HANG)
		return;
	call->has_arrived = true;
	call->is_busy = true;
	status = sim_serve_handle(loop, call->message, call);
	call->is_busy = false;
	if (!status)
		refuse(call);
	else if (call->is_over)
		free_call(call);
	else
		arm_step(call);
}

static void deliver_bytes(struct ek_http_call *call, const struct piece *piece)
{
	size_t limit = call->req.max_body_bytes;
	int stop;

	call->n_flowed += piece->n;
	if (!limit && !call->req.on_body)
		limit = DEFAULT_BODY;
	if (limit && call->n_flowed > limit) {
		finish(call, EK_TOO_BIG, WRITE_ERROR, "the response is larger than allowed");
		return;
	}
	if (!call->req.on_body) {
		ek_buf_add(&call->body, piece->bytes, piece->n);
		arm_step(call);
		return;
	}
	call->is_busy = true;
	stop = call->req.on_body(call->req.arg, piece->bytes, piece->n);
	call->is_busy = false;
	if (call->is_over)
		free_call(call);
	else if (stop)
		finish(call, EK_CANCELLED, WRITE_ERROR, "stopped by the reader");
	else
		arm_step(call);
}

static void deliver_head(struct ek_http_call *call, const struct piece *piece)
{
	call->has_head = true;
	call->status = piece->status;
	call->retry_after_ms = piece->retry_after_ms;
	ek_content_type_bare(piece->bytes, call->content_type, sizeof(call->content_type));
	call->is_busy = true;
	if (call->req.on_head)
		call->req.on_head(call->req.arg, call->status, call->content_type);
	call->is_busy = false;
	if (call->is_over)
		free_call(call);
	else
		arm_step(call);
}

static void step(void *arg)
{
	struct ek_http_call *call = arg;
	struct piece *piece = call->pieces;

	if (!piece || is_held_back(call, piece))
		return;
	call->pieces = piece->next;
	if (!call->pieces)
		call->tail = &call->pieces;
	if (piece->kind == PIECE_BODY)
		call->waiting_bytes -= piece->n;
	switch (piece->kind) {
	case PIECE_ARRIVE:
		arrive(call);
		break;
	case PIECE_FAIL:
		finish(call, piece->status, 0, piece->bytes);
		break;
	case PIECE_HEAD:
		deliver_head(call, piece);
		break;
	case PIECE_BODY:
		deliver_bytes(call, piece);
		break;
	case PIECE_END:
		finish(call, EK_OK, 0, "");
		break;
	case PIECE_CUT:
		finish(call, EK_UNKNOWN, call->has_head ? PARTIAL_FILE : GOT_NOTHING,
			"the connection was closed in the middle of the exchange");
		break;
	}
	free(piece);
}

static void expire(void *arg)
{
	struct ek_http_call *call = arg;

	if (call->is_accepted)
		finish(call, EK_UNKNOWN, TIMED_OUT, "no complete answer in time");
	else
		finish(call, EK_RETRY, TIMED_OUT, "the request could not be sent in time");
}

static void expire_connect(void *arg)
{
	finish(arg, EK_RETRY, TIMED_OUT, "no connection in time");
}

/* ---- Starting ---- */

static int authorize(struct ek_http_call *call, struct ek_error *err)
{
	const struct ek_http_client_config *config = &call->client->config;
	char value[16384] = "";
	int code;

	if (!config->authorize)
		return EK_OK;
	code = config->authorize(config->authorize_arg, value, sizeof(value), err);
	if (code == EK_OK)
		add_header(call->message, "Authorization", value);
	return code == EK_GONE ? EK_OK : code;
}

static int fly(struct ek_http_call *call, struct ek_error *err)
{
	struct ek_loop *loop = loop_of(call);
	int64_t connect_ms = call->req.connect_timeout_ms;
	int code = authorize(call, err);

	call->is_flying = true;
	if (!call->req.own_connection)
		call->client->lanes[call->req.lane].n_flying++;
	if (code)
		return code;
	connect_ms = connect_ms ? connect_ms : DEFAULT_CONNECT_MS;
	sim_io_arm(loop, &call->connect_deadline, connect_ms * 1000);
	add_piece(call, PIECE_ARRIVE, NULL, 0);
	return EK_OK;
}

static void start_waiting(struct ek_http_client *client)
{
	for (unsigned i = 0; i < 2; i++) {
		struct lane *lane = &client->lanes[i];

		while (lane->first && lane->n_flying < client->config.max_connections) {
			struct ek_http_call *call = lane->first;
			struct ek_error err = EK_ERROR_INIT;

			leave_lane(call);
			if (fly(call, &err))
				add_piece(call, PIECE_FAIL, err.message, strlen(err.message))->status =
					err.code;
		}
	}
}

static void link_call(struct ek_http_client *client, struct ek_http_call *call)
{
	call->next = client->calls;
	call->prev = &client->calls;
	if (call->next)
		call->next->prev = &call->next;
	client->calls = call;
}

struct ek_http_call *ek_http_start(struct ek_http_client *client, const struct ek_http_req *req,
	struct ek_error *err)
{
	struct lane *lane = &client->lanes[req->lane & 1];
	struct ek_http_call *call;
	struct ek_url url;

	if (ek_url_split(req->url, &url, err))
		return NULL;
	if (!req->own_connection && lane->n_waiting >= client->config.max_waiting) {
		ek_fail(err, EK_RETRY, "too many requests are waiting");
		return NULL;
	}
	call = ek_xcalloc(1, sizeof(*call));
	call->client = client;
	call->req = *req;
	call->req.lane &= 1;
	call->message = copy_message(req, &url);
	call->tail = &call->pieces;
	ek_buf_init(&call->body, req->max_body_bytes ? req->max_body_bytes : DEFAULT_BODY);
	ek_timer_init(&call->step, step, call);
	ek_timer_init(&call->deadline, expire, call);
	ek_timer_init(&call->connect_deadline, expire_connect, call);
	link_call(client, call);
	if (req->timeout_ms > 0)
		sim_io_arm(loop_of(call), &call->deadline, req->timeout_ms * 1000);
	if (!req->own_connection && lane->n_flying >= client->config.max_connections) {
		call->is_waiting = true;
		*lane->tail = call;
		lane->tail = &call->next_waiting;
		lane->n_waiting++;
	} else if (fly(call, err)) {
		end_call(call);
		free_call(call);
		return NULL;
	}
	return call;
}

void ek_http_pause(struct ek_http_call *call, bool is_paused)
{
	if (call->is_over)
		return;
	call->is_paused = is_paused;
	if (!is_paused && !call->is_busy)
		arm_step(call);
}

/* ---- What the server's side sends ---- */

void sim_call_head(struct ek_http_call *call, int status, const char *content_type,
	int64_t retry_after_ms, struct ek_serve_stream *stream)
{
	struct piece *piece = add_piece(call, PIECE_HEAD, content_type,
		content_type ? strlen(content_type) : 0);

	piece->status = status;
	piece->retry_after_ms = retry_after_ms;
	call->stream = stream;
}

static void add_bytes(struct ek_http_call *call, const char *bytes, size_t n)
{
	while (n && strcmp(call->message->method, "HEAD")) {
		size_t part = n < PIECE_BYTES ? n : PIECE_BYTES;

		if (part > 1 && loop_of(call)->does_split && sim_below(loop_of(call), 4) == 0)
			part = 1 + sim_below(loop_of(call), part - 1);
		add_piece(call, PIECE_BODY, bytes, part);
		call->waiting_bytes += part;
		bytes += part;
		n -= part;
	}
}

void sim_call_bytes(struct ek_http_call *call, const void *bytes, size_t n)
{
	add_bytes(call, bytes, n);
}

void sim_call_end(struct ek_http_call *call)
{
	call->stream = NULL;
	add_piece(call, PIECE_END, NULL, 0);
}

void sim_call_cut(struct ek_http_call *call)
{
	call->stream = NULL;
	add_piece(call, PIECE_CUT, NULL, 0);
}

size_t sim_call_waiting_bytes(const struct ek_http_call *call)
{
	return call->waiting_bytes;
}

/* ---- Faults ---- */

static void cut_now(struct ek_http_call *call)
{
	if (call->stream)
		sim_stream_gone(call->stream);
	drop_pieces(call);
	call->last_due_us = 0;
	sim_io_disarm(loop_of(call), &call->step);
	sim_call_cut(call);
}

static void apply_fault(struct ek_http_call *call)
{
	enum sim_fault fault = sim_origin_of(loop_of(call), call->message->origin)->fault;

	if (!call->is_flying)
		return;
	if (fault == SIM_CUT && call->is_accepted)
		cut_now(call);
	else if (call->pieces && !call->is_busy)
		arm_step(call);
	else if (call->is_stuck && fault != SIM_BLACKHOLE && !(fault == SIM_HANG && call->is_accepted))
		add_piece(call, PIECE_ARRIVE, NULL, 0);
}

/* Requests that hung in a server which now moves again. */
static void run_ghosts(void *arg)
{
	struct ek_loop *loop = arg;
	struct sim_message **at = &loop->ghosts;

	while (*at) {
		struct sim_message *ghost = *at;

		enum sim_fault fault = sim_origin_of(loop, ghost->origin)->fault;

		if (fault == SIM_HANG || fault == SIM_BLACKHOLE) {
			at = &ghost->next;
			continue;
		}
		*at = ghost->next;
		if (fault != SIM_REFUSE)
			sim_serve_handle(loop, ghost, NULL);
		sim_message_free(ghost);
		at = &loop->ghosts;
	}
}

void sim_http_faults_changed(struct ek_loop *loop, enum sim_fault fault)
{
	for (struct ek_http_client *client = loop->clients; client; client = client->next)
		for (struct ek_http_call *call = client->calls; call; call = call->next)
			apply_fault(call);
	if (loop->ghosts && !ek_timer_is_armed(&loop->ghost_timer)) {
		ek_timer_init(&loop->ghost_timer, run_ghosts, loop);
		sim_io_arm(loop, &loop->ghost_timer, (int64_t)sim_below(loop, 1000));
	}
}
