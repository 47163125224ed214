/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main job, whole and in simulated time: what syncers select stands in Eureka, follows its pods, and goes when it should.
 * Restarts, broken servers and what the status says are told in the other files beside it.
 * Read next: tests/scenario/test_restart.c.
 */
#include "kit/world.h"

#include <stdio.h>

/* ---- the example ---- */

SCENARIO(serving, the_pods_of_a_service_are_up_in_eureka)
{
	const struct fake_instance *found;

	given_pods(w, "rating/rating", 2);
	given_syncer(w, "rating/rating", "\"application\":\"RATING\",\"instance\":{\"metadata\":{\"version\":\"3\"}}");
	when_started(w);
	then_up(w, "rating/RATING/rating-1");
	then_up(w, "rating/RATING/rating-2");
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 2);

	found = instance_of(w, "rating/RATING/rating-1");
	assert_string_equal(found->app, "RATING");
	assert_string_equal(found->id, "test:rating:RATING:rating-1:8080");
	assert_string_equal(found->host, "10.0.0.1");
	assert_string_equal(found->address, "10.0.0.1");
	assert_string_equal(found->vip, "rating");
	assert_int_equal(found->port, 8080);
	assert_true(found->has_port);
	assert_false(found->has_secure_port);
	assert_int_equal(found->lease_seconds, 90);
	assert_string_equal(mark_of(w, "rating/RATING/rating-1", "eurekube.owner"), "test/rating/rating");
	assert_string_equal(mark_of(w, "rating/RATING/rating-1", "eurekube.pod"), world_pod(w, "rating/rating", "rating-1")->uid);
	assert_int_equal(strlen(mark_of(w, "rating/RATING/rating-1", "eurekube.digest")), 16);
	assert_string_equal(mark_of(w, "rating/RATING/rating-1", "version"), "3");
	soon(w, !strcmp(ready_of(w, "rating/rating", "status"), "True"));
	assert_string_equal(status_of(w, "rating/rating", "desired"), "2");
	soon(w, !strcmp(status_of(w, "rating/rating", "registered"), "2"));
}

SCENARIO(serving, names_come_from_the_service_where_the_syncer_gives_none)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	assert_string_equal(instance_of(w, "shop/WEB/web-1")->vip, "web");
}

SCENARIO(serving, nothing_is_registered_before_the_finalizer_stands)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH", .path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/web",
		.times = 3, .status = 500 });
	when_started(w);
	while (!strstr(fake_kube_get(w->kube, "eurekasyncers", "shop", "web"), "eurekube.io/deregister")) {
		assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
		pass_ms(w, 1);
	}
	then_up(w, "shop/WEB/web-1");
}

/* ---- pods come and go ---- */

SCENARIO(serving, growth_is_registered_within_a_second)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	when_pod_comes(w, "shop/web", "web-9");
	within(w, 1000, is_up(w, "shop/WEB/web-9"));
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "3"));
}

SCENARIO(serving, a_terminating_pod_leaves_at_once)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	when_pod_terminates(w, "shop/web", "web-1");
	within(w, 200, !instance_of(w, "shop/WEB/web-1"));
	when_pod_vanishes(w, "shop/web", "web-1");
	pass_ms(w, 5000);
	assert_int_equal(n_ops(w, FAKE_OP_CANCEL, "shop/WEB/web-1"), 1);
	assert_true(is_up(w, "shop/WEB/web-2"));
}

SCENARIO(serving, a_pod_that_vanished_leaves)
{
	given_pods(w, "shop/web", 3);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 3);
	when_pod_vanishes(w, "shop/web", "web-2");
	then_gone(w, "shop/WEB/web-2");
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
}

SCENARIO(serving, a_pod_that_is_not_ready_leaves_and_comes_back)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	when_pod_is_ready(w, "shop/web", "web-1", false);
	within(w, 200, !instance_of(w, "shop/WEB/web-1"));
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "NoEndpoints"));
	assert_string_equal(ready_of(w, "shop/web", "status"), "True");
	when_pod_is_ready(w, "shop/web", "web-1", true);
	then_up(w, "shop/WEB/web-1");
}

SCENARIO(serving, a_registration_waits_two_seconds_after_a_removal_of_its_id)
{
	size_t n;
	const struct fake_op_record *log;
	int64_t removed = 0, registered = 0;

	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	fake_eureka_reset_log(w->eureka);
	when_pod_is_ready(w, "shop/web", "web-1", false);
	then_gone(w, "shop/WEB/web-1");
	when_pod_is_ready(w, "shop/web", "web-1", true);
	then_up(w, "shop/WEB/web-1");
	log = fake_eureka_log(w->eureka, &n);
	for (size_t i = 0; i < n; i++) {
		if (log[i].op == FAKE_OP_CANCEL)
			removed = log[i].at_ms;
		if (log[i].op == FAKE_OP_REGISTER)
			registered = log[i].at_ms;
	}
	assert_in_range(registered - removed, 2000, 2500);
}

SCENARIO(serving, a_pod_that_flaps_ends_as_it_is)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	for (int i = 0; i < 20; i++) {
		when_pod_is_ready(w, "shop/web", "web-1", i % 2);
		pass_ms(w, 90);
	}
	then_up(w, "shop/WEB/web-1");
	pass_ms(w, 30000);
	assert_true(is_up(w, "shop/WEB/web-1"));
}

SCENARIO(serving, a_pod_reborn_under_its_name_is_removed_and_put)
{
	struct fake_instance before, after;

	given_pods(w, "shop/db", 1);
	given_syncer(w, "shop/db", NULL);
	when_started(w);
	then_up(w, "shop/DB/db-1");
	before = *instance_of(w, "shop/DB/db-1");
	pass_ms(w, 10000);
	when_pod_is_reborn(w, "shop/db", "db-1");
	soon(w, n_ops(w, FAKE_OP_CANCEL, "shop/DB/db-1") == 1);
	within(w, 5000, is_up(w, "shop/DB/db-1"));
	after = *instance_of(w, "shop/DB/db-1");
	assert_true(after.registered_ms > before.registered_ms);
	assert_string_equal(mark_of(w, "shop/DB/db-1", "eurekube.pod"), world_pod(w, "shop/db", "db-1")->uid);
	pass_ms(w, 5000);
	assert_int_equal(n_ops(w, FAKE_OP_REGISTER, "shop/DB/db-1"), 2);
}

SCENARIO(serving, a_service_deleted_in_an_event_empties_its_application)
{
	given_pods(w, "shop/web", 3);
	given_pods(w, "shop/api", 1);
	given_syncer(w, "shop/web", NULL);
	given_syncer(w, "shop/api", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 3);
	then_up(w, "shop/API/api-1");
	when_service_deleted(w, "shop/web");
	soon(w, fake_eureka_n(w->eureka, "WEB") == 0);
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "NothingSelected"));
	assert_true(is_up(w, "shop/API/api-1"));
}

SCENARIO(serving, only_syncers_of_the_namespace_select_a_service)
{
	given_pods(w, "shop/web", 1);
	given_pods(w, "other/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	pass_ms(w, 2000);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 1);
}

/* ---- leases ---- */

SCENARIO(serving, leases_are_renewed_every_period)
{
	given_pods(w, "shop/web", 5);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 5);
	pass_ms(w, 27000); /* into the steady state */
	fake_eureka_reset_log(w->eureka);
	pass_ms(w, 270000);
	assert_in_range(n_ops(w, FAKE_OP_RENEW, "shop/WEB/web-1"), 9, 11);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 5);
}

struct renewals {
	int64_t last[1000], longest;
	unsigned per_second, most_per_second;
	int64_t second;
};

static void measure_renewals(struct world *w, struct renewals *seen)
{
	size_t n;
	const struct fake_op_record *log = fake_eureka_log(w->eureka, &n);

	for (size_t i = 0; i < n; i++) {
		int number;

		if (log[i].op != FAKE_OP_RENEW || sscanf(log[i].id, "test:big:BIG:big-%d:8080", &number) != 1)
			continue;
		if (seen->last[number - 1] && log[i].at_ms - seen->last[number - 1] > seen->longest)
			seen->longest = log[i].at_ms - seen->last[number - 1];
		seen->last[number - 1] = log[i].at_ms;
		if (log[i].at_ms / 1000 != seen->second)
			seen->per_second = 0;
		seen->second = log[i].at_ms / 1000;
		if (++seen->per_second > seen->most_per_second)
			seen->most_per_second = seen->per_second;
	}
}

SCENARIO(serving, a_thousand_leases_are_renewed_evenly_and_in_time)
{
	static struct renewals seen;

	memset(&seen, 0, sizeof(seen));
	given_pods(w, "big/big", 1000);
	given_syncer(w, "big/big", NULL);
	when_started(w);
	within(w, 10000, fake_eureka_n(w->eureka, "BIG") == 1000);
	soon(w, !strcmp(status_of(w, "big/big", "registered"), "1000"));
	pass_ms(w, 28000);
	fake_eureka_reset_log(w->eureka);
	pass_ms(w, 280000);
	measure_renewals(w, &seen);
	if (seen.longest > 27000 + 500 || seen.most_per_second > 80)
		fail_msg("%lld ms between two renewals, %u in one second", (long long)seen.longest, seen.most_per_second);
	assert_int_equal(fake_eureka_n(w->eureka, "BIG"), 1000);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
}

/* ---- changes of a syncer ---- */

SCENARIO(serving, a_changed_metadata_is_put_without_a_removal)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	when_spec_changes(w, "shop/web", "\"instance\":{\"vipAddress\":\"front\",\"metadata\":{\"color\":\"red\"}}");
	soon(w, !strcmp(mark_of(w, "shop/WEB/web-1", "color"), "red"));
	assert_string_equal(instance_of(w, "shop/WEB/web-1")->vip, "front");
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(serving, a_renamed_application_is_made_before_it_is_broken)
{
	int64_t end;

	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	sim_latency(w->loop, EUREKA_ORIGIN, 100);
	end = now_ms(w) + 20000;
	when_spec_changes(w, "shop/web", "\"application\":\"front\"");
	while (instance_of(w, "shop/WEB/web-1") || instance_of(w, "shop/WEB/web-2")) {
		for (int i = 1; i <= 2; i++) {
			bool has_old = instance_of(w, i == 1 ? "shop/WEB/web-1" : "shop/WEB/web-2"), has_new = is_up(w, i == 1 ? "shop/FRONT/web-1" : "shop/FRONT/web-2");

			assert_true(has_old || has_new);
		}
		pass_ms(w, 1);
		assert_true(now_ms(w) < end);
	}
	then_up(w, "shop/FRONT/web-1");
	then_up(w, "shop/FRONT/web-2");
	soon(w, !strcmp(status_of(w, "shop/web", "applications.0"), "FRONT"));
}

SCENARIO(serving, a_changed_port_is_made_before_it_is_broken)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = 1, .status = 503 });
	given_service_on(w, "shop/web", "http", 9090);
	pass_ms(w, 500);
	assert_true(is_up(w, "shop/WEB/web-1")); /* the new one is not confirmed */
	soon(w, is_up(w, "shop/WEB/web-1:9090"));
	then_gone(w, "shop/WEB/web-1");
}

SCENARIO(serving, a_syncer_that_changes_its_registry_moves)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	when_spec_changes(w, "shop/web", "\"registry\":\"spare\"");
	soon(w, fake_eureka_n(w->eureka, "WEB") == 0);
	soon(w, !strcmp(status_of(w, "shop/web", "registry"), "spare"));
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "2"));
	assert_int_equal(world_registry(w, "spare")->ledger.n, 2);
	soon(w, world_registry(w, "main")->ledger.n == 0);
	when_spec_changes(w, "shop/web", "\"registry\":null");
	then_up(w, "shop/WEB/web-1");
	soon(w, world_registry(w, "spare")->ledger.n == 0);
}

/* ---- suspension ---- */

SCENARIO(serving, a_suspended_syncer_changes_nothing_and_keeps_its_leases)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	when_spec_changes(w, "shop/web", "\"suspend\":true");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "Suspended"));
	when_pod_vanishes(w, "shop/web", "web-1");
	when_pod_comes(w, "shop/web", "web-3");
	pass_ms(w, 200000);
	assert_true(is_up(w, "shop/WEB/web-1"));
	assert_true(is_up(w, "shop/WEB/web-2"));
	assert_null(instance_of(w, "shop/WEB/web-3"));
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	when_spec_changes(w, "shop/web", "\"suspend\":false");
	then_gone(w, "shop/WEB/web-1");
	then_up(w, "shop/WEB/web-3");
}

SCENARIO(serving, what_eureka_lost_of_a_suspended_syncer_is_put_again)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	when_spec_changes(w, "shop/web", "\"suspend\":true");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "Suspended"));
	fake_eureka_restart(w->eureka);
	within(w, 30000, fake_eureka_n(w->eureka, "WEB") == 2);
}

/* ---- deletion ---- */

SCENARIO(serving, a_deleted_syncer_deregisters_and_then_goes)
{
	int64_t end;

	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	when_syncer_deleted(w, "shop/web");
	end = now_ms(w) + 5000;
	while (syncer_exists(w, "shop/web")) {
		pass_ms(w, 1);
		assert_true(now_ms(w) < end);
	}
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0); /* not released before all is gone */
	soon(w, world_registry(w, "main")->ledger.n == 0);
	pass_ms(w, 100000);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
}

SCENARIO(serving, an_orphaning_syncer_leaves_its_instances_to_their_leases)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", "\"deletionPolicy\":\"Orphan\"");
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	assert_null(strstr(fake_kube_get(w->kube, "eurekasyncers", "shop", "web"), "eurekube.io/deregister"));
	when_syncer_deleted(w, "shop/web");
	soon(w, !syncer_exists(w, "shop/web"));
	pass_ms(w, 20000);
	assert_true(is_up(w, "shop/WEB/web-1"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	within(w, 300000, !instance_of(w, "shop/WEB/web-1")); /* nobody renews it */
}

SCENARIO(serving, a_syncer_that_turns_to_orphan_loses_its_finalizer)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	when_spec_changes(w, "shop/web", "\"deletionPolicy\":\"Orphan\"");
	soon(w, !strstr(fake_kube_get(w->kube, "eurekasyncers", "shop", "web"), "eurekube.io/deregister"));
	assert_true(is_up(w, "shop/WEB/web-1"));
}

SCENARIO(serving, a_syncer_removed_by_force_is_cleaned_up_all_the_same)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	fake_kube_remove(w->kube, "eurekasyncers", "shop", "web");
	soon(w, fake_eureka_n(w->eureka, NULL) == 0);
	soon(w, world_registry(w, "main")->ledger.n == 0);
	soon(w, !w->app->engine->syncers);
}

SCENARIO(serving, a_syncer_made_again_under_its_name_goes_on)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	when_syncer_deleted(w, "shop/web");
	soon(w, !syncer_exists(w, "shop/web"));
	given_syncer(w, "shop/web", NULL);
	then_up(w, "shop/WEB/web-1");
	when_syncer_deleted(w, "shop/web");
	soon(w, !syncer_exists(w, "shop/web"));
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
}

SCENARIO(serving, what_our_own_write_has_brought_is_not_waited_for)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	fake_kube_freeze(w->kube, "eurekasyncers", true); /* the watch never tells that the finalizer stands */
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	fake_kube_freeze(w->kube, "eurekasyncers", false);
	pass_ms(w, 3000);
	assert_int_equal(fake_kube_count(w->kube, "patch", "eurekasyncers"), 1);
}

SCENARIO(serving, an_event_from_before_our_own_write_changes_nothing_back)
{
	char old[8192], event[8300];

	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	fake_kube_freeze(w->kube, "eurekasyncers", true);
	snprintf(old, sizeof(old), "%s", fake_kube_get(w->kube, "eurekasyncers", "shop", "web"));
	when_spec_changes(w, "shop/web", "\"instance\":{\"metadata\":{\"a\":\"b\"}}");
	when_pod_comes(w, "shop/web", "web-2"); /* the answer to the next status shows the change */
	within(w, 5000, !strcmp(mark_of(w, "shop/WEB/web-1", "a"), "b"));
	snprintf(event, sizeof(event), "{\"type\":\"MODIFIED\",\"object\":%s}\n", old);
	pass_ms(w, 3000);
	fake_eureka_reset_log(w->eureka);
	fake_kube_emit(w->kube, "eurekasyncers", event);
	pass_ms(w, 3000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_string_equal(status_of(w, "shop/web", "observedGeneration"), "2");
}

SCENARIO(serving, a_conflict_on_the_finalizer_is_tried_again)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH", .path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/web",
		.times = 1, .status = 409 });
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH", .path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/web",
		.times = 1, .status = 422 });
	when_started(w);
	within(w, 10000, is_up(w, "shop/WEB/web-1"));
	fake_kube_drop_rules(w->kube);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH", .path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/web",
		.times = 1, .status = 422 });
	when_syncer_deleted(w, "shop/web");
	within(w, 10000, !syncer_exists(w, "shop/web"));
}

/* ---- neighbours ---- */

SCENARIO(serving, of_two_claims_to_one_application_the_older_wins_and_hands_over)
{
	given_pods(w, "shop/web", 1);
	given_pods(w, "shop/api", 1);
	given_syncer_at(w, "shop/api", "2024-05-01T10:00:00Z", "{\"app\":\"api\"}", "\"application\":\"FRONT\"");
	given_syncer_at(w, "shop/web", "2024-05-01T10:00:01Z", "{\"app\":\"web\"}", "\"application\":\"front\"");
	when_started(w);
	then_up(w, "shop/FRONT/api-1");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "Conflict"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "shop/api"));
	pass_ms(w, 5000);
	assert_null(instance_of(w, "shop/FRONT/web-1"));
	when_syncer_deleted(w, "shop/api");
	then_gone(w, "shop/FRONT/api-1");
	then_up(w, "shop/FRONT/web-1");
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(serving, the_older_claim_wins_though_it_is_seen_later)
{
	given_pods(w, "shop/web", 1);
	given_pods(w, "shop/api", 1);
	given_syncer_at(w, "shop/web", "2024-05-01T10:00:01Z", "{\"app\":\"web\"}", "\"application\":\"FRONT\"");
	when_started(w);
	then_up(w, "shop/FRONT/web-1");
	given_syncer_at(w, "shop/api", "2024-05-01T10:00:00Z", "{\"app\":\"api\"}", "\"application\":\"FRONT\"");
	then_up(w, "shop/FRONT/api-1");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "Conflict"));
}

SCENARIO(serving, a_persons_override_is_left_alone_and_counted)
{
	const char *id = "test:shop:WEB:web-1:8080";

	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	assert_true(fake_eureka_override(w->eureka, "WEB", id, "OUT_OF_SERVICE"));
	within(w, 400000, !strcmp(status_of(w, "shop/web", "overridden"), "1"));
	pass_ms(w, 400000);
	assert_string_equal(instance_of(w, "shop/WEB/web-1")->status, "OUT_OF_SERVICE");
	assert_int_equal(n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-1"), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_true(fake_eureka_override(w->eureka, "WEB", id, NULL));
	within(w, 400000, !strcmp(status_of(w, "shop/web", "overridden"), "0"));
}

SCENARIO(serving, strangers_in_the_application_are_left_alone)
{
	fake_eureka_stranger(w->eureka, "WEB", "dc-host:web:8080", "192.168.1.5", NULL);
	fake_eureka_stranger(w->eureka, "WEB", "tokyo:shop:WEB:web-1:8080", "192.168.1.6", "\"eurekube.owner\":\"tokyo/shop/web\"");
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	when_syncer_deleted(w, "shop/web");
	soon(w, !syncer_exists(w, "shop/web"));
	assert_non_null(fake_eureka_find(w->eureka, "WEB", "dc-host:web:8080"));
	assert_non_null(fake_eureka_find(w->eureka, "WEB", "tokyo:shop:WEB:web-1:8080"));
	assert_int_equal(fake_eureka_count_of(w->eureka, FAKE_OP_RENEW, "WEB", "tokyo:shop:WEB:web-1:8080"), 0);
}

SCENARIO(serving, a_stranger_under_our_id_is_never_written)
{
	const char *id = "test:shop:WEB:web-1:8080";

	fake_eureka_stranger(w->eureka, "WEB", id, "192.168.1.5", NULL);
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 2);
	within(w, 10000, !strcmp(ready_of(w, "shop/web", "reason"), "Conflict"));
	assert_string_equal(status_of(w, "shop/web", "failingInstances.0.id"), id);
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count_of(w->eureka, FAKE_OP_REGISTER, "WEB", id), 0);
	assert_int_equal(fake_eureka_count_of(w->eureka, FAKE_OP_CANCEL, "WEB", id), 0);
	when_syncer_deleted(w, "shop/web");
	soon(w, !syncer_exists(w, "shop/web"));
	assert_int_equal(fake_eureka_count_of(w->eureka, FAKE_OP_CANCEL, "WEB", id), 0);
}

int main(void)
{
	return world_run_scenarios();
}
