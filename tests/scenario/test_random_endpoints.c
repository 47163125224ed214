/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worlds in which the endpoints of two Services, in several slices, change at random: pods move between slices, share addresses, have two families, come back under
 * old names and stand behind both Services, while the registry refuses now and then. What the operator wants by looking at what changed must be what it would want
 * by looking at everything, after every step. EK_SEEDS=n runs n worlds, EK_SEED=s one of them.
 * Read next: tests/kit/exact.h.
 */
#include "kit/exact.h"

#include <stdio.h>

#include "sync/status.h"

#define N_SERVICES 2
#define N_SLICES   4              /* of each; the last one is of IPv6 */
#define N_PODS     9
#define N_STEPS    80
#define ROOM       8
#define BOUND_MS   60000

#define CONFIG(families)                                                                                                                  \
	"clusterId: test\nmodes: {pod: {plugin: pod.so}}\n"                                                                               \
	"registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"         \
	"endpoints: {allowWithoutPod: true, ipFamilies: " families "}\naudit: {periodSeconds: 60}\n"

struct slice {
	struct fake_endpoint at[ROOM];
	char texts[ROOM][3][24];
	unsigned n;
	int port;
	bool is_there;
};

struct story {
	struct world *w;
	struct slice slices[N_SERVICES][N_SLICES];
	unsigned n_compared, n_parts;
};

static const char *const services[N_SERVICES] = { "web", "web-b" };

static unsigned draw(struct story *story, unsigned n)
{
	return (unsigned)(sim_random(story->w->loop) % n);
}

/* ---- slices ---- */

static void fill(struct story *story, struct slice *slice, unsigned at, bool is_v6)
{
	unsigned pod = draw(story, N_PODS), address = draw(story, 5) ? pod : draw(story, N_PODS), state = draw(story, 6);

	snprintf(slice->texts[at][0], 24, "web-%u", pod);
	snprintf(slice->texts[at][1], 24, is_v6 ? "fd00::%u" : "10.0.0.%u", address + 1);
	snprintf(slice->texts[at][2], 24, "uid-%u-%u", pod, draw(story, 40) == 0);
	slice->at[at] = (struct fake_endpoint){ .pod = draw(story, 8) ? slice->texts[at][0] : NULL, .ip = slice->texts[at][1], .uid = slice->texts[at][2],
		.ready = state < 4, .serving = state < 5, .terminating = state == 4, .node = draw(story, 2) ? "node-1" : "node-2" };
}

/* The texts stay where they are; only what points to them moves. */
static void copy(struct slice *slice, unsigned to, unsigned from)
{
	struct fake_endpoint *e = &slice->at[to];

	memcpy(slice->texts[to], slice->texts[from], sizeof(slice->texts[to]));
	*e = slice->at[from];
	e->pod = e->pod ? slice->texts[to][0] : NULL;
	e->ip = slice->texts[to][1];
	e->uid = slice->texts[to][2];
}

static void vary(struct story *story, struct slice *slice, bool is_v6)
{
	unsigned at = slice->n ? draw(story, slice->n) : 0;

	switch (draw(story, 6)) {
	case 0:
		for (unsigned i = at; i + 1 < slice->n; i++)
			copy(slice, i, i + 1);
		slice->n -= slice->n > 0;
		break;
	case 1:
	case 2:
		if (slice->n < ROOM)
			fill(story, slice, slice->n++, is_v6);
		break;
	case 3:
		if (slice->n)
			fill(story, slice, at, is_v6);
		break;
	default:
		if (slice->n)
			slice->at[at].ready = slice->at[at].serving = !slice->at[at].ready;
	}
	if (draw(story, 30) == 0)
		slice->port = slice->port == 8080 ? 9090 : 8080;
}

static void publish(struct story *story, unsigned service, unsigned number)
{
	struct slice *slice = &story->slices[service][number];
	char name[32], time[40];

	snprintf(name, sizeof(name), "%s-%u", services[service], number);
	slice->is_there = draw(story, 12) != 0;
	fake_time(ek_loop_wall_ms(story->w->loop) - draw(story, 20) * 1000, 0, time);
	if (slice->is_there)
		fake_kube_slice(story->w->kube, &(struct fake_slice){ .ns = "rnd", .name = name, .service = services[service], .port = slice->port,
			.address_type = number == N_SLICES - 1 ? "IPv6" : "IPv4", .endpoints = slice->at, .n_endpoints = slice->n, .trigger_time = time });
	else
		fake_kube_delete(story->w->kube, "endpointslices", "rnd", name);
}

/* ---- what happens ---- */

static void change_slice(struct story *story)
{
	unsigned service = draw(story, N_SERVICES), number = draw(story, N_SLICES), n = draw(story, 4) ? 1 : draw(story, 5);

	while (n--)
		vary(story, &story->slices[service][number], number == N_SLICES - 1);
	publish(story, service, number);
}

static void refuse(struct story *story)
{
	static const char *const methods[] = { "POST", "DELETE", "PUT", "GET" };
	struct fake_rule rule = { .times = draw(story, 4) + 1, .status = 500, .method = methods[draw(story, 4)] };

	rule.action = draw(story, 2) ? FAKE_ANSWER : FAKE_LOSE;
	fake_eureka_rule(story->w->eureka, &rule);
}

static void happen(struct story *story)
{
	unsigned what = draw(story, 40);
	char merge[64];

	if (what < 34) {
		change_slice(story);
	} else if (what == 34) {
		refuse(story);
	} else if (what == 35) {
		fake_kube_cut_watches(story->w->kube, "endpointslices", true);
	} else if (what == 36) {
		fake_kube_compact(story->w->kube);
		fake_kube_cut_watches(story->w->kube, NULL, true);
	} else if (what == 37) {
		fake_eureka_restart(story->w->eureka);
	} else if (what == 38) {
		snprintf(merge, sizeof(merge), "\"application\":%s", draw(story, 2) ? "\"one\"" : "null");
		when_spec_changes(story->w, "rnd/web", merge);
	} else {
		fake_kube_service(story->w->kube, &(struct fake_service){ .ns = "rnd", .name = services[1], .app = draw(story, 3) ? "web" : "other" });
	}
}

/* Several events may wait for one turn. */
static void happen_together(struct story *story)
{
	struct ek_queue *queue = &story->w->app->engine->queue;

	ek_queue_pause(queue, draw(story, 2));
	do
		happen(story);
	while (draw(story, 2));
	pass_ms(story->w, draw(story, 20));
	ek_queue_pause(queue, false);
}

static void look(struct story *story)
{
	const struct ek_sync_syncer *syncer = ek_engine_find_syncer(story->w->app->engine, "rnd", "web");

	if (!then_wants_are_exact(story->w))
		return;
	story->n_compared++;
	story->n_parts += syncer && syncer->part.is_possible;
}

static bool is_settled(struct story *story)
{
	struct ek_sync_syncer *syncer = ek_engine_find_syncer(story->w->app->engine, "rnd", "web");
	struct ek_status_counts counts;

	ek_status_count(syncer, &counts);
	return syncer->is_frozen || (!counts.pending && !counts.left);
}

static void live_through(uint64_t seed, unsigned *n_compared, unsigned *n_parts)
{
	struct story story = { .w = world_new(seed) };
	bool has_fault = draw(&story, 4) == 0;

	given_config(story.w, seed % 2 ? CONFIG("[IPv4, IPv6]") : CONFIG("[IPv6, IPv4]"));
	for (unsigned s = 0; s < N_SERVICES; s++) {
		fake_kube_service(story.w->kube, &(struct fake_service){ .ns = "rnd", .name = services[s], .app = "web" });
		for (unsigned i = 0; i < N_SLICES; i++)
			story.slices[s][i].port = 8080;
	}
	given_syncer(story.w, "rnd/web", NULL);
	when_started(story.w);
	for (unsigned step = 0; step < N_STEPS; step++) {
		happen_together(&story);
		if (has_fault && draw(&story, 10) == 0)
			refuse(&story);
		pass_ms(story.w, draw(&story, 3) ? (int)draw(&story, 30) : (int)draw(&story, 3000));
		look(&story);
	}
	fake_eureka_drop_rules(story.w->eureka);
	within(story.w, BOUND_MS, is_settled(&story));
	look(&story);
	*n_compared += story.n_compared;
	*n_parts += story.n_parts;
	world_free(story.w);
}

static void looking_at_parts_comes_to_what_the_whole_would(void **state)
{
	uint64_t only = world_number("EK_SEED", 0), n = world_number("EK_SEEDS", 100);
	unsigned n_compared = 0, n_parts = 0;

	if (only)
		live_through(only, &n_compared, &n_parts);
	for (uint64_t seed = 1; !only && seed <= n; seed++)
		live_through(seed, &n_compared, &n_parts);
	if (!only)
		assert_true(n_parts > n_compared / 2);
	printf("%u of %u comparisons after looking at parts\n", n_parts, n_compared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looking_at_parts_comes_to_what_the_whole_would),
	};

	world_choose_log();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
