/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io/loop with real time, threads, pipes and signals, and its watchdog with short bounds.
 * The order of timers is tested with base/timers.
 * Next: host/io/loop.h.
 */
#include "io/loop.h"

#include <eurekube/host.h>

#include "unit/io_wait.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct ek_loop *loop;
static char trace[256];
static unsigned n_calls;

static int set_up(void **state)
{
	loop = ek_loop_new();
	trace[0] = '\0';
	n_calls = 0;
	return 0;
}

static int tear_down(void **state)
{
	ek_loop_free(loop);
	return 0;
}

static void note(void *arg)
{
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace), "%s", (const char *)arg);
	n_calls++;
}

static void timers_are_never_early(void **state)
{
	int64_t start_us = ek_loop_now_us(loop);
	struct ek_timer timer;

	ek_timer_init(&timer, note, (char[]){ "t" });
	ek_loop_arm(loop, &timer, 20);
	assert_true(io_wait(loop, &n_calls, 1));
	assert_true(ek_loop_now_us(loop) - start_us >= 20000);
	assert_true(ek_loop_now_us(loop) - start_us < 2000000);
}

static void timers_fire_by_deadline_and_not_after_disarming(void **state)
{
	struct ek_timer a, b, c;

	ek_timer_init(&a, note, (char[]){ "a" });
	ek_timer_init(&b, note, (char[]){ "b" });
	ek_timer_init(&c, note, (char[]){ "c" });
	ek_loop_arm(loop, &a, 30);
	ek_loop_arm(loop, &b, 10);
	ek_loop_arm(loop, &c, 20);
	ek_loop_disarm(loop, &c);
	assert_true(io_wait(loop, &n_calls, 2));
	assert_string_equal(trace, "ba");
}

static void defer_again(void *arg)
{
	note(arg);
	if (n_calls < 5)
		ek_loop_defer(loop, defer_again, arg);
}

static void deferred_calls_run_in_order_on_later_turns(void **state)
{
	ek_loop_defer(loop, defer_again, (char[]){ "1" });
	ek_loop_defer(loop, note, (char[]){ "2" });
	ek_loop_defer(loop, note, (char[]){ "3" });
	assert_string_equal(trace, "");
	assert_true(io_wait(loop, &n_calls, 5));
	assert_string_equal(trace, "12311");
}

static void *post_many(void *arg)
{
	static char nothing[] = "";

	for (int i = 0; i < 1000; i++)
		ek_loop_post(loop, note, nothing);
	return NULL;
}

static void posts_of_many_threads_all_arrive(void **state)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, NULL), 0);
	assert_true(io_wait(loop, &n_calls, 4000));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

struct watched {
	struct ek_fd *watch;
	unsigned n_events;
	uint32_t events;
};

static void on_ready(void *arg, uint32_t events)
{
	struct watched *watched = arg;

	watched->n_events++;
	watched->events = events;
	if (watched->n_events == 3)
		ek_loop_update_fd(watched->watch, 0);
}

static void descriptors_are_level_triggered_and_can_be_paused(void **state)
{
	struct watched watched = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	watched.watch = ek_loop_watch_fd(loop, ends[0], EK_FD_READABLE, on_ready, &watched, NULL);
	io_wait_within(loop, &watched.n_events, 1, 20);
	assert_int_equal(watched.n_events, 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_true(io_wait(loop, &watched.n_events, 3));
	io_wait_within(loop, NULL, 1, 20);
	assert_int_equal(watched.n_events, 3);
	assert_int_equal(watched.events, EK_FD_READABLE);
	ek_loop_update_fd(watched.watch, EK_FD_READABLE);
	assert_true(io_wait(loop, &watched.n_events, 4));
	ek_loop_unwatch_fd(watched.watch);
	close(ends[0]);
	close(ends[1]);
}

static void a_descriptor_can_be_watched_again_at_once(void **state)
{
	struct watched watched = { 0 };
	struct ek_error err = EK_ERROR_INIT;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	watched.watch = ek_loop_watch_fd(loop, ends[0], EK_FD_READABLE, on_ready, &watched, &err);
	ek_loop_unwatch_fd(watched.watch);
	watched.watch = ek_loop_watch_fd(loop, ends[0], EK_FD_READABLE, on_ready, &watched, &err);
	assert_non_null(watched.watch);
	close(ends[1]);
	assert_true(io_wait(loop, &watched.n_events, 1));
	ek_loop_unwatch_fd(watched.watch);
	close(ends[0]);
	assert_null(ek_loop_watch_fd(loop, 9999, EK_FD_READABLE, on_ready, &watched, &err));
	assert_int_equal(err.code, EK_INVALID);
}

static void a_watch_ends_with_its_descriptor_and_not_with_the_next_one_of_that_number(void **state)
{
	struct watched first = { 0 }, second = { 0 };
	struct ek_error err = EK_ERROR_INIT;
	int ends[2], others[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	first.watch = ek_loop_watch_fd(loop, ends[0], EK_FD_READABLE, on_ready, &first, &err);
	close(ends[0]);
	assert_int_equal(pipe2(others, O_CLOEXEC), 0);
	assert_int_equal(others[0], ends[0]);
	second.watch = ek_loop_watch_fd(loop, others[0], EK_FD_READABLE, on_ready, &second, &err);
	assert_non_null(second.watch);
	ek_loop_update_fd(first.watch, EK_FD_WRITABLE);
	ek_loop_unwatch_fd(first.watch);
	assert_int_equal(write(others[1], "x", 1), 1);
	assert_true(io_wait(loop, &second.n_events, 3));
	assert_int_equal(first.n_events, 0);
	ek_loop_unwatch_fd(second.watch);
	close(others[0]);
	close(others[1]);
	close(ends[1]);
}

static void on_signal(void *arg, int signo)
{
	n_calls++;
	assert_int_equal(signo, SIGUSR1);
}

static void signals_are_delivered_on_the_loop(void **state)
{
	ek_loop_on_signal(loop, SIGUSR1, on_signal, NULL);
	raise(SIGUSR1);
	assert_int_equal(n_calls, 0);
	assert_true(io_wait(loop, &n_calls, 1));
}

static void a_broken_pipe_is_no_signal(void **state)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1);
	close(ends[1]);
}

static void enter_and_leave_measure(void **state)
{
	int64_t start_us;

	ek_loop_enter(loop, "plugin eureka/0.1.0 registry main");
	start_us = ek_loop_now_us(loop);
	while (ek_loop_now_us(loop) - start_us < 3000)
		;
	assert_in_range(ek_loop_leave(loop), 3000, 1000000);
}

/* What the child of run_blocked does; it gives up early when the watchdog has spoken. */
static struct {
	int64_t block_ms;
	int heard;           /* the read end of its standard error; -1: block to the end */
} plan;

static bool has_spoken(void)
{
	struct pollfd poll_fd = { .fd = plan.heard, .events = POLLIN };

	return plan.heard >= 0 && poll(&poll_fd, 1, 0) == 1;
}

static void block(void *arg)
{
	int64_t start_ms = ek_loop_now_ms(loop);

	ek_loop_enter(loop, "plugin slow/1.0");
	while (ek_loop_now_ms(loop) - start_ms < plan.block_ms && !has_spoken())
		;
	ek_loop_leave(loop);
	ek_loop_stop(loop);
}

/* In a child, since it may abort; returns its wait status and what it wrote. */
static int run_blocked(int64_t block_ms, bool stops_when_heard, int64_t log_ms, int64_t abort_ms,
	char *text, size_t size)
{
	int ends[2], status;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		dup2(ends[1], 2);
		signal(SIGABRT, SIG_DFL);
		plan.block_ms = block_ms;
		plan.heard = stops_when_heard ? ends[0] : -1;
		ek_loop_set_watchdog(loop, log_ms, abort_ms);
		ek_loop_defer(loop, block, NULL);
		ek_loop_run(loop);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	return status;
}

static void a_blocked_loop_is_logged_with_the_name_of_who_blocks_it(void **state)
{
	char text[1000];
	int status = run_blocked(60000, true, 50, 60000, text, sizeof(text));

	assert_true(WIFEXITED(status));
	assert_non_null(strstr(text, "\"message\":\"the loop is blocked\",\"who\":\"plugin slow/1.0\""));
	assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
}

static void a_loop_blocked_for_too_long_ends_the_process(void **state)
{
	char text[1000];
	int status = run_blocked(60000, false, 50, 200, text, sizeof(text));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(text, "the process ends\",\"who\":\"plugin slow/1.0\""));
}

/* ---- The last line of a process ---- */

static void *fault(void *arg)
{
	(void)arg;
	raise(SIGSEGV);
	return NULL;
}

static void die_of_a_fault(void)
{
	fault(NULL);
}

static void die_of_an_abort(void)
{
	abort();
}

/* Until there is no stack left. */
static int dig(volatile char *above, int depth)
{
	volatile char hole[4096];

	hole[0] = above ? above[0] : 'x';
	return depth < 0 ? 0 : dig(hole, depth + 1) + hole[0];
}

static void die_of_a_full_stack(void)
{
	dig(NULL, 0);
}

static void die_of_another_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, fault, NULL))
		pthread_join(thread, NULL);
}

static void end_by_exit(void)
{
	exit(0);
}

static void end_in_order(void)
{
	ek_loop_leave(loop);
	ek_loop_free(loop);
	exit(0);
}

/* In a child, in the name of a plugin; returns its wait status and what it wrote. */
static int run_dying(void (*die)(void), char *text, size_t size)
{
	int ends[2], status;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(ends[1], 2);
		signal(SIGSEGV, SIG_DFL); /* a sanitizer's, perhaps */
		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		ek_loop_tell_crashes(loop);
		ek_loop_enter(loop, "plugin bad/1.0");
		die();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	return status;
}

static void whoever_ends_the_process_is_named_in_its_last_line(void **state)
{
#define CRASHES(signal, who) "{\"level\":\"error\",\"message\":\"the process crashes\",\"signal\":\"" signal "\",\"who\":\"" who "\"}\n"
	static const struct {
		void (*die)(void);
		int signo; /* 0: it exits */
		const char *line;
	} cases[] = {
		{ die_of_a_fault, SIGSEGV, CRASHES("SIGSEGV", "plugin bad/1.0") },
		{ die_of_an_abort, SIGABRT, CRASHES("SIGABRT", "plugin bad/1.0") },
		{ die_of_a_full_stack, SIGSEGV, CRASHES("SIGSEGV", "plugin bad/1.0") },
		{ die_of_another_thread, SIGSEGV, CRASHES("SIGSEGV", "a thread beside the loop") },
		{ end_by_exit, 0, "{\"level\":\"error\",\"message\":\"a plugin has ended the process\",\"who\":\"plugin bad/1.0\"}\n" },
	};
	char text[1000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = run_dying(cases[i].die, text, sizeof(text));

		assert_string_equal(text, cases[i].line);
		assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, cases[i].signo);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == EXIT_FAILURE);
	}
}

static void a_process_that_ends_in_order_says_nothing(void **state)
{
	char text[1000];
	int status = run_dying(end_in_order, text, sizeof(text));

	assert_string_equal(text, "");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void stop(void *arg)
{
	ek_loop_stop(loop);
}

static void neither_a_short_call_nor_an_idle_loop_is_blocked(void **state)
{
	struct ek_timer timer;
	char text[1000];
	int status = run_blocked(20, false, 2000, 3000, text, sizeof(text));

	assert_true(WIFEXITED(status));
	assert_string_equal(text, "");
	ek_loop_set_watchdog(loop, 100, 300);
	ek_timer_init(&timer, stop, NULL);
	ek_loop_arm(loop, &timer, 700);
	ek_loop_run(loop);
}

static void dawdle(void *arg)
{
	int64_t until_us = ek_loop_now_us(loop) + 30000;

	while (ek_loop_now_us(loop) < until_us)
		;
	ek_loop_stop(loop);
}

static void turns_are_measured_and_sleep_is_not(void **state)
{
	const struct ek_histogram *turns = ek_loop_turns(loop);
	int64_t start_us = ek_loop_now_us(loop);
	struct ek_timer timer;
	double passed;

	assert_int_equal(turns->n, 0);
	ek_timer_init(&timer, dawdle, NULL);
	ek_loop_arm(loop, &timer, 300);
	ek_loop_run(loop);
	passed = (double)(ek_loop_now_us(loop) - start_us) / 1e6;
	assert_true(turns->n > 0);
	assert_true(turns->longest >= 0.03 && turns->longest <= turns->sum);
	assert_true(turns->sum <= passed - 0.29);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_are_never_early),
		TEST(timers_fire_by_deadline_and_not_after_disarming),
		TEST(deferred_calls_run_in_order_on_later_turns),
		TEST(posts_of_many_threads_all_arrive),
		TEST(descriptors_are_level_triggered_and_can_be_paused),
		TEST(a_descriptor_can_be_watched_again_at_once),
		TEST(a_watch_ends_with_its_descriptor_and_not_with_the_next_one_of_that_number),
		TEST(signals_are_delivered_on_the_loop),
		TEST(a_broken_pipe_is_no_signal),
		TEST(enter_and_leave_measure),
		TEST(a_blocked_loop_is_logged_with_the_name_of_who_blocks_it),
		TEST(a_loop_blocked_for_too_long_ends_the_process),
		TEST(whoever_ends_the_process_is_named_in_its_last_line),
		TEST(a_process_that_ends_in_order_says_nothing),
		TEST(turns_are_measured_and_sleep_is_not),
		TEST(neither_a_short_call_nor_an_idle_loop_is_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
