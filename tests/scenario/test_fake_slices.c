/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small endpoint slice controller of the stand-ins.
 * It does not test the operator.
 * Next: tests/kit/fake_slices.h.
 */
#include "kit/fake_slices.h"

#include "kit/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct ek_loop *loop;
	struct fake_kube *kube;
	struct fake_slices *slices;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->loop = sim_loop_new(7);
	w->kube = fake_kube_new(w->loop);
	w->slices = fake_slices_new(w->loop, w->kube, true);
	fake_kube_service(w->kube, &(struct fake_service){ .ns = "rating", .name = "web", .target_port = "\"http\"",
		.labels = "\"team\":\"x\"" });
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	fake_slices_free(w->slices);
	fake_kube_free(w->kube);
	ek_loop_free(w->loop);
	free(w);
	return 0;
}

static void given_pod(struct world *w, const char *name, const char *ip)
{
	fake_kube_pod(w->kube, &(struct fake_pod){ .ns = "rating", .name = name, .app = "web", .ip = ip, .ready = true });
}

static const char *slice(struct world *w, const char *path)
{
	sim_advance(w->loop, 10);
	return fake_kube_text(w->kube, "endpointslices", "rating", "web-1", path);
}

static void pods_of_a_service_become_its_slice(void **state)
{
	struct world *w = *state;

	assert_string_equal(slice(w, "endpoints"), "[]");
	given_pod(w, "a", "10.9.0.1");
	assert_string_equal(slice(w, "endpoints.0.addresses.0"), "10.9.0.1");
	assert_string_equal(slice(w, "endpoints.0.targetRef.name"), "a");
	assert_string_equal(slice(w, "endpoints.0.conditions"), "{\"ready\":true,\"serving\":true,\"terminating\":false}");
	assert_string_equal(slice(w, "ports.0.port"), "8080");
	assert_string_equal(slice(w, "ports.0.name"), "http");
	assert_string_equal(slice(w, "metadata.labels.team"), "x");
	assert_non_null(slice(w, "metadata.annotations"));
}

static void a_terminating_pod_serves_but_is_not_ready(void **state)
{
	struct world *w = *state;

	given_pod(w, "a", "10.9.0.1");
	fake_kube_terminate(w->kube, "pods", "rating", "a", 30);
	assert_string_equal(slice(w, "endpoints.0.conditions"), "{\"ready\":false,\"serving\":true,\"terminating\":true}");
	fake_kube_remove(w->kube, "pods", "rating", "a");
	assert_string_equal(slice(w, "endpoints"), "[]");
}

static void a_new_pod_is_run_by_the_kubelet(void **state)
{
	struct world *w = *state;

	given_pod(w, "a", "");
	sim_advance(w->loop, 10);
	assert_string_equal(fake_kube_text(w->kube, "pods", "rating", "a", "status.podIP"), "10.0.0.1");
	assert_string_equal(slice(w, "endpoints.0.addresses.0"), "10.0.0.1");
}

static void other_pods_and_unchanged_slices_are_left_alone(void **state)
{
	struct world *w = *state;
	uint64_t version;

	given_pod(w, "a", "10.9.0.1");
	sim_advance(w->loop, 10);
	fake_kube_pod(w->kube, &(struct fake_pod){ .ns = "rating", .name = "b", .app = "other", .ip = "10.9.0.2" });
	version = fake_kube_version(w->kube);
	sim_advance(w->loop, 10);
	assert_int_equal(fake_kube_version(w->kube), version);
	assert_null(slice(w, "endpoints.1"));
}

static void many_pods_fill_several_slices_that_go_with_the_service(void **state)
{
	struct world *w = *state;
	char name[16], ip[16];

	for (unsigned i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "p%03u", i);
		snprintf(ip, sizeof(ip), "10.9.1.%u", i);
		given_pod(w, name, ip);
	}
	sim_advance(w->loop, 10);
	assert_int_equal(fake_kube_n(w->kube, "endpointslices"), 2);
	for (unsigned i = 50; i < 150; i++) {
		snprintf(name, sizeof(name), "p%03u", i);
		fake_kube_remove(w->kube, "pods", "rating", name);
	}
	sim_advance(w->loop, 10);
	assert_int_equal(fake_kube_n(w->kube, "endpointslices"), 1);
	fake_kube_delete(w->kube, "services", "rating", "web");
	sim_advance(w->loop, 10);
	assert_int_equal(fake_kube_n(w->kube, "endpointslices"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pods_of_a_service_become_its_slice),
		TEST(a_terminating_pod_serves_but_is_not_ready),
		TEST(a_new_pod_is_run_by_the_kubelet),
		TEST(other_pods_and_unchanged_slices_are_left_alone),
		TEST(many_pods_fill_several_slices_that_go_with_the_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
