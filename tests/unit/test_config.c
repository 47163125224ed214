/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration document: what a good one means, and with which words each bad one is refused.
 * Plugins and their options are not loaded here.
 * Read next: host/config/config.h.
 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ek_config *read_good(const char *text)
{
	struct ek_config *config = NULL;
	struct ek_error err = EK_ERROR_INIT;

	if (ek_config_read(text, strlen(text), &config, &err) != EK_OK)
		fail_msg("%s", err.message);
	return config;
}

/* ---- What a document means ---- */

/* As the documentation shows it. */
static const char sample[] =
	"clusterId: seoul-1                   # names this cluster\n"
	"formerClusterIds: []\n"
	"watchNamespaces: []\n"
	"plugins: {directory: /usr/lib/eurekube/plugins, requireDigest: false}\n"
	"modes:\n"
	"  pod:\n"
	"    plugin: pod.so\n"
	"    sha256: \"\"\n"
	"    options: {}\n"
	"    rollout:\n"
	"      plugin: pod-2.so\n"
	"      sha256: \"\"\n"
	"      stage: Canary\n"
	"      select: [{percent: 10}, {namespaces: [rating], matchLabels: {channel: canary}}]\n"
	"      rollback: {failures: 3}\n"
	"  service: {plugin: service.so}\n"
	"registries:\n"
	"  main:\n"
	"    plugin: eureka.so\n"
	"    default: true\n"
	"    options: {serviceUrls: [\"http://eureka-0:8761/eureka/\", \"http://eureka-1:8761/eureka/\"], heartbeats: single, "
	"leaseSeconds: 90, renewSeconds: 27}\n"
	"    auth: {type: basic, usernameFile: /etc/eurekube/main/username, passwordFile: /etc/eurekube/main/password}\n"
	"    tls: {caFile: \"\", insecureSkipVerify: false}\n"
	"    limits: {requestsPerSecond: 0, connections: 16}\n"
	"endpoints: {allowWithoutPod: false, ipFamilies: [IPv4, IPv6], deny: []}\n"
	"grants: []\n"
	"applicationNames: {}\n"
	"guard: {syncerPercent: 30, syncerMin: 5, registryPercent: 10, registryMin: 20, windowSeconds: 60, confirmSeconds: 10, "
	"mode: Confirm}\n"
	"audit: {periodSeconds: 300}\n"
	"finalizer: {waitSeconds: 600}\n";

static void test_the_documented_sample_is_read_as_documented(void **state)
{
	struct ek_config *config = read_good(sample);
	const struct ek_config_mode *pod = ek_config_find_mode(config, "pod");
	const struct ek_config_registry *main_ = ek_config_find_registry(config, "main");

	assert_string_equal(config->cluster_id, "seoul-1");
	assert_int_equal(config->n_modes, 2);
	assert_string_equal(pod->plugin, "pod.so");
	assert_string_equal(pod->sha256, "");
	assert_non_null(pod->rollout);
	assert_non_null(pod->options);
	assert_null(ek_config_find_mode(config, "service")->rollout);
	assert_null(ek_config_find_mode(config, "service")->options);
	assert_null(ek_config_find_mode(config, "other"));
	assert_string_equal(main_->plugin, "eureka.so");
	assert_int_equal(main_->auth, EK_AUTH_BASIC);
	assert_string_equal(main_->username_file, "/etc/eurekube/main/username");
	assert_string_equal(main_->password_file, "/etc/eurekube/main/password");
	assert_null(main_->token_file);
	assert_null(main_->ca_file);
	assert_int_equal(main_->connections, 16);
	assert_ptr_equal(ek_config_find_registry(config, NULL), main_);
	assert_string_equal(ek_value_text(ek_value_get(main_->options, "heartbeats"), ""), "single");
	ek_config_free(config);
}

static void assert_defaults(const struct ek_config *config)
{
	assert_string_equal(config->plugins.directory, "/usr/lib/eurekube/plugins");
	assert_false(config->plugins.require_digest);
	assert_false(config->plugins.read_only_directory);
	assert_false(config->allow_without_pod);
	assert_int_equal(config->n_families, 2);
	assert_int_equal(config->families[0], 4);
	assert_int_equal(config->families[1], 6);
	assert_int_equal(config->guard.syncer_percent, 30);
	assert_int_equal(config->guard.syncer_min, 5);
	assert_int_equal(config->guard.registry_percent, 10);
	assert_int_equal(config->guard.registry_min, 20);
	assert_int_equal(config->guard.window_seconds, 60);
	assert_int_equal(config->guard.confirm_seconds, 10);
	assert_false(config->guard.is_block);
	assert_int_equal(config->audit_seconds, 300);
	assert_int_equal(config->finalizer_wait_seconds, 600);
}

static void test_what_is_left_out_has_the_documented_default(void **state)
{
	struct ek_config *empty = read_good(""), *full = read_good(sample);
	struct ek_config *sparse = read_good("modes:\nregistries: {one: {plugin: memory.so, auth: }}\nguard:\n");

	assert_defaults(empty);
	assert_defaults(full);
	assert_defaults(sparse);
	assert_string_equal(empty->cluster_id, "");
	assert_int_equal(empty->n_modes, 0);
	assert_null(ek_config_find_registry(empty, NULL));
	assert_int_equal(sparse->registries[0].auth, EK_AUTH_NONE);
	assert_int_equal(sparse->registries[0].connections, 16);
	assert_string_equal(sparse->registries[0].sha256, "");
	assert_true(sparse->hash != empty->hash);
	ek_config_free(empty);
	ek_config_free(full);
	ek_config_free(sparse);
}

static void test_every_section_reaches_its_field(void **state)
{
	struct ek_config *config = read_good(
		"clusterId: a\nformerClusterIds: [b, c-1]\nwatchNamespaces: [rating, shop]\n"
		"plugins: {directory: /p, requireDigest: true, readOnlyDirectory: true}\n"
		"modes: {m: {plugin: m.so, sha256: "
		"0123456789ABCDEFabcdef0123456789abcdef0123456789abcdef0123456789, rollout: {plugin: n.so, stage: Off}}}\n"
		"registries:\n"
		"  r1: {plugin: r.so, auth: {type: bearer, tokenFile: /t}, tls: {caFile: /ca, insecureSkipVerify: true}}\n"
		"  r2: {plugin: r.so, auth: {type: mtls, certFile: /c, keyFile: /k}, limits: {requestsPerSecond: 7, connections: 3}}\n"
		"endpoints: {allowWithoutPod: true, ipFamilies: [IPv6], deny: [10.0.0.0/8, 'fd00::/9', 192.168.1.1/32, 0.0.0.0/0]}\n"
		"grants: [{from: a, to: b}]\n"
		"applicationNames: {shop: [SHOP-*, CART], '*': ['*']}\n"
		"guard: {syncerPercent: 1, syncerMin: 2, registryPercent: 3, registryMin: 4, windowSeconds: 5, confirmSeconds: 6, mode: Block}\n"
		"audit: {periodSeconds: 8}\nfinalizer: {waitSeconds: 9}\n");

	assert_int_equal(config->n_former, 2);
	assert_string_equal(config->former_cluster_ids[1], "c-1");
	assert_int_equal(config->n_namespaces, 2);
	assert_string_equal(config->watch_namespaces[0], "rating");
	assert_string_equal(config->plugins.directory, "/p");
	assert_true(config->plugins.require_digest);
	assert_true(config->plugins.read_only_directory);
	assert_null(config->modes[0].rollout);
	assert_int_equal(strlen(config->modes[0].sha256), 64);
	assert_int_equal(config->registries[0].auth, EK_AUTH_BEARER);
	assert_string_equal(config->registries[0].token_file, "/t");
	assert_string_equal(config->registries[0].ca_file, "/ca");
	assert_true(config->registries[0].insecure_skip_verify);
	assert_int_equal(config->registries[1].auth, EK_AUTH_MTLS);
	assert_string_equal(config->registries[1].cert_file, "/c");
	assert_string_equal(config->registries[1].key_file, "/k");
	assert_int_equal(config->registries[1].requests_per_second, 7);
	assert_int_equal(config->registries[1].connections, 3);
	assert_true(config->allow_without_pod);
	assert_int_equal(config->n_families, 1);
	assert_int_equal(config->families[0], 6);
	assert_int_equal(config->n_grants, 1);
	assert_string_equal(config->grants[0].to, "b");
	assert_int_equal(config->n_names, 2);
	assert_string_equal(config->names[0].namespace_, "shop");
	assert_string_equal(config->names[0].patterns[1], "CART");
	assert_int_equal(config->guard.syncer_percent, 1);
	assert_int_equal(config->guard.confirm_seconds, 6);
	assert_true(config->guard.is_block);
	assert_int_equal(config->audit_seconds, 8);
	assert_int_equal(config->finalizer_wait_seconds, 9);
	ek_config_free(config);
}

static void test_denied_networks_are_in_network_order(void **state)
{
	static const uint8_t ten[16] = { 10 }, unique_local[16] = { 0xfd };
	struct ek_config *config = read_good("endpoints: {deny: [10.0.0.0/8, 'fd00::/9']}\n");

	assert_int_equal(config->n_deny, 2);
	assert_int_equal(config->deny[0].family, 4);
	assert_int_equal(config->deny[0].bits, 8);
	assert_memory_equal(config->deny[0].address, ten, sizeof(ten));
	assert_int_equal(config->deny[1].family, 6);
	assert_int_equal(config->deny[1].bits, 9);
	assert_memory_equal(config->deny[1].address, unique_local, sizeof(unique_local));
	ek_config_free(config);
}

static void test_the_only_registry_is_the_default_and_of_several_none_unless_marked(void **state)
{
	struct ek_config *one = read_good("registries: {a: {plugin: x.so}}\n");
	struct ek_config *two = read_good("registries: {a: {plugin: x.so}, b: {plugin: x.so}}\n");
	struct ek_config *marked = read_good("registries: {a: {plugin: x.so}, b: {plugin: x.so, default: true}}\n");

	assert_string_equal(ek_config_find_registry(one, NULL)->name, "a");
	assert_null(ek_config_find_registry(two, NULL));
	assert_string_equal(ek_config_find_registry(two, "b")->name, "b");
	assert_string_equal(ek_config_find_registry(marked, NULL)->name, "b");
	ek_config_free(one);
	ek_config_free(two);
	ek_config_free(marked);
}

/* ---- What is refused ---- */

struct refused {
	const char *text, *message;
};

static void assert_refused(const struct refused *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ek_config *config = NULL;
		struct ek_error err = EK_ERROR_INIT;

		if (ek_config_read(cases[i].text, strlen(cases[i].text), &config, &err) == EK_OK)
			fail_msg("accepted: %s", cases[i].text);
		assert_null(config);
		assert_int_equal(err.code, EK_INVALID);
		if (strcmp(err.message, cases[i].message) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].text, err.message, cases[i].message);
	}
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void test_keys_and_types_are_refused_with_their_place(void **state)
{
	static const struct refused cases[] = {
		{ "clusterID: a\n",
			"line 1, column 1: there is no key \"clusterID\" here; there are: clusterId, formerClusterIds, watchNamespaces, plugins, "
			"modes, registries, endpoints, grants, applicationNames, guard, audit, finalizer" },
		{ "modes:\n  pod:\n    plugin: pod.so\n    sha265: x\n",
			"line 4, column 5: modes.pod: there is no key \"sha265\" here; there are: plugin, sha256, options, rollout" },
		{ "[a]\n", "line 1, column 1: must be a map" },
		{ "modes: [a]\n", "line 1, column 1: modes: must be a map" },
		{ "modes:\n  pod: pod.so\n", "line 2, column 3: modes.pod: must be a map" },
		{ "modes:\n  pod:\n", "line 2, column 3: modes.pod: plugin must be given" },
		{ "modes:\n  pod: {plugin: [a]}\n", "line 2, column 9: modes.pod.plugin: must be a text" },
		{ "modes:\n  pod: {plugin: ''}\n", "line 2, column 9: modes.pod.plugin: must not be empty" },
		{ "modes:\n  pod: {plugin: x, options: [a]}\n", "line 2, column 20: modes.pod.options: must be a map" },
		{ "watchNamespaces: rating\n", "line 1, column 1: watchNamespaces: must be a list" },
		{ "watchNamespaces: [a, b, a]\n", "line 1, column 1: watchNamespaces: a stands there twice" },
		{ "watchNamespaces: [a, [b]]\n", "line 1, column 22: watchNamespaces[1]: must be a text that is not empty" },
		{ "plugins: {requireDigest: yes}\n", "line 1, column 11: plugins.requireDigest: must be true or false" },
		{ "plugins: {directory: ''}\n", "line 1, column 1: plugins: directory must not be empty" },
		{ "audit: {periodSeconds: soon}\n", "line 1, column 9: audit.periodSeconds: must be a whole number" },
		{ "audit: {periodSeconds: '5'}\n", "line 1, column 9: audit.periodSeconds: must be a whole number" },
		{ "audit: {periodSeconds: 0}\n", "line 1, column 9: audit.periodSeconds: is 0, but must be from 1 to 86400" },
		{ "finalizer: {waitSeconds: -1}\n", "line 1, column 13: finalizer.waitSeconds: is -1, but must be from 0 to 86400" },
		{ "finalizer: {waitSeconds: 1.5}\n", "line 1, column 13: finalizer.waitSeconds: must be a whole number" },
	};

	assert_refused(cases, N(cases));
}

static void test_names_and_patterns_are_judged(void **state)
{
	static const struct refused cases[] = {
		{ "clusterId: Seoul\n", "line 1, column 1: clusterId: \"Seoul\" is no cluster id; it must match [a-z0-9-]{1,20}" },
		{ "clusterId: ''\n", "line 1, column 1: clusterId: \"\" is no cluster id; it must match [a-z0-9-]{1,20}" },
		{ "clusterId: abcdefghijklmnopqrstu\n",
			"line 1, column 1: clusterId: \"abcdefghijklmnopqrstu\" is no cluster id; it must match [a-z0-9-]{1,20}" },
		{ "formerClusterIds: [a/b]\n",
			"line 1, column 20: formerClusterIds[0]: \"a/b\" is no cluster id; it must match [a-z0-9-]{1,20}" },
		{ "clusterId: a\nformerClusterIds: [b, a]\n",
			"line 2, column 1: formerClusterIds: a is the present clusterId, not a former one" },
		{ "modes: {Pod: {plugin: x}}\n",
			"line 1, column 9: modes.Pod: \"Pod\" is no name; it must match [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" },
		{ "registries: {-a: {plugin: x}}\n",
			"line 1, column 14: registries.-a: \"-a\" is no name; it must match [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" },
		{ "modes: {pod: {plugin: /usr/lib/pod.so}}\n",
			"line 1, column 15: modes.pod.plugin: must be the name of a file in plugins.directory, without '/'" },
		{ "modes: {pod: {plugin: x, sha256: abc}}\n",
			"line 1, column 26: modes.pod.sha256: must be 64 hex digits; `eurekube plugin digest` prints them" },
		{ "grants: [{from: a}]\n", "line 1, column 10: grants[0]: to must be given" },
		{ "grants: [{from: a, to: '*'}]\n",
			"line 1, column 20: grants[0].to: \"*\" is no name; it must match [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" },
		{ "applicationNames: {a b: [X]}\n",
			"line 1, column 20: applicationNames.a b: \"a b\" is no name; it must match [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" },
		{ "applicationNames: {a: [X Y]}\n",
			"line 1, column 24: applicationNames.a[0]: \"X Y\" is no pattern of application names; write names with * and ?" },
		{ "endpoints: {ipFamilies: [IPv5]}\n", "line 1, column 26: endpoints.ipFamilies[0]: must be IPv4 or IPv6" },
		{ "endpoints: {ipFamilies: [IPv4, IPv4]}\n", "line 1, column 32: endpoints.ipFamilies[1]: names IPv4 twice" },
		{ "endpoints: {ipFamilies: []}\n", "line 1, column 13: endpoints.ipFamilies: must name IPv4, IPv6 or both" },
		{ "endpoints: {deny: [10.0.0.0]}\n",
			"line 1, column 20: endpoints.deny[0]: must be a CIDR like 10.0.0.0/8 or fd00::/8" },
		{ "endpoints: {deny: [10.0.0/8]}\n",
			"line 1, column 20: endpoints.deny[0]: must be a CIDR like 10.0.0.0/8 or fd00::/8" },
		{ "endpoints: {deny: [10.0.0.0/33]}\n",
			"line 1, column 20: endpoints.deny[0]: must be a CIDR like 10.0.0.0/8 or fd00::/8" },
		{ "endpoints: {deny: [10.0.0.0/8x]}\n",
			"line 1, column 20: endpoints.deny[0]: must be a CIDR like 10.0.0.0/8 or fd00::/8" },
		{ "endpoints: {deny: [10.0.0.7/8]}\n",
			"line 1, column 20: endpoints.deny[0]: 10.0.0.7/8 has bits beyond its prefix of 8; which network is meant?" },
		{ "guard: {syncerPercent: 101}\n", "line 1, column 9: guard.syncerPercent: is 101, but must be from 0 to 100" },
		{ "guard: {mode: Brake}\n", "line 1, column 9: guard.mode: must be Confirm or Block" },
	};

	assert_refused(cases, N(cases));
}

#define REGISTRY(fields) "registries:\n  main: {plugin: x.so, " fields "}\n"
#define ROLLOUT(fields)  "modes:\n  pod: {plugin: x.so, rollout: {" fields "}}\n"

static void test_registries_and_rollouts_are_judged_as_a_whole(void **state)
{
	static const struct refused cases[] = {
		{ "registries:\n  a: {plugin: x, default: true}\n  b: {plugin: x, default: true}\n",
			"line 3, column 3: registries.b: is marked default, and so is a; mark one" },
		{ REGISTRY("auth: {type: oauth}"),
			"line 2, column 31: registries.main.auth.type: must be none, basic, bearer or mtls" },
		{ REGISTRY("auth: {usernameFile: /u}"), "line 2, column 24: registries.main.auth: type must be given" },
		{ REGISTRY("auth: {type: basic, usernameFile: /u}"),
			"line 2, column 24: registries.main.auth: type basic needs passwordFile" },
		{ REGISTRY("auth: {type: basic, usernameFile: '', passwordFile: /p}"),
			"line 2, column 24: registries.main.auth: type basic needs usernameFile" },
		{ REGISTRY("auth: {type: bearer}"), "line 2, column 24: registries.main.auth: type bearer needs tokenFile" },
		{ REGISTRY("auth: {type: mtls, certFile: /c}"), "line 2, column 24: registries.main.auth: type mtls needs keyFile" },
		{ REGISTRY("auth: {type: bearer, tokenFile: /t, keyFile: /k}"),
			"line 2, column 60: registries.main.auth.keyFile: is not used by type bearer" },
		{ REGISTRY("auth: {type: none, tokenFile: /t}"),
			"line 2, column 43: registries.main.auth.tokenFile: is not used by type none" },
		{ REGISTRY("auth: {password: hunter2}"),
			"line 2, column 31: registries.main.auth: there is no key \"password\" here; there are: type, usernameFile, "
			"passwordFile, tokenFile, certFile, keyFile" },
		{ REGISTRY("limits: {connections: 0}"),
			"line 2, column 33: registries.main.limits.connections: is 0, but must be from 1 to 1024" },
		{ REGISTRY("tls: {insecureSkipVerify: 1}"),
			"line 2, column 30: registries.main.tls.insecureSkipVerify: must be true or false" },
		{ ROLLOUT("stage: Canary"), "line 2, column 23: modes.pod.rollout: plugin must be given" },
		{ ROLLOUT("plugin: y.so, stage: On"), "line 2, column 47: modes.pod.rollout.stage: must be Off, Shadow or Canary" },
		{ ROLLOUT("plugin: y.so, select: [{percent: 110}]"),
			"line 2, column 57: modes.pod.rollout.select[0].percent: is 110, but must be from 0 to 100" },
		{ ROLLOUT("plugin: y.so, select: [{}]"),
			"line 2, column 56: modes.pod.rollout.select[0]: must be a map with percent, namespaces or matchLabels" },
		{ ROLLOUT("plugin: y.so, select: [{matchLabels: {a: [b]}}]"),
			"line 2, column 71: modes.pod.rollout.select[0].matchLabels.a: must be a text" },
		{ ROLLOUT("plugin: y.so, rollback: {failures: 0}"),
			"line 2, column 58: modes.pod.rollout.rollback.failures: is 0, but must be from 1 to 1000" },
	};

	assert_refused(cases, N(cases));
}

static void test_a_rollout_is_read_with_all_its_fields(void **state)
{
	struct ek_config *config = read_good(ROLLOUT("plugin: y.so, stage: Shadow, options: {a: 1}, rollback: {failures: 7}, select: [{percent: 10}, "
	                                             "{namespaces: [a, b], matchLabels: {channel: canary}}]"));
	const struct ek_config_rollout *rollout = config->modes[0].rollout;

	assert_string_equal(rollout->plugin, "y.so");
	assert_string_equal(rollout->sha256, "");
	assert_int_equal(rollout->stage, EK_ROLLOUT_SHADOW);
	assert_int_equal(rollout->failures, 7);
	assert_string_equal(ek_value_text(ek_value_get(rollout->options, "a"), ""), "1");
	assert_int_equal(rollout->n_selections, 2);
	assert_int_equal(rollout->selections[0].percent, 10);
	assert_int_equal(rollout->selections[0].n_namespaces, 0);
	assert_int_equal(rollout->selections[1].percent, -1);
	assert_int_equal(rollout->selections[1].n_namespaces, 2);
	assert_string_equal(rollout->selections[1].namespaces[1], "b");
	assert_int_equal(rollout->selections[1].n_labels, 1);
	assert_string_equal(rollout->selections[1].labels[0].key, "channel");
	assert_string_equal(rollout->selections[1].labels[0].value, "canary");
	ek_config_free(config);

	config = read_good(ROLLOUT("plugin: y.so, stage: Canary"));
	assert_int_equal(config->modes[0].rollout->failures, 3);
	assert_null(config->modes[0].rollout->options);
	assert_int_equal(config->modes[0].rollout->n_selections, 0);
	ek_config_free(config);
}

static void test_only_stages_other_than_off_are_rollouts(void **state)
{
	static const struct {
		const char *text;
		bool has_rollout;
	} cases[] = {
		{ ROLLOUT("plugin: y.so"), false },
		{ ROLLOUT("plugin: y.so, stage: Off"), false },
		{ ROLLOUT("plugin: y.so, stage: Shadow"), true },
		{ ROLLOUT("plugin: y.so, stage: Canary"), true },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct ek_config *config = read_good(cases[i].text);

		assert_int_equal(config->modes[0].rollout != NULL, cases[i].has_rollout);
		ek_config_free(config);
	}
}

static void test_a_document_that_is_no_yaml_is_refused_with_its_place(void **state)
{
	static const char text[] = "modes:\n  pod: {plugin: x\n";
	struct ek_config *config = NULL;
	struct ek_error err = EK_ERROR_INIT;

	assert_int_equal(ek_config_read(text, strlen(text), &config, &err), EK_INVALID);
	assert_null(config);
	assert_non_null(strstr(err.message, "line 3, column 1: "));
}

static void test_a_document_without_bound_is_refused(void **state)
{
	char *text = malloc(2u << 20);
	struct ek_config *config = NULL;
	struct ek_error err = EK_ERROR_INIT;

	memset(text, '#', 2u << 20);
	assert_int_equal(ek_config_read(text, 2u << 20, &config, &err), EK_INVALID);
	assert_string_equal(err.message, "the configuration has 2097152 bytes; it may have 1048576");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_documented_sample_is_read_as_documented),
		cmocka_unit_test(test_what_is_left_out_has_the_documented_default),
		cmocka_unit_test(test_every_section_reaches_its_field),
		cmocka_unit_test(test_denied_networks_are_in_network_order),
		cmocka_unit_test(test_the_only_registry_is_the_default_and_of_several_none_unless_marked),
		cmocka_unit_test(test_keys_and_types_are_refused_with_their_place),
		cmocka_unit_test(test_names_and_patterns_are_judged),
		cmocka_unit_test(test_registries_and_rollouts_are_judged_as_a_whole),
		cmocka_unit_test(test_a_rollout_is_read_with_all_its_fields),
		cmocka_unit_test(test_only_stages_other_than_off_are_rollouts),
		cmocka_unit_test(test_a_document_that_is_no_yaml_is_refused_with_its_place),
		cmocka_unit_test(test_a_document_without_bound_is_refused),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
