/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the brake on removals, as tables.
 * What the host makes of them is tests/scenario/test_guard.c's.
 * Read next: host/sync/guard.c.
 */
#include "sync/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_list_falls_to_nothing_or_by_more_than_half(void **state)
{
	static const struct {
		size_t before, after;
		bool is_fall;
	} cases[] = {
		{ 0, 0, true }, { 1, 0, true }, { 100, 0, true },       /* nothing is never believed */
		{ 3, 1, true }, { 100, 49, true },
		{ 2, 1, false }, { 100, 50, false }, { 100, 100, false }, { 0, 5, false }, { 1, 9, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ek_guard_is_fall(cases[i].before, cases[i].after) != cases[i].is_fall)
			fail_msg("%zu -> %zu", cases[i].before, cases[i].after);
}

static void a_start_falls_when_many_and_most_are_missing(void **state)
{
	static const struct {
		size_t held, wanted, least;
		bool is_fall;
	} cases[] = {
		{ 100, 49, 20, true }, { 30, 0, 20, true }, { 41, 20, 20, true },
		{ 100, 50, 20, false },     /* half is there */
		{ 20, 5, 20, false },       /* few are missing */
		{ 0, 0, 20, false }, { 0, 0, 0, false }, { 5, 9, 0, false },
		{ 3, 1, 0, true },          /* whoever sets 0 is told of every fall */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ek_guard_is_fall_at_start(cases[i].held, cases[i].wanted, cases[i].least) != cases[i].is_fall)
			fail_msg("%zu held, %zu wanted, %zu", cases[i].held, cases[i].wanted, cases[i].least);
}

static void evidence_decides_what_may_go(void **state)
{
	static const struct {
		struct ek_guard_case known;
		enum ek_guard_verdict verdict;
	} cases[] = {
		{ { .is_seen_going = true }, EK_GUARD_PASSES },
		{ { .is_seen_going = true, .is_doubted = true }, EK_GUARD_PASSES },
		{ { .is_approved = true, .is_doubted = true }, EK_GUARD_PASSES },
		{ { .is_confirmed = true }, EK_GUARD_PASSES },
		{ { .is_confirmed = true, .is_doubted = true }, EK_GUARD_HOLDS }, /* one answer more of the same server */
		{ { .is_doubted = true }, EK_GUARD_HOLDS },
		{ { .is_doubted = false }, EK_GUARD_CONFIRM },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ek_guard_judge(&cases[i].known) != cases[i].verdict)
			fail_msg("case %zu: %d", i, ek_guard_judge(&cases[i].known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_falls_to_nothing_or_by_more_than_half),
		cmocka_unit_test(a_start_falls_when_many_and_most_are_missing),
		cmocka_unit_test(evidence_decides_what_may_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
