/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the API server in simulated time: what is sent, how answers come back, and how credentials follow their files
 * and come from plugins.
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
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/serve.h"
#include "kit/sim.h"
#include "kit/sim_process.h"

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
	char method[16], path[256], query[256], body[256], authorization[8192], content_type[64], accept[64], user[64];
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
	copy(w->user, sizeof(w->user), request->header(request, "Impersonate-User"));
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

static struct world *a_world_of(struct ek_kube_config kube)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct ek_serve_config serve = { .host = "kube", .port = 80, .handle = on_request, .arg = w };
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

static struct world *a_world(const char *server, const char *token, const char *token_file)
{
	return a_world_of((struct ek_kube_config){ .server = (char *)server, .token = (char *)token, .token_file = (char *)token_file });
}

static void end_of(struct world *w)
{
	ek_kube_free(w->kube);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	sim_file_clear();
	sim_program = (struct sim_program){ 0 };
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

/* ---- Credential plugins ---- */

#define V1 "client.authentication.k8s.io/v1"

static struct world *a_world_with_a_plugin(const char *output)
{
	char *argv[] = { (char *)"aws", (char *)"get-token", NULL }, *environment[] = { (char *)"A=b", NULL };
	struct ek_kube_exec exec = { .api_version = (char *)V1, .argv = argv, .environment = environment, .provide_cluster_info = true,
		.cluster_config = (char *)"{\"a\":1}" };

	sim_program = (struct sim_program){ .output = output };
	return a_world_of((struct ek_kube_config){ .server = (char *)"http://kube:80", .ca_pem = (char *)"PEM", .exec = &exec });
}

static const char *a_credential(const char *token, int64_t expires_s)
{
	static char text[2][256];
	static unsigned turn;
	char *at = text[++turn % 2], until[64] = "";
	time_t end = (time_t)expires_s;

	if (expires_s)
		strftime(until, sizeof(until), ",\"expirationTimestamp\":\"%Y-%m-%dT%H:%M:%SZ\"", gmtime(&end));
	snprintf(at, sizeof(text[0]), "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"%s\"%s}}", token, until);
	return at;
}

static void test_calls_wait_for_the_plugin_and_one_run_serves_them_all(void **state)
{
	struct world *w = a_world_with_a_plugin(a_credential("abc", 0));

	sim_program.takes_ms = 2000;
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(send(w, i ? "GET" : "POST", "/api/v1/x", i ? NULL : "{\"kept\":1}"));
	sim_advance(w->loop, 1900);
	assert_int_equal(w->n_asked, 0);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_asked, 3);
	assert_int_equal(w->n_done, 3);
	assert_string_equal(w->authorization, "Bearer abc");
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(sim_program.n_runs, 1);
	assert_string_equal(sim_program.command, "aws");
	assert_string_equal(sim_program.argument, "get-token");
	assert_string_equal(sim_program.info, "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{\"cluster\":{\"server\":\"http://kube:80\","
		"\"certificate-authority-data\":\"UEVN\",\"config\":{\"a\":1}},\"interactive\":false}}");
	end_of(w);
}

static void test_a_write_that_waited_is_sent_as_it_was_given(void **state)
{
	struct world *w = a_world_with_a_plugin(a_credential("abc", 0));
	char body[] = "{\"a\":1}";

	sim_program.takes_ms = 500;
	assert_non_null(send(w, "PATCH", "/api/v1/x", body));
	memset(body, 'x', sizeof(body) - 1);
	sim_advance(w->loop, 1000);
	assert_string_equal(w->method, "PATCH");
	assert_string_equal(w->body, "{\"a\":1}");
	assert_string_equal(w->content_type, "application/merge-patch+json");
	end_of(w);
}

static void test_a_credential_is_renewed_before_it_expires_while_it_still_serves(void **state)
{
	struct world *w = a_world_with_a_plugin(NULL);
	int64_t now_s = ek_loop_wall_ms(w->loop) / 1000;

	sim_program.output = a_credential("one", now_s + 600);
	when_called(w, "GET", "/api/v1/x", NULL);
	sim_program.output = a_credential("two", now_s + 1200);
	sim_program.takes_ms = 5000;
	sim_advance(w->loop, 530 * 1000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(sim_program.n_runs, 1);
	sim_advance(w->loop, 20 * 1000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(sim_program.n_runs, 2);
	assert_string_equal(w->authorization, "Bearer one");
	sim_advance(w->loop, 5000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_string_equal(w->authorization, "Bearer two");
	end_of(w);
}

static void test_an_expired_credential_is_never_sent(void **state)
{
	struct world *w = a_world_with_a_plugin(NULL);

	sim_program.output = a_credential("one", ek_loop_wall_ms(w->loop) / 1000 + 60);
	when_called(w, "GET", "/api/v1/x", NULL);
	sim_advance(w->loop, 100 * 1000);
	sim_program.output = a_credential("two", 0);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->n_asked, 2);
	assert_string_equal(w->authorization, "Bearer two");
	end_of(w);
}

static void test_a_refused_credential_is_asked_for_anew_and_the_get_repeated(void **state)
{
	struct world *w = a_world_with_a_plugin(a_credential("old", 0));

	when_called(w, "GET", "/api/v1/x", NULL);
	w->good_token = "new";
	sim_program.output = a_credential("new", 0);
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(send(w, "GET", "/api/v1/x", NULL));
	sim_advance(w->loop, 1000);
	assert_int_equal(sim_program.n_runs, 2);     /* the second and third refusal were of what was replaced already */
	assert_int_equal(w->n_asked, 1 + 3 + 3);
	assert_int_equal(w->reply.code, EK_OK);
	end_of(w);
}

static void test_a_plugin_whose_credentials_are_all_refused_is_run_ever_less_often(void **state)
{
	struct world *w = a_world_with_a_plugin(a_credential("bad", 0));

	w->good_token = "good";
	for (unsigned i = 0; i < 300; i++)
		when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->reply.code, EK_AUTH);
	assert_in_range(sim_program.n_runs, 5, 20);      /* 300 s: 0, 1, 2, 4, ... and each 30 s */
	sim_program.output = a_credential("good", 0);
	sim_advance(w->loop, 30 * 1000);
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->reply.code, EK_OK);
	end_of(w);
}

static void test_a_plugin_that_fails_is_named_and_its_mending_noticed(void **state)
{
	static const struct {
		const char *what;
		struct sim_program program;
		const char *words;
	} cases[] = {
		{ "missing", { .is_missing = true }, "the credential plugin aws: cannot run aws: No such file" },
		{ "failing", { .exit_status = 3, .complaint = "no session" }, "aws: it ended with status 3" },
		{ "hanging", { .hangs = true }, "aws: it did not end within 60 s" },
		{ "garbage", { .output = "Please log in at https://login.example" }, "aws: its output cannot be read" },
		{ "expired", { .output = "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"topsecret\","
			"\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"}}" }, "has expired already" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = a_world_with_a_plugin(NULL);

		sim_program = cases[i].program;
		assert_non_null(send(w, "GET", "/api/v1/x", NULL));
		sim_advance(w->loop, 60 * 1000 + 100);
		if (sim_program.hangs)   /* the call's own deadline came first; the next one hears why */
			when_called(w, "GET", "/api/v1/x", NULL);
		assert_int_equal(w->n_asked, 0);
		if (w->reply.code != EK_AUTH || !strstr(w->message, cases[i].words) || strstr(w->message, "topsecret"))
			fail_msg("%s: code %d, \"%s\"", cases[i].what, w->reply.code, w->message);
		sim_program = (struct sim_program){ .output = a_credential("abc", 0) };
		sim_advance(w->loop, 1000);
		when_called(w, "GET", "/api/v1/x", NULL);
		assert_int_equal(w->reply.code, EK_OK);
		end_of(w);
	}
}

static void test_a_call_waits_no_longer_than_its_deadline_for_a_plugin(void **state)
{
	struct world *w = a_world_with_a_plugin(NULL);

	sim_program.hangs = true;
	assert_non_null(send(w, "GET", "/api/v1/x", NULL));
	sim_advance(w->loop, 29 * 1000);
	assert_int_equal(w->n_done, 0);
	sim_advance(w->loop, 2 * 1000);
	assert_int_equal(w->n_done, 1);
	assert_int_equal(w->reply.code, EK_RETRY);
	assert_int_equal(sim_program.n_running_most, 1);
	end_of(w);
}

static void test_output_without_end_is_no_credential(void **state)
{
	struct world *w = a_world_with_a_plugin(NULL);
	size_t n = 1 << 20;
	char *output = calloc(1, n + 1);

	memset(output, ' ', n);
	sim_program.output = output;
	when_called(w, "GET", "/api/v1/x", NULL);
	assert_int_equal(w->reply.code, EK_AUTH);
	assert_non_null(strstr(w->message, "wrote more than 524288 bytes"));
	end_of(w);
	free(output);
}

static void test_a_call_that_waits_for_a_plugin_can_be_cancelled_and_everything_freed(void **state)
{
	struct world *w = a_world_with_a_plugin(NULL);

	sim_program.hangs = true;
	ek_kube_cancel(send(w, "POST", "/api/v1/x", "{}"));
	assert_non_null(send(w, "POST", "/api/v1/x", "{}"));
	assert_int_equal(sim_program.n_running, 1);
	ek_kube_free(w->kube);
	w->kube = NULL;
	assert_int_equal(sim_program.n_running, 0);
	assert_int_equal(sim_armed_timers(w->loop), 0);
	sim_advance(w->loop, 100 * 1000);
	assert_int_equal(w->n_done, 0);
	end_of(w);
}

static void test_a_certificate_that_rotates_ends_streams_in_its_name(void **state)
{
	struct world *w;

	sim_file_write("/c.crt", "one", 3);
	sim_file_write("/c.key", "one", 3);
	w = a_world_of((struct ek_kube_config){ .server = (char *)"http://kube:80", .cert_file = (char *)"/c.crt", .key_file = (char *)"/c.key" });
	sim_fault(w->loop, NULL, SIM_HANG);
	assert_non_null(ek_kube_stream(w->kube, &(struct ek_kube_stream_request){ .path = "/api/v1/x?watch=1", .on_body = on_body, .on_done = on_done, .arg = w }, NULL));
	sim_advance(w->loop, 55 * 1000);
	assert_non_null(send(w, "GET", "/api/v1/x", NULL));
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 0);          /* nothing has changed */
	sim_file_write("/c.crt", "two", 3);
	sim_file_write("/c.key", "two", 3);
	sim_advance(w->loop, 55 * 1000);
	w->n_done = 0;
	assert_non_null(send(w, "GET", "/api/v1/x", NULL));
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 1);
	assert_int_equal(w->reply.code, EK_UNKNOWN);
	assert_string_equal(w->message, "our certificate has changed; connecting anew");
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
		cmocka_unit_test(test_calls_wait_for_the_plugin_and_one_run_serves_them_all),
		cmocka_unit_test(test_a_write_that_waited_is_sent_as_it_was_given),
		cmocka_unit_test(test_a_credential_is_renewed_before_it_expires_while_it_still_serves),
		cmocka_unit_test(test_an_expired_credential_is_never_sent),
		cmocka_unit_test(test_a_refused_credential_is_asked_for_anew_and_the_get_repeated),
		cmocka_unit_test(test_a_plugin_whose_credentials_are_all_refused_is_run_ever_less_often),
		cmocka_unit_test(test_a_plugin_that_fails_is_named_and_its_mending_noticed),
		cmocka_unit_test(test_a_call_waits_no_longer_than_its_deadline_for_a_plugin),
		cmocka_unit_test(test_output_without_end_is_no_credential),
		cmocka_unit_test(test_a_call_that_waits_for_a_plugin_can_be_cancelled_and_everything_freed),
		cmocka_unit_test(test_a_certificate_that_rotates_ends_streams_in_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
