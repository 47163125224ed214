/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which Services a selector matches, row by row, by the rules of Kubernetes' label selectors.
 * It does not compare namespaces: the store hands out one namespace at a time.
 * Read next: host/sync/selector.c.
 */
#include "sync/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APP(value)          .app = (value)
#define NAME(value)         .service_name = (value)
#define LABELS(...)         .labels = (struct ek_text_pair[]){ __VA_ARGS__ }, .n_labels = sizeof((struct ek_text_pair[]){ __VA_ARGS__ }) / sizeof(struct ek_text_pair)
#define TERMS(...)          .terms = (struct ek_selector_term[]){ __VA_ARGS__ }, .n_terms = sizeof((struct ek_selector_term[]){ __VA_ARGS__ }) / sizeof(struct ek_selector_term)
#define TERM(key_, op_, ...) { .key = (key_), .op = EK_SELECTOR_##op_, .values = (const char *[]){ __VA_ARGS__ }, \
			       .n_values = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *) }

/* The Service of all rows: shop/rating, labels app=rating, empty="", tier=web. */
static bool matches(const struct ek_selector *selector)
{
	struct ek_record_service service = { .namespace_ = "shop", .name = "rating", .n_labels = 3 };
	__typeof__(*service.labels) labels[3] = { { "app", "rating" }, { "empty", "" }, { "tier", "web" } };

	service.labels = labels;
	return ek_selector_matches(selector, &service);
}

static void all_terms_must_hold(void **state)
{
	const struct {
		const char *what;
		struct ek_selector selector;
		bool is_match;
	} cases[] = {
		{ "nothing said selects nothing", { 0 }, false },
		{ "app", { APP("rating") }, true },
		{ "another app", { APP("ratings") }, false },
		{ "name", { NAME("rating") }, true },
		{ "another name", { NAME("ratin") }, false },
		{ "name and app", { NAME("rating"), APP("rating") }, true },
		{ "name right, app wrong", { NAME("rating"), APP("x") }, false },
		{ "name wrong, app right", { NAME("x"), APP("rating") }, false },
		{ "a label", { LABELS({ "tier", "web" }) }, true },
		{ "two labels", { LABELS({ "app", "rating" }, { "tier", "web" }) }, true },
		{ "two labels, one wrong", { LABELS({ "app", "rating" }, { "tier", "db" }) }, false },
		{ "a label that is not there", { LABELS({ "zone", "a" }) }, false },
		{ "an empty value is a value", { LABELS({ "empty", "" }) }, true },
		{ "an empty value is not absence", { LABELS({ "zone", "" }) }, false },
		{ "In", { TERMS(TERM("tier", IN, "db", "web")) }, true },
		{ "In, not among them", { TERMS(TERM("tier", IN, "db")) }, false },
		{ "In, no such label", { TERMS(TERM("zone", IN, "a")) }, false },
		{ "NotIn", { TERMS(TERM("tier", NOT_IN, "db")) }, true },
		{ "NotIn, among them", { TERMS(TERM("tier", NOT_IN, "db", "web")) }, false },
		{ "NotIn holds where the label is absent", { TERMS(TERM("zone", NOT_IN, "a")) }, true },
		{ "Exists", { TERMS(TERM("empty", EXISTS, NULL)) }, true },
		{ "Exists, no such label", { TERMS(TERM("zone", EXISTS, NULL)) }, false },
		{ "DoesNotExist", { TERMS(TERM("zone", DOES_NOT_EXIST, NULL)) }, true },
		{ "DoesNotExist, but it does", { TERMS(TERM("tier", DOES_NOT_EXIST, NULL)) }, false },
		{ "terms are ANDed", { TERMS(TERM("tier", EXISTS, NULL), TERM("app", NOT_IN, "rating")) }, false },
		{ "terms and app", { APP("rating"), TERMS(TERM("tier", EXISTS, NULL)) }, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (matches(&cases[i].selector) != cases[i].is_match)
			fail_msg("%s: should%s match", cases[i].what, cases[i].is_match ? "" : " not");
}

static void a_selector_is_described_for_people(void **state)
{
	const struct ek_selector selector = { .namespace_ = "shop", APP("rating"), NAME("svc"), LABELS({ "a", "b" }),
		TERMS(TERM("c", NOT_IN, "x"), TERM("d", EXISTS, NULL)) };
	char text[200], small[16];

	ek_selector_describe(&selector, text, sizeof(text));
	assert_string_equal(text, "namespace shop, name svc, label app=rating, label a=b, label c not in, label d exists");
	ek_selector_describe(&selector, small, sizeof(small));
	assert_string_equal(small, "namespace shop,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_terms_must_hold),
		cmocka_unit_test(a_selector_is_described_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
