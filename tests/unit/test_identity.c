/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids, owner marks and digests: formats that stand in registries and must never change.
 * Should a golden value fail, the code is wrong, not the test.
 * Read next: host/sync/identity.c.
 */
#include "sync/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <eurekube/plugin.h>

#include "base/hash.h"

static void ids_are_frozen(void **state)
{
	static const struct {
		const char *cluster, *namespace_, *application, *name;
		int port;
		const char *id;
	} golden[] = {
		{ "seoul-1", "rating", "RATING", "rating-7d4b9c-x2x", 8080, "seoul-1:rating:RATING:rating-7d4b9c-x2x:8080" },
		{ "c", "n", "A", "10.0.0.1", 1, "c:n:A:10.0.0.1:1" },
		{ "c", "n", "A.B_C-D", "fd00::1:2", 65535, "c:n:A.B_C-D:fd00--1-2:65535" },
		{ "c", "n", "A", "a/b%2F\\ \xc3\xa4", 80, "c:n:A:a-b-2F----:80" },
	};
	char id[EK_ID_MAX + 1];

	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		ek_id_format(golden[i].cluster, golden[i].namespace_, golden[i].application, golden[i].name, golden[i].port, id);
		assert_string_equal(id, golden[i].id);
	}
}

static void an_id_above_255_bytes_is_cut_and_ends_in_a_hash(void **state)
{
	char name[254], other[254], id[EK_ID_MAX + 1], id2[EK_ID_MAX + 1], namespace_[64], application[64];

	memset(namespace_, 'n', 63);
	namespace_[63] = '\0';
	memset(application, 'A', 63);
	application[63] = '\0';
	memset(name, 'p', 253);
	name[253] = '\0';
	strcpy(other, name);
	other[252] = 'q';

	ek_id_format("abcdefghijklmnopqrst", namespace_, application, name, 65535, id);
	assert_int_equal(strlen(id), 255);
	assert_string_equal(id + 255 - 15, "-b7324c78:65535");
	assert_memory_equal(id + 20 + 1 + 63 + 1 + 63 + 1, "pppp", 4);
	ek_id_format("abcdefghijklmnopqrst", namespace_, application, other, 65535, id2);
	assert_string_not_equal(id, id2);
}

static void the_longest_name_that_fits_is_not_cut(void **state)
{
	char name[254], id[EK_ID_MAX + 1];

	memset(name, 'p', 253);
	for (size_t n = 240; n <= 253; n++) {
		name[n] = '\0';
		ek_id_format("c", "n", "A", name, 80, id); /* c:n:A: and :80 leave 246 bytes */
		assert_int_equal(strlen(id), n <= 246 ? n + 9 : 255);
		assert_true((strchr(id, '-') != NULL) == (n > 246));
		name[n] = 'p';
	}
}

static void the_name_hash_tells_a_pod_whatever_its_application_and_port(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{ "c:n:OLD:pod-1:80", "c:n:NEW:pod-1:80", true },
		{ "c:n:A:pod-1:80", "c:n:A:pod-1:8080", true },
		{ "c:n:A:pod-1:80", "c:n:A:pod-2:80", false },
		{ "c:n:A:pod-1:80", "c:n:A:pod-11:80", false },
		{ "host:app:8080", "host:app:8081", false }, /* not ours: the whole id counts */
		{ "plain", "plain", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if ((ek_id_name_hash(cases[i].a) == ek_id_name_hash(cases[i].b)) != cases[i].is_same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void owner_marks_go_round(void **state)
{
	struct ek_owner owner;
	char mark[EK_OWNER_MAX], name[254];

	ek_owner_format("seoul-1", "rating", "rating", mark);
	assert_string_equal(mark, "seoul-1/rating/rating");
	assert_true(ek_owner_parse(mark, &owner));
	assert_string_equal(owner.cluster_id, "seoul-1");
	assert_string_equal(owner.namespace_, "rating");
	assert_string_equal(owner.name, "rating");

	memset(name, 'x', 253);
	name[253] = '\0';
	ek_owner_format("abcdefghijklmnopqrst", "n123456789012345678901234567890123456789012345678901234567890ab", name, mark);
	assert_true(ek_owner_parse(mark, &owner));
	assert_string_equal(owner.name, name);
}

static void anything_else_is_no_owner_mark(void **state)
{
	static const char *const bad[] = { NULL, "", "a", "a/b", "/b/c", "a//c", "a/b/", "a/b/c/d", "//", "a-cluster-name-of-more-than-31-bytes/b/c" };
	struct ek_owner owner;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ek_owner_parse(bad[i], &owner))
			fail_msg("taken for an owner mark: %s", bad[i]);
}

static void applications_are_upper_case_or_refused(void **state)
{
	static const struct {
		const char *application, *wire; /* wire NULL: refused */
	} cases[] = {
		{ "rating", "RATING" }, { "Rating-2.x_y", "RATING-2.X_Y" }, { "9", "9" },
		{ "", NULL }, { "-a", NULL }, { ".a", NULL }, { "_a", NULL }, { "a b", NULL }, { "a/b", NULL }, { "b\xc3\xa4r", NULL },
		{ "a23456789012345678901234567890123456789012345678901234567890abc", "A23456789012345678901234567890123456789012345678901234567890ABC" },
		{ "a23456789012345678901234567890123456789012345678901234567890abcd", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		char wire[EK_APPLICATION_MAX + 1];
		int code = ek_application_normalize(cases[i].application, wire, &err);

		if (!cases[i].wire) {
			assert_int_equal(code, EK_INVALID);
			assert_string_equal(err.reason, "InvalidApplication");
			continue;
		}
		assert_int_equal(code, EK_OK);
		assert_string_equal(wire, cases[i].wire);
	}
}

/* ---- digests ---- */

static const struct ek_pair version = { .size = sizeof(version), .key = "version", .value = "3" };
static const struct ek_pair owner_mark = { .size = sizeof(owner_mark), .key = EK_MARK_OWNER, .value = "c/n/s" };
static const struct ek_pair digest_mark = { .size = sizeof(digest_mark), .key = EK_MARK_DIGEST, .value = "0123456789abcdef" };
static const struct ek_pair *const metadata[] = { &owner_mark, &version };

static struct ek_instance an_instance(void)
{
	return (struct ek_instance){
		.size = sizeof(struct ek_instance), .status = EK_STATUS_UP, .id = "c:n:A:p:80", .owner = "c/n/s", .application = "A",
		.name = "p", .address = "10.0.0.1", .vip_address = "a", .secure_vip_address = "a", .port = 80, .renew_seconds = 30,
		.lease_seconds = 90, .n_metadata = 2, .metadata = metadata,
	};
}

static void the_digest_is_frozen(void **state)
{
	struct ek_instance instance = an_instance();
	char text[17];

	ek_digest_format(ek_instance_digest(&instance), text);
	assert_string_equal(text, "35f236cae5c27296");
}

static void the_digest_leaves_out_status_and_itself(void **state)
{
	const struct ek_pair *const marked[] = { &digest_mark, &owner_mark, &version };
	struct ek_instance instance = an_instance(), same = an_instance();

	same.status = EK_STATUS_DOWN;
	same.node_name = "node-1";
	same.metadata = marked;
	same.n_metadata = 3;
	assert_true(ek_instance_digest(&instance) == ek_instance_digest(&same));
}

static void the_digest_tells_every_other_change(void **state)
{
	static const char *const list_a[] = { "x", "y" }, *const list_b[] = { "xy" };
	static const struct ek_pair version4 = { .size = sizeof(version4), .key = "version", .value = "4" };
	static const struct ek_pair *const changed[] = { &owner_mark, &version4 };
	const struct ek_option_value one = { .size = sizeof(one), .integer = 1 };
	const struct ek_option_value two = { .size = sizeof(two), .list = list_a, .n_list = 2 };
	const struct ek_option_value three = { .size = sizeof(three), .list = list_b, .n_list = 1 };
	const struct ek_option_value *const options[] = { &one, &two, &three };
	struct ek_instance variants[18];
	unsigned n = 0;

	for (unsigned i = 0; i < 18; i++)
		variants[i] = an_instance();
	variants[n++].owner = "c/n/t";
	variants[n++].application = "B";
	variants[n++].name = "q";
	variants[n++].address = "10.0.0.2";
	variants[n++].vip_address = "b";
	variants[n++].secure_vip_address = "b";
	variants[n++].home_page_path = "/";
	variants[n++].status_page_path = "/";
	variants[n++].health_check_path = "/";
	variants[n++].zone = "z";
	variants[n++].port = 81;
	variants[n++].secure_port = 81;
	variants[n++].flags = EK_INSTANCE_PRIMARY_SECURE;
	variants[n++].renew_seconds = 31;
	variants[n++].lease_seconds = 91;
	variants[n++].metadata = changed;
	variants[n++].n_metadata = 1;
	n++; /* the instance itself */
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++)
			if (ek_instance_digest(&variants[i]) == ek_instance_digest(&variants[j]))
				fail_msg("variants %u and %u have one digest", i, j);
	for (unsigned i = 0; i < 3; i++) {
		variants[i] = an_instance();
		variants[i].options = options + i;
		variants[i].n_options = 1;
		for (unsigned j = 0; j < i; j++)
			assert_true(ek_instance_digest(&variants[i]) != ek_instance_digest(&variants[j]));
	}
}

static void digests_go_round_as_sixteen_digits(void **state)
{
	static const char *const bad[] = { NULL, "", "0123", "0123456789abcdeg", "0123456789abcdef0", " 123456789abcdef", "0x23456789abcdef" };
	uint64_t digest = 0;
	char text[17];

	ek_digest_format(0x0123456789abcdefull, text);
	assert_string_equal(text, "0123456789abcdef");
	assert_true(ek_digest_parse(text, &digest));
	assert_true(digest == 0x0123456789abcdefull);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ek_digest_parse(bad[i], &digest));
}

static void marks_are_found_by_their_key(void **state)
{
	struct ek_instance instance = an_instance();

	assert_string_equal(ek_instance_mark(&instance, EK_MARK_OWNER), "c/n/s");
	assert_null(ek_instance_mark(&instance, EK_MARK_POD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_frozen),
		cmocka_unit_test(an_id_above_255_bytes_is_cut_and_ends_in_a_hash),
		cmocka_unit_test(the_longest_name_that_fits_is_not_cut),
		cmocka_unit_test(the_name_hash_tells_a_pod_whatever_its_application_and_port),
		cmocka_unit_test(owner_marks_go_round),
		cmocka_unit_test(anything_else_is_no_owner_mark),
		cmocka_unit_test(applications_are_upper_case_or_refused),
		cmocka_unit_test(the_digest_is_frozen),
		cmocka_unit_test(the_digest_leaves_out_status_and_itself),
		cmocka_unit_test(the_digest_tells_every_other_change),
		cmocka_unit_test(digests_go_round_as_sixteen_digits),
		cmocka_unit_test(marks_are_found_by_their_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
