/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two versions of a mode see differently: each field is named, marks are not, and the list is bounded while the count is not.
 * Read next: host/sync/comparison.c.
 */
#include "sync/comparison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/identity.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct ek_pair version_1 = { .size = sizeof(version_1), .key = "version", .value = "1" };
static const struct ek_pair version_2 = { .size = sizeof(version_2), .key = "version", .value = "2" };
static const struct ek_pair team = { .size = sizeof(team), .key = "team", .value = "a" };
static const struct ek_pair mark = { .size = sizeof(mark), .key = EK_MARK_OWNER, .value = "c/ns/name" };
static const struct ek_pair *const metadata_1[] = { &version_1 }, *const metadata_2[] = { &version_2 }, *const metadata_3[] = { &team, &version_1 },
                                  *const metadata_4[] = { &mark, &version_1 };

static struct ek_wanted wanted(void)
{
	return (struct ek_wanted){ .digest = 1,
		.instance = { .size = sizeof(struct ek_instance), .id = "c:ns:WEB:web-1:80", .application = "WEB", .name = "web-1", .address = "10.0.0.1",
			      .vip_address = "web", .port = 80, .status = EK_STATUS_UP, .metadata = metadata_1, .n_metadata = 1 } };
}

static struct ek_comparison *compare(struct ek_wanted *stable, struct ek_wanted *canary)
{
	struct ek_wanted_list a = { .at = &stable, .n = stable != NULL }, b = { .at = &canary, .n = canary != NULL };

	return ek_comparison_new(&a, &b);
}

static void test_each_field_that_differs_is_named_with_both_values(void **state)
{
	static const struct {
		const char *field, *stable, *canary;
		struct ek_instance change;
	} cases[] = {
		{ "application", "WEB", "SHOP", { .application = "SHOP" } },
		{ "address", "10.0.0.1", "10.0.0.2", { .address = "10.0.0.2" } },
		{ "port", "80", "81", { .port = 81 } },
		{ "securePort", "0", "443", { .secure_port = 443 } },
		{ "status", "UP", "DOWN", { .status = EK_STATUS_DOWN } },
		{ "vipAddress", "web", "shop", { .vip_address = "shop" } },
		{ "secureVipAddress", NULL, "shop", { .secure_vip_address = "shop" } },
		{ "homePagePath", NULL, "/", { .home_page_path = "/" } },
		{ "statusPagePath", NULL, "/info", { .status_page_path = "/info" } },
		{ "healthCheckPath", NULL, "/health", { .health_check_path = "/health" } },
		{ "zone", NULL, "a", { .zone = "a" } },
		{ "flags", "0", "1", { .flags = 1 } },
		{ "metadata.version", "1", "2", { .metadata = metadata_2, .n_metadata = 1 } },
		{ "metadata.team", NULL, "a", { .metadata = metadata_3, .n_metadata = 2 } },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct ek_wanted a = wanted(), b = wanted();
		const struct ek_instance *change = &cases[i].change;
		struct ek_comparison *comparison;
		const struct ek_field_difference *field;

#define TAKE(member) b.instance.member = change->member ? change->member : b.instance.member
		TAKE(application);
		TAKE(address);
		TAKE(port);
		TAKE(secure_port);
		TAKE(status);
		TAKE(vip_address);
		TAKE(secure_vip_address);
		TAKE(home_page_path);
		TAKE(status_page_path);
		TAKE(health_check_path);
		TAKE(zone);
		TAKE(flags);
		TAKE(metadata);
		TAKE(n_metadata);
		b.digest = 2;
		comparison = compare(&a, &b);
		assert_int_equal(comparison->n_differing, 1);
		assert_int_equal(comparison->listed[0].kind, EK_DIFFERENCE_CHANGED);
		assert_string_equal(comparison->listed[0].id, "c:ns:WEB:web-1:80");
		if (comparison->listed[0].n_fields != 1)
			fail_msg("%s: %u fields", cases[i].field, comparison->listed[0].n_fields);
		field = &comparison->listed[0].fields[0];
		assert_string_equal(field->name, cases[i].field);
		assert_string_equal(field->stable ? field->stable : "(unset)", cases[i].stable ? cases[i].stable : "(unset)");
		assert_string_equal(field->canary ? field->canary : "(unset)", cases[i].canary ? cases[i].canary : "(unset)");
		ek_comparison_free(comparison);
	}
}

static void test_what_is_alike_is_not_listed_and_marks_are_no_field(void **state)
{
	struct ek_wanted a = wanted(), b = wanted();
	struct ek_comparison *comparison = compare(&a, &b);

	(void)state;
	assert_int_equal(comparison->n_differing, 0);
	ek_comparison_free(comparison);
	b.digest = 2;
	b.instance.metadata = metadata_4;
	b.instance.n_metadata = 2;
	comparison = compare(&a, &b);
	assert_int_equal(comparison->n_differing, 1);
	assert_int_equal(comparison->listed[0].n_fields, 0);
	ek_comparison_free(comparison);
}

static void test_what_only_one_version_wants_is_added_or_removed(void **state)
{
	struct ek_wanted a = wanted();
	struct ek_comparison *added = compare(NULL, &a), *removed = compare(&a, NULL);

	(void)state;
	assert_int_equal(added->listed[0].kind, EK_DIFFERENCE_ADDED);
	assert_int_equal(removed->listed[0].kind, EK_DIFFERENCE_REMOVED);
	ek_comparison_free(added);
	ek_comparison_free(removed);
}

static void test_a_hundred_differences_are_counted_and_twenty_listed(void **state)
{
	struct ek_wanted all[100], *at[100];
	char ids[100][16];
	struct ek_arena scratch;
	struct ek_wanted_list list, none = { 0 };
	struct ek_comparison *comparison;
	char text[16384];
	struct ek_json_writer writer;

	(void)state;
	ek_arena_init(&scratch);
	for (int i = 0; i < 100; i++) {
		all[i] = wanted();
		snprintf(ids[i], sizeof(ids[i]), "id-%02d", 99 - i);
		all[i].instance.id = ids[i];
		all[i].instance.status = i == 50 ? EK_STATUS_NONE : EK_STATUS_UP;
		at[i] = &all[i];
	}
	list = ek_wanted_sort(&scratch, at, 100);
	assert_int_equal(list.n, 99);
	assert_string_equal(ek_wanted_find(&list, "id-07")->instance.id, "id-07");
	assert_null(ek_wanted_find(&list, "id-49"));
	comparison = ek_comparison_new(&none, &list);
	assert_int_equal(comparison->n_differing, 99);
	assert_int_equal(comparison->n_listed, EK_COMPARISON_LISTED);
	assert_string_equal(comparison->listed[0].id, "id-00");
	ek_json_writer_init(&writer, text, sizeof(text));
	ek_json_write_object(&writer);
	ek_comparison_write(&writer, comparison, true);
	ek_json_write_object_end(&writer);
	assert_true(ek_json_writer_finish(&writer) > 0);
	assert_non_null(strstr(text, "{\"differing\":99,\"instances\":[{\"id\":\"id-00\",\"change\":\"Added\",\"fields\":[]},"));
	ek_comparison_free(comparison);
	ek_arena_clear(&scratch);
}

static void test_other_differences_have_another_hash(void **state)
{
	struct ek_wanted a = wanted(), b = wanted(), c = wanted();
	struct ek_comparison *one, *other, *failure = ek_comparison_of_failure("it broke");

	(void)state;
	b.digest = 2;
	c.digest = 3;
	one = compare(&a, &b);
	other = compare(&a, &c);
	assert_true(one->hash != other->hash);
	assert_true(one->hash != failure->hash);
	assert_string_equal(failure->failure, "it broke");
	ek_comparison_free(one);
	ek_comparison_free(other);
	ek_comparison_free(failure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_field_that_differs_is_named_with_both_values),
		cmocka_unit_test(test_what_is_alike_is_not_listed_and_marks_are_no_field),
		cmocka_unit_test(test_what_only_one_version_wants_is_added_or_removed),
		cmocka_unit_test(test_a_hundred_differences_are_counted_and_twenty_listed),
		cmocka_unit_test(test_other_differences_have_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
