/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a credential plugin may hand out, and what of its output is refused and how.
 * No plugin is run: tests/unit/test_io_process.c runs programs, tests/scenario/test_kube_client.c lets them expire, hang and fail.
 * Read next: host/kube/exec_credential.c.
 */
#include "kube/exec_credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define V1          "client.authentication.k8s.io/v1"
#define OF(status)  "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{" status "}}"
#define PEM         "-----BEGIN X-----\\nMIIB\\n"
#define PEM_TEXT    "-----BEGIN X-----\nMIIB\n"

static int read(const char *text, struct ek_exec_credential *out, struct ek_error *err)
{
	return ek_exec_credential_read(text, strlen(text), V1, out, err);
}

static void assert_text(const char *what, const char *actual, const char *wanted)
{
	if ((actual || wanted) && (!actual || !wanted || strcmp(actual, wanted) != 0))
		fail_msg("%s: \"%s\", not \"%s\"", what, actual ? actual : "(null)", wanted ? wanted : "(null)");
}

static void test_a_plugin_hands_out_a_token_a_certificate_or_both(void **state)
{
	static const struct {
		const char *what, *text;
		struct ek_exec_credential wanted;
	} cases[] = {
		{ "a token", OF("\"token\":\"abc\""), { .token = (char *)"abc" } },
		{ "an escaped token", OF("\"token\":\"a\\u0062c\""), { .token = (char *)"abc" } },
		{ "a certificate", OF("\"clientCertificateData\":\"" PEM "\",\"clientKeyData\":\"" PEM "\""),
			{ .cert_pem = (char *)PEM_TEXT, .key_pem = (char *)PEM_TEXT } },
		{ "both", OF("\"clientCertificateData\":\"" PEM "\",\"clientKeyData\":\"" PEM "\",\"token\":\"abc\""),
			{ .token = (char *)"abc", .cert_pem = (char *)PEM_TEXT, .key_pem = (char *)PEM_TEXT } },
		{ "more than we know", "{\"spec\":{},\"status\":{\"token\":\"abc\",\"new\":[1]},\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}\n",
			{ .token = (char *)"abc" } },
		{ "an end", OF("\"token\":\"abc\",\"expirationTimestamp\":\"2024-03-05T14:48:00Z\""),
			{ .token = (char *)"abc", .expires_ms = 1709650080000 } },
		{ "an end elsewhere", OF("\"token\":\"abc\",\"expirationTimestamp\":\"2024-03-05T23:48:00.5+09:00\""),
			{ .token = (char *)"abc", .expires_ms = 1709650080000 } },
		{ "an end to the west", OF("\"token\":\"abc\",\"expirationTimestamp\":\"2024-03-05T09:18:00-05:30\""),
			{ .token = (char *)"abc", .expires_ms = 1709650080000 } },
		{ "no end", OF("\"token\":\"abc\",\"expirationTimestamp\":null"), { .token = (char *)"abc" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_exec_credential actual;
		struct ek_error err = EK_ERROR_INIT;

		if (read(cases[i].text, &actual, &err) != EK_OK)
			fail_msg("%s: %s", cases[i].what, err.message);
		assert_text(cases[i].what, actual.token, cases[i].wanted.token);
		assert_text(cases[i].what, actual.cert_pem, cases[i].wanted.cert_pem);
		assert_text(cases[i].what, actual.key_pem, cases[i].wanted.key_pem);
		assert_int_equal(actual.expires_ms, cases[i].wanted.expires_ms);
		ek_exec_credential_clear(&actual);
	}
}

static void test_output_that_is_no_credential_is_refused_without_repeating_it(void **state)
{
	static const struct {
		const char *what, *text, *words;
	} cases[] = {
		{ "nothing", "", "cannot be read" },
		{ "a page", "<html>topsecret</html>", "cannot be read" },
		{ "a document cut short", "{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"topsecret", "cannot be read" },
		{ "two documents", OF("\"token\":\"topsecret\"") "{}", "cannot be read" },
		{ "a list", "[\"topsecret\"]", "cannot be read" },
		{ "another kind", "{\"kind\":\"Pod\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"topsecret\"}}", "no ExecCredential of " V1 },
		{ "another version", "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "beta1\",\"status\":{\"token\":\"topsecret\"}}",
			"no ExecCredential of " V1 },
		{ "no status", "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}", "neither a token nor a client certificate" },
		{ "a status that is null", "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":null}", "neither a token" },
		{ "an empty token", OF("\"token\":\"\""), "neither a token" },
		{ "a token of two lines", OF("\"token\":\"topsecret\\nHost: x\""), "a space or a control character" },
		{ "a token with a NUL", OF("\"token\":\"topsecret\\u0000\""), "cannot be read" },
		{ "a certificate without key", OF("\"clientCertificateData\":\"" PEM "\""), "one is missing" },
		{ "a key without certificate", OF("\"token\":\"topsecret\",\"clientKeyData\":\"" PEM "\""), "one is missing" },
		{ "a certificate that is none", OF("\"clientCertificateData\":\"topsecret\",\"clientKeyData\":\"topsecret\""), "must be PEM" },
		{ "a time that is none", OF("\"token\":\"topsecret\",\"expirationTimestamp\":\"tomorrow\""), "RFC 3339" },
		{ "a time without zone", OF("\"token\":\"topsecret\",\"expirationTimestamp\":\"2024-03-05T14:48:00\""), "RFC 3339" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_exec_credential actual;
		struct ek_error err = EK_ERROR_INIT;

		if (read(cases[i].text, &actual, &err) != EK_INVALID)
			fail_msg("%s is taken", cases[i].what);
		if (!strstr(err.message, cases[i].words) || strstr(err.message, "topsecret"))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].what, err.message, cases[i].words);
		assert_null(actual.token);
		assert_null(actual.cert_pem);
		assert_null(actual.key_pem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plugin_hands_out_a_token_a_certificate_or_both),
		cmocka_unit_test(test_output_that_is_no_credential_is_refused_without_repeating_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
