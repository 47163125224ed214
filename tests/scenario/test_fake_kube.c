/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake API server: that it behaves as the real one where the operator could tell the difference.
 * It does not test the operator.
 * Next: tests/kit/fake_kube.h.
 */
#include "kit/fake_kube.h"

#include "kit/ask.h"
#include "kit/sim.h"

#include <cjson/cJSON.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNCERS  "/apis/eurekube.io/v1alpha1/namespaces/rating/eurekasyncers"
#define SYNCER   SYNCERS "/rating"
#define SERVICES "/api/v1/services"
#define SLICES   "/apis/discovery.k8s.io/v1/endpointslices"
#define MERGE    "application/merge-patch+json"
#define STEPS    "application/json-patch+json"

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct fake_kube *kube;
	struct ask ask;
	struct ask_stream watch;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->loop = sim_loop_new(7);
	w->kube = fake_kube_new(w->loop);
	w->serve = ek_serve_new(w->loop, &(struct ek_serve_config){ .host = "kube", .port = 6443,
		.handle = fake_kube_handle, .arg = w->kube }, NULL);
	ask_init(&w->ask, w->loop, "http://kube:6443");
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	if (w->watch.ask)
		ask_close(&w->watch);
	ask_clear(&w->ask);
	ek_serve_free(w->serve);
	fake_kube_free(w->kube);
	ek_loop_free(w->loop);
	free(w);
	return 0;
}

static void given_services(struct world *w, const char *const *names)
{
	for (; *names; names++)
		fake_kube_service(w->kube, &(struct fake_service){ .ns = "rating", .name = *names });
}

static void given_syncer(struct world *w)
{
	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "rating", .name = "rating" });
}

static void when_watched(struct world *w, const char *path)
{
	ask_open(&w->ask, &w->watch, path);
	sim_advance(w->loop, 50);
}

#define expect_line(w, ...) expect_line_of((w), (const char *[]){ __VA_ARGS__, NULL }, __LINE__)
static void expect_line_of(struct world *w, const char *const *parts, int at)
{
	const char *line = ask_line(&w->watch);

	if (!line)
		fail_msg("line %d: no event came, wanted %s", at, *parts);
	for (; *parts; parts++)
		if (!strstr(line, *parts))
			fail_msg("line %d: %s is not in %s", at, *parts, line);
}

static const char *text_of(struct world *w, const char *path)
{
	return fake_kube_text(w->kube, "eurekasyncers", "rating", "rating", path);
}

/* ---- Reading ---- */

static void an_object_is_read_and_a_missing_one_is_a_status(void **state)
{
	struct world *w = *state;

	given_services(w, (const char *[]){ "web", NULL });
	assert_int_equal(ask_get(&w->ask, "/api/v1/namespaces/rating/services/web"), 200);
	assert_true(ask_has(&w->ask, "\"kind\":\"Service\",\"apiVersion\":\"v1\""));
	assert_int_equal(ask_get(&w->ask, "/api/v1/namespaces/rating/services/other"), 404);
	assert_true(ask_has(&w->ask, "\"reason\":\"NotFound\""));
	assert_true(ask_has(&w->ask, "services \\\"other\\\" not found"));
	assert_int_equal(ask_get(&w->ask, "/apis/nobody.io/v1/things"), 404);
	assert_int_equal(ask_get(&w->ask, "/version"), 200);
}

static void lists_have_their_keys_in_the_order_of_the_real_server(void **state)
{
	struct world *w = *state;

	given_services(w, (const char *[]){ "b", "a", NULL });
	given_syncer(w);
	ask_get(&w->ask, SERVICES);
	assert_true(strstr(w->ask.body, "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":") == w->ask.body);
	assert_true(ask_has(&w->ask, "\"items\":[{\"metadata\":"));
	assert_true(strstr(w->ask.body, "\"name\":\"a\"") < strstr(w->ask.body, "\"name\":\"b\""));
	ask_get(&w->ask, SYNCERS);
	assert_true(strstr(w->ask.body, "{\"apiVersion\":\"eurekube.io/v1alpha1\",\"items\":[{\"apiVersion\":") == w->ask.body);
	assert_true(strstr(w->ask.body, "\"items\"") < strstr(w->ask.body, "\"kind\":\"EurekaSyncerList\",\"metadata\":{\"resourceVersion\":"));
}

static void selectors_narrow_a_list(void **state)
{
	struct world *w = *state;

	given_services(w, (const char *[]){ "a", "b", NULL });
	fake_kube_service(w->kube, &(struct fake_service){ .ns = "other", .name = "c", .labels = "\"team\":\"x\"" });
	ask_get(&w->ask, "/api/v1/namespaces/rating/services");
	assert_true(ask_has(&w->ask, "\"name\":\"a\"") && !ask_has(&w->ask, "\"name\":\"c\""));
	ask_get(&w->ask, SERVICES "?labelSelector=app%3Da");
	assert_true(ask_has(&w->ask, "\"name\":\"a\"") && !ask_has(&w->ask, "\"name\":\"b\""));
	ask_get(&w->ask, SERVICES "?labelSelector=app+in+%28a%2C+c%29%2C%21team");
	assert_true(ask_has(&w->ask, "\"name\":\"a\"") && !ask_has(&w->ask, "\"name\":\"c\""));
	ask_get(&w->ask, SERVICES "?fieldSelector=metadata.name%3Db");
	assert_true(ask_has(&w->ask, "\"name\":\"b\"") && !ask_has(&w->ask, "\"name\":\"a\""));
}

static void take_token(struct world *w, char *token, size_t size)
{
	const char *at = strstr(w->ask.body, "\"continue\":\"");

	assert_non_null(at);
	snprintf(token, size, "%.*s", (int)strcspn(at + 12, "\""), at + 12);
}

static void pages_show_one_moment(void **state)
{
	struct world *w = *state;
	char token[1500], path[1700], version[40];

	given_services(w, (const char *[]){ "a", "b", "d", NULL });
	snprintf(version, sizeof(version), "\"resourceVersion\":\"%llu\"}", (unsigned long long)fake_kube_version(w->kube));
	ask_get(&w->ask, SERVICES "?limit=2");
	assert_true(ask_has(&w->ask, "\"remainingItemCount\":1"));
	take_token(w, token, sizeof(token));
	given_services(w, (const char *[]){ "c", NULL });
	fake_kube_remove(w->kube, "services", "rating", "d");
	snprintf(path, sizeof(path), SERVICES "?limit=2&continue=%s", token);
	assert_int_equal(ask_get(&w->ask, path), 200);
	assert_true(ask_has(&w->ask, "\"name\":\"d\"") && !ask_has(&w->ask, "\"name\":\"c\""));
	assert_true(ask_has(&w->ask, version) && !ask_has(&w->ask, "\"continue\""));
}

static void an_old_token_is_expired(void **state)
{
	struct world *w = *state;
	char token[1500], path[1700];

	given_services(w, (const char *[]){ "a", "b", NULL });
	ask_get(&w->ask, SERVICES "?limit=1");
	take_token(w, token, sizeof(token));
	given_services(w, (const char *[]){ "c", NULL });
	fake_kube_compact(w->kube);
	snprintf(path, sizeof(path), SERVICES "?limit=1&continue=%s", token);
	assert_int_equal(ask_get(&w->ask, path), 410);
	assert_true(ask_has(&w->ask, "\"reason\":\"Expired\""));
}

static void a_version_of_the_future_is_too_large(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask_get(&w->ask, SERVICES "?resourceVersion=999999&resourceVersionMatch=NotOlderThan"), 504);
	assert_true(ask_has(&w->ask, "ResourceVersionTooLarge"));
	assert_int_equal(ask_get(&w->ask, SERVICES "?resourceVersion=0"), 200);
	assert_int_equal(ask_get(&w->ask, SERVICES "?resourceVersion=x1"), 500);
	assert_int_equal(ask_get(&w->ask, SERVICES "?resourceVersionMatch=Exact"), 422);
}

/* ---- Watching ---- */

static void a_watch_tells_what_comes_after_its_version(void **state)
{
	struct world *w = *state;
	char path[128];

	given_services(w, (const char *[]){ "old", NULL });
	snprintf(path, sizeof(path), SERVICES "?watch=1&resourceVersion=%llu", (unsigned long long)fake_kube_version(w->kube));
	given_services(w, (const char *[]){ "meanwhile", NULL });
	when_watched(w, path);
	expect_line(w, "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Service\",\"apiVersion\":\"v1\"", "\"name\":\"meanwhile\"");
	fake_kube_patch(w->kube, "services", "rating", "old", NULL, "{\"spec\":{\"type\":\"NodePort\"}}");
	expect_line(w, "MODIFIED", "NodePort");
	fake_kube_remove(w->kube, "services", "rating", "old");
	expect_line(w, "DELETED", "\"name\":\"old\"");
	assert_true(ask_is_silent(&w->watch));
}

static void a_write_that_changes_nothing_is_no_event(void **state)
{
	struct world *w = *state;
	uint64_t version;

	given_services(w, (const char *[]){ "web", NULL });
	version = fake_kube_version(w->kube);
	given_services(w, (const char *[]){ "web", NULL });
	assert_int_equal(fake_kube_version(w->kube), version);
}

static void a_streaming_list_ends_with_its_mark_and_goes_on(void **state)
{
	struct world *w = *state;

	given_services(w, (const char *[]){ "a", NULL });
	when_watched(w, SERVICES "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
	expect_line(w, "ADDED", "\"name\":\"a\"");
	expect_line(w, "BOOKMARK", "\"k8s.io/initial-events-end\":\"true\"");
	given_services(w, (const char *[]){ "b", NULL });
	expect_line(w, "ADDED", "\"name\":\"b\"");
}

static void a_streaming_list_is_refused_without_its_gate_or_its_match(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask_get(&w->ask, SERVICES "?watch=1&sendInitialEvents=true"), 422);
	fake_kube_set_streaming(w->kube, false);
	assert_int_equal(ask_get(&w->ask, SERVICES "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"), 422);
	assert_true(ask_has(&w->ask, "\"reason\":\"Invalid\""));
}

static void a_watch_from_too_long_ago_gets_its_error_inside_200(void **state)
{
	struct world *w = *state;

	given_services(w, (const char *[]){ "a", NULL });
	fake_kube_compact(w->kube);
	when_watched(w, SERVICES "?watch=1&resourceVersion=1000");
	expect_line(w, "\"type\":\"ERROR\"", "\"code\":410", "\"reason\":\"Expired\"", "too old resource version: 1000 (");
	assert_true(ask_ends(&w->watch));
	assert_int_equal(w->watch.status, 200);
	assert_int_equal(w->watch.code, EK_OK);
}

static void history_is_bounded(void **state)
{
	struct world *w = *state;

	fake_kube_keep_history(w->kube, 2);
	given_services(w, (const char *[]){ "a", "b", "c", "d", NULL });
	when_watched(w, SERVICES "?watch=1&resourceVersion=1002");
	expect_line(w, "ERROR");
}

static void a_watch_from_the_future_is_silent(void **state)
{
	struct world *w = *state;

	when_watched(w, SERVICES "?watch=1&resourceVersion=99999999");
	given_services(w, (const char *[]){ "a", NULL });
	assert_true(ask_is_silent(&w->watch));
}

static void leaving_the_selection_is_told_as_deleted(void **state)
{
	struct world *w = *state;

	given_services(w, (const char *[]){ "a", NULL });
	when_watched(w, SERVICES "?watch=1&labelSelector=app%3Da");
	expect_line(w, "ADDED");
	fake_kube_patch(w->kube, "services", "rating", "a", NULL, "{\"metadata\":{\"labels\":{\"app\":\"b\"}}}");
	expect_line(w, "DELETED", "\"labels\":{\"app\":\"a\"");
	fake_kube_patch(w->kube, "services", "rating", "a", NULL, "{\"metadata\":{\"labels\":{\"app\":\"a\"}}}");
	expect_line(w, "ADDED", "\"labels\":{\"app\":\"a\"");
}

static void a_watch_ends_at_its_time_with_a_last_bookmark(void **state)
{
	struct world *w = *state;

	when_watched(w, SERVICES "?watch=1&resourceVersion=1001&timeoutSeconds=10&allowWatchBookmarks=true");
	given_syncer(w);
	sim_advance(w->loop, 9000);
	expect_line(w, "BOOKMARK");
	assert_true(ask_ends(&w->watch));
	assert_int_equal(w->watch.code, EK_OK);
}

static void watches_are_cut_frozen_and_fed(void **state)
{
	struct world *w = *state;

	when_watched(w, SERVICES "?watch=1&allowWatchBookmarks=1");
	assert_int_equal(fake_kube_open_watches(w->kube, "services"), 1);
	fake_kube_bookmark(w->kube, "services");
	expect_line(w, "BOOKMARK");
	fake_kube_drop_events(w->kube, "services", 1);
	given_services(w, (const char *[]){ "lost", "seen", NULL });
	expect_line(w, "ADDED", "\"name\":\"seen\"");
	fake_kube_repeat_events(w->kube, "services", 1);
	given_services(w, (const char *[]){ "twice", NULL });
	expect_line(w, "ADDED", "\"name\":\"twice\"");
	expect_line(w, "ADDED", "\"name\":\"twice\"");
	fake_kube_swap_events(w->kube, "services", 1);
	fake_kube_spare_events(w->kube, "services", 1);
	given_services(w, (const char *[]){ "before", "second", "first", "after", NULL });
	expect_line(w, "ADDED", "\"name\":\"before\"");
	expect_line(w, "ADDED", "\"name\":\"first\"");
	expect_line(w, "ADDED", "\"name\":\"second\"");
	expect_line(w, "ADDED", "\"name\":\"after\"");
	fake_kube_freeze(w->kube, "services", true);
	given_services(w, (const char *[]){ "late", NULL });
	assert_true(ask_is_silent(&w->watch));
	fake_kube_freeze(w->kube, "services", false);
	expect_line(w, "ADDED", "\"name\":\"late\"");
	fake_kube_emit(w->kube, "services", "{broken\n");
	expect_line(w, "{broken");
	fake_kube_cut_watches(w->kube, NULL, true);
	assert_true(ask_ends(&w->watch));
	assert_int_equal(w->watch.code, EK_UNKNOWN);
	assert_int_equal(fake_kube_open_watches(w->kube, NULL), 0);
}

static void a_watcher_that_leaves_is_forgotten(void **state)
{
	struct world *w = *state;

	when_watched(w, SERVICES "?watch=true");
	ask_close(&w->watch);
	sim_advance(w->loop, 50);
	assert_int_equal(fake_kube_open_watches(w->kube, NULL), 0);
	given_services(w, (const char *[]){ "a", NULL });
}

/* ---- Writing ---- */

#define NEW_SYNCER "{\"kind\":\"EurekaSyncer\",\"metadata\":{\"name\":\"rating\"},\"spec\":{\"mode\":\"pod\",\"selector\":{\"app\":\"x\"}}," \
	"\"status\":{\"desired\":9}}"

static void a_created_object_is_stamped_and_gets_its_defaults(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask_send(&w->ask, "POST", SYNCERS, NULL, NEW_SYNCER), 201);
	assert_string_equal(text_of(w, "metadata.generation"), "1");
	assert_string_equal(text_of(w, "metadata.namespace"), "rating");
	assert_non_null(text_of(w, "metadata.uid"));
	assert_non_null(text_of(w, "metadata.creationTimestamp"));
	assert_string_equal(text_of(w, "spec.notReady"), "Deregister");
	assert_string_equal(text_of(w, "spec.drain.seconds"), "100");
	assert_string_equal(text_of(w, "spec.policy"), "Sync");
	assert_string_equal(text_of(w, "spec.suspend"), "false");
	assert_null(text_of(w, "status"));
	assert_int_equal(ask_send(&w->ask, "POST", SYNCERS, NULL, NEW_SYNCER), 409);
	assert_true(ask_has(&w->ask, "AlreadyExists"));
}

static void a_syncer_that_selects_nothing_is_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask_send(&w->ask, "POST", SYNCERS, NULL,
		"{\"kind\":\"EurekaSyncer\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"mode\":\"pod\",\"selector\":{}}}"), 422);
}

static void status_and_spec_do_not_touch_each_other(void **state)
{
	struct world *w = *state;

	given_syncer(w);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER "/status", MERGE,
		"{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"mode\":\"other\"},\"status\":{\"registered\":2}}"), 200);
	assert_string_equal(text_of(w, "status.registered"), "2");
	assert_string_equal(text_of(w, "spec.mode"), "pod");
	assert_string_equal(text_of(w, "metadata.generation"), "1");
	assert_null(text_of(w, "metadata.labels"));
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, MERGE,
		"{\"spec\":{\"suspend\":true},\"status\":{\"registered\":5}}"), 200);
	assert_string_equal(text_of(w, "status.registered"), "2");
	assert_string_equal(text_of(w, "spec.suspend"), "true");
	assert_string_equal(text_of(w, "metadata.generation"), "2");
}

static void an_old_version_is_a_conflict(void **state)
{
	struct world *w = *state;

	given_syncer(w);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER "/status", MERGE,
		"{\"metadata\":{\"resourceVersion\":\"5\"},\"status\":{\"registered\":2}}"), 409);
	assert_true(ask_has(&w->ask, "\"reason\":\"Conflict\""));
	fake_kube_conflict(w->kube, "eurekasyncers");
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER "/status", MERGE, "{\"status\":{\"registered\":2}}"), 409);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER "/status", MERGE, "{\"status\":{\"registered\":2}}"), 200);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, MERGE, "{\"metadata\":{\"uid\":\"x\"}}"), 422);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, "application/strategic-merge-patch+json", "{}"), 415);
}

static void finalizers_are_added_and_removed_by_tested_steps(void **state)
{
	struct world *w = *state;

	given_syncer(w);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, STEPS, "[{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":null},"
		"{\"op\":\"add\",\"path\":\"/metadata/finalizers\",\"value\":[\"eurekube.io/deregister\"]}]"), 200);
	assert_string_equal(text_of(w, "metadata.finalizers.0"), "eurekube.io/deregister");
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, STEPS, "[{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":null}]"), 422);
	assert_true(ask_has(&w->ask, "the server rejected our request due to an error in our request"));
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, STEPS, "[{\"op\":\"add\",\"path\":\"/metadata/finalizers/-\",\"value\":\"b/c\"}]"), 200);
	assert_string_equal(text_of(w, "metadata.finalizers.1"), "b/c");
}

static void a_finalizer_holds_a_deleted_object(void **state)
{
	struct world *w = *state;

	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "rating", .name = "rating", .metadata = "\"finalizers\":[\"a/b\"]" });
	assert_int_equal(ask_send(&w->ask, "DELETE", SYNCER, NULL, NULL), 200);
	assert_non_null(text_of(w, "metadata.deletionTimestamp"));
	assert_string_equal(text_of(w, "metadata.generation"), "2");
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, MERGE, "{\"metadata\":{\"finalizers\":[\"a/b\",\"c/d\"]}}"), 422);
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER, STEPS, "[{\"op\":\"test\",\"path\":\"/metadata/finalizers/0\",\"value\":\"a/b\"},"
		"{\"op\":\"remove\",\"path\":\"/metadata/finalizers/0\"}]"), 200);
	assert_null(fake_kube_get(w->kube, "eurekasyncers", "rating", "rating"));
	assert_int_equal(ask_send(&w->ask, "DELETE", SYNCER, NULL, NULL), 404);
}

static void a_deleted_pod_terminates_first(void **state)
{
	struct world *w = *state;
	const char *pod = "/api/v1/namespaces/rating/pods/web-1";

	fake_kube_pod(w->kube, &(struct fake_pod){ .ns = "rating", .name = "web-1", .ip = "10.0.0.1", .ready = true });
	assert_int_equal(ask_send(&w->ask, "DELETE", pod, NULL, NULL), 200);
	assert_string_equal(fake_kube_text(w->kube, "pods", "rating", "web-1", "metadata.deletionGracePeriodSeconds"), "30");
	assert_int_equal(ask_send(&w->ask, "PATCH", "/api/v1/namespaces/rating/pods/web-1/status", MERGE, "{\"status\":{\"phase\":\"Running\",\"x\":1}}"), 200);
	assert_non_null(fake_kube_get(w->kube, "pods", "rating", "web-1"));
	assert_int_equal(ask_send(&w->ask, "DELETE", "/api/v1/namespaces/rating/pods/web-1?gracePeriodSeconds=0", NULL, NULL), 200);
	assert_null(fake_kube_get(w->kube, "pods", "rating", "web-1"));
}

static void a_deletion_may_name_the_one_it_means(void **state)
{
	struct world *w = *state;

	given_syncer(w);
	assert_int_equal(ask_send(&w->ask, "DELETE", SYNCER, NULL, "{\"preconditions\":{\"uid\":\"another\"}}"), 409);
	assert_non_null(fake_kube_get(w->kube, "eurekasyncers", "rating", "rating"));
}

static void a_replacement_needs_the_latest_version(void **state)
{
	struct world *w = *state;
	cJSON *json;
	char *text;

	ask_send(&w->ask, "POST", "/apis/coordination.k8s.io/v1/namespaces/rating/leases", NULL,
		"{\"kind\":\"Lease\",\"metadata\":{\"name\":\"l\"},\"spec\":{\"holderIdentity\":\"a\"}}");
	json = cJSON_Parse(w->ask.body);
	cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "spec"), "holderIdentity", cJSON_CreateString("b"));
	text = cJSON_PrintUnformatted(json);
	assert_int_equal(ask_send(&w->ask, "PUT", "/apis/coordination.k8s.io/v1/namespaces/rating/leases/l", NULL, text), 200);
	assert_int_equal(ask_send(&w->ask, "PUT", "/apis/coordination.k8s.io/v1/namespaces/rating/leases/l", NULL, text), 409);
	assert_string_equal(fake_kube_text(w->kube, "leases", "rating", "l", "spec.holderIdentity"), "b");
	cJSON_free(text);
	cJSON_Delete(json);
}

#define EVENT(time) "{\"kind\":\"Event\",\"metadata\":{\"name\":\"rating.1\"},\"eventTime\":\"" time "\",\"reportingController\":\"eurekube\"," \
	"\"reportingInstance\":\"a\",\"action\":\"Sync\",\"reason\":\"Synced\",\"type\":\"Normal\",\"regarding\":{\"name\":\"rating\"}}"

static void events_must_be_complete(void **state)
{
	struct world *w = *state;
	const char *path = "/apis/events.k8s.io/v1/namespaces/rating/events";

	assert_int_equal(ask_send(&w->ask, "POST", path, NULL, EVENT("2026-01-01T00:00:00Z")), 400);
	assert_int_equal(ask_send(&w->ask, "POST", path, NULL, EVENT("2026-01-01T00:00:00.000000Z")), 201);
	assert_int_equal(fake_kube_n_events(w->kube, "Synced", "rating"), 1);
	assert_int_equal(fake_kube_n_events(w->kube, "Other", NULL), 0);
	assert_int_equal(ask_send(&w->ask, "PATCH", "/apis/events.k8s.io/v1/namespaces/rating/events/rating.1", MERGE,
		"{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-01-01T00:00:00.000000Z\"}}"), 200);
}

static void an_ending_namespace_takes_nothing_new(void **state)
{
	struct world *w = *state;

	fake_kube_namespace(w->kube, "rating");
	fake_kube_terminate(w->kube, "namespaces", "", "rating", 0);
	assert_int_equal(ask_send(&w->ask, "POST", SYNCERS, NULL, NEW_SYNCER), 403);
	assert_true(ask_has(&w->ask, "NamespaceTerminating"));
}

/* ---- Faults and counting ---- */

static void scripted_answers_come_in_their_order_and_number(void **state)
{
	struct world *w = *state;

	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "GET", .path = SERVICES, .times = 2, .status = 429,
		.headers = "Retry-After: 1\n" });
	assert_int_equal(ask_get(&w->ask, SERVICES), 429);
	assert_true(ask_has(&w->ask, "TooManyRequests"));
	assert_int_equal(ask_get(&w->ask, SLICES), 200);
	assert_int_equal(ask_get(&w->ask, SERVICES), 429);
	assert_int_equal(ask_get(&w->ask, SERVICES), 200);
}

static void answers_are_lost_delayed_hung_and_emptied(void **state)
{
	struct world *w = *state;
	int64_t start;

	given_syncer(w);
	fake_kube_rule(w->kube, &(struct fake_rule){ .method = "PATCH", .action = FAKE_LOSE });
	assert_int_equal(ask_send(&w->ask, "PATCH", SYNCER "/status", MERGE, "{\"status\":{\"registered\":2}}"), 0);
	assert_int_equal(w->ask.code, EK_UNKNOWN);
	assert_string_equal(text_of(w, "status.registered"), "2");
	fake_kube_rule(w->kube, &(struct fake_rule){ .action = FAKE_DELAY, .delay_ms = 3000 });
	start = ek_loop_now_ms(w->loop);
	assert_int_equal(ask_get(&w->ask, SYNCER), 200);
	assert_in_range(ek_loop_now_ms(w->loop) - start, 3000, 3100);
	assert_true(ask_has(&w->ask, "\"registered\":2"));
	fake_kube_rule(w->kube, &(struct fake_rule){ .action = FAKE_HANG });
	assert_int_equal(ask_get(&w->ask, SYNCER), 0);
	fake_kube_rule(w->kube, &(struct fake_rule){ .action = FAKE_EMPTY });
	assert_int_equal(ask_get(&w->ask, SYNCERS), 200);
	assert_true(ask_has(&w->ask, "\"items\":[]"));
}

static void a_resource_can_be_missing(void **state)
{
	struct world *w = *state;

	fake_kube_set_served(w->kube, "eurekasyncers", false);
	assert_int_equal(ask_get(&w->ask, SYNCERS), 404);
	fake_kube_set_served(w->kube, "eurekasyncers", true);
	assert_int_equal(ask_get(&w->ask, SYNCERS), 200);
}

static void requests_are_counted_by_verb_and_resource(void **state)
{
	struct world *w = *state;

	given_syncer(w);
	ask_get(&w->ask, SYNCER);
	ask_get(&w->ask, SYNCERS);
	ask_send(&w->ask, "PATCH", SYNCER "/status", MERGE, "{}");
	when_watched(w, SERVICES "?watch=1");
	assert_int_equal(fake_kube_count(w->kube, "get", "eurekasyncers"), 1);
	assert_int_equal(fake_kube_count(w->kube, "list", "eurekasyncers"), 1);
	assert_int_equal(fake_kube_count(w->kube, "patch", "eurekasyncers"), 0);
	assert_int_equal(fake_kube_count(w->kube, "patch", "eurekasyncers/status"), 1);
	assert_int_equal(fake_kube_count(w->kube, "watch", NULL), 1);
	assert_int_equal(fake_kube_count(w->kube, NULL, NULL), 4);
}

static void slices_are_built_from_endpoints(void **state)
{
	struct world *w = *state;
	const struct fake_endpoint endpoints[] = { FAKE_READY("web-1", "10.0.0.1"), FAKE_TERMINATING("web-0", "10.0.0.2"),
		{ .ip = "10.0.0.3", .is_nil = true } };

	fake_kube_slice(w->kube, &(struct fake_slice){ .ns = "rating", .service = "web", .endpoints = endpoints, .n_endpoints = 3 });
	assert_string_equal(fake_kube_text(w->kube, "endpointslices", "rating", "web-1", "endpoints.0.targetRef.uid"), "uid-web-1");
	assert_string_equal(fake_kube_text(w->kube, "endpointslices", "rating", "web-1", "endpoints.1.conditions"),
		"{\"ready\":false,\"serving\":true,\"terminating\":true}");
	assert_null(fake_kube_text(w->kube, "endpointslices", "rating", "web-1", "endpoints.2.conditions"));
	fake_kube_slice(w->kube, &(struct fake_slice){ .ns = "rating", .service = "web" });
	assert_string_equal(fake_kube_text(w->kube, "endpointslices", "rating", "web-1", "endpoints"), "null");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_is_read_and_a_missing_one_is_a_status),
		TEST(lists_have_their_keys_in_the_order_of_the_real_server),
		TEST(selectors_narrow_a_list),
		TEST(pages_show_one_moment),
		TEST(an_old_token_is_expired),
		TEST(a_version_of_the_future_is_too_large),
		TEST(a_watch_tells_what_comes_after_its_version),
		TEST(a_write_that_changes_nothing_is_no_event),
		TEST(a_streaming_list_ends_with_its_mark_and_goes_on),
		TEST(a_streaming_list_is_refused_without_its_gate_or_its_match),
		TEST(a_watch_from_too_long_ago_gets_its_error_inside_200),
		TEST(history_is_bounded),
		TEST(a_watch_from_the_future_is_silent),
		TEST(leaving_the_selection_is_told_as_deleted),
		TEST(a_watch_ends_at_its_time_with_a_last_bookmark),
		TEST(watches_are_cut_frozen_and_fed),
		TEST(a_watcher_that_leaves_is_forgotten),
		TEST(a_created_object_is_stamped_and_gets_its_defaults),
		TEST(a_syncer_that_selects_nothing_is_refused),
		TEST(status_and_spec_do_not_touch_each_other),
		TEST(an_old_version_is_a_conflict),
		TEST(finalizers_are_added_and_removed_by_tested_steps),
		TEST(a_finalizer_holds_a_deleted_object),
		TEST(a_deleted_pod_terminates_first),
		TEST(a_deletion_may_name_the_one_it_means),
		TEST(a_replacement_needs_the_latest_version),
		TEST(events_must_be_complete),
		TEST(an_ending_namespace_takes_nothing_new),
		TEST(scripted_answers_come_in_their_order_and_number),
		TEST(answers_are_lost_delayed_hung_and_emptied),
		TEST(a_resource_can_be_missing),
		TEST(requests_are_counted_by_verb_and_resource),
		TEST(slices_are_built_from_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
