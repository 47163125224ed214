/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a simulated call: its request arrives or does not, the pieces of its answer come in
 * order, and faults strike in between. It starts no calls.
 * Next: sim_serve.c, which produces the answers.
 */
#include "kit/sim_call.h"

#include "base/alloc.h"
#include "base/http_text.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 16384

enum sim_curl_code { COULDNT_CONNECT = 7, PARTIAL_FILE = 18, WRITE_ERROR = 23, TIMED_OUT = 28, GOT_NOTHING = 52 };

/* ---- The life of a call ---- */

static void drop_pieces(struct ek_http_call *call)
{
	while (call->pieces) {
		struct sim_piece *next = call->pieces->next;

		free(call->pieces);
		call->pieces = next;
	}
	call->tail = &call->pieces;
	call->waiting_bytes = 0;
}

void sim_call_leave_lane(struct ek_http_call *call)
{
	struct sim_lane *lane = &call->client->lanes[call->req.lane];
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
	struct sim_message **at = &sim_call_loop(call)->ghosts;

	while (*at)
		at = &(*at)->next;
	*at = call->message;
	call->message = NULL;
}

/* Takes the call out of everything; its memory stays. */
void sim_call_detach(struct ek_http_call *call)
{
	struct ek_loop *loop = sim_call_loop(call);

	call->is_over = true;
	sim_io_disarm(loop, &call->step);
	sim_io_disarm(loop, &call->deadline);
	sim_io_disarm(loop, &call->connect_deadline);
	sim_call_leave_lane(call);
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

void sim_call_free(struct ek_http_call *call)
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

	if (!call->has_arrived && sim_call_loop(call)->on_request)
		sim_call_loop(call)->on_request(sim_call_loop(call)->on_request_arg, call->message->method,
			call->message->url, 0);
	sim_call_detach(call);
	sim_client_start_waiting(client);
	call->req.on_done(call->req.arg, &result);
	sim_call_free(call);
}

void ek_http_cancel(struct ek_http_call *call)
{
	struct ek_http_client *client;

	if (!call || call->is_over)
		return;
	client = call->client;
	sim_call_detach(call);
	if (!call->is_busy)
		sim_call_free(call);
	sim_client_start_waiting(client);
}

struct sim_piece *sim_call_add(struct ek_http_call *call, enum sim_piece_kind kind, const void *bytes,
	size_t n)
{
	struct ek_loop *loop = sim_call_loop(call);
	struct sim_piece *piece = ek_xcalloc(1, sizeof(*piece) + n + 1);
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

static bool is_held_back(const struct ek_http_call *call, const struct sim_piece *piece)
{
	enum sim_fault fault = sim_origin_of(sim_call_loop(call), call->message->origin)->fault;

	if (piece->kind == SIM_PIECE_ARRIVE || piece->kind == SIM_PIECE_FAIL)
		return false;
	return fault == SIM_HANG || fault == SIM_BLACKHOLE ||
		(call->is_paused && piece->kind != SIM_PIECE_HEAD);
}

static void arm_step(struct ek_http_call *call)
{
	struct ek_loop *loop = sim_call_loop(call);
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
	struct ek_loop *loop = sim_call_loop(call);
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
		sim_call_free(call);
	else
		arm_step(call);
}

static void deliver_bytes(struct ek_http_call *call, const struct sim_piece *piece)
{
	size_t limit = call->req.max_body_bytes;
	int stop;

	call->n_flowed += piece->n;
	if (!limit && !call->req.on_body)
		limit = SIM_DEFAULT_BODY;
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
		sim_call_free(call);
	else if (stop)
		finish(call, EK_CANCELLED, WRITE_ERROR, "stopped by the reader");
	else
		arm_step(call);
}

static void deliver_head(struct ek_http_call *call, const struct sim_piece *piece)
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
		sim_call_free(call);
	else
		arm_step(call);
}

void sim_call_step(void *arg)
{
	struct ek_http_call *call = arg;
	struct sim_piece *piece = call->pieces;

	if (!piece || is_held_back(call, piece))
		return;
	call->pieces = piece->next;
	if (!call->pieces)
		call->tail = &call->pieces;
	if (piece->kind == SIM_PIECE_BODY)
		call->waiting_bytes -= piece->n;
	switch (piece->kind) {
	case SIM_PIECE_ARRIVE:
		arrive(call);
		break;
	case SIM_PIECE_FAIL:
		finish(call, piece->status, 0, piece->bytes);
		break;
	case SIM_PIECE_HEAD:
		deliver_head(call, piece);
		break;
	case SIM_PIECE_BODY:
		deliver_bytes(call, piece);
		break;
	case SIM_PIECE_END:
		finish(call, EK_OK, 0, "");
		break;
	case SIM_PIECE_CUT:
		finish(call, EK_UNKNOWN, call->has_head ? PARTIAL_FILE : GOT_NOTHING,
			"the connection was closed in the middle of the exchange");
		break;
	}
	free(piece);
}

void sim_call_expire(void *arg)
{
	struct ek_http_call *call = arg;

	if (call->is_accepted)
		finish(call, EK_UNKNOWN, TIMED_OUT, "no complete answer in time");
	else
		finish(call, EK_RETRY, TIMED_OUT, "the request could not be sent in time");
}

void sim_call_expire_connect(void *arg)
{
	finish(arg, EK_RETRY, TIMED_OUT, "no connection in time");
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
	struct sim_piece *piece = sim_call_add(call, SIM_PIECE_HEAD, content_type,
		content_type ? strlen(content_type) : 0);

	piece->status = status;
	piece->retry_after_ms = retry_after_ms;
	call->stream = stream;
}

static void add_bytes(struct ek_http_call *call, const char *bytes, size_t n)
{
	while (n && strcmp(call->message->method, "HEAD")) {
		size_t part = n < PIECE_BYTES ? n : PIECE_BYTES;

		if (part > 1 && sim_call_loop(call)->does_split && sim_below(sim_call_loop(call), 4) == 0)
			part = 1 + sim_below(sim_call_loop(call), part - 1);
		sim_call_add(call, SIM_PIECE_BODY, bytes, part);
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
	sim_call_add(call, SIM_PIECE_END, NULL, 0);
}

void sim_call_cut(struct ek_http_call *call)
{
	call->stream = NULL;
	sim_call_add(call, SIM_PIECE_CUT, NULL, 0);
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
	sim_io_disarm(sim_call_loop(call), &call->step);
	sim_call_cut(call);
}

static void apply_fault(struct ek_http_call *call)
{
	enum sim_fault fault = sim_origin_of(sim_call_loop(call), call->message->origin)->fault;

	if (!call->is_flying)
		return;
	if (fault == SIM_CUT && call->is_accepted)
		cut_now(call);
	else if (call->pieces && !call->is_busy)
		arm_step(call);
	else if (call->is_stuck && fault != SIM_BLACKHOLE && !(fault == SIM_HANG && call->is_accepted))
		sim_call_add(call, SIM_PIECE_ARRIVE, NULL, 0);
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
