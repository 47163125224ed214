/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user is told: conditions, counts, Events, and how seldom they are written; and what the operator's own pages say.
 * What is registered meanwhile is the other scenarios' matter.
 * Read next: host/sync/status.c.
 */
#include "kit/world.h"

#include <stdio.h>

static const char *stalled_of(struct world *w, const char *name, const char *field)
{
	const char *text = fake_kube_condition(w->kube, "shop", name, "Stalled", field);

	return text ? text : "";
}

static const char *reconciling_of(struct world *w, const char *name, const char *field)
{
	const char *text = fake_kube_condition(w->kube, "shop", name, "Reconciling", field);

	return text ? text : "";
}

SCENARIO(status, a_served_syncer_is_told_whole)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "2"));
	assert_string_equal(ready_of(w, "shop/web", "reason"), "Served");
	assert_string_equal(stalled_of(w, "web", "status"), "False");
	assert_string_equal(reconciling_of(w, "web", "status"), "False");
	assert_string_equal(status_of(w, "shop/web", "observedGeneration"), "1");
	assert_string_equal(status_of(w, "shop/web", "desired"), "2");
	assert_string_equal(status_of(w, "shop/web", "failing"), "0");
	assert_string_equal(status_of(w, "shop/web", "overridden"), "0");
	assert_string_equal(status_of(w, "shop/web", "applications.0"), "WEB");
	assert_string_equal(status_of(w, "shop/web", "registry"), "main");
	assert_string_equal(status_of(w, "shop/web", "modePlugin.name"), "pod");
	assert_string_equal(status_of(w, "shop/web", "modePlugin.digest"), "static");
	assert_string_equal(status_of(w, "shop/web", "modePlugin.channel"), "stable");
	assert_string_equal(status_of(w, "shop/web", "registryPlugin.name"), "eureka");
	assert_int_equal(fake_kube_n(w->kube, "events"), 0);
}

SCENARIO(status, four_bad_syncers_are_told_what_to_do_beside_a_good_one)
{
	static const struct {
		const char *syncer, *spec, *reason, *remedy;
		bool is_stalled;
	} bad[] = {
		{ "shop/mode", "\"mode\":\"pods\"", "UnknownMode", "use one of: pod", true },
		{ "shop/port", "\"port\":\"grpc\"", "PortNotFound", "http", true },
		{ "shop/none", NULL, "NothingSelected", "correct spec.selector", false },
		{ "shop/registry", "\"registry\":\"mian\"", "UnknownRegistry", "use one of: main, spare", true },
	};

	given_pods(w, "shop/web", 2);
	given_pods(w, "shop/mode", 1);
	given_pods(w, "shop/port", 1);
	given_pods(w, "shop/registry", 1);
	for (int i = 0; i < 4; i++) {
		if (i == 0)
			fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "shop", .name = "mode", .mode = "pods" });
		else
			given_syncer(w, bad[i].syncer, bad[i].spec);
	}
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	then_up(w, "shop/WEB/web-2");
	for (int i = 0; i < 4; i++) {
		soon(w, !strcmp(ready_of(w, bad[i].syncer, "reason"), bad[i].reason));
		assert_string_equal(ready_of(w, bad[i].syncer, "status"), "False");
		if (!strstr(ready_of(w, bad[i].syncer, "message"), bad[i].remedy))
			fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].syncer, ready_of(w, bad[i].syncer, "message"), bad[i].remedy);
		assert_string_equal(stalled_of(w, bad[i].syncer + 5, "status"), bad[i].is_stalled ? "True" : "False");
		assert_string_equal(reconciling_of(w, bad[i].syncer + 5, "status"), bad[i].is_stalled ? "False" : "True");
	}
	pass_ms(w, 400000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(fake_kube_n_events(w->kube, bad[i].reason, bad[i].syncer + 5), 1);
	assert_int_equal(fake_kube_n(w->kube, "events"), 4);
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 2);
	assert_string_equal(ready_of(w, "shop/web", "status"), "True");
}

SCENARIO(status, a_syncer_that_is_mended_is_served)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", "\"port\":\"grpc\"");
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "PortNotFound"));
	when_spec_changes(w, "shop/web", "\"port\":\"http\"");
	then_up(w, "shop/WEB/web-1");
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	assert_string_equal(stalled_of(w, "web", "status"), "False");
	assert_string_equal(status_of(w, "shop/web", "observedGeneration"), "2");
}

SCENARIO(status, what_is_not_served_yet_is_named_and_what_was_served_stays)
{
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-2");
	when_spec_changes(w, "shop/web", "\"notReady\":\"Down\"");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "NotYetSupported"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "spec.notReady"));
	when_pod_vanishes(w, "shop/web", "web-1");
	when_pod_comes(w, "shop/web", "web-3");
	pass_ms(w, 200000);
	assert_true(is_up(w, "shop/WEB/web-1"));
	assert_true(is_up(w, "shop/WEB/web-2"));
	assert_null(instance_of(w, "shop/WEB/web-3"));
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	when_spec_changes(w, "shop/web", "\"notReady\":\"Deregister\"");
	then_gone(w, "shop/WEB/web-1");
	then_up(w, "shop/WEB/web-3");
}

SCENARIO(status, another_namespace_needs_a_grant)
{
	given_pods(w, "shop/web", 1);
	given_syncer_at(w, "team/web", "2024-05-01T10:00:00Z", "{\"namespace\":\"shop\",\"app\":\"web\"}", NULL);
	when_started(w);
	soon(w, !strcmp(ready_of(w, "team/web", "reason"), "NamespaceNotGranted"));
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
	when_killed(w);
	given_config(w,
		"clusterId: test\n"
		"modes: {pod: {plugin: pod.so}}\n"
		"registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"
		"grants: [{from: team, to: shop}]\n");
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 1);
	assert_non_null(fake_eureka_find(w->eureka, "WEB", "test:team:WEB:web-1:8080"));
}

SCENARIO(status, an_application_name_that_is_not_allowed_is_told)
{
	given_config(w,
		"clusterId: test\n"
		"modes: {pod: {plugin: pod.so}}\n"
		"registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"
		"applicationNames: {shop: [\"shop-*\"], \"*\": [\"*\"]}\n");
	given_pods(w, "shop/web", 1);
	given_pods(w, "shop/api", 1);
	given_syncer(w, "shop/web", NULL);
	given_syncer(w, "shop/api", "\"application\":\"shop-api\"");
	when_started(w);
	then_up(w, "shop/SHOP-API/api-1");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "ApplicationNotAllowed"));
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 0);
}

SCENARIO(status, a_plugin_that_is_not_there_affects_only_who_needs_it)
{
	given_config(w,
		"clusterId: test\n"
		"modes: {pod: {plugin: pod.so}, other: {plugin: other.so}}\n"
		"registries:\n"
		"  main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}\n"
		"  gone: {plugin: gone.so}\n");
	given_pods(w, "shop/web", 1);
	given_pods(w, "shop/api", 1);
	given_pods(w, "shop/db", 1);
	given_syncer(w, "shop/web", NULL);
	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "shop", .name = "api", .mode = "other" });
	given_syncer(w, "shop/db", "\"registry\":\"gone\"");
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	soon(w, !strcmp(ready_of(w, "shop/api", "reason"), "PluginUnavailable"));
	soon(w, !strcmp(ready_of(w, "shop/db", "reason"), "PluginUnavailable"));
	assert_non_null(strstr(ready_of(w, "shop/api", "message"), "mode other cannot be used: plugin directory"));
}

SCENARIO(status, metadata_of_the_operator_cannot_be_written_by_a_user)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", "\"instance\":{\"metadata\":{\"eurekube.owner\":\"x/y/z\"}}");
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "InvalidMetadata"));
	assert_int_equal(fake_eureka_n(w->eureka, NULL), 0);
}

SCENARIO(status, one_pod_behind_two_selected_services_is_one_instance)
{
	const struct fake_endpoint endpoint = FAKE_READY("web-1", "10.9.0.1");

	for (int i = 0; i < 2; i++) {
		const char *name = i ? "web-b" : "web-a";

		fake_kube_service(w->kube, &(struct fake_service){ .ns = "shop", .name = name, .app = "web" });
		fake_kube_slice(w->kube, &(struct fake_slice){ .ns = "shop", .service = name, .endpoints = &endpoint, .n_endpoints = 1 });
	}
	given_syncer(w, "shop/web", "\"application\":\"WEB\"");
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "1"));
}

/* ---- how often it is written ---- */

static unsigned n_status_writes(struct world *w)
{
	return fake_kube_count(w->kube, "patch", "eurekasyncers/status");
}

SCENARIO(status, is_not_written_while_nothing_changes)
{
	unsigned before;

	given_pods(w, "shop/web", 3);
	given_syncer(w, "shop/web", NULL);
	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "shop", .name = "bad", .mode = "pods" });
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 5000);
	before = n_status_writes(w);
	pass_ms(w, 600000);
	assert_int_equal(n_status_writes(w), before);
	assert_in_range(before, 2, 6);
}

SCENARIO(status, is_written_at_most_once_a_second)
{
	unsigned before;

	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 5000);
	before = n_status_writes(w);
	for (int i = 0; i < 100; i++) {
		char pod[32];

		snprintf(pod, sizeof(pod), "web-x%d", i);
		when_pod_comes(w, "shop/web", pod);
		pass_ms(w, 100);
	}
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "101"));
	assert_in_range(n_status_writes(w) - before, 5, 12);
}

SCENARIO(status, that_cannot_be_written_is_tried_again)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH",
		.path = "/apis/eurekube.io/v1alpha1/namespaces/shop/eurekasyncers/web/status", .times = 3, .status = 500 });
	when_started(w);
	within(w, 30000, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(status, that_somebody_wiped_is_written_again)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 3000);
	fake_kube_patch(w->kube, "eurekasyncers", "shop", "web", "status", "{\"status\":{\"registered\":77}}");
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "1"));
}

SCENARIO(status, the_transition_time_stays_while_the_state_does)
{
	char since[64];

	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 3000);
	snprintf(since, sizeof(since), "%s", ready_of(w, "shop/web", "lastTransitionTime"));
	assert_int_equal(strlen(since), 20);
	when_killed(w);
	pass_ms(w, 60000);
	when_started(w);
	when_spec_changes(w, "shop/web", "\"suspend\":true");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "Suspended"));
	assert_string_equal(ready_of(w, "shop/web", "lastTransitionTime"), since);
}

/* ---- pages ---- */

SCENARIO(pages, health_readiness_and_metrics_answer)
{
	static char body[65536];

	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	sim_fault(w->loop, KUBE_ORIGIN, SIM_REFUSE);
	when_launched(w);
	pass_ms(w, 100);
	assert_int_equal(when_asked(w, "http://operator:8080/healthz", body, sizeof(body)), 200);
	assert_int_equal(when_asked(w, "http://operator:8080/readyz", body, sizeof(body)), 503);
	sim_fault(w->loop, KUBE_ORIGIN, SIM_OK);
	within(w, 10000, is_up(w, "shop/WEB/web-2"));
	assert_int_equal(when_asked(w, "http://operator:8080/readyz?verbose", body, sizeof(body)), 200);
	assert_non_null(strstr(body, "endpointslices"));
	assert_int_equal(when_asked(w, "http://operator:8080/metrics", body, sizeof(body)), 200);
	assert_non_null(strstr(body, "eurekube_instances{registry=\"main\""));
	assert_non_null(strstr(body, "eurekube_registry_requests_total{"));
	assert_non_null(strstr(body, "eurekube_propagation_seconds_count"));
	assert_non_null(strstr(body, "eurekube_loop_turn_seconds_count"));
	assert_non_null(strstr(body, "\neurekube_loop_longest_turn_seconds "));
	assert_null(strstr(body, "s3cret"));
	assert_int_equal(when_asked(w, "http://operator:8080/nothing", body, sizeof(body)), 404);
	assert_int_equal(when_asked(w, "http://127.0.0.1:8081/debug/state", body, sizeof(body)), 200);
	assert_non_null(strstr(body, "test:shop:WEB:web-1:8080"));
	assert_null(strstr(body, "s3cret"));
}

int main(void)
{
	return world_run_scenarios();
}
