/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How lists and streaming lists can end before they are complete, and lists that nothing forces: audits, and relists that are
 * asked for.
 * It does not look into watches; test_reflector.c does.
 * Read next: host/kube/reflector_endings.c, the table.
 */
#include "kit/sim_reflector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Endings of a list ---- */

static void test_a_stream_that_breaks_before_its_mark_shows_nothing_and_starts_over(void **state)
{
	static const enum ending how[] = { CUT, CLOSED };

	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		struct world *w = a_reflector_world(NULL, 0);

		GIVEN(w, { .body = EVENT("ADDED", "a", "7"), .ending = how[i] }, { .body = VIEW, .ending = OPEN });
		when_reflector_starts(w, 3000);
		then_sink_heard(w, "begin +a abort begin +a +b commit synced");
		then_came_after(w, 1, 500, 1100);
		then_listed_from(w, 1, NULL);
		end_story(w);
	}
}

static void test_a_stream_that_never_marks_its_end_is_replaced_by_pages_this_time(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = EVENT("ADDED", "a", "7"), .ending = OPEN }, REPLY(200, PAGE(OBJECT("a", "7"), "10", "")));
	when_reflector_starts(w, 14000);
	then_sink_heard(w, "begin +a");
	sim_advance(w->loop, 2000);
	then_sink_heard(w, "abort begin +a commit synced");
	assert_string_equal(w->asked[1].query, "limit=500");
	then_watched_from(w, 2, "10");
	when_stream_sends(w, ERROR_EVENT(STATUS(410, "Expired")));
	sim_advance(w->loop, 2000);
	then_listed_from(w, 3, "10");
	end_story(w);
}

static void test_a_deletion_among_initial_events_is_no_view(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = EVENT("ADDED", "a", "7") EVENT("DELETED", "a", "8") MARK("10"), .ending = OPEN },
		REPLY(200, PAGE(OBJECT("b", "7"), "10", "")));
	when_reflector_starts(w, 3000);
	then_sink_heard(w, "begin +a abort begin +b commit synced");
	end_story(w);
}

static void test_a_page_that_fails_throws_the_whole_view_away(void **state)
{
	static const struct answer failures[] = { REPLY(500, STATUS(500, "InternalError")),
		{ .body = "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[", .ending = CUT },
		REPLY(200, "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":["), REPLY(200, "<html>") };

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct world *w = a_reflector_world(NULL, 0);

		GIVEN(w, REPLY(422, STATUS(422, "Invalid")), REPLY(200, PAGE(OBJECT("a", "7"), "10", "t")), failures[i],
			REPLY(200, PAGE(OBJECT("c", "7"), "20", "")));
		when_reflector_starts(w, 3000);
		then_sink_heard(w, "begin +a abort begin +c commit synced");
		assert_string_equal(w->asked[3].query, "limit=500");
		then_watched_from(w, 4, "20");
		end_story(w);
	}
}

static void test_an_expired_continue_token_is_followed_by_one_whole_list(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, REPLY(422, STATUS(422, "Invalid")), REPLY(200, PAGE(OBJECT("a", "7"), "10", "t")),
		REPLY(410, "{\"kind\":\"Status\",\"metadata\":{\"continue\":\"inconsistent\"},\"reason\":\"Expired\",\"code\":410}"),
		REPLY(200, PAGE(OBJECT("a", "7") "," OBJECT("b", "15"), "20", "")));
	when_reflector_starts(w, 400);
	then_sink_heard(w, "begin +a abort begin +a +b commit synced");
	assert_string_equal(w->asked[3].query, "");
	then_watched_from(w, 4, "20");
	end_story(w);
}

static void test_an_object_that_the_sink_refuses_keeps_the_old_view(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .body = VIEW, .ending = OPEN }, REPLY(200, PAGE(OBJECT("c", "7"), "20", "")));
	w->refuses = 1;
	when_stream_sends(w, ERROR_EVENT(STATUS(410, "Expired")));
	sim_advance(w->loop, 5000);
	then_sink_heard(w, "begin abort begin +c commit synced");
	end_story(w);
}

/* ---- Relists that nothing forces ---- */

static void test_an_audit_lists_anew_and_keeps_the_view_meanwhile(void **state)
{
	struct world *w = a_reflector_world(NULL, 2 * MINUTE);

	GIVEN(w, { .body = VIEW, .ending = OPEN }, { .body = EVENT("ADDED", "a", "7") MARK("30"), .ending = OPEN });
	when_reflector_starts(w, 90000);
	assert_int_equal(w->n_asked, 1);
	then_sink_heard(w, "begin +a +b commit synced");
	sim_advance(w->loop, MINUTE);
	then_listed_from(w, 1, NULL);
	then_sink_heard(w, "begin +a commit synced");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_AUDIT], 1);
	then_watch_works(w);
	end_story(w);
}

static bool has_audited(void *arg)
{
	return ((struct world *)arg)->n_asked > 1;
}

static void test_an_audit_that_is_refused_lets_the_watch_go_on(void **state)
{
	struct world *w = a_reflector_world(NULL, 2 * MINUTE);

	GIVEN(w, { .body = VIEW, .ending = OPEN }, REPLY(429, STATUS(429, "TooManyRequests")), { .body = "", .ending = OPEN },
		{ .body = EVENT("ADDED", "a", "7") MARK("30"), .ending = OPEN });
	when_reflector_starts(w, 0);
	assert_true(sim_run_until(w->loop, has_audited, w, 5 * MINUTE));
	sim_advance(w->loop, 3000);
	then_listed_from(w, 1, NULL);
	then_watched_from(w, 2, "10");
	then_sink_heard(w, "begin +a +b commit synced");
	then_watch_works(w);
	sim_advance(w->loop, 31000);
	then_listed_from(w, 3, NULL);
	then_sink_heard(w, "begin +a commit synced");
	end_story(w);
}

static void test_a_relist_can_be_asked_for_at_any_time(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = EVENT("ADDED", "a", "7"), .ending = OPEN }, { .body = VIEW, .ending = OPEN },
		{ .body = VIEW, .ending = OPEN });
	when_reflector_starts(w, 100);
	ek_reflector_relist(w->reflector);
	sim_advance(w->loop, 100);
	assert_int_equal(w->n_asked, 1);
	when_stream_sends(w, MARK("10"));
	then_sink_heard(w, "begin +a commit synced begin +a +b commit synced");
	ek_reflector_relist(w->reflector);
	sim_advance(w->loop, 100);
	then_listed_from(w, 2, NULL);
	then_sink_heard(w, "begin +a +b commit synced");
	end_story(w);
}

static void test_stopping_in_the_middle_of_a_view_throws_it_away(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = EVENT("ADDED", "a", "7"), .ending = OPEN });
	when_reflector_starts(w, 100);
	ek_reflector_free(w->reflector);
	w->reflector = NULL;
	then_sink_heard(w, "begin +a abort");
	end_story(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stream_that_breaks_before_its_mark_shows_nothing_and_starts_over),
		cmocka_unit_test(test_a_stream_that_never_marks_its_end_is_replaced_by_pages_this_time),
		cmocka_unit_test(test_a_deletion_among_initial_events_is_no_view),
		cmocka_unit_test(test_a_page_that_fails_throws_the_whole_view_away),
		cmocka_unit_test(test_an_expired_continue_token_is_followed_by_one_whole_list),
		cmocka_unit_test(test_an_object_that_the_sink_refuses_keeps_the_old_view),
		cmocka_unit_test(test_an_audit_lists_anew_and_keeps_the_view_meanwhile),
		cmocka_unit_test(test_an_audit_that_is_refused_lets_the_watch_go_on),
		cmocka_unit_test(test_a_relist_can_be_asked_for_at_any_time),
		cmocka_unit_test(test_stopping_in_the_middle_of_a_view_throws_it_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
