/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broken servers and wires, named one by one: what is kept meanwhile, and how soon all is as it should be afterwards.
 * Faults in random order are test_random_worlds.c's.
 * Read next: tests/scenario/test_random_worlds.c.
 */
#include "kit/world.h"

#include <stdio.h>

/* What Eureka was asked about one instance, in order, as letters: R register, r renew, C cancel, G get. */
static const char *story_of(struct world *w, const char *id)
{
	static char story[256];
	size_t n, at = 0;
	const struct fake_op_record *log = fake_eureka_log(w->eureka, &n);

	for (size_t i = 0; i < n && at < sizeof(story) - 1; i++) {
		if (strcmp(log[i].id, id) != 0)
			continue;
		story[at++] = log[i].op == FAKE_OP_REGISTER ? 'R' : log[i].op == FAKE_OP_RENEW ? 'r' : log[i].op == FAKE_OP_CANCEL ? 'C' :
			      log[i].op == FAKE_OP_GET ? 'G' : '?';
	}
	story[at] = '\0';
	return story;
}

/* ---- Eureka ---- */

SCENARIO(eureka, restarted_empty_has_all_back_within_a_renewal_period)
{
	given_web_served(w, 20);
	fake_eureka_restart(w->eureka);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
	within(w, 28000, fake_eureka_n(w->eureka, "WEB") == 20);
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 20);
}

SCENARIO(eureka, away_for_minutes_is_filled_when_it_is_back)
{
	given_web_served(w, 3);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_REFUSE);
	when_pod_comes(w, "shop/web", "web-4");
	when_pod_vanishes(w, "shop/web", "web-1");
	within(w, 60000, !strcmp(ready_of(w, "shop/web", "reason"), "RegistryUnavailable"));
	assert_string_equal(ready_of(w, "shop/web", "status"), "False");
	pass_ms(w, 300000);
	fake_eureka_restart(w->eureka);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	within(w, 40000, is_up(w, "shop/WEB/web-2") && is_up(w, "shop/WEB/web-3") && is_up(w, "shop/WEB/web-4"));
	assert_null(instance_of(w, "shop/WEB/web-1"));
	within(w, 40000, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(eureka, away_for_less_than_a_lease_loses_nothing)
{
	given_web_served(w, 10);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_REFUSE);
	pass_ms(w, 40000);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	pass_ms(w, 300000);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
}

SCENARIO(eureka, a_lost_reply_of_a_registration_is_read_before_anything_is_written)
{
	given_web_served(w, 1);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = 1, .action = FAKE_LOSE });
	when_pod_comes(w, "shop/web", "web-2");
	within(w, 10000, !strcmp(status_of(w, "shop/web", "registered"), "2"));
	assert_string_equal(story_of(w, "test:shop:WEB:web-2:8080"), "RG");
}

SCENARIO(eureka, a_registration_that_never_arrived_is_read_and_put_again)
{
	given_web_served(w, 1);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = 1, .action = FAKE_CUT });
	when_pod_comes(w, "shop/web", "web-2");
	within(w, 10000, is_up(w, "shop/WEB/web-2"));
	assert_string_equal(story_of(w, "test:shop:WEB:web-2:8080"), "RGR");
}

SCENARIO(eureka, a_lost_reply_of_a_removal_is_read_before_anything_is_written)
{
	given_web_served(w, 2);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "DELETE", .times = 1, .action = FAKE_LOSE });
	when_pod_vanishes(w, "shop/web", "web-2");
	within(w, 10000, !strcmp(status_of(w, "shop/web", "registered"), "1"));
	assert_string_equal(story_of(w, "test:shop:WEB:web-2:8080"), "CG");
}

SCENARIO(eureka, that_hangs_is_given_up_and_nothing_is_written_blindly)
{
	const char *story;

	given_web_served(w, 1);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_HANG);
	when_pod_comes(w, "shop/web", "web-2");
	pass_ms(w, 25000);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK); /* what was sent meanwhile is handled now */
	within(w, 40000, !strcmp(status_of(w, "shop/web", "registered"), "2"));
	story = story_of(w, "test:shop:WEB:web-2:8080");
	assert_int_equal(story[0], 'R');
	assert_int_equal(story[1], 'G');
	assert_true(is_up(w, "shop/WEB/web-2"));
}

SCENARIO(eureka, that_hangs_does_not_stop_the_view_nor_the_other_registry)
{
	char body[4096];

	given_web_served(w, 1);
	given_pods(w, "shop/api", 1);
	given_syncer(w, "shop/api", "\"registry\":\"spare\"");
	soon(w, !strcmp(status_of(w, "shop/api", "registered"), "1"));
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_HANG);
	pass_ms(w, 1000);
	when_pod_comes(w, "shop/api", "api-2");
	soon(w, !strcmp(status_of(w, "shop/api", "registered"), "2"));
	assert_int_equal(when_asked(w, "http://operator:8080/healthz", body, sizeof(body)), 200);
}

SCENARIO(eureka, answering_500_for_a_while_is_tried_again_with_backoff)
{
	given_web_served(w, 1);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = FAKE_ALWAYS, .status = 500 });
	when_pod_comes(w, "shop/web", "web-2");
	within(w, 30000, !strcmp(status_of(w, "shop/web", "failing"), "1"));
	assert_string_equal(ready_of(w, "shop/web", "status"), "False");
	pass_ms(w, 120000);
	/* no faster than every five seconds or so (I5), no slower than every half minute */
	assert_in_range(n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-2"), 4, 40);
	fake_eureka_drop_rules(w->eureka);
	within(w, 40000, is_up(w, "shop/WEB/web-2"));
	soon(w, !strcmp(status_of(w, "shop/web", "failing"), "0"));
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(eureka, refusing_writes_while_it_renews_is_not_stormed)
{
	char pod[32];

	given_web_served(w, 200);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = FAKE_ALWAYS, .status = 500 });
	for (int i = 0; i < 100; i++) {
		snprintf(pod, sizeof(pod), "web-x%d", i);
		when_pod_comes(w, "shop/web", pod);
	}
	pass_ms(w, 60000);
	/* its answers to renewals must not end the waiting of what it refuses: at most a try every four seconds or so each */
	assert_in_range(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 300, 2000);
}

SCENARIO(eureka, asking_to_slow_down_is_waited_for)
{
	given_web_served(w, 1);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = 1, .status = 429, .headers = "Retry-After: 7\n" });
	when_pod_comes(w, "shop/web", "web-2");
	pass_ms(w, 6500);
	assert_int_equal(n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-2"), 1);
	within(w, 2000, is_up(w, "shop/WEB/web-2"));
}

SCENARIO(eureka, refusing_a_registration_is_told_and_not_repeated)
{
	given_web_served(w, 1);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = FAKE_ALWAYS, .status = 400 });
	when_pod_comes(w, "shop/web", "web-2");
	soon(w, !strcmp(status_of(w, "shop/web", "failing"), "1"));
	assert_string_equal(status_of(w, "shop/web", "failingInstances.0.reason"), "Refused");
	pass_ms(w, 120000);
	assert_int_equal(n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-2"), 1);
	fake_eureka_drop_rules(w->eureka);
	when_spec_changes(w, "shop/web", "\"instance\":{\"metadata\":{\"a\":\"b\"}}");
	then_up(w, "shop/WEB/web-2"); /* a change of the object tries again */
}

SCENARIO(eureka, asking_for_a_password_is_told)
{
	given_web_served(w, 1);
	fake_eureka_authorization(w->eureka, "Basic bm9wZQ==");
	when_pod_comes(w, "shop/web", "web-2");
	within(w, 30000, !strcmp(status_of(w, "shop/web", "failingInstances.0.reason"), "NotAuthorized"));
	fake_eureka_authorization(w->eureka, NULL);
	within(w, 40000, is_up(w, "shop/WEB/web-2"));
}

SCENARIO(eureka, showing_an_empty_list_in_an_audit_loses_nothing)
{
	given_web_served(w, 3);
	fake_eureka_show_nothing(w->eureka, true);
	pass_ms(w, 400000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 3);
}

SCENARIO(eureka, whose_entry_somebody_removed_has_it_back_by_the_next_renewal)
{
	given_web_served(w, 2);
	assert_true(fake_eureka_cancel(w->eureka, "WEB", "test:shop:WEB:web-1:8080"));
	within(w, 28000, is_up(w, "shop/WEB/web-1"));
}

SCENARIO(eureka, away_while_a_syncer_is_deleted_is_waited_for_and_then_cleaned_up)
{
	given_web_served(w, 2);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_REFUSE);
	when_syncer_deleted(w, "shop/web");
	pass_ms(w, 120000);
	assert_true(syncer_exists(w, "shop/web"));
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	within(w, 40000, !syncer_exists(w, "shop/web"));
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 0);
}

SCENARIO(eureka, away_for_too_long_releases_a_deleted_syncer_with_an_event)
{
	given_web_served(w, 2);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_REFUSE);
	when_syncer_deleted(w, "shop/web");
	pass_ms(w, 595000);
	assert_true(syncer_exists(w, "shop/web"));
	within(w, 20000, !syncer_exists(w, "shop/web"));
	soon(w, fake_kube_n_events(w->kube, "DeregistrationAbandoned", "web") == 1);
	soon(w, !w->app->engine->syncers);
	assert_int_equal(world_registry(w, "main")->ledger.n, 0);
}

/* ---- the API server ---- */

SCENARIO(kube, cut_watches_go_on_where_they_were)
{
	given_web_served(w, 2);
	fake_kube_cut_watches(w->kube, NULL, true);
	when_pod_comes(w, "shop/web", "web-3");
	when_pod_vanishes(w, "shop/web", "web-1");
	within(w, 6000, is_up(w, "shop/WEB/web-3") && !instance_of(w, "shop/WEB/web-1"));
}

SCENARIO(kube, forgotten_history_is_listed_again)
{
	given_web_served(w, 2);
	fake_kube_cut_watches(w->kube, NULL, true);
	when_pod_comes(w, "shop/web", "web-3");
	when_pod_vanishes(w, "shop/web", "web-1");
	fake_kube_compact(w->kube);
	within(w, 10000, is_up(w, "shop/WEB/web-3") && !instance_of(w, "shop/WEB/web-1"));
}

SCENARIO(kube, events_that_were_lost_are_made_good_by_the_audit)
{
	given_web_served(w, 2);
	fake_kube_drop_events(w->kube, "endpointslices", 2);
	when_pod_comes(w, "shop/web", "web-3");
	when_pod_vanishes(w, "shop/web", "web-1");
	pass_ms(w, 10000);
	assert_true(is_up(w, "shop/WEB/web-1")); /* nobody told us */
	within(w, 400000, is_up(w, "shop/WEB/web-3") && !instance_of(w, "shop/WEB/web-1"));
}

SCENARIO(kube, an_empty_list_of_services_removes_nothing)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = "/api/v1/services", .times = FAKE_ALWAYS, .action = FAKE_EMPTY });
	fake_kube_restart(w->kube);
	pass_ms(w, 700000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 3);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	fake_kube_drop_rules(w->kube);
	within(w, 20000, !strcmp(ready_of(w, "shop/web", "status"), "True")); /* it is asked for again */
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
}

SCENARIO(kube, an_empty_list_of_slices_removes_nothing)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = "/apis/discovery.k8s.io/v1/endpointslices", .times = FAKE_ALWAYS,
		.action = FAKE_EMPTY });
	fake_kube_restart(w->kube);
	within(w, 60000, !strcmp(ready_of(w, "shop/web", "reason"), "DeletesHeld"));
	pass_ms(w, 700000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 3);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	fake_kube_drop_rules(w->kube);
	within(w, 20000, !strcmp(ready_of(w, "shop/web", "status"), "True")); /* it is asked for again */
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(kube, an_event_after_an_empty_list_has_it_listed_again)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = "/apis/discovery.k8s.io/v1/endpointslices", .times = FAKE_ALWAYS,
		.action = FAKE_EMPTY });
	fake_kube_restart(w->kube);
	within(w, 60000, !strcmp(ready_of(w, "shop/web", "reason"), "DeletesHeld"));
	fake_kube_drop_rules(w->kube);
	given_pods(w, "shop/api", 1);
	within(w, 3000, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(kube, an_empty_list_at_start_removes_nothing)
{
	given_web_served(w, 3);
	when_killed(w);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = "/apis/discovery.k8s.io/v1/endpointslices", .times = FAKE_ALWAYS,
		.action = FAKE_EMPTY });
	when_started(w);
	pass_ms(w, 200000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 3);
}

SCENARIO(kube, a_syncer_that_a_list_does_not_show_is_kept_when_a_read_shows_it)
{
	unsigned n_reads = fake_kube_count(w->kube, "get", "eurekasyncers");

	given_web_served(w, 2);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = "/apis/eurekube.io/v1alpha1/eurekasyncers", .times = FAKE_ALWAYS,
		.action = FAKE_EMPTY });
	fake_kube_cut_watches(w->kube, "eurekasyncers", true);
	when_spec_changes(w, "shop/web", "\"instance\":{\"metadata\":{\"a\":\"b\"}}");
	fake_kube_compact(w->kube); /* so that it is listed again */
	within(w, 10000, fake_kube_count(w->kube, "get", "eurekasyncers") > n_reads);
	pass_ms(w, 200000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	fake_kube_drop_rules(w->kube);
	within(w, 400000, !strcmp(mark_of(w, "shop/WEB/web-1", "a"), "b")); /* by the next audit */
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(kube, a_syncer_that_vanished_unseen_is_cleaned_up_when_a_read_confirms_it)
{
	unsigned n_reads = fake_kube_count(w->kube, "get", "eurekasyncers");

	given_web_served(w, 2);
	fake_kube_cut_watches(w->kube, "eurekasyncers", true);
	fake_kube_remove(w->kube, "eurekasyncers", "shop", "web");
	fake_kube_compact(w->kube);
	within(w, 20000, fake_eureka_n(w->eureka, "WEB") == 0);
	assert_true(fake_kube_count(w->kube, "get", "eurekasyncers") > n_reads);
	soon(w, !w->app->engine->syncers);
}

SCENARIO(kube, a_doubt_that_cannot_be_settled_removes_nothing)
{
	given_web_served(w, 2);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/web",
		.times = FAKE_ALWAYS, .status = 500 });
	fake_kube_cut_watches(w->kube, "eurekasyncers", true);
	fake_kube_remove(w->kube, "eurekasyncers", "shop", "web");
	fake_kube_compact(w->kube);
	pass_ms(w, 120000);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
	fake_kube_drop_rules(w->kube);
	within(w, 10000, fake_eureka_n(w->eureka, "WEB") == 0);
}

SCENARIO(kube, away_for_minutes_costs_no_lease)
{
	given_web_served(w, 5);
	sim_fault(w->loop, KUBE_ORIGIN, SIM_REFUSE);
	fake_kube_cut_watches(w->kube, NULL, true);
	pass_ms(w, 400000);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 5);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	when_pod_comes(w, "shop/web", "web-9");
	sim_fault(w->loop, KUBE_ORIGIN, SIM_OK);
	within(w, 10000, is_up(w, "shop/WEB/web-9"));
}

SCENARIO(kube, events_told_twice_do_no_harm)
{
	given_web_served(w, 2);
	fake_kube_repeat_events(w->kube, "endpointslices", 10);
	fake_kube_repeat_events(w->kube, "eurekasyncers", 10);
	when_pod_comes(w, "shop/web", "web-3");
	when_pod_vanishes(w, "shop/web", "web-1");
	then_up(w, "shop/WEB/web-3");
	then_gone(w, "shop/WEB/web-1");
	pass_ms(w, 10000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 1);
}

SCENARIO(kube, without_streaming_lists_serves_as_well)
{
	fake_kube_set_streaming(w->kube, false);
	given_web_served(w, 2);
	fake_kube_restart(w->kube);
	when_pod_comes(w, "shop/web", "web-3");
	within(w, 10000, is_up(w, "shop/WEB/web-3"));
}

int main(void)
{
	return world_run_scenarios();
}
