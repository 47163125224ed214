/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of base/hash, which stand in registries and must never change.
 * Should one of these fail, the code is wrong, not the test.
 * Next: host/base/hash.h.
 */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void its_values_are_frozen(void **state)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} golden[] = {
		{ "", 0xefd01f60ba992926ull },
		{ "a", 0x82a2a958a9bece5bull },
		{ "rating", 0x7f3587f3c1aaa1e6ull },
		{ "seoul-1:rating:RATING:rating-7d4b9c:8080", 0x564452567032ca1bull },
		{ "the quick brown fox jumps over the lazy dog", 0x5be4157f5061abf3ull },
	};

	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
		assert_true(ek_hash64(EK_HASH_SEED, golden[i].text, strlen(golden[i].text)) ==
			    golden[i].hash);
}

static void texts_are_hashed_with_their_end(void **state)
{
	uint64_t ab_c = ek_hash64_text(ek_hash64_text(EK_HASH_SEED, "ab"), "c");
	uint64_t a_bc = ek_hash64_text(ek_hash64_text(EK_HASH_SEED, "a"), "bc");

	assert_true(ab_c != a_bc);
	assert_true(ek_hash64_text(EK_HASH_SEED, "a") == ek_hash64(EK_HASH_SEED, "a", 2));
	assert_true(ek_hash64_text(EK_HASH_SEED, "rating") == 0xec6d373a459bd4ccull);
}

static void a_missing_text_differs_from_an_empty_one(void **state)
{
	assert_true(ek_hash64_text(EK_HASH_SEED, NULL) != ek_hash64_text(EK_HASH_SEED, ""));
	assert_true(ek_hash64_text(EK_HASH_SEED, NULL) == ek_hash64(EK_HASH_SEED, "\xff", 1));
}

static void a_number_is_hashed_as_its_bytes(void **state)
{
	static const int64_t numbers[] = { 0, 1, 255, 256, 8080, 65535, 1 << 24, INT64_C(1) << 40, INT64_MAX, -1, INT64_MIN };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_true(ek_hash64_number(EK_HASH_SEED, numbers[i]) == ek_hash64(EK_HASH_SEED, &numbers[i], sizeof(numbers[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_values_are_frozen),
		cmocka_unit_test(texts_are_hashed_with_their_end),
		cmocka_unit_test(a_number_is_hashed_as_its_bytes),
		cmocka_unit_test(a_missing_text_differs_from_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
