/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What base/arena promises: zeroed, aligned pieces that end together, and a steady user that stops
 * allocating. It does not test running out of memory, which ends the process.
 * Next: host/base/arena.h.
 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_zeroed_and_aligned_also_after_a_reset(void **state)
{
	struct ek_arena arena;

	ek_arena_init(&arena);
	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 300; n++) {
			unsigned char *piece = ek_arena_alloc(&arena, n);

			assert_int_equal((uintptr_t)piece % 16, 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(piece[i], 0);
			memset(piece, 0xa5, n);
		}
		ek_arena_reset(&arena);
	}
	ek_arena_clear(&arena);
}

static void pieces_do_not_overlap(void **state)
{
	struct ek_arena arena;
	char *texts[1000];

	ek_arena_init(&arena);
	for (int i = 0; i < 1000; i++)
		texts[i] = ek_arena_printf(&arena, "text %d", i);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(atoi(texts[i] + 5), i);
	ek_arena_clear(&arena);
}

static void a_piece_may_be_larger_than_any_block(void **state)
{
	struct ek_arena arena;
	char *small, *large;

	ek_arena_init(&arena);
	small = ek_arena_strdup(&arena, "small");
	large = ek_arena_alloc(&arena, 5000000);
	memset(large, 1, 5000000);
	assert_string_equal(small, "small");
	ek_arena_clear(&arena);
}

static void reset_keeps_the_largest_block(void **state)
{
	struct ek_arena arena;
	void *first;

	ek_arena_init(&arena);
	ek_arena_alloc(&arena, 10);
	ek_arena_alloc(&arena, 100000);
	ek_arena_reset(&arena);
	first = ek_arena_alloc(&arena, 10);
	ek_arena_reset(&arena);
	ek_arena_alloc(&arena, 50000);
	ek_arena_reset(&arena);
	assert_ptr_equal(ek_arena_alloc(&arena, 10), first);
	ek_arena_clear(&arena);
	ek_arena_reset(&arena);
}

static void strings_are_copied_with_their_end(void **state)
{
	struct ek_arena arena;

	ek_arena_init(&arena);
	assert_string_equal(ek_arena_strndup(&arena, "abcdef", 3), "abc");
	assert_string_equal(ek_arena_strndup(&arena, "ab", 30), "ab");
	assert_string_equal(ek_arena_strdup(&arena, ""), "");
	assert_null(ek_arena_strdup(&arena, NULL));
	ek_arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_and_aligned_also_after_a_reset),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(a_piece_may_be_larger_than_any_block),
		cmocka_unit_test(reset_keeps_the_largest_block),
		cmocka_unit_test(strings_are_copied_with_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
