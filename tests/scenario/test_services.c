/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one plugin instance gets from the host, and what the border lets through: timers, requests with credentials, completions, its end.
 * The test plays the plugin and its owner; the world is simulated.
 * Read next: host/plugin/services.h.
 */
#include "plugin/services.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/serve.h"
#include "kit/sim.h"

#define URL "http://registry:8761"

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_http *http;
	struct ek_services *services;
	const struct ek_host *host;
	/* the registry's server */
	unsigned n_asked;
	char method[16], path[128], body[128], authorization[512], custom[64];
	/* the plugin */
	unsigned n_fired, n_done, n_pieces;
	struct ek_http_response response;
	char text[256], message[256];
	int stop_with;
	/* the owner */
	unsigned n_completed, n_entries, n_lost, n_changed, n_closed;
	uint64_t token;
	int32_t code;
	char seen[256];
	bool frees_when_closed;
};

/* ---- The server ---- */

static void on_request(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;
	const char *value;

	w->n_asked++;
	snprintf(w->method, sizeof(w->method), "%s", request->method);
	snprintf(w->path, sizeof(w->path), "%s", request->path);
	snprintf(w->body, sizeof(w->body), "%s", request->body);
	value = request->header(request, "Authorization");
	snprintf(w->authorization, sizeof(w->authorization), "%s", value ? value : "");
	value = request->header(request, "X-Custom");
	snprintf(w->custom, sizeof(w->custom), "%s", value ? value : "");
	ek_serve_reply(exchange, 202, "Application/JSON; charset=utf-8", "Retry-After: 3\n", "{\"a\":1}", 7);
}

/* ---- The owner ---- */

static void on_op_done(void *arg, uint64_t token, const struct ek_result *result)
{
	struct world *w = arg;

	w->n_completed++;
	w->token = token;
	w->code = result->code;
	snprintf(w->seen, sizeof(w->seen), "%s %s %s %s %s", result->message ? result->message : "-",
		result->entry ? result->entry->application : "-", result->entry ? result->entry->id : "-",
		result->entry ? result->entry->instance->address : "-", result->entry ? result->entry->instance->metadata[0]->value : "-");
}

static int on_list_entry(void *arg, uint64_t token, const struct ek_entry *entry)
{
	return ++((struct world *)arg)->n_entries >= 2;
}

static void on_lost(void *arg, const char *why)
{
	struct world *w = arg;

	w->n_lost++;
	snprintf(w->seen, sizeof(w->seen), "%s", why);
}

static void on_changed(void *arg, const char *application, const char *id)
{
	struct world *w = arg;

	w->n_changed++;
	snprintf(w->seen, sizeof(w->seen), "%s/%s", application, id);
}

static void on_closed(void *arg)
{
	struct world *w = arg;

	w->n_closed++;
	if (w->frees_when_closed) {
		ek_services_free(w->services);
		w->services = NULL;
	}
}

/* ---- The world ---- */

static const struct ek_plugin plugin = { .size = sizeof(plugin), .name = "test", .version = "1" };
static const struct ek_library library = { .plugin = &plugin, .digest = "static", .label = "test/1" };
static const struct ek_option_value renew = { .size = sizeof(renew), .type = EK_OPTION_INTEGER, .name = "renew", .integer = 27 };
static const struct ek_option_value *const options[] = { &renew };

static struct ek_services_config config_of(struct world *w)
{
	return (struct ek_services_config){
		.name = "registry main", .library = &library, .options = options, .n_options = 1,
		.owner = { on_op_done, on_list_entry, on_lost, on_changed, on_closed, w },
	};
}

static void start_services(struct world *w, const struct ek_services_config *config)
{
	ek_services_free(w->services);
	w->services = ek_services_new(w->loop, w->http, config);
	w->host = ek_services_host(w->services);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ek_error err = EK_ERROR_INIT;
	struct ek_serve_config serve = { .host = "registry", .port = 8761, .handle = on_request, .arg = w };
	struct ek_services_config config = config_of(w);

	ek_log_set_level(EK_LOG_ERROR);
	w->loop = sim_loop_new(1);
	w->serve = ek_serve_new(w->loop, &serve, &err);
	w->http = ek_http_new(w->loop);
	start_services(w, &config);
	*state = w;
	return w->serve ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	ek_services_free(w->services);
	assert_int_equal(sim_armed_timers(w->loop), 0);
	assert_int_equal(sim_open_calls(w->loop), 0);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	sim_file_clear();
	free(w);
	return 0;
}

/* ---- Timers, descriptors, posts, options ---- */

static void on_fired(void *arg)
{
	((struct world *)arg)->n_fired++;
}

static void test_a_timer_fires_once_and_not_before_its_time(void **state)
{
	struct world *w = *state;
	struct ek_services_stats stats;

	w->host->timer_start(w->host, 100, on_fired, w);
	w->host->timer_stop(w->host, w->host->timer_start(w->host, 50, on_fired, w));
	w->host->timer_stop(w->host, NULL);
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.timers, 1);
	sim_advance(w->loop, 99);
	assert_int_equal(w->n_fired, 0);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_fired, 1);
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.timers, 0);
	assert_int_equal(stats.calls, 1);
}

static void test_a_forgotten_timer_ends_with_the_instance(void **state)
{
	struct world *w = *state;

	w->host->timer_start(w->host, 100, on_fired, w);
	ek_services_free(w->services);
	w->services = NULL;
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_fired, 0);
}

static void on_readable(void *arg, uint32_t events)
{
	struct world *w = arg;

	w->n_fired += events == EK_FD_READABLE;
	w->host->fd_stop(w->host, *(struct ek_fd_handle **)w->text);
}

static void test_a_descriptor_is_watched_until_the_plugin_stops_it(void **state)
{
	struct world *w = *state;
	struct ek_services_stats stats;
	struct ek_fd_handle *handle;
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	handle = w->host->fd_watch(w->host, pipe_fds[0], 0, on_readable, w, NULL);
	assert_non_null(handle);
	memcpy(w->text, &handle, sizeof(handle));
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	sim_advance(w->loop, 10);
	assert_int_equal(w->n_fired, 0);
	w->host->fd_update(w->host, handle, EK_FD_READABLE);
	sim_advance(w->loop, 10);
	assert_int_equal(w->n_fired, 1);
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.watches, 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void *post_from_a_thread(void *arg)
{
	struct world *w = arg;

	w->host->post(w->host, on_fired, w);
	return NULL;
}

static void test_a_post_of_another_thread_arrives_on_the_loop(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_from_a_thread, w), 0);
	pthread_join(thread, NULL);
	assert_int_equal(w->n_fired, 0);
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_fired, 1);
}

static void test_a_post_that_the_end_overtakes_is_swallowed(void **state)
{
	struct world *w = *state;

	w->host->post(w->host, on_fired, w);
	ek_services_free(w->services);
	w->services = NULL;
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_fired, 0);
}

static void test_options_are_found_by_name(void **state)
{
	struct world *w = *state;

	assert_int_equal(w->host->option(w->host, "renew")->integer, 27);
	assert_null(w->host->option(w->host, "other"));
}

/* ---- Requests ---- */

static void on_done(void *arg, const struct ek_http_response *response)
{
	struct world *w = arg;

	w->n_done++;
	w->response = *response;
	snprintf(w->text, sizeof(w->text), "%s %s", response->content_type, response->body);
	snprintf(w->message, sizeof(w->message), "%s", response->message);
}

static int on_body(void *arg, const char *bytes, uint32_t n_bytes)
{
	struct world *w = arg;

	w->n_pieces++;
	return w->stop_with;
}

static struct ek_http_request request_of(struct world *w)
{
	return (struct ek_http_request){ .size = sizeof(struct ek_http_request), .method = "GET", .url = URL "/apps", .arg = w,
		.on_done = on_done };
}

static struct ek_http_handle *ask(struct world *w)
{
	struct ek_http_request request = request_of(w);
	struct ek_error err = EK_ERROR_INIT;

	return w->host->http(w->host, &request, &err);
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

/* ---- Completions and news ---- */

static void complete_with_entry(struct world *w)
{
	char application[] = "WEB", id[] = "web-1", address[] = "10.0.0.7", value[] = "v1", message[] = "fine";
	struct ek_pair pair = { .size = sizeof(pair), .key = "k", .value = value };
	const struct ek_pair *metadata[] = { &pair };
	struct ek_instance instance = { .size = sizeof(instance), .address = address, .n_metadata = 1, .metadata = metadata };
	struct ek_entry entry = { .size = sizeof(entry), .application = application, .id = id, .instance = &instance };
	struct ek_result result = { .size = sizeof(result), .code = EK_OK, .entry = &entry, .message = message };

	w->host->op_done(w->host, 42, &result);
	/* All of it was borrowed. */
	memset(application, '#', 3);
	memset(id, '#', 5);
	memset(address, '#', 8);
	memset(value, '#', 2);
	memset(message, '#', 4);
}

static void test_a_completion_inside_the_call_that_started_it_is_put_off_and_counted(void **state)
{
	struct world *w = *state;
	struct ek_services_stats stats;

	ek_services_enter(w->services);
	complete_with_entry(w);
	assert_int_equal(w->n_completed, 0);
	ek_services_leave(w->services);
	assert_int_equal(w->n_completed, 0);
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_completed, 1);
	assert_int_equal(w->token, 42);
	assert_string_equal(w->seen, "fine WEB web-1 10.0.0.7 v1");
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.early_completions, 1);
}

static void test_a_completion_while_ending_something_is_put_off_without_blame(void **state)
{
	struct world *w = *state;
	struct ek_services_stats stats;

	ek_services_enter_ending(w->services);
	complete_with_entry(w);
	ek_services_leave(w->services);
	assert_int_equal(w->n_completed, 0);
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_completed, 1);
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.early_completions, 0);
}

static void complete_now(void *arg)
{
	struct world *w = arg;

	complete_with_entry(w);
	w->n_fired = w->n_completed;
}

static void test_a_completion_in_a_callback_reaches_the_owner_at_once(void **state)
{
	struct world *w = *state;

	w->host->timer_start(w->host, 0, complete_now, w);
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_fired, 1);
	assert_string_equal(w->seen, "fine WEB web-1 10.0.0.7 v1");
}

static void test_entries_go_to_the_owner_who_can_stop_the_list(void **state)
{
	struct world *w = *state;
	struct ek_entry entry = { .size = sizeof(entry), .application = "WEB", .id = "web-1" };

	ek_services_enter(w->services);
	assert_int_equal(w->host->list_entry(w->host, 1, &entry), 0);
	assert_int_not_equal(w->host->list_entry(w->host, 1, &entry), 0);
	ek_services_leave(w->services);
	assert_int_equal(w->n_entries, 2);
}

static void test_news_inside_a_call_of_the_owner_wait_for_the_next_turn(void **state)
{
	struct world *w = *state;

	ek_services_enter(w->services);
	w->host->lost(w->host, "session expired");
	assert_int_equal(w->n_lost, 0);
	ek_services_leave(w->services);
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_lost, 1);
	assert_string_equal(w->seen, "session expired");
	ek_services_enter(w->services);
	w->host->changed(w->host, "WEB", "web-1");
	assert_int_equal(w->n_changed, 0);
	ek_services_leave(w->services);
	sim_advance(w->loop, 1);
	assert_int_equal(w->n_changed, 1);
	assert_string_equal(w->seen, "WEB/web-1");
}

/* ---- The end ---- */

static void test_after_closed_nothing_goes_either_way(void **state)
{
	struct world *w = *state;

	w->host->timer_start(w->host, 10, on_fired, w);
	w->host->post(w->host, on_fired, w);
	ask(w);
	ek_services_enter_ending(w->services);
	complete_with_entry(w); /* waits, and is forgotten */
	w->host->closed(w->host);
	ek_services_leave(w->services);
	assert_int_equal(w->n_closed, 1);
	w->host->closed(w->host);
	w->host->lost(w->host, "late");
	complete_with_entry(w);
	sim_advance(w->loop, 60000);
	assert_int_equal(w->n_closed, 1);
	assert_int_equal(w->n_fired, 0);
	assert_int_equal(w->n_done, 0);
	assert_int_equal(w->n_lost, 0);
	assert_int_equal(w->n_completed, 0);
}

static void test_the_owner_may_free_the_instance_when_it_is_told_of_the_end(void **state)
{
	struct world *w = *state;
	struct ek_services *services = w->services;

	w->frees_when_closed = true;
	ek_services_enter_ending(services);
	w->host->closed(w->host);
	ek_services_leave(services);
	assert_null(w->services);
	assert_int_equal(w->n_closed, 1);
}

static void close_now(void *arg)
{
	struct world *w = arg;

	w->host->closed(w->host);
}

static void test_the_owner_may_free_the_instance_also_in_a_callback_of_the_plugin(void **state)
{
	struct world *w = *state;

	w->frees_when_closed = true;
	w->host->timer_start(w->host, 1, close_now, w);
	w->host->timer_start(w->host, 2, on_fired, w);
	sim_advance(w->loop, 10);
	assert_null(w->services);
	assert_int_equal(w->n_fired, 0);
}

/* ---- Metrics ---- */

static void sum_metric(void *arg, const char *name, bool is_counter, double value)
{
	struct world *w = arg;

	w->n_fired++;
	if (!strcmp(name, "hits"))
		snprintf(w->seen, sizeof(w->seen), "%s %g", is_counter ? "counter" : "gauge", value);
	if (!strcmp(name, "level"))
		snprintf(w->text, sizeof(w->text), "%s %g", is_counter ? "counter" : "gauge", value);
}

static void test_metrics_are_kept_within_bounds(void **state)
{
	struct world *w = *state;
	char name[8];

	w->host->count(w->host, "hits", 2);
	w->host->count(w->host, "hits", 3);
	w->host->gauge(w->host, "level", 0.5);
	w->host->gauge(w->host, "level", 0.25);
	w->host->count(w->host, "Bad-Name", 1);
	w->host->count(w->host, "", 1);
	w->host->count(w->host, "a_name_of_more_than_forty_letters_is_too_long", 1);
	ek_services_each_metric(w->services, sum_metric, w);
	assert_int_equal(w->n_fired, 2);
	assert_string_equal(w->seen, "counter 5");
	assert_string_equal(w->text, "gauge 0.25");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "n_%c%c", (char)('a' + i / 26), (char)('a' + i % 26));
		w->host->count(w->host, name, 1);
	}
	w->n_fired = 0;
	ek_services_each_metric(w->services, sum_metric, w);
	assert_int_equal(w->n_fired, 32);
}

/* ---- Logs ---- */

static void test_a_flood_of_log_lines_is_cut_per_instance(void **state)
{
	struct world *w = *state;
	char message[32], buffer[65536];
	int pipe_fds[2];
	ssize_t n;
	unsigned n_lines = 0;

	assert_int_equal(pipe(pipe_fds), 0);
	ek_log_configure(EK_LOG_INFO, EK_LOG_TEXT, pipe_fds[1]);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(message, sizeof(message), "line %u", i);
		w->host->log(w->host, EK_LOG_INFO, message, NULL, 0);
		w->host->log(w->host, EK_LOG_DEBUG, message, NULL, 0);
	}
	ek_log_configure(EK_LOG_ERROR, EK_LOG_JSON, 2);
	close(pipe_fds[1]);
	n = read(pipe_fds[0], buffer, sizeof(buffer) - 1);
	close(pipe_fds[0]);
	assert_true(n > 0);
	buffer[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		n_lines += buffer[i] == '\n';
	assert_int_equal(n_lines, 100);
	assert_non_null(strstr(buffer, "test/1"));
	assert_non_null(strstr(buffer, "registry main"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_timer_fires_once_and_not_before_its_time),
		CASE(test_a_forgotten_timer_ends_with_the_instance),
		CASE(test_a_descriptor_is_watched_until_the_plugin_stops_it),
		CASE(test_a_post_of_another_thread_arrives_on_the_loop),
		CASE(test_a_post_that_the_end_overtakes_is_swallowed),
		CASE(test_options_are_found_by_name),
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
		CASE(test_a_completion_inside_the_call_that_started_it_is_put_off_and_counted),
		CASE(test_a_completion_while_ending_something_is_put_off_without_blame),
		CASE(test_a_completion_in_a_callback_reaches_the_owner_at_once),
		CASE(test_entries_go_to_the_owner_who_can_stop_the_list),
		CASE(test_news_inside_a_call_of_the_owner_wait_for_the_next_turn),
		CASE(test_after_closed_nothing_goes_either_way),
		CASE(test_the_owner_may_free_the_instance_when_it_is_told_of_the_end),
		CASE(test_the_owner_may_free_the_instance_also_in_a_callback_of_the_plugin),
		CASE(test_metrics_are_kept_within_bounds),
		CASE(test_a_flood_of_log_lines_is_cut_per_instance),
	};

	return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
