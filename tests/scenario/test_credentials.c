/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential plugins and rotated certificates as the client's callers meet them: who waits, who fails with which words, and what is run when.
 * Programs are simulated; tests/unit/test_io_process.c runs real ones.
 * Read next: host/kube/exec_credential.c.
 */
#include "scenario/kube_client_world.h"

#include <time.h>

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
