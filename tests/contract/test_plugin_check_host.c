/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host of the conformance kit, where a plugin meets the world outside: descriptors, threads, and time that really passes.
 * What it notes down of the rest is seen in test_plugin_check.c, by what the unruly plugins are told.
 * Read next: tests/kit/fake_host_wait.c.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/fake_host.h"

#define LONG_MS 20000 /* nobody waits for so long: the test would be seen to hang */
#define THREADS 4
#define POSTS 250

static const struct ek_plugin nobody = { .size = sizeof(nobody) };

struct seen {
	struct fake_host *fake;
	int pipe[2];
	struct ek_fd_handle *watch;
	unsigned n_calls;
	uint32_t events;
};

static int set_up(void **state)
{
	static struct seen seen;

	seen = (struct seen){ .fake = fake_host_new(&nobody) };
	assert_int_equal(pipe(seen.pipe), 0);
	*state = &seen;
	return 0;
}

static int tear_down(void **state)
{
	struct seen *seen = *state;

	close(seen->pipe[0]);
	close(seen->pipe[1]);
	return 0;
}

static const struct ek_host *host_of(const struct seen *seen)
{
	return &seen->fake->host;
}

static void on_ready(void *arg, uint32_t events)
{
	struct seen *seen = arg;

	seen->n_calls++;
	seen->events = events;
}

static void on_ready_once(void *arg, uint32_t events)
{
	struct seen *seen = arg;

	on_ready(arg, events);
	host_of(seen)->fd_stop(host_of(seen), seen->watch);
}

static void on_call(void *arg)
{
	((struct seen *)arg)->n_calls++;
}

static void watch(struct seen *seen, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events))
{
	seen->watch = host_of(seen)->fd_watch(host_of(seen), fd, events, fn, seen, NULL);
	assert_non_null(seen->watch);
}

static void test_a_watched_descriptor_calls_as_long_as_it_can_be_read(void **state)
{
	struct seen *seen = *state;
	char c;

	watch(seen, seen->pipe[0], EK_FD_READABLE, on_ready);
	fake_host_wait(seen->fake, 0);
	assert_int_equal(seen->n_calls, 0);
	assert_int_equal(write(seen->pipe[1], "x", 1), 1);
	fake_host_wait(seen->fake, LONG_MS);
	fake_host_wait(seen->fake, LONG_MS);
	assert_int_equal(seen->n_calls, 2);
	assert_int_equal(seen->events, EK_FD_READABLE);
	assert_int_equal(read(seen->pipe[0], &c, 1), 1);
	fake_host_wait(seen->fake, 0);
	assert_int_equal(seen->n_calls, 2);
	host_of(seen)->fd_stop(host_of(seen), seen->watch);
	assert_null(fake_host_end(seen->fake));
}

static void test_what_is_watched_for_can_change(void **state)
{
	struct seen *seen = *state;

	watch(seen, seen->pipe[1], EK_FD_READABLE, on_ready);
	fake_host_wait(seen->fake, 0);
	assert_int_equal(seen->n_calls, 0);
	host_of(seen)->fd_update(host_of(seen), seen->watch, EK_FD_WRITABLE);
	fake_host_wait(seen->fake, LONG_MS);
	assert_int_equal(seen->events, EK_FD_WRITABLE);
	host_of(seen)->fd_stop(host_of(seen), seen->watch);
	assert_null(fake_host_end(seen->fake));
}

static void test_a_watch_may_be_stopped_by_its_own_callback(void **state)
{
	struct seen *seen = *state;

	watch(seen, seen->pipe[1], EK_FD_WRITABLE, on_ready_once);
	fake_host_wait(seen->fake, LONG_MS);
	fake_host_wait(seen->fake, 0);
	assert_int_equal(seen->n_calls, 1);
	assert_null(fake_host_end(seen->fake));
}

static void test_a_watch_that_is_left_is_a_breach(void **state)
{
	struct seen *seen = *state;

	watch(seen, seen->pipe[0], EK_FD_READABLE, on_ready);
	assert_string_equal(fake_host_end(seen->fake), "a descriptor watch was left behind");
}

static void test_waiting_ends_when_a_timer_is_due(void **state)
{
	struct seen *seen = *state;
	int64_t before_ms = seen->fake->now_ms;

	host_of(seen)->timer_start(host_of(seen), 5, on_call, seen);
	while (!seen->n_calls)
		fake_host_wait(seen->fake, LONG_MS);
	assert_in_range(seen->fake->now_ms - before_ms, 5, LONG_MS - 1);
	assert_null(fake_host_end(seen->fake));
}

static void *post_many(void *arg)
{
	const struct ek_host *host = host_of(arg);

	for (unsigned i = 0; i < POSTS; i++)
		host->post(host, on_call, arg);
	return NULL;
}

static void test_posts_from_threads_wake_who_waits_and_all_are_called(void **state)
{
	struct seen *seen = *state;
	int64_t before_ms = seen->fake->now_ms;
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, seen), 0);
	while (seen->n_calls < THREADS * POSTS)
		fake_host_wait(seen->fake, LONG_MS);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(seen->n_calls, THREADS * POSTS);
	assert_in_range(seen->fake->now_ms - before_ms, 0, LONG_MS - 1);
	assert_null(fake_host_end(seen->fake));
}

static void test_a_post_that_is_left_is_a_breach(void **state)
{
	struct seen *seen = *state;

	host_of(seen)->post(host_of(seen), on_call, seen);
	assert_string_equal(fake_host_end(seen->fake), "a post was left behind");
	assert_int_equal(seen->n_calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_watched_descriptor_calls_as_long_as_it_can_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_watched_for_can_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_watch_may_be_stopped_by_its_own_callback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_watch_that_is_left_is_a_breach, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_waiting_ends_when_a_timer_is_due, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_posts_from_threads_wake_who_waits_and_all_are_called, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_post_that_is_left_is_a_breach, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("plugin-check-host", tests, NULL, NULL);
}
