/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which statuses count as equal: the same content whatever the order of keys, and without what the API server drops.
 * It does not write a status: tests/scenario/test_status.c does.
 * Read next: host/sync/status_hash.c.
 */
#include "sync/status_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t hash(const char *json)
{
	return ek_status_hash((struct ek_slice){ json, strlen(json) });
}

static void equal_contents_have_one_hash(void **state)
{
	static const char *const pairs[][2] = {
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}" },
		{ "{\"a\":1,\"b\":2}", " { \"a\" : 1 ,\n \"b\" : 2 } " },
		{ "{\"a\":{\"x\":1,\"y\":[1,2]},\"b\":true}", "{\"b\":true,\"a\":{\"y\":[1,2],\"x\":1}}" },
		{ "{\"a\":1,\"b\":null}", "{\"a\":1}" },
		{ "{\"a\":1,\"b\":[],\"c\":{}}", "{\"a\":1}" },
		{ "{\"a\":1,\"c\":{\"d\":{},\"e\":null}}", "{\"a\":1}" },
		{ "{\"a\":\"\\u0041\"}", "{\"a\":\"A\"}" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (hash(pairs[i][0]) != hash(pairs[i][1]))
			fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
}

static void different_contents_differ(void **state)
{
	static const char *const all[] = {
		"{}", "{\"a\":1}", "{\"a\":2}", "{\"b\":1}", "{\"a\":\"1\"}", "{\"a\":true}", "{\"a\":false}", "{\"a\":\"true\"}", "{\"a\":\"\"}",
		"{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"a\":[1]}", "{\"a\":[[1],2]}", "{\"a\":[1,[2]]}", "{\"a\":{\"b\":1}}", "{\"b\":{\"a\":1}}",
		"{\"a\":1,\"b\":1}", "{\"a\":[{\"b\":1},{\"c\":1}]}", "{\"a\":[{\"b\":1,\"c\":1}]}", "{\"a\":0}", "{\"a\":[null,1]}",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t j = 0; j < i; j++)
			if (hash(all[i]) == hash(all[j]))
				fail_msg("%s and %s", all[i], all[j]);
}

static void a_status_that_is_no_json_does_no_harm(void **state)
{
	hash("");
	hash("{\"a\":");
	hash("]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_contents_have_one_hash),
		cmocka_unit_test(different_contents_differ),
		cmocka_unit_test(a_status_that_is_no_json_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
