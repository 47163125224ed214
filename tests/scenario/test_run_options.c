/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of `eurekube run`: defaults, every option, and the words for what is wrong.
 * It starts nothing.
 * Read next: host/app/options.c.
 */
#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READ(out, err, ...) read_line((const char *const[]){ "run", __VA_ARGS__, NULL }, (out), (err))

static int read_line(const char *const *words, struct ek_run_options *out, struct ek_error *err)
{
	char *argv[32];
	int argc = 0;

	for (; words[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	argv[argc] = NULL;
	return ek_run_options_read(argc, argv, out, err);
}

static void the_configuration_alone_is_enough(void **state)
{
	struct ek_run_options options;

	assert_int_equal(READ(&options, NULL, "--config", "eurekube.yaml"), EK_OK);
	assert_string_equal(options.config_file, "eurekube.yaml");
	assert_null(options.kubeconfig);
	assert_null(options.context);
	assert_string_equal(options.listen_host, "");
	assert_int_equal(options.listen_port, 8080);
	assert_string_equal(options.debug_host, "127.0.0.1");
	assert_int_equal(options.debug_port, 8081);
	assert_int_equal(options.log_level, EK_LOG_INFO);
	assert_int_equal(options.log_format, EK_LOG_JSON);
	assert_false(options.is_help);
}

static void every_option_is_taken(void **state)
{
	struct ek_run_options options;

	assert_int_equal(READ(&options, NULL, "--config=c", "--kubeconfig", "k", "--context", "x", "--listen", "10.0.0.1:0", "--debug-listen", "[::1]:9",
				 "--log-level", "debug", "--log-format", "text"), EK_OK);
	assert_string_equal(options.config_file, "c");
	assert_string_equal(options.kubeconfig, "k");
	assert_string_equal(options.context, "x");
	assert_string_equal(options.listen_host, "10.0.0.1");
	assert_int_equal(options.listen_port, 0);
	assert_string_equal(options.debug_host, "::1");
	assert_int_equal(options.debug_port, 9);
	assert_int_equal(options.log_level, EK_LOG_DEBUG);
	assert_int_equal(options.log_format, EK_LOG_TEXT);
}

static void help_needs_no_configuration(void **state)
{
	struct ek_run_options options;

	assert_int_equal(READ(&options, NULL, "--help"), EK_OK);
	assert_true(options.is_help);
	assert_non_null(strstr(ek_run_help, "Example"));
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *words[6], *message; /* part of it */
	} cases[] = {
		{ { "run" }, "is missing; see eurekube run --help" },
		{ { "run", "--config", "c", "more" }, "\"more\" is one argument too many" },
		{ { "run", "--config", "c", "--listen", "8080" }, "not HOST:PORT" },
		{ { "run", "--config", "c", "--listen", ":" }, "not HOST:PORT" },
		{ { "run", "--config", "c", "--listen", ":65536" }, "not HOST:PORT" },
		{ { "run", "--config", "c", "--listen", ":-1" }, "not HOST:PORT" },
		{ { "run", "--config", "c", "--debug-listen", "localhost:80x" }, "not HOST:PORT" },
		{ { "run", "--config", "c", "--log-level", "loud" }, "debug, info, warn or error" },
		{ { "run", "--config", "c", "--log-format", "xml" }, "json or text" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		struct ek_run_options options;

		assert_int_equal(read_line(cases[i].words, &options, &err), EK_INVALID);
		if (!strstr(err.message, cases[i].message))
			fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].message);
	}
}

static void an_unknown_option_is_refused(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_run_options options;

	assert_int_equal(READ(&options, &err, "--config", "c", "--leader-elect"), EK_INVALID);
	assert_non_null(strstr(err.message, "eurekube run --help"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configuration_alone_is_enough),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(help_needs_no_configuration),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(an_unknown_option_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
