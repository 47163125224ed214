/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What base/log promises: whole lines that nothing can forge, folded when they repeat, and never a wait.
 * The lines go through a pipe that the tests read.
 * Next: host/base/log.h.
 */
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t now_ms;
static int ends[2];

static int64_t tell_time(void)
{
	return now_ms;
}

static int set_up(void **state)
{
	if (pipe2(ends, O_CLOEXEC) || fcntl(ends[0], F_SETFL, O_NONBLOCK))
		return -1;
	now_ms = 1700000000123;
	ek_log_set_clock(tell_time);
	ek_log_configure(EK_LOG_INFO, EK_LOG_JSON, ends[1]);
	return 0;
}

static int tear_down(void **state)
{
	close(ends[0]);
	close(ends[1]);
	ek_log_set_clock(NULL);
	ek_log_configure(EK_LOG_INFO, EK_LOG_JSON, 2);
	return 0;
}

static const char *lines(void)
{
	static char text[1 << 20];
	ssize_t n = read(ends[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

#define TIME "2023-11-14T22:13:20.123Z"

static void a_line_is_one_json_object(void **state)
{
	EK_INFO(NULL, "instance registered", EK_S("app", "RATING"), EK_I("port", 8080));
	assert_string_equal(lines(), "{\"time\":\"" TIME "\",\"level\":\"info\",\"message\":"
		"\"instance registered\",\"app\":\"RATING\",\"port\":8080}\n");
}

static void the_text_format_quotes_where_it_must(void **state)
{
	ek_log_configure(EK_LOG_INFO, EK_LOG_TEXT, ends[1]);
	EK_WARN(NULL, "held", EK_S("app", "A"), EK_S("why", "not \"now\""), EK_S("empty", ""),
		EK_I("n", -3));
	assert_string_equal(lines(),
		TIME " WARN  held app=A why=\"not \\\"now\\\"\" empty=\"\" n=-3\n");
}

static void a_value_cannot_forge_a_line(void **state)
{
	EK_INFO(NULL, "x", EK_S("v", "a\"}\n{\"b\x01\xff\xc3\xa9\\"));
	assert_string_equal(strstr(lines(), "\"v\""),
		"\"v\":\"a\\\"}\\n{\\\"b\\u0001\xef\xbf\xbd\xc3\xa9\\\\\"}\n");
}

static void bound_fields_of_a_logger_and_its_parents_come_first(void **state)
{
	struct ek_log parent = { .bound = { EK_S("plugin", "eureka") }, .n_bound = 1 };
	struct ek_log log = { .parent = &parent, .bound = { EK_S("registry", "main") }, .n_bound = 1 };

	EK_INFO(&log, "x", EK_I("n", 1));
	assert_non_null(strstr(lines(), "\"x\",\"plugin\":\"eureka\",\"registry\":\"main\",\"n\":1}"));
}

static void an_error_brings_its_code_and_reason(void **state)
{
	struct ek_error err = EK_ERROR_INIT;

	ek_fail_reason(&err, EK_INVALID, "PortNotFound", "no port %s", "http");
	EK_INFO(NULL, "x", EK_E(&err));
	assert_non_null(strstr(lines(),
		"\"error\":\"no port http\",\"code\":\"invalid\",\"reason\":\"PortNotFound\"}"));
}

static int evaluations;
static int64_t evaluate(void)
{
	return ++evaluations;
}

static void arguments_below_the_level_are_not_evaluated(void **state)
{
	EK_DEBUG(NULL, "x", EK_I("n", evaluate()));
	assert_int_equal(evaluations, 0);
	assert_string_equal(lines(), "");
	ek_log_set_level(EK_LOG_DEBUG);
	EK_DEBUG(NULL, "x", EK_I("n", evaluate()));
	assert_int_equal(evaluations, 1);
	assert_int_equal(count_lines(lines()), 1);
}

static void the_eleventh_repetition_is_folded_and_summed_up_later(void **state)
{
	struct ek_log log = { .bound = { EK_S("registry", "main") }, .n_bound = 1 };

	for (int i = 0; i < 25; i++)
		EK_WARN(&log, "cannot reach", EK_I("i", i));
	assert_int_equal(count_lines(lines()), 10);
	now_ms += 30000;
	EK_INFO(NULL, "something else");
	assert_non_null(strstr(lines(), "\"level\":\"warn\",\"message\":\"cannot reach\","
		"\"registry\":\"main\",\"repeated\":15}\n{"));
	EK_WARN(&log, "cannot reach");
	assert_int_equal(count_lines(lines()), 1);
}

static void another_logger_is_not_folded_with_it(void **state)
{
	struct ek_log log = { .bound = { EK_S("registry", "main") }, .n_bound = 1 };

	for (int i = 0; i < 11; i++)
		EK_WARN(&log, "cannot reach");
	EK_WARN(NULL, "cannot reach");
	assert_int_equal(count_lines(lines()), 11);
}

static void long_values_are_cut_and_the_line_stays_whole(void **state)
{
	char value[8000];
	const char *line;

	memset(value, '\x02', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	EK_INFO(NULL, value, EK_S("a", value), EK_S("b", value), EK_S("c", value), EK_S("d", value),
		EK_S("e", "short"));
	line = lines();
	assert_in_range(strlen(line), 3000, 4096);
	assert_non_null(strstr(line, ",\"e\":\"short\",\"cut\":true}\n"));
}

static void a_full_pipe_costs_lines_and_no_time(void **state)
{
	uint64_t dropped = ek_log_dropped();
	char name[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		EK_INFO(NULL, name);
	}
	assert_true(ek_log_dropped() > dropped);
	assert_true(strlen(lines()) > 4096);
	EK_INFO(NULL, "again");
	assert_non_null(strstr(lines(), "log lines were dropped"));
}

static void levels_have_names(void **state)
{
	enum ek_log_level level;

	assert_int_equal(ek_log_level_parse("warn", &level), EK_OK);
	assert_int_equal(level, EK_LOG_WARN);
	assert_int_equal(ek_log_level_parse("WARN", &level), EK_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_one_json_object),
		TEST(the_text_format_quotes_where_it_must),
		TEST(a_value_cannot_forge_a_line),
		TEST(bound_fields_of_a_logger_and_its_parents_come_first),
		TEST(an_error_brings_its_code_and_reason),
		TEST(arguments_below_the_level_are_not_evaluated),
		TEST(the_eleventh_repetition_is_folded_and_summed_up_later),
		TEST(another_logger_is_not_folded_with_it),
		TEST(long_values_are_cut_and_the_line_stays_whole),
		TEST(a_full_pipe_costs_lines_and_no_time),
		TEST(levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
