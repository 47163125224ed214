/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ZooKeeper example against registry.h, on a real server: tests/zookeeper/run starts one and names it in EK_ZOOKEEPER. How the nodes look to others is tested end to
 * end; here it is what the host is told. Read examples/registry-zookeeper/src/operations.c next.
 */
#include "zookeeper/world.h"

static struct ek_instance an_instance(const char *id)
{
	struct ek_instance instance = sample_instance;

	instance.id = id;
	return instance;
}

static void wait_until_gone(struct zoo *zoo)
{
	int64_t until_ms = ek_loop_now_ms(zoo->loop) + LIMIT_MS;

	while (zoo_do(zoo, EK_OP_GET, &sample_instance, 0) == EK_OK)
		if (ek_loop_now_ms(zoo->loop) > until_ms)
			fail_msg("the session has not ended");
	assert_int_equal(zoo->code, EK_GONE);
}

/* ---- Single operations ---- */

static void test_what_is_put_is_got_and_can_be_removed(void **state)
{
	struct zoo *zoo = zoo_at("/put");
	int64_t revision;

	assert_int_equal(zoo_do(zoo, EK_OP_GET, &sample_instance, 0), EK_GONE);
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 0), EK_OK);
	revision = zoo->revision;
	assert_true(revision > 0);
	assert_int_equal(zoo_do(zoo, EK_OP_GET, &sample_instance, 0), EK_OK);
	assert_true(zoo->has_entry);
	assert_string_equal(zoo->entry.id, SAMPLE_ID);
	assert_string_equal(zoo->entry.application, "RATING");
	assert_string_equal(zoo->entry.address, "10.0.0.1");
	assert_string_equal(zoo->entry.owner, "seoul-1/rating/rating");
	assert_int_equal(zoo->entry.n_metadata, 3);
	assert_int_equal(zoo->entry.port, 8080);
	assert_int_equal(zoo->entry.status, EK_STATUS_UP);
	assert_int_equal(zoo->entry.flags, EK_ENTRY_RENEWABLE);
	assert_true(zoo->entry.revision == revision);
	assert_int_equal(zoo_do(zoo, EK_OP_REMOVE, &sample_instance, revision), EK_OK);
	assert_int_equal(zoo_do(zoo, EK_OP_REMOVE, &sample_instance, revision), EK_GONE);
	assert_int_equal(zoo_do(zoo, EK_OP_REMOVE, &sample_instance, 0), EK_GONE);
	zoo_close(zoo);
}

static void test_putting_twice_is_harmless_and_moves_the_revision(void **state)
{
	struct zoo *zoo = zoo_at("/twice");
	int64_t first;

	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 0), EK_OK);
	first = zoo->revision;
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 0), EK_OK);
	assert_true(zoo->revision > first);
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, zoo->revision), EK_OK);
	zoo_close(zoo);
}

static void test_every_status_comes_back(void **state)
{
	static const int32_t statuses[] = { EK_STATUS_UP, EK_STATUS_DOWN, EK_STATUS_STARTING, EK_STATUS_OUT_OF_SERVICE, EK_STATUS_UNKNOWN };
	struct zoo *zoo = zoo_at("/status");
	struct ek_instance instance = sample_instance;

	zoo->revision = 0;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		instance.status = statuses[i];
		assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, zoo->revision), EK_OK);
		assert_int_equal(zoo_do(zoo, EK_OP_GET, &instance, 0), EK_OK);
		assert_int_equal(zoo->entry.status, statuses[i]);
		assert_int_equal(zoo->entry.n_metadata, 3);
	}
	zoo_close(zoo);
}

static void test_a_write_that_somebody_overtook_is_a_conflict(void **state)
{
	struct zoo *zoo = zoo_at("/overtaken");
	int64_t old;

	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 0), EK_OK);
	old = zoo->revision;
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, old), EK_OK);
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, old), EK_CONFLICT);
	assert_int_equal(zoo_do(zoo, EK_OP_REMOVE, &sample_instance, old), EK_CONFLICT);
	assert_int_equal(zoo_do(zoo, EK_OP_GET, &sample_instance, 0), EK_OK);
	zoo_close(zoo);
}

static void test_an_entry_of_another_owner_is_a_conflict(void **state)
{
	static const struct ek_pair theirs = { .size = sizeof(theirs), .key = EK_MARK_OWNER, .value = "tokyo-2/rating/rating" };
	const struct ek_pair *const metadata[] = { &theirs };
	struct zoo *zoo = zoo_at("/foreign");
	struct ek_instance foreign = sample_instance;

	foreign.owner = theirs.value;
	foreign.metadata = metadata;
	foreign.n_metadata = 1;
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &foreign, 0), EK_OK);
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 0), EK_CONFLICT);
	assert_int_equal(zoo_do(zoo, EK_OP_GET, &sample_instance, 0), EK_OK);
	assert_string_equal(zoo->entry.owner, theirs.value);
	zoo_close(zoo);
}

static void test_a_vanished_entry_is_put_in_spite_of_its_revision(void **state)
{
	struct zoo *zoo = zoo_at("/vanished");

	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 4711), EK_OK);
	zoo_close(zoo);
}

static void test_only_what_fits_is_put(void **state)
{
	struct zoo *zoo = zoo_at("/fits");
	char *text = calloc(1, 70000);
	struct ek_pair large = { .size = sizeof(large), .key = "large", .value = text };
	const struct ek_pair *const metadata[] = { &large };
	struct ek_instance instance = sample_instance;

	memset(text, 'x', 69999);
	instance.metadata = metadata;
	instance.n_metadata = 1;
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_TOO_BIG);
	text[60000] = '\0';
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_OK);
	instance.id = "a/b";
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_INVALID);
	free(text);
	zoo_close(zoo);
}

static void test_the_secure_port_is_told_where_callers_should_take_it(void **state)
{
	struct zoo *zoo = zoo_at("/secure");
	struct ek_instance instance = sample_instance;

	instance.secure_port = 8443;
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_OK);
	assert_int_equal(zoo_do(zoo, EK_OP_GET, &instance, 0), EK_OK);
	assert_int_equal(zoo->entry.secure_port, 0);
	instance.flags = EK_INSTANCE_PRIMARY_SECURE;
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_OK);
	assert_int_equal(zoo_do(zoo, EK_OP_GET, &instance, 0), EK_OK);
	assert_int_equal(zoo->entry.secure_port, 8443);
	zoo_close(zoo);
}

static void test_a_renewal_is_nothing_that_it_knows(void **state)
{
	struct zoo *zoo = zoo_at("/renew");

	assert_int_equal(zoo->ops->traits(zoo->self)->lease_kind, EK_LEASE_SESSION);
	assert_int_equal(zoo->ops->traits(zoo->self)->lease_ms, 1000);
	assert_int_equal(zoo_do(zoo, EK_OP_RENEW, &sample_instance, 0), EK_INVALID);
	zoo_close(zoo);
}

/* ---- Lists ---- */

static void test_a_list_gives_everything_of_every_application(void **state)
{
	struct zoo *zoo = zoo_at("/list");
	struct ek_instance instance;
	char id[64], application[16];
	unsigned long sum = 0;

	assert_int_equal(zoo_list(zoo), EK_OK);
	assert_int_equal(zoo->n_entries, 0);
	for (int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "seoul-1:rating:APP:pod-%d:8080", i);
		snprintf(application, sizeof(application), "APP-%d", i % 3);
		instance = an_instance(id);
		instance.application = application;
		instance.port = 1 + i;
		assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_OK);
	}
	assert_int_equal(zoo_list(zoo), EK_OK);
	assert_int_equal(zoo->n_entries, 300);
	for (unsigned i = 0; i < 300; i++) {
		struct seen_entry *seen = &zoo->entries[i];

		sum += (unsigned long)seen->port;
		assert_int_equal(seen->flags, EK_ENTRY_RENEWABLE);
		assert_int_equal(strncmp(seen->application, "APP-", 4), 0);
		snprintf(id, sizeof(id), "seoul-1:rating:APP:pod-%d:8080", seen->port - 1);
		assert_string_equal(seen->id, id);
	}
	assert_int_equal(sum, 300 * 301 / 2);
	zoo_close(zoo);
}

static void test_a_list_that_is_stopped_ends_as_cancelled(void **state)
{
	struct zoo *zoo = zoo_at("/stopped");
	struct ek_instance instance;
	char id[16];

	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "pod-%d", i);
		instance = an_instance(id);
		assert_int_equal(zoo_do(zoo, EK_OP_PUT, &instance, 0), EK_OK);
	}
	zoo->stop_after = 3;
	assert_int_equal(zoo_list(zoo), EK_CANCELLED);
	assert_int_equal(zoo->n_entries, 3);
	zoo_close(zoo);
}

/* ---- Sessions ---- */

static void test_entries_of_another_session_are_not_renewable_until_they_are_put_again(void **state)
{
	struct zoo *before = zoo_at("/sessions"), *after = zoo_at("/sessions");

	assert_int_equal(zoo_do(before, EK_OP_PUT, &sample_instance, 0), EK_OK);
	assert_int_equal(zoo_list(after), EK_OK);
	assert_int_equal(after->n_entries, 1);
	assert_int_equal(after->entries[0].flags, 0);
	assert_int_equal(zoo_do(after, EK_OP_PUT, &sample_instance, after->entries[0].revision), EK_OK);
	assert_true(after->revision > after->entries[0].revision);
	assert_int_equal(zoo_do(after, EK_OP_GET, &sample_instance, 0), EK_OK);
	assert_int_equal(after->entry.flags, EK_ENTRY_RENEWABLE);
	assert_true(after->entry.revision > 0);
	assert_int_equal(zoo_do(before, EK_OP_GET, &sample_instance, 0), EK_OK);
	assert_int_equal(before->entry.flags, 0);
	zoo_close(before);
	zoo_close(after);
}

static void test_closing_does_not_deregister(void **state)
{
	struct zoo *leaving = zoo_at("/closing"), *staying = zoo_at("/closing");

	assert_int_equal(zoo_do(leaving, EK_OP_PUT, &sample_instance, 0), EK_OK);
	zoo_close(leaving);
	assert_int_equal(zoo_do(staying, EK_OP_GET, &sample_instance, 0), EK_OK);
	wait_until_gone(staying); /* with its session */
	zoo_close(staying);
}

static void test_a_session_that_ended_is_told_and_replaced(void **state)
{
	struct zoo *hanging = zoo_at("/hanging"), *witness = zoo_at("/hanging");

	assert_int_equal(zoo_do(hanging, EK_OP_PUT, &sample_instance, 0), EK_OK);
	wait_until_gone(witness); /* only its loop runs */
	assert_int_equal(hanging->n_lost, 0);
	while (zoo_do(hanging, EK_OP_GET, &sample_instance, 0) == EK_RETRY)
		; /* the first may find the connection broken */
	assert_int_equal(hanging->code, EK_GONE);
	assert_int_equal(hanging->n_lost, 1);
	assert_int_equal(zoo_do(hanging, EK_OP_PUT, &sample_instance, 0), EK_OK);
	assert_int_equal(witness->n_lost, 0);
	zoo_close(hanging);
	zoo_close(witness);
}

/* ---- Reach ---- */

static void test_without_a_server_operations_end_as_retry(void **state)
{
	struct zoo *zoo = zoo_open("{connect: [\"127.0.0.1:1\", \"[::1]:1\"]}");

	assert_non_null(zoo);
	assert_int_equal(zoo_do(zoo, EK_OP_PUT, &sample_instance, 0), EK_RETRY);
	assert_string_equal(zoo->message, "no ZooKeeper server can be reached");
	assert_int_equal(zoo_list(zoo), EK_RETRY);
	assert_int_equal(zoo_probe(zoo), EK_RETRY);
	zoo_close(zoo);
}

static void test_a_server_that_is_away_does_not_matter_beside_one_that_is_there(void **state)
{
	char options[256];
	struct zoo *zoo;

	snprintf(options, sizeof(options), "{connect: [\"127.0.0.1:1\", \"%s\", \"127.0.0.1:2\"], root: /beside}", getenv("EK_ZOOKEEPER"));
	for (int i = 0; i < 10; i++) { /* the client begins with one of them at random */
		zoo = zoo_open(options);
		assert_int_equal(zoo_probe(zoo), EK_OK);
		zoo_close(zoo);
	}
}

static void test_names_are_resolved(void **state)
{
	char options[256];
	struct zoo *zoo;

	snprintf(options, sizeof(options), "{connect: [\"localhost%s\"]}", strrchr(getenv("EK_ZOOKEEPER"), ':'));
	zoo = zoo_open(options);
	assert_int_equal(zoo_probe(zoo), EK_OK);
	zoo_close(zoo);
	zoo = zoo_open("{connect: [\"no-such-host.invalid:1\"]}");
	assert_int_equal(zoo_probe(zoo), EK_RETRY);
	assert_string_equal(zoo->message, "the names of the ZooKeeper servers cannot be resolved");
	zoo_close(zoo);
}

static void test_it_closes_while_a_name_is_being_resolved(void **state)
{
	struct zoo *zoo = zoo_open("{connect: [\"no-such-host.invalid:1\"]}");

	zoo_start(zoo, EK_OP_GET, &sample_instance, 0, 10000);
	zoo_close(zoo);
}

static void test_it_closes_with_operations_in_flight(void **state)
{
	struct zoo *zoo = zoo_at("/flight");

	assert_int_equal(zoo_probe(zoo), EK_OK);
	for (int i = 0; i < 100; i++)
		zoo_start(zoo, i % 2 ? EK_OP_GET : EK_OP_PUT, &sample_instance, 0, 10000);
	zoo_close(zoo);
}

static void test_what_is_cancelled_ends_at_most_once_and_others_go_on(void **state)
{
	struct zoo *zoo = zoo_at("/cancel");

	zoo_start(zoo, EK_OP_PUT, &sample_instance, 0, 10000);
	zoo_cancel(zoo);
	zoo_wait(zoo);
	assert_int_equal(zoo->code, EK_CANCELLED);
	assert_int_equal(zoo_do(zoo, EK_OP_GET, &sample_instance, 0), EK_GONE);
	zoo_close(zoo);
}

static void test_more_than_it_can_hold_is_asked_to_come_later(void **state)
{
	struct zoo *zoo = zoo_at("/many");

	for (int i = 0; i < 1025; i++)
		zoo_start(zoo, EK_OP_GET, &sample_instance, 0, 10000);
	zoo_wait(zoo); /* for the last */
	assert_int_equal(zoo->code, EK_THROTTLED);
	while (zoo_probe(zoo) == EK_THROTTLED)
		; /* until the others are done */
	assert_int_equal(zoo->code, EK_OK);
	zoo_close(zoo);
}

static void test_options_that_cannot_work_are_refused_by_name(void **state)
{
	static const struct {
		const char *options, *refusal;
	} cases[] = {
		{ "{connect: [\"\"]}", "connect: \"\" is not host:port" },
		{ "{connect: [\"a:0\"]}", "connect: \"a:0\" is not host:port" },
		{ "{connect: [\"a:1x\"]}", "connect: \"a:1x\" is not host:port" },
		{ "{connect: [\"a:65536\"]}", "connect: \"a:65536\" is not host:port" },
		{ "{connect: [\"::1\"]}", "connect: \"::1\" is not host:port" },
		{ "{connect: [\"[a]:1\"]}", "connect: \"[a]:1\" is not host:port" },
		{ "{connect: [\"[::1\"]}", "connect: \"[::1\" is not host:port" },
		{ "{connect: [a], root: services}", "root: \"services\" is not an absolute path of at most 200 bytes without a slash at its end" },
		{ "{connect: [a], root: /services/}", "root: \"/services/\" is not an absolute path of at most 200 bytes without a slash at its end" },
		{ "{connect: [a], root: /a/../b}", "root: \"/a/../b\" is not an absolute path of at most 200 bytes without a slash at its end" },
		{ "{connect: [a], root: /a/.}", "root: \"/a/.\" is not an absolute path of at most 200 bytes without a slash at its end" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(zoo_open(cases[i].options));
		assert_string_equal(zoo_refusal, cases[i].refusal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_put_is_got_and_can_be_removed),
		cmocka_unit_test(test_putting_twice_is_harmless_and_moves_the_revision),
		cmocka_unit_test(test_every_status_comes_back),
		cmocka_unit_test(test_a_write_that_somebody_overtook_is_a_conflict),
		cmocka_unit_test(test_an_entry_of_another_owner_is_a_conflict),
		cmocka_unit_test(test_a_vanished_entry_is_put_in_spite_of_its_revision),
		cmocka_unit_test(test_only_what_fits_is_put),
		cmocka_unit_test(test_the_secure_port_is_told_where_callers_should_take_it),
		cmocka_unit_test(test_a_renewal_is_nothing_that_it_knows),
		cmocka_unit_test(test_a_list_gives_everything_of_every_application),
		cmocka_unit_test(test_a_list_that_is_stopped_ends_as_cancelled),
		cmocka_unit_test(test_entries_of_another_session_are_not_renewable_until_they_are_put_again),
		cmocka_unit_test(test_closing_does_not_deregister),
		cmocka_unit_test(test_a_session_that_ended_is_told_and_replaced),
		cmocka_unit_test(test_without_a_server_operations_end_as_retry),
		cmocka_unit_test(test_a_server_that_is_away_does_not_matter_beside_one_that_is_there),
		cmocka_unit_test(test_names_are_resolved),
		cmocka_unit_test(test_it_closes_while_a_name_is_being_resolved),
		cmocka_unit_test(test_it_closes_with_operations_in_flight),
		cmocka_unit_test(test_what_is_cancelled_ends_at_most_once_and_others_go_on),
		cmocka_unit_test(test_more_than_it_can_hold_is_asked_to_come_later),
		cmocka_unit_test(test_options_that_cannot_work_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
