/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's requests and the credentials that go with them.
 * TLS itself is not simulated; tests/unit meets it.
 * Read next: host/plugin/services_http.c and services_auth.c.
 */
#include "scenario/services_world.h"

/* ---- Requests ---- */

static int on_body(void *arg, const char *bytes, uint32_t n_bytes)
{
	struct world *w = arg;

	w->n_pieces++;
	return w->stop_with;
}

static void test_a_request_goes_out_and_its_answer_comes_back_on_a_later_turn(void **state)
{
	static const struct ek_pair custom = { .size = sizeof(custom), .key = "X-Custom", .value = "yes" };
	static const struct ek_pair *const headers[] = { &custom };
	struct world *w = *state;
	struct ek_http_request request = request_of(w);
	struct ek_services_stats stats;

	request.method = "POST";
	request.body = "hello";
	request.body_bytes = 5;
	request.headers = headers;
	request.n_headers = 1;
	assert_non_null(w->host->http(w->host, &request, NULL));
	assert_int_equal(w->n_done, 0);
	sim_advance(w->loop, 1000);
	assert_string_equal(w->method, "POST");
	assert_string_equal(w->path, "/apps");
	assert_string_equal(w->body, "hello");
	assert_string_equal(w->custom, "yes");
	assert_string_equal(w->authorization, "");
	assert_int_equal(w->n_done, 1);
	assert_int_equal(w->response.code, EK_OK);
	assert_int_equal(w->response.http_status, 202);
	assert_int_equal(w->response.body_bytes, 7);
	assert_int_equal(w->response.retry_after_ms, 3000);
	assert_string_equal(w->text, "application/json {\"a\":1}");
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.requests, 1);
}

static void test_a_request_without_deadlines_gets_the_documented_ones(void **state)
{
	struct world *w = *state;

	sim_fault(w->loop, "registry:8761", SIM_BLACKHOLE);
	ask(w);
	sim_advance(w->loop, 2990);
	assert_int_equal(w->n_done, 0);
	sim_advance(w->loop, 20);
	assert_int_equal(w->response.code, EK_RETRY);
	sim_fault(w->loop, "registry:8761", SIM_HANG);
	ask(w);
	sim_advance(w->loop, 9900);
	assert_int_equal(w->n_done, 1);
	sim_advance(w->loop, 200);
	assert_int_equal(w->n_done, 2);
	assert_int_equal(w->response.code, EK_UNKNOWN);
}

static void test_no_deadline_is_longer_than_a_minute(void **state)
{
	struct world *w = *state;
	struct ek_http_request request = request_of(w);

	request.timeout_ms = 3600000;
	sim_fault(w->loop, "registry:8761", SIM_HANG);
	w->host->http(w->host, &request, NULL);
	sim_advance(w->loop, 61000);
	assert_int_equal(w->n_done, 1);
}

static void test_a_body_larger_than_allowed_ends_the_request(void **state)
{
	struct world *w = *state;
	struct ek_http_request request = request_of(w);

	request.max_body_bytes = 3;
	w->host->http(w->host, &request, NULL);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->response.code, EK_TOO_BIG);
}

static void test_a_body_is_streamed_to_whoever_wants_it_and_can_be_stopped(void **state)
{
	struct world *w = *state;
	struct ek_http_request request = request_of(w);

	request.on_body = on_body;
	w->host->http(w->host, &request, NULL);
	sim_advance(w->loop, 1000);
	assert_true(w->n_pieces > 0);
	assert_int_equal(w->response.code, EK_OK);
	assert_int_equal(w->response.body_bytes, 0);
	w->stop_with = 1;
	w->host->http(w->host, &request, NULL);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 2);
	assert_int_equal(w->response.code, EK_CANCELLED);
}

static void test_a_cancelled_request_is_heard_of_no_more(void **state)
{
	struct world *w = *state;

	w->host->http_cancel(w->host, ask(w));
	w->host->http_cancel(w->host, NULL);
	ask(w);
	ek_services_free(w->services); /* the second one is forgotten */
	w->services = NULL;
	sim_advance(w->loop, 60000);
	assert_int_equal(w->n_done, 0);
}

static void test_renewals_do_not_wait_behind_ordinary_requests(void **state)
{
	struct world *w = *state;
	struct ek_services_config config = config_of(w);
	struct ek_http_request renewal = request_of(w);

	config.connections = 1;
	start_services(w, &config);
	sim_latency(w->loop, "registry:8761", 2000);
	renewal.lane = EK_HTTP_LANE_RENEW;
	ask(w);
	ask(w); /* waits: there is one connection */
	w->host->http(w->host, &renewal, NULL);
	sim_advance(w->loop, 2500);
	assert_int_equal(w->n_asked, 2);
	sim_advance(w->loop, 10000);
	assert_int_equal(w->n_asked, 3);
}

static void test_a_request_that_cannot_be_tried_says_why(void **state)
{
	struct world *w = *state;
	struct ek_http_request request = request_of(w);
	struct ek_error err = EK_ERROR_INIT;

	request.lane = 9;
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the plugin's request is for the unknown lane 9");
	request = request_of(w);
	request.on_done = NULL;
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the plugin's request lacks its method, URL or on_done");
	request = request_of(w);
	request.size = 8;
	assert_null(w->host->http(w->host, &request, &err));
	assert_int_equal(err.code, EK_INVALID);
	request = request_of(w);
	request.url = "http://registry/\r\nX-Other: 1";
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the plugin's request has a method or URL that is too long or has control characters");
	request = request_of(w);
	request.headers = (const struct ek_pair *const[]){ &(struct ek_pair){ .size = sizeof(struct ek_pair), .key = "X", .value = "a\r\nY: b" } };
	request.n_headers = 1;
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the plugin's request has a header that is NULL, too long or has control characters");
	request.headers = NULL;
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the plugin's request has headers that are NULL");
	request.n_headers = 1000000;
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the plugin's request has 1000000 headers; it may have 64");
	assert_null(w->host->http(w->host, NULL, &err));
	assert_string_equal(err.message, "the plugin's request is NULL");
	request = request_of(w);
	request.url = "file:///etc/passwd";
	assert_null(w->host->http(w->host, &request, &err));
	assert_string_equal(err.message, "the URL is not absolute, or neither http nor https");
	request = request_of(w);
	request.url = "ftp://registry/";
	assert_null(w->host->http(w->host, &request, &err));
	assert_int_equal(err.code, EK_INVALID);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_done, 0);
}

/* ---- Credentials ---- */

static void put_file(const char *path, const char *text)
{
	sim_file_write(path, text, strlen(text));
}

static void start_basic(struct world *w)
{
	struct ek_services_config config = config_of(w);

	config.auth = EK_AUTH_BASIC;
	config.username_file = "/secret/username";
	config.password_file = "/secret/password";
	start_services(w, &config);
}

static void test_basic_credentials_are_read_anew_for_each_request(void **state)
{
	struct world *w = *state;

	put_file("/secret/username", "ada\n");
	put_file("/secret/password", "open sesame\r\n");
	start_basic(w);
	ask(w);
	sim_advance(w->loop, 1000);
	assert_string_equal(w->authorization, "Basic YWRhOm9wZW4gc2VzYW1l"); /* ada:open sesame */
	put_file("/secret/password", "new");
	ask(w);
	sim_advance(w->loop, 1000);
	assert_string_equal(w->authorization, "Basic YWRhOm5ldw=="); /* ada:new */
}

static void test_a_bearer_token_is_sent_as_it_stands_in_its_file(void **state)
{
	struct world *w = *state;
	struct ek_services_config config = config_of(w);

	config.auth = EK_AUTH_BEARER;
	config.token_file = "/secret/token";
	put_file("/secret/token", "abc.def\n");
	start_services(w, &config);
	ask(w);
	sim_advance(w->loop, 1000);
	assert_string_equal(w->authorization, "Bearer abc.def");
}

/* However the request ends: at once, or by its callback. */
static const char *fault_of_asking(struct world *w, int32_t *code)
{
	struct ek_http_request request = request_of(w);
	static struct ek_error err;

	err = (struct ek_error)EK_ERROR_INIT;
	w->n_asked = 0;
	if (w->host->http(w->host, &request, &err)) {
		sim_advance(w->loop, 1000);
		*code = w->response.code;
		return w->message;
	}
	*code = err.code;
	return err.message;
}

static void test_unusable_credentials_stop_the_request_and_name_only_the_file(void **state)
{
	static const struct {
		const char *username, *password, *message;
	} cases[] = {
		{ "ada", NULL, "the password file /secret/password cannot be read; is it mounted?" },
		{ "ada", "", "the password file /secret/password is empty" },
		{ "ada", "\n", "the password file /secret/password is empty" },
		{ "ada", "hunter\n2", "the password file /secret/password holds a line break or another control character" },
		{ "a:da", "hunter2", "the username holds a colon, which HTTP's basic authentication cannot carry" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t code;
		const char *message;

		sim_file_write("/secret/password", NULL, 0);
		put_file("/secret/username", cases[i].username);
		if (cases[i].password)
			put_file("/secret/password", cases[i].password);
		start_basic(w);
		message = fault_of_asking(w, &code);
		assert_string_equal(message, cases[i].message);
		assert_int_equal(code, EK_AUTH);
		assert_int_equal(w->n_asked, 0);
	}
}

static void test_a_secret_too_long_for_its_bound_is_refused(void **state)
{
	struct world *w = *state;
	char buffer[16];
	struct ek_error err = EK_ERROR_INIT;
	char *text = calloc(1, 10001);

	memset(text, 'x', 10000);
	put_file("/secret/username", text);
	start_basic(w);
	assert_int_equal(w->host->secret(w->host, "username", buffer, sizeof(buffer), &err), EK_AUTH);
	assert_string_equal(err.message, "the username file /secret/username is longer than 8192 bytes");
	free(text);
}

static void test_a_plugin_gets_a_secret_of_its_own_section_only(void **state)
{
	struct world *w = *state;
	char buffer[8];
	struct ek_error err = EK_ERROR_INIT;

	put_file("/secret/username", "ada\n");
	put_file("/secret/password", "12345678");
	assert_int_equal(w->host->secret(w->host, "username", buffer, sizeof(buffer), &err), EK_GONE);
	start_basic(w);
	assert_int_equal(w->host->secret(w->host, "username", buffer, sizeof(buffer), &err), EK_OK);
	assert_string_equal(buffer, "ada");
	assert_int_equal(w->host->secret(w->host, "password", buffer, sizeof(buffer), &err), EK_TOO_BIG);
	assert_int_equal(w->host->secret(w->host, "token", buffer, sizeof(buffer), &err), EK_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_request_goes_out_and_its_answer_comes_back_on_a_later_turn),
		CASE(test_a_request_without_deadlines_gets_the_documented_ones),
		CASE(test_no_deadline_is_longer_than_a_minute),
		CASE(test_a_body_larger_than_allowed_ends_the_request),
		CASE(test_a_body_is_streamed_to_whoever_wants_it_and_can_be_stopped),
		CASE(test_a_cancelled_request_is_heard_of_no_more),
		CASE(test_renewals_do_not_wait_behind_ordinary_requests),
		CASE(test_a_request_that_cannot_be_tried_says_why),
		CASE(test_basic_credentials_are_read_anew_for_each_request),
		CASE(test_a_bearer_token_is_sent_as_it_stands_in_its_file),
		CASE(test_unusable_credentials_stop_the_request_and_name_only_the_file),
		CASE(test_a_secret_too_long_for_its_bound_is_refused),
		CASE(test_a_plugin_gets_a_secret_of_its_own_section_only),
	};

	return cmocka_run_group_tests_name("services' requests", tests, NULL, NULL);
}
