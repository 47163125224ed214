/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the API server in simulated time: what is sent, how answers come back, and how credentials follow their files.
 * TLS itself is not simulated; the end-to-end suite meets it.
 * Read next: host/kube/client.c.
 */
#include "kube/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/serve.h"
#include "kit/sim.h"

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_http *http;
	struct ek_kube *kube;
	/* the server */
	int status;
	const char *answer, *headers;
	const char *good_token; /* anything else is answered 401; NULL: all are good */
	unsigned n_asked;
	char method[16], path[256], query[256], body[256], authorization[8192], content_type[64], accept[64];
	/* the caller */
	unsigned n_done, n_heads;
	struct ek_kube_reply reply;
	char reply_body[8192], reason[64], message[256], streamed[256];
};

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void on_request(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;
	char wanted[64];

	w->n_asked++;
	copy(w->method, sizeof(w->method), request->method);
	copy(w->path, sizeof(w->path), request->path);
	copy(w->query, sizeof(w->query), request->query);
	copy(w->body, sizeof(w->body), request->body);
	copy(w->authorization, sizeof(w->authorization), request->header(request, "Authorization"));
	copy(w->content_type, sizeof(w->content_type), request->header(request, "Content-Type"));
	copy(w->accept, sizeof(w->accept), request->header(request, "Accept"));
	snprintf(wanted, sizeof(wanted), "Bearer %s", w->good_token ? w->good_token : "");
	if (w->good_token && strcmp(wanted, w->authorization) != 0)
		ek_serve_reply(exchange, 401, "application/json", NULL, "{}", 2);
	else
		ek_serve_reply(exchange, w->status, "application/json", w->headers, w->answer, strlen(w->answer));
}

static void on_done(void *arg, const struct ek_kube_reply *reply)
{
	struct world *w = arg;

	w->n_done++;
	w->reply = *reply;
	copy(w->reply_body, sizeof(w->reply_body), reply->body);
	copy(w->reason, sizeof(w->reason), reply->reason);
	copy(w->message, sizeof(w->message), reply->message);
}

static void on_head(void *arg)
{
	((struct world *)arg)->n_heads++;
}

static int on_body(void *arg, const char *bytes, size_t n)
{
	struct world *w = arg;
	size_t at = strlen(w->streamed);

	snprintf(w->streamed + at, sizeof(w->streamed) - at, "%.*s", (int)n, bytes);
	return 0;
}

static struct world *a_world(const char *server, const char *token, const char *token_file)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct ek_serve_config serve = { .host = "kube", .port = 80, .handle = on_request, .arg = w };
	struct ek_kube_config kube = { .server = (char *)server, .token = (char *)token, .token_file = (char *)token_file };
	struct ek_error err = EK_ERROR_INIT;

	ek_log_set_level(EK_LOG_ERROR);
	w->loop = sim_loop_new(3);
	w->serve = ek_serve_new(w->loop, &serve, NULL);
	w->http = ek_http_new(w->loop);
	w->kube = ek_kube_new(w->loop, w->http, &kube, &err);
	if (!w->kube)
		fail_msg("%s", err.message);
	w->status = 200;
	w->answer = "{}";
	return w;
}

static void end_of(struct world *w)
{
	ek_kube_free(w->kube);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	sim_file_clear();
	free(w);
}

static struct ek_kube_call *send(struct world *w, const char *method, const char *path, const char *body)
{
	const struct ek_kube_request request = { .method = method, .path = path, .body = body, .body_bytes = body ? strlen(body) : 0, .content_type = "application/merge-patch+json", .on_done = on_done, .arg = w };

	return ek_kube_call(w->kube, &request, NULL);
}

static void when_called(struct world *w, const char *method, const char *path, const char *body)
{
	unsigned before = w->n_done;

	assert_non_null(send(w, method, path, body));
	assert_int_equal(w->n_done, before);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, before + 1);
}

static void when_streamed(struct world *w)
{
	const struct ek_kube_stream_request request = { .path = "/api/v1/services?watch=1", .on_head = on_head, .on_body = on_body, .on_done = on_done, .arg = w };

	w->n_done = 0;
	assert_non_null(ek_kube_stream(w->kube, &request, NULL));
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 1);
}

static void test_a_request_goes_below_the_prefix_of_the_server(void **state)
{
	struct world *w = a_world("http://kube:80/k8s/clusters/c-1", "abc", NULL);

	when_called(w, "PATCH", "/apis/eurekube.io/v1alpha1/namespaces/a/eurekasyncers/b/status?x=1", "{\"status\":{}}");
	assert_string_equal(w->method, "PATCH");
	assert_string_equal(w->path, "/k8s/clusters/c-1/apis/eurekube.io/v1alpha1/namespaces/a/eurekasyncers/b/status");
	assert_string_equal(w->query, "x=1");
	assert_string_equal(w->body, "{\"status\":{}}");
	assert_string_equal(w->content_type, "application/merge-patch+json");
	assert_string_equal(w->accept, "application/json");
	assert_string_equal(w->authorization, "Bearer abc");
	assert_string_equal(ek_kube_server(w->kube), "http://kube:80/k8s/clusters/c-1");
	end_of(w);
}

static void test_a_good_answer_has_its_body_and_no_message(void **state)
{
	struct world *w = a_world("http://kube:80", NULL, NULL);

	w->answer = "{\"kind\":\"Service\"}";
	when_called(w, "GET", "/api/v1/namespaces/a/services/b", NULL);
	assert_int_equal(w->reply.code, EK_OK);
	assert_int_equal(w->reply.status, 200);
	assert_string_equal(w->reply_body, w->answer);
	assert_string_equal(w->message, "");
	assert_string_equal(w->reason, "");
	assert_string_equal(w->authorization, "");
	end_of(w);
}

static void test_an_error_comes_with_its_reason_and_a_sentence(void **state)
{
	struct world *w = a_world("http://kube:80", NULL, NULL);

	w->status = 409;
	w->answer = "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"it is there\",\"code\":409}";
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_int_equal(w->reply.code, EK_CONFLICT);
	assert_string_equal(w->reason, "AlreadyExists");
	assert_string_equal(w->message, "it is there");
	w->status = 503;
	w->answer = "";
	w->headers = "Retry-After: 4\n";
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_int_equal(w->reply.code, EK_RETRY);
	assert_int_equal(w->reply.retry_after_ms, 4000);
	assert_string_equal(w->message, "the API server answered 503");
	end_of(w);
}

static void test_a_server_that_is_away_is_told_from_one_that_refuses(void **state)
{
	struct world *w = a_world("http://kube:80", NULL, NULL);

	sim_fault(w->loop, "kube:80", SIM_REFUSE);
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_int_equal(w->reply.code, EK_RETRY);
	assert_int_equal(w->reply.status, 0);
	assert_true(w->message[0]);
	sim_fault(w->loop, "kube:80", SIM_LOSE_REPLY);
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_int_equal(w->reply.code, EK_UNKNOWN);
	end_of(w);
}

static void write_token(const char *token)
{
	sim_file_write("/sa/token", token, strlen(token));
}

static void test_a_token_file_is_read_again_within_a_minute(void **state)
{
	struct world *w;

	write_token(" one \n");
	w = a_world("http://kube:80", "inline", "/sa/token");
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer one");
	write_token("two");
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer one");
	sim_advance(w->loop, 50000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer two");
	end_of(w);
}

static void test_a_token_serves_until_the_token_file_can_be_read(void **state)
{
	struct world *w = a_world("http://kube:80", "inline", "/sa/token");

	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer inline");
	write_token("one");
	sim_advance(w->loop, 50000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer one");
	end_of(w);
}

static void test_a_token_file_that_vanishes_or_is_empty_leaves_the_last_token(void **state)
{
	struct world *w;

	write_token("one");
	w = a_world("http://kube:80", NULL, "/sa/token");
	sim_file_write("/sa/token", NULL, 0);
	sim_advance(w->loop, 60000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer one");
	write_token("");
	sim_advance(w->loop, 60000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer one");
	end_of(w);
}

static void test_a_token_longer_than_4_kilobytes_is_sent_whole(void **state)
{
	struct world *w;
	char token[5001], wanted[5100];

	memset(token, 't', 5000);
	token[5000] = '\0';
	write_token(token);
	w = a_world("http://kube:80", NULL, "/sa/token");
	when_called(w, "GET", "/api/v1/x", NULL);
	snprintf(wanted, sizeof(wanted), "Bearer %s", token);
	assert_string_equal(w->authorization, wanted);
	end_of(w);
}

static void test_a_get_that_is_refused_is_repeated_once_with_the_token_of_now(void **state)
{
	struct world *w;

	write_token("old");
	w = a_world("http://kube:80", NULL, "/sa/token");
	w->good_token = "new";
	write_token("new");
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->n_asked, 2);
	assert_int_equal(w->reply.code, EK_OK);

	w->good_token = "other";
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->n_asked, 4);
	assert_int_equal(w->reply.code, EK_AUTH);
	assert_int_equal(w->reply.status, 401);
	end_of(w);
}

static void test_a_write_that_is_refused_is_left_to_its_caller_but_the_next_one_is_better(void **state)
{
	struct world *w;

	write_token("old");
	w = a_world("http://kube:80", NULL, "/sa/token");
	w->good_token = "new";
	write_token("new");
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_int_equal(w->n_asked, 1);
	assert_int_equal(w->reply.code, EK_AUTH);
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_int_equal(w->reply.code, EK_OK);
	end_of(w);
}

static void test_a_token_that_cannot_change_is_not_tried_twice(void **state)
{
	struct world *w = a_world("http://kube:80", "inline", NULL);

	w->good_token = "other";
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->n_asked, 1);
	assert_int_equal(w->reply.code, EK_AUTH);
	end_of(w);
}

static void test_a_stream_gives_good_bytes_to_its_reader_and_bad_ones_to_its_reply(void **state)
{
	struct world *w = a_world("http://kube:80", NULL, NULL);

	w->answer = "one\ntwo\n";
	when_streamed(w);
	assert_string_equal(w->streamed, "one\ntwo\n");
	assert_int_equal(w->n_heads, 1);
	assert_int_equal(w->reply.code, EK_OK);
	assert_string_equal(w->reply_body, "");

	w->status = 410;
	w->answer = "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"too old\",\"code\":410}";
	when_streamed(w);
	assert_string_equal(w->streamed, "one\ntwo\n");
	assert_int_equal(w->n_heads, 1);
	assert_int_equal(w->reply.code, EK_EXPIRED);
	assert_string_equal(w->reason, "Expired");
	assert_string_equal(w->reply_body, w->answer);
	end_of(w);
}

static void test_a_stream_that_is_refused_is_repeated_too(void **state)
{
	struct world *w;

	write_token("old");
	w = a_world("http://kube:80", NULL, "/sa/token");
	w->good_token = "new";
	w->answer = "good";
	write_token("new");
	when_streamed(w);
	assert_int_equal(w->n_asked, 2);
	assert_string_equal(w->streamed, "good");
	assert_int_equal(w->n_heads, 1);
	end_of(w);
}

static void test_what_is_cancelled_or_freed_is_never_heard_of_again(void **state)
{
	struct world *w = a_world("http://kube:80", NULL, NULL);
	struct ek_kube_call *call = send(w, "GET", "/api/v1/x", NULL);

	ek_kube_cancel(call);
	ek_kube_cancel(NULL);
	assert_int_equal(sim_open_calls(w->loop), 0);
	sim_advance(w->loop, 1000);
	assert_non_null(send(w, "GET", "/api/v1/x", NULL));
	ek_kube_free(w->kube);
	w->kube = NULL;
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 0);
	assert_int_equal(sim_open_calls(w->loop), 0);
	end_of(w);
}

static void test_a_credential_file_that_is_missing_at_the_start_is_named(void **state)
{
	static const struct ek_kube_config configs[] = {
		{ .server = (char *)"https://kube", .token_file = (char *)"/sa/none" },
		{ .server = (char *)"https://kube", .ca_file = (char *)"/sa/none" },
		{ .server = (char *)"https://kube", .cert_file = (char *)"/sa/none", .key_file = (char *)"/sa/none" },
	};
	struct ek_loop *loop = sim_loop_new(3);
	struct ek_http *http = ek_http_new(loop);

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;

		assert_null(ek_kube_new(loop, http, &configs[i], &err));
		assert_non_null(strstr(err.message, "/sa/none"));
	}
	ek_http_free(http);
	ek_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_goes_below_the_prefix_of_the_server),
		cmocka_unit_test(test_a_good_answer_has_its_body_and_no_message),
		cmocka_unit_test(test_an_error_comes_with_its_reason_and_a_sentence),
		cmocka_unit_test(test_a_server_that_is_away_is_told_from_one_that_refuses),
		cmocka_unit_test(test_a_token_file_is_read_again_within_a_minute),
		cmocka_unit_test(test_a_token_serves_until_the_token_file_can_be_read),
		cmocka_unit_test(test_a_token_file_that_vanishes_or_is_empty_leaves_the_last_token),
		cmocka_unit_test(test_a_token_longer_than_4_kilobytes_is_sent_whole),
		cmocka_unit_test(test_a_get_that_is_refused_is_repeated_once_with_the_token_of_now),
		cmocka_unit_test(test_a_write_that_is_refused_is_left_to_its_caller_but_the_next_one_is_better),
		cmocka_unit_test(test_a_token_that_cannot_change_is_not_tried_twice),
		cmocka_unit_test(test_a_stream_gives_good_bytes_to_its_reader_and_bad_ones_to_its_reply),
		cmocka_unit_test(test_a_stream_that_is_refused_is_repeated_too),
		cmocka_unit_test(test_what_is_cancelled_or_freed_is_never_heard_of_again),
		cmocka_unit_test(test_a_credential_file_that_is_missing_at_the_start_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
