/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches whose server says nothing, or does not end them: how long the reflector is patient, and what it does then.
 * It does not look at watches that end or bring something; test_reflector.c does.
 * Read next: host/kube/reflector.c, ek_reflector_await_more() and note_silence().
 */
#include "kit/sim_reflector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_watch_that_outlives_its_time_is_given_up(void **state)
{
	struct world *w = a_synced_world();
	const char *seconds = strstr(w->asked[0].query, "timeoutSeconds=");
	int64_t end;

	assert_non_null(seconds);
	end = 1000 * atoi(seconds + strlen("timeoutSeconds="));
	assert_in_range(end, 300000, 600000);
	for (end += 20000; end > 0; end -= 20000) {
		when_stream_sends(w, BOOKMARK("900"));
		sim_advance(w->loop, 20000);
		then_watch_works(w);
	}
	sim_advance(w->loop, 30000);
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_TRANSPORT], 1);
	then_watched_from(w, 1, "900");
	end_story(w);
}

static void test_a_watch_without_a_word_for_three_minutes_is_asked_for_again(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .body = "", .ending = OPEN });
	when_stream_sends(w, BOOKMARK("900"));
	sim_advance(w->loop, 3 * MINUTE - 1000);
	assert_int_equal(w->n_asked, 1);
	sim_advance(w->loop, 2000);
	then_watched_from(w, 1, "900");
	then_watch_works(w);
	then_sink_heard(w, "");
	end_story(w);
}

static void test_a_server_that_takes_a_watch_and_does_not_answer_is_left_after_half_a_minute(void **state)
{
	struct world *w = a_synced_world();

	sim_fault(w->loop, SERVER, SIM_HANG);
	sim_advance(w->loop, 3 * MINUTE + 25000);
	then_watch_works(w);
	sim_advance(w->loop, 10000);
	then_watch_is_broken(w, "the API server has not begun to answer within 30 s");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_TRANSPORT], 1);
	sim_fault(w->loop, SERVER, SIM_OK);
	sim_advance(w->loop, 40000);
	then_watch_works(w);
	end_story(w);
}

static void test_a_position_in_the_future_is_found_out_though_the_server_ends_nothing(void **state)
{
	struct world *w = a_synced_world();

	for (int i = 0; i < 3; i++)
		GIVEN(w, { .body = "", .ending = OPEN });
	GIVEN(w, { .body = EVENT("ADDED", "a", "2") MARK("4"), .ending = OPEN });
	when_stream_sends(w, BOOKMARK("900"));
	sim_advance(w->loop, 4 * 3 * MINUTE + 5000);
	then_watched_from(w, 3, "900");
	then_listed_from(w, 4, "900");
	end_story(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_watch_that_outlives_its_time_is_given_up),
		cmocka_unit_test(test_a_watch_without_a_word_for_three_minutes_is_asked_for_again),
		cmocka_unit_test(test_a_position_in_the_future_is_found_out_though_the_server_ends_nothing),
		cmocka_unit_test(test_a_server_that_takes_a_watch_and_does_not_answer_is_left_after_half_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
