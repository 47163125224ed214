/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a rollout chooses: percentages that only grow and keep their share in small groups, namespaces, labels.
 * Read next: host/sync/rollout_select.c.
 */
#include "sync/rollout_select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static bool is_chosen(const struct ek_config_selection *selections, unsigned n, const char *key, const struct ek_syncer_object *object)
{
	struct ek_config_rollout rollout = { .selections = (struct ek_config_selection *)(uintptr_t)selections, .n_selections = n };

	return ek_rollout_selects(&rollout, object, key);
}

static bool is_within(int64_t percent, const char *key)
{
	struct ek_config_selection selection = { .percent = percent };
	struct ek_syncer_object object = { .namespace_ = "shop" };

	return is_chosen(&selection, 1, key, &object);
}

/* Names that are told apart by a number, with as many digits as it has or as many as are wanted. */
static const struct {
	const char *before, *after;
	int digits;
} siblings[] = { { "shop/web-", "", 1 }, { "shop/s", "", 1 }, { "shop/app", "", 2 }, { "team-", "/web", 1 }, { "e2e-9f31/rating-", "", 3 }, { "a1/b2-c", "", 1 } };

static const char *name_of(size_t family, int i)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s%0*d%s", siblings[family].before, siblings[family].digits, i, siblings[family].after);
	return name;
}

static void test_a_larger_percentage_keeps_everybody_and_a_hundred_is_everybody(void **state)
{
	(void)state;
	for (size_t f = 0; f < N(siblings); f++) {
		for (int i = 0; i < 500; i++) {
			const char *key = name_of(f, i);
			bool was_chosen = false;

			assert_false(is_within(0, key));
			for (int64_t percent = 1; percent <= 100; percent++) {
				bool is_now = is_within(percent, key);

				assert_true(is_now || !was_chosen);
				was_chosen = is_now;
			}
			assert_true(was_chosen);
		}
	}
}

static void test_fifty_numbered_siblings_are_shared_out_within_six_points(void **state)
{
	static const int shares[] = { 5, 10, 25, 50, 75, 90 };

	(void)state;
	for (size_t f = 0; f < N(siblings); f++) {
		for (size_t s = 0; s < N(shares); s++) {
			int n = 0;

			for (int i = 0; i < 50; i++)
				n += is_within(shares[s], name_of(f, i));
			assert_in_range(n * 2 + 6 - shares[s], 0, 12);
		}
	}
}

static void test_names_without_numbers_are_spread_as_well(void **state)
{
	int n = 0;

	(void)state;
	for (char a = 'a'; a <= 'z'; a++) {
		for (char b = 'a'; b <= 'z'; b++) {
			char key[16];

			snprintf(key, sizeof(key), "shop/%c%c", a, b);
			n += is_within(30, key);
		}
	}
	assert_in_range(n, 676 * 25 / 100, 676 * 35 / 100);
}

static void test_numbers_too_long_to_count_still_have_a_place_of_their_own(void **state)
{
	(void)state;
	assert_true(ek_rollout_position("shop/a-12345678901234567890") != ek_rollout_position("shop/a-12345678901234567891"));
	assert_true(ek_rollout_position("1/2.3.4.5.6.7") != ek_rollout_position("1/2.3.4.5.6.8"));
	assert_true(ek_rollout_position("shop/a1") == ek_rollout_position("shop/a01"));
}

static void test_entries_are_ored_and_the_fields_of_one_are_anded(void **state)
{
	static const char *rating[] = { "rating" }, *shop[] = { "shop", "rating" };
	static struct ek_config_label canary[] = { { "channel", "canary" } }, both[] = { { "channel", "canary" }, { "tier", "1" } };
	static const struct {
		const char *what;
		unsigned n;
		struct ek_config_selection selections[2];
		bool is_chosen;
	} cases[] = {
		{ "nothing is selected", 0, { { 0 } }, false },
		{ "its namespace", 1, { { .percent = -1, .namespaces = shop, .n_namespaces = 2 } }, true },
		{ "another namespace", 1, { { .percent = -1, .namespaces = rating, .n_namespaces = 1 } }, false },
		{ "its label", 1, { { .percent = -1, .labels = canary, .n_labels = 1 } }, true },
		{ "its label and one it lacks", 1, { { .percent = -1, .labels = both, .n_labels = 2 } }, false },
		{ "its label in another namespace", 1, { { .percent = -1, .labels = canary, .n_labels = 1, .namespaces = rating, .n_namespaces = 1 } }, false },
		{ "its namespace, but no percent of it", 1, { { .percent = 0, .namespaces = shop, .n_namespaces = 2 } }, false },
		{ "one entry of two", 2, { { .percent = 0 }, { .percent = -1, .labels = canary, .n_labels = 1 } }, true },
	};
	struct ek_text_pair labels[] = { { "app", "web" }, { "channel", "canary" } };
	struct ek_syncer_object object = { .namespace_ = "shop", .labels = labels, .n_labels = 2 };

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		if (is_chosen(cases[i].selections, cases[i].n, "shop/web", &object) != cases[i].is_chosen)
			fail_msg("%s: %schosen", cases[i].what, cases[i].is_chosen ? "not " : "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_larger_percentage_keeps_everybody_and_a_hundred_is_everybody),
		cmocka_unit_test(test_fifty_numbered_siblings_are_shared_out_within_six_points),
		cmocka_unit_test(test_names_without_numbers_are_spread_as_well),
		cmocka_unit_test(test_numbers_too_long_to_count_still_have_a_place_of_their_own),
		cmocka_unit_test(test_entries_are_ored_and_the_fields_of_one_are_anded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
