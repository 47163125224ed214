/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the border lets through: timers, descriptors, posts, completions, news, metrics, log lines, and the end of an instance.
 * The test plays the plugin and its owner; requests are in test_services_http.c.
 * Read next: host/plugin/services.h.
 */
#include "scenario/services_world.h"

#include <pthread.h>
#include <unistd.h>

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

/* ---- Handles ---- */

static uint64_t garbage_of(const struct world *w)
{
	struct ek_services_stats stats;

	ek_services_stats(w->services, &stats);
	return stats.misbehaviours[EK_MISBEHAVIOUR_GARBAGE];
}

static void test_a_handle_that_has_ended_stops_nothing(void **state)
{
	struct world *w = *state;
	struct ek_timer_handle *fired = w->host->timer_start(w->host, 1, on_fired, w), *other;
	struct ek_http_handle *done = ask(w), *request;

	sim_advance(w->loop, 1000);
	other = w->host->timer_start(w->host, 10, on_fired, w); /* in the place of the first */
	request = ask(w);
	w->host->timer_stop(w->host, fired);
	w->host->timer_stop(w->host, (struct ek_timer_handle *)request);
	w->host->http_cancel(w->host, done);
	w->host->http_cancel(w->host, (struct ek_http_handle *)other);
	w->host->fd_stop(w->host, (struct ek_fd_handle *)other);
	assert_int_equal(garbage_of(w), 5);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_fired, 2);
	assert_int_equal(w->n_done, 2);
}

static void test_a_handle_of_another_instance_stops_nothing(void **state)
{
	struct world *w = *state;
	struct ek_services_config config = config_of(w);
	struct ek_services *other = ek_services_new(w->loop, w->http, &config);
	const struct ek_host *host = ek_services_host(other);
	struct ek_timer_handle *theirs = host->timer_start(host, 10, on_fired, w);

	w->host->timer_start(w->host, 10, on_fired, w);
	w->host->timer_stop(w->host, theirs);
	assert_int_equal(garbage_of(w), 1);
	sim_advance(w->loop, 100);
	assert_int_equal(w->n_fired, 2);
	ek_services_free(other);
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
	assert_int_equal(stats.misbehaviours[EK_MISBEHAVIOUR_EARLY], 1);
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
	assert_int_equal(stats.misbehaviours[EK_MISBEHAVIOUR_EARLY], 0);
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
	struct ek_instance instance = { .size = sizeof(instance) };
	struct ek_entry entry = { .size = sizeof(entry), .application = "WEB", .id = "web-1", .instance = &instance };

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
	ek_services_enter_closing(w->services);
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
	ek_services_enter_closing(services);
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
	ek_services_enter_closing(w->services);
	ek_services_leave(w->services);
	w->host->timer_start(w->host, 1, close_now, w);
	w->host->timer_start(w->host, 2, on_fired, w);
	sim_advance(w->loop, 10);
	assert_null(w->services);
	assert_int_equal(w->n_fired, 0);
}

static void test_closed_counts_only_when_it_was_asked_for(void **state)
{
	struct world *w = *state;
	struct ek_services_stats stats;

	w->host->closed(w->host);
	assert_int_equal(w->n_closed, 0);
	w->host->timer_start(w->host, 1, on_fired, w);
	sim_advance(w->loop, 10);
	assert_int_equal(w->n_fired, 1);
	ek_services_stats(w->services, &stats);
	assert_int_equal(stats.misbehaviours[EK_MISBEHAVIOUR_CLOSED], 1);
}

static void test_a_dead_host_swallows_what_it_is_told(void **state)
{
	struct world *w = *state;
	const struct ek_host *dead = w->host;
	struct ek_http_request request = request_of(w);
	char buffer[8];
	pthread_t thread;

	ek_services_free(w->services);
	w->services = NULL;
	dead->log(dead, EK_LOG_INFO, "late", NULL, 0);
	dead->count(dead, "late", 1);
	dead->lost(dead, "late");
	dead->closed(dead);
	complete_with_entry(w);
	assert_null(dead->timer_start(dead, 1, on_fired, w));
	assert_null(dead->http(dead, &request, NULL));
	assert_null(dead->option(dead, "renew"));
	assert_int_equal(dead->secret(dead, "token", buffer, sizeof(buffer), NULL), EK_INVALID);
	assert_int_equal(pthread_create(&thread, NULL, post_from_a_thread, w), 0);
	pthread_join(thread, NULL);
	sim_advance(w->loop, 1000);
	assert_int_equal(w->n_fired + w->n_completed + w->n_lost + w->n_closed, 0);
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
	w->host->count(w->host, "misbehaviour", 1);        /* the host's own */
	w->host->gauge(w->host, "longest_call_seconds", 1);
	w->host->gauge(w->host, "hits_total", 1);          /* the name of another one's counter */
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

static void test_a_line_of_a_megabyte_is_cut_and_no_format(void **state)
{
	struct world *w = *state;
	char *megabyte = malloc((1 << 20) + 1), buffer[65536];
	struct ek_pair pair = { .size = sizeof(pair), .key = "key", .value = megabyte };
	const struct ek_pair *const pairs[] = { &pair };
	int pipe_fds[2];
	ssize_t n;

	memset(megabyte, 'a', 1 << 20);
	megabyte[1 << 20] = '\0';
	assert_int_equal(pipe(pipe_fds), 0);
	ek_log_configure(EK_LOG_INFO, EK_LOG_JSON, pipe_fds[1]);
	w->host->log(w->host, EK_LOG_WARN, "%n%s%n", pairs, 1);
	ek_log_configure(EK_LOG_ERROR, EK_LOG_JSON, 2);
	close(pipe_fds[1]);
	n = read(pipe_fds[0], buffer, sizeof(buffer) - 1);
	close(pipe_fds[0]);
	free(megabyte);
	assert_in_range(n, 1000, 2000);
	buffer[n] = '\0';
	assert_non_null(strstr(buffer, "\"message\":\"%n%s%n\""));
	assert_non_null(strstr(buffer, "aaa...\"}\n"));
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_timer_fires_once_and_not_before_its_time),
		CASE(test_a_forgotten_timer_ends_with_the_instance),
		CASE(test_a_descriptor_is_watched_until_the_plugin_stops_it),
		CASE(test_a_post_of_another_thread_arrives_on_the_loop),
		CASE(test_a_post_that_the_end_overtakes_is_swallowed),
		CASE(test_options_are_found_by_name),
		CASE(test_a_handle_that_has_ended_stops_nothing),
		CASE(test_a_handle_of_another_instance_stops_nothing),
		CASE(test_a_completion_inside_the_call_that_started_it_is_put_off_and_counted),
		CASE(test_a_completion_while_ending_something_is_put_off_without_blame),
		CASE(test_a_completion_in_a_callback_reaches_the_owner_at_once),
		CASE(test_entries_go_to_the_owner_who_can_stop_the_list),
		CASE(test_news_inside_a_call_of_the_owner_wait_for_the_next_turn),
		CASE(test_after_closed_nothing_goes_either_way),
		CASE(test_the_owner_may_free_the_instance_when_it_is_told_of_the_end),
		CASE(test_the_owner_may_free_the_instance_also_in_a_callback_of_the_plugin),
		CASE(test_closed_counts_only_when_it_was_asked_for),
		CASE(test_a_dead_host_swallows_what_it_is_told),
		CASE(test_metrics_are_kept_within_bounds),
		CASE(test_a_line_of_a_megabyte_is_cut_and_no_format),
		CASE(test_a_flood_of_log_lines_is_cut_per_instance),
	};

	return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
