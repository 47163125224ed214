/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patches of finalizers, byte for byte as real servers accept them.
 * It does not test that they are sent.
 * Next: host/kube/patch.h.
 */
#include "kube/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OURS     "eurekube.io/deregister"
#define TEST_UID "{\"op\":\"test\",\"path\":\"/metadata/uid\",\"value\":\"u-1\"}"

struct a_case {
	const char *const names[4];
	unsigned n;
	const char *added, *removed; /* NULL: nothing to do */
};

static const struct a_case cases[] = {
	{ { NULL }, 0,
		"[" TEST_UID ",{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":null},"
		"{\"op\":\"add\",\"path\":\"/metadata/finalizers\",\"value\":[\"" OURS "\"]}]",
		NULL },
	{ { "a/b" }, 1,
		"[" TEST_UID ",{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":[\"a/b\"]},"
		"{\"op\":\"add\",\"path\":\"/metadata/finalizers/-\",\"value\":\"" OURS "\"}]",
		NULL },
	{ { OURS }, 1, NULL,
		"[" TEST_UID ",{\"op\":\"test\",\"path\":\"/metadata/finalizers/0\",\"value\":\"" OURS "\"},"
		"{\"op\":\"remove\",\"path\":\"/metadata/finalizers/0\"}]" },
	{ { "a/b", "\"", OURS, "c" }, 4, NULL,
		"[" TEST_UID ",{\"op\":\"test\",\"path\":\"/metadata/finalizers/2\",\"value\":\"" OURS "\"},"
		"{\"op\":\"remove\",\"path\":\"/metadata/finalizers/2\"}]" },
	{ { "\"\x01\x02", "\\" }, 2,
		"[" TEST_UID ",{\"op\":\"test\",\"path\":\"/metadata/finalizers\",\"value\":[\"\\\"\\u0001\\u0002\",\"\\\\\"]},"
		"{\"op\":\"add\",\"path\":\"/metadata/finalizers/-\",\"value\":\"" OURS "\"}]",
		NULL },
};

static void expect(int code, const struct ek_buf *buf, const char *patch)
{
	assert_int_equal(code, patch ? EK_OK : EK_GONE);
	assert_string_equal(buf->at, patch ? patch : "as it was");
}

static void finalizers_are_added_once_and_removed_where_they_are(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_buf buf;

		ek_buf_init(&buf, 4096);
		ek_buf_adds(&buf, "as it was");
		expect(ek_patch_add_finalizer(&buf, "u-1", cases[i].names, cases[i].n, OURS), &buf, cases[i].added);
		ek_buf_reset(&buf);
		ek_buf_adds(&buf, "as it was");
		expect(ek_patch_remove_finalizer(&buf, "u-1", cases[i].names, cases[i].n, OURS), &buf, cases[i].removed);
		ek_buf_clear(&buf);
	}
}

static void a_patch_beyond_the_limit_of_its_buffer_is_refused(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 32);
	assert_int_equal(ek_patch_add_finalizer(&buf, "u-1", NULL, 0, OURS), EK_TOO_BIG);
	ek_buf_clear(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finalizers_are_added_once_and_removed_where_they_are),
		cmocka_unit_test(a_patch_beyond_the_limit_of_its_buffer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
