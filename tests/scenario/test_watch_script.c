/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One script of changes in a cluster, played once for each event of its watches and each way in which a watch may fail to tell it: not at all, twice, or behind its
 * successor. Meanwhile no instance of a ready and selected endpoint may leave Eureka and no lease be late; within an audit period Eureka holds what the cluster says.
 * It does not break connections or servers; read next: tests/scenario/test_faults.c, which does.
 */
#include "kit/world.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define STEP_MS       4000
#define AUDIT_MS      300000          /* the default, jittered by a fifth */
#define HEALED_MS     (AUDIT_MS + AUDIT_MS / 5 + 10000)
#define SETTLED_MS    10000
#define LATE_MS       (27000 + 2000)  /* what is held was renewed so long ago at most */
#define N_RESOURCES   3
#define INSTANCES_MAX 64

static const char *const resources[N_RESOURCES] = { "services", "endpointslices", "eurekasyncers" };

/* ---- the script ---- */

enum verb { SLICE, NO_SLICE, SERVICE, NO_SERVICE, SYNCER, NO_SYNCER, EDIT };

/* Endpoints are written "web-1+ web-2- web-3~": ready, not ready, terminating; "web-1'+" is another pod of the same name. */
struct step {
	enum verb verb;
	const char *name, *service, *what;   /* what: endpoints, label app, or members of spec */
};

static const struct step cluster[] = {
	{ SERVICE, "web", NULL, "web" },
	{ SERVICE, "api", NULL, "api" },
	{ SERVICE, "db", NULL, "db" },
	{ SLICE, "web-a", "web", "web-1+ web-2+ web-3+" },
	{ SLICE, "api-a", "api", "api-1+ api-2+" },
	{ SLICE, "db-a", "db", "db-1+" },
	{ SYNCER, "web", NULL, NULL },
	{ SYNCER, "api", NULL, NULL },
};

static const struct step script[] = {
	{ SLICE, "web-a", "web", "web-1+ web-2+ web-3+ web-4-" },  /* a pod comes */
	{ SLICE, "web-a", "web", "web-1+ web-2+ web-3+ web-4+" },  /* and is ready */
	{ SLICE, "web-a", "web", "web-1- web-2+ web-3+ web-4+" },  /* one fails */
	{ SLICE, "web-a", "web", "web-1+ web-2+ web-3+ web-4+" },  /* and is well again */
	{ SLICE, "web-a", "web", "web-1+ web-2~ web-3+ web-4+" },  /* one ends */
	{ SLICE, "web-a", "web", "web-1+ web-3+ web-4+" },         /* and is gone */
	{ SLICE, "web-b", "web", "web-5+ web-6-" },                /* a slice more */
	{ SLICE, "web-b", "web", "web-5+ web-6+" },
	{ SYNCER, "db", NULL, NULL },
	{ SLICE, "db-a", "db", "db-1+ db-2+" },
	{ EDIT, "web", NULL, "\"instance\":{\"metadata\":{\"version\":\"2\"}}" },
	{ SLICE, "web-a", "web", "web-1+ web-3'+ web-4+" },        /* reborn under its name */
	{ SERVICE, "api", NULL, "other" },                         /* no longer selected */
	{ SERVICE, "api", NULL, "api" },                           /* selected again */
	{ SLICE, "api-a", "api", "api-1+ api-2+ api-3+" },
	{ NO_SLICE, "api-a", NULL, NULL },
	{ NO_SERVICE, "api", NULL, NULL },
	{ SERVICE, "api", NULL, "api" },                           /* the same again */
	{ SLICE, "api-b", "api", "api-1+ api-4+" },
	{ EDIT, "db", NULL, "\"application\":\"store\"" },
	{ SLICE, "db-a", "db", "db-1+" },                          /* one vanishes at once */
	{ SLICE, "web-c", "web", "web-1+" },                        /* a slice is split: in both, then in the new one alone */
	{ SLICE, "web-a", "web", "web-3'+ web-4+" },
	{ SLICE, "web-c", "web", "web-1+ web-5+ web-6+" },          /* another is moved whole */
	{ NO_SLICE, "web-b", NULL, NULL },
	{ SERVICE, "pay", NULL, "web" },                           /* selected by the same syncer */
	{ SLICE, "pay-a", "pay", "pay-1+" },
	{ NO_SYNCER, "db", NULL, NULL },
	{ SERVICE, "pay", NULL, "nobody" },
	{ SLICE, "web-c", "web", "web-1+ web-5+ web-6+ web-7+" },
};

#define N_STEPS (sizeof(script) / sizeof(script[0]))

static struct fake_endpoint read_endpoint(char *word, char uid[48], char ip[32])
{
	char *end = word + strlen(word) - 1, state = *end;
	bool is_reborn = end[-1] == '\'';
	struct fake_endpoint endpoint = { .pod = word, .ip = ip, .uid = uid, .ready = state == '+', .serving = state != '-',
		.terminating = state == '~' };

	end[is_reborn ? -1 : 0] = '\0';
	snprintf(uid, 48, "uid-%s-%d", word, is_reborn);
	snprintf(ip, 32, "10.0.%d.%s", word[0], strchr(word, '-') + 1);
	return endpoint;
}

static void put_slice(struct world *w, const struct step *step)
{
	struct fake_endpoint endpoints[8];
	char text[128], uids[8][48], ips[8][32], *rest = NULL;
	unsigned n = 0;

	snprintf(text, sizeof(text), "%s", step->what);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest), n++)
		endpoints[n] = read_endpoint(word, uids[n], ips[n]);
	fake_kube_slice(w->kube, &(struct fake_slice){ .ns = "shop", .name = step->name, .service = step->service, .endpoints = endpoints,
		.n_endpoints = n });
}

static void play(struct world *w, const struct step *step)
{
	char path[80];

	snprintf(path, sizeof(path), "shop/%s", step->name);
	switch (step->verb) {
	case SLICE:
		put_slice(w, step);
		break;
	case NO_SLICE:
		fake_kube_delete(w->kube, "endpointslices", "shop", step->name);
		break;
	case SERVICE:
		fake_kube_service(w->kube, &(struct fake_service){ .ns = "shop", .name = step->name, .app = step->what });
		break;
	case NO_SERVICE:
		fake_kube_delete(w->kube, "services", "shop", step->name);
		break;
	case SYNCER:
		given_syncer(w, path, NULL);
		break;
	case NO_SYNCER:
		when_syncer_deleted(w, path);
		break;
	case EDIT:
		when_spec_changes(w, path, step->what);
		break;
	}
}

/* ---- what the cluster says, read anew from the stand-in each time ---- */

struct wanted {
	char id[160], application[64], uid[48];
};

struct truth {
	struct world *w;
	struct wanted at[INSTANCES_MAX];
	size_t n;
	/* The syncer and the Service that are being looked at. */
	char app[64], named[64], application[64], service[64];
};

static const char *text_at(const cJSON *json, const char *path)
{
	char step[128];
	size_t n;

	for (; json && *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(step, sizeof(step), "%.*s", (int)n, path);
		json = cJSON_GetObjectItemCaseSensitive(json, step);
	}
	return cJSON_IsString(json) ? json->valuestring : "";
}

static void want(struct truth *truth, const cJSON *endpoint)
{
	struct wanted *wanted = &truth->at[truth->n];
	const cJSON *conditions = cJSON_GetObjectItem(endpoint, "conditions");

	if (!cJSON_IsTrue(cJSON_GetObjectItem(conditions, "ready")))
		return;
	snprintf(wanted->application, sizeof(wanted->application), "%s", truth->application);
	snprintf(wanted->id, sizeof(wanted->id), "test:shop:%s:%s:8080", truth->application, text_at(endpoint, "targetRef.name"));
	snprintf(wanted->uid, sizeof(wanted->uid), "%s", text_at(endpoint, "targetRef.uid"));
	for (size_t i = 0; i < truth->n; i++)
		if (!strcmp(truth->at[i].id, wanted->id))
			return; /* in two slices at once */
	if (++truth->n == INSTANCES_MAX)
		fail_msg("the script is larger than expected");
}

static void look_at_slice(void *arg, const char *ns, const char *name, const char *text)
{
	struct truth *truth = arg;
	cJSON *json = cJSON_Parse(text);
	const cJSON *endpoint, *labels = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "metadata"), "labels");

	(void)ns, (void)name;
	if (!strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(labels, "kubernetes.io/service-name")), truth->service))
		cJSON_ArrayForEach(endpoint, cJSON_GetObjectItem(json, "endpoints"))
			want(truth, endpoint);
	cJSON_Delete(json);
}

/* As on the wire. */
static void write_application(const char *name, char out[64])
{
	size_t i = 0;

	for (; name[i] && i < 63; i++)
		out[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
	out[i] = '\0';
}

static void look_at_service(void *arg, const char *ns, const char *name, const char *text)
{
	struct truth *truth = arg;
	cJSON *json = cJSON_Parse(text);

	(void)ns;
	if (!strcmp(text_at(json, "metadata.labels.app"), truth->app)) {
		snprintf(truth->service, sizeof(truth->service), "%s", name);
		write_application(*truth->named ? truth->named : name, truth->application);
		fake_kube_each(truth->w->kube, "endpointslices", look_at_slice, truth);
	}
	cJSON_Delete(json);
}

static void look_at_syncer(void *arg, const char *ns, const char *name, const char *text)
{
	struct truth *truth = arg;
	cJSON *json = cJSON_Parse(text);

	(void)ns, (void)name;
	if (!*text_at(json, "metadata.deletionTimestamp")) {
		snprintf(truth->app, sizeof(truth->app), "%s", text_at(json, "spec.selector.app"));
		snprintf(truth->named, sizeof(truth->named), "%s", text_at(json, "spec.application"));
		fake_kube_each(truth->w->kube, "services", look_at_service, truth);
	}
	cJSON_Delete(json);
}

static struct truth look(struct world *w)
{
	struct truth truth = { .w = w };

	fake_kube_each(w->kube, "eurekasyncers", look_at_syncer, &truth);
	return truth;
}

static const struct wanted *find(const struct truth *truth, const char *id)
{
	for (size_t i = 0; i < truth->n; i++)
		if (!strcmp(truth->at[i].id, id))
			return &truth->at[i];
	return NULL;
}

/* ---- one run ---- */

enum fault { UNHARMED, DROPPED, REPEATED, SWAPPED, N_FAULTS };

static const char *const faults[N_FAULTS] = { "not harmed", "dropped", "told twice", "told behind its successor" };

struct run {
	enum fault fault;
	int resource;                  /* whose watch */
	unsigned position;             /* which event since the script began */
	const struct step *step;       /* what has happened last; NULL: the script has not begun */
	unsigned n_events[N_RESOURCES];
	unsigned n_false;              /* instances that were taken from their callers */
	char story[200];               /* the first of them */
};

static void count_event(void *arg, const char *plural, const char *ns, const char *name)
{
	struct run *run = arg;

	(void)ns, (void)name;
	for (int i = 0; i < N_RESOURCES; i++)
		run->n_events[i] += run->step && strcmp(plural, resources[i]) == 0;
}

static void fail_run(const struct run *run, const char *what)
{
	fail_msg("event %u of %s %s, step %zd: %s", run->position + 1, resources[run->resource], faults[run->fault],
		run->step ? run->step - script + 1 : 0, what);
}

/* A pod that is ready and selected now may not be taken out; an earlier pod of its name may. */
static void check_cancel(struct world *w, const char *application, const char *id)
{
	struct run *run = w->arg;
	struct truth truth = look(w);
	const struct wanted *wanted = find(&truth, id);
	const char *uid = fake_eureka_metadata(w->eureka, application, id, "eurekube.pod");

	if (!wanted || !uid || strcmp(uid, wanted->uid) != 0)
		return;
	if (!run->n_false++)
		snprintf(run->story, sizeof(run->story), "%s was deregistered after step %zd, though its pod is ready and selected", id,
			run->step ? run->step - script + 1 : 0);
}

static void check_leases(struct world *w, const struct run *run)
{
	struct truth truth = look(w);

	for (size_t i = 0; i < truth.n; i++) {
		const struct fake_instance *held = fake_eureka_find(w->eureka, truth.at[i].application, truth.at[i].id);
		int64_t last_ms = !held ? 0 : held->renewed_ms > held->registered_ms ? held->renewed_ms : held->registered_ms;

		if (held && ek_loop_wall_ms(w->loop) - last_ms > LATE_MS)
			fail_run(run, "a lease is late");
	}
	if (fake_eureka_n_evicted(w->eureka))
		fail_run(run, "a lease has ended");
}

static bool is_healed(struct world *w)
{
	struct truth truth = look(w);

	if (fake_eureka_n(w->eureka, NULL) != truth.n)
		return false;
	for (size_t i = 0; i < truth.n; i++) {
		const struct fake_instance *held = fake_eureka_find(w->eureka, truth.at[i].application, truth.at[i].id);
		const char *uid = fake_eureka_metadata(w->eureka, truth.at[i].application, truth.at[i].id, "eurekube.pod");

		if (!held || strcmp(held->status, "UP") != 0 || !uid || strcmp(uid, truth.at[i].uid) != 0)
			return false;
	}
	return true;
}

static void heal(struct world *w, const struct run *run, int64_t until_ms)
{
	while (!is_healed(w)) {
		if (now_ms(w) >= until_ms)
			fail_run(run, "Eureka does not hold what the cluster says");
		check_leases(w, run);
		pass_ms(w, 1000);
	}
}

static void harm(struct world *w, const struct run *run)
{
	static void (*const harms[N_FAULTS])(struct fake_kube *kube, const char *plural, unsigned n) = {
		[DROPPED] = fake_kube_drop_events, [REPEATED] = fake_kube_repeat_events, [SWAPPED] = fake_kube_swap_events };

	if (!harms[run->fault])
		return;
	fake_kube_spare_events(w->kube, resources[run->resource], run->position);
	harms[run->fault](w->kube, resources[run->resource], 1);
}

static void live_through(struct run *run)
{
	struct world *w = world_new(world_number("EK_SEED", 1));
	int64_t began_ms;

	for (size_t i = 0; i < sizeof(cluster) / sizeof(cluster[0]); i++)
		play(w, &cluster[i]);
	w->arg = run;
	w->on_cancel = check_cancel;
	fake_kube_on_change(w->kube, count_event, run);
	began_ms = now_ms(w);
	when_started(w);
	heal(w, run, began_ms + SETTLED_MS);
	pass_ms(w, STEP_MS);
	harm(w, run);
	for (size_t i = 0; i < N_STEPS; i++) {
		run->step = &script[i];
		play(w, run->step);
		pass_ms(w, STEP_MS);
		check_leases(w, run);
	}
	heal(w, run, run->fault == UNHARMED ? now_ms(w) + SETTLED_MS : began_ms + HEALED_MS);
	w->on_cancel = NULL;
	fake_kube_on_change(w->kube, NULL, NULL);
	world_free(w);
}

/* ---- all of them ---- */

static void the_script_alone_is_followed(void **state)
{
	struct run run = { .fault = UNHARMED };

	(void)state;
	live_through(&run);
	assert_int_equal(run.n_false, 0);
	for (int i = 0; i < N_RESOURCES; i++)
		assert_true(run.n_events[i] > 5);
}

static void harm_each_event(enum fault fault)
{
	struct run plain = { .fault = UNHARMED };

	live_through(&plain);
	for (int resource = 0; resource < N_RESOURCES; resource++)
		for (unsigned position = 0; position < plain.n_events[resource]; position++) {
			struct run run = { .fault = fault, .resource = resource, .position = position };

			live_through(&run);
			if (run.n_false)
				fail_run(&run, run.story);
		}
}

static void each_event_may_be_dropped(void **state)
{
	(void)state;
	harm_each_event(DROPPED);
}

static void each_event_may_be_told_twice(void **state)
{
	(void)state;
	harm_each_event(REPEATED);
}

static void each_event_may_be_told_behind_its_successor(void **state)
{
	(void)state;
	harm_each_event(SWAPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_script_alone_is_followed),
		cmocka_unit_test(each_event_may_be_dropped),
		cmocka_unit_test(each_event_may_be_told_twice),
		cmocka_unit_test(each_event_may_be_told_behind_its_successor),
	};

	world_choose_log();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
