/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kubeconfig means: which cluster and credentials a context leads to, how files merge, and what is refused and how.
 * It does not connect to anything; files are written to a directory of its own.
 * Read next: host/kube/kubeconfig.c.
 */
#include "kube/kubeconfig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PEM      "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define PEM_DATA "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

/* A kubeconfig with one context; what a case adds to its cluster, context or user stands in flow style. */
#define CONFIG_OF(cluster, context, user)                                                                              \
	"apiVersion: v1\nkind: Config\ncurrent-context: main\n"                                                        \
	"clusters: [{name: c, cluster: {" cluster "}}]\n"                                                              \
	"contexts: [{name: main, context: {cluster: c, user: u" context "}}]\n"                                        \
	"users: [{name: u, user: {" user "}}]\n"
#define SERVER "server: 'https://k.example:6443'"

#define V1       "client.authentication.k8s.io/v1"
#define AWS      "command: aws, interactiveMode: Never, apiVersion: " V1

static int parse(const char *text, const char *context, struct ek_kube_config *out, struct ek_error *err)
{
	return ek_kube_config_parse(text, strlen(text), "/home/ada/.kube", context, out, err);
}

struct expected {
	const char *what, *text, *context;
	struct ek_kube_config config;
};

static void assert_text(const char *what, const char *field, const char *actual, const char *wanted)
{
	if ((!actual && !wanted) || (actual && wanted && strcmp(actual, wanted) == 0))
		return;
	fail_msg("%s: %s is \"%s\", not \"%s\"", what, field, actual ? actual : "(null)", wanted ? wanted : "(null)");
}

static void assert_config(const char *what, const struct ek_kube_config *actual, const struct ek_kube_config *wanted)
{
#define SAME(field) assert_text(what, #field, actual->field, wanted->field)
	assert_text(what, "server", actual->server, wanted->server ? wanted->server : "https://k.example:6443");
	assert_text(what, "namespace", actual->namespace_, wanted->namespace_ ? wanted->namespace_ : "default");
	SAME(ca_file);
	SAME(ca_pem);
	SAME(cert_file);
	SAME(cert_pem);
	SAME(key_file);
	SAME(key_pem);
	SAME(token);
	SAME(token_file);
	SAME(tls_server_name);
	SAME(proxy_url);
	assert_int_equal(actual->insecure_skip_tls_verify, wanted->insecure_skip_tls_verify);
#undef SAME
}

static void test_a_context_leads_to_a_server_and_credentials(void **state)
{
	static const struct expected cases[] = {
		{ "a token", CONFIG_OF(SERVER, "", "token: abc"), NULL, { .token = (char *)"abc" } },
		{ "a token that looks like a number", CONFIG_OF(SERVER, "", "token: 123"), NULL, { .token = (char *)"123" } },
		{ "a token file beside the kubeconfig", CONFIG_OF(SERVER, "", "tokenFile: t/token"), NULL,
			{ .token_file = (char *)"/home/ada/.kube/t/token" } },
		{ "a token and a token file", CONFIG_OF(SERVER, "", "token: abc, tokenFile: /run/token"), NULL,
			{ .token = (char *)"abc", .token_file = (char *)"/run/token" } },
		{ "an absolute CA file", CONFIG_OF(SERVER ", certificate-authority: /ca.crt", "", ""), NULL,
			{ .ca_file = (char *)"/ca.crt" } },
		{ "a relative CA file", CONFIG_OF(SERVER ", certificate-authority: ca.crt", "", ""), NULL,
			{ .ca_file = (char *)"/home/ada/.kube/ca.crt" } },
		{ "CA data", CONFIG_OF(SERVER ", certificate-authority-data: " PEM_DATA, "", ""), NULL,
			{ .ca_pem = (char *)PEM } },
		{ "CA data beats a CA file",
			CONFIG_OF(SERVER ", certificate-authority: ca.crt, certificate-authority-data: " PEM_DATA, "", ""), NULL,
			{ .ca_pem = (char *)PEM } },
		{ "empty CA data is none",
			CONFIG_OF(SERVER ", certificate-authority: /ca.crt, certificate-authority-data: ''", "", ""), NULL,
			{ .ca_file = (char *)"/ca.crt" } },
		{ "a certificate in files", CONFIG_OF(SERVER, "", "client-certificate: c.crt, client-key: c.key"), NULL,
			{ .cert_file = (char *)"/home/ada/.kube/c.crt", .key_file = (char *)"/home/ada/.kube/c.key" } },
		{ "a certificate inline with its key in a file",
			CONFIG_OF(SERVER, "", "client-certificate-data: " PEM_DATA ", client-key: /c.key"), NULL,
			{ .cert_pem = (char *)PEM, .key_file = (char *)"/c.key" } },
		{ "verification switched off", CONFIG_OF(SERVER ", insecure-skip-tls-verify: true", "", ""), NULL,
			{ .insecure_skip_tls_verify = true } },
		{ "another name in the certificate", CONFIG_OF(SERVER ", tls-server-name: kubernetes", "", ""), NULL,
			{ .tls_server_name = (char *)"kubernetes" } },
		{ "a proxy", CONFIG_OF(SERVER ", proxy-url: 'http://proxy:3128'", "", ""), NULL,
			{ .proxy_url = (char *)"http://proxy:3128" } },
		{ "a path prefix, slashes trimmed", CONFIG_OF("server: 'https://r.example/k8s/clusters/c-1//'", "", ""), NULL,
			{ .server = (char *)"https://r.example/k8s/clusters/c-1" } },
		{ "a namespace", CONFIG_OF(SERVER, ", namespace: rating", ""), NULL, { .namespace_ = (char *)"rating" } },
		{ "no secret goes over http", CONFIG_OF("server: 'http://127.0.0.1:8001'", "", "token: abc"), NULL,
			{ .server = (char *)"http://127.0.0.1:8001" } },
		{ "a credential plugin that a token makes idle", CONFIG_OF(SERVER, "", "token: abc, exec: {command: aws}"), NULL,
			{ .token = (char *)"abc" } },
		{ "a SOCKS proxy", CONFIG_OF(SERVER ", proxy-url: 'socks5://proxy:1080'", "", ""), NULL,
			{ .proxy_url = (char *)"socks5://proxy:1080" } },
		{ "JSON is YAML",
			"{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\",\"user\":\"\"}}],"
			"\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://k.example:6443\"}}],\"users\":null}",
			NULL, { .server = NULL } },
		{ "the context that was asked for",
			"current-context: a\nclusters: [{name: c, cluster: {server: 'https://c'}}, {name: d, cluster: {server: "
			"'https://d'}}]\ncontexts: [{name: a, context: {cluster: c}}, {name: b, context: {cluster: d}}]\n",
			"b", { .server = (char *)"https://d" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_kube_config config;
		struct ek_error err = EK_ERROR_INIT;

		if (parse(cases[i].text, cases[i].context, &config, &err) != EK_OK)
			fail_msg("%s: %s", cases[i].what, err.message);
		assert_config(cases[i].what, &config, &cases[i].config);
		ek_kube_config_clear(&config);
	}
}

static void test_what_cannot_work_is_refused_by_name(void **state)
{
	static const struct {
		const char *what, *text, *context, *words;
	} cases[] = {
		{ "not YAML", "a: [", NULL, "kubeconfig: line 2" },
		{ "no current context", "contexts: [{name: a, context: {}}, {name: b, context: {}}]", NULL,
			"no current-context is set; name one with --context (it has: a, b)" },
		{ "an empty file", "", NULL, "it has: none" },
		{ "an unknown context", CONFIG_OF(SERVER, "", ""), "prod", "no context \"prod\" (it has: main)" },
		{ "an unknown cluster", "current-context: a\ncontexts: [{name: a, context: {cluster: nix}}]\n", NULL,
			"names the cluster \"nix\", which is not defined" },
		{ "an unknown user",
			"current-context: a\ncontexts: [{name: a, context: {cluster: c, user: nix}}]\n"
			"clusters: [{name: c, cluster: {" SERVER "}}]\n",
			NULL, "names the user \"nix\", which is not defined" },
		{ "no server", CONFIG_OF("", "", ""), NULL, "has no server" },
		{ "a server without scheme", CONFIG_OF("server: 'k.example:6443'", "", ""), NULL, "must begin with https://" },
		{ "a CA that is not checked",
			CONFIG_OF(SERVER ", insecure-skip-tls-verify: true, certificate-authority: ca.crt", "", ""), NULL,
			"exclude each other" },
		{ "a flag that is no boolean", CONFIG_OF(SERVER ", insecure-skip-tls-verify: perhaps", "", ""), NULL, "line 4" },
		{ "a certificate without key", CONFIG_OF(SERVER, "", "client-certificate: c.crt"), NULL,
			"client-certificate and client-key go together" },
		{ "a key without certificate", CONFIG_OF(SERVER, "", "client-key: c.key"), NULL, "go together" },
		{ "data that is not base64", CONFIG_OF(SERVER ", certificate-authority-data: 'ab*d'", "", ""), NULL,
			"certificate-authority-data is not base64 of a PEM text" },
		{ "base64 cut short", CONFIG_OF(SERVER ", certificate-authority-data: 'LS0tLS1CRUdJTi'", "", ""), NULL,
			"is not base64" },
		{ "base64 that goes on after its padding",
			CONFIG_OF(SERVER ", certificate-authority-data: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==LS0t'", "", ""),
			NULL, "is not base64" },
		{ "base64 of something else", CONFIG_OF(SERVER ", certificate-authority-data: 'aGVsbG8='", "", ""), NULL,
			"of a PEM text" },
		{ "a plugin without command", CONFIG_OF(SERVER, "", "exec: {apiVersion: " V1 "}"), NULL, "exec needs a command" },
		{ "a plugin of an old version", CONFIG_OF(SERVER, "", "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}"),
			NULL, "v1alpha1\"; it must be client.authentication.k8s.io/v1 or" },
		{ "a plugin that wants a terminal", CONFIG_OF(SERVER, "", "exec: {command: aws, apiVersion: " V1 ", interactiveMode: Always}"),
			NULL, "a daemon has no terminal" },
		{ "a plugin that does not say what it wants", CONFIG_OF(SERVER, "", "exec: {command: aws, apiVersion: " V1 "}"), NULL,
			"needs interactiveMode Never or IfAvailable" },
		{ "arguments that are no list", CONFIG_OF(SERVER, "", "exec: {" AWS ", args: get-token}"), NULL, "args of exec must be a list" },
		{ "a variable without name", CONFIG_OF(SERVER, "", "exec: {" AWS ", env: [{value: x}]}"), NULL, "needs a name" },
		{ "a variable whose name has a sign", CONFIG_OF(SERVER, "", "exec: {" AWS ", env: [{name: a=b}]}"), NULL, "needs a name" },
		{ "a proxy of another kind", CONFIG_OF(SERVER ", proxy-url: 'ftp://proxy'", "", ""), NULL,
			"proxy-url must begin with http://, https:// or socks5://" },
		{ "an auth provider", CONFIG_OF(SERVER, "", "auth-provider: {name: oidc}"), NULL, "an auth-provider" },
		{ "a password", CONFIG_OF(SERVER, "", "username: ada, password: x"), NULL, "username and password" },
		{ "groups without a user to impersonate", CONFIG_OF(SERVER, "", "token: abc, as-groups: [a]"), NULL, "set \"as\" too" },
		{ "groups that are no list", CONFIG_OF(SERVER, "", "token: abc, as: bob, as-groups: a"), NULL, "must be a list" },
		{ "a name that would break a header", CONFIG_OF(SERVER, "", "token: abc, as: \"a\\nb\""), NULL, "what is impersonated" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_kube_config config;
		struct ek_error err = EK_ERROR_INIT;
		int code = parse(cases[i].text, cases[i].context, &config, &err);

		if (code != EK_INVALID)
			fail_msg("%s: code %d", cases[i].what, code);
		if (!strstr(err.message, cases[i].words))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].what, err.message, cases[i].words);
		assert_null(config.server);
		assert_null(config.token);
	}
}

static void test_a_credential_plugin_is_read_with_its_words_and_variables(void **state)
{
	struct ek_kube_config config;
	struct ek_error err = EK_ERROR_INIT;
	const char *text = CONFIG_OF(SERVER ", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: a, n: 3, s: '3', l: [true, null]}}]",
		"", "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1, args: [eks, get-token], env: [{name: A, value: 'b=c'}], "
		    "installHint: install it, provideClusterInfo: true}");

	if (parse(text, NULL, &config, &err) != EK_OK)
		fail_msg("%s", err.message);
	assert_string_equal(config.exec->argv[0], "aws");
	assert_string_equal(config.exec->argv[1], "eks");
	assert_string_equal(config.exec->argv[2], "get-token");
	assert_null(config.exec->argv[3]);
	assert_string_equal(config.exec->environment[0], "A=b=c");
	assert_null(config.exec->environment[1]);
	assert_string_equal(config.exec->api_version, "client.authentication.k8s.io/v1beta1");
	assert_string_equal(config.exec->install_hint, "install it");
	assert_string_equal(config.exec->cluster_config, "{\"audience\":\"a\",\"n\":3,\"s\":\"3\",\"l\":[true,null]}");
	ek_kube_config_clear(&config);
}

static void test_a_plugin_with_a_slash_lies_beside_the_kubeconfig(void **state)
{
	static const struct {
		const char *command, *wanted;
	} cases[] = { { "aws", "aws" }, { "./aws", "/home/ada/.kube/./aws" }, { "/bin/aws", "/bin/aws" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_kube_config config;
		char text[1024];

		snprintf(text, sizeof(text), CONFIG_OF(SERVER, "", "exec: {command: %s, interactiveMode: IfAvailable, apiVersion: " V1 "}"), cases[i].command);
		assert_int_equal(parse(text, NULL, &config, NULL), EK_OK);
		assert_string_equal(config.exec->argv[0], cases[i].wanted);
		assert_false(config.exec->provide_cluster_info);
		ek_kube_config_clear(&config);
	}
}

static void test_impersonation_becomes_headers(void **state)
{
	static const char *const wanted[][2] = { { "Impersonate-User", "bob" }, { "Impersonate-Uid", "7" }, { "Impersonate-Group", "a" },
		{ "Impersonate-Group", "b c" }, { "Impersonate-Extra-acme.com%2Fproject", "x" }, { "Impersonate-Extra-acme.com%2Fproject", "y" } };
	const size_t n = sizeof(wanted) / sizeof(wanted[0]);
	struct ek_kube_config config;
	struct ek_error err = EK_ERROR_INIT;

	if (parse(CONFIG_OF(SERVER, "", "token: abc, as: bob, as-uid: 7, as-groups: [a, b c], as-user-extra: {acme.com/project: [x, y]}"), NULL, &config,
		    &err) != EK_OK)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(config.impersonation[i].name, wanted[i][0]);
		assert_string_equal(config.impersonation[i].value, wanted[i][1]);
	}
	assert_null(config.impersonation[n].name);
	ek_kube_config_clear(&config);
}

/* ---- Files ---- */

struct folder {
	char path[64];
	char *names[8];
	unsigned n;
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/ek-config-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	unsetenv("POD_NAMESPACE");
	setenv("HOME", folder->path, 1);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	char kube[80];

	for (unsigned i = 0; i < folder->n; i++) {
		unlink(folder->names[i]);
		free(folder->names[i]);
	}
	snprintf(kube, sizeof(kube), "%s/.kube", folder->path);
	rmdir(kube);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static const char *a_file(struct folder *folder, const char *name, const char *text)
{
	char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", folder->path, name) > 0);
	folder->names[folder->n++] = path;
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static void test_the_first_file_of_a_list_that_defines_a_name_wins_whole(void **state)
{
	struct folder *folder = *state;
	struct ek_kube_config config;
	char list[512], ca[160];

	snprintf(list, sizeof(list), "%s:/nowhere/config:%s",
		a_file(folder, "one", "clusters: [{name: c, cluster: {server: 'https://one', certificate-authority: ca.crt}}]\n"),
		a_file(folder, "two",
			"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
			"clusters: [{name: c, cluster: {server: 'https://two', tls-server-name: two}}]\n"
			"users: [{name: u, user: {token: abc}}]\n"));
	setenv("KUBECONFIG", list, 1);
	assert_int_equal(ek_kube_config_load(NULL, NULL, &config, NULL), EK_OK);
	assert_string_equal(config.server, "https://one");
	assert_null(config.tls_server_name);
	assert_string_equal(config.token, "abc");
	snprintf(ca, sizeof(ca), "%s/ca.crt", folder->path);
	assert_string_equal(config.ca_file, ca);
	ek_kube_config_clear(&config);
}

static void test_a_named_kubeconfig_must_exist_and_beats_the_environment(void **state)
{
	struct folder *folder = *state;
	struct ek_kube_config config;
	struct ek_error err = EK_ERROR_INIT;
	const char *path = a_file(folder, "named", CONFIG_OF("server: 'https://named'", "", "token: abc"));

	setenv("KUBECONFIG", "/nowhere/config", 1);
	assert_int_equal(ek_kube_config_load(path, NULL, &config, &err), EK_OK);
	assert_string_equal(config.server, "https://named");
	assert_string_equal(config.source, path);
	assert_string_equal(config.context, "main");
	ek_kube_config_clear(&config);
	assert_int_equal(ek_kube_config_load("/nowhere/named", NULL, &config, &err), EK_INVALID);
	assert_string_equal(err.message, "the kubeconfig /nowhere/named does not exist");
}

static void test_a_kubeconfig_list_of_which_nothing_exists_never_falls_back_to_the_home_directory(void **state)
{
	struct folder *folder = *state;
	struct ek_kube_config config;
	struct ek_error err = EK_ERROR_INIT;
	char kube[80];

	snprintf(kube, sizeof(kube), "%s/.kube", folder->path);
	mkdir(kube, 0700);
	a_file(folder, ".kube/config", CONFIG_OF("server: 'https://home'", "", "token: abc"));
	assert_int_equal(ek_kube_config_load(NULL, NULL, &config, &err), EK_OK);
	assert_string_equal(config.server, "https://home");
	ek_kube_config_clear(&config);

	setenv("KUBECONFIG", "/nowhere/config", 1);
	assert_int_equal(ek_kube_config_load(NULL, NULL, &config, &err), EK_INVALID);
	assert_non_null(strstr(err.message, "KUBECONFIG=/nowhere/config"));
}

static void test_a_pod_reaches_its_cluster_with_its_service_account(void **state)
{
	struct folder *folder = *state;
	struct ek_kube_config config;
	const char *token = a_file(folder, "token", "abc\n"), *ca = a_file(folder, "ca.crt", PEM);

	a_file(folder, "namespace", "eurekube\n");
	assert_int_equal(ek_kube_config_from_pod("fd00::1", "443", folder->path, &config, NULL), EK_OK);
	assert_string_equal(config.server, "https://[fd00::1]:443");
	assert_string_equal(config.token_file, token);
	assert_string_equal(config.ca_file, ca);
	assert_string_equal(config.namespace_, "eurekube");
	assert_string_equal(config.source, "in-cluster");
	ek_kube_config_clear(&config);
	setenv("POD_NAMESPACE", "elsewhere", 1);
	assert_int_equal(ek_kube_config_from_pod("10.96.0.1", "443", folder->path, &config, NULL), EK_OK);
	assert_string_equal(config.server, "https://10.96.0.1:443");
	assert_string_equal(config.namespace_, "elsewhere");
	ek_kube_config_clear(&config);
}

static void test_a_pod_without_a_mounted_service_account_is_told_what_to_set(void **state)
{
	struct folder *folder = *state;
	struct ek_kube_config config;
	struct ek_error err = EK_ERROR_INIT;

	assert_int_equal(ek_kube_config_from_pod(NULL, NULL, folder->path, &config, &err), EK_GONE);
	assert_int_equal(ek_kube_config_from_pod("10.96.0.1", "443", folder->path, &config, &err), EK_INVALID);
	assert_non_null(strstr(err.message, "automountServiceAccountToken"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_context_leads_to_a_server_and_credentials),
		cmocka_unit_test(test_what_cannot_work_is_refused_by_name),
		cmocka_unit_test(test_a_credential_plugin_is_read_with_its_words_and_variables),
		cmocka_unit_test(test_a_plugin_with_a_slash_lies_beside_the_kubeconfig),
		cmocka_unit_test(test_impersonation_becomes_headers),
		cmocka_unit_test_setup_teardown(test_the_first_file_of_a_list_that_defines_a_name_wins_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_named_kubeconfig_must_exist_and_beats_the_environment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_kubeconfig_list_of_which_nothing_exists_never_falls_back_to_the_home_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_pod_reaches_its_cluster_with_its_service_account, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_pod_without_a_mounted_service_account_is_told_what_to_set, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
