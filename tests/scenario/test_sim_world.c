/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated world itself: what the other scenarios rely on without saying so.
 * It does not test the operator.
 * Next: tests/kit/sim.h.
 */
#include "kit/sim.h"

#include "base/buf.h"
#include "io/file.h"
#include "io/http.h"
#include "io/serve.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORIGIN "eureka-0:8761"
#define URL    "http://" ORIGIN

struct world {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_http_client *client;
	struct ek_serve *serve;
	struct ek_serve_stream *stream;
	unsigned n_handled, n_gone;
	char last_path[64];
};

struct reply {
	struct world *w;
	unsigned n_done, n_head;
	int code, status;
	char body[256];
	size_t n;
	bool cancels;
	struct ek_http_call *call;
	int64_t at_ms;
};

static void on_gone(void *arg)
{
	struct world *w = arg;

	w->n_gone++;
	w->stream = NULL;
}

static void handle(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;

	w->n_handled++;
	snprintf(w->last_path, sizeof(w->last_path), "%s?%s", request->path, request->query);
	if (!strcmp(request->path, "/watch"))
		w->stream = ek_serve_stream(exchange, 200, "application/json", on_gone, w);
	else if (!strcmp(request->path, "/busy"))
		ek_serve_reply(exchange, 429, "text/plain", "Retry-After: 3\n", "slow", 4);
	else
		ek_serve_reply(exchange, 200, "text/plain; charset=utf-8", NULL, request->body,
			request->body_bytes);
}

static int on_body(void *arg, const char *bytes, size_t n)
{
	struct reply *reply = arg;

	memcpy(reply->body + reply->n, bytes, n);
	reply->n += n;
	if (reply->cancels)
		ek_http_cancel(reply->call);
	return 0;
}

static void on_head(void *arg, int status, const char *content_type)
{
	((struct reply *)arg)->n_head++;
}

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct reply *reply = arg;

	reply->n_done++;
	reply->code = result->code;
	reply->status = result->status;
	if (result->body_bytes)
		snprintf(reply->body, sizeof(reply->body), "%s", result->body);
	if (result->retry_after_ms)
		snprintf(reply->body, sizeof(reply->body), "wait %d", (int)result->retry_after_ms);
	reply->at_ms = ek_loop_now_ms(reply->w->loop);
}

static bool is_done(void *arg)
{
	return ((struct reply *)arg)->n_done;
}

static bool has_stream(void *arg)
{
	return ((struct world *)arg)->stream;
}

static struct ek_http_call *start(struct world *w, struct reply *reply, const char *method, const char *path,
	const char *body)
{
	char url[128];
	bool is_watch = !strcmp(path, "/watch");
	struct ek_http_req req = { .method = method, .url = url, .body = body,
		.body_bytes = body ? strlen(body) : 0, .timeout_ms = is_watch ? 0 : 5000, .arg = reply,
		.on_done = on_done, .on_head = on_head, .on_body = is_watch ? on_body : NULL,
		.own_connection = is_watch };

	snprintf(url, sizeof(url), URL "%s", path);
	reply->w = w;
	reply->call = ek_http_start(w->client, &req, NULL);
	assert_non_null(reply->call);
	return reply->call;
}

static int set_up_seed(void **state, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	w->loop = sim_loop_new(seed);
	w->http = ek_http_new(w->loop);
	w->client = ek_http_client_new(w->http, &(struct ek_http_client_config){ .max_connections = 2 });
	w->serve = ek_serve_new(w->loop, &(struct ek_serve_config){ .host = "eureka-0", .port = 8761,
		.handle = handle, .arg = w }, NULL);
	*state = w;
	return 0;
}

static int set_up(void **state)
{
	return set_up_seed(state, 7);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	ek_serve_free(w->serve);
	ek_http_client_free(w->client);
	ek_http_free(w->http);
	ek_loop_free(w->loop);
	sim_file_clear();
	free(w);
	return 0;
}

static void a_request_is_answered_on_a_later_turn(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	start(w, &reply, "POST", "/apps/A?x=%20", "hello");
	assert_int_equal(w->n_handled, 0);
	assert_true(sim_run_until(w->loop, is_done, &reply, 100));
	assert_int_equal(reply.code, EK_OK);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "hello");
	assert_string_equal(w->last_path, "/apps/A?x=%20");
}

static void latency_is_paid_in_both_directions(void **state)
{
	struct world *w = *state;
	int64_t start_ms = ek_loop_now_ms(w->loop);
	struct reply reply = { 0 };

	sim_latency(w->loop, ORIGIN, 50);
	start(w, &reply, "GET", "/", NULL);
	assert_true(sim_run_until(w->loop, is_done, &reply, 1000));
	assert_in_range(reply.at_ms - start_ms, 100, 105);
}

static void refused_is_retry_and_reaches_nobody(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	sim_fault(w->loop, ORIGIN, SIM_REFUSE);
	start(w, &reply, "GET", "/", NULL);
	assert_true(sim_run_until(w->loop, is_done, &reply, 100));
	assert_int_equal(reply.code, EK_RETRY);
	assert_int_equal(w->n_handled, 0);
}

static void a_black_hole_ends_at_the_connect_timeout(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	sim_fault(w->loop, ORIGIN, SIM_BLACKHOLE);
	start(w, &reply, "GET", "/", NULL);
	assert_false(sim_run_until(w->loop, is_done, &reply, 4900));
	assert_true(sim_run_until(w->loop, is_done, &reply, 200));
	assert_int_equal(reply.code, EK_RETRY);
}

static void a_hung_request_is_unknown_and_handled_after_all(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	sim_fault(w->loop, ORIGIN, SIM_HANG);
	start(w, &reply, "POST", "/late", NULL);
	assert_true(sim_run_until(w->loop, is_done, &reply, 6000));
	assert_int_equal(reply.code, EK_UNKNOWN);
	assert_int_equal(w->n_handled, 0);
	sim_fault(w->loop, ORIGIN, SIM_OK);
	sim_advance(w->loop, 10);
	assert_int_equal(w->n_handled, 1);
	assert_string_equal(w->last_path, "/late?");
}

static void a_short_hang_only_delays(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	sim_fault(w->loop, NULL, SIM_HANG);
	start(w, &reply, "GET", "/", NULL);
	sim_advance(w->loop, 1000);
	sim_fault(w->loop, NULL, SIM_OK);
	assert_true(sim_run_until(w->loop, is_done, &reply, 100));
	assert_int_equal(reply.code, EK_OK);
	assert_int_equal(w->n_handled, 1);
}

static void a_lost_reply_is_unknown_and_was_handled(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	sim_fault(w->loop, ORIGIN, SIM_LOSE_REPLY);
	start(w, &reply, "PUT", "/", "x");
	assert_true(sim_run_until(w->loop, is_done, &reply, 100));
	assert_int_equal(reply.code, EK_UNKNOWN);
	assert_int_equal(w->n_handled, 1);
}

static void retry_after_is_told(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	start(w, &reply, "GET", "/busy", NULL);
	assert_true(sim_run_until(w->loop, is_done, &reply, 100));
	assert_int_equal(reply.status, 429);
	assert_string_equal(reply.body, "wait 3000");
}

static void a_stream_arrives_in_order_and_its_cut_is_seen_by_both(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	start(w, &reply, "GET", "/watch", NULL);
	assert_true(sim_run_until(w->loop, has_stream, w, 100));
	for (char c = 'a'; c <= 'z'; c++)
		ek_serve_stream_write(w->stream, (char[]){ c, c, c }, 3);
	sim_advance(w->loop, 50);
	assert_int_equal(reply.n_head, 1);
	assert_int_equal(reply.n, 78);
	for (int i = 0; i < 78; i++)
		assert_int_equal(reply.body[i], 'a' + i / 3);
	sim_fault(w->loop, ORIGIN, SIM_CUT);
	sim_advance(w->loop, 50);
	assert_int_equal(reply.n_done, 1);
	assert_int_equal(reply.code, EK_UNKNOWN);
	assert_int_equal(w->n_gone, 1);
	assert_int_equal(sim_open_streams(w->loop), 0);
}

static void a_paused_stream_waits_and_is_bounded(void **state)
{
	struct world *w = *state;
	static char mebibyte[1024 * 1024];
	struct reply reply = { 0 };
	struct ek_http_call *call = start(w, &reply, "GET", "/watch", NULL);
	int n = 0;

	assert_true(sim_run_until(w->loop, has_stream, w, 100));
	ek_http_pause(call, true);
	ek_serve_stream_write(w->stream, "abc", 3);
	sim_advance(w->loop, 1000);
	assert_int_equal(reply.n, 0);
	ek_http_pause(call, false);
	sim_advance(w->loop, 10);
	assert_int_equal(reply.n, 3);
	ek_http_pause(call, true);
	while (ek_serve_stream_write(w->stream, mebibyte, sizeof(mebibyte)) == EK_OK)
		n++;
	assert_int_equal(n, 16);
	ek_http_cancel(call);
	sim_advance(w->loop, 10);
	assert_int_equal(w->n_gone, 1);
}

static void a_call_may_be_cancelled_in_its_own_callback(void **state)
{
	struct world *w = *state;
	struct reply reply = { .cancels = true };

	start(w, &reply, "GET", "/watch", NULL);
	assert_true(sim_run_until(w->loop, has_stream, w, 100));
	ek_serve_stream_write(w->stream, "abc", 3);
	sim_advance(w->loop, 100);
	assert_true(reply.n > 0);
	assert_int_equal(reply.n_done, 0);
	assert_int_equal(w->n_gone, 1);
	assert_int_equal(sim_open_calls(w->loop), 0);
}

static void requests_over_the_budget_wait_their_turn_per_lane(void **state)
{
	struct world *w = *state;
	struct reply reply[4] = { 0 }, renewal = { 0 };
	struct ek_http_req renew = { .method = "PUT", .url = URL "/renew", .lane = 1, .arg = &renewal,
		.on_done = on_done, .timeout_ms = 100 };

	sim_fault(w->loop, ORIGIN, SIM_HANG);
	for (int i = 0; i < 4; i++)
		start(w, &reply[i], "GET", "/", NULL);
	sim_advance(w->loop, 10);
	sim_fault(w->loop, ORIGIN, SIM_OK);
	renewal.w = w;
	assert_non_null(ek_http_start(w->client, &renew, NULL));
	assert_true(sim_run_until(w->loop, is_done, &renewal, 100));
	assert_true(sim_run_until(w->loop, is_done, &reply[3], 100));
	assert_int_equal(w->n_handled, 5);
}

static void trace(void *arg, const char *method, const char *url, int status)
{
	struct ek_buf *buf = arg;

	ek_buf_addf(buf, "%s %s %d;", method, url + strlen(URL), status);
}

static char *run_ten(uint64_t seed)
{
	struct reply reply[10] = { 0 };
	struct ek_buf buf;
	void *state;
	char path[8];
	struct world *w;

	ek_buf_init(&buf, 10000);
	set_up_seed(&state, seed);
	w = state;
	ek_http_client_free(w->client);
	w->client = ek_http_client_new(w->http, &(struct ek_http_client_config){ .max_connections = 20 });
	sim_on_request(w->loop, trace, &buf);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		start(w, &reply[i], "GET", path, NULL);
	}
	sim_advance(w->loop, 100);
	tear_down(&state);
	return ek_buf_take(&buf);
}

static void equal_seeds_give_equal_orders_and_others_differ(void **state)
{
	char *a = run_ten(1), *b = run_ten(1), *c = run_ten(2);

	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(strlen(a), strlen(c));
	free(a);
	free(b);
	free(c);
}

static void count(void *arg)
{
	++*(int *)arg;
}

static void timers_are_counted_and_time_stands_still_without_events(void **state)
{
	struct world *w = *state;
	int n = 0;
	struct ek_timer timer;
	int64_t start_ms = ek_loop_now_ms(w->loop);

	ek_timer_init(&timer, count, &n);
	ek_loop_arm(w->loop, &timer, 3600 * 1000);
	assert_int_equal(sim_armed_timers(w->loop), 1);
	sim_advance(w->loop, 3599 * 1000);
	assert_int_equal(n, 0);
	sim_advance(w->loop, 1000);
	assert_int_equal(n, 1);
	assert_int_equal(ek_loop_now_ms(w->loop), start_ms + 3600 * 1000);
	assert_int_equal(sim_armed_timers(w->loop), 0);
}

static void files_in_memory_are_read_and_watched(void **state)
{
	struct world *w = *state;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_buf buf;
	int n = 0;
	struct ek_file_watch *watch = ek_file_watch(w->loop, "/etc/token", count, &n);

	ek_buf_init(&buf, 100);
	sim_file_write("/etc/token", "abc", 3);
	assert_int_equal(n, 0);
	sim_advance(w->loop, 5);
	assert_int_equal(n, 1);
	assert_int_equal(ek_file_read("/etc/token", &buf, &err), EK_OK);
	assert_string_equal(buf.at, "abc");
	sim_file_write("/etc/token", NULL, 0);
	assert_int_equal(ek_file_read("/etc/token", &buf, &err), EK_GONE);
	ek_file_unwatch(watch);
	ek_buf_clear(&buf);
}

static void freeing_a_server_cuts_its_streams_and_refuses_afterwards(void **state)
{
	struct world *w = *state;
	struct reply watch = { 0 }, reply = { 0 };

	start(w, &watch, "GET", "/watch", NULL);
	assert_true(sim_run_until(w->loop, has_stream, w, 100));
	ek_serve_free(w->serve);
	w->serve = NULL;
	start(w, &reply, "GET", "/", NULL);
	sim_advance(w->loop, 100);
	assert_int_equal(watch.code, EK_UNKNOWN);
	assert_int_equal(reply.code, EK_RETRY);
	assert_int_equal(w->n_gone, 0);
}

static void on_signal(void *arg, int signo)
{
	*(int *)arg = signo;
}

static void signals_arrive_a_turn_later(void **state)
{
	struct world *w = *state;
	int signo = 0;

	ek_loop_on_signal(w->loop, SIGTERM, on_signal, &signo);
	sim_raise(w->loop, SIGTERM);
	assert_int_equal(signo, 0);
	sim_advance(w->loop, 0);
	assert_int_equal(signo, SIGTERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_answered_on_a_later_turn),
		TEST(latency_is_paid_in_both_directions),
		TEST(refused_is_retry_and_reaches_nobody),
		TEST(a_black_hole_ends_at_the_connect_timeout),
		TEST(a_hung_request_is_unknown_and_handled_after_all),
		TEST(a_short_hang_only_delays),
		TEST(a_lost_reply_is_unknown_and_was_handled),
		TEST(retry_after_is_told),
		TEST(a_stream_arrives_in_order_and_its_cut_is_seen_by_both),
		TEST(a_paused_stream_waits_and_is_bounded),
		TEST(a_call_may_be_cancelled_in_its_own_callback),
		TEST(requests_over_the_budget_wait_their_turn_per_lane),
		cmocka_unit_test(equal_seeds_give_equal_orders_and_others_differ),
		TEST(timers_are_counted_and_time_stands_still_without_events),
		TEST(files_in_memory_are_read_and_watched),
		TEST(freeing_a_server_cuts_its_streams_and_refuses_afterwards),
		TEST(signals_arrive_a_turn_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
