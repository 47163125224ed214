/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be removed on which evidence (design.md I10, docs/design/0003): seen going, vanished in an event, missing from a list, missing after a start.
 * Empty lists by themselves are test_faults.c's.
 * Read next: host/sync/removals.c.
 */
#include "kit/world.h"

#include <stdio.h>

#define QUORUM_SLICES "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"

/* Four Services with two pods each, and four more that nobody selects, so that lists are never empty. */
static void given_four_served(struct world *w)
{
	static const char *const names[] = { "shop/web", "shop/cart", "shop/api", "shop/job" };

	for (int i = 0; i < 4; i++) {
		given_pods(w, names[i], 2);
		given_syncer(w, names[i], NULL);
	}
	when_started(w);
	within(w, 10000, fake_eureka_n(w->eureka, "WEB") + fake_eureka_n(w->eureka, "CART") + fake_eureka_n(w->eureka, "API") +
				 fake_eureka_n(w->eureka, "JOB") == 8);
	pass_ms(w, 5000);
	fake_eureka_reset_log(w->eureka);
}

/* Gone while nobody watched, so that only the next list tells. */
static void when_lost_unseen(struct world *w, const char *const *services, unsigned n)
{
	fake_kube_cut_watches(w->kube, NULL, true);
	for (unsigned i = 0; i < n; i++)
		when_service_deleted(w, services[i]);
	fake_kube_compact(w->kube);
}

static const char *const three[] = { "shop/web", "shop/cart", "shop/api" };

static void when_approved(struct world *w, const char *name, const char *plan)
{
	char patch[160];

	snprintf(patch, sizeof(patch), "{\"metadata\":{\"annotations\":{\"eurekube.io/approve\":\"%s\"}}}", plan);
	assert_true(fake_kube_patch(w->kube, "eurekasyncers", "shop", name, NULL, patch));
}

static bool is_held(struct world *w, const char *syncer)
{
	return !strcmp(ready_of(w, syncer, "reason"), "DeletesHeld");
}

/* ---- events ---- */

SCENARIO(guard, an_endpoint_that_was_seen_going_goes_without_a_read)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/api/v1/namespaces/shop/services", .times = FAKE_ALWAYS, .status = 500 });
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = QUORUM_SLICES, .times = FAKE_ALWAYS, .status = 500 });
	when_pod_terminates(w, "shop/web", "web-1");
	then_gone(w, "shop/WEB/web-1");
	when_pod_is_ready(w, "shop/web", "web-2", false);
	then_gone(w, "shop/WEB/web-2");
}

SCENARIO(guard, an_endpoint_that_vanished_while_it_was_ready_goes_after_a_read)
{
	unsigned n_reads;

	given_web_served(w, 3);
	n_reads = fake_kube_count(w->kube, "list", "endpointslices");
	when_pod_vanishes(w, "shop/web", "web-1");
	then_gone(w, "shop/WEB/web-1");
	assert_int_equal(fake_kube_count(w->kube, "list", "endpointslices"), n_reads + 1);
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 1);
	assert_int_equal(fake_kube_count(w->kube, "list", "endpointslices"), n_reads + 1);
}

SCENARIO(guard, a_read_that_fails_holds_the_removal_and_says_so)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = QUORUM_SLICES, .times = FAKE_ALWAYS, .status = 500 });
	when_pod_vanishes(w, "shop/web", "web-1");
	within(w, 30000, is_held(w, "shop/web"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "confirms"));
	pass_ms(w, 400000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	fake_kube_drop_rules(w->kube);
	within(w, 8000, !instance_of(w, "shop/WEB/web-1"));
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(guard, a_read_without_anything_that_events_have_shown_is_not_believed)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = QUORUM_SLICES, .times = FAKE_ALWAYS, .action = FAKE_EMPTY });
	when_pod_vanishes(w, "shop/web", "web-1");
	pass_ms(w, 100000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	fake_kube_drop_rules(w->kube);
	within(w, 35000, !instance_of(w, "shop/WEB/web-1"));
}

SCENARIO(guard, a_list_cut_short_by_a_proxy_confirms_nothing)
{
	given_web_served(w, 3);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = QUORUM_SLICES, .times = FAKE_ALWAYS, .status = 200,
		.body = "{\"kind\":\"EndpointSliceList\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{\"metadata\":{\"namespace\":\"shop\","
			"\"name\":\"web-1\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"IPv4\",\"ports\":[{\"name\":\"http\","
			"\"port\":8080,\"protocol\":\"TCP\"}],\"endpoints\":[{\"addresses\":[\"10.0.0.99\"],\"targetRef\":{\"kind\":\"Pod\","
			"\"namespace\":\"shop\",\"name\":\"web-9\",\"uid\":\"uid-web-9\"}}]}," });
	when_pod_vanishes(w, "shop/web", "web-1");
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(guard, an_event_that_never_happened_takes_nothing_away_and_is_mended)
{
	unsigned n_watches;

	given_web_served(w, 3);
	n_watches = fake_kube_count(w->kube, "watch", "endpointslices");
	fake_kube_emit(w->kube, "endpointslices", "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"namespace\":\"shop\",\"name\":\"web-1\","
		"\"uid\":\"none\",\"resourceVersion\":\"999999\"}}}\n");
	within(w, 5000, fake_kube_count(w->kube, "watch", "endpointslices") > n_watches); /* listed again */
	pass_ms(w, 5000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_string_equal(ready_of(w, "shop/web", "status"), "True");
	assert_string_equal(status_of(w, "shop/web", "desired"), "3");
}

SCENARIO(guard, a_syncer_that_is_edited_while_it_is_read_for_is_read_for_again)
{
	struct fake_endpoint same = FAKE_READY("web-1", NULL);
	char ip[40], uid[96];

	given_web_served(w, 3);
	snprintf(ip, sizeof(ip), "%s", world_pod(w, "shop/web", "web-1")->ip);
	snprintf(uid, sizeof(uid), "%s", world_pod(w, "shop/web", "web-1")->uid);
	same.ip = ip;
	same.uid = uid;
	fake_kube_drop_events(w->kube, "services", 1); /* the view does not know the Service that the edit selects */
	fake_kube_service(w->kube, &(struct fake_service){ .ns = "shop", .name = "next" });
	fake_kube_slice(w->kube, &(struct fake_slice){ .ns = "shop", .service = "next", .endpoints = &same, .n_endpoints = 1 });
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/api/v1/namespaces/shop/services", .action = FAKE_DELAY, .delay_ms = 3000 });
	when_pod_vanishes(w, "shop/web", "web-1");
	pass_ms(w, 500);
	when_spec_changes(w, "shop/web", "\"selector\":{\"app\":\"next\"},\"application\":\"web\"");
	within(w, 10000, !instance_of(w, "shop/WEB/web-2"));
	assert_non_null(instance_of(w, "shop/WEB/web-1"));
	assert_int_equal(n_ops(w, FAKE_OP_CANCEL, "shop/WEB/web-1"), 0);
}

SCENARIO(guard, many_syncers_are_read_for_a_few_at_a_time)
{
	char name[32];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "shop/app%d", i);
		given_pods(w, name, 2);
		given_syncer(w, name, NULL);
	}
	when_started(w);
	pass_ms(w, 20000);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 80);
	for (int i = 0; i < 40; i++) {
		char pod[32];

		snprintf(name, sizeof(name), "shop/app%d", i);
		snprintf(pod, sizeof(pod), "app%d-1", i);
		when_pod_vanishes(w, name, pod);
	}
	within(w, 10000, fake_eureka_n(w->eureka, NULL) == 40);
}

/* ---- lists ---- */

SCENARIO(guard, a_list_that_fell_by_more_than_half_is_held_for_a_person)
{
	given_four_served(w);
	when_lost_unseen(w, three, 3);
	within(w, 20000, is_held(w, "shop/web") && is_held(w, "shop/cart") && is_held(w, "shop/api"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "eurekube.io/approve="));
	assert_string_equal(status_of(w, "shop/web", "plan.held"), "2");
	pass_ms(w, 700000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	when_pod_terminates(w, "shop/job", "job-1"); /* what is seen going goes all the same */
	then_gone(w, "shop/JOB/job-1");
}

SCENARIO(guard, what_a_person_approves_goes_and_nothing_else)
{
	char plan[40];

	given_four_served(w);
	when_lost_unseen(w, three, 3);
	within(w, 20000, is_held(w, "shop/web") && is_held(w, "shop/cart") && is_held(w, "shop/api"));
	snprintf(plan, sizeof(plan), "%s", status_of(w, "shop/web", "plan.hash"));
	when_approved(w, "web", "0123456789abcdef");
	when_approved(w, "cart", plan); /* another's */
	pass_ms(w, 20000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	when_approved(w, "web", plan);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 0);
	pass_ms(w, 20000);
	assert_int_equal(fake_eureka_n(w->eureka, "CART"), 2);
	assert_int_equal(fake_eureka_n(w->eureka, "API"), 2);
	assert_string_equal(status_of(w, "shop/web", "plan"), "");
}

SCENARIO(guard, the_doubt_ends_when_everything_held_was_approved)
{
	given_four_served(w);
	when_lost_unseen(w, three, 3);
	for (int i = 0; i < 3; i++)
		within(w, 20000, is_held(w, three[i]));
	for (int i = 0; i < 3; i++)
		when_approved(w, three[i] + 5, status_of(w, three[i], "plan.hash"));
	soon(w, fake_eureka_n(w->eureka, NULL) == 2);
	pass_ms(w, 30000);
	when_pod_vanishes(w, "shop/job", "job-2");
	then_gone(w, "shop/JOB/job-2");
}

SCENARIO(guard, a_list_that_shows_enough_again_ends_the_doubt)
{
	given_four_served(w);
	when_lost_unseen(w, three, 3);
	within(w, 20000, is_held(w, "shop/web"));
	given_service(w, "shop/web");
	within(w, 30000, !is_held(w, "shop/web") && !is_held(w, "shop/cart"));
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
	within(w, 5000, fake_eureka_n(w->eureka, "CART") == 0); /* two of four is no fall: read, and gone */
}

SCENARIO(guard, a_list_that_fell_by_less_is_confirmed_one_by_one)
{
	given_four_served(w);
	when_lost_unseen(w, three, 2);
	within(w, 20000, fake_eureka_n(w->eureka, "WEB") == 0 && fake_eureka_n(w->eureka, "CART") == 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 4);
}

/* ---- after a start ---- */

static void given_fewer_after_a_start(struct world *w, unsigned n_before, unsigned n_after)
{
	char pod[32];

	given_web_served(w, n_before);
	when_killed(w);
	for (unsigned i = n_after; i < n_before; i++) {
		snprintf(pod, sizeof(pod), "web-%u", i + 1);
		when_pod_vanishes(w, "shop/web", pod);
	}
	fake_eureka_reset_log(w->eureka);
	when_started(w);
}

SCENARIO(guard, a_start_that_finds_less_than_half_of_many_holds_the_rest)
{
	given_fewer_after_a_start(w, 40, 15);
	within(w, 5000, is_held(w, "shop/web"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "15 of the 40"));
	pass_ms(w, 700000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	when_approved(w, "web", status_of(w, "shop/web", "plan.hash"));
	within(w, 5000, fake_eureka_n(w->eureka, "WEB") == 15);
	within(w, 5000, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(guard, a_start_whose_view_fills_up_again_goes_on)
{
	char pod[32];

	given_fewer_after_a_start(w, 40, 15);
	within(w, 5000, is_held(w, "shop/web"));
	for (unsigned i = 15; i < 39; i++) {
		snprintf(pod, sizeof(pod), "web-%u", i + 1);
		when_pod_comes(w, "shop/web", pod);
	}
	within(w, 30000, fake_eureka_n(w->eureka, "WEB") == 39);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(guard, a_start_that_finds_as_many_others_removes_the_old_ones)
{
	char pod[32];

	given_web_served(w, 40);
	when_killed(w);
	for (int i = 1; i <= 40; i++) {
		snprintf(pod, sizeof(pod), "web-%d", i);
		when_pod_vanishes(w, "shop/web", pod);
		snprintf(pod, sizeof(pod), "next-%d", i);
		when_pod_comes(w, "shop/web", pod);
	}
	when_started(w);
	within(w, 10000, fake_eureka_n(w->eureka, "WEB") == 40 && is_up(w, "shop/WEB/next-40") && !instance_of(w, "shop/WEB/web-1"));
}

SCENARIO(guard, many_that_are_on_their_way_out_raise_no_doubt)
{
	char pod[32];

	given_web_served(w, 40);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "DELETE", .times = FAKE_ALWAYS, .status = 500 });
	for (int i = 1; i <= 30; i++) {
		snprintf(pod, sizeof(pod), "web-%d", i);
		when_pod_terminates(w, "shop/web", pod);
	}
	for (int i = 0; i < 400; i++) { /* an audit falls into it */
		pass_ms(w, 1000);
		assert_null(w->app->engine->doubts);
	}
	fake_eureka_drop_rules(w->eureka);
	within(w, 40000, fake_eureka_n(w->eureka, "WEB") == 10);
}

SCENARIO(guard, a_start_that_misses_a_few_reads_and_removes_them)
{
	given_fewer_after_a_start(w, 20, 5); /* 15 is less than guard.registryMin */
	within(w, 5000, fake_eureka_n(w->eureka, "WEB") == 5);
}

SCENARIO(guard, a_start_that_is_not_shown_the_syncers_finds_them_by_what_the_registry_holds)
{
	given_four_served(w);
	when_killed(w);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/apis/eurekube.io/v1alpha1/eurekasyncers", .times = FAKE_ALWAYS, .action = FAKE_EMPTY });
	when_started(w);
	within(w, 5000, ek_engine_find_syncer(w->app->engine, "shop", "web") && ek_engine_find_syncer(w->app->engine, "shop", "job"));
	pass_ms(w, 400000);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_string_equal(status_of(w, "shop/web", "registered"), "2");
}

/* Nothing but the registry's own list speaks of its instances, and that list had begun before it was found. */
SCENARIO(guard, a_syncer_that_is_found_late_has_its_entries_adopted_too)
{
	given_four_served(w);
	when_killed(w);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/apis/eurekube.io/v1alpha1/eurekasyncers", .times = FAKE_ALWAYS, .action = FAKE_EMPTY });
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/api/v1/services", .times = FAKE_ALWAYS, .action = FAKE_EMPTY });
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/job", .status = 500 });
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "GET", .path = "/eureka/apps", .skip = 1, .action = FAKE_DELAY, .delay_ms = 7000 });
	when_started(w);
	within(w, 30000, !strcmp(status_of(w, "shop/job", "registered"), "2") && is_held(w, "shop/job"));
	pass_ms(w, 200000);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(guard, an_owner_that_cannot_be_a_name_is_not_asked_for)
{
	unsigned n_reads;

	given_web_served(w, 1);
	fake_eureka_stranger(w->eureka, "WEB", "other", "10.9.9.9", "\"eurekube.owner\":\"test/shop/web?watch=1\"");
	fake_eureka_stranger(w->eureka, "WEB", "another", "10.9.9.8", "\"eurekube.owner\":\"test/shop/..\"");
	n_reads = fake_kube_count(w->kube, "get", NULL);
	when_killed(w);
	when_started(w);
	pass_ms(w, 10000);
	assert_int_equal(fake_kube_count(w->kube, "get", NULL), n_reads);
}

int main(void)
{
	return world_run_scenarios();
}
