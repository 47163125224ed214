/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake Eureka: that it behaves as a real server where a registrar could tell the difference.
 * It does not test the operator or its plugin.
 * Next: tests/kit/fake_eureka.h.
 */
#include "kit/fake_eureka.h"

#include "kit/ask.h"
#include "kit/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define APPS "/eureka/apps"
#define WEB  APPS "/WEB"
#define ONE  WEB "/one"
#define DATA_CENTER "\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"}"
#define PLAIN "\"instanceId\":\"one\",\"hostName\":\"10.0.0.1\",\"app\":\"web\",\"ipAddr\":\"10.0.0.1\",\"vipAddress\":\"web\"," DATA_CENTER

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct fake_eureka *eureka;
	struct ask ask;
};

static int set_up_with(void **state, const struct fake_eureka_config *config)
{
	struct world *w = calloc(1, sizeof(*w));

	w->loop = sim_loop_new(7);
	w->eureka = fake_eureka_new(w->loop, config);
	w->serve = ek_serve_new(w->loop, &(struct ek_serve_config){ .host = "eureka", .port = 8761,
		.handle = fake_eureka_handle, .arg = w->eureka }, NULL);
	ask_init(&w->ask, w->loop, "http://eureka:8761");
	*state = w;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, &(struct fake_eureka_config){ .eviction_ms = 1000 });
}

static int tear_down(void **state)
{
	struct world *w = *state;

	ask_clear(&w->ask);
	ek_serve_free(w->serve);
	fake_eureka_free(w->eureka);
	ek_loop_free(w->loop);
	free(w);
	return 0;
}

static int post(struct world *w, const char *members)
{
	char body[2048];

	snprintf(body, sizeof(body), "{\"instance\":{%s}}", members);
	return ask_send(&w->ask, "POST", WEB, NULL, body);
}

static int put(struct world *w, const char *path)
{
	return ask_send(&w->ask, "PUT", path, NULL, NULL);
}

static int delete(struct world *w, const char *path)
{
	return ask_send(&w->ask, "DELETE", path, NULL, NULL);
}

static void expect_status(struct world *w, const char *status)
{
	assert_string_equal(fake_eureka_find(w->eureka, "WEB", "one")->status, status);
}

/* ---- Registering ---- */

static void a_registration_is_kept_and_shown(void **state)
{
	struct world *w = *state;
	const struct fake_instance *one;

	assert_int_equal(post(w, PLAIN ",\"port\":{\"$\":8080,\"@enabled\":\"true\"},\"metadata\":{\"a\":\"b\",\"n\":5},"
		"\"leaseInfo\":{\"renewalIntervalInSecs\":27,\"durationInSecs\":90},\"lastDirtyTimestamp\":\"77\""), 204);
	assert_int_equal(ask_get(&w->ask, "/eureka/v2/apps/web/one"), 200);
	assert_true(ask_has(&w->ask, "{\"instance\":{\"instanceId\":\"one\",\"hostName\":\"10.0.0.1\",\"app\":\"WEB\""));
	assert_true(ask_has(&w->ask, "\"lastDirtyTimestamp\":\"77\""));
	one = fake_eureka_at(w->eureka, "WEB", "10.0.0.1");
	assert_string_equal(one->status, "UP");
	assert_int_equal(one->port, 8080);
	assert_true(one->has_port && !one->has_secure_port);
	assert_int_equal(one->lease_seconds, 90);
	assert_string_equal(fake_eureka_metadata(w->eureka, "WEB", "one", "n"), "5");
	assert_null(fake_eureka_metadata(w->eureka, "WEB", "one", "x"));
}

static void what_is_missing_is_filled_in(void **state)
{
	struct world *w = *state;
	const struct fake_instance *one;

	assert_int_equal(post(w, PLAIN), 204);
	one = fake_eureka_find(w->eureka, "WEB", "one");
	assert_int_equal(one->port, 7001);
	assert_int_equal(one->secure_port, 7002);
	assert_int_equal(one->lease_seconds, 90);
	assert_int_equal(one->renew_seconds, 30);
	assert_true(one->dirty_ms > 0);
	ask_get(&w->ask, ONE);
	assert_true(ask_has(&w->ask, "java.util.Collections$EmptyMap"));
	assert_int_equal(post(w, "\"hostName\":\"h\",\"app\":\"WEB\",\"ipAddr\":\"10.0.0.2\"," DATA_CENTER), 204);
	assert_non_null(fake_eureka_find(w->eureka, "WEB", "h"));
}

static void each_fault_of_a_registration_has_its_text(void **state)
{
	static const struct {
		const char *members, *text;
	} cases[] = {
		{ "\"app\":\"web\",\"ipAddr\":\"1\"," DATA_CENTER, "Missing instanceId" },
		{ "\"instanceId\":\"one\",\"app\":\"web\",\"ipAddr\":\"1\"," DATA_CENTER, "Missing hostname" },
		{ "\"instanceId\":\"one\",\"hostName\":\"h\",\"app\":\"web\"," DATA_CENTER, "Missing ip address" },
		{ "\"instanceId\":\"one\",\"hostName\":\"h\",\"app\":\"shop\",\"ipAddr\":\"1\"," DATA_CENTER, "Mismatched appName" },
		{ "\"instanceId\":\"one\",\"hostName\":\"h\",\"app\":\"web\",\"ipAddr\":\"1\"", "Missing dataCenterInfo" },
		{ "\"instanceId\":\"one\",\"hostName\":\"h\",\"ipAddr\":\"1\"," DATA_CENTER, "cannot parse request body" },
		{ PLAIN ",\"port\":8080", "cannot parse request body" },
		{ PLAIN ",\"metadata\":{\"a\":{}}", "cannot parse request body" },
		{ "\"instanceId\":\"one\",\"hostName\":\"h\",\"app\":\"web\",\"ipAddr\":\"1\",\"dataCenterInfo\":{\"name\":\"MyOwn\"}",
			"cannot parse request body" },
	};
	struct world *w = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(post(w, cases[i].members), 400);
		assert_true(ask_has(&w->ask, cases[i].text));
	}
	assert_int_equal(ask_send(&w->ask, "POST", WEB, NULL, "{" PLAIN "}"), 400);
	assert_int_equal(ask_send(&w->ask, "POST", WEB, "text/plain", "{\"instance\":{" PLAIN "}}"), 415);
	assert_int_equal(ask_send(&w->ask, "POST", APPS "/delta", NULL, "{\"instance\":{" PLAIN "}}"), 405);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
}

static void an_unknown_object_leaks_into_the_instance(void **state)
{
	struct world *w = *state;

	assert_int_equal(post(w, PLAIN ",\"foo\":{\"status\":\"DOWN\"},\"homePageUrl\":\"http://x/\""), 204);
	expect_status(w, "DOWN");
	assert_null(strstr(fake_eureka_find(w->eureka, "WEB", "one")->json, "http://x/"));
}

static void an_older_registration_is_ignored_in_silence(void **state)
{
	struct world *w = *state;

	post(w, PLAIN ",\"status\":\"UP\",\"lastDirtyTimestamp\":\"100\"");
	assert_int_equal(post(w, PLAIN ",\"status\":\"DOWN\",\"lastDirtyTimestamp\":\"99\""), 204);
	expect_status(w, "UP");
	assert_int_equal(post(w, PLAIN ",\"status\":\"DOWN\",\"lastDirtyTimestamp\":\"100\""), 204);
	expect_status(w, "DOWN");
}

/* ---- Renewing and cancelling ---- */

static void a_renewal_is_judged_by_its_timestamp(void **state)
{
	struct world *w = *state;

	assert_int_equal(put(w, ONE), 404);
	assert_true(ask_has(&w->ask, "\"status\":404,\"error\":\"Not Found\",\"path\":\"" ONE "\""));
	post(w, PLAIN ",\"lastDirtyTimestamp\":\"100\"");
	assert_int_equal(put(w, ONE "?status=DOWN&lastDirtyTimestamp=100"), 200);
	expect_status(w, "UP");
	assert_int_equal(put(w, ONE "?lastDirtyTimestamp=99"), 200);
	assert_int_equal(put(w, ONE "?lastDirtyTimestamp=101"), 404);
	assert_int_equal(put(w, ONE "?lastDirtyTimestamp=x"), 500);
	w->ask.more_name = "x-netflix-discovery-replication";
	w->ask.more_value = "true";
	assert_int_equal(put(w, ONE "?lastDirtyTimestamp=99"), 409);
	assert_true(ask_has(&w->ask, "\"instanceId\":\"one\""));
}

static void an_unknown_status_can_never_be_renewed(void **state)
{
	struct world *w = *state;

	assert_int_equal(post(w, PLAIN ",\"status\":\"up\""), 204);
	assert_int_equal(put(w, ONE), 404);
}

static void a_cancellation_is_found_or_not(void **state)
{
	struct world *w = *state;

	post(w, PLAIN);
	assert_int_equal(delete(w, ONE), 200);
	assert_int_equal(delete(w, ONE), 404);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 0);
}

/* ---- Status ---- */

static void out_of_service_and_up_stick(void **state)
{
	static const struct {
		const char *from, *to, *result;
	} cases[] = {
		{ "UP", "OUT_OF_SERVICE", "UP" }, { "OUT_OF_SERVICE", "UP", "OUT_OF_SERVICE" }, { "UP", "DOWN", "DOWN" },
		{ "UP", "STARTING", "STARTING" }, { "OUT_OF_SERVICE", "DOWN", "DOWN" }, { "DOWN", "UP", "UP" },
		{ "STARTING", "UP", "UP" }, { "DOWN", "OUT_OF_SERVICE", "OUT_OF_SERVICE" },
	};
	struct world *w = *state;
	char members[512];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		delete(w, ONE);
		snprintf(members, sizeof(members), PLAIN ",\"status\":\"%s\",\"lastDirtyTimestamp\":\"1\"", cases[i].from);
		post(w, members);
		snprintf(members, sizeof(members), PLAIN ",\"status\":\"%s\",\"lastDirtyTimestamp\":\"2\"", cases[i].to);
		post(w, members);
		expect_status(w, cases[i].result);
	}
}

static void an_override_holds_until_it_is_dropped(void **state)
{
	struct world *w = *state;

	post(w, PLAIN ",\"lastDirtyTimestamp\":\"1\"");
	assert_int_equal(put(w, ONE "/status?value=OUT_OF_SERVICE"), 200);
	expect_status(w, "OUT_OF_SERVICE");
	post(w, PLAIN ",\"lastDirtyTimestamp\":\"2\"");
	expect_status(w, "OUT_OF_SERVICE");
	post(w, PLAIN ",\"status\":\"DOWN\",\"lastDirtyTimestamp\":\"3\"");
	expect_status(w, "DOWN");
	post(w, PLAIN ",\"lastDirtyTimestamp\":\"4\"");
	expect_status(w, "OUT_OF_SERVICE");
	assert_int_equal(delete(w, ONE "/status?value=UP"), 200);
	expect_status(w, "UP");
	assert_int_equal(put(w, ONE), 200);
	assert_int_equal(put(w, ONE "/status?value=up"), 500);
	assert_int_equal(put(w, ONE "/status"), 500);
	assert_int_equal(put(w, WEB "/two/status?value=UP"), 404);
}

static void dropping_an_override_without_a_value_leaves_unknown(void **state)
{
	struct world *w = *state;

	post(w, PLAIN ",\"lastDirtyTimestamp\":\"1\"");
	put(w, ONE "/status?value=OUT_OF_SERVICE");
	assert_int_equal(delete(w, ONE "/status"), 200);
	expect_status(w, "UNKNOWN");
	assert_int_equal(put(w, ONE), 404);
	post(w, PLAIN ",\"lastDirtyTimestamp\":\"1\"");
	expect_status(w, "UP");
}

static void overrides_go_by_id_alone(void **state)
{
	struct world *w = *state;

	post(w, PLAIN);
	fake_eureka_stranger(w->eureka, "SHOP", "one", "10.0.0.9", NULL);
	put(w, APPS "/SHOP/one/status?value=OUT_OF_SERVICE");
	put(w, ONE);
	expect_status(w, "OUT_OF_SERVICE");
	assert_int_equal(delete(w, APPS "/NOBODY/one"), 404);
	post(w, PLAIN ",\"status\":\"DOWN\"");
	post(w, PLAIN ",\"status\":\"UP\"");
	expect_status(w, "UP");
}

static void metadata_is_added_under_the_same_timestamp(void **state)
{
	struct world *w = *state;

	post(w, PLAIN ",\"lastDirtyTimestamp\":\"5\"");
	assert_int_equal(put(w, ONE "/metadata?a=b&c=d%20e"), 200);
	assert_string_equal(fake_eureka_metadata(w->eureka, "WEB", "one", "c"), "d e");
	assert_int_equal(fake_eureka_find(w->eureka, "WEB", "one")->dirty_ms, 5);
	assert_int_equal(put(w, WEB "/two/metadata?a=b"), 404);
}

/* ---- The clock ---- */

#define SHORT PLAIN ",\"leaseInfo\":{\"durationInSecs\":3}"

static void a_lease_lasts_its_duration_after_registering(void **state)
{
	struct world *w = *state;

	post(w, SHORT);
	sim_advance(w->loop, 2900);
	assert_int_equal(ask_get(&w->ask, ONE), 200);
	sim_advance(w->loop, 1300);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 1);
}

static void a_lease_lasts_twice_its_duration_after_a_renewal(void **state)
{
	struct world *w = *state;

	post(w, SHORT);
	put(w, ONE);
	sim_advance(w->loop, 5900);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 1);
	sim_advance(w->loop, 1300);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
}

static void an_expired_lease_can_still_be_renewed(void **state)
{
	struct world *w;

	tear_down(state);
	set_up_with(state, &(struct fake_eureka_config){ .eviction_ms = 60000 });
	w = *state;
	post(w, SHORT);
	sim_advance(w->loop, 4000);
	assert_int_equal(ask_get(&w->ask, ONE), 404);
	assert_int_equal(put(w, ONE), 200);
	assert_int_equal(ask_get(&w->ask, ONE), 200);
}

static void evictions_take_a_part_at_a_time(void **state)
{
	struct world *w = *state;
	char id[16];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "i%u", i);
		fake_eureka_stranger(w->eureka, "SHOP", id, "10.0.0.9", NULL);
	}
	sim_advance(w->loop, 91100);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 3);
	sim_advance(w->loop, 1000);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 6);
}

static void a_server_that_preserves_itself_evicts_nobody(void **state)
{
	struct world *w;

	tear_down(state);
	set_up_with(state, &(struct fake_eureka_config){ .eviction_ms = 1000, .preserves_itself = true });
	w = *state;
	post(w, SHORT);
	sim_advance(w->loop, 200000);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 1);
}

static void a_jump_of_the_wall_clock_is_not_the_servers(void **state)
{
	struct world *w = *state;

	post(w, SHORT);
	sim_jump_wall(w->loop, 3600000);
	sim_advance(w->loop, 1500);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 1);
}

/* ---- Lists ---- */

static void lists_have_the_shape_that_clients_know(void **state)
{
	struct world *w = *state;

	post(w, PLAIN);
	fake_eureka_stranger(w->eureka, "SHOP", "two", "10.0.0.9", NULL);
	put(w, APPS "/SHOP/two/status?value=DOWN");
	assert_int_equal(ask_get(&w->ask, APPS), 200);
	assert_true(ask_has(&w->ask, "{\"applications\":{\"versions__delta\":\"1\",\"apps__hashcode\":\"DOWN_1_UP_1_\",\"application\":["
		"{\"name\":\"SHOP\",\"instance\":[{"));
	assert_int_equal(ask_get(&w->ask, APPS "/web"), 200);
	assert_true(ask_has(&w->ask, "{\"application\":{\"name\":\"WEB\",\"instance\":[{\"instanceId\":\"one\""));
	assert_int_equal(ask_get(&w->ask, APPS "/NONE"), 404);
	assert_int_equal(ask_get(&w->ask, "/eureka/vips/web"), 200);
	assert_true(ask_has(&w->ask, "\"one\"") && !ask_has(&w->ask, "\"two\""));
	assert_int_equal(ask_get(&w->ask, "/eureka/vips/none"), 200);
	assert_int_equal(ask_get(&w->ask, "/eureka/instances/two"), 200);
	assert_int_equal(ask_get(&w->ask, "/eureka//apps"), 404);
	w->ask.accept = "*/*";
	ask_get(&w->ask, APPS);
	assert_true(ask_has(&w->ask, "<applications/>"));
}

static void a_delta_tells_what_came_changed_and_went(void **state)
{
	struct world *w = *state;

	post(w, PLAIN);
	fake_eureka_stranger(w->eureka, "SHOP", "two", "10.0.0.9", NULL);
	delete(w, ONE);
	ask_get(&w->ask, APPS "/delta");
	assert_true(ask_has(&w->ask, "\"actionType\":\"DELETED\"") && ask_has(&w->ask, "\"actionType\":\"ADDED\""));
	assert_true(ask_has(&w->ask, "\"apps__hashcode\":\"UP_1_\""));
	sim_advance(w->loop, 181000);
	delete(w, APPS "/SHOP/two");
	ask_get(&w->ask, APPS "/delta");
	assert_false(ask_has(&w->ask, "\"one\""));
}

static void lists_may_lag_behind_but_single_reads_do_not(void **state)
{
	struct world *w = *state;

	fake_eureka_lag(w->eureka, 30000);
	assert_int_equal(ask_get(&w->ask, APPS), 200);
	post(w, PLAIN);
	ask_get(&w->ask, APPS);
	assert_false(ask_has(&w->ask, "\"one\""));
	assert_int_equal(ask_get(&w->ask, ONE), 200);
	sim_advance(w->loop, 30000);
	ask_get(&w->ask, APPS);
	assert_true(ask_has(&w->ask, "\"one\""));
}

static void old_servers_write_a_list_of_one_as_an_object(void **state)
{
	struct world *w;

	tear_down(state);
	set_up_with(state, &(struct fake_eureka_config){ .collapses_lists = true, .has_plain_404 = true });
	w = *state;
	post(w, PLAIN);
	ask_get(&w->ask, APPS);
	assert_true(ask_has(&w->ask, "\"application\":{\"name\":\"WEB\",\"instance\":{\"instanceId\""));
	ask_get(&w->ask, WEB);
	assert_true(ask_has(&w->ask, "{\"application\":{\"name\":\"WEB\""));
	ask_get(&w->ask, WEB "/none");
	assert_string_equal(w->ask.body, "");
}

/* ---- Faults and the log ---- */

static void a_gate_a_lost_registry_and_scripted_answers(void **state)
{
	struct world *w = *state;

	post(w, PLAIN);
	fake_eureka_close_gate(w->eureka, true);
	assert_int_equal(ask_get(&w->ask, APPS), 403);
	assert_int_equal(ask_get(&w->ask, ONE), 200);
	fake_eureka_close_gate(w->eureka, false);
	fake_eureka_show_nothing(w->eureka, true);
	ask_get(&w->ask, APPS);
	assert_true(ask_has(&w->ask, "\"application\":[]"));
	fake_eureka_show_nothing(w->eureka, false);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "PUT", .status = 503 });
	assert_int_equal(put(w, ONE), 503);
	assert_int_equal(put(w, ONE), 200);
	fake_eureka_restart(w->eureka);
	assert_int_equal(put(w, ONE), 404);
}

static void a_lost_answer_took_effect(void **state)
{
	struct world *w = *state;

	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .action = FAKE_LOSE });
	assert_int_equal(post(w, PLAIN), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 1);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "DELETE", .action = FAKE_HANG });
	assert_int_equal(delete(w, ONE), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 1);
}

static void credentials_are_needed_where_they_are_set(void **state)
{
	struct world *w = *state;

	fake_eureka_authorization(w->eureka, "Basic dTpw");
	assert_int_equal(post(w, PLAIN), 401);
	w->ask.more_name = "Authorization";
	w->ask.more_value = "Basic dTpw";
	assert_int_equal(post(w, PLAIN), 204);
}

static void ids_are_decoded_and_some_bytes_refused(void **state)
{
	struct world *w = *state;

	fake_eureka_stranger(w->eureka, "WEB", "a:b:8080", "10.0.0.9", NULL);
	assert_int_equal(put(w, WEB "/a%3Ab:8080"), 200);
	assert_int_equal(put(w, WEB "/a%2Fb"), 400);
}

static void every_operation_is_logged(void **state)
{
	struct world *w = *state;
	const struct fake_op_record *log;
	size_t n;

	post(w, PLAIN ",\"lastDirtyTimestamp\":\"42\"");
	put(w, ONE "?lastDirtyTimestamp=42");
	put(w, WEB "/two");
	log = fake_eureka_log(w->eureka, &n);
	assert_int_equal(n, 3);
	assert_int_equal(log[0].op, FAKE_OP_REGISTER);
	assert_int_equal(log[0].dirty_ms, 42);
	assert_int_equal(log[1].status, 200);
	assert_int_equal(log[2].status, 404);
	assert_string_equal(log[2].id, "two");
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_RENEW), 2);
	assert_int_equal(fake_eureka_count_of(w->eureka, FAKE_OP_RENEW, "WEB", "one"), 1);
	fake_eureka_reset_log(w->eureka);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_RENEW), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_registration_is_kept_and_shown),
		TEST(what_is_missing_is_filled_in),
		TEST(each_fault_of_a_registration_has_its_text),
		TEST(an_unknown_object_leaks_into_the_instance),
		TEST(an_older_registration_is_ignored_in_silence),
		TEST(a_renewal_is_judged_by_its_timestamp),
		TEST(an_unknown_status_can_never_be_renewed),
		TEST(a_cancellation_is_found_or_not),
		TEST(out_of_service_and_up_stick),
		TEST(an_override_holds_until_it_is_dropped),
		TEST(dropping_an_override_without_a_value_leaves_unknown),
		TEST(overrides_go_by_id_alone),
		TEST(metadata_is_added_under_the_same_timestamp),
		TEST(a_lease_lasts_its_duration_after_registering),
		TEST(a_lease_lasts_twice_its_duration_after_a_renewal),
		TEST(an_expired_lease_can_still_be_renewed),
		TEST(evictions_take_a_part_at_a_time),
		TEST(a_server_that_preserves_itself_evicts_nobody),
		TEST(a_jump_of_the_wall_clock_is_not_the_servers),
		TEST(lists_have_the_shape_that_clients_know),
		TEST(a_delta_tells_what_came_changed_and_went),
		TEST(lists_may_lag_behind_but_single_reads_do_not),
		TEST(old_servers_write_a_list_of_one_as_an_object),
		TEST(a_gate_a_lost_registry_and_scripted_answers),
		TEST(a_lost_answer_took_effect),
		TEST(credentials_are_needed_where_they_are_set),
		TEST(ids_are_decoded_and_some_bytes_refused),
		TEST(every_operation_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
