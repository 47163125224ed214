/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What base/buf promises: it grows up to its limit and not a byte further, and is always printable.
 * It does not test running out of memory, which ends the process.
 * Next: host/base/buf.h.
 */
#include "base/buf.h"

#include <eurekube/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_buffer_can_be_printed_and_taken(void **state)
{
	struct ek_buf buf;
	char *taken;

	ek_buf_init(&buf, 10);
	assert_string_equal(buf.at, "");
	taken = ek_buf_take(&buf);
	assert_string_equal(taken, "");
	free(taken);
	ek_buf_clear(&buf);
}

static void contents_are_terminated_after_each_addition(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 1000);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(ek_buf_add(&buf, "xyz", 3), EK_OK);
		assert_int_equal(buf.at[buf.n], '\0');
	}
	assert_int_equal(buf.n, 900);
	assert_int_equal(strlen(buf.at), 900);
	ek_buf_clear(&buf);
}

static void the_limit_is_reached_exactly_and_not_passed(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 5);
	assert_int_equal(ek_buf_adds(&buf, "abc"), EK_OK);
	assert_int_equal(ek_buf_adds(&buf, "de"), EK_OK);
	assert_false(buf.is_over);
	assert_int_equal(ek_buf_adds(&buf, "f"), EK_TOO_BIG);
	assert_true(buf.is_over);
	assert_string_equal(buf.at, "abcde");
	ek_buf_clear(&buf);
}

static void once_over_it_refuses_even_what_would_fit(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 5);
	assert_int_equal(ek_buf_adds(&buf, "ab"), EK_OK);
	assert_int_equal(ek_buf_adds(&buf, "cdefgh"), EK_TOO_BIG);
	assert_int_equal(ek_buf_adds(&buf, "c"), EK_TOO_BIG);
	assert_int_equal(ek_buf_addf(&buf, "%d", 1), EK_TOO_BIG);
	assert_string_equal(buf.at, "ab");
	ek_buf_reset(&buf);
	assert_int_equal(ek_buf_adds(&buf, "c"), EK_OK);
	assert_string_equal(buf.at, "c");
	ek_buf_clear(&buf);
}

static void formatted_text_grows_the_buffer_and_keeps_the_limit(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 200);
	assert_int_equal(ek_buf_addf(&buf, "%s-%d", "a", 7), EK_OK);
	assert_int_equal(ek_buf_addf(&buf, "%0100d", 1), EK_OK);
	assert_int_equal(buf.n, 103);
	assert_int_equal(ek_buf_addf(&buf, "%0100d", 1), EK_TOO_BIG);
	assert_int_equal(buf.n, 103);
	assert_int_equal(strlen(buf.at), 103);
	ek_buf_clear(&buf);
}

static void the_front_can_be_dropped(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 100);
	ek_buf_adds(&buf, "line one\nline two\n");
	ek_buf_drop_front(&buf, 9);
	assert_string_equal(buf.at, "line two\n");
	ek_buf_drop_front(&buf, 0);
	assert_string_equal(buf.at, "line two\n");
	ek_buf_drop_front(&buf, 9);
	assert_string_equal(buf.at, "");
	ek_buf_clear(&buf);
	ek_buf_drop_front(&buf, 1);
	assert_string_equal(buf.at, "");
}

static void bytes_with_zeros_are_kept(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, SIZE_MAX);
	assert_int_equal(ek_buf_add(&buf, "a\0b", 3), EK_OK);
	assert_memory_equal(buf.at, "a\0b", 4);
	ek_buf_clear(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_can_be_printed_and_taken),
		cmocka_unit_test(contents_are_terminated_after_each_addition),
		cmocka_unit_test(the_limit_is_reached_exactly_and_not_passed),
		cmocka_unit_test(once_over_it_refuses_even_what_would_fit),
		cmocka_unit_test(formatted_text_grows_the_buffer_and_keeps_the_limit),
		cmocka_unit_test(the_front_can_be_dropped),
		cmocka_unit_test(bytes_with_zeros_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
