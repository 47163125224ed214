/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory registry against every must of registry.h: what a registry has to do when there is nothing else in the way.
 * Next: plugins/memory/memory.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/registry_case.h"

const struct ek_plugin *ek_plugin_entry_v0_memory(void);

static uint64_t last_token;

static struct fake_host *a_registry(const char *option, const char *value)
{
	struct fake_host *fake = fake_host_new(ek_plugin_entry_v0_memory());

	if (option)
		assert_true(fake_host_set(fake, option, value));
	return started(fake);
}

/* Carries one operation out to its end. */
static const struct fake_completion *run(struct fake_host *fake, struct ek_op op)
{
	op.token = ++last_token;
	fake_host_apply(fake, &op);
	assert_null(fake_host_done(fake, op.token));
	fake_host_advance(fake, 0);
	assert_int_equal(fake_host_times_done(fake, op.token), 1);
	return fake_host_done(fake, op.token);
}

static const struct fake_completion *put(struct fake_host *fake, const struct ek_instance *instance, int64_t revision)
{
	struct ek_op op = sample_op(EK_OP_PUT, 0, instance);

	op.revision = revision;
	return run(fake, op);
}

static int32_t code_of(struct fake_host *fake, enum ek_op_kind kind)
{
	return run(fake, sample_op(kind, 0, NULL))->code;
}

static const struct fake_completion *list(struct fake_host *fake)
{
	fake_host_forget_entries(fake);
	fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .owner_prefix = "seoul-1/" }, ++last_token);
	assert_null(fake_host_done(fake, last_token));
	fake_host_advance(fake, 0);
	return fake_host_done(fake, last_token);
}

static void put_makes_the_entry_be_and_get_reads_it_back(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);
	const struct fake_completion *got;
	int64_t revision = put(fake, &sample_instance, 0)->revision;

	got = run(fake, sample_op(EK_OP_GET, 0, NULL));
	assert_int_equal(got->code, EK_OK);
	assert_true(revision > 0);
	assert_int_equal(got->revision, revision);
	assert_int_equal(got->entry.revision, revision);
	assert_string_equal(got->entry.id, SAMPLE_ID);
	assert_string_equal(got->entry.application, "RATING");
	assert_string_equal(got->entry.address, "10.0.0.1");
	assert_string_equal(got->entry.vip_address, "rating");
	assert_int_equal(got->entry.port, 8080);
	assert_int_equal(got->entry.status, EK_STATUS_UP);
	assert_int_equal(got->entry.flags, EK_ENTRY_RENEWABLE);
	assert_string_equal(got->entry.metadata, "eurekube.digest=0123456789abcdef\neurekube.owner=seoul-1/rating/rating\nversion=3\n");
	end(fake);
}

static void what_is_put_is_copied(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);
	struct ek_instance instance = sample_instance;
	char address[] = "10.0.0.9", key[] = "key", value[] = "value";
	struct ek_pair pair = { .size = sizeof(pair), .key = key, .value = value };
	const struct ek_pair *pairs[] = { &pair };

	instance.address = address;
	instance.metadata = pairs;
	instance.n_metadata = 1;
	put(fake, &instance, 0);
	memset(address, 'x', sizeof(address) - 1);
	memset(key, 'x', sizeof(key) - 1);
	memset(value, 'x', sizeof(value) - 1);
	list(fake);
	assert_string_equal(fake->entries[0].address, "10.0.0.9");
	assert_string_equal(fake->entries[0].metadata, "key=value\n");
	end(fake);
}

static void putting_again_changes_the_entry_and_its_revision(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);
	struct ek_instance moved = sample_instance;
	int64_t first = put(fake, &sample_instance, 0)->revision, second;

	moved.address = "10.0.0.2";
	second = put(fake, &moved, first)->revision;
	assert_true(second > first);
	list(fake);
	assert_int_equal(fake->n_entries, 1);
	assert_string_equal(fake->entries[0].address, "10.0.0.2");
	assert_int_equal(fake->entries[0].revision, second);
	end(fake);
}

static void a_put_on_a_revision_that_has_passed_is_a_conflict(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);
	int64_t first = put(fake, &sample_instance, 0)->revision, second = put(fake, &sample_instance, first)->revision;

	assert_int_equal(put(fake, &sample_instance, first)->code, EK_CONFLICT);
	assert_int_equal(put(fake, &sample_instance, second)->code, EK_OK);
	end(fake);
}

static void remove_makes_it_be_gone_and_gone_is_success_too(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);

	put(fake, &sample_instance, 0);
	assert_int_equal(code_of(fake, EK_OP_REMOVE), EK_OK);
	assert_int_equal(code_of(fake, EK_OP_REMOVE), EK_GONE);
	assert_int_equal(code_of(fake, EK_OP_GET), EK_GONE);
	assert_int_equal(list(fake)->code, EK_OK);
	assert_int_equal(fake->n_entries, 0);
	end(fake);
}

static void renew_creates_nothing(void **state)
{
	struct fake_host *fake = a_registry("leaseSeconds", "30");

	assert_int_equal(code_of(fake, EK_OP_RENEW), EK_GONE);
	list(fake);
	assert_int_equal(fake->n_entries, 0);
	end(fake);
}

static void a_lease_ends_unless_it_is_renewed(void **state)
{
	struct fake_host *fake = a_registry("leaseSeconds", "30");

	put(fake, &sample_instance, 0);
	fake_host_advance(fake, 29000);
	assert_int_equal(code_of(fake, EK_OP_RENEW), EK_OK);
	fake_host_advance(fake, 29000);
	assert_int_equal(code_of(fake, EK_OP_GET), EK_OK);
	fake_host_advance(fake, 1000);
	assert_int_equal(code_of(fake, EK_OP_GET), EK_GONE);
	assert_int_equal(code_of(fake, EK_OP_RENEW), EK_GONE);
	end(fake);
}

static void without_leases_entries_stay(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);

	put(fake, &sample_instance, 0);
	fake_host_advance(fake, 365ll * 86400 * 1000);
	assert_int_equal(code_of(fake, EK_OP_GET), EK_OK);
	end(fake);
}

static void the_traits_say_whether_there_are_leases(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);

	assert_int_equal(fake_host_traits(fake)->lease_kind, EK_LEASE_NONE);
	assert_int_equal(fake_host_traits(fake)->renew_ms, 0);
	assert_int_equal(fake_host_traits(fake)->lease_ms, 0);
	assert_int_equal(fake_host_traits(fake)->list_age_ms, 0);
	end(fake);

	fake = a_registry("leaseSeconds", "30");
	assert_int_equal(fake_host_traits(fake)->lease_kind, EK_LEASE_INSTANCE);
	assert_int_equal(fake_host_traits(fake)->lease_ms, 30000);
	assert_int_equal(fake_host_traits(fake)->renew_ms, 10000);
	end(fake);
}

static void a_status_can_be_set_without_a_registration(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);
	struct ek_op op = sample_op(EK_OP_SET_STATUS, 0, NULL);
	int64_t first = put(fake, &sample_instance, 0)->revision;

	op.status = EK_STATUS_OUT_OF_SERVICE;
	assert_true(run(fake, op)->revision > first);
	list(fake);
	assert_int_equal(fake->entries[0].status, EK_STATUS_OUT_OF_SERVICE);
	assert_string_equal(fake->entries[0].address, "10.0.0.1");
	end(fake);
}

static void a_full_registry_refuses_new_entries_only(void **state)
{
	struct fake_host *fake = a_registry("maxEntries", "1");
	struct ek_instance other = sample_instance;

	other.id = "other";
	put(fake, &sample_instance, 0);
	assert_int_equal(put(fake, &other, 0)->code, EK_TOO_BIG);
	assert_non_null(strstr(fake_host_done(fake, last_token)->message, "maxEntries"));
	assert_int_equal(put(fake, &sample_instance, 0)->code, EK_OK);
	code_of(fake, EK_OP_REMOVE);
	assert_int_equal(put(fake, &other, 0)->code, EK_OK);
	end(fake);
}

static void a_list_gives_all_entries_and_ends_when_the_host_says_so(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);

	for (int i = 0; i < 100; i++) {
		struct ek_instance instance = sample_instance;
		char id[32];

		snprintf(id, sizeof(id), "id-%d", i);
		instance.id = id;
		put(fake, &instance, 0);
	}
	assert_int_equal(list(fake)->code, EK_OK);
	assert_int_equal(fake->n_entries, 100);
	for (int i = 0; i < 100; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(fake->entries[i].id, fake->entries[k].id);
	fake->stop_after = 7;
	assert_int_equal(list(fake)->code, EK_CANCELLED);
	assert_int_equal(fake->n_entries, 7);
	end(fake);
}

static void a_batch_completes_each_on_its_own(void **state)
{
	struct fake_host *fake = a_registry(NULL, NULL);
	struct ek_op put_it = sample_op(EK_OP_PUT, 1001, &sample_instance), read_it = sample_op(EK_OP_GET, 1002, NULL);
	struct ek_op lose_it = sample_op(EK_OP_REMOVE, 1003, NULL);
	const struct ek_op *ops[] = { &put_it, &read_it, &lose_it };

	read_it.id = lose_it.id = "nobody";
	fake_host_apply_all(fake, ops, 3);
	assert_int_equal(fake->n_completions, 0);
	fake_host_advance(fake, 0);
	assert_int_equal(fake_host_done(fake, 1001)->code, EK_OK);
	assert_int_equal(fake_host_done(fake, 1002)->code, EK_GONE);
	assert_int_equal(fake_host_done(fake, 1003)->code, EK_GONE);
	end(fake);
}

static void closing_forgets_what_is_under_way(void **state)
{
	struct fake_host *fake = a_registry("leaseSeconds", "30");
	struct ek_op op = sample_op(EK_OP_PUT, 1001, &sample_instance), get = sample_op(EK_OP_GET, 1002, NULL);

	fake_host_apply(fake, &op);
	fake_host_apply(fake, &get);
	end(fake);
}

static void instances_share_nothing(void **state)
{
	struct fake_host *one = a_registry(NULL, NULL), *other = a_registry(NULL, NULL);

	put(one, &sample_instance, 0);
	assert_int_equal(code_of(other, EK_OP_GET), EK_GONE);
	end(one);
	end(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_makes_the_entry_be_and_get_reads_it_back),
		cmocka_unit_test(what_is_put_is_copied),
		cmocka_unit_test(putting_again_changes_the_entry_and_its_revision),
		cmocka_unit_test(a_put_on_a_revision_that_has_passed_is_a_conflict),
		cmocka_unit_test(remove_makes_it_be_gone_and_gone_is_success_too),
		cmocka_unit_test(renew_creates_nothing),
		cmocka_unit_test(a_lease_ends_unless_it_is_renewed),
		cmocka_unit_test(without_leases_entries_stay),
		cmocka_unit_test(the_traits_say_whether_there_are_leases),
		cmocka_unit_test(a_status_can_be_set_without_a_registration),
		cmocka_unit_test(a_full_registry_refuses_new_entries_only),
		cmocka_unit_test(a_list_gives_all_entries_and_ends_when_the_host_says_so),
		cmocka_unit_test(a_batch_completes_each_on_its_own),
		cmocka_unit_test(closing_forgets_what_is_under_way),
		cmocka_unit_test(instances_share_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
