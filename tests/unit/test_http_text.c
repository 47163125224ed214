/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/http_text by tables: URLs that are taken apart, URLs that are refused, content types.
 * What is done with them is tested with io/http.
 * Next: host/base/http_text.h.
 */
#include "base/http_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void urls_are_taken_apart(void **state)
{
	static const struct {
		const char *url, *host, *target;
		bool is_https, is_ipv6;
		unsigned port;
	} cases[] = {
		{ "http://eureka-0:8761/eureka/", "eureka-0", "/eureka/", false, false, 8761 },
		{ "https://10.0.0.1", "10.0.0.1", "", true, false, 443 },
		{ "HTTP://a?x=1", "a", "?x=1", false, false, 80 },
		{ "https://[fd00::1]:6443/api?watch=1", "fd00::1", "/api?watch=1", true, true, 6443 },
		{ "http://[::1]/", "::1", "/", false, true, 80 },
		{ "http://a:65535/@:", "a", "/@:", false, false, 65535 },
	};
	struct ek_url url;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ek_url_split(cases[i].url, &url, NULL), EK_OK);
		assert_int_equal(url.host_bytes, strlen(cases[i].host));
		assert_memory_equal(url.host, cases[i].host, url.host_bytes);
		assert_string_equal(url.target, cases[i].target);
		assert_int_equal(url.is_https, cases[i].is_https);
		assert_int_equal(url.is_ipv6, cases[i].is_ipv6);
		assert_int_equal(url.port, cases[i].port);
	}
}

static void bad_urls_are_refused(void **state)
{
	static const char *const urls[] = { "", "a/b", "ftp://a/", "http:/a", "http://", "http:///x", "http://:80/",
		"http://a:/", "http://a:x/", "http://a:0/", "http://a:65536/", "http://a:123456/", "http://u:p@a/",
		"http://u@a/", "http://a/b c", "http://a/\n", "http://a/\x7f", "http://a/#f", "http://[::1/",
		"http://[]/", "http://[::1]x/", "//a/" };
	struct ek_url url;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_int_equal(ek_url_split(urls[i], &url, NULL), EK_INVALID);
}

static void content_types_lose_case_and_parameters(void **state)
{
	static const struct {
		const char *value, *bare;
	} cases[] = {
		{ "Text/HTML; charset=utf-8", "text/html" }, { " text/plain", "text/plain" },
		{ "a/b;c", "a/b" }, { "a/b ;c", "a/b" }, { "", "" }, { NULL, "" },
		{ "application/very-long-type", "application/ver" },
	};
	char bare[16];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ek_content_type_bare(cases[i].value, bare, sizeof(bare));
		assert_string_equal(bare, cases[i].bare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(bad_urls_are_refused),
		cmocka_unit_test(content_types_lose_case_and_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
