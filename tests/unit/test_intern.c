/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What base/intern promises: equal texts are one text, for as long as somebody refers to it.
 * It does not test how texts are spread over the table.
 * Next: host/base/intern.h.
 */
#include "base/intern.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *ref(struct ek_intern *pool, const char *text)
{
	return ek_intern_ref(pool, text, strlen(text));
}

static void equal_texts_have_equal_pointers(void **state)
{
	struct ek_intern *pool = ek_intern_new();
	const char *a = ref(pool, "zone-a");

	assert_ptr_equal(ek_intern_ref(pool, "zone-abc", 6), a);
	assert_ptr_not_equal(ref(pool, "zone-b"), a);
	assert_string_equal(a, "zone-a");
	assert_int_equal(ek_intern_count(pool), 2);
	assert_int_equal(ek_intern_bytes(pool), 14);
	ek_intern_free(pool);
}

static void a_text_lives_until_its_last_reference(void **state)
{
	struct ek_intern *pool = ek_intern_new();
	const char *a = ref(pool, "node");

	ref(pool, "node");
	ek_intern_unref(pool, a);
	assert_string_equal(a, "node");
	assert_int_equal(ek_intern_count(pool), 1);
	ek_intern_unref(pool, a);
	assert_int_equal(ek_intern_count(pool), 0);
	assert_int_equal(ek_intern_bytes(pool), 0);
	ek_intern_unref(pool, NULL);
	ek_intern_free(pool);
}

static void ten_thousand_texts_are_found_again_and_all_released(void **state)
{
	enum { MANY = 10000 };
	struct ek_intern *pool = ek_intern_new();
	const char **texts = calloc(MANY, sizeof(*texts));
	char text[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "node-%d", i);
		texts[i] = ref(pool, text);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "node-%d", i);
		assert_ptr_equal(ref(pool, text), texts[i]);
		ek_intern_unref(pool, texts[i]);
	}
	assert_int_equal(ek_intern_count(pool), MANY);
	for (int i = 0; i < MANY; i++)
		ek_intern_unref(pool, texts[i]);
	assert_int_equal(ek_intern_count(pool), 0);
	ek_intern_free(pool);
	free(texts);
}

static void the_empty_text_is_a_text(void **state)
{
	struct ek_intern *pool = ek_intern_new();

	assert_string_equal(ek_intern_ref(pool, "x", 0), "");
	assert_int_equal(ek_intern_count(pool), 1);
	ek_intern_free(pool);
	ek_intern_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_have_equal_pointers),
		cmocka_unit_test(a_text_lives_until_its_last_reference),
		cmocka_unit_test(ten_thousand_texts_are_found_again_and_all_released),
		cmocka_unit_test(the_empty_text_is_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
