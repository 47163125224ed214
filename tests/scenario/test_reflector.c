/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a reflector reads, and how it lives through all that can end a watch, in simulated time; one test per row of the table.
 * Lists have a file of their own, and whole clusters are played by tests/kit/fake_kube.h.
 * Read next: test_reflector_lists.c; host/kube/reflector_endings.c is the table.
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

/* ---- Reading ---- */

static void test_a_streaming_list_becomes_the_view_and_then_the_watch(void **state)
{
	struct world *w = a_synced_world();

	then_listed_from(w, 0, NULL);
	assert_true(stats_of(w)->is_synced);
	assert_string_equal(stats_of(w)->resource_version, "10");
	when_stream_sends(w, EVENT("MODIFIED", "a", "11") EVENT("ADDED", "c", "12") EVENT("DELETED", "b", "14"));
	then_sink_heard(w, "MODIFIED:a ADDED:c DELETED:b");
	assert_string_equal(stats_of(w)->resource_version, "14");
	assert_int_equal(w->n_asked, 1);
	end_story(w);
}

static void test_nothing_is_shown_before_the_initial_events_are_complete(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = EVENT("ADDED", "a", "7") BOOKMARK("9"), .ending = OPEN });
	when_reflector_starts(w, 1000);
	then_sink_heard(w, "begin +a");
	assert_false(stats_of(w)->is_synced);
	assert_string_equal(stats_of(w)->resource_version, "");
	when_stream_sends(w, MARK("10"));
	then_sink_heard(w, "commit synced");
	end_story(w);
}

static void test_requests_say_who_we_are_and_never_ask_for_compression(void **state)
{
	struct world *w = a_synced_world();

	assert_string_equal(w->asked[0].encoding, "");
	assert_int_equal(strncmp(w->asked[0].agent, "eurekube/", 9), 0);
	assert_non_null(strstr(w->asked[0].agent, " kubernetes/"));
	end_story(w);
}

static void test_bookmarks_move_the_position(void **state)
{
	struct world *w = a_synced_world();

	when_stream_sends(w, BOOKMARK("25"));
	assert_string_equal(stats_of(w)->resource_version, "25");
	when_stream_ends(w, false, 100);
	then_watched_from(w, 1, "25");
	then_sink_heard(w, "");
	end_story(w);
}

static void test_an_event_from_before_the_position_is_old_news(void **state)
{
	struct world *w = a_synced_world();

	when_stream_sends(w, EVENT("MODIFIED", "a", "100") EVENT("MODIFIED", "b", "99") EVENT("MODIFIED", "c", "100"));
	then_sink_heard(w, "MODIFIED:a MODIFIED:c");
	assert_string_equal(stats_of(w)->resource_version, "100");
	end_story(w);
}

static void test_a_server_without_streaming_lists_is_listed_in_pages_from_then_on(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, REPLY(422, STATUS(422, "Invalid")), REPLY(200, PAGE(OBJECT("a", "7"), "10", "next/1==")),
		REPLY(200, PAGE(OBJECT("b", "3"), "10", "")), { .ending = OPEN, .body = "" });
	when_reflector_starts(w, 100);
	then_sink_heard(w, "begin +a +b commit synced");
	then_listed_from(w, 0, NULL);
	assert_string_equal(w->asked[1].query, "limit=500");
	assert_string_equal(w->asked[2].query, "limit=500&continue=next%2F1%3D%3D");
	then_watched_from(w, 3, "10");
	assert_int_equal(stats_of(w)->lists, 2);
	then_watch_works(w);

	when_stream_sends(w, ERROR_EVENT(STATUS(410, "Expired")));
	sim_advance(w->loop, 2000);
	assert_string_equal(w->asked[4].query, "resourceVersionMatch=NotOlderThan&resourceVersion=10");
	end_story(w);
}

static void test_a_position_comes_from_the_first_page(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, REPLY(400, STATUS(400, "BadRequest")), REPLY(200, PAGE(OBJECT("a", "7"), "10", "t")),
		REPLY(200, PAGE("", "12", "u")), REPLY(200, PAGE(OBJECT("b", "3"), "13", "")));
	when_reflector_starts(w, 100);
	then_sink_heard(w, "begin +a +b commit synced");
	then_watched_from(w, 4, "10");
	end_story(w);
}

/* ---- Endings of a watch ---- */

static void test_a_watch_that_ends_is_resumed_at_once_where_it_was(void **state)
{
	struct world *w = a_synced_world();

	when_stream_sends(w, EVENT("MODIFIED", "a", "12"));
	when_stream_ends(w, false, 50);
	then_watched_from(w, 1, "12");
	then_watch_works(w);
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_END], 1);
	then_sink_heard(w, "MODIFIED:a");
	end_story(w);
}

static void test_watches_that_end_as_soon_as_they_begin_back_off(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = VIEW, .ending = CLOSED }, { .body = "", .ending = CLOSED });
	w->is_repeating = true;
	when_reflector_starts(w, 20000);
	then_sink_heard(w, "begin +a +b commit synced");
	then_came_after(w, 1, 500, 1100);
	then_came_after(w, 2, 1000, 2100);
	then_came_after(w, 4, 2500, 5100);
	then_watch_is_broken(w, "as soon as it had begun");
	end_story(w);
}

static void test_a_broken_connection_resumes_after_a_moment(void **state)
{
	struct world *w = a_synced_world();

	when_stream_sends(w, EVENT("MODIFIED", "a", "12") "{\"type\":\"MODIFIED\",\"obj");
	when_stream_ends(w, true, 300);
	assert_true(stats_of(w)->is_broken);
	sim_advance(w->loop, 3000);
	then_watched_from(w, 1, "12");
	then_sink_heard(w, "MODIFIED:a");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_TRANSPORT], 1);
	then_watch_works(w);
	end_story(w);
}

static void test_a_watch_on_a_quiet_cluster_counts_as_working(void **state)
{
	struct world *w = a_synced_world();

	sim_fault(w->loop, SERVER, SIM_REFUSE);
	when_stream_ends(w, true, 3000);
	assert_true(stats_of(w)->is_broken);
	sim_fault(w->loop, SERVER, SIM_OK);
	sim_advance(w->loop, 8000);
	then_watch_works(w);
	then_sink_heard(w, "");
	end_story(w);
}

static bool has_asked(void *arg)
{
	return ((struct world *)arg)->n_asked > 1;
}

static void test_after_an_outage_of_any_length_the_first_try_comes_in_time(void **state)
{
	static const struct {
		int64_t outage_ms, within_ms;
	} cases[] = { { 3000, 5000 }, { 9 * MINUTE, 5000 }, { 2 * HOUR, 30000 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = a_synced_world();

		sim_fault(w->loop, SERVER, SIM_REFUSE);
		when_stream_ends(w, true, cases[i].outage_ms);
		then_sink_heard(w, "");
		sim_fault(w->loop, SERVER, SIM_OK);
		assert_true(sim_run_until(w->loop, has_asked, w, cases[i].within_ms + 100));
		end_story(w);
	}
}

struct pace {
	unsigned n;
};

static void count_request(void *arg, const char *method, const char *url, int status)
{
	((struct pace *)arg)->n++;
}

static void test_a_long_outage_is_asked_about_less_and_less_often(void **state)
{
	struct world *w = a_synced_world();
	struct pace pace = { 0 };

	sim_fault(w->loop, SERVER, SIM_REFUSE);
	sim_on_request(w->loop, count_request, &pace);
	when_stream_ends(w, true, 9 * MINUTE);
	assert_in_range(pace.n, 9 * 12, 9 * 25);
	sim_advance(w->loop, 2 * MINUTE);
	pace.n = 0;
	sim_advance(w->loop, 30 * MINUTE);
	assert_in_range(pace.n, 60, 120);
	end_story(w);
}

static void test_a_success_makes_the_next_failure_the_first(void **state)
{
	struct world *w = a_synced_world();
	struct pace pace = { 0 };
	unsigned n;

	GIVEN(w, { .body = VIEW, .ending = OPEN });
	sim_fault(w->loop, SERVER, SIM_REFUSE);
	when_stream_ends(w, true, 20 * MINUTE);
	sim_fault(w->loop, SERVER, SIM_OK);
	sim_advance(w->loop, MINUTE);
	n = w->n_asked;
	when_stream_ends(w, true, 1200);
	assert_int_equal(w->n_asked, n + 1);
	sim_advance(w->loop, 2000);
	sim_on_request(w->loop, count_request, &pace);
	sim_fault(w->loop, SERVER, SIM_REFUSE);
	when_stream_ends(w, true, 2 * MINUTE);
	assert_in_range(pace.n, 2 * 12, 2 * 25);
	end_story(w);
}

static void test_one_event_shows_that_the_watch_works(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .body = EVENT("MODIFIED", "a", "11"), .ending = OPEN });
	when_stream_ends(w, true, 100);
	assert_true(stats_of(w)->is_broken);
	assert_true(sim_run_until(w->loop, has_asked, w, 5000));
	sim_advance(w->loop, 100);
	then_watch_works(w);
	end_story(w);
}

static void test_a_long_outage_ends_with_a_list_since_the_position_may_be_lost(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .body = VIEW, .ending = OPEN });
	sim_fault(w->loop, SERVER, SIM_REFUSE);
	when_stream_ends(w, true, 2 * MINUTE);
	sim_fault(w->loop, SERVER, SIM_OK);
	sim_advance(w->loop, 6000);
	then_query_has(w, 1, "sendInitialEvents=true");
	then_sink_heard(w, "begin +a +b commit synced");
	end_story(w);
}

static void test_too_old_inside_of_200_is_listed_not_older_than_what_was_seen(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .body = EVENT("ADDED", "a", "7") MARK("90"), .ending = OPEN });
	when_stream_sends(w, ERROR_EVENT(STATUS(410, "Expired")));
	then_listed_from(w, 1, "10");
	then_sink_heard(w, "begin +a commit synced");
	then_watch_works(w);
	assert_string_equal(stats_of(w)->resource_version, "90");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_EXPIRED], 1);
	end_story(w);
}

static void test_too_old_as_the_answer_to_a_watch_is_the_same(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, REPLY(410, STATUS(410, "Gone")), { .body = VIEW, .ending = OPEN });
	when_stream_ends(w, false, 3000);
	then_watched_from(w, 1, "10");
	then_listed_from(w, 2, "10");
	then_sink_heard(w, "begin +a +b commit synced");
	end_story(w);
}

static void test_a_position_that_is_always_too_old_is_not_listed_without_pause(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, { .body = VIEW ERROR_EVENT(STATUS(410, "Expired")), .ending = CLOSED });
	w->is_repeating = true;
	when_reflector_starts(w, MINUTE);
	then_came_after(w, 1, 0, 100);
	then_came_after(w, 2, 500, 1100);
	then_came_after(w, 3, 1000, 2100);
	assert_in_range(w->n_asked, 10, 30);
	end_story(w);
}

static void test_a_list_for_a_version_that_is_too_old_or_too_new_drops_the_version(void **state)
{
	static const struct answer refusals[] = { REPLY(410, STATUS(410, "Expired")), REPLY(504, TOO_LARGE),
		{ .body = ERROR_EVENT(TOO_LARGE), .ending = CLOSED } };

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct world *w = a_synced_world();

		GIVEN(w, refusals[i], { .body = EVENT("ADDED", "a", "2") MARK("4"), .ending = OPEN });
		when_stream_sends(w, ERROR_EVENT(STATUS(410, "Expired")));
		sim_advance(w->loop, 3000);
		then_listed_from(w, 1, "10");
		then_listed_from(w, 2, NULL);
		assert_string_equal(stats_of(w)->resource_version, "4");
		end_story(w);
	}
}

static void test_a_watch_of_a_version_too_new_is_listed_without_version(void **state)
{
	struct world *w = a_synced_world();

	when_stream_sends(w, ERROR_EVENT(TOO_LARGE));
	sim_advance(w->loop, 2000);
	then_listed_from(w, 1, NULL);
	end_story(w);
}

static void test_whoever_says_slow_down_is_obeyed(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .status = 429, .body = STATUS(429, "TooManyRequests"), .headers = "Retry-After: 7\n" });
	when_stream_ends(w, false, 6900);
	assert_int_equal(w->n_asked, 2);
	sim_advance(w->loop, 1500);
	then_watched_from(w, 2, "10");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_THROTTLED], 1);
	end_story(w);
}

static void test_slow_down_inside_of_200_is_obeyed_too(void **state)
{
	struct world *w = a_synced_world();

	when_stream_sends(w, ERROR_EVENT("{\"kind\":\"Status\",\"reason\":\"TooManyRequests\",\"details\":{\"retryAfterSeconds\":9},"
				 "\"code\":429}"));
	sim_advance(w->loop, 8500);
	assert_int_equal(w->n_asked, 1);
	sim_advance(w->loop, 2000);
	then_watched_from(w, 1, "10");
	end_story(w);
}

static void test_an_internal_error_resumes_for_a_while_and_then_lists(void **state)
{
	struct world *w = a_synced_world();
	unsigned n_watches = 0;

	GIVEN(w, { .body = ERROR_EVENT(STATUS(500, "InternalError")), .ending = CLOSED });
	w->is_repeating = true;
	when_stream_ends(w, false, 2 * MINUTE);
	for (unsigned i = 1; i < w->n_asked && !strstr(w->asked[i].query, "sendInitialEvents"); i++)
		n_watches++;
	assert_int_equal(n_watches, 9);
	then_listed_from(w, 10, "10");
	assert_null(strstr(w->told, "commit"));
	end_story(w);
}

static void test_a_refused_token_is_read_again_at_once_and_then_waited_for(void **state)
{
	struct world *w;

	sim_file_write("/sa/token", "old\n", 4);
	w = a_reflector_world("/sa/token", 0);
	GIVEN(w, { .body = VIEW, .ending = OPEN }, REPLY(401, STATUS(401, "Unauthorized")), REPLY(401, STATUS(401, "Unauthorized")),
		{ .body = "", .ending = OPEN });
	when_reflector_starts(w, 2000);
	sim_file_write("/sa/token", "new\n", 4);
	when_stream_ends(w, false, 100);
	assert_string_equal(w->asked[1].authorization, "Bearer old");
	assert_string_equal(w->asked[2].authorization, "Bearer new");
	assert_int_equal(w->n_asked, 3);
	then_watch_is_broken(w, "told by the script");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_AUTH], 1);
	sim_advance(w->loop, 2000);
	then_watched_from(w, 3, "10");
	then_sink_heard(w, "begin +a +b commit synced");
	end_story(w);
}

static void test_a_forbidden_watch_keeps_its_view_and_asks_until_it_may(void **state)
{
	struct world *w = a_synced_world();
	int64_t since;
	unsigned n;

	GIVEN(w, REPLY(403, STATUS(403, "Forbidden")));
	w->is_repeating = true;
	when_stream_ends(w, false, 5 * MINUTE);
	since = stats_of(w)->broken_since_ms;
	n = w->n_asked;
	sim_advance(w->loop, 10 * MINUTE);
	assert_in_range(w->n_asked - n, 60, 150); /* every few seconds, and after ten minutes twice a minute */
	then_watch_is_broken(w, "told by the script");
	assert_int_equal(stats_of(w)->broken_since_ms, since);
	then_sink_heard(w, "");
	w->is_repeating = false;
	sim_advance(w->loop, MINUTE);
	then_watch_works(w);
	then_sink_heard(w, "");
	end_story(w);
}

static void test_a_collection_that_does_not_exist_yet_is_waited_for(void **state)
{
	struct world *w = a_reflector_world(NULL, 0);

	GIVEN(w, REPLY(404, "404 page not found"), REPLY(404, "404 page not found"), { .body = VIEW, .ending = OPEN });
	when_reflector_starts(w, 600);
	then_watch_is_broken(w, "404 page not found");
	sim_advance(w->loop, 4000);
	then_sink_heard(w, "begin +a +b commit synced");
	then_listed_from(w, 2, NULL);
	then_watch_works(w);
	end_story(w);
}

static void test_a_line_that_cannot_be_read_leads_to_a_list(void **state)
{
	static const char *const lines[] = { "{\"type\":\"MODIFIED\",\"object\":{\"metadata\"}}\n", "<html>\n",
		"{\"type\":\"PERHAPS\",\"object\":" OBJECT("a", "11") "}\n" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct world *w = a_synced_world();

		GIVEN(w, { .body = VIEW, .ending = OPEN });
		when_stream_sends(w, EVENT("MODIFIED", "a", "11"));
		when_stream_sends(w, lines[i]);
		then_sink_heard(w, "MODIFIED:a");
		sim_advance(w->loop, 2000);
		then_listed_from(w, 1, "11");
		then_sink_heard(w, "begin +a +b commit synced");
		assert_int_equal(stats_of(w)->restarts[EK_CAUSE_DECODE], 1);
		end_story(w);
	}
}

static void test_a_line_longer_than_16_mebibytes_leads_to_a_list(void **state)
{
	struct world *w = a_synced_world();
	size_t n = 1 << 20;
	char *piece = malloc(n + 1);

	memset(piece, 'x', n);
	piece[n] = '\0';
	sim_split(w->loop, false);
	when_stream_sends(w, "{\"type\":\"ADDED\",\"object\":{\"x\":\"");
	for (int i = 0; i < 17 && w->stream; i++)
		when_stream_sends(w, piece);
	sim_advance(w->loop, 2000);
	then_listed_from(w, 1, "10");
	assert_int_equal(stats_of(w)->restarts[EK_CAUSE_DECODE], 1);
	free(piece);
	end_story(w);
}

static void test_a_change_that_the_sink_refuses_leads_to_a_list(void **state)
{
	struct world *w = a_synced_world();

	GIVEN(w, { .body = VIEW, .ending = OPEN });
	w->refuses = 1;
	when_stream_sends(w, EVENT("MODIFIED", "a", "11"));
	then_watch_is_broken(w, "the sink does not like it");
	sim_advance(w->loop, 2000);
	then_listed_from(w, 1, "10");
	then_sink_heard(w, "begin +a +b commit synced");
	end_story(w);
}

static void test_a_position_in_the_future_is_found_out_by_its_silence(void **state)
{
	struct world *w = a_synced_world();

	for (int i = 0; i < 3; i++)
		GIVEN(w, { .body = "", .ending = OPEN });
	GIVEN(w, REPLY(504, TOO_LARGE), { .body = EVENT("ADDED", "a", "2") MARK("4"), .ending = OPEN });
	when_stream_sends(w, BOOKMARK("900"));
	for (int i = 0; i < 4; i++) {
		sim_advance(w->loop, 2 * MINUTE);
		when_stream_ends(w, false, 100);
	}
	then_watched_from(w, 3, "900");
	then_listed_from(w, 4, "900");
	then_listed_from(w, 5, NULL);
	assert_string_equal(stats_of(w)->resource_version, "4");
	end_story(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_streaming_list_becomes_the_view_and_then_the_watch),
		cmocka_unit_test(test_nothing_is_shown_before_the_initial_events_are_complete),
		cmocka_unit_test(test_requests_say_who_we_are_and_never_ask_for_compression),
		cmocka_unit_test(test_bookmarks_move_the_position),
		cmocka_unit_test(test_an_event_from_before_the_position_is_old_news),
		cmocka_unit_test(test_a_server_without_streaming_lists_is_listed_in_pages_from_then_on),
		cmocka_unit_test(test_a_position_comes_from_the_first_page),
		cmocka_unit_test(test_a_watch_that_ends_is_resumed_at_once_where_it_was),
		cmocka_unit_test(test_watches_that_end_as_soon_as_they_begin_back_off),
		cmocka_unit_test(test_a_broken_connection_resumes_after_a_moment),
		cmocka_unit_test(test_a_watch_on_a_quiet_cluster_counts_as_working),
		cmocka_unit_test(test_after_an_outage_of_any_length_the_first_try_comes_in_time),
		cmocka_unit_test(test_a_long_outage_is_asked_about_less_and_less_often),
		cmocka_unit_test(test_a_success_makes_the_next_failure_the_first),
		cmocka_unit_test(test_one_event_shows_that_the_watch_works),
		cmocka_unit_test(test_a_long_outage_ends_with_a_list_since_the_position_may_be_lost),
		cmocka_unit_test(test_too_old_inside_of_200_is_listed_not_older_than_what_was_seen),
		cmocka_unit_test(test_too_old_as_the_answer_to_a_watch_is_the_same),
		cmocka_unit_test(test_a_position_that_is_always_too_old_is_not_listed_without_pause),
		cmocka_unit_test(test_a_list_for_a_version_that_is_too_old_or_too_new_drops_the_version),
		cmocka_unit_test(test_a_watch_of_a_version_too_new_is_listed_without_version),
		cmocka_unit_test(test_whoever_says_slow_down_is_obeyed),
		cmocka_unit_test(test_slow_down_inside_of_200_is_obeyed_too),
		cmocka_unit_test(test_an_internal_error_resumes_for_a_while_and_then_lists),
		cmocka_unit_test(test_a_refused_token_is_read_again_at_once_and_then_waited_for),
		cmocka_unit_test(test_a_forbidden_watch_keeps_its_view_and_asks_until_it_may),
		cmocka_unit_test(test_a_collection_that_does_not_exist_yet_is_waited_for),
		cmocka_unit_test(test_a_line_that_cannot_be_read_leads_to_a_list),
		cmocka_unit_test(test_a_line_longer_than_16_mebibytes_leads_to_a_list),
		cmocka_unit_test(test_a_change_that_the_sink_refuses_leads_to_a_list),
		cmocka_unit_test(test_a_position_in_the_future_is_found_out_by_its_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
