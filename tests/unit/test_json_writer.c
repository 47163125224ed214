/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the JSON writer promises: JSON that others read back as what was meant, and nothing beyond the memory it was given. URLs, too.
 * Next: sdk-headers/eurekube/json.h.
 */
#include <eurekube/json.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static void write_sample(struct ek_json_writer *w)
{
	ek_json_write_object(w);
	ek_json_write_key(w, "a");
	ek_json_write_array(w);
	ek_json_write_integer(w, INT64_MIN);
	ek_json_write_integer(w, 0);
	ek_json_write_boolean(w, true);
	ek_json_write_boolean(w, false);
	ek_json_write_null(w);
	ek_json_write_array(w);
	ek_json_write_array_end(w);
	ek_json_write_object(w);
	ek_json_write_object_end(w);
	ek_json_write_array_end(w);
	ek_json_write_key(w, "b\"");
	ek_json_write_string(w, "");
	ek_json_write_key(w, "c");
	ek_json_write_raw(w, (struct ek_slice){ "{\"x\":1}", 7 });
	ek_json_write_key(w, "d");
	ek_json_write_slice(w, (struct ek_slice){ "texts", 4 });
	ek_json_write_object_end(w);
}

#define SAMPLE "{\"a\":[-9223372036854775808,0,true,false,null,[],{}],\"b\\\"\":\"\",\"c\":{\"x\":1},\"d\":\"text\"}"

static void commas_and_quotes_are_its_business(void **state)
{
	struct ek_json_writer w;
	char text[200];

	ek_json_writer_init(&w, text, sizeof(text));
	write_sample(&w);
	assert_int_equal(ek_json_writer_finish(&w), strlen(SAMPLE));
	assert_string_equal(text, SAMPLE);
}

static void what_does_not_fit_is_nothing(void **state)
{
	for (size_t size = 0; size <= sizeof(SAMPLE) + 1; size++) {
		char *text = malloc(size ? size : 1); /* exactly so long, for the sanitizer */
		struct ek_json_writer w;
		size_t n;

		ek_json_writer_init(&w, text, size);
		write_sample(&w);
		n = ek_json_writer_finish(&w);
		assert_int_equal(n, size >= sizeof(SAMPLE) ? sizeof(SAMPLE) - 1 : 0);
		if (size)
			assert_string_equal(text, n ? SAMPLE : "");
		free(text);
	}
}

static const char *written(const char *text, size_t n)
{
	static char out[256];
	struct ek_json_writer w;

	ek_json_writer_init(&w, out, sizeof(out));
	ek_json_write_slice(&w, (struct ek_slice){ text, n });
	ek_json_writer_finish(&w);
	return out;
}

static void texts_are_escaped(void **state)
{
	static const char *const cases[][2] = {
		{ "plain /<>&'\x7f", "\"plain /<>&'\x7f\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"" },
		{ "\x01\x07\x0b\x0e\x1f", "\"\\u0001\\u0007\\u000b\\u000e\\u001f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xff""b", "\"a\xef\xbf\xbd""b\"" },
		{ "\xc3", "\"\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(written(cases[i][0], strlen(cases[i][0])), cases[i][1]);
	assert_string_equal(written("a\0b", 3), "\"a\\u0000b\"");
}

static void every_text_is_read_back_by_cjson_and_by_the_reader(void **state)
{
	for (unsigned c = 1; c < 256; c++) {
		char text[4] = { 'x', (char)c, 'y', '\0' };
		const char *json = written(text, 3);
		const char *expected = c < 0x80 ? text : "x\xef\xbf\xbdy";
		struct ek_json reader;
		char back[16];
		cJSON *tree = cJSON_Parse(json);

		assert_string_equal(cJSON_GetStringValue(tree), expected);
		cJSON_Delete(tree);
		ek_json_init(&reader, json, strlen(json));
		ek_json_text(&reader, back, sizeof(back));
		assert_int_equal(ek_json_finish(&reader, NULL), EK_OK);
		assert_string_equal(back, expected);
	}
}

static void urls_keep_only_what_needs_no_escape(void **state)
{
	static const char *const cases[][2] = {
		{ "RATING", "RATING" },
		{ "seoul-1:rating:RATING:rating-7d4b.x_~:8080", "seoul-1:rating:RATING:rating-7d4b.x_~:8080" },
		{ "a b/c?d=e&f#%", "a%20b%2Fc%3Fd%3De%26f%23%25" },
		{ "\xc3\xa9\x01+", "%C3%A9%01%2B" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ek_url_escape(cases[i][0], text, sizeof(text)), strlen(cases[i][1]));
		assert_string_equal(text, cases[i][1]);
	}
}

static void an_escaped_text_that_does_not_fit_is_nothing(void **state)
{
	char text[8];

	assert_int_equal(ek_url_escape("a/bcd", text, 8), 7);
	assert_int_equal(ek_url_escape("a/bcde", text, 8), 0);
	assert_string_equal(text, "");
	assert_int_equal(ek_url_escape("abcde/", text, 8), 0);
	assert_int_equal(ek_url_escape("", text, 8), 0);
	assert_int_equal(ek_url_escape("a", text, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_quotes_are_its_business),
		cmocka_unit_test(what_does_not_fit_is_nothing),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(every_text_is_read_back_by_cjson_and_by_the_reader),
		cmocka_unit_test(urls_keep_only_what_needs_no_escape),
		cmocka_unit_test(an_escaped_text_that_does_not_fit_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
