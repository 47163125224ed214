/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the API server in simulated time: what is sent, how answers come back, and how credentials follow their files.
 * TLS itself is not simulated; the end-to-end suite meets it.
 * Read next: host/kube/client.c.
 */
#include "scenario/kube_client_world.h"

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

static void test_who_impersonates_says_so_in_each_request(void **state)
{
	struct ek_kube_header headers[] = { { (char *)"Impersonate-User", (char *)"bob" }, { NULL, NULL } };
	struct world *w = a_world_of((struct ek_kube_config){ .server = (char *)"http://kube:80", .token = (char *)"abc", .impersonation = headers });

	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->user, "bob");
	when_called(w, "POST", "/api/v1/x", "{}");
	assert_string_equal(w->user, "bob");
	assert_string_equal(w->content_type, "application/merge-patch+json");
	end_of(w);
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
		cmocka_unit_test(test_who_impersonates_says_so_in_each_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
