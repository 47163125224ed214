/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator killed and started again: what stands in Eureka is found, renewed and kept, and only differences are written.
 * Servers that restart are told in test_faults.c.
 * Read next: tests/scenario/test_faults.c.
 */
#include "kit/world.h"

#include <stdio.h>

static size_t first_at(struct world *w, enum fake_op op)
{
	size_t n;
	const struct fake_op_record *log = fake_eureka_log(w->eureka, &n);

	for (size_t i = 0; i < n; i++)
		if (log[i].op == op)
			return i;
	return SIZE_MAX;
}

static size_t last_first_renewal(struct world *w, unsigned n_instances)
{
	size_t n;
	const struct fake_op_record *log = fake_eureka_log(w->eureka, &n);
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++)
		if (log[i].op == FAKE_OP_RENEW && ++seen == n_instances)
			return i;
	return SIZE_MAX;
}

SCENARIO(restart, nothing_is_registered_again)
{
	int64_t registered;

	given_web_served(w, 5);
	registered = instance_of(w, "shop/WEB/web-3")->registered_ms;
	when_killed(w);
	pass_ms(w, 20000);
	fake_eureka_reset_log(w->eureka);
	when_started(w);
	pass_ms(w, 200000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_true(instance_of(w, "shop/WEB/web-3")->registered_ms == registered);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	assert_string_equal(status_of(w, "shop/web", "registered"), "5");
}

SCENARIO(restart, leases_are_renewed_first_then_read_then_written)
{
	given_web_served(w, 5);
	when_killed(w);
	when_pod_comes(w, "shop/web", "web-9");
	pass_ms(w, 10000);
	fake_eureka_reset_log(w->eureka);
	when_started(w);
	then_up(w, "shop/WEB/web-9");
	assert_true(last_first_renewal(w, 5) < first_at(w, FAKE_OP_LIST));
	assert_true(first_at(w, FAKE_OP_LIST) < first_at(w, FAKE_OP_REGISTER));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 1);
}

SCENARIO(restart, pods_that_vanished_meanwhile_are_removed)
{
	given_web_served(w, 4);
	when_killed(w);
	when_pod_vanishes(w, "shop/web", "web-2");
	when_pod_terminates(w, "shop/web", "web-3");
	pass_ms(w, 10000);
	when_started(w);
	then_gone(w, "shop/WEB/web-2");
	then_gone(w, "shop/WEB/web-3");
	pass_ms(w, 5000);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 2);
}

SCENARIO(restart, a_list_that_is_old_removes_nothing_that_lives)
{
	given_web_served(w, 3);
	fake_eureka_lag(w->eureka, 30000);
	pass_ms(w, 31000);
	when_killed(w);
	when_pod_comes(w, "shop/web", "web-4");
	pass_ms(w, 1000);
	when_started(w);
	then_up(w, "shop/WEB/web-4");
	when_killed(w);
	when_started(w); /* the list does not show web-4 yet */
	pass_ms(w, 100000);
	assert_int_equal(n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-4"), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 4);
}

SCENARIO(restart, what_an_old_list_still_shows_is_read_before_it_is_removed)
{
	given_web_served(w, 3);
	fake_eureka_lag(w->eureka, 30000);
	pass_ms(w, 30000 - ek_loop_wall_ms(w->loop) % 30000 + 1000);
	when_killed(w);
	when_started(w); /* the list is made now, and served for 29 s */
	when_pod_vanishes(w, "shop/web", "web-2");
	then_gone(w, "shop/WEB/web-2");
	when_killed(w);
	when_started(w);
	soon(w, n_ops(w, FAKE_OP_GET, "shop/WEB/web-2") > 0);
	pass_ms(w, 100000);
	assert_int_equal(n_ops(w, FAKE_OP_CANCEL, "shop/WEB/web-2"), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
}

SCENARIO(restart, what_changed_meanwhile_is_put)
{
	given_web_served(w, 3);
	when_killed(w);
	when_spec_changes(w, "shop/web", "\"instance\":{\"metadata\":{\"color\":\"red\"}}");
	fake_eureka_reset_log(w->eureka);
	when_started(w);
	soon(w, !strcmp(mark_of(w, "shop/WEB/web-1", "color"), "red"));
	soon(w, !strcmp(mark_of(w, "shop/WEB/web-3", "color"), "red"));
	pass_ms(w, 10000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 3);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(restart, a_pod_reborn_meanwhile_is_removed_and_put)
{
	given_web_served(w, 2);
	when_killed(w);
	when_pod_is_reborn(w, "shop/web", "web-1");
	fake_eureka_reset_log(w->eureka);
	when_started(w);
	within(w, 10000, n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-1") == 1);
	assert_int_equal(n_ops(w, FAKE_OP_CANCEL, "shop/WEB/web-1"), 1);
	assert_int_equal(n_ops(w, FAKE_OP_REGISTER, "shop/WEB/web-2"), 0);
	soon(w, !strcmp(mark_of(w, "shop/WEB/web-1", "eurekube.pod"), world_pod(w, "shop/web", "web-1")->uid));
}

SCENARIO(restart, a_syncer_deleted_meanwhile_is_cleaned_up)
{
	given_web_served(w, 2);
	when_killed(w);
	when_syncer_deleted(w, "shop/web");
	assert_true(syncer_exists(w, "shop/web")); /* its finalizer holds it */
	pass_ms(w, 10000);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 0);
	soon(w, !syncer_exists(w, "shop/web"));
}

SCENARIO(restart, a_suspended_syncer_keeps_what_its_former_run_registered)
{
	given_web_served(w, 2);
	when_spec_changes(w, "shop/web", "\"suspend\":true");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "Suspended"));
	when_killed(w);
	when_pod_vanishes(w, "shop/web", "web-1");
	when_started(w);
	pass_ms(w, 300000);
	assert_true(is_up(w, "shop/WEB/web-1"));
	assert_true(is_up(w, "shop/WEB/web-2"));
	when_spec_changes(w, "shop/web", "\"suspend\":false");
	then_gone(w, "shop/WEB/web-1");
}

SCENARIO(restart, a_syncer_that_cannot_be_served_keeps_what_its_former_run_registered)
{
	given_web_served(w, 2);
	when_killed(w);
	when_spec_changes(w, "shop/web", "\"mode\":\"pods\"");
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "UnknownMode"));
	pass_ms(w, 300000);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
	when_spec_changes(w, "shop/web", "\"mode\":\"pod\"");
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(restart, the_status_is_not_written_again_when_nothing_changed)
{
	unsigned before;

	given_web_served(w, 2);
	when_killed(w);
	before = fake_kube_count(w->kube, "patch", "eurekasyncers/status");
	when_started(w);
	pass_ms(w, 60000);
	assert_int_equal(fake_kube_count(w->kube, "patch", "eurekasyncers/status"), before);
}

SCENARIO(restart, a_dead_eureka_at_start_is_waited_for)
{
	given_web_served(w, 2);
	when_killed(w);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_REFUSE);
	when_launched(w);
	within(w, 30000, !strcmp(ready_of(w, "shop/web", "status"), "False"));
	assert_string_equal(ready_of(w, "shop/web", "reason"), "RegistryUnavailable");
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	within(w, 15000, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	assert_int_equal(fake_eureka_count_of(w->eureka, FAKE_OP_REGISTER, "WEB", NULL), 0); /* none a second time */
}

SCENARIO(restart, a_hanging_eureka_at_start_delays_the_list_by_ten_seconds_at_most)
{
	given_web_served(w, 200); /* more than are renewed at once */
	when_killed(w);
	fake_eureka_reset_log(w->eureka);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_BLACKHOLE);
	when_launched(w);
	pass_ms(w, 11000);
	assert_int_equal(world_registry(w, "main")->phase, EK_REGISTRY_LISTING);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	within(w, 40000, is_open(w));
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 200);
}

SCENARIO(restart, a_dead_api_server_at_start_is_waited_for)
{
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	sim_fault(w->loop, KUBE_ORIGIN, SIM_REFUSE);
	when_launched(w);
	pass_ms(w, 60000);
	assert_false(is_open(w));
	sim_fault(w->loop, KUBE_ORIGIN, SIM_OK);
	within(w, 10000, is_up(w, "shop/WEB/web-1"));
}

SCENARIO(restart, the_clusters_name_comes_from_kube_system)
{
	char id[300];
	const char *uid;

	given_config(w,
		"modes: {pod: {plugin: pod.so}}\n"
		"registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n");
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = "/api/v1/namespaces/kube-system", .times = 1, .status = 503 });
	when_started(w);
	uid = fake_kube_text(w->kube, "namespaces", "", "kube-system", "metadata.uid");
	assert_non_null(uid);
	snprintf(id, sizeof(id), "%.8s:shop:WEB:web-1:8080", uid);
	soon(w, fake_eureka_find(w->eureka, "WEB", id));
}

int main(void)
{
	return world_run_scenarios();
}
