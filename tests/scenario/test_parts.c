/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of a mode that promises EK_MODE_PER_ENDPOINT only what changed is asked, and of any other everything; what is registered is the same. The mode here counts what it
 * is shown.
 * That the two agree in all cases is test_random_endpoints.c's; read that next.
 */
#include "kit/exact.h"
#include "kit/world.h"

#include <stdio.h>

#define N_PODS 40

/* What the modes were shown; set back by given_mode. */
static unsigned n_asked, n_shown;

static int show(const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, bool is_by_node, struct ek_error *err)
{
	int code = EK_OK;

	n_asked++;
	for (uint32_t s = 0; s < cluster->n_services; s++)
		for (uint32_t e = 0; e < cluster->services[s]->n_endpoints && code == EK_OK; e++) {
			const struct ek_endpoint *endpoint = cluster->services[s]->endpoints[e];
			struct ek_instance instance = {
				.size = sizeof(instance), .name = is_by_node ? endpoint->node_name : endpoint->pod_name, .address = endpoint->address,
				.port = 8080, .source = endpoint, .source_service = cluster->services[s],
			};

			n_shown++;
			code = sink->emit(sink, &instance, err);
		}
	return code;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	return show(syncer, cluster, sink, false, err);
}

static int desired_by_node(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	return show(syncer, cluster, sink, true, err);
}

#define MODE(variable, name_, flags_, desired_)                                                                                      \
	static const struct ek_mode_ops variable##_ops = { .size = sizeof(variable##_ops), .flags = (flags_), .reads = EK_READS_ENDPOINTS, .desired = (desired_) }; \
	static const struct ek_plugin variable = { .size = sizeof(variable), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR, .kind = EK_PLUGIN_MODE, \
		.name = (name_), .version = "1", .ops = &variable##_ops }

MODE(promising, "promising", EK_MODE_PER_ENDPOINT, desired);
MODE(silent, "silent", 0, desired);
MODE(by_node, "by-node", EK_MODE_PER_ENDPOINT, desired_by_node);

static void given_mode(struct world *w, const struct ek_plugin *plugin)
{
	char text[512];

	ek_catalog_add_static(w->catalog, "counting.so", plugin);
	snprintf(text, sizeof(text), "clusterId: test\nmodes: {pod: {plugin: counting.so}}\nregistries: {main: {plugin: eureka.so, default: true, "
		"options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n");
	given_config(w, text);
}

static void when_counting_begins(struct world *w)
{
	pass_ms(w, 3000);
	n_asked = n_shown = 0;
}

static void given_many(struct world *w, const struct ek_plugin *plugin)
{
	given_mode(w, plugin);
	given_pods(w, "shop/web", N_PODS);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == N_PODS);
	when_counting_begins(w);
}

SCENARIO(parts, a_promising_mode_is_shown_the_endpoint_that_changed)
{
	given_many(w, &promising);
	when_pod_is_ready(w, "shop/web", "web-7", false);
	then_gone(w, "shop/WEB/web-7");
	when_pod_is_ready(w, "shop/web", "web-7", true);
	then_up(w, "shop/WEB/web-7");
	assert_true(n_asked >= 2);
	assert_int_equal(n_shown, n_asked);
	assert_int_equal(then_wants_are_exact(w), 1);
}

SCENARIO(parts, nobody_is_asked_about_what_has_vanished)
{
	given_many(w, &promising);
	when_pod_terminates(w, "shop/web", "web-7");
	then_gone(w, "shop/WEB/web-7");
	assert_int_equal(n_shown, 1);
	when_counting_begins(w);
	when_pod_vanishes(w, "shop/web", "web-7");
	pass_ms(w, 10000); /* until nothing of it is remembered */
	assert_int_equal(n_shown, 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), N_PODS - 1);
}

SCENARIO(parts, a_retry_asks_for_the_one_that_failed)
{
	given_many(w, &promising);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = 3, .status = 500 });
	when_pod_is_reborn(w, "shop/web", "web-7");
	within(w, 20000, !strcmp(mark_of(w, "shop/WEB/web-7", "eurekube.pod"), world_pod(w, "shop/web", "web-7")->uid));
	assert_true(n_asked >= 4);
	assert_int_equal(n_shown, n_asked);
}

SCENARIO(parts, a_lease_that_was_lost_asks_for_its_own)
{
	given_many(w, &promising);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "PUT", .times = 1, .status = 404 });
	within(w, 60000, n_asked);
	pass_ms(w, 1000);
	assert_int_equal(n_asked, 1);
	assert_int_equal(n_shown, 1);
}

SCENARIO(parts, any_other_mode_is_shown_everything)
{
	given_many(w, &silent);
	when_pod_is_ready(w, "shop/web", "web-7", false);
	then_gone(w, "shop/WEB/web-7");
	assert_int_equal(n_shown, n_asked * N_PODS);
}

SCENARIO(parts, the_last_endpoint_and_the_first_are_looked_at_with_all_that_hangs_on_them)
{
	given_mode(w, &promising);
	given_pods(w, "shop/web", 1);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	when_pod_vanishes(w, "shop/web", "web-1");
	then_gone(w, "shop/WEB/web-1");
	when_pod_comes(w, "shop/web", "web-2");
	then_up(w, "shop/WEB/web-2");
	soon(w, strstr(fake_kube_get(w->kube, "eurekasyncers", "shop", "web"), "\"applications\":[\"WEB\"]"));
}

/* Its instances cannot be found by their endpoints, so that the promise is not made use of. */
SCENARIO(parts, a_mode_with_names_of_its_own_is_shown_everything)
{
	struct fake_endpoint endpoints[] = {
		{ .pod = "web-1", .ip = "10.0.0.1", .ready = true, .serving = true, .node = "node-1" },
		{ .pod = "web-2", .ip = "10.0.0.2", .ready = true, .serving = true, .node = "node-2" },
	};
	struct fake_slice slice = { .ns = "shop", .service = "web", .endpoints = endpoints, .n_endpoints = 2 };

	given_mode(w, &by_node);
	given_service(w, "shop/web");
	fake_kube_slice(w->kube, &slice);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/node-2");
	when_counting_begins(w);
	slice.n_endpoints = 1;
	fake_kube_slice(w->kube, &slice);
	then_gone(w, "shop/WEB/node-2");
	assert_true(is_up(w, "shop/WEB/node-1"));
	assert_int_equal(n_shown, n_asked);
	assert_true(n_asked);
}

int main(void)
{
	return world_run_scenarios();
}
