/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io/http over real sockets on loopback: how requests end, what is reused, and that everything may be
 * done in a callback. TLS is not used here.
 * Next: test_io_tls.c.
 */
#include "io/http.h"

#include "base/buf.h"
#include "io/serve.h"
#include "unit/io_wait.h"
#include "unit/raw_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_http_client *client;
	struct raw_server raw;
	struct ek_serve *serve;
	struct ek_serve_stream *stream;
	unsigned n_streams, n_gone, n_authorized;
};

struct reply {
	struct fixture *f;
	unsigned n_done, n_head, n_bytes;
	int code, status;
	char type[64], message[512];
	struct ek_buf body;
	int64_t retry_after_ms;
	struct ek_http_call *call;
	void (*act)(struct reply *reply);        /* what on_body or on_done does besides */
	struct ek_http_call *victim;
};

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello"

static const char *answer_hello(const struct raw_connection *connection)
{
	return OK_REPLY;
}

static const char *answer_nothing(const struct raw_connection *connection)
{
	return NULL;
}

static const char *answer_fast_only(const struct raw_connection *connection)
{
	return strstr(connection->request, "/fast") ? OK_REPLY : NULL;
}

static const char *answer_half(const struct raw_connection *connection)
{
	return "!HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it";
}

static const char *answer_busy(const struct raw_connection *connection)
{
	return "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
}

static const char *answer_zipped(const struct raw_connection *connection)
{
	return "!HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n";
}

/* A server that hangs up on the second request of its first connection. */
static const char *answer_first_then_hang_up(const struct raw_connection *connection)
{
	return connection->number == 0 && connection->n_requests == 1 ? "!" : OK_REPLY;
}

static void on_gone(void *arg)
{
	struct fixture *f = arg;

	f->n_gone++;
	f->stream = NULL;
}

static void handle(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct fixture *f = arg;
	const char *authorization = request->header(request, "Authorization");

	if (!strcmp(request->path, "/stream")) {
		f->stream = ek_serve_stream(exchange, 200, "application/json", on_gone, f);
		f->n_streams++;
	} else if (!strcmp(request->path, "/who")) {
		ek_serve_reply(exchange, 200, "text/plain", NULL, authorization ? authorization : "nobody",
			strlen(authorization ? authorization : "nobody"));
	} else {
		ek_serve_reply(exchange, 201, "application/JSON; charset=x", NULL, request->body,
			request->body_bytes);
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = ek_loop_new();
	f->http = ek_http_new(f->loop);
	f->client = ek_http_client_new(f->http, &(struct ek_http_client_config){ .name = "test" });
	raw_start(&f->raw, f->loop, answer_hello);
	f->serve = ek_serve_new(f->loop, &(struct ek_serve_config){ .host = "127.0.0.1",
		.max_body_bytes = 4 << 20, .handle = handle, .arg = f }, NULL);
	assert_non_null(f->serve);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ek_http_client_free(f->client);
	ek_http_free(f->http);
	ek_serve_free(f->serve);
	raw_stop(&f->raw);
	ek_loop_free(f->loop);
	free(f);
	return 0;
}

static int on_body(void *arg, const char *bytes, size_t n)
{
	struct reply *reply = arg;

	reply->n_bytes += (unsigned)n;
	ek_buf_add(&reply->body, bytes, n);
	if (reply->act)
		reply->act(reply);
	return 0;
}

static void on_head(void *arg, int status, const char *content_type)
{
	struct reply *reply = arg;

	reply->n_head++;
	reply->status = status;
	snprintf(reply->type, sizeof(reply->type), "%s", content_type);
}

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct reply *reply = arg;

	reply->n_done++;
	reply->code = result->code;
	reply->status = result->status;
	reply->retry_after_ms = result->retry_after_ms;
	snprintf(reply->type, sizeof(reply->type), "%s", result->content_type);
	snprintf(reply->message, sizeof(reply->message), "%s", result->message);
	if (result->body_bytes) {
		ek_buf_reset(&reply->body);
		ek_buf_add(&reply->body, result->body, result->body_bytes);
	}
	if (reply->act)
		reply->act(reply);
}

static struct reply new_reply(struct fixture *f)
{
	struct reply reply = { .f = f };

	ek_buf_init(&reply.body, 64u << 20);
	return reply;
}

static struct ek_http_call *start_req(struct reply *reply, uint16_t port, const char *path,
	struct ek_http_req req)
{
	struct ek_error err = EK_ERROR_INIT;
	char url[200];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
	req.url = url;
	req.method = req.method ? req.method : "GET";
	req.arg = reply;
	req.timeout_ms = req.timeout_ms ? req.timeout_ms : 5000;
	reply->call = ek_http_start(reply->f->client, &req, &err);
	assert_non_null(reply->call);
	return reply->call;
}

#define START(reply, port, path, ...) start_req((reply), (port), (path), \
	(struct ek_http_req){ .on_done = on_done, __VA_ARGS__ })

static void finish_reply(struct reply *reply)
{
	assert_true(io_wait(reply->f->loop, &reply->n_done, 1));
	assert_int_equal(reply->n_done, 1);
	ek_buf_clear(&reply->body);
}

static void a_whole_response_is_ok_and_comes_on_a_later_turn(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	START(&reply, ek_serve_port(f->serve), "/echo?a=b", .method = "POST", .body = "body", .body_bytes = 4);
	assert_int_equal(reply.n_done, 0);
	assert_true(io_wait(f->loop, &reply.n_done, 1));
	assert_int_equal(reply.code, EK_OK);
	assert_int_equal(reply.status, 201);
	assert_string_equal(reply.body.at, "body");
	assert_string_equal(reply.type, "application/json");
	assert_string_equal(reply.message, "");
	finish_reply(&reply);
}

static void what_is_sent_is_plain(void **state)
{
	struct fixture *f = *state;
	struct reply put = new_reply(f), delete = new_reply(f);
	const struct ek_http_header headers[] = { { "X-One", "1" }, { "X-Empty", "" } };

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	START(&put, f->raw.port, "/a/../b%2Fc", .method = "PUT", .headers = headers, .n_headers = 2);
	finish_reply(&put);
	unsetenv("http_proxy");
	assert_int_equal(put.code, EK_OK);
	assert_non_null(strstr(f->raw.last_request, "PUT /a/../b%2Fc HTTP/1.1\r\n"));
	assert_non_null(strstr(f->raw.last_request, "\r\nContent-Length: 0\r\n"));
	assert_non_null(strstr(f->raw.last_request, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(f->raw.last_request, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(f->raw.last_request, "\r\nUser-Agent: eurekube/"));
	assert_null(strstr(f->raw.last_request, "Expect"));
	assert_null(strstr(f->raw.last_request, "Content-Type"));
	assert_null(strstr(f->raw.last_request, "Accept-Encoding"));
	START(&delete, f->raw.port, "/x", .method = "DELETE");
	finish_reply(&delete);
	assert_non_null(strstr(f->raw.last_request, "DELETE /x HTTP/1.1\r\n"));
	assert_null(strstr(f->raw.last_request, "Content-Length"));
}

static void connections_are_kept_and_used_again(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		struct reply reply = new_reply(f);

		START(&reply, f->raw.port, "/", .method = i % 2 ? "PUT" : "GET");
		finish_reply(&reply);
		assert_int_equal(reply.code, EK_OK);
	}
	assert_int_equal(f->raw.n_requests, 20);
	assert_int_equal(f->raw.n_accepted, 1);
}

static void a_refused_connection_is_retry(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	START(&reply, 1, "/");
	finish_reply(&reply);
	assert_int_equal(reply.code, EK_RETRY);
	assert_int_equal(reply.status, 0);
	assert_non_null(strstr(reply.message, "127.0.0.1:1: "));
}

static void silence_after_the_request_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	f->raw.answer = answer_nothing;
	START(&reply, f->raw.port, "/", .timeout_ms = 50);
	finish_reply(&reply);
	assert_int_equal(reply.code, EK_UNKNOWN);
	assert_int_equal(f->raw.n_requests, 1);
}

static void a_response_cut_in_the_middle_is_unknown_with_its_status(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	f->raw.answer = answer_half;
	START(&reply, f->raw.port, "/");
	finish_reply(&reply);
	assert_int_equal(reply.code, EK_UNKNOWN);
	assert_int_equal(reply.status, 200);
}

static void a_body_over_the_bound_is_too_big(void **state)
{
	struct fixture *f = *state;
	struct reply exact = new_reply(f), over = new_reply(f);

	START(&exact, f->raw.port, "/", .max_body_bytes = 5);
	finish_reply(&exact);
	assert_int_equal(exact.code, EK_OK);
	START(&over, f->raw.port, "/", .max_body_bytes = 4);
	finish_reply(&over);
	assert_int_equal(over.code, EK_TOO_BIG);
}

static void the_bound_counts_what_gzip_unfolds_to(void **state)
{
	/* gzip of 200,000 zeros */
	static const char zeros[] =
		"\037\213\010\000\000\000\000\000\002\003\355\301\061\001\000\000\000\302\240\365\117\155\006\177"
		"\240\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
		"\000\000\200\327\000\173\130\340\134\100\015\003\000";
	struct fixture *f = *state;
	struct reply fits = new_reply(f), over = new_reply(f);

	f->raw.answer = answer_zipped;
	f->raw.bytes = zeros;
	f->raw.n_bytes = sizeof(zeros) - 1;
	START(&fits, f->raw.port, "/", .accept_gzip = true, .max_body_bytes = 200000);
	assert_true(io_wait(f->loop, &fits.n_done, 1));
	assert_int_equal(fits.code, EK_OK);
	assert_int_equal(fits.body.n, 200000);
	assert_non_null(strstr(f->raw.last_request, "Accept-Encoding: gzip\r\n"));
	finish_reply(&fits);
	START(&over, f->raw.port, "/", .accept_gzip = true, .max_body_bytes = 199999);
	finish_reply(&over);
	assert_int_equal(over.code, EK_TOO_BIG);
}

static void retry_after_is_told(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	f->raw.answer = answer_busy;
	START(&reply, f->raw.port, "/");
	finish_reply(&reply);
	assert_int_equal(reply.code, EK_OK);
	assert_int_equal(reply.status, 503);
	assert_int_equal(reply.retry_after_ms, 7000);
}

static int ask_after_hello(struct fixture *f, const char *method)
{
	struct reply first = new_reply(f), second = new_reply(f);

	f->raw.answer = answer_first_then_hang_up;
	START(&first, f->raw.port, "/");
	finish_reply(&first);
	assert_int_equal(first.code, EK_OK);
	START(&second, f->raw.port, "/", .method = method, .body = "x", .body_bytes = 1);
	finish_reply(&second);
	return second.code;
}

static void a_put_on_a_connection_just_closed_is_sent_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_after_hello(f, "PUT"), EK_OK);
	assert_int_equal(f->raw.n_accepted, 2);
	assert_int_equal(f->raw.n_requests, 3);
}

static void a_post_on_a_connection_just_closed_is_unknown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_after_hello(f, "POST"), EK_UNKNOWN);
	assert_int_equal(f->raw.n_requests, 2);
}

static void the_budget_bounds_connections_and_all_are_served(void **state)
{
	struct fixture *f = *state;
	struct reply replies[30];

	ek_http_client_free(f->client);
	f->client = ek_http_client_new(f->http, &(struct ek_http_client_config){ .max_connections = 2 });
	for (int i = 0; i < 30; i++) {
		replies[i] = new_reply(f);
		START(&replies[i], f->raw.port, "/");
	}
	for (int i = 0; i < 30; i++) {
		finish_reply(&replies[i]);
		assert_int_equal(replies[i].code, EK_OK);
	}
	assert_int_equal(f->raw.n_accepted, 2);
}

static void a_full_lane_does_not_delay_the_other_nor_an_own_connection(void **state)
{
	struct fixture *f = *state;
	struct reply stuck = new_reply(f), waiting = new_reply(f), renewal = new_reply(f), own = new_reply(f);

	ek_http_client_free(f->client);
	f->client = ek_http_client_new(f->http, &(struct ek_http_client_config){ .max_connections = 1 });
	f->raw.answer = answer_fast_only;
	START(&stuck, f->raw.port, "/slow");
	START(&waiting, f->raw.port, "/fast", .timeout_ms = 100);
	START(&renewal, f->raw.port, "/fast", .lane = 1);
	START(&own, f->raw.port, "/fast", .own_connection = true);
	finish_reply(&renewal);
	finish_reply(&own);
	assert_int_equal(renewal.code, EK_OK);
	assert_int_equal(own.code, EK_OK);
	finish_reply(&waiting);
	assert_int_equal(waiting.code, EK_RETRY);
	ek_http_cancel(stuck.call);
	assert_int_equal(stuck.n_done, 0);
}

static void the_queue_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct reply replies[3] = { new_reply(f), new_reply(f), new_reply(f) };
	struct ek_error err = EK_ERROR_INIT;
	struct ek_http_req req = { .method = "GET", .url = "http://127.0.0.1:1/", .on_done = on_done };

	ek_http_client_free(f->client);
	f->client = ek_http_client_new(f->http, &(struct ek_http_client_config){ .max_connections = 1,
		.max_waiting = 2 });
	f->raw.answer = answer_nothing;
	for (int i = 0; i < 3; i++)
		START(&replies[i], f->raw.port, "/");
	assert_null(ek_http_start(f->client, &req, &err));
	assert_int_equal(err.code, EK_RETRY);
}

static void a_stream_arrives_as_it_is_written_and_ends(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	START(&reply, ek_serve_port(f->serve), "/stream", .timeout_ms = -1, .on_head = on_head, .on_body = on_body,
		.own_connection = true);
	assert_true(io_wait(f->loop, &reply.n_head, 1));
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.type, "application/json");
	ek_serve_stream_write(f->stream, "one\n", 4);
	assert_true(io_wait(f->loop, &reply.n_bytes, 4));
	ek_serve_stream_write(f->stream, "two\n", 4);
	assert_true(io_wait(f->loop, &reply.n_bytes, 8));
	assert_string_equal(reply.body.at, "one\ntwo\n");
	ek_serve_stream_end(f->stream, false);
	finish_reply(&reply);
	assert_int_equal(reply.code, EK_OK);
	assert_int_equal(reply.n_head, 1);
}

static void a_stream_cut_by_the_server_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	START(&reply, ek_serve_port(f->serve), "/stream", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_streams, 1));
	ek_serve_stream_write(f->stream, "one", 3);
	ek_serve_stream_end(f->stream, true);
	finish_reply(&reply);
	assert_int_equal(reply.n_bytes, 3);
	assert_int_equal(reply.code, EK_UNKNOWN);
}

static void a_paused_stream_delivers_nothing_until_it_is_resumed(void **state)
{
	static char block[300000];
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	START(&reply, ek_serve_port(f->serve), "/stream", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_streams, 1));
	ek_http_pause(reply.call, true);
	ek_serve_stream_write(f->stream, block, sizeof(block));
	io_wait_within(f->loop, NULL, 1, 50);
	assert_int_equal(reply.n_bytes, 0);
	ek_http_pause(reply.call, false);
	assert_int_equal(reply.n_bytes, 0);
	assert_true(io_wait(f->loop, &reply.n_bytes, sizeof(block)));
	ek_serve_stream_end(f->stream, false);
	finish_reply(&reply);
	assert_int_equal(reply.code, EK_OK);
}

static void pause_now(struct reply *reply)
{
	if (!reply->n_done)
		ek_http_pause(reply->call, true);
}

static void a_reader_may_pause_itself_at_every_piece(void **state)
{
	static char block[300000];
	struct fixture *f = *state;
	struct reply reply = new_reply(f);
	unsigned n;

	reply.act = pause_now;
	START(&reply, ek_serve_port(f->serve), "/stream", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_streams, 1));
	ek_serve_stream_write(f->stream, block, sizeof(block));
	ek_serve_stream_end(f->stream, false);
	for (n = 0; !reply.n_done && n < 1000; n++) {
		ek_http_pause(reply.call, false);
		io_wait_within(f->loop, &reply.n_done, 1, 2);
	}
	finish_reply(&reply);
	assert_int_equal(reply.n_bytes, sizeof(block));
}

static int stop_reading(void *arg, const char *bytes, size_t n)
{
	((struct reply *)arg)->n_bytes++;
	return 1;
}

static void a_reader_that_stops_ends_the_request_as_cancelled(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f);

	START(&reply, f->raw.port, "/", .on_body = stop_reading);
	finish_reply(&reply);
	assert_int_equal(reply.n_bytes, 1);
	assert_int_equal(reply.code, EK_CANCELLED);
}

static void cancel_self(struct reply *reply)
{
	ek_http_cancel(reply->call);
}

static void a_call_may_be_cancelled_in_its_own_callbacks(void **state)
{
	struct fixture *f = *state;
	struct reply body = new_reply(f), done = new_reply(f);

	body.act = cancel_self;
	START(&body, ek_serve_port(f->serve), "/stream", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_streams, 1));
	ek_serve_stream_write(f->stream, "one", 3);
	assert_true(io_wait(f->loop, &f->n_gone, 1));
	assert_int_equal(body.n_bytes, 3);
	assert_int_equal(body.n_done, 0);
	ek_buf_clear(&body.body);

	done.act = cancel_self;
	START(&done, f->raw.port, "/");
	finish_reply(&done);
}

static void cancel_victim(struct reply *reply)
{
	ek_http_cancel(reply->victim);
	reply->victim = NULL;
}

static void a_call_may_be_cancelled_in_the_callback_of_another(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f), victim = new_reply(f), queued = new_reply(f);

	START(&victim, ek_serve_port(f->serve), "/stream", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_streams, 1));
	reply.act = cancel_victim;
	reply.victim = victim.call;
	START(&reply, f->raw.port, "/", .on_body = on_body);
	finish_reply(&reply);
	assert_true(io_wait(f->loop, &f->n_gone, 1));
	assert_int_equal(victim.n_done, 0);
	START(&queued, f->raw.port, "/");
	ek_http_cancel(queued.call);
	io_wait_within(f->loop, NULL, 1, 20);
	assert_int_equal(queued.n_done, 0);
}

static void start_another(struct reply *reply)
{
	struct reply *other = (struct reply *)(void *)reply->victim;

	if (!other->call)
		START(other, reply->f->raw.port, "/");
}

static void a_request_may_be_started_in_a_callback(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f), other = new_reply(f);

	reply.act = start_another;
	reply.victim = (void *)&other;
	START(&reply, f->raw.port, "/", .on_body = on_body);
	finish_reply(&reply);
	finish_reply(&other);
	assert_int_equal(other.code, EK_OK);
}

static void free_client(struct reply *reply)
{
	ek_http_client_free(reply->f->client);
	reply->f->client = NULL;
}

static void a_client_may_be_freed_in_a_callback_and_takes_its_calls_along(void **state)
{
	struct fixture *f = *state;
	struct reply reply = new_reply(f), other = new_reply(f);

	START(&other, ek_serve_port(f->serve), "/stream", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_streams, 1));
	reply.act = free_client;
	START(&reply, f->raw.port, "/", .on_body = on_body);
	assert_true(io_wait(f->loop, &f->n_gone, 1));
	assert_int_equal(reply.n_bytes, 5);
	assert_int_equal(reply.n_done, 0);
	assert_int_equal(other.n_done, 0);
	ek_buf_clear(&reply.body);
}

static int authorize(void *arg, char *value, size_t size, struct ek_error *err)
{
	struct fixture *f = arg;

	if (f->n_authorized >= 2)
		return ek_fail(err, EK_AUTH, "the token file is gone");
	snprintf(value, size, "Bearer token-%u", ++f->n_authorized);
	return EK_OK;
}

static void credentials_are_asked_for_at_each_request(void **state)
{
	struct fixture *f = *state;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_http_req req = { .method = "GET", .url = "http://127.0.0.1:1/", .on_done = on_done };

	ek_http_client_free(f->client);
	f->client = ek_http_client_new(f->http, &(struct ek_http_client_config){ .authorize = authorize,
		.authorize_arg = f });
	for (int i = 1; i <= 2; i++) {
		struct reply reply = new_reply(f);
		char expected[32];

		START(&reply, ek_serve_port(f->serve), "/who");
		assert_true(io_wait(f->loop, &reply.n_done, 1));
		snprintf(expected, sizeof(expected), "Bearer token-%d", i);
		assert_string_equal(reply.body.at, expected);
		finish_reply(&reply);
	}
	assert_null(ek_http_start(f->client, &req, &err));
	assert_int_equal(err.code, EK_AUTH);
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
	static const struct {
		const char *method, *url, *header, *value;
	} bad[] = {
		{ "GET", "ftp://a/", "X", "y" },
		{ "GET", "/relative", "X", "y" },
		{ "GET", "http://user:secret@a/", "X", "y" },
		{ "GET", "http://a/b c", "X", "y" },
		{ "GET", "http://a:99999/", "X", "y" },
		{ "GET", "http:///x", "X", "y" },
		{ "GE T", "http://a/", "X", "y" },
		{ "GET", "http://a/", "X:", "y" },
		{ "GET", "http://a/", "X", "y\r\nEvil: 1" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ek_http_header header = { bad[i].header, bad[i].value };
		struct ek_http_req req = { .method = bad[i].method, .url = bad[i].url, .headers = &header,
			.n_headers = 1, .on_done = on_done };
		struct ek_error err = EK_ERROR_INIT;

		assert_null(ek_http_start(f->client, &req, &err));
		assert_int_equal(err.code, EK_INVALID);
		assert_null(strstr(err.message, "secret"));
	}
}

static void everything_in_flight_ends_silently_with_the_engine(void **state)
{
	struct fixture *f = *state;
	struct reply replies[40];

	f->raw.answer = answer_nothing;
	for (int i = 0; i < 40; i++) {
		replies[i] = new_reply(f);
		START(&replies[i], f->raw.port, "/");
	}
	assert_true(io_wait(f->loop, &f->raw.n_requests, 16));
	ek_http_client_free(f->client);
	f->client = NULL;
	for (int i = 0; i < 40; i++)
		assert_int_equal(replies[i].n_done, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_response_is_ok_and_comes_on_a_later_turn),
		TEST(what_is_sent_is_plain),
		TEST(connections_are_kept_and_used_again),
		TEST(a_refused_connection_is_retry),
		TEST(silence_after_the_request_is_unknown),
		TEST(a_response_cut_in_the_middle_is_unknown_with_its_status),
		TEST(a_body_over_the_bound_is_too_big),
		TEST(the_bound_counts_what_gzip_unfolds_to),
		TEST(retry_after_is_told),
		TEST(a_put_on_a_connection_just_closed_is_sent_again),
		TEST(a_post_on_a_connection_just_closed_is_unknown),
		TEST(the_budget_bounds_connections_and_all_are_served),
		TEST(a_full_lane_does_not_delay_the_other_nor_an_own_connection),
		TEST(the_queue_is_bounded),
		TEST(a_stream_arrives_as_it_is_written_and_ends),
		TEST(a_stream_cut_by_the_server_is_unknown),
		TEST(a_paused_stream_delivers_nothing_until_it_is_resumed),
		TEST(a_reader_may_pause_itself_at_every_piece),
		TEST(a_reader_that_stops_ends_the_request_as_cancelled),
		TEST(a_call_may_be_cancelled_in_its_own_callbacks),
		TEST(a_call_may_be_cancelled_in_the_callback_of_another),
		TEST(a_request_may_be_started_in_a_callback),
		TEST(a_client_may_be_freed_in_a_callback_and_takes_its_calls_along),
		TEST(credentials_are_asked_for_at_each_request),
		TEST(what_cannot_be_sent_is_refused_at_once),
		TEST(everything_in_flight_ends_silently_with_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
