/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many worlds in which pods, syncers, servers and the operator itself come, go and break in random order; then all faults end, and
 * the registry must become what is desired (I5). Meanwhile nothing that lives is removed (I1) and no stranger is written (I2).
 * EK_SEEDS=n runs n worlds, EK_SEED=s one of them, EK_LOG=debug shows what the operator says, EK_STORY=1 what happened.
 * Read next: tests/scenario/test_faults.c, where each fault has a story of its own.
 */
#include "kit/exact.h"
#include "kit/world.h"

#include <stdio.h>

#define N_APPS    3
#define N_STEPS   60
#define PODS_MAX  6
#define GRACE_MS  12000          /* what the operator may still do on an older view, or may have in flight */
#define BOUND_MS  110000         /* the longest backoff and an audit period: a write that hung may be carried out after a read has said no */
#define LEASE_MS  330000         /* a lease, doubled as Eureka does, and its eviction */
#define STRANGER  "dc-host:a:8080"

#define CONFIG(rollout, connections)                                                                                                          \
	"clusterId: test\n"                                                                                                                  \
	"modes: {pod: {plugin: pod.so" rollout "}}\n"                                                                                        \
	"registries: {main: {plugin: eureka.so, default: true, limits: {connections: " connections "}, "                                      \
	"options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"                                                                 \
	"audit: {periodSeconds: 60}\n"

/* The first is what a world begins with; none of the others may be noticed in the registry. */
static const char *const configs[] = {
	CONFIG("", "16"),
	CONFIG("", "8"),
	CONFIG(", rollout: {plugin: pod.so, stage: Shadow}", "16"),
	CONFIG(", rollout: {plugin: pod.so, stage: Canary, select: [{percent: 50}]}", "16"),
	CONFIG(", rollout: {plugin: pod.so, stage: Canary, select: [{percent: 100}]}", "8"),
};

static const char *const names[N_APPS] = { "a", "b", "c" };

struct random_app {
	bool is_wanted;                /* its syncer exists and is not being deleted */
	bool is_suspended, is_renamed;
	int64_t changed_ms;
};

struct story {
	struct world *w;
	struct random_app apps[N_APPS];
	int64_t fault_ms;              /* the last moment at which something was broken */
	bool is_eureka_broken, is_kube_broken;
	bool is_told;
};

static uint64_t draw(struct story *story, uint64_t n)
{
	return sim_random(story->w->loop) % n;
}

#define TELL(story, ...)                                                                          \
	do {                                                                                      \
		if ((story)->is_told) {                                                           \
			printf("%8lld  ", (long long)now_ms((story)->w));                         \
			printf(__VA_ARGS__);                                                      \
			printf("\n");                                                             \
		}                                                                                 \
	} while (0)

static const char *path_of(int app)
{
	static char path[N_APPS][16];

	snprintf(path[app], sizeof(path[app]), "rnd/%s", names[app]);
	return path[app];
}

static void application_of(const struct story *story, int app, char out[8])
{
	snprintf(out, 8, "%c%s", names[app][0] - 'a' + 'A', story->apps[app].is_renamed ? "X" : "");
}

/* ---- what must hold at every step ---- */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* I1: a cancellation needs a reason. */
static void check_cancel(struct world *w, const char *application, const char *id)
{
	struct story *story = w->arg;
	char now_called[8], pod_name[80];
	struct world_pod *pod;
	const char *uid;
	int app = application[0] - 'A', port;

	if (app < 0 || app >= N_APPS || sscanf(id, "test:rnd:%*[^:]:%79[^:]:%d", pod_name, &port) != 2)
		fail_msg("seed %llu: %s/%s was cancelled and is not ours", (unsigned long long)w->seed, application, id);
	application_of(story, app, now_called);
	if (!story->apps[app].is_wanted || strcmp(application, now_called) != 0)
		return;
	pod = world_pod(w, path_of(app), pod_name);
	if (!pod || !pod->is_ready || pod->is_terminating || story->is_eureka_broken || story->is_kube_broken)
		return;
	uid = fake_eureka_metadata(w->eureka, application, id, "eurekube.pod");
	if (!uid || strcmp(uid, pod->uid) != 0)
		return; /* it stands there for an earlier pod of this name */
	if (now_ms(w) - later(later(pod->changed_ms, story->apps[app].changed_ms), story->fault_ms) < GRACE_MS)
		return;
	fail_msg("seed %llu: at %lld ms %s was cancelled, though its pod is ready and selected since %lld ms", (unsigned long long)w->seed,
		(long long)now_ms(w), id, (long long)pod->changed_ms);
}

/* I2: nobody writes the stranger's entry. */
static void check_stranger(struct story *story)
{
	static const enum fake_op writes[] = { FAKE_OP_REGISTER, FAKE_OP_RENEW, FAKE_OP_CANCEL, FAKE_OP_STATUS, FAKE_OP_METADATA };

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		if (fake_eureka_count_of(story->w->eureka, writes[i], "A", STRANGER))
			fail_msg("seed %llu: a stranger's entry was written", (unsigned long long)story->w->seed);
}

/* ---- what happens ---- */

static struct world_pod *any_pod(struct story *story, int app)
{
	struct world_pod *pod = world_service(story->w, path_of(app))->pods;
	uint64_t skip = draw(story, PODS_MAX);

	while (pod && pod->next && skip--)
		pod = pod->next;
	return pod;
}

static unsigned n_pods(struct story *story, int app)
{
	unsigned n = 0;

	for (const struct world_pod *pod = world_service(story->w, path_of(app))->pods; pod; pod = pod->next)
		n++;
	return n;
}

static void grow(struct story *story, int app)
{
	char name[16];

	if (n_pods(story, app) >= PODS_MAX)
		return;
	for (int i = 1; i <= PODS_MAX; i++) {
		snprintf(name, sizeof(name), "%s-%d", names[app], i);
		if (world_pod(story->w, path_of(app), name))
			continue;
		TELL(story, "pod %s comes", name);
		when_pod_comes(story->w, path_of(app), name);
		return;
	}
}

static void change_pod(struct story *story, int app)
{
	struct world_pod *pod = any_pod(story, app);
	const char *path = path_of(app);

	if (!pod || draw(story, 3) == 0) {
		grow(story, app);
		return;
	}
	switch (draw(story, 6)) {
	case 0:
		TELL(story, "pod %s vanishes", pod->name);
		when_pod_vanishes(story->w, path, pod->name);
		return;
	case 1:
		TELL(story, "pod %s is reborn", pod->name);
		when_pod_is_reborn(story->w, path, pod->name);
		return;
	case 2:
		TELL(story, "pod %s terminates", pod->name);
		when_pod_terminates(story->w, path, pod->name);
		return;
	default:
		TELL(story, "pod %s is %sready", pod->name, pod->is_ready ? "not " : "");
		when_pod_is_ready(story->w, path, pod->name, !pod->is_ready);
		return;
	}
}

static void make_syncer(struct story *story, int app)
{
	struct random_app *at = &story->apps[app];

	if (syncer_exists(story->w, path_of(app)))
		return;
	TELL(story, "syncer %s is made", path_of(app));
	given_syncer(story->w, path_of(app), NULL);
	*at = (struct random_app){ .is_wanted = true, .changed_ms = now_ms(story->w) };
}

static void set_suspended(struct story *story, int app, bool is_suspended)
{
	struct random_app *at = &story->apps[app];

	TELL(story, "syncer %s is %s", path_of(app), is_suspended ? "suspended" : "resumed");
	at->is_suspended = is_suspended;
	at->changed_ms = now_ms(story->w);
	when_spec_changes(story->w, path_of(app), is_suspended ? "\"suspend\":true" : "\"suspend\":false");
}

static void change_syncer(struct story *story, int app)
{
	struct random_app *at = &story->apps[app];
	char merge[128];

	if (!at->is_wanted) {
		make_syncer(story, app);
		return;
	}
	at->changed_ms = now_ms(story->w);
	switch (draw(story, 5)) {
	case 0:
		TELL(story, "syncer %s is deleted", path_of(app));
		at->is_wanted = false;
		when_syncer_deleted(story->w, path_of(app));
		return;
	case 1:
		at->is_renamed = !at->is_renamed;
		TELL(story, "syncer %s is renamed %s", path_of(app), at->is_renamed ? "away" : "back");
		snprintf(merge, sizeof(merge), "\"application\":\"%s%s\"", names[app], at->is_renamed ? "x" : "");
		when_spec_changes(story->w, path_of(app), merge);
		return;
	case 2:
		TELL(story, "syncer %s has other metadata", path_of(app));
		snprintf(merge, sizeof(merge), "\"instance\":{\"metadata\":{\"version\":\"%u\"}}", (unsigned)draw(story, 100));
		when_spec_changes(story->w, path_of(app), merge);
		return;
	default:
		set_suspended(story, app, !at->is_suspended);
		return;
	}
}

static void settle_stranger(struct story *story)
{
	if (!fake_eureka_find(story->w->eureka, "A", STRANGER))
		fake_eureka_stranger(story->w->eureka, "A", STRANGER, "192.168.1.5", NULL);
}

static void break_eureka(struct story *story)
{
	static const enum sim_fault faults[] = { SIM_REFUSE, SIM_BLACKHOLE, SIM_HANG, SIM_CUT, SIM_LOSE_REPLY };
	uint64_t what = draw(story, 9);
	struct fake_rule rule = { .times = (uint32_t)draw(story, 4) + 1, .status = 500 };

	if (what < 5) {
		TELL(story, "eureka breaks: fault %d", faults[what]);
		story->is_eureka_broken = true;
		sim_fault(story->w->loop, EUREKA_ORIGIN, faults[what]);
	} else if (what == 5) {
		TELL(story, "eureka restarts empty");
		fake_eureka_restart(story->w->eureka);
		settle_stranger(story);
	} else {
		rule.method = (const char *const[]){ "POST", "DELETE", "PUT", "GET" }[draw(story, 4)];
		rule.action = what == 6 ? FAKE_ANSWER : what == 7 ? FAKE_LOSE : FAKE_CUT;
		TELL(story, "eureka's next %u %s: action %d", rule.times, rule.method, rule.action);
		fake_eureka_rule(story->w->eureka, &rule);
	}
}

static void break_kube(struct story *story)
{
	static const enum sim_fault faults[] = { SIM_REFUSE, SIM_BLACKHOLE, SIM_HANG, SIM_CUT, SIM_LOSE_REPLY };
	static const char *const plurals[] = { "services", "endpointslices", "eurekasyncers", NULL };
	uint64_t what = draw(story, 10);
	struct world *w = story->w;

	if (what < 5) {
		TELL(story, "kube breaks: fault %d", faults[what]);
		story->is_kube_broken = true;
		sim_fault(w->loop, KUBE_ORIGIN, faults[what]);
	} else if (what < 7) {
		TELL(story, "watches are cut");
		fake_kube_cut_watches(w->kube, plurals[draw(story, 4)], draw(story, 2));
	} else if (what == 7) {
		TELL(story, "kube restarts");
		fake_kube_restart(w->kube);
	} else if (what == 8) {
		TELL(story, "history is forgotten");
		fake_kube_compact(w->kube);
		fake_kube_cut_watches(w->kube, NULL, true);
	} else {
		TELL(story, "kube answers 500 or 409");
		fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH", .times = 2, .status = draw(story, 2) ? 500 : 409 });
	}
}

static void mend(struct story *story)
{
	if (story->is_eureka_broken || story->is_kube_broken)
		TELL(story, "all is mended");
	story->is_eureka_broken = story->is_kube_broken = false;
	story->fault_ms = now_ms(story->w);
	sim_fault(story->w->loop, EUREKA_ORIGIN, SIM_OK);
	sim_fault(story->w->loop, KUBE_ORIGIN, SIM_OK);
}

static void change_config(struct story *story)
{
	uint64_t which = draw(story, sizeof(configs) / sizeof(configs[0]));

	TELL(story, "configuration %d", (int)which);
	when_config_changes(story->w, configs[which]);
}

static void restart_operator(struct story *story)
{
	TELL(story, "the operator is killed");
	when_killed(story->w);
	pass_ms(story->w, (int64_t)draw(story, 5000));
	TELL(story, "the operator starts");
	when_launched(story->w);
	story->fault_ms = now_ms(story->w);
}

static void happen(struct story *story)
{
	int app = (int)draw(story, N_APPS);
	uint64_t what = draw(story, 21);

	if (what < 10)
		change_pod(story, app);
	else if (what < 13)
		change_syncer(story, app);
	else if (what < 15)
		mend(story);
	else if (what < 17)
		break_eureka(story);
	else if (what < 19)
		break_kube(story);
	else if (what < 20)
		restart_operator(story);
	else
		change_config(story);
	if (what >= 13)
		story->fault_ms = now_ms(story->w);
}

/* ---- the end ---- */

static size_t n_desired(struct story *story, int app)
{
	size_t n = 0;

	if (!story->apps[app].is_wanted)
		return 0;
	for (const struct world_pod *pod = world_service(story->w, path_of(app))->pods; pod; pod = pod->next)
		n += pod->is_ready && !pod->is_terminating;
	return n;
}

struct census {
	struct world *w;
	char application[2][8];        /* the two names that an app may have */
	size_t n;
};

/* What has expired counts for nobody any more: Eureka answers 404 for it until it is evicted. */
static bool is_expired(struct world *w, const struct fake_instance *instance)
{
	int64_t lease = instance->lease_seconds * 1000;

	return ek_loop_wall_ms(w->loop) > later(instance->registered_ms, instance->renewed_ms ? instance->renewed_ms + lease : 0) + lease;
}

static void count_instance(void *arg, const struct fake_instance *instance)
{
	struct census *census = arg;

	if (strcmp(instance->app, census->application[0]) != 0 && strcmp(instance->app, census->application[1]) != 0)
		return;
	if (strcmp(instance->id, STRANGER) != 0 && !is_expired(census->w, instance))
		census->n++;
}

static size_t n_held(struct story *story, int app)
{
	struct census census = { .w = story->w };

	snprintf(census.application[0], 8, "%c", names[app][0] - 'a' + 'A');
	snprintf(census.application[1], 8, "%cX", names[app][0] - 'a' + 'A');
	fake_eureka_each(story->w->eureka, count_instance, &census);
	return census.n;
}

static bool is_registered(struct story *story, int app, const struct world_pod *pod)
{
	char application[8], id[300];
	const struct fake_instance *found;
	const char *uid;

	application_of(story, app, application);
	snprintf(id, sizeof(id), "test:rnd:%s:%s:8080", application, pod->name);
	found = fake_eureka_find(story->w->eureka, application, id);
	if (!found || strcmp(found->status, "UP") != 0 || strcmp(found->address, pod->ip) != 0)
		return false;
	uid = fake_eureka_metadata(story->w->eureka, application, id, "eurekube.pod");
	return uid && !strcmp(uid, pod->uid);
}

static bool is_app_settled(struct story *story, int app)
{
	if (n_held(story, app) != n_desired(story, app))
		return false;
	for (const struct world_pod *pod = world_service(story->w, path_of(app))->pods; pod; pod = pod->next)
		if (pod->is_ready && !pod->is_terminating && !is_registered(story, app, pod))
			return false;
	return true;
}

static bool is_settled(struct story *story)
{
	for (int app = 0; app < N_APPS; app++)
		if (story->apps[app].is_wanted ? !is_app_settled(story, app) : syncer_exists(story->w, path_of(app)))
			return false;
	return true;
}

/* A registration that hung until its syncer was gone has nobody left to remove it: it ends with its lease. */
static bool is_empty_elsewhere(struct story *story)
{
	for (int app = 0; app < N_APPS; app++)
		if (!story->apps[app].is_wanted && n_held(story, app))
			return false;
	return true;
}

static bool is_told(struct story *story)
{
	char n[16];

	for (int app = 0; app < N_APPS; app++) {
		if (!story->apps[app].is_wanted)
			continue;
		if (strcmp(ready_of(story->w, path_of(app), "status"), "True") != 0)
			return false;
		snprintf(n, sizeof(n), "%s", status_of(story->w, path_of(app), "desired"));
		if (strcmp(n, status_of(story->w, path_of(app), "registered")) != 0)
			return false;
	}
	return true;
}

static void print_instance(void *arg, const struct fake_instance *instance)
{
	(void)arg;
	printf("    %s %s %s\n", instance->id, instance->status, instance->address);
}

/* The last that Eureka was asked to do. */
static void print_log(struct story *story)
{
	static const char *const words[FAKE_N_OPS] = { "register", "renew", "cancel", "status", "unstatus", "metadata", "get", "list", "other" };
	size_t n;
	const struct fake_op_record *log = fake_eureka_log(story->w->eureka, &n);

	for (size_t i = n > 200 ? n - 200 : 0; i < n; i++)
		if (log[i].op != FAKE_OP_RENEW && log[i].op != FAKE_OP_LIST)
			printf("    %lld %s %s %d\n", (long long)log[i].at_ms, words[log[i].op], log[i].id, log[i].status);
}

static void print_end(struct story *story)
{
	static char state[1 << 16];

	when_asked(story->w, "http://127.0.0.1:8081/debug/state", state, sizeof(state));
	printf("  asked of Eureka:\n");
	print_log(story);
	printf("  the operator's state: %s\n", state);
	printf("  in Eureka:\n");
	fake_eureka_each(story->w->eureka, print_instance, NULL);
	printf("  in the cluster:\n");
	for (int app = 0; app < N_APPS; app++) {
		printf("    %s %s, told %s\n", path_of(app), story->apps[app].is_wanted ? "is served" : "has no syncer",
			ready_of(story->w, path_of(app), "reason"));
		for (const struct world_pod *pod = world_service(story->w, path_of(app))->pods; pod; pod = pod->next)
			printf("      %s %s%s %s\n", pod->name, pod->is_ready ? "ready" : "not ready", pod->is_terminating ? " terminating" : "", pod->uid);
	}
}

static void end_all_faults(struct story *story)
{
	mend(story);
	fake_eureka_drop_rules(story->w->eureka);
	fake_kube_drop_rules(story->w->kube);
	for (int app = 0; app < N_APPS; app++)
		if (story->apps[app].is_wanted && story->apps[app].is_suspended)
			set_suspended(story, app, false);
	TELL(story, "all faults have ended");
}

static void wait_for(struct story *story, bool (*condition)(struct story *story), int64_t bound_ms, const char *what)
{
	int64_t end = now_ms(story->w) + bound_ms;

	while (!condition(story)) {
		if (now_ms(story->w) >= end) {
			print_end(story);
			fail_msg("seed %llu (EK_SEED=%llu EK_STORY=1 tells): %s", (unsigned long long)story->w->seed, (unsigned long long)story->w->seed, what);
		}
		pass_ms(story->w, 20);
	}
	then_wants_are_exact(story->w);
}

static void live_through(uint64_t seed)
{
	struct story story = { .w = world_new(seed), .is_told = world_number("EK_STORY", 0) };

	given_config(story.w, configs[0]);
	story.w->arg = &story;
	story.w->on_cancel = check_cancel;
	for (int app = 0; app < N_APPS; app++)
		given_pods(story.w, path_of(app), (unsigned)draw(&story, 4));
	for (int app = 0; app < N_APPS; app++)
		if (draw(&story, 4))
			make_syncer(&story, app);
	settle_stranger(&story);
	when_launched(story.w);
	for (int step = 0; step < N_STEPS; step++) {
		pass_ms(story.w, (int64_t)draw(&story, draw(&story, 4) ? 1500 : 12000));
		happen(&story);
		check_stranger(&story);
		then_wants_are_exact(story.w);
	}
	end_all_faults(&story);
	wait_for(&story, is_settled, BOUND_MS, "the registry has not become what is desired");
	wait_for(&story, is_told, BOUND_MS, "the status has not become what is registered");
	wait_for(&story, is_empty_elsewhere, LEASE_MS, "the registry holds what nobody wants");
	pass_ms(story.w, 60000);
	if (!is_settled(&story))
		fail_msg("seed %llu: what was settled did not stay", (unsigned long long)seed);
	check_stranger(&story);
	story.w->on_cancel = NULL;
	world_free(story.w);
}

static void random_worlds_end_as_they_should(void **state)
{
	uint64_t only = world_number("EK_SEED", 0), n = world_number("EK_SEEDS", 200);

	if (only) {
		live_through(only);
		return;
	}
	for (uint64_t seed = 1; seed <= n; seed++)
		live_through(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds_end_as_they_should),
	};

	world_choose_log();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
