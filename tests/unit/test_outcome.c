/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table from an error's code to the host's policy, and the backoff's bounds.
 * What success or GONE mean depends on the operation and is shown by the scenarios.
 * Read next: host/sync/outcome.c.
 */
#include "sync/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void each_code_has_its_policy(void **state)
{
	static const struct {
		int code;
		struct ek_outcome outcome;
	} cases[] = {
		{ EK_RETRY, { .is_counted = true, .reason = "RegistryUnavailable" } },
		{ EK_THROTTLED, { .reason = "Throttled" } }, /* waiting is no failure */
		{ EK_CONFLICT, { .is_read_next = true, .is_counted = true, .reason = "Conflict" } },
		{ EK_INVALID, { .is_permanent = true, .reason = "Refused" } },
		{ EK_TOO_BIG, { .is_permanent = true, .reason = "TooBig" } },
		{ EK_AUTH, { .is_counted = true, .reason = "NotAuthorized" } },
		{ EK_UNKNOWN, { .is_read_next = true, .is_counted = true, .reason = "RegistryUnavailable" } },
		{ EK_CANCELLED, { .is_read_next = true, .reason = "Cancelled" } },
		{ EK_PLUGIN, { .is_counted = true, .reason = "PluginMisbehaved" } },
		{ 99, { .is_counted = true, .reason = "PluginMisbehaved" } }, /* a code of a later version */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_outcome found = ek_outcome_of(cases[i].code);
		const struct ek_outcome *wanted = &cases[i].outcome;

		if (found.is_read_next != wanted->is_read_next || found.is_permanent != wanted->is_permanent ||
			found.is_counted != wanted->is_counted || strcmp(found.reason, wanted->reason) != 0)
			fail_msg("code %d: read %d permanent %d counted %d %s", cases[i].code, found.is_read_next, found.is_permanent,
				found.is_counted, found.reason);
	}
}

static void delays_double_to_five_seconds_and_grow_to_thirty_after_ten_minutes(void **state)
{
	static const struct {
		unsigned attempts;
		int64_t most;
	} cases[] = { { 0, 1000 }, { 1, 1000 }, { 2, 2000 }, { 3, 4000 }, { 4, 5000 }, { 120, 5000 }, { 121, 30000 }, { UINT32_MAX, 30000 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t low = INT64_MAX, high = 0;

		for (uint64_t random = 0; random < 10000; random++) {
			int64_t ms = ek_retry_delay_ms(cases[i].attempts, random * 7919);

			low = ms < low ? ms : low;
			high = ms > high ? ms : high;
		}
		assert_true(high <= cases[i].most && high > cases[i].most - cases[i].most / 100);
		assert_true(low > cases[i].most - cases[i].most / 4 - 1 && low < cases[i].most - cases[i].most / 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_policy),
		cmocka_unit_test(delays_double_to_five_seconds_and_grow_to_thirty_after_ten_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
