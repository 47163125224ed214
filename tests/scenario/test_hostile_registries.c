/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry that does what it must not is contained: what it says is refused and counted, its syncers hear of it with its name and version, and the leases in other
 * registries are renewed all the same. The plugin is the real shared object tests/bad-plugins/hostile-registry.c, and one option makes it do each thing.
 * Read next: host/plugin/services_check.c and host/sync/registry_ops.c.
 */
#include "kit/world.h"

#include <stdio.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define SAYS "plugin hostile-registry/6.6.6 "

static const char *document_with(const char *behaviour, const char *note)
{
	const char *build = getenv("EK_TEST_BUILD");
	static char text[1024];

	snprintf(text, sizeof(text), "clusterId: test\nplugins: {directory: \"%s/bad-plugins\"}\nmodes: {pod: {plugin: pod.so}}\n"
	         "registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"], renewSeconds: 5, "
	         "leaseSeconds: 15}}, hostile: {plugin: hostile-registry.so, options: {behaviour: \"%s\", note: \"%s\"}}}\n",
	         build ? build : "build/release", behaviour, note);
	return text;
}

static const char *document(const char *behaviour)
{
	return document_with(behaviour, "");
}

/* Two registries of one plugin. */
static const char *document_of_two(const char *behaviour, const char *sibling)
{
	const char *build = getenv("EK_TEST_BUILD");
	static char text[1024];

	snprintf(text, sizeof(text), "clusterId: test\nplugins: {directory: \"%s/bad-plugins\"}\nmodes: {pod: {plugin: pod.so}}\n"
	         "registries: {hostile: {plugin: hostile-registry.so, options: {behaviour: \"%s\"}}, sibling: {plugin: hostile-registry.so, options: {behaviour: \"%s\"}}}\n",
	         build ? build : "build/release", behaviour, sibling);
	return text;
}

static void given_hostile(struct world *w, const char *behaviour)
{
	given_config(w, document(behaviour));
	ek_catalog_set_rules(w->catalog, &w->config->plugins);
	given_pods(w, "shop/good", 2);
	given_syncer(w, "shop/good", NULL);
	given_pods(w, "shop/bad", 1);
	given_syncer(w, "shop/bad", "\"registry\":\"hostile\"");
	when_launched(w);
	within(w, 10000, is_up(w, "shop/GOOD/good-1") && is_up(w, "shop/GOOD/good-2"));
	pass_ms(w, 1000);
}

/* What was counted against one of its instances; kind NULL: all kinds. */
static uint64_t misbehaviours_of(struct world *w, const char *registry, const char *kind)
{
	static char body[1 << 17];
	char series[256];
	uint64_t n = 0;

	when_asked(w, "http://operator:8080/metrics", body, sizeof(body));
	snprintf(series, sizeof(series), "\neurekube_plugin_misbehaviour_total{plugin=\"hostile-registry/6.6.6\",instance=\"registry %s\",kind=\"%s",
	         registry, kind ? kind : "");
	for (const char *at = strstr(body, series); at; at = strstr(at + 1, series))
		n += strtoull(strchr(at, '}') + 1, NULL, 10);
	return n;
}

static uint64_t misbehaviours(struct world *w, const char *kind)
{
	return misbehaviours_of(w, "hostile", kind);
}

/* Nobody else's lease was late: renewed every 5 s for half a minute, and never registered again. */
static void then_others_keep_their_leases(struct world *w)
{
	fake_eureka_reset_log(w->eureka);
	pass_ms(w, 30000);
	assert_in_range(n_ops(w, FAKE_OP_RENEW, "shop/GOOD/good-1"), 5, 8);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_int_equal(fake_eureka_n_evicted(w->eureka), 0);
}

struct hostility {
	const char *behaviour, *reason, *message, *kind; /* reason NULL: the syncer is served all the same; message: a part of it; kind NULL: not blamed */
};

static void check(struct world *w, const struct hostility *hostility)
{
	given_hostile(w, hostility->behaviour);
	then_others_keep_their_leases(w);
	if (hostility->reason) {
		within(w, 90000, !strcmp(ready_of(w, "shop/bad", "reason"), hostility->reason));
		if (!strstr(ready_of(w, "shop/bad", "message"), hostility->message))
			fail_msg("%s: message %s", hostility->behaviour, ready_of(w, "shop/bad", "message"));
	} else {
		if (strcmp(ready_of(w, "shop/bad", "status"), "True") != 0)
			fail_msg("%s: not served: %s", hostility->behaviour, ready_of(w, "shop/bad", "message"));
	}
	if (hostility->kind && !misbehaviours(w, hostility->kind))
		fail_msg("%s: not counted as %s", hostility->behaviour, hostility->kind);
	if (!hostility->kind && misbehaviours(w, NULL))
		fail_msg("%s: blamed", hostility->behaviour);
}

static void check_all(const struct hostility *hostilities, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world *w = world_new(i + 1);

		check(w, &hostilities[i]);
		world_free(w);
	}
}

SCENARIO(hostile_registries, completions_that_break_the_contract_are_contained)
{
	static const struct hostility all[] = {
		{ "completes at once", NULL, NULL, "early_completion" },
		{ "completes twice", NULL, NULL, "double_completion" },
		{ "completes what never was", NULL, NULL, "double_completion" },
		{ "never completes", "PluginMisbehaved", SAYS "did not complete the operation within the time it was given", "no_completion" },
		{ "no result", "PluginMisbehaved", SAYS "completed the operation with no result", "garbage" },
		{ "result without size", "PluginMisbehaved", SAYS "completed the operation with a result whose size is too small", "garbage" },
		{ "unknown code", "PluginMisbehaved", SAYS "completed the operation with a result with a code that there is not", "garbage" },
		{ "unclassified", "PluginMisbehaved", SAYS "failed: no", NULL },
		{ "reads without an entry", "PluginMisbehaved", SAYS "answered a read with neither the entry nor EK_GONE", "garbage" },
		{ "answers with another entry", "PluginMisbehaved", SAYS "answered with the entry of another id", "garbage" },
		{ "entry with broken metadata", "PluginMisbehaved", SAYS "completed the operation with metadata that are NULL", "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_registries, messages_and_waits_are_cut_to_size)
{
	static const struct hostility all[] = {
		{ "endless message", "RegistryUnavailable", "aaaaaaaaaaaaaaaa", NULL },
		{ "message that is no text", "RegistryUnavailable", "caf??", NULL },
		{ "waits for ever", "Progressing", "1 to register", NULL },
		{ "waits for less than nothing", "Progressing", "1 to register", NULL },
		{ "absurd revisions", NULL, NULL, NULL },
		{ "larger structures", NULL, NULL, NULL }, /* of a plugin that was built later */
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_registries, a_list_of_garbage_is_no_list)
{
	static const struct hostility all[] = {
		{ "lists NULL", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists entries without size", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists ids that are no text", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists a status that there is not", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists metadata without end", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists entries without an instance", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists endlessly", "PluginMisbehaved", SAYS "listed garbage, or without end", "too_many" },
		{ "lists garbage for two lists", "PluginMisbehaved", SAYS "listed garbage", "garbage" },
		{ "lists for another list", NULL, NULL, "garbage" },
		{ "never ends a list", "PluginMisbehaved", SAYS "did not complete the list within the time it was given", "no_completion" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_registries, floods_are_bounded)
{
	static const struct hostility all[] = {
		{ "floods with timers", NULL, NULL, "too_many" },
		{ "floods with posts", NULL, NULL, "too_many" },
		{ "floods with requests", NULL, NULL, "too_many" },
		{ "floods with watches", NULL, NULL, "too_many" },
		{ "floods with news", "Progressing", "1 to register", "too_many" }, /* it says without end that all is lost */
		{ "changes that are no names", NULL, NULL, "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_registries, instances_that_cannot_be_are_not_used)
{
	static const struct hostility all[] = {
		{ "fails to start silently", "PluginUnavailable", SAYS "failed to start and did not say why", "garbage" },
		{ "starts without an instance", "PluginUnavailable", SAYS "started without an instance", "garbage" },
		{ "no traits", "PluginUnavailable", SAYS "has no traits", "garbage" },
		{ "traits out of range", "PluginUnavailable", SAYS "has traits out of range", "garbage" },
		{ "no batch", "PluginUnavailable", SAYS "has traits out of range", "garbage" },
		{ "unknown traits", "PluginUnavailable", SAYS "has traits out of range", "garbage" },
		{ "renews all the time", "PluginUnavailable", SAYS "has traits out of range", "garbage" },
		{ "renews too late", "PluginUnavailable", SAYS "has traits out of range", "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_registries, an_end_that_nobody_asked_for_is_none)
{
	static const struct hostility all[] = {
		{ "says that it is closed", NULL, NULL, "call_after_close" },
		{ "says in create that it is closed", NULL, NULL, "call_after_close" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_registries, losses_and_changes_without_end_are_looked_into_now_and_then)
{
	static const struct {
		const char *behaviour;
		uint64_t most; /* reads in a minute */
	} all[] = { { "loses all the time", 13 }, { "changes all the time", 6100 } };

	for (size_t i = 0; i < N(all); i++) {
		struct world *other = world_new(i + 1);
		uint64_t n;

		given_hostile(other, all[i].behaviour);
		n = world_registry(other, "hostile")->results[EK_OP_GET][EK_OK];
		pass_ms(other, 60000);
		n = world_registry(other, "hostile")->results[EK_OP_GET][EK_OK] - n;
		if (n < 1 || n > all[i].most)
			fail_msg("%s: %d reads", all[i].behaviour, (int)n);
		world_free(other);
	}
	(void)w;
}

SCENARIO(hostile_registries, inventions_under_our_mark_are_taken_in_by_portions)
{
	given_hostile(w, "lists inventions");
	assert_in_range(world_registry(w, "hostile")->ledger.n, 1, 20001);
	assert_int_equal(world_registry(w, "hostile")->list_skipped, 30000);
	then_others_keep_their_leases(w);
	assert_in_range(world_registry(w, "hostile")->list_round, 2, 10); /* the next portion does not wait for the next audit */
}

/* Each has one operation in flight, and they would have the same token. */
SCENARIO(hostile_registries, an_answer_through_another_instance_answers_nothing)
{
	given_config(w, document_of_two("answers through its sibling", "never completes"));
	ek_catalog_set_rules(w->catalog, &w->config->plugins);
	given_pods(w, "shop/bad", 1);
	given_syncer(w, "shop/bad", "\"registry\":\"hostile\"");
	given_pods(w, "shop/other", 1);
	given_syncer(w, "shop/other", "\"registry\":\"sibling\"");
	when_launched(w);
	within(w, 30000, !strcmp(ready_of(w, "shop/bad", "reason"), "PluginMisbehaved"));
	within(w, 30000, !strcmp(ready_of(w, "shop/other", "reason"), "PluginMisbehaved"));
	assert_int_equal(world_registry(w, "sibling")->results[EK_OP_PUT][EK_OK], 0);
	assert_in_range(misbehaviours_of(w, "hostile", "no_completion"), 1, 10);
	assert_in_range(misbehaviours_of(w, "sibling", "double_completion"), 1, 10);
}

SCENARIO(hostile_registries, who_completes_twice_is_told_to_the_syncer_it_happened_to)
{
	given_hostile(w, "completes twice");
	within(w, 10000, fake_kube_n_events(w->kube, "PluginMisbehaved", "bad") == 1);
	assert_int_equal(fake_kube_n_events(w->kube, "PluginMisbehaved", "good"), 0);
}

SCENARIO(hostile_registries, one_that_is_replaced_may_go_on_or_never_close_and_nothing_happens)
{
	static const char *const behaviours[] = { "goes on after closed", "never closes", "posts after closed", "uses the host of a dead sibling" };

	for (size_t i = 0; i < N(behaviours); i++) {
		struct world *other = world_new(i + 1);

		given_hostile(other, behaviours[i]);
		within(other, 10000, !strcmp(ready_of(other, "shop/bad", "status"), "True"));
		when_config_changes(other, document_with(behaviours[i], "again"));
		pass_ms(other, 10000);
		then_others_keep_their_leases(other);
		assert_string_equal(ready_of(other, "shop/bad", "status"), "True");
		world_free(other);
	}
	(void)w;
}

SCENARIO(hostile_registries, what_one_has_done_is_told_when_it_is_gone)
{
	uint64_t n;

	given_hostile(w, "completes twice");
	n = misbehaviours(w, "double_completion");
	assert_in_range(n, 1, 1000);
	when_config_changes(w, document_with("goes on after closed", "again"));
	pass_ms(w, 10000);
	when_config_changes(w, document(""));
	pass_ms(w, 10000);
	assert_in_range(misbehaviours(w, "double_completion"), n, 1000);
	assert_in_range(misbehaviours(w, "call_after_close"), 5, 5);
}

int main(void)
{
	return world_run_scenarios();
}
