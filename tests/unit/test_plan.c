/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known x what is wanted x what is held x times -> the next step, row by row.
 * It sends nothing: the scenarios show the steps at work.
 * Read next: host/sync/plan.c.
 */
#include "sync/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 100000
#define UP  EK_STATUS_UP

#define NOTHING .known = EK_KNOWN_NOTHING
#define ABSENT  .known = EK_KNOWN_ABSENT
#define HELD    .known = EK_KNOWN_HELD, .held_digest = 7, .held_status = UP
#define FOREIGN .known = EK_KNOWN_FOREIGN
#define WANTED  .want_digest = 7, .want_status = UP
#define CHANGED .want_digest = 8, .want_status = UP

#define STEP(step) { EK_STEP_##step, 0 }
#define WAIT(until) { EK_STEP_WAIT, (until) }

static void what_is_known_wanted_and_held_gives_the_step(void **state)
{
	static const struct {
		const char *what;
		struct ek_ledger_entry entry;
		struct {
			enum ek_step step;
			int64_t until;
		} next;
	} cases[] = {
		{ "nothing is known: read first", { NOTHING, WANTED }, STEP(GET) },
		{ "nothing is known of what is not wanted either: read first", { NOTHING }, STEP(GET) },
		{ "a read that failed waits", { NOTHING, WANTED, .retry_at_ms = NOW + 5 }, WAIT(NOW + 5) },
		{ "a read is due", { NOTHING, WANTED, .retry_at_ms = NOW }, STEP(GET) },

		{ "absent and wanted", { ABSENT, WANTED }, STEP(PUT) },
		{ "absent and not wanted", { ABSENT }, STEP(DROP) },
		{ "absent and not wanted, its removal is remembered for two seconds", { ABSENT, .removed_at_ms = NOW - 1 }, WAIT(NOW + 1999) },
		{ "absent and not wanted, its removal may be forgotten", { ABSENT, .removed_at_ms = NOW - 2000, .retry_at_ms = NOW + 9 }, STEP(DROP) },
		{ "absent, put a moment ago", { ABSENT, WANTED, .put_at_ms = NOW - 999 }, WAIT(NOW + 1) },
		{ "absent, put a second ago", { ABSENT, WANTED, .put_at_ms = NOW - 1000 }, STEP(PUT) },
		{ "absent, removed a moment ago", { ABSENT, WANTED, .removed_at_ms = NOW - 1 }, WAIT(NOW + 1999) },
		{ "absent, removed two seconds ago", { ABSENT, WANTED, .removed_at_ms = NOW - 2000 }, STEP(PUT) },
		{ "the later of the two gaps counts", { ABSENT, WANTED, .put_at_ms = NOW - 900, .removed_at_ms = NOW - 1950 },
			WAIT(NOW + 100) },
		{ "a failed put waits for its backoff", { ABSENT, WANTED, .put_at_ms = NOW - 900, .retry_at_ms = NOW + 4000 },
			WAIT(NOW + 4000) },
		{ "a put refused for good", { ABSENT, WANTED, .is_refused = true }, STEP(STUCK) },
		{ "a refused one that is not wanted any more", { ABSENT, .is_refused = true }, STEP(DROP) },

		{ "held as wanted", { HELD, WANTED }, STEP(NONE) },
		{ "held as wanted, whatever its times", { HELD, WANTED, .put_at_ms = NOW, .retry_at_ms = NOW + 9 }, STEP(NONE) },
		{ "held with another content", { HELD, CHANGED }, STEP(PUT) },
		{ "held with another content, put a moment ago", { HELD, CHANGED, .put_at_ms = NOW - 400 }, WAIT(NOW + 600) },
		{ "held with another content, refused", { HELD, CHANGED, .is_refused = true }, STEP(STUCK) },
		{ "held with another status", { HELD, .want_digest = 7, .want_status = EK_STATUS_DOWN }, STEP(PUT) },
		{ "a person's override is left alone",
			{ HELD, .want_digest = 7, .want_status = EK_STATUS_DOWN, .is_overridden = true }, STEP(NONE) },
		{ "but not a change of content", { HELD, CHANGED, .is_overridden = true }, STEP(PUT) },
		{ "held and not wanted", { HELD }, STEP(REMOVE) },
		{ "a removal never waits for a put", { HELD, .put_at_ms = NOW }, STEP(REMOVE) },
		{ "a failed removal waits", { HELD, .retry_at_ms = NOW + 1 }, WAIT(NOW + 1) },
		{ "held for an earlier pod of the same name: remove, then put", { HELD, WANTED, .held_pod = 1, .want_pod = 2 }, STEP(REMOVE) },
		{ "held without a pod's mark", { HELD, WANTED, .want_pod = 2 }, STEP(NONE) },
		{ "held with a pod's mark, wanted without", { HELD, WANTED, .held_pod = 1 }, STEP(NONE) },

		{ "foreign and wanted", { FOREIGN, WANTED }, STEP(STUCK) },
		{ "foreign and not wanted", { FOREIGN }, STEP(DROP) },

		{ "in flight", { ABSENT, WANTED, .op = EK_OP_PUT }, STEP(BUSY) },
		{ "in flight though nothing is left to do", { ABSENT, .op = EK_OP_REMOVE }, STEP(BUSY) },
		{ "in flight though foreign", { FOREIGN, .op = EK_OP_GET }, STEP(BUSY) },
	};
	const struct ek_plan_rules rules = { .now_ms = NOW, .equal_gap_ms = 1000, .same_id_gap_ms = 2000 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t until = -1;
		enum ek_step step = ek_plan_next(&cases[i].entry, &rules, &until);

		if (step != cases[i].next.step || until != cases[i].next.until)
			fail_msg("%s: step %d until %lld, not %d until %lld", cases[i].what, step, (long long)until, cases[i].next.step,
				(long long)cases[i].next.until);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known_wanted_and_held_gives_the_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
