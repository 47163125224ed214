/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another configuration under a running operator, and news that a registry's plugin tells by itself: leases go on, and nothing is
 * removed because of either.
 * Read next: host/sync/reconfigure.c.
 */
#include "kit/world.h"

#include "plugin/services.h"

#define MODES    "clusterId: test\nmodes: {pod: {plugin: pod.so}}\n"
#define EUREKA(more) "main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]" more "}}"

static void given_served(struct world *w)
{
	given_pods(w, "shop/web", 3);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 3);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 5000);
	fake_eureka_reset_log(w->eureka);
}

static bool is_config_valid(struct world *w)
{
	static char body[65536];

	when_asked(w, "http://operator:8080/metrics", body, sizeof(body));
	return strstr(body, "\neurekube_config_valid 1\n");
}

SCENARIO(reconfigure, other_options_of_a_registry_are_used_and_cost_no_lease)
{
	given_served(w);
	when_config_changes(w, MODES "registries: {" EUREKA(", renewSeconds: 10") "}\n");
	within(w, 10000, instance_of(w, "shop/WEB/web-1")->renew_seconds == 10);
	pass_ms(w, 300000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_in_range(n_ops(w, FAKE_OP_RENEW, "shop/WEB/web-1"), 28, 32);
	when_pod_vanishes(w, "shop/web", "web-1");
	then_gone(w, "shop/WEB/web-1");
}

SCENARIO(reconfigure, a_bad_document_leaves_the_old_one_in_force)
{
	given_served(w);
	assert_true(is_config_valid(w));
	when_config_changes(w, MODES "registries: {main: {plugin: eureka.so, color: red}}\n");
	within(w, 10000, !is_config_valid(w));
	when_pod_comes(w, "shop/web", "web-9");
	then_up(w, "shop/WEB/web-9");
	when_config_changes(w, WORLD_CONFIG);
	within(w, 10000, is_config_valid(w));
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(reconfigure, a_mode_that_is_added_serves_who_waited_for_it)
{
	given_pods(w, "shop/web", 1);
	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "shop", .name = "web", .mode = "other" });
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "UnknownMode"));
	when_config_changes(w, "clusterId: test\nmodes: {pod: {plugin: pod.so}, other: {plugin: pod.so}}\nregistries: {" EUREKA("") "}\n");
	within(w, 10000, is_up(w, "shop/WEB/web-1"));
}

SCENARIO(reconfigure, a_registry_that_is_taken_out_lives_until_its_last_syncer_has_left)
{
	given_served(w);
	given_pods(w, "shop/api", 2);
	given_syncer(w, "shop/api", "\"registry\":\"spare\"");
	soon(w, !strcmp(status_of(w, "shop/api", "registered"), "2"));
	when_config_changes(w, MODES "registries: {" EUREKA("") "}\n");
	within(w, 10000, !strcmp(ready_of(w, "shop/api", "reason"), "UnknownRegistry"));
	assert_string_equal(status_of(w, "shop/api", "registered"), "2");
	when_spec_changes(w, "shop/api", "\"registry\":\"main\"");
	soon(w, fake_eureka_n(w->eureka, "API") == 2);
	within(w, 10000, w->app->engine->n_registries == 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(news, of_a_lost_session_has_every_entry_read_and_none_written_that_is_there)
{
	const struct ek_host *host;

	given_served(w);
	host = ek_services_host(world_registry(w, "main")->services);
	assert_true(fake_eureka_cancel(w->eureka, "WEB", "test:shop:WEB:web-1:8080"));
	host->lost(host, "the session has ended");
	soon(w, is_up(w, "shop/WEB/web-1"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_GET), 3);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 1);
}

SCENARIO(news, of_a_changed_entry_has_it_read)
{
	const struct ek_host *host;

	given_served(w);
	host = ek_services_host(world_registry(w, "main")->services);
	assert_true(fake_eureka_cancel(w->eureka, "WEB", "test:shop:WEB:web-2:8080"));
	host->changed(host, "WEB", "test:shop:WEB:web-2:8080");
	soon(w, is_up(w, "shop/WEB/web-2"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_GET), 1);
}

int main(void)
{
	return world_run_scenarios();
}
