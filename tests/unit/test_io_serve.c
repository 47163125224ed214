/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io/serve over real sockets on loopback: answers, streams, and peers that misbehave.
 * The client is mostly a bare socket, so that it can.
 * Next: host/io/serve.h.
 */
#include "io/serve.h"

#include <eurekube/host.h>

#include "base/buf.h"
#include "unit/io_wait.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct ek_loop *loop;
	struct ek_serve *serve;
	unsigned n_handled, n_gone;
	struct ek_serve_stream *stream;
	char method[16], path[256], query[256], host[256], body[256];
	size_t body_bytes;
};

struct client {
	struct ek_loop *loop;
	int fd;
	struct ek_fd *watch;
	struct ek_buf got;
	unsigned n_got, n_closed;
};

static void on_gone(void *arg)
{
	struct fixture *f = arg;

	f->n_gone++;
	f->stream = NULL;
}

static void handle(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct fixture *f = arg;
	const char *host = request->header(request, "host");

	f->n_handled++;
	snprintf(f->method, sizeof(f->method), "%s", request->method);
	snprintf(f->path, sizeof(f->path), "%s", request->path);
	snprintf(f->query, sizeof(f->query), "%s", request->query);
	snprintf(f->host, sizeof(f->host), "%s", host ? host : "none");
	snprintf(f->body, sizeof(f->body), "%s", request->body);
	f->body_bytes = request->body_bytes;
	if (!strcmp(request->path, "/stream"))
		f->stream = ek_serve_stream(exchange, 200, "text/plain", on_gone, f);
	else if (strcmp(request->path, "/nothing"))
		ek_serve_reply(exchange, 200, "text/plain", "X-One: 1\nX-Two: a: b\n", "hello\n", 6);
}

static void start_server(struct fixture *f, struct ek_serve_config config)
{
	struct ek_error err = EK_ERROR_INIT;

	ek_serve_free(f->serve);
	config.host = config.host ? config.host : "127.0.0.1";
	config.handle = handle;
	config.arg = f;
	f->serve = ek_serve_new(f->loop, &config, &err);
	assert_string_equal(err.message, "");
	assert_non_null(f->serve);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = ek_loop_new();
	start_server(f, (struct ek_serve_config){ 0 });
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ek_serve_free(f->serve);
	ek_loop_free(f->loop);
	free(f);
	return 0;
}

static void on_readable(void *arg, uint32_t events)
{
	struct client *client = arg;
	char bytes[65536];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0) {
		client->n_closed = 1;
		ek_loop_update_fd(client->watch, 0);
		return;
	}
	client->n_got += (unsigned)n;
	ek_buf_add(&client->got, bytes, (size_t)n);
}

static int connect_fd(int fd, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static void dial(struct fixture *f, struct client *client, bool reads)
{
	memset(client, 0, sizeof(*client));
	client->loop = f->loop;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect_fd(client->fd, ek_serve_port(f->serve)), 0);
	ek_buf_init(&client->got, 64u << 20);
	client->watch = ek_loop_watch_fd(f->loop, client->fd, reads ? EK_FD_READABLE : 0, on_readable, client,
		NULL);
}

static void say(struct client *client, const char *text)
{
	assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void hang_up(struct client *client)
{
	ek_loop_unwatch_fd(client->watch);
	close(client->fd);
	ek_buf_clear(&client->got);
}

/* One request on a connection of its own; the status line's number. */
static int ask(struct fixture *f, const char *text, char *answer, size_t size)
{
	struct client client;
	int status;

	dial(f, &client, true);
	say(&client, text);
	assert_true(io_wait(f->loop, &client.n_closed, 1));
	status = client.got.n > 12 ? atoi(client.got.at + 9) : 0;
	if (answer)
		snprintf(answer, size, "%s", client.got.at);
	hang_up(&client);
	return status;
}

static void a_handler_gets_the_request_as_it_was_sent(void **state)
{
	struct fixture *f = *state;
	char answer[1000];

	assert_int_equal(ask(f, "PUT /a%2Fb/c%20d?x=%26&y HTTP/1.1\r\nHost: me\r\nConnection: close\r\n"
		"Content-Length: 5\r\n\r\nab\ncd", answer, sizeof(answer)), 200);
	assert_string_equal(f->method, "PUT");
	assert_string_equal(f->path, "/a%2Fb/c%20d");
	assert_string_equal(f->query, "x=%26&y");
	assert_string_equal(f->host, "me");
	assert_string_equal(f->body, "ab\ncd");
	assert_int_equal(f->body_bytes, 5);
	assert_non_null(strstr(answer, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(answer, "\r\nX-Two: a: b\r\n"));
	assert_non_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(answer, "\r\n\r\nhello\n"));
}

static void a_connection_serves_many_requests(void **state)
{
	struct fixture *f = *state;
	struct client client;

	dial(f, &client, true);
	for (unsigned i = 1; i <= 10; i++) {
		say(&client, "GET / HTTP/1.1\r\nHost: me\r\n\r\n");
		assert_true(io_wait(f->loop, &f->n_handled, i));
	}
	assert_int_equal(client.n_closed, 0);
	hang_up(&client);
}

static void a_handler_that_does_not_answer_is_an_error_500(void **state)
{
	assert_int_equal(ask(*state, "GET /nothing HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n", NULL, 0),
		500);
}

static void a_body_over_the_bound_is_refused(void **state)
{
	struct fixture *f = *state;

	start_server(f, (struct ek_serve_config){ .max_body_bytes = 4 });
	assert_int_equal(ask(f, "POST / HTTP/1.1\r\nHost: me\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde",
		NULL, 0), 413);
	assert_int_equal(f->n_handled, 0);
}

static void an_endless_header_is_refused(void **state)
{
	struct fixture *f = *state;
	struct client client;
	char header[2048];

	memset(header, 'x', sizeof(header) - 1);
	header[sizeof(header) - 1] = '\0';
	dial(f, &client, true);
	say(&client, "GET / HTTP/1.1\r\nX: ");
	for (int i = 0; i < 32; i++)
		say(&client, header);
	assert_true(io_wait(f->loop, &client.n_closed, 1));
	assert_int_equal(f->n_handled, 0);
	hang_up(&client);
}

static void other_names_than_localhost_are_refused_where_asked(void **state)
{
	static const struct {
		const char *host;
		int status;
	} hosts[] = {
		{ "localhost:8081", 200 }, { "127.0.0.1", 200 }, { "127.9.9.9:1", 200 }, { "[::1]:8081", 200 },
		{ "LOCALHOST", 200 }, { "evil.example", 403 }, { "127.0.0.1.evil.example", 403 },
		{ "localhost.evil.example", 403 }, { "10.0.0.1", 403 }, { "[::2]", 403 }, { "", 403 },
	};
	struct fixture *f = *state;
	char text[200];

	start_server(f, (struct ek_serve_config){ .only_localhost_names = true });
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
			hosts[i].host);
		assert_int_equal(ask(f, text, NULL, 0), hosts[i].status);
	}
}

static void a_stream_is_chunked_and_ends_properly(void **state)
{
	struct fixture *f = *state;
	struct client client;

	dial(f, &client, true);
	say(&client, "GET /stream HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 1));
	ek_serve_stream_write(f->stream, "one", 3);
	io_wait_within(f->loop, NULL, 1, 20);
	assert_non_null(strstr(client.got.at, "\r\n\r\n3\r\none\r\n"));
	ek_serve_stream_write(f->stream, "two", 3);
	ek_serve_stream_end(f->stream, false);
	io_wait_within(f->loop, NULL, 1, 20);
	assert_non_null(strstr(client.got.at, "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
	assert_int_equal(f->n_gone, 0);
	say(&client, "GET / HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 2));
	hang_up(&client);
}

static void an_abrupt_end_has_no_last_chunk(void **state)
{
	struct fixture *f = *state;
	struct client client;

	dial(f, &client, true);
	say(&client, "GET /stream HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 1));
	ek_serve_stream_write(f->stream, "one", 3);
	ek_serve_stream_end(f->stream, true);
	assert_true(io_wait(f->loop, &client.n_closed, 1));
	assert_non_null(strstr(client.got.at, "3\r\none\r\n"));
	assert_null(strstr(client.got.at, "0\r\n\r\n"));
	hang_up(&client);
}

static void a_peer_that_leaves_a_silent_stream_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct client client;

	dial(f, &client, true);
	say(&client, "GET /stream HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 1));
	io_wait_within(f->loop, NULL, 1, 20);
	hang_up(&client);
	assert_true(io_wait(f->loop, &f->n_gone, 1));
}

static void what_a_peer_does_not_read_is_bounded(void **state)
{
	static char mebibyte[1 << 20];
	struct fixture *f = *state;
	struct client client;
	unsigned n = 0;

	dial(f, &client, false);
	say(&client, "GET /stream HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 1));
	while (ek_serve_stream_write(f->stream, mebibyte, sizeof(mebibyte)) == EK_OK)
		n++;
	assert_int_equal(n, 16);
	ek_loop_update_fd(client.watch, EK_FD_READABLE);
	assert_true(io_wait(f->loop, &client.n_got, 16u << 20));
	assert_int_equal(ek_serve_stream_write(f->stream, "x", 1), EK_OK);
	hang_up(&client);
	assert_true(io_wait(f->loop, &f->n_gone, 1));
}

static void a_peer_that_does_not_read_is_cut_off_in_time(void **state)
{
	static char mebibyte[1 << 20];
	struct fixture *f = *state;
	struct client client;

	start_server(f, (struct ek_serve_config){ .request_timeout_ms = 1000 });
	dial(f, &client, false);
	say(&client, "GET /stream HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 1));
	for (int i = 0; i < 16; i++)
		ek_serve_stream_write(f->stream, mebibyte, sizeof(mebibyte));
	assert_true(io_wait(f->loop, &f->n_gone, 1));
	hang_up(&client);
}

static void trickle(void *arg)
{
	struct client *client = arg;

	if (send(client->fd, "x", 1, MSG_NOSIGNAL) < 0)
		client->n_closed = 1;
}

static void a_request_that_comes_byte_by_byte_is_cut_off_in_time(void **state)
{
	struct fixture *f = *state;
	struct client client;
	struct ek_timer timer;

	start_server(f, (struct ek_serve_config){ .request_timeout_ms = 1000 });
	dial(f, &client, true);
	say(&client, "GET / HTTP/1.1\r\nX: ");
	ek_timer_init(&timer, trickle, &client);
	for (int i = 0; i < 40 && !client.n_closed; i++) {
		ek_loop_arm(f->loop, &timer, 100);
		io_wait_within(f->loop, &client.n_closed, 1, 150);
	}
	ek_loop_disarm(f->loop, &timer);
	assert_int_equal(client.n_closed, 1);
	assert_int_equal(f->n_handled, 0);
	hang_up(&client);
}

static void more_connections_than_allowed_wait_until_one_ends(void **state)
{
	struct fixture *f = *state;
	struct client clients[3];

	start_server(f, (struct ek_serve_config){ .max_connections = 2 });
	for (int i = 0; i < 3; i++) {
		dial(f, &clients[i], true);
		say(&clients[i], "GET / HTTP/1.1\r\nHost: me\r\n\r\n");
	}
	assert_true(io_wait(f->loop, &f->n_handled, 2));
	io_wait_within(f->loop, NULL, 1, 30);
	assert_int_equal(f->n_handled, 2);
	hang_up(&clients[0]);
	assert_true(io_wait(f->loop, &f->n_handled, 3));
	hang_up(&clients[1]);
	hang_up(&clients[2]);
}

static void running_out_of_descriptors_turns_callers_away_and_is_survived(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, few;
	int fds[4], spare;
	char byte;

	for (int i = 0; i < 4; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	spare = dup(0);
	close(spare);
	few.rlim_cur = (rlim_t)spare;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(connect_fd(fds[i], ek_serve_port(f->serve)), 0);
	io_wait_within(f->loop, NULL, 1, 50);
	for (int i = 0; i < 4; i++) {
		assert_true(recv(fds[i], &byte, 1, MSG_DONTWAIT) <= 0);
		close(fds[i]);
	}
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(ask(f, "GET / HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n", NULL, 0), 200);
}

static void a_server_may_be_freed_with_streams_open(void **state)
{
	struct fixture *f = *state;
	struct client client;

	dial(f, &client, true);
	say(&client, "GET /stream HTTP/1.1\r\nHost: me\r\n\r\n");
	assert_true(io_wait(f->loop, &f->n_handled, 1));
	io_wait_within(f->loop, NULL, 1, 20);
	ek_serve_free(f->serve);
	f->serve = NULL;
	assert_true(io_wait(f->loop, &client.n_closed, 1));
	assert_int_equal(f->n_gone, 0);
	hang_up(&client);
}

static void a_port_in_use_or_a_bad_address_is_said(void **state)
{
	struct fixture *f = *state;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_serve_config config = { .host = "127.0.0.1", .port = ek_serve_port(f->serve),
		.handle = handle };

	assert_null(ek_serve_new(f->loop, &config, &err));
	assert_int_equal(err.code, EK_RETRY);
	assert_non_null(strstr(err.message, "cannot listen on 127.0.0.1 port"));
	config.host = "no-address";
	assert_null(ek_serve_new(f->loop, &config, &err));
	assert_int_equal(err.code, EK_INVALID);
}

static void all_addresses_include_the_ipv4_loopback(void **state)
{
	struct fixture *f = *state;

	start_server(f, (struct ek_serve_config){ .host = "" });
	assert_int_equal(ask(f, "GET / HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n", NULL, 0), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_handler_gets_the_request_as_it_was_sent),
		TEST(a_connection_serves_many_requests),
		TEST(a_handler_that_does_not_answer_is_an_error_500),
		TEST(a_body_over_the_bound_is_refused),
		TEST(an_endless_header_is_refused),
		TEST(other_names_than_localhost_are_refused_where_asked),
		TEST(a_stream_is_chunked_and_ends_properly),
		TEST(an_abrupt_end_has_no_last_chunk),
		TEST(a_peer_that_leaves_a_silent_stream_is_noticed),
		TEST(what_a_peer_does_not_read_is_bounded),
		TEST(a_peer_that_does_not_read_is_cut_off_in_time),
		TEST(a_request_that_comes_byte_by_byte_is_cut_off_in_time),
		TEST(more_connections_than_allowed_wait_until_one_ends),
		TEST(running_out_of_descriptors_turns_callers_away_and_is_survived),
		TEST(a_server_may_be_freed_with_streams_open),
		TEST(a_port_in_use_or_a_bad_address_is_said),
		TEST(all_addresses_include_the_ipv4_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
