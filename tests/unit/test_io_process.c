/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real programs, run to their ends: good and bad ones, ones that write too much or never end, and what they are given of ours.
 * The shell stands for any program; the host itself never starts one.
 * Read next: host/io/process.c.
 */
#include "io/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

struct outcome {
	struct ek_loop *loop;
	struct ek_process_result result;
	char output[8192], complaint[2048];
	unsigned n_done;
};

static void on_done(void *arg, const struct ek_process_result *result)
{
	struct outcome *outcome = arg;

	outcome->n_done++;
	outcome->result = *result;
	snprintf(outcome->output, sizeof(outcome->output), "%s", result->output);
	snprintf(outcome->complaint, sizeof(outcome->complaint), "%s", result->complaint);
	ek_loop_stop(outcome->loop);
}

static struct outcome when_run(const char *script, char *const *environment, int64_t timeout_ms)
{
	struct outcome outcome = { .loop = ek_loop_new() };
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	const struct ek_process_config config = { .argv = argv, .environment = environment, .timeout_ms = timeout_ms, .max_output_bytes = 4096,
		.on_done = on_done, .arg = &outcome };
	struct ek_error err = EK_ERROR_INIT;

	if (!ek_process_start(outcome.loop, &config, &err))
		fail_msg("%s", err.message);
	assert_int_equal(outcome.n_done, 0);
	ek_loop_run(outcome.loop);
	ek_loop_free(outcome.loop);
	assert_int_equal(outcome.n_done, 1);
	return outcome;
}

static void test_a_program_ends_in_one_of_four_ways(void **state)
{
	static const struct {
		const char *script;
		int64_t timeout_ms;
		enum ek_process_end end;
		int number;
		const char *output, *complaint;
	} cases[] = {
		{ "echo out; echo err >&2", 60000, EK_PROCESS_EXITED, 0, "out\n", "err\n" },
		{ "echo before; exit 3", 60000, EK_PROCESS_EXITED, 3, "before\n", "" },
		{ "kill -SEGV $$", 60000, EK_PROCESS_SIGNALLED, SIGSEGV, "", "" },
		{ "echo half; sleep 1000", 200, EK_PROCESS_TIMED_OUT, SIGKILL, "half\n", "" },
		{ "trap '' TERM INT HUP; while :; do :; done", 200, EK_PROCESS_TIMED_OUT, SIGKILL, "", "" },
		{ "sleep 1000 & echo mine; exit 0", 60000, EK_PROCESS_EXITED, 0, "mine\n", "" },
		{ "cat", 60000, EK_PROCESS_EXITED, 0, "", "" },
		{ "trap '' PIPE; kill -PIPE $$; echo there", 60000, EK_PROCESS_EXITED, 0, "there\n", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome = when_run(cases[i].script, NULL, cases[i].timeout_ms);

		if (outcome.result.end != cases[i].end || outcome.result.number != cases[i].number)
			fail_msg("%s: end %d, number %d", cases[i].script, outcome.result.end, outcome.result.number);
		assert_string_equal(outcome.output, cases[i].output);
		assert_string_equal(outcome.complaint, cases[i].complaint);
	}
}

static void test_a_program_that_writes_for_ever_is_killed_and_one_that_complains_for_ever_is_cut(void **state)
{
	struct outcome outcome = when_run("while :; do echo 0123456789; done", NULL, 60000);

	assert_int_equal(outcome.result.end, EK_PROCESS_TOO_MUCH);
	assert_int_equal(strlen(outcome.output), 4096);
	outcome = when_run("i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done; echo good", NULL, 60000);
	assert_int_equal(outcome.result.end, EK_PROCESS_EXITED);
	assert_string_equal(outcome.output, "good\n");
	assert_int_equal(strlen(outcome.complaint), EK_PROCESS_MAX_COMPLAINT);
}

static void test_variables_are_added_to_ours_or_replace_them(void **state)
{
	char *environment[] = { (char *)"EK_OURS=theirs", (char *)"EK_NEW=a b\"c", NULL };
	struct outcome outcome;

	setenv("EK_OURS", "ours", 1);
	setenv("EK_OURS_TOO", "kept", 1);
	outcome = when_run("echo \"$EK_OURS $EK_OURS_TOO $EK_NEW\"; env | grep -c ^EK_OURS=", environment, 60000);
	assert_string_equal(outcome.output, "theirs kept a b\"c\n1\n");
	assert_string_equal(getenv("EK_OURS"), "ours");
}

static void test_a_program_gets_no_descriptor_of_ours_and_no_blocked_signal(void **state)
{
	int fd = open("/dev/null", O_RDONLY);        /* without FD_CLOEXEC, as a careless library would */
	int high = fcntl(fd, F_DUPFD, 700);
	struct outcome outcome = when_run("ls /proc/self/fd | tr '\\n' ' '; grep -E 'SigBlk|SigIgn' /proc/self/status | tr -d '\\n\\t'", NULL, 60000);

	close(fd);
	close(high);
	assert_memory_equal(outcome.output, "0 1 2 3 SigBlk:0000000000000000SigIgn:", 38);      /* 3: that of ls itself */
	assert_int_equal(strtoull(outcome.output + 38, NULL, 16) & 0x7fffffff, 0);              /* 32 and 33 belong to the C library */
}

static void test_a_program_that_is_not_there_is_named(void **state)
{
	struct ek_loop *loop = ek_loop_new();
	char *argv[] = { (char *)"ek-no-such-program", NULL };
	const struct ek_process_config config = { .argv = argv, .timeout_ms = 1000, .max_output_bytes = 10, .on_done = on_done };
	struct ek_error err = EK_ERROR_INIT;

	assert_null(ek_process_start(loop, &config, &err));
	assert_int_equal(err.code, EK_INVALID);
	assert_string_equal(err.message, "cannot run ek-no-such-program: No such file or directory");
	ek_loop_free(loop);
}

static void test_a_cancelled_program_says_nothing_and_leaves_nothing_watched(void **state)
{
	struct outcome outcome = { .loop = ek_loop_new() };
	char *argv[] = { (char *)"sleep", (char *)"1000", NULL };
	const struct ek_process_config config = { .argv = argv, .timeout_ms = 60000, .max_output_bytes = 10, .on_done = on_done, .arg = &outcome };
	struct ek_process *process = ek_process_start(outcome.loop, &config, NULL);

	assert_non_null(process);
	ek_process_cancel(process);
	ek_process_cancel(NULL);
	ek_loop_free(outcome.loop);     /* aborts when anything is still watched */
	assert_int_equal(outcome.n_done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_program_ends_in_one_of_four_ways),
		cmocka_unit_test(test_a_program_that_writes_for_ever_is_killed_and_one_that_complains_for_ever_is_cut),
		cmocka_unit_test(test_variables_are_added_to_ours_or_replace_them),
		cmocka_unit_test(test_a_program_gets_no_descriptor_of_ours_and_no_blocked_signal),
		cmocka_unit_test(test_a_program_that_is_not_there_is_named),
		cmocka_unit_test(test_a_cancelled_program_says_nothing_and_leaves_nothing_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
