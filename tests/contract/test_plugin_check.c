/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eurekube-plugin-check finds what is wrong with each unruly plugin of tests/bad-plugins, and nothing wrong with ours.
 * The program is run as an author runs it; what it prints is compared.
 * Read next: sdk/check/check.h.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char output[65536];

/* The exit status; what was printed stands in `output`. */
static int check(const char *arguments)
{
	const char *build = getenv("EK_TEST_BUILD");
	char command[1024];
	FILE *pipe;
	size_t n;

	if (!build)
		build = "build/release";
	snprintf(command, sizeof(command), "cd '%s' && bin/eurekube-plugin-check %s 2>&1", build, arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void assert_says(const char *arguments, const char *text)
{
	if (!strstr(output, text))
		fail_msg("%s: \"%s\" is not in:\n%s", arguments, text, output);
}

static void test_our_own_plugins_keep_all_rules(void **state)
{
	static const char *const ours[] = {
		"plugins/pod.so", "plugins/memory.so", "plugins/eureka.so", "--option leaseSeconds=30 plugins/memory.so",
		"--option 'serviceUrls=[http://a/eureka/, http://b/eureka/]' --option leaseSeconds=60 plugins/eureka.so",
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (check(ours[i]) != 0)
			fail_msg("%s:\n%s", ours[i], output);
		assert_null(strstr(output, "FAIL"));
		assert_says(ours[i], "ok   load: ");
	}
}

/* Which rule each of them breaks, and what is seen of it. */
static const struct {
	const char *name, *rule, *seen;
} unruly[] = {
	{ "asks-for-any-option", "options", "the plugin asked for an option that it does not declare" },
	{ "refuses-silently", "options", "with weight=9 create returned 6, but its error says 0: \"\"" },
	{ "needs-the-registry", "create", "create sent a request" },
	{ "never-closes", "close", "closed was never called" },
	{ "closes-twice", "close", "closed was called more than once" },
	{ "leaves-a-timer", "close", "a timer was left behind" },
	{ "dead-leases", "traits", "a lease of 90000 ms that is renewed every 90000 ms does not live" },
	{ "completes-at-once", "completion", "PUT: an operation was completed inside a call into the plugin" },
	{ "completes-twice", "completion", "PUT: an operation was completed twice" },
	{ "never-completes", "completion", "PUT was not completed" },
	{ "forgets-sizes", "completion", "PUT: a result does not know its size" },
	{ "calls-it-done", "unreachable", "PUT ended with code 0" },
	{ "dawdles", "deadline", "PUT was not completed" },
	{ "believes-anything", "broken-server", "PUT ended with code 0 although the server answered 500" },
	{ "loses-refused", "no-requests", "PUT was not completed" },
	{ "loses-the-rest", "batch", "an operation of a batch was not completed" },
	{ "lists-nothing", "list", "the list ended as complete, which says that everything is gone" },
	{ "probes-blindly", "probe", "the probe of an unreachable registry ended as OK" },
	{ "cancels-twice", "cancel", "an operation was completed twice" },
	{ "tires", "flood", "of 10000 operations 5000 were completed" },
	{ "leaves-threads", "threads", "1 still run" },
	{ "takes-signals", "threads", "one of its threads does not block SIGTERM" },
	{ "leaks", "cycles", "about " },
	{ "keeps-descriptors", "cycles", "100 descriptors were left open" },
	{ "forgets-marks", "round-trip", "in a GET the marks came back as \"\"" },
	{ "keeps-removed", "round-trip", "it is still in the list" },
	{ "keeps-doubles", "idempotence", "put twice, it is in the list 2 times" },
	{ "renews-anything", "renew-gone", "after a REMOVE the renewal ended with code 0" },
	{ "fails-together", "partial", "PUT, GET of what is not there, PUT ended with codes 3, 3, 3" },
	{ "lists-one-application", "listing", "a list of EK-CHECK and EK-CHECK-B has kit:check:EK-CHECK:pod-7:8080 0 times" },
	{ "lists-on", "stop", "told to stop at the first of four it gave 4 and ended with code 0" },
	{ "ignores-status", "status", "set to 4 it read 1, and set back to 1 it read 1" },
	{ "deregisters", "stays", "what an instance had put was gone when it had been closed" },
	{ "full-at-thousands", "many", "of 10000 entries 4000 were put" },
	{ "reads-more", "reads", "it read 2, then 6" },
	{ "reads-secrets", "resources", "it asks for Secrets, which no mode may read" },
	{ "expects-more", "any-object", "an object that is not as it expects makes it fail for the whole syncer: an Ingress has no host" },
	{ "names-ids", "instances", "an instance has an id or an owner, which are the host's to give" },
	{ "counts", "pure", "once it emitted \"cart-0 10.0.0.7 8081 " },
	{ "starts-timers", "pure", "it used more of the host than its log" },
	{ "only-ready", "conditions", "once it emitted \"cart-0 10.0.0.7 8080 " },
	{ "only-first", "every-endpoint", "the endpoint 10.0.1.7 is the source of no instance" },
	{ "invents", "no-services", "it emitted \"x 10.9.9.9 1 " },
	{ "goes-on", "refusal", "it went on after the sink had refused instance 1" },
	{ "swallows", "refusal", "the sink refused instance 1 with code 7, and the mode returned 0" },
	{ "no-reason", "failure", "for a port that is not there it returned 6, but its error says 0: \"\"" },
	{ "looks-around", "per-endpoint", "asked for endpoint 0 alone it emits another instance" },
	{ "sleeps", "prompt", "one took 3" },
	{ "renames-itself", "descriptor", "it is not what it was when the plugin was loaded" },
	{ "changes-directory", "process", "the working directory became /tmp" },
	{ "prints", "quiet", "\"hello from create\"" },
};
#define N_UNRULY (sizeof(unruly) / sizeof(unruly[0]))

/* "FAIL RULE: TEXT: SEEN", and no other FAIL. */
static void assert_fails_only(const char *plugin, const char *rule, const char *seen)
{
	char start[64];
	const char *line, *found, *end;

	snprintf(start, sizeof(start), "FAIL %s: ", rule);
	line = strstr(output, "FAIL ");
	if (!line || strncmp(line, start, strlen(start)) != 0 || strstr(line + 1, "\nFAIL "))
		fail_msg("%s should fail \"%s\" and nothing else:\n%s", plugin, rule, output);
	found = strstr(line, seen);
	end = strchr(line, '\n');
	if (!found || !end || found > end)
		fail_msg("%s should fail \"%s\" since %s:\n%s", plugin, rule, seen, output);
}

#ifdef __SANITIZE_ADDRESS__
#define COUNTS_MEMORY 0 /* a sanitizer's allocator is not malloc's; it finds the leak itself, at exit */
#else
#define COUNTS_MEMORY 1
#endif

static void test_each_unruly_plugin_fails_the_rule_that_it_breaks_and_no_other(void **state)
{
	char arguments[128];

	for (size_t i = 0; i < N_UNRULY; i++) {
		if (!COUNTS_MEMORY && !strcmp(unruly[i].name, "leaks"))
			continue;
		snprintf(arguments, sizeof(arguments), "bad-plugins/unruly-%s.so", unruly[i].name);
		if (check(arguments) != 1)
			fail_msg("%s:\n%s", arguments, output);
		assert_fails_only(arguments, unruly[i].rule, unruly[i].seen);
	}
}

static bool is_broken_by_somebody(const char *rule)
{
	for (size_t i = 0; i < N_UNRULY; i++)
		if (!strcmp(unruly[i].rule, rule))
			return true;
	return !strcmp(rule, "load"); /* by all the others in tests/bad-plugins */
}

static void test_each_rule_that_there_is_has_a_plugin_that_breaks_it(void **state)
{
	char rules[sizeof(output)], rule[64], *rest = NULL;

	assert_int_equal(check("--list-rules"), 0);
	strcpy(rules, output);
	for (char *line = strtok_r(rules, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		assert_int_equal(sscanf(line, "%*s %63s", rule), 1);
		if (!is_broken_by_somebody(rule))
			fail_msg("nobody breaks \"%s\"", rule);
	}
}

/* A rule that fails for everything says nothing; and one that cannot be looked at any more says why. */
static void test_an_unruly_plugin_keeps_the_rules_that_it_does_not_break(void **state)
{
	assert_int_equal(check("bad-plugins/unruly-only-ready.so"), 1);
	assert_says("only-ready", "ok   pure: ");
	assert_says("only-ready", "ok   refusal: ");
	assert_says("only-ready", "skip every-endpoint: each endpoint of the selected Services is emitted: needs conditions\n");
	assert_int_equal(check("bad-plugins/unruly-dead-leases.so"), 1);
	assert_says("dead-leases", "ok   completion: ");
	assert_says("dead-leases", "ok   close: ");
	assert_says("dead-leases", "ok   list: ");
}

static void test_a_file_that_the_host_would_refuse_is_refused_with_its_words(void **state)
{
	assert_int_equal(check("bad-plugins/newer-minor.so"), 2);
	assert_string_equal(output,
		"FAIL load: newer-minor.so: host speaks ABI 0.2, plugin was built for 0.3; build it against this host's SDK\n");
	assert_int_equal(check("bad-plugins/short-ops.so"), 2);
	assert_says("short-ops", "FAIL load: ");
	assert_int_equal(check("--objects ingresses=no-such-file.json plugins/pod.so"), 2);
	assert_says("--objects", "no-such-file.json cannot be read: ");
	assert_int_equal(check("bad-plugins/bad-default.so"), 2);
	assert_says("bad-default", "FAIL load: ");
}

static void test_as_json_it_says_the_same_in_one_document(void **state)
{
	assert_int_equal(check("--json plugins/pod.so"), 0);
	assert_says("--json", "{\"tool\":\"eurekube-plugin-check/");
	assert_says("--json", "\"plugin\":\"pod\",\"version\":\"");
	assert_says("--json", "\"kind\":\"mode\",\"abi\":\"0.2\",\"digest\":\"sha256:");
	assert_says("--json", "\"fail\":0,");
	assert_says("--json", "{\"name\":\"pure\",\"verdict\":\"pass\",\"rule\":\"the same question has the same answer, whatever was asked before\","
		"\"message\":\"\"}");
	assert_int_equal(check("--json bad-plugins/unruly-dead-leases.so"), 1);
	assert_says("--json", "\"fail\":1,");
	assert_says("--json", "{\"name\":\"traits\",\"verdict\":\"fail\"");
	assert_says("--json", "{\"name\":\"round-trip\",\"verdict\":\"skipped\"");
	assert_int_equal(check("--json no-such-file.so"), 2);
	assert_says("--json", "{\"name\":\"load\",\"verdict\":\"fail\",\"rule\":\"\",\"message\":\"no-such-file.so cannot be read: ");
}

/* ---- Eureka, before the stand-in ---- */

/* Starts ek-standins; it says where it listens before it does anything else. */
static pid_t start_standins(char eureka[128])
{
	const char *build = getenv("EK_TEST_BUILD");
	char program[512], line[256];
	int pipes[2];
	FILE *from;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/bin/ek-standins", build ? build : "build/release");
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	close(pipes[1]);
	from = fdopen(pipes[0], "r");
	eureka[0] = '\0';
	while (!eureka[0] && fgets(line, sizeof(line), from))
		sscanf(line, "eureka %127s", eureka);
	fclose(from);
	return pid;
}

static void test_the_eureka_plugin_keeps_all_rules_where_a_server_answers(void **state)
{
	char eureka[128], arguments[256];
	pid_t pid = start_standins(eureka);
	int status;

	snprintf(arguments, sizeof(arguments), "--live --option 'serviceUrls=[%s]' plugins/eureka.so", eureka);
	status = eureka[0] ? check(arguments) : -1;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	if (status != 0)
		fail_msg("%s:\n%s", arguments, output);
	assert_says(arguments, "ok   round-trip: ");
	assert_says(arguments, "ok   renew-gone: ");
	assert_says(arguments, "ok   listing: ");
	assert_says(arguments, "ok   many: ");
	if (COUNTS_MEMORY)
		assert_null(strstr(output, "skip"));
}

static void test_what_needs_a_registry_that_answers_is_skipped_where_none_does(void **state)
{
	assert_int_equal(check("plugins/eureka.so"), 0);
	assert_says("eureka", "skip round-trip: ");
	assert_says("eureka", "see --live\n");
}

static void test_wrong_usage_is_told_from_a_bad_plugin(void **state)
{
	assert_int_equal(check(""), 2);
	assert_says("nothing", "usage: eurekube-plugin-check");
	assert_int_equal(check("--help"), 0);
	assert_says("--help", "example: ");
	assert_int_equal(check("--unknown plugins/pod.so"), 2);
	assert_int_equal(check("plugins/pod.so plugins/memory.so"), 2);
	assert_int_equal(check("no-such-file.so"), 2);
	assert_says("no-such-file.so", "no-such-file.so cannot be read: No such file or directory");
	assert_int_equal(check("--option maxEntries=many plugins/memory.so"), 2);
	assert_says("maxEntries", "must be a whole number");
	assert_int_equal(check("--option colour=red plugins/memory.so"), 2);
	assert_says("colour", "there is no option \"colour\"; there are: maxEntries, leaseSeconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_own_plugins_keep_all_rules),
		cmocka_unit_test(test_each_unruly_plugin_fails_the_rule_that_it_breaks_and_no_other),
		cmocka_unit_test(test_each_rule_that_there_is_has_a_plugin_that_breaks_it),
		cmocka_unit_test(test_an_unruly_plugin_keeps_the_rules_that_it_does_not_break),
		cmocka_unit_test(test_a_file_that_the_host_would_refuse_is_refused_with_its_words),
		cmocka_unit_test(test_as_json_it_says_the_same_in_one_document),
		cmocka_unit_test(test_the_eureka_plugin_keeps_all_rules_where_a_server_answers),
		cmocka_unit_test(test_what_needs_a_registry_that_answers_is_skipped_where_none_does),
		cmocka_unit_test(test_wrong_usage_is_told_from_a_bad_plugin),
	};

	return cmocka_run_group_tests_name("plugin-check", tests, NULL, NULL);
}
