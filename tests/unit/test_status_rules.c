/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoint conditions x notReady x drain -> status, every combination that differs.
 * It does not read conditions from slices: test_resources.c does.
 * Read next: host/sync/status_rules.c.
 */
#include "sync/status_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <eurekube/mode.h>

#define READY       EK_ENDPOINT_READY
#define SERVING     EK_ENDPOINT_SERVING
#define TERMINATING EK_ENDPOINT_TERMINATING

static void conditions_and_policy_give_the_status(void **state)
{
	static const struct {
		uint32_t flags;
		enum ek_not_ready not_ready;
		enum ek_drain drain;
		enum ek_status status;
	} cases[] = {
		{ READY | SERVING, EK_NOT_READY_DEREGISTER, EK_DRAIN_DEREGISTER, EK_STATUS_UP },
		{ READY, EK_NOT_READY_DOWN, EK_DRAIN_OUT_OF_SERVICE, EK_STATUS_UP },
		{ 0, EK_NOT_READY_DEREGISTER, EK_DRAIN_DEREGISTER, EK_STATUS_NONE },
		{ 0, EK_NOT_READY_DOWN, EK_DRAIN_DEREGISTER, EK_STATUS_DOWN },
		{ 0, EK_NOT_READY_OUT_OF_SERVICE, EK_DRAIN_DEREGISTER, EK_STATUS_OUT_OF_SERVICE },
		{ SERVING, EK_NOT_READY_DEREGISTER, EK_DRAIN_DEREGISTER, EK_STATUS_NONE },
		/* terminating is looked at first, whatever else is true */
		{ SERVING | TERMINATING, EK_NOT_READY_DEREGISTER, EK_DRAIN_DEREGISTER, EK_STATUS_NONE },
		{ TERMINATING, EK_NOT_READY_DOWN, EK_DRAIN_DEREGISTER, EK_STATUS_NONE },
		{ READY | SERVING | TERMINATING, EK_NOT_READY_DEREGISTER, EK_DRAIN_DEREGISTER, EK_STATUS_NONE },
		{ READY | SERVING | TERMINATING, EK_NOT_READY_DOWN, EK_DRAIN_OUT_OF_SERVICE, EK_STATUS_OUT_OF_SERVICE },
		{ TERMINATING, EK_NOT_READY_DEREGISTER, EK_DRAIN_OUT_OF_SERVICE, EK_STATUS_OUT_OF_SERVICE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum ek_status status = ek_status_of(cases[i].flags, cases[i].not_ready, cases[i].drain);

		if (status != cases[i].status)
			fail_msg("flags %u, notReady %d, drain %d: %d, not %d", cases[i].flags, cases[i].not_ready, cases[i].drain, status,
				cases[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_and_policy_give_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
