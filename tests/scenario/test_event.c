/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: one object per thing to say, counted repetitions, and bounds that hold whatever is emitted or answered.
 * What a real server accepts as an Event is checked end to end.
 * Read next: host/kube/event.c.
 */
#include "kube/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/serve.h"
#include "kit/sim.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define RATING "/apis/events.k8s.io/v1/namespaces/rating/events"

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_http *http;
	struct ek_kube *kube;
	struct ek_recorder *recorder;
	int status;
	unsigned n_posts, n_patches;
	char path[512], body[8192], first_path[512];
};

static void on_request(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;

	if (strcmp(request->method, "POST") == 0)
		w->n_posts++;
	else
		w->n_patches++;
	snprintf(w->path, sizeof(w->path), "%s", request->path);
	snprintf(w->body, sizeof(w->body), "%s", request->body);
	ek_serve_reply(exchange, w->status, "application/json", NULL, "{}", 2);
}

static struct world *a_world(void)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct ek_serve_config serve = { .host = "kube", .port = 80, .handle = on_request, .arg = w };
	const struct ek_kube_config kube = { .server = (char *)"http://kube:80" };

	ek_log_set_level(EK_LOG_ERROR);
	w->loop = sim_loop_new(5);
	w->serve = ek_serve_new(w->loop, &serve, NULL);
	w->http = ek_http_new(w->loop);
	w->kube = ek_kube_new(w->loop, w->http, &kube, NULL);
	w->recorder = ek_recorder_new(w->loop, w->kube, "eurekube.io/operator", "eurekube-0");
	w->status = 201;
	return w;
}

static void end_of(struct world *w)
{
	ek_recorder_free(w->recorder);
	assert_int_equal(sim_armed_timers(w->loop), 0);
	ek_kube_free(w->kube);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	free(w);
}

static void emit_about(struct world *w, const char *space, const char *name, const char *note)
{
	const struct ek_event_object object = { "eurekube.io/v1alpha1", "EurekaSyncer", space, name, "uid-1" };

	ek_recorder_emit(w->recorder, &object, "Warning", "PortNotFound", "Reconcile", note);
}

static void emit(struct world *w, const char *note)
{
	emit_about(w, "rating", "rating", note);
	sim_advance(w->loop, 100);
}

static void then_requests(struct world *w, unsigned n_posts, unsigned n_patches)
{
	assert_int_equal(w->n_posts, n_posts);
	assert_int_equal(w->n_patches, n_patches);
}

static void then_body_has(struct world *w, const char *words)
{
	if (!strstr(w->body, words))
		fail_msg("\"%s\" does not hold \"%s\"", w->body, words);
}

static void test_an_event_is_created_with_all_that_servers_demand(void **state)
{
	static const char *const wanted[] = { "\"apiVersion\":\"events.k8s.io/v1\"", "\"kind\":\"Event\"",
		"\"metadata\":{\"name\":\"rating.", "\"namespace\":\"rating\"}", "\"reportingController\":\"eurekube.io/operator\"",
		"\"reportingInstance\":\"eurekube-0\"", "\"type\":\"Warning\"", "\"reason\":\"PortNotFound\"",
		"\"action\":\"Reconcile\"", "\"note\":\"say \\\"http\\\"\"",
		"\"regarding\":{\"apiVersion\":\"eurekube.io/v1alpha1\",\"kind\":\"EurekaSyncer\",\"namespace\":\"rating\","
		"\"name\":\"rating\",\"uid\":\"uid-1\"}" };
	struct world *w = a_world();
	const char *time;

	emit(w, "say \"http\"");
	then_requests(w, 1, 0);
	assert_string_equal(w->path, RATING);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		then_body_has(w, wanted[i]);
	time = strstr(w->body, "\"eventTime\":\"");
	assert_non_null(time);
	assert_int_equal(strcspn(time + 13, "\""), strlen("2026-01-01T00:00:00.000000Z"));
	end_of(w);
}

static void test_an_event_about_a_cluster_scoped_object_goes_to_default(void **state)
{
	struct world *w = a_world();

	emit_about(w, "", "node-1", "x");
	sim_advance(w->loop, 100);
	assert_string_equal(w->path, "/apis/events.k8s.io/v1/namespaces/default/events");
	then_body_has(w, "\"namespace\":\"default\"}");
	end_of(w);
}

static void test_repetitions_are_counted_and_told_once_a_minute(void **state)
{
	struct world *w = a_world();

	emit(w, "x");
	emit(w, "x");
	then_requests(w, 1, 1);
	then_body_has(w, "{\"series\":{\"count\":2,\"lastObservedTime\":\"");
	assert_int_equal(strncmp(w->path, RATING "/rating.", strlen(RATING "/rating.")), 0);
	for (int i = 0; i < 310; i++) {
		emit(w, "x");
		sim_advance(w->loop, 100);
	}
	then_requests(w, 1, 1 + 1);
	sim_advance(w->loop, 2 * MINUTE);
	then_requests(w, 1, 1 + 2);
	then_body_has(w, "\"count\":312,");
	sim_advance(w->loop, 20 * MINUTE);
	then_requests(w, 1, 1 + 2);
	end_of(w);
}

static void test_another_note_is_another_event(void **state)
{
	struct world *w = a_world();

	emit(w, "x");
	emit(w, "y");
	emit_about(w, "rating", "other", "x");
	sim_advance(w->loop, 100);
	then_requests(w, 3, 0);
	end_of(w);
}

static void test_what_was_not_said_for_half_an_hour_is_said_anew(void **state)
{
	struct world *w = a_world();

	emit(w, "x");
	sim_advance(w->loop, 29 * MINUTE);
	emit(w, "x");
	then_requests(w, 1, 1);
	sim_advance(w->loop, 31 * MINUTE);
	emit(w, "x");
	then_requests(w, 2, 1);
	end_of(w);
}

static void test_an_event_that_expired_on_the_server_is_created_again(void **state)
{
	struct world *w = a_world();

	emit(w, "x");
	w->status = 404;
	emit(w, "x");
	then_requests(w, 1, 1);
	w->status = 201;
	sim_advance(w->loop, MINUTE);
	assert_int_equal(w->n_posts, 2);
	end_of(w);
}

static void test_a_server_that_is_away_gets_the_event_when_it_is_back(void **state)
{
	struct world *w = a_world();

	sim_fault(w->loop, "kube:80", SIM_REFUSE);
	emit(w, "x");
	sim_advance(w->loop, 15 * SECOND);
	sim_fault(w->loop, "kube:80", SIM_OK);
	sim_advance(w->loop, 15 * SECOND);
	then_requests(w, 1, 0);
	assert_int_equal(ek_recorder_dropped(w->recorder), 0);
	end_of(w);
}

static void test_an_event_that_got_there_unheard_is_not_said_twice(void **state)
{
	struct world *w = a_world();

	sim_fault(w->loop, "kube:80", SIM_LOSE_REPLY);
	emit(w, "x");
	sim_advance(w->loop, 2 * SECOND);
	then_requests(w, 1, 0);
	snprintf(w->first_path, sizeof(w->first_path), "%s", strstr(w->body, "\"name\":\""));
	sim_fault(w->loop, "kube:80", SIM_OK);
	w->status = 409;
	sim_advance(w->loop, MINUTE);
	assert_int_equal(strncmp(strstr(w->body, "\"name\":\""), w->first_path, 40), 0);
	then_requests(w, 2, 0);
	assert_int_equal(ek_recorder_dropped(w->recorder), 0);
	end_of(w);
}

static void test_a_server_that_stays_away_is_given_up(void **state)
{
	struct world *w = a_world();

	w->status = 503;
	emit(w, "x");
	sim_advance(w->loop, 10 * MINUTE);
	assert_in_range(w->n_posts, 5, 6);
	assert_int_equal(ek_recorder_dropped(w->recorder), 1);
	assert_int_equal(sim_armed_timers(w->loop), 0);
	end_of(w);
}

static void test_what_a_server_finds_invalid_or_forbidden_is_not_repeated(void **state)
{
	static const int statuses[] = { 403, 404, 422 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct world *w = a_world();

		w->status = statuses[i];
		emit(w, "x");
		sim_advance(w->loop, 10 * MINUTE);
		then_requests(w, 1, 0);
		assert_int_equal(ek_recorder_dropped(w->recorder), 1);
		end_of(w);
	}
}

static void test_a_flood_is_cut_to_fifty_and_then_ten_a_second(void **state)
{
	struct world *w = a_world();
	char note[32];

	sim_advance(w->loop, 10 * MINUTE);
	for (int i = 0; i < 500; i++) {
		snprintf(note, sizeof(note), "note %d", i);
		emit_about(w, "rating", "rating", note);
	}
	sim_advance(w->loop, SECOND);
	assert_int_equal(w->n_posts, 50);
	assert_int_equal(ek_recorder_dropped(w->recorder), 450);
	for (int i = 0; i < 500; i++) {
		snprintf(note, sizeof(note), "more %d", i);
		emit_about(w, "rating", "rating", note);
	}
	sim_advance(w->loop, SECOND);
	assert_in_range(w->n_posts, 59, 61);
	end_of(w);
}

static void test_the_longest_unsaid_are_forgotten_beyond_a_thousand(void **state)
{
	struct world *w = a_world();
	char note[32];

	for (int i = 0; i < 1001; i++) {
		snprintf(note, sizeof(note), "note %d", i);
		emit_about(w, "rating", "rating", note);
		sim_advance(w->loop, 150);
	}
	assert_int_equal(w->n_posts, 1001);
	emit(w, "note 1000");
	then_requests(w, 1001, 1);
	emit(w, "note 0");
	then_requests(w, 1002, 1);
	end_of(w);
}

static void test_a_long_note_is_cut_between_characters(void **state)
{
	struct world *w = a_world();
	char note[3002];
	const char *at;

	note[0] = 'x';
	for (int i = 0; i < 1500; i++)
		memcpy(note + 1 + 2 * i, "\xc3\xa4", 3);
	emit(w, note);
	at = strstr(w->body, "\"note\":\"");
	assert_int_equal(strcspn(at + 8, "\""), 1023);
	end_of(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_event_is_created_with_all_that_servers_demand),
		cmocka_unit_test(test_an_event_about_a_cluster_scoped_object_goes_to_default),
		cmocka_unit_test(test_repetitions_are_counted_and_told_once_a_minute),
		cmocka_unit_test(test_another_note_is_another_event),
		cmocka_unit_test(test_what_was_not_said_for_half_an_hour_is_said_anew),
		cmocka_unit_test(test_an_event_that_expired_on_the_server_is_created_again),
		cmocka_unit_test(test_a_server_that_is_away_gets_the_event_when_it_is_back),
		cmocka_unit_test(test_an_event_that_got_there_unheard_is_not_said_twice),
		cmocka_unit_test(test_a_server_that_stays_away_is_given_up),
		cmocka_unit_test(test_what_a_server_finds_invalid_or_forbidden_is_not_repeated),
		cmocka_unit_test(test_a_flood_is_cut_to_fifty_and_then_ten_a_second),
		cmocka_unit_test(test_the_longest_unsaid_are_forgotten_beyond_a_thousand),
		cmocka_unit_test(test_a_long_note_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
