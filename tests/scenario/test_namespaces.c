/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator that watches some namespaces and not the cluster: each is listed and watched by itself, one that is closed to it harms no other, and nothing is removed
 * on the word of a view that it does not have.
 * Read next: host/app/watches.c.
 */
#include "kit/world.h"

#include <stdio.h>

#define CONFIG(namespaces)                                                                                                             \
	"clusterId: test\nwatchNamespaces: [" namespaces "]\nmodes: {pod: {plugin: pod.so}}\n"                                         \
	"registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"       \
	"grants: [{from: shop, to: mall}, {from: shop, to: dark}]\naudit: {periodSeconds: 30}\n"

static void given_three(struct world *w, const char *namespaces)
{
	given_config(w, namespaces);
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	given_pods(w, "mall/api", 2);
	given_syncer(w, "mall/api", NULL);
	given_pods(w, "dark/job", 2);
	given_syncer(w, "dark/job", NULL);
}

static void when_forbidden(struct world *w, const char *ns, uint32_t times)
{
	static char paths[3][96];

	snprintf(paths[0], sizeof(paths[0]), "/api/v1/namespaces/%s/services", ns);
	snprintf(paths[1], sizeof(paths[1]), "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices", ns);
	snprintf(paths[2], sizeof(paths[2]), "/apis/eurekube.io/v1alpha1/namespaces/%s/eurekasyncers", ns);
	for (int i = 0; i < 3; i++)
		fake_kube_rule(w->kube, &(struct fake_rule){ .path = paths[i], .times = times, .status = 403 });
}

static const char *page(struct world *w, const char *url)
{
	static char body[1 << 17];

	when_asked(w, url, body, sizeof(body));
	return body;
}

SCENARIO(namespaces, only_those_of_the_configuration_are_seen)
{
	given_three(w, CONFIG("shop, mall"));
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/api/v1/services", .times = FAKE_ALWAYS, .status = 403 }); /* of all namespaces */
	when_started(w);
	then_up(w, "shop/WEB/web-2");
	then_up(w, "mall/API/api-2");
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_n(w->eureka, "JOB"), 0);
	when_pod_comes(w, "mall/api", "api-3");
	then_up(w, "mall/API/api-3");
	when_pod_vanishes(w, "shop/web", "web-1");
	then_gone(w, "shop/WEB/web-1");
	when_syncer_deleted(w, "mall/api");
	soon(w, fake_eureka_n(w->eureka, "API") == 0);
	soon(w, !syncer_exists(w, "mall/api"));
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 1);
}

SCENARIO(namespaces, a_list_of_one_says_nothing_of_the_others)
{
	given_three(w, CONFIG("shop, mall"));
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "API") == 2 && fake_eureka_n(w->eureka, "WEB") == 2);
	pass_ms(w, 1000);
	fake_eureka_reset_log(w->eureka);
	for (int i = 0; i < 5; i++) {
		fake_kube_compact(w->kube);
		fake_kube_cut_watches(w->kube, NULL, true);
		pass_ms(w, 40000);
	}
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
}

SCENARIO(namespaces, a_syncer_that_selects_in_one_that_is_not_watched_is_told)
{
	given_three(w, CONFIG("shop, mall"));
	given_syncer_at(w, "shop/far", "2024-01-01T00:00:00Z", "{\"namespace\":\"dark\",\"serviceName\":\"job\"}", NULL);
	given_syncer_at(w, "shop/near", "2024-01-01T00:00:00Z", "{\"namespace\":\"mall\",\"serviceName\":\"api\"}", "\"application\":\"near\"");
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/far", "reason"), "NamespaceNotWatched"));
	assert_non_null(strstr(ready_of(w, "shop/far", "message"), "watchNamespaces"));
	soon(w, fake_eureka_n(w->eureka, "NEAR") == 2);
}

SCENARIO(namespaces, one_that_is_closed_to_us_keeps_no_other_waiting)
{
	given_three(w, CONFIG("shop, mall"));
	when_forbidden(w, "mall", 1000000);
	when_launched(w);
	within(w, 15000, is_up(w, "shop/WEB/web-2"));
	assert_non_null(strstr(page(w, "http://operator:8080/readyz?verbose"), "[-]watch-services/mall failed: not synced yet: "));
	assert_non_null(strstr(page(w, "http://operator:8080/readyz?verbose"), "[+]watch-services/shop ok"));
	assert_non_null(strstr(page(w, "http://operator:8080/metrics"), "\neurekube_watch_synced{resource=\"services\",namespace=\"mall\"} 0\n"));
	fake_kube_drop_rules(w->kube);
	within(w, 60000, is_up(w, "mall/API/api-2"));
	within(w, 60000, strstr(page(w, "http://operator:8080/readyz?verbose"), "readyz check passed"));
}

SCENARIO(namespaces, what_is_registered_from_one_that_is_closed_now_is_not_removed)
{
	given_three(w, CONFIG("shop, mall"));
	given_syncer_at(w, "shop/near", "2024-01-01T00:00:00Z", "{\"namespace\":\"mall\",\"serviceName\":\"api\"}", "\"application\":\"near\"");
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "NEAR") == 2);
	when_killed(w);
	when_forbidden(w, "mall", 1000000);
	fake_eureka_reset_log(w->eureka);
	when_launched(w);
	within(w, 15000, is_open(w));
	pass_ms(w, 80000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "NEAR"), 2);
	fake_kube_drop_rules(w->kube);
	within(w, 60000, !strcmp(ready_of(w, "shop/near", "status"), "True"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(namespaces, an_empty_list_of_one_holds_removals_there_and_nowhere_else)
{
	given_three(w, CONFIG("shop, mall"));
	when_started(w);
	then_up(w, "mall/API/api-2");
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/apis/discovery.k8s.io/v1/namespaces/mall/endpointslices", .times = 1000000, .action = FAKE_EMPTY });
	fake_kube_compact(w->kube);
	fake_kube_cut_watches(w->kube, "endpointslices", true);
	pass_ms(w, 20000);
	assert_int_equal(fake_eureka_n(w->eureka, "API"), 2);
	when_pod_vanishes(w, "shop/web", "web-1");
	then_gone(w, "shop/WEB/web-1");
	assert_int_equal(fake_eureka_n(w->eureka, "API"), 2);
}

SCENARIO(namespaces, cannot_change_while_the_operator_runs)
{
	given_three(w, CONFIG("shop, mall"));
	when_started(w);
	then_up(w, "shop/WEB/web-2");
	when_config_changes(w, CONFIG("shop, dark"));
	within(w, 10000, strstr(page(w, "http://operator:8080/metrics"), "\neurekube_config_valid 0\n"));
	assert_true(is_up(w, "mall/API/api-2"));
}

int main(void)
{
	return world_run_scenarios();
}
