/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mode that does what it must not is contained: what it gave is refused and counted, its syncers hear PluginMisbehaved with its name and version, and the syncers
 * of other modes notice nothing. The plugin is the real shared object tests/bad-plugins/hostile-mode.c, and one option makes it do each thing.
 * Read next: host/sync/complete.c and host/sync/mode_turn.c.
 */
#include "kit/world.h"

#include <stdio.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define SAYS "mode hostile (plugin hostile/6.6.6) "

/* What the host makes of one behaviour. */
struct hostility {
	const char *behaviour, *reason, *message, *kind; /* reason NULL: served all the same; kind NULL: not blamed */
};

static const char *document(const char *behaviour)
{
	const char *build = getenv("EK_TEST_BUILD");
	static char text[1024];

	snprintf(text, sizeof(text), "clusterId: test\nplugins: {directory: \"%s/bad-plugins\"}\nmodes: {pod: {plugin: pod.so}, hostile: {plugin: hostile-mode.so, options: {behaviour: \"%s\"}}}\n"
	         "registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n",
	         build ? build : "build/release", behaviour);
	return text;
}

static void given_hostile(struct world *w, const char *behaviour)
{
	given_config(w, document(behaviour));
	ek_catalog_set_rules(w->catalog, &w->config->plugins);
	given_pods(w, "shop/good", 2);
	given_syncer(w, "shop/good", NULL);
	given_pods(w, "shop/bad", 2);
	given_syncer(w, "shop/bad", "\"mode\":\"hostile\"");
	when_started(w);
}

/* What was counted against it; kind NULL: all kinds. */
static uint64_t misbehaviours(struct world *w, const char *kind)
{
	static char body[1 << 17];
	char series[256];
	uint64_t n = 0;

	when_asked(w, "http://operator:8080/metrics", body, sizeof(body));
	snprintf(series, sizeof(series), "\neurekube_plugin_misbehaviour_total{plugin=\"hostile/6.6.6\",instance=\"mode hostile\",kind=\"%s",
	         kind ? kind : "");
	for (const char *at = strstr(body, series); at; at = strstr(at + 1, series))
		n += strtoull(strchr(at, '}') + 1, NULL, 10);
	return n;
}

static void then_others_are_served(struct world *w)
{
	soon(w, is_up(w, "shop/GOOD/good-1") && is_up(w, "shop/GOOD/good-2"));
	when_pod_comes(w, "shop/good", "good-3");
	then_up(w, "shop/GOOD/good-3");
}

static void check(struct world *w, const struct hostility *hostility)
{
	given_hostile(w, hostility->behaviour);
	then_others_are_served(w);
	if (hostility->reason) {
		soon(w, ready_of(w, "shop/bad", "reason")[0]);
		if (strcmp(ready_of(w, "shop/bad", "reason"), hostility->reason) != 0)
			fail_msg("%s: reason %s", hostility->behaviour, ready_of(w, "shop/bad", "reason"));
		if (strcmp(ready_of(w, "shop/bad", "message"), hostility->message) != 0)
			fail_msg("%s: message %s", hostility->behaviour, ready_of(w, "shop/bad", "message"));
		assert_int_equal(fake_eureka_n(w->eureka, "BAD"), 0);
	} else {
		soon(w, is_up(w, "shop/BAD/bad-2"));
	}
	if (hostility->kind && !misbehaviours(w, hostility->kind))
		fail_msg("%s: not counted as %s", hostility->behaviour, hostility->kind);
	if (!hostility->kind && misbehaviours(w, NULL))
		fail_msg("%s: blamed", hostility->behaviour);
}

/* Each behaviour in a world of its own. */
static void check_all(const struct hostility *hostilities, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world *w = world_new(i + 1);

		check(w, &hostilities[i]);
		world_free(w);
	}
}

SCENARIO(hostile_modes, texts_that_are_none_are_refused)
{
	static const char bad_name[] = SAYS "emitted an instance whose name or address is no text: NULL, empty, too long, not UTF-8, or with control characters";
	static const char bad_text[] = SAYS "emitted an instance with something that is no text: too long, not UTF-8, or with control characters";
	static const char own_id[] = SAYS "emitted an instance with an id or an owner of its own; both are the operator's";
	static const struct hostility all[] = {
		{ "no name", "PluginMisbehaved", bad_name, "garbage" },
		{ "empty address", "PluginMisbehaved", bad_name, "garbage" },
		{ "endless name", "PluginMisbehaved", bad_name, "garbage" },
		{ "no UTF-8", "PluginMisbehaved", bad_text, "garbage" },
		{ "control characters", "PluginMisbehaved", bad_text, "garbage" },
		{ "own id", "PluginMisbehaved", own_id, "garbage" },
		{ "own owner", "PluginMisbehaved", own_id, "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_modes, metadata_that_are_none_are_refused)
{
	static const struct hostility all[] = {
		{ "metadata without array", "PluginMisbehaved", SAYS "emitted metadata that are NULL", "garbage" },
		{ "null metadata value", "PluginMisbehaved",
		  SAYS "emitted metadata that are no text: NULL, too long, not UTF-8, or with control characters", "garbage" },
		{ "null metadata pair", "PluginMisbehaved",
		  SAYS "emitted metadata that are no text: NULL, too long, not UTF-8, or with control characters", "garbage" },
		{ "too much metadata", "PluginMisbehaved", SAYS "emitted more than 128 metadata entries", "garbage" },
		{ "marks of its own", "PluginMisbehaved", SAYS "emitted metadata beginning with \"eurekube.\", which are the operator's", "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_modes, numbers_and_pointers_that_are_not_theirs_are_refused)
{
	static const struct hostility all[] = {
		{ "NULL instance", "PluginMisbehaved", SAYS "emitted an instance that is NULL or has no size", "garbage" },
		{ "no size", "PluginMisbehaved", SAYS "emitted an instance that is NULL or has no size", "garbage" },
		{ "port out of range", "PluginMisbehaved", SAYS "emitted bad-1 with port 70000", "garbage" },
		{ "negative port", "PluginMisbehaved", SAYS "emitted bad-1 with port -1", "garbage" },
		{ "no port", "PluginMisbehaved", SAYS "emitted bad-1 with port 0", "garbage" },
		{ "secure port out of range", "PluginMisbehaved", SAYS "emitted bad-1 with secure port 70000", "garbage" },
		{ "unknown flags", "PluginMisbehaved", SAYS "emitted an instance with flags that there are not", "garbage" },
		{ "status out of range", "PluginMisbehaved", SAYS "emitted an instance with a status that there is not", "garbage" },
		{ "foreign Service", "PluginMisbehaved", SAYS "emitted an instance of a Service that it was not shown", "garbage" },
		{ "invented endpoint", "PluginMisbehaved", SAYS "emitted an instance of an endpoint that it was not shown in that Service", "garbage" },
		{ "EK_OK after a refusal", "PluginMisbehaved", SAYS "emitted bad-1 with port -1", "refused_instance" },
		{ "goes on after a refusal", "PluginMisbehaved", SAYS "emitted bad-1 with port -1", "refused_instance" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_modes, an_answer_without_end_is_cut)
{
	static const struct hostility all[] = {
		{ "ten million instances", "PluginMisbehaved", SAYS "emitted more than 10008 instances for 2 endpoints", "too_many" },
		{ "one instance ten million times", "PluginMisbehaved", SAYS "emitted more than 10008 instances for 2 endpoints", "too_many" },
		{ "heavy instances", "PluginMisbehaved", SAYS "emitted more than 16400 KiB of texts for 2 endpoints", "too_many" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_modes, what_the_contract_leaves_open_is_no_misbehaviour)
{
	static const struct hostility all[] = {
		{ "backwards", NULL, NULL, NULL },
		{ "larger structures", NULL, NULL, NULL }, /* of a plugin that was built later */
		{ "logs a megabyte", NULL, NULL, NULL },
		{ "failure without a reason", "ModeFailed", "it does not please", NULL },
		{ "reason that is no word", "ModeFailed", "the reason is no word", NULL },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_modes, failures_that_say_nothing_are_made_to_say_something)
{
	static const struct hostility all[] = {
		{ "unknown code", "PluginMisbehaved", SAYS "returned the code 4711, which there is not", "garbage" },
		{ "fails silently", "PluginMisbehaved", SAYS "failed with code 6 and did not say why", "garbage" },
		{ "bad application", "InvalidApplication",
		  "application \"no/such name\" must begin with a letter or digit and have at most 63 letters, digits, dots, underscores and dashes; set spec.application", NULL },
		{ "fails to start silently", "PluginUnavailable",
		  "mode hostile cannot be used: " SAYS "failed to start with code 77 and did not say why", "garbage" },
		{ "starts without an instance", "PluginUnavailable", "mode hostile cannot be used: " SAYS "started without an instance", "garbage" },
		{ "reads the unknown", "PluginUnavailable",
		  "mode hostile cannot be used: " SAYS "reads what this host does not know (0x40000000)", "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

#define CANNOT_BE_USED "mode hostile cannot be used: " SAYS
#define NO_PATH "asks for a field of ingresses, number 1, whose path is none: at most 8 names joined by dots"

SCENARIO(hostile_modes, declarations_that_are_none_are_refused)
{
	static const struct hostility all[] = {
		{ "reads Secrets", "PluginUnavailable", CANNOT_BE_USED "asks for Secrets, which no mode may read", "garbage" },
		{ "reads NULL", "PluginUnavailable", CANNOT_BE_USED "declares a resource, number 1, that has a group that is no DNS name", "garbage" },
		{ "reads up the path", "PluginUnavailable", CANNOT_BE_USED "declares a resource, number 1, that has a group that is no DNS name", "garbage" },
		{ "reads another version", "PluginUnavailable", CANNOT_BE_USED "declares a resource, number 1, that has a version that is no DNS label", "garbage" },
		{ "reads a subresource", "PluginUnavailable", CANNOT_BE_USED "declares a resource, number 1, that has a plural that is no DNS label", "garbage" },
		{ "reads a query", "PluginUnavailable", CANNOT_BE_USED "declares a resource, number 1, that has a plural that is no DNS label", "garbage" },
		{ "reads no fields", "PluginUnavailable", CANNOT_BE_USED "asks for 0 fields of ingresses; 1 to 32 are possible", "garbage" },
		{ "reads fields that are NULL", "PluginUnavailable", CANNOT_BE_USED "asks for 0 fields of ingresses; 1 to 32 are possible", "garbage" },
		{ "reads too many fields", "PluginUnavailable", CANNOT_BE_USED "asks for 1000000 fields of ingresses; 1 to 32 are possible", "garbage" },
		{ "reads a field that is NULL", "PluginUnavailable", CANNOT_BE_USED NO_PATH, "garbage" },
		{ "reads a field that is none", "PluginUnavailable", CANNOT_BE_USED NO_PATH, "garbage" },
		{ "reads too deep", "PluginUnavailable", CANNOT_BE_USED NO_PATH, "garbage" },
		{ "reads what is quoted", "PluginUnavailable", CANNOT_BE_USED NO_PATH, "garbage" },
		{ "reads without a size", "PluginUnavailable", CANNOT_BE_USED "declares a resource, number 1, that is NULL or has no size", "garbage" },
		{ "reads a million", "PluginUnavailable", CANNOT_BE_USED "declares 1000000 resources; at most 8 are possible", "garbage" },
		{ "reads nothing at all", "PluginUnavailable", CANNOT_BE_USED "declares 1 resources, which are NULL", "garbage" },
	};

	(void)w;
	check_all(all, N(all));
}

SCENARIO(hostile_modes, calls_at_other_times_and_from_other_threads_do_nothing)
{
	static const struct hostility all[] = {
		{ "keeps the sink", NULL, NULL, "refused_instance" },
		{ "calls from a thread", NULL, NULL, "foreign_thread" },
		{ "emits from a thread", NULL, NULL, "foreign_thread" },
		{ "misuses the host", NULL, NULL, "garbage" },
		{ "stops what has ended", NULL, NULL, "garbage" },
		{ "says that it is closed", NULL, NULL, "call_after_close" },
	};

	check_all(all, N(all));
	given_hostile(w, "keeps the sink");
	soon(w, is_up(w, "shop/BAD/bad-1"));
	soon(w, misbehaviours(w, "refused_instance") == 1);
	assert_int_equal(fake_eureka_n(w->eureka, "BAD"), 2);
}

SCENARIO(hostile_modes, a_message_that_is_no_text_reaches_the_status_as_one)
{
	given_hostile(w, "message that is no text");
	soon(w, !strcmp(ready_of(w, "shop/bad", "reason"), "Garbled"));
	assert_int_equal(strspn(ready_of(w, "shop/bad", "message"), "?"), 255);
}

SCENARIO(hostile_modes, one_that_turns_decent_again_is_served)
{
	given_hostile(w, "no name");
	soon(w, !strcmp(ready_of(w, "shop/bad", "reason"), "PluginMisbehaved"));
	when_config_changes(w, document(""));
	within(w, 10000, is_up(w, "shop/BAD/bad-1"));
	within(w, 10000, !strcmp(ready_of(w, "shop/bad", "status"), "True"));
}

int main(void)
{
	return world_run_scenarios();
}
