/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of endings: what was seen -> what comes next; how long is waited; and what requests look like.
 * It runs no reflector: tests/scenario/test_reflector.c does.
 * Read next: host/kube/reflector_endings.c.
 */
#include "kube/reflector_endings.h"
#include "kube/reflector_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WATCHING          .during = EK_WATCHING, .asked = EK_VERSION_LAST
#define STREAMING(v)      .during = EK_READING_STREAM, .asked = EK_VERSION_##v
#define PAGING(v)         .during = EK_READING_PAGES, .asked = EK_VERSION_##v
#define WATCH(p, c)       { .next = EK_NEXT_WATCH, .version = EK_VERSION_LAST, .pace = EK_PACE_##p, .cause = EK_CAUSE_##c }
#define LIST(v, p, c, ...) { .next = EK_NEXT_LIST, .version = EK_VERSION_##v, .pace = EK_PACE_##p, .cause = EK_CAUSE_##c, __VA_ARGS__ }

static const struct {
	const char *seen;
	struct ek_ending ending;
	struct ek_verdict verdict;
} endings[] = {
	/* A watch */
	{ "a clean end", { WATCHING }, WATCH(AT_ONCE, END) },
	{ "a clean end at once", { WATCHING, .is_short = true }, WATCH(BACKOFF, END) },
	{ "the ninth clean end at once", { WATCHING, .is_short = true, .n_failures = 8 }, LIST(LAST, BACKOFF, END) },
	{ "two silent lifetimes", { WATCHING, .n_empty = 2 }, WATCH(AT_ONCE, END) },
	{ "three silent lifetimes", { WATCHING, .n_empty = 3 }, LIST(LAST, AT_ONCE, END) },
	{ "a refused or broken connection", { WATCHING, .code = EK_RETRY }, WATCH(BACKOFF, TRANSPORT) },
	{ "a deadline", { WATCHING, .code = EK_UNKNOWN }, WATCH(BACKOFF, TRANSPORT) },
	{ "refused TLS", { WATCHING, .code = EK_AUTH }, WATCH(BACKOFF, TRANSPORT) },
	{ "eight broken connections", { WATCHING, .code = EK_RETRY, .n_failures = 8 }, LIST(LAST, BACKOFF, TRANSPORT) },
	{ "410", { WATCHING, .code = EK_EXPIRED, .status = 410 }, LIST(LAST, AT_ONCE, EXPIRED) },
	{ "410 twice in a row", { WATCHING, .code = EK_EXPIRED, .status = 410, .n_expired = 1 }, LIST(LAST, BACKOFF, EXPIRED) },
	{ "reason Expired under another code", { WATCHING, .code = EK_RETRY, .status = 500, .is_expired = true },
		LIST(LAST, AT_ONCE, EXPIRED) },
	{ "429", { WATCHING, .code = EK_THROTTLED, .status = 429 }, WATCH(BACKOFF, THROTTLED) },
	{ "many 429", { WATCHING, .code = EK_THROTTLED, .status = 429, .n_failures = 50 }, WATCH(BACKOFF, THROTTLED) },
	{ "500", { WATCHING, .code = EK_RETRY, .status = 500 }, WATCH(BACKOFF, SERVER) },
	{ "the ninth 500", { WATCHING, .code = EK_RETRY, .status = 500, .n_failures = 8 }, LIST(LAST, BACKOFF, SERVER) },
	{ "504 for a version too large", { WATCHING, .code = EK_RETRY, .status = 504, .is_rv_too_large = true },
		LIST(NEWEST, AT_ONCE, EXPIRED) },
	{ "401", { WATCHING, .code = EK_AUTH, .status = 401 }, WATCH(BACKOFF, AUTH) },
	{ "403", { WATCHING, .code = EK_AUTH, .status = 403 }, WATCH(BACKOFF, AUTH) },
	{ "404", { WATCHING, .code = EK_GONE, .status = 404 }, LIST(LAST, SLOW, SERVER) },
	{ "400", { WATCHING, .code = EK_INVALID, .status = 400 }, LIST(NEWEST, BACKOFF, SERVER) },
	{ "a document that cannot be read", { WATCHING, .code = EK_INVALID, .is_undecodable = true },
		LIST(LAST, BACKOFF, DECODE) },

	/* A streaming list */
	{ "no streaming lists", { STREAMING(NEWEST), .code = EK_INVALID, .status = 422 },
		LIST(NEWEST, AT_ONCE, SERVER, .refuses_streams = true) },
	{ "no streaming lists, asked with a version", { STREAMING(LAST), .code = EK_INVALID, .status = 400 },
		LIST(LAST, AT_ONCE, SERVER, .refuses_streams = true) },
	{ "a stream throttled", { STREAMING(NEWEST), .code = EK_THROTTLED, .status = 429 }, LIST(NEWEST, BACKOFF, THROTTLED) },
	{ "a stream unauthorized", { STREAMING(NEWEST), .code = EK_AUTH, .status = 401 }, LIST(NEWEST, BACKOFF, AUTH) },
	{ "a stream forbidden", { STREAMING(NEWEST), .code = EK_AUTH, .status = 403 }, LIST(NEWEST, BACKOFF, AUTH) },
	{ "no such collection", { STREAMING(NEWEST), .code = EK_GONE, .status = 404 }, LIST(NEWEST, SLOW, SERVER) },
	{ "a stream that breaks before its mark", { STREAMING(NEWEST), .code = EK_UNKNOWN }, LIST(NEWEST, BACKOFF, TRANSPORT) },
	{ "a stream that ends before its mark", { STREAMING(LAST) }, LIST(LAST, BACKOFF, END) },
	{ "a stream that falls silent", { STREAMING(LAST), .code = EK_CANCELLED, .is_silent = true },
		LIST(LAST, AT_ONCE, SERVER, .in_pages = true) },
	{ "a stream at a version that expired", { STREAMING(LAST), .code = EK_EXPIRED, .status = 410 },
		LIST(NEWEST, AT_ONCE, EXPIRED) },
	{ "a stream at a version too large", { STREAMING(LAST), .code = EK_RETRY, .status = 504, .is_rv_too_large = true },
		LIST(NEWEST, AT_ONCE, EXPIRED) },
	{ "an undecodable initial event", { STREAMING(NEWEST), .code = EK_INVALID, .is_undecodable = true },
		LIST(LAST, BACKOFF, DECODE, .in_pages = true) },

	/* Pages */
	{ "a page that fails", { PAGING(NEWEST), .code = EK_RETRY, .status = 500 }, LIST(NEWEST, BACKOFF, SERVER) },
	{ "a follow-up page that breaks", { PAGING(NEWEST), .code = EK_UNKNOWN, .is_continued = true },
		LIST(NEWEST, BACKOFF, TRANSPORT) },
	{ "an expired continue token", { PAGING(NEWEST), .code = EK_EXPIRED, .status = 410, .is_continued = true },
		LIST(NEWEST, AT_ONCE, EXPIRED, .in_pages = true, .in_one_piece = true) },
	{ "a list at a version that expired", { PAGING(LAST), .code = EK_EXPIRED, .status = 410 }, LIST(NEWEST, AT_ONCE, EXPIRED) },
	{ "a list at a version too large", { PAGING(LAST), .code = EK_RETRY, .status = 504, .is_rv_too_large = true },
		LIST(NEWEST, AT_ONCE, EXPIRED) },
	{ "410 for no version at all", { PAGING(NEWEST), .code = EK_EXPIRED, .status = 410 }, LIST(NEWEST, BACKOFF, EXPIRED) },
	{ "a list refused with its version", { PAGING(LAST), .code = EK_INVALID, .status = 400 }, LIST(NEWEST, BACKOFF, SERVER) },
	{ "a list refused without", { PAGING(NEWEST), .code = EK_INVALID, .status = 400 }, LIST(NEWEST, SLOW, SERVER) },
	{ "the ninth 500 for a version", { PAGING(LAST), .code = EK_RETRY, .status = 500, .n_failures = 8 },
		LIST(NEWEST, BACKOFF, SERVER) },

	/* An audit: the watch can go on without it */
	{ "an audit that fails", { PAGING(NEWEST), .code = EK_RETRY, .status = 503, .is_audit = true },
		{ .next = EK_NEXT_WATCH, .version = EK_VERSION_NEWEST, .pace = EK_PACE_BACKOFF, .cause = EK_CAUSE_SERVER } },
	{ "an audit whose token expired", { PAGING(NEWEST), .code = EK_EXPIRED, .is_continued = true, .is_audit = true },
		LIST(NEWEST, AT_ONCE, EXPIRED, .in_pages = true, .in_one_piece = true) },
};

static void test_each_ending_leads_to_its_step(void **state)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const struct ek_verdict *wanted = &endings[i].verdict;
		struct ek_verdict v = ek_ending_judge(&endings[i].ending);

		if (v.next != wanted->next || v.version != wanted->version || v.pace != wanted->pace || v.cause != wanted->cause ||
			v.refuses_streams != wanted->refuses_streams || v.in_pages != wanted->in_pages ||
			v.in_one_piece != wanted->in_one_piece)
			fail_msg("%s: next %d version %d pace %d cause %s refuses %d pages %d one piece %d", endings[i].seen, v.next,
				v.version, v.pace, ek_reflector_cause_text(v.cause), v.refuses_streams, v.in_pages, v.in_one_piece);
	}
}

static void test_backoff_stays_within_its_bounds(void **state)
{
	static const struct {
		enum ek_pace pace;
		unsigned n_failures;
		int64_t outage_ms, retry_after_ms, low, high;
	} cases[] = {
		{ EK_PACE_AT_ONCE, 0, 0, 0, 0, 0 },
		{ EK_PACE_AT_ONCE, 3, 0, 5000, 0, 0 },
		{ EK_PACE_BACKOFF, 1, 0, 0, 500, 1000 },
		{ EK_PACE_BACKOFF, 2, 1000, 0, 1000, 2000 },
		{ EK_PACE_BACKOFF, 3, 3000, 0, 2000, 4000 },
		{ EK_PACE_BACKOFF, 4, 7000, 0, 2500, 5000 },
		{ EK_PACE_BACKOFF, 4000000000u, 599999, 0, 2500, 5000 },
		{ EK_PACE_BACKOFF, 200, 600000, 0, 15000, 30000 },
		{ EK_PACE_SLOW, 1, 0, 0, 500, 1000 },
		{ EK_PACE_SLOW, 9, 0, 0, 15000, 30000 },
		{ EK_PACE_BACKOFF, 1, 0, 7000, 7000, 7000 },
		{ EK_PACE_BACKOFF, 1, 0, 3600000, 60000, 60000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t low = INT64_MAX, high = 0;

		for (uint64_t random = 0; random < 100000; random++) {
			int64_t ms = ek_backoff_ms(cases[i].pace, cases[i].n_failures, cases[i].outage_ms, cases[i].retry_after_ms, random);

			low = ms < low ? ms : low;
			high = ms > high ? ms : high;
		}
		if (low != cases[i].low || high != cases[i].high)
			fail_msg("case %zu: %lld to %lld, not %lld to %lld", i, (long long)low, (long long)high, (long long)cases[i].low,
				(long long)cases[i].high);
	}
}

static void test_requests_combine_parameters_as_servers_accept_them(void **state)
{
	static const struct {
		struct ek_list_query query;
		const char *path;
	} cases[] = {
		{ { "/api/v1/services", NULL, EK_READING_STREAM, "", "", false, 300 },
			"/api/v1/services?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&sendInitialEvents=true"
			"&resourceVersionMatch=NotOlderThan" },
		{ { "/api/v1/services", NULL, EK_READING_STREAM, "17", "", false, 300 },
			"/api/v1/services?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&sendInitialEvents=true"
			"&resourceVersionMatch=NotOlderThan&resourceVersion=17" },
		{ { "/api/v1/services", "labelSelector=a%3Db", EK_WATCHING, "17", "", false, 599 },
			"/api/v1/services?labelSelector=a%3Db&watch=1&allowWatchBookmarks=true&timeoutSeconds=599&resourceVersion=17" },
		{ { "/api/v1/services", NULL, EK_READING_PAGES, "", "", false, 0 }, "/api/v1/services?limit=500" },
		{ { "/api/v1/services", "labelSelector=a", EK_READING_PAGES, "", "x/y+z==", false, 0 },
			"/api/v1/services?labelSelector=a&limit=500&continue=x%2Fy%2Bz%3D%3D" },
		{ { "/api/v1/services", NULL, EK_READING_PAGES, "17", "", false, 0 },
			"/api/v1/services?resourceVersionMatch=NotOlderThan&resourceVersion=17" },
		{ { "/api/v1/services", NULL, EK_READING_PAGES, "17", "tok", false, 0 }, "/api/v1/services?continue=tok" },
		{ { "/api/v1/services", NULL, EK_READING_PAGES, "", "", true, 0 }, "/api/v1/services" },
		{ { "/api/v1/services", "labelSelector=a", EK_READING_PAGES, "", "", true, 0 },
			"/api/v1/services?labelSelector=a" },
	};
	struct ek_buf buf;

	ek_buf_init(&buf, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ek_list_query_write(&cases[i].query, &buf), EK_OK);
		assert_string_equal(buf.at, cases[i].path);
	}
	ek_buf_clear(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_ending_leads_to_its_step),
		cmocka_unit_test(test_backoff_stays_within_its_bounds),
		cmocka_unit_test(test_requests_combine_parameters_as_servers_accept_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
