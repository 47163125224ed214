/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eurekube-plugin-check finds what is wrong with each unruly plugin of tests/bad-plugins, and nothing wrong with ours.
 * The program is run as an author runs it; what it prints is compared.
 * Read next: sdk/check/check.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

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

static const struct {
	const char *name, *line;
} unruly[] = {
	{ "only-ready", "FAIL conditions: conditions of endpoints change nothing: they are the host's: once it emitted "
			"\"cart-0 10.0.0.7 8080 " },
	{ "only-first", "FAIL every-endpoint: each endpoint of the selected Services is emitted: the endpoint 10.0.1.7 is the source of no "
			"instance\n" },
	{ "counts", "FAIL pure: the same question has the same answer, whatever was asked before: once it emitted \"cart-0 10.0.0.7 8081 " },
	{ "goes-on", "FAIL refusal: it stops at once when the sink refuses, and hands the refusal on: it went on after the sink had refused "
		     "instance 1\n" },
	{ "swallows", "FAIL refusal: it stops at once when the sink refuses, and hands the refusal on: the sink refused instance 1 with code 7, "
		      "and the mode returned 0\n" },
	{ "invents", "FAIL no-services: without Services there are no instances: it emitted \"x 10.9.9.9 1 " },
	{ "names-ids", "FAIL instances: what it emits is complete, and leaves the host's fields alone: an instance has an id or an owner, which "
		       "are the host's to give\n" },
	{ "no-reason", "FAIL failure: a syncer that cannot be served is told why: for a port that is not there it returned 6, but its error says "
		       "0: \"\"\n" },
	{ "starts-timers", "FAIL pure: the same question has the same answer, whatever was asked before: it used more of the host than its "
			   "log\n" },
	{ "looks-around", "FAIL per-endpoint: asked for one endpoint it emits what it emits for it among all: asked for endpoint 0 alone" },
	{ "completes-at-once", "FAIL completion: each operation completes exactly once, on a later turn, whatever the server says: PUT: an "
			       "operation was completed inside a call into the plugin\n" },
	{ "completes-twice", "FAIL completion: each operation completes exactly once, on a later turn, whatever the server says: PUT: an "
			     "operation was completed twice\n" },
	{ "never-completes", "FAIL completion: each operation completes exactly once, on a later turn, whatever the server says: PUT was not "
			     "completed\n" },
	{ "calls-it-done", "FAIL unreachable: an operation on an unreachable registry ends as RETRY or UNKNOWN: PUT ended with code 0\n" },
	{ "believes-anything", "FAIL broken-server: a server that answers 500 has neither done it nor lost it: PUT ended with code 0 although "
			       "the server answered 500\n" },
	{ "believes-anything", "FAIL list: a list that could not be read does not end as complete: the list ended as complete, which says that "
			       "everything is gone\n" },
	{ "needs-the-registry", "FAIL create: instances are created side by side without asking the registry, and close at once: create sent a "
				"request\n" },
	{ "dead-leases", "FAIL traits: traits make sense and do not change: a lease of 90000 ms that is renewed every 90000 ms does not "
			 "live\n" },
	{ "never-closes", "FAIL close: with work in flight it closes exactly once and leaves nothing behind: closed was never called\n" },
	{ "closes-twice", "FAIL close: with work in flight it closes exactly once and leaves nothing behind: closed was called more than "
			  "once\n" },
	{ "leaves-a-timer", "FAIL close: with work in flight it closes exactly once and leaves nothing behind: a timer was left behind\n" },
	{ "loses-refused", "FAIL no-requests: operations complete although the host refuses requests: PUT was not completed\n" },
};

static void test_each_unruly_plugin_fails_the_rule_it_breaks(void **state)
{
	char arguments[128];

	for (size_t i = 0; i < sizeof(unruly) / sizeof(unruly[0]); i++) {
		snprintf(arguments, sizeof(arguments), "bad-plugins/unruly-%s.so", unruly[i].name);
		if (check(arguments) != 1)
			fail_msg("%s:\n%s", arguments, output);
		assert_says(arguments, unruly[i].line);
	}
}

/* A rule that fails for everything says nothing. */
static void test_an_unruly_plugin_keeps_the_rules_that_it_does_not_break(void **state)
{
	assert_int_equal(check("bad-plugins/unruly-only-ready.so"), 1);
	assert_says("only-ready", "ok   pure: ");
	assert_says("only-ready", "ok   refusal: ");
	assert_int_equal(check("bad-plugins/unruly-dead-leases.so"), 1);
	assert_says("dead-leases", "ok   completion: ");
	assert_says("dead-leases", "ok   close: ");
	assert_says("dead-leases", "ok   list: ");
}

static void test_a_file_that_the_host_would_refuse_is_refused_with_its_words(void **state)
{
	assert_int_equal(check("bad-plugins/newer-minor.so"), 1);
	assert_string_equal(output,
		"FAIL load: newer-minor.so: host speaks ABI 0.1, plugin was built for 0.2; build it against this host's SDK\n");
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
	assert_int_equal(check("--option colour=red plugins/memory.so"), 2);
	assert_says("colour", "there is no option \"colour\"; there are: maxEntries, leaseSeconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_own_plugins_keep_all_rules),
		cmocka_unit_test(test_each_unruly_plugin_fails_the_rule_it_breaks),
		cmocka_unit_test(test_an_unruly_plugin_keeps_the_rules_that_it_does_not_break),
		cmocka_unit_test(test_a_file_that_the_host_would_refuse_is_refused_with_its_words),
		cmocka_unit_test(test_wrong_usage_is_told_from_a_bad_plugin),
	};

	return cmocka_run_group_tests_name("plugin-check", tests, NULL, NULL);
}
