/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers of an API server mean: error bodies of servers and of proxies in front of them, and the code of each status.
 * It sends nothing.
 * Read next: host/kube/status.c.
 */
#include "kube/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_an_error_body_is_understood_or_at_least_quoted(void **state)
{
	static const struct {
		const char *body;
		struct ek_kube_status status;
	} cases[] = {
		{ "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"services \\\"x\\\" "
		  "not found\",\"reason\":\"NotFound\",\"details\":{\"name\":\"x\",\"kind\":\"services\"},\"code\":404}",
			{ .status = 404, .reason = "NotFound", .message = "services \"x\" not found" } },
		{ "{\"kind\":\"Status\",\"message\":\"Too large resource version: 9, current: 5\",\"reason\":\"Timeout\",\"details\":{"
		  "\"causes\":[{\"message\":\"x\"},{\"reason\":\"ResourceVersionTooLarge\"}],\"retryAfterSeconds\":1},\"code\":504}",
			{ .status = 504, .reason = "Timeout", .message = "Too large resource version: 9, current: 5",
				.retry_after_ms = 1000, .is_rv_too_large = true } },
		{ "{\"details\":{\"retryAfterSeconds\":99999999},\"kind\":\"Status\",\"code\":429}", { .status = 429 } },
		{ "{\"kind\":\"Status\",\"message\":null,\"reason\":null,\"details\":null,\"code\":500}", { .status = 500 } },
		{ "{\"kind\":\"Service\",\"code\":404,\"message\":\"no\"}",
			{ .message = "{\"kind\":\"Service\",\"code\":404,\"message\":\"no\"}" } },
		{ "{\"kind\":\"Status\",\"message\":\"cut", { .message = "{\"kind\":\"Status\",\"message\":\"cut" } },
		{ "<html>\r\n<h1>502</h1>\x1b[0m", { .message = "<html>  <h1>502</h1> [0m" } },
		{ "404 page not found\n", { .message = "404 page not found" } },
		{ "", { .status = 0 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_kube_status status;

		ek_kube_status_read(cases[i].body, strlen(cases[i].body), &status);
		assert_int_equal(status.status, cases[i].status.status);
		assert_string_equal(status.reason, cases[i].status.reason);
		assert_string_equal(status.message, cases[i].status.message);
		assert_int_equal(status.retry_after_ms, cases[i].status.retry_after_ms);
		assert_int_equal(status.is_rv_too_large, cases[i].status.is_rv_too_large);
	}
}

static void test_a_long_message_is_cut_between_characters(void **state)
{
	char body[1200] = "{\"kind\":\"Status\",\"message\":\"x";
	struct ek_kube_status status;

	for (int i = 0; i < 200; i++)
		memcpy(body + strlen(body), "\xc3\xa4", 3);
	memcpy(body + strlen(body), "\"}", 3);
	ek_kube_status_read(body, strlen(body), &status);
	assert_int_equal(strlen(status.message), 255);
	assert_string_equal(status.message + 253, "\xc3\xa4");
	memmove(strstr(body, "x"), strstr(body, "x") + 1, strlen(strstr(body, "x")));
	ek_kube_status_read(body, strlen(body), &status);
	assert_int_equal(strlen(status.message), 254);
}

static void test_each_status_says_what_to_do_next(void **state)
{
	static const struct {
		int status, code;
	} cases[] = { { 200, EK_OK }, { 201, EK_OK }, { 204, EK_OK }, { 301, EK_INVALID }, { 400, EK_INVALID }, { 401, EK_AUTH },
		{ 403, EK_AUTH }, { 404, EK_GONE }, { 405, EK_INVALID }, { 409, EK_CONFLICT }, { 410, EK_EXPIRED },
		{ 413, EK_TOO_BIG }, { 415, EK_INVALID }, { 422, EK_INVALID }, { 429, EK_THROTTLED }, { 500, EK_RETRY },
		{ 502, EK_RETRY }, { 503, EK_RETRY }, { 504, EK_RETRY } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ek_kube_status_code(cases[i].status) != cases[i].code)
			fail_msg("%d means %d", cases[i].status, ek_kube_status_code(cases[i].status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_error_body_is_understood_or_at_least_quoted),
		cmocka_unit_test(test_a_long_message_is_cut_between_characters),
		cmocka_unit_test(test_each_status_says_what_to_do_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
