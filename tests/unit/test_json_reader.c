/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pull reader promises: RFC 8259 and nothing else, whichever way a value is consumed; decoded texts; sticky faults.
 * cJSON reads the same documents beside it. Next: sdk-headers/eurekube/json.h.
 */
#include <eurekube/json.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/buf.h"

/* ---- What is JSON ---- */

struct verdict {
	const char *text;
	size_t n; /* 0: up to the NUL */
	bool is_json;
};

static const struct verdict verdicts[] = {
	{ "{}", 0, true }, { "[]", 0, true }, { "null", 0, true }, { "true", 0, true }, { "false", 0, true }, { "\"\"", 0, true },
	{ " \t\r\n[ \t\r\n1 , 2 ] \n", 0, true }, { "{ \"a\" : { \"b\" : [ { } , [ ] ] } }", 0, true }, { "[[[[]],{}],[]]", 0, true },
	{ "{\"a\":1,\"a\":2}", 0, true }, { "{\"\":0}", 0, true }, { "[{\"a\":[]},{\"b\":{}}]", 0, true },
	/* numbers */
	{ "0", 0, true }, { "-0", 0, true }, { "1", 0, true }, { "-1", 0, true }, { "10", 0, true }, { "0.0", 0, true }, { "1.5e10", 0, true },
	{ "1E+2", 0, true }, { "1e-2", 0, true }, { "0e0", 0, true }, { "123456789012345678901234567890", 0, true }, { "1e999", 0, true },
	{ "01", 0, false }, { "-", 0, false }, { "+1", 0, false }, { ".5", 0, false }, { "1.", 0, false }, { "1.e1", 0, false }, { "1e", 0, false },
	{ "1e+", 0, false }, { "-01", 0, false }, { "0x1", 0, false }, { "1 000", 0, false }, { "NaN", 0, false }, { "Infinity", 0, false },
	{ "-Infinity", 0, false }, { "1,", 0, false }, { "--1", 0, false }, { "1-1", 0, false }, { "[1 2]", 0, false }, { "[-]", 0, false },
	/* words */
	{ "tru", 0, false }, { "truee", 0, false }, { "True", 0, false }, { "nul", 0, false }, { "nulll", 0, false }, { "fals", 0, false }, { "t", 0, false },
	{ "undefined", 0, false }, { "[nul]", 0, false },
	/* arrays and objects */
	{ "", 0, false }, { " ", 0, false }, { "[", 0, false }, { "]", 0, false }, { "{", 0, false }, { "}", 0, false }, { "[1", 0, false }, { "[1,", 0, false },
	{ "[1,]", 0, false }, { "[,1]", 0, false }, { "[1,,2]", 0, false }, { "[1]]", 0, false }, { "[1}", 0, false }, { "{\"a\":1]", 0, false },
	{ "{\"a\"}", 0, false }, { "{\"a\":}", 0, false }, { "{\"a\":1,}", 0, false }, { "{,}", 0, false }, { "{a:1}", 0, false }, { "{1:1}", 0, false },
	{ "{\"a\" 1}", 0, false }, { "{\"a\"::1}", 0, false }, { "{\"a\":1 \"b\":2}", 0, false }, { "{'a':1}", 0, false }, { "{null:1}", 0, false },
	{ "[] []", 0, false }, { "{}{}", 0, false }, { "1 2", 0, false }, { "[]x", 0, false }, { "[/*c*/]", 0, false }, { "[1]//c", 0, false },
	{ "[\"a\":1]", 0, false }, { "{\"a\":\"b\":\"c\"}", 0, false }, { "{\"a\":1,\"b\"", 0, false }, { "[\v1]", 0, false }, { "[\f]", 0, false },
	{ "\xef\xbb\xbf{}", 0, false }, { "[1\0]", 4, false }, { "[1]\0", 4, false },
	/* texts */
	{ "\"abcdefghijklmnopqrstuvwxyz\"", 0, true }, { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 0, true }, { "\"\\u0000\"", 0, true }, { "\"\\u00e9\\uD83D\\uDE00\"", 0, true },
	{ "\"\x7f\"", 0, true }, { "\"\xc3\xa9\"", 0, true }, { "\"\xe2\x82\xac\"", 0, true }, { "\"\xf0\x9f\x98\x80\"", 0, true }, { "\"\xf4\x8f\xbf\xbf\"", 0, true },
	{ "\"\xed\x9f\xbf\xee\x80\x80\"", 0, true }, { "\"\xe2\x80\xa8\"", 0, true }, { "\"\xef\xbf\xbf\"", 0, true },
	{ "\"", 0, false }, { "\"a", 0, false }, { "\"\\\"", 0, false }, { "\"\\", 0, false }, { "'a'", 0, false }, { "\"\\x41\"", 0, false }, { "\"\\a\"", 0, false },
	{ "\"\\'\"", 0, false }, { "\"\\u12\"", 0, false }, { "\"\\u12g4\"", 0, false }, { "\"\\U0041\"", 0, false }, { "\"\\u+123\"", 0, false },
	{ "\"a\nb\"", 0, false }, { "\"a\tb\"", 0, false }, { "\"a\x01\"", 0, false }, { "\"a\x1f\"", 0, false }, { "\"a\0b\"", 5, false }, { "\"abcdefg\nhi\"", 0, false },
	{ "\"\\ud800\"", 0, false }, { "\"\\udc00\"", 0, false }, { "\"\\ud800\\u0041\"", 0, false }, { "\"\\ud800\\ud800\"", 0, false }, { "\"\\ud83d\\\"", 0, false },
	{ "\"\\uDE00\\uD83D\"", 0, false }, { "\"\\ude00\\ude00\"", 0, false }, { "\"\\ud83dx\\ude00\"", 0, false },
	{ "\"\x80\"", 0, false }, { "\"\xc3\"", 0, false }, { "\"\xc3\xc3\"", 0, false }, { "\"\xc0\x80\"", 0, false }, { "\"\xc1\xbf\"", 0, false },
	{ "\"\xe0\x80\x80\"", 0, false }, { "\"\xe0\x9f\xbf\"", 0, false }, { "\"\xed\xa0\x80\"", 0, false }, { "\"\xed\xbf\xbf\"", 0, false }, { "\"\xe2\x82\"", 0, false },
	{ "\"\xf0\x80\x80\x80\"", 0, false }, { "\"\xf0\x8f\xbf\xbf\"", 0, false }, { "\"\xf4\x90\x80\x80\"", 0, false }, { "\"\xf5\x80\x80\x80\"", 0, false },
	{ "\"\xf0\x9f\x98\"", 0, false }, { "\"\xff\"", 0, false }, { "\"\xfe\"", 0, false }, { "\xe9", 0, false }, { "\"\xe9\"", 0, false },
};

static size_t length(const struct verdict *verdict)
{
	return verdict->n ? verdict->n : strlen(verdict->text);
}

/* Reads a value of any kind by entering whatever can be entered. */
static void walk(struct ek_json *json)
{
	char scratch[64];
	struct ek_slice key;

	switch (ek_json_peek(json)) {
	case EK_JSON_OBJECT:
		for (ek_json_enter_object(json); ek_json_next_key(json, &key);)
			walk(json);
		break;
	case EK_JSON_ARRAY:
		for (ek_json_enter_array(json); ek_json_next_item(json);)
			walk(json);
		break;
	case EK_JSON_STRING:
		if (json->end - json->at > 2 && memmem(json->at, (size_t)(json->end - json->at), "\\u0000", 6))
			ek_json_skip(json);
		else
			ek_json_slice(json, scratch, sizeof(scratch));
		break;
	default:
		ek_json_skip(json);
	}
}

static bool is_accepted(const char *bytes, size_t n, void (*consume)(struct ek_json *json))
{
	char *copy = malloc(n ? n : 1); /* exactly so long, for the sanitizer */
	struct ek_json json;
	bool is_ok;

	memcpy(copy, bytes, n);
	ek_json_init(&json, copy, n);
	consume(&json);
	is_ok = ek_json_finish(&json, NULL) == EK_OK;
	free(copy);
	return is_ok;
}

static void only_rfc_8259_is_accepted_whether_skipped_or_read(void **state)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		const struct verdict *v = &verdicts[i];

		if (is_accepted(v->text, length(v), ek_json_skip) != v->is_json)
			fail_msg("skipped, %s is %s", v->text, v->is_json ? "refused" : "accepted");
		if (is_accepted(v->text, length(v), walk) != v->is_json)
			fail_msg("read, %s is %s", v->text, v->is_json ? "refused" : "accepted");
	}
}

static void the_verdict_is_the_same_deep_inside_and_behind_other_bytes(void **state)
{
	char text[256];

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		const struct verdict *v = &verdicts[i];

		/* these are wrong only at the top, or only there right */
		if (!length(v) || v->n || strchr(" 1[{", v->text[0]) || strchr(v->text, ',') || strchr(v->text, '}') || strchr(v->text, ']'))
			continue;
		for (size_t pad = 0; pad < 9; pad++) {
			int n = snprintf(text, sizeof(text), "[{\"%.*s\":%s}]", (int)pad, "12345678", v->text);

			if (is_accepted(text, (size_t)n, ek_json_skip) != v->is_json)
				fail_msg("skipped, %s is %s", text, v->is_json ? "refused" : "accepted");
			if (is_accepted(text, (size_t)n, walk) != v->is_json)
				fail_msg("read, %s is %s", text, v->is_json ? "refused" : "accepted");
		}
	}
}

static void a_document_cut_short_is_refused(void **state)
{
	const char *text = "{\"a\":[1,true,null,\"x\\u00e9\xc3\xa9\",{\"b\":-1.5e3}],\"c\":{}}";

	for (size_t n = 0; n < strlen(text); n++) {
		assert_false(is_accepted(text, n, ek_json_skip));
		assert_false(is_accepted(text, n, walk));
	}
	assert_true(is_accepted(text, strlen(text), walk));
}

static void nesting_ends_at_64_levels(void **state)
{
	for (int deep = 63; deep <= 66; deep++) {
		char text[2 * 66 + 1];

		memset(text, '[', (size_t)deep);
		memset(text + deep, ']', (size_t)deep);
		assert_int_equal(is_accepted(text, 2 * (size_t)deep, ek_json_skip), deep <= 64);
		assert_int_equal(is_accepted(text, 2 * (size_t)deep, walk), deep <= 64);
	}
}

static void skipping_counts_the_levels_that_were_entered(void **state)
{
	struct ek_json json;
	char text[200];

	memset(text, '[', 70);
	ek_json_init(&json, text, 70);
	for (int i = 0; i < 60; i++) {
		assert_true(ek_json_enter_array(&json));
		assert_true(ek_json_next_item(&json));
	}
	ek_json_skip(&json);
	assert_string_equal(json.fault, "nested too deeply");
	assert_int_equal(json.at - json.start, 64);
}

/* ---- Beside cJSON ---- */

static void draw_tree(struct ek_buf *buf, const cJSON *value)
{
	const cJSON *member;

	if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
		ek_buf_adds(buf, cJSON_IsObject(value) ? "{" : "[");
		cJSON_ArrayForEach(member, value) {
			if (member->string)
				ek_buf_addf(buf, "%s=", member->string);
			draw_tree(buf, member);
			ek_buf_adds(buf, ";");
		}
		ek_buf_adds(buf, cJSON_IsObject(value) ? "}" : "]");
	} else if (cJSON_IsString(value)) {
		ek_buf_addf(buf, "\"%s\"", value->valuestring);
	} else if (cJSON_IsNumber(value)) {
		ek_buf_addf(buf, "%lld", (long long)value->valuedouble);
	} else {
		ek_buf_adds(buf, cJSON_IsNull(value) ? "null" : cJSON_IsTrue(value) ? "true" : "false");
	}
}

static void draw_pulled(struct ek_buf *buf, struct ek_json *json)
{
	struct ek_slice key;
	char text[256];

	switch (ek_json_peek(json)) {
	case EK_JSON_OBJECT:
		ek_buf_adds(buf, "{");
		for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
			ek_buf_addf(buf, "%.*s=", (int)key.n, key.at);
			draw_pulled(buf, json);
			ek_buf_adds(buf, ";");
		}
		ek_buf_adds(buf, "}");
		break;
	case EK_JSON_ARRAY:
		ek_buf_adds(buf, "[");
		for (ek_json_enter_array(json); ek_json_next_item(json);) {
			draw_pulled(buf, json);
			ek_buf_adds(buf, ";");
		}
		ek_buf_adds(buf, "]");
		break;
	case EK_JSON_STRING:
		ek_json_text(json, text, sizeof(text));
		ek_buf_addf(buf, "\"%s\"", text);
		break;
	case EK_JSON_NUMBER:
		ek_buf_addf(buf, "%lld", (long long)ek_json_integer(json));
		break;
	case EK_JSON_BOOLEAN:
		ek_buf_adds(buf, ek_json_boolean(json, false) ? "true" : "false");
		break;
	default:
		ek_json_skip(json);
		ek_buf_adds(buf, "null");
	}
}

static void the_values_are_those_of_cjson(void **state)
{
	static const char *const documents[] = {
		"{\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"labels\":{\"a/b\":\"c\"},\"x\":null},\"spec\":{\"ports\":[{\"port\":80}]}}",
		" [ 1 , -2 , 0 , 123456789012 , true , false , null , [ ] , { } , \"\" ] ",
		"{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00 \xc3\xa9\",\"\":{\"\":[]}}",
		"[[[[[[1]]]]],{\"a\":{\"b\":{\"c\":[{},[],{\"d\":[]}]}}}]",
		"{\"application\":{\"name\":\"RATING\",\"instance\":[{\"port\":{\"$\":8080,\"@enabled\":\"true\"},\"lastDirtyTimestamp\":\"1700000000000\"}]}}",
		"{\"a\":1,\"a\":2}",
	};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		cJSON *tree = cJSON_Parse(documents[i]);
		struct ek_buf theirs, ours;
		struct ek_json json;

		ek_buf_init(&theirs, 65536);
		ek_buf_init(&ours, 65536);
		draw_tree(&theirs, tree);
		ek_json_init(&json, documents[i], strlen(documents[i]));
		draw_pulled(&ours, &json);
		assert_int_equal(ek_json_finish(&json, NULL), EK_OK);
		assert_string_equal(ours.at, theirs.at);
		ek_buf_clear(&theirs);
		ek_buf_clear(&ours);
		cJSON_Delete(tree);
	}
}

/* ---- Single values ---- */

static struct ek_json on(const char *text)
{
	struct ek_json json;

	ek_json_init(&json, text, strlen(text));
	return json;
}

static void texts_are_decoded_and_bounded(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: a fault */
	} cases[] = {
		{ "\"\"", "" }, { "\"abc\"", "abc" }, { "\"1234567\"", "1234567" }, { "\"12345678\"", NULL }, { "null", "" }, { "12", "12" }, { "-1.5e3", "-1.5e3" },
		{ "true", "true" }, { "false", "false" }, { "{}", NULL }, { "[]", NULL }, { "", NULL }, { "\"\\u0000\"", NULL }, { "\"a\\u0000b\"", NULL },
		{ "\"\\n\\t\\\"\\\\\\/\"", "\n\t\"\\/" }, { "\"\\b\\f\\r\"", "\b\f\r" }, { "\"\\u0041\\u00E9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac" },
		{ "\"\\ud83d\\ude00abc\"", "\xf0\x9f\x98\x80""abc" }, { "\"\\ud83d\\ude00abcd\"", NULL }, { "\"\\uffff\"", "\xef\xbf\xbf" }, { "\"\\u007f\\u0080\"", "\x7f\xc2\x80" },
		{ "\"\\u07ff\\u0800\"", "\xdf\xbf\xe0\xa0\x80" }, { "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" }, { "\"123456\\u00e9\"", NULL }, { "\"12345\\u00e9\"", "12345\xc3\xa9" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_json json = on(cases[i].text);
		char buffer[8] = "unset";
		size_t n = ek_json_text(&json, buffer, sizeof(buffer));

		if (ek_json_failed(&json) != !cases[i].expected)
			fail_msg("%s: %s", cases[i].text, json.fault ? json.fault : "no fault");
		assert_string_equal(buffer, cases[i].expected ? cases[i].expected : "");
		assert_int_equal(n, strlen(buffer));
	}
}

static void a_slice_lies_in_the_document_unless_it_has_escapes(void **state)
{
	const char *text = "[\"plain\",\"a\\tb\",\"too\\tlong\"]";
	struct ek_json json = on(text);
	struct ek_slice slice;
	char scratch[4];

	ek_json_enter_array(&json);
	ek_json_next_item(&json);
	slice = ek_json_slice(&json, NULL, 0);
	assert_true(slice.at == text + 2 && slice.n == 5);
	ek_json_next_item(&json);
	slice = ek_json_slice(&json, scratch, sizeof(scratch));
	assert_true(slice.at == scratch && ek_slice_equals(slice, "a\tb"));
	ek_json_next_item(&json);
	slice = ek_json_slice(&json, scratch, sizeof(scratch));
	assert_int_equal(slice.n, 0);
	assert_string_equal(json.fault, "a text is too long");
}

static void integers_are_whole_and_fit(void **state)
{
	static const struct {
		const char *text;
		int64_t expected;
		bool is_fault;
	} cases[] = {
		{ "0", 0, false }, { "-0", 0, false }, { "42", 42, false }, { "-42", -42, false }, { "\"42\"", 42, false }, { "\"-1\"", -1, false }, { "null", 0, false },
		{ "9223372036854775807", INT64_MAX, false }, { "-9223372036854775808", INT64_MIN, false }, { "9223372036854775808", 0, true },
		{ "-9223372036854775809", 0, true }, { "99999999999999999999", 0, true }, { "1.0", 0, true }, { "1e3", 0, true }, { "\"\"", 0, true }, { "\"x\"", 0, true },
		{ "\"1 \"", 0, true }, { "\"-\"", 0, true }, { "true", 0, true }, { "{}", 0, true }, { "\"+1\"", 0, true }, { "\"\\u0031\"", 0, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_json json = on(cases[i].text);
		int64_t number = ek_json_integer(&json);

		if (number != cases[i].expected || ek_json_failed(&json) != cases[i].is_fault)
			fail_msg("%s: %lld %s", cases[i].text, (long long)number, json.fault ? json.fault : "no fault");
	}
}

static void booleans_may_be_texts(void **state)
{
	static const struct {
		const char *text;
		bool otherwise, expected, is_fault;
	} cases[] = {
		{ "true", false, true, false }, { "false", true, false, false }, { "\"true\"", false, true, false }, { "\"false\"", true, false, false },
		{ "null", true, true, false }, { "null", false, false, false }, { "1", false, false, true }, { "\"\"", true, true, true }, { "\"yes\"", false, false, true },
		{ "[]", true, true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_json json = on(cases[i].text);
		bool value = ek_json_boolean(&json, cases[i].otherwise);

		if (value != cases[i].expected || ek_json_failed(&json) != cases[i].is_fault)
			fail_msg("%s: %d %s", cases[i].text, value, json.fault ? json.fault : "no fault");
	}
}

static void the_kind_is_known_before_the_value_is_read(void **state)
{
	static const struct {
		const char *text;
		enum ek_json_kind kind;
	} cases[] = {
		{ " {}", EK_JSON_OBJECT }, { "[", EK_JSON_ARRAY }, { "\"", EK_JSON_STRING }, { "-", EK_JSON_NUMBER }, { "7", EK_JSON_NUMBER }, { "true", EK_JSON_BOOLEAN },
		{ "false", EK_JSON_BOOLEAN }, { "null", EK_JSON_NULL }, { "", EK_JSON_END }, { "  ", EK_JSON_END }, { "x", EK_JSON_END }, { "]", EK_JSON_END },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_json json = on(cases[i].text);

		assert_int_equal(ek_json_peek(&json), cases[i].kind);
	}
}

/* ---- Objects and arrays ---- */

static void null_is_entered_as_an_empty_object_or_array(void **state)
{
	struct ek_json json = on("{\"a\":null,\"b\":null,\"c\":7}");
	struct ek_slice key;

	ek_json_enter_object(&json);
	assert_true(ek_json_next_key(&json, &key));
	assert_true(ek_json_enter_array(&json));
	assert_false(ek_json_next_item(&json));
	assert_true(ek_json_next_key(&json, &key));
	assert_true(ek_json_enter_object(&json));
	assert_false(ek_json_next_key(&json, &key));
	assert_true(ek_json_next_key(&json, &key));
	assert_true(ek_slice_equals(key, "c"));
	assert_int_equal(ek_json_integer(&json), 7);
	assert_false(ek_json_next_key(&json, &key));
	assert_int_equal(ek_json_finish(&json, NULL), EK_OK);
}

static void a_key_with_escapes_equals_no_plain_key(void **state)
{
	struct ek_json json = on("{\"n\\u0061me\":1,\"name\":2}");
	struct ek_slice key;

	ek_json_enter_object(&json);
	assert_true(ek_json_next_key(&json, &key));
	assert_false(ek_slice_equals(key, "name"));
	ek_json_skip(&json);
	assert_true(ek_json_next_key(&json, &key));
	assert_true(ek_slice_equals(key, "name"));
}

static void a_raw_value_can_be_read_again(void **state)
{
	struct ek_json json = on("{\"a\": {\"b\": [1, \"}\"]} , \"c\":1}"), again;
	struct ek_slice key, raw;

	ek_json_enter_object(&json);
	ek_json_next_key(&json, &key);
	raw = ek_json_raw(&json);
	assert_true(ek_slice_equals(raw, "{\"b\": [1, \"}\"]}"));
	ek_json_init(&again, raw.at, raw.n);
	ek_json_skip(&again);
	assert_int_equal(ek_json_finish(&again, NULL), EK_OK);
	assert_true(ek_json_next_key(&json, &key));
}

static void after_a_fault_everything_answers_with_nothing(void **state)
{
	struct ek_json json = on("{\"a\":[1,],\"b\":2}");
	struct ek_error err = EK_ERROR_INIT;
	struct ek_slice key;
	char text[8] = "unset";

	ek_json_enter_object(&json);
	ek_json_next_key(&json, &key);
	ek_json_skip(&json);
	assert_true(ek_json_failed(&json));
	assert_false(ek_json_next_key(&json, &key));
	assert_int_equal(key.n, 0);
	assert_false(ek_json_enter_object(&json));
	assert_false(ek_json_enter_array(&json));
	assert_false(ek_json_next_item(&json));
	assert_int_equal(ek_json_peek(&json), EK_JSON_END);
	assert_int_equal(ek_json_text(&json, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(ek_json_integer(&json), 0);
	assert_true(ek_json_boolean(&json, true));
	assert_int_equal(ek_json_raw(&json).n, 0);
	assert_int_equal(ek_json_finish(&json, &err), EK_INVALID);
	assert_string_equal(err.message, "not the JSON that was expected: not a number (at byte 8 of 16)");
}

static void the_first_fault_wins_also_one_of_the_callers(void **state)
{
	struct ek_json json = on("[70000,x]");
	struct ek_error err = EK_ERROR_INIT;

	ek_json_enter_array(&json);
	ek_json_next_item(&json);
	ek_json_integer(&json);
	ek_json_fail(&json, "port out of range");
	ek_json_fail(&json, "something else");
	assert_int_equal(ek_json_finish(&json, &err), EK_INVALID);
	assert_string_equal(err.message, "not the JSON that was expected: port out of range (at byte 6 of 9)");
}

static void a_document_must_be_read_to_its_end(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "it is empty" },
		{ "{}", "it was not read" },
	};
	struct ek_json json;
	struct ek_error err = EK_ERROR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = on(cases[i].text);
		assert_int_equal(ek_json_finish(&json, &err), EK_INVALID);
		assert_non_null(strstr(err.message, cases[i].message));
	}
	json = on("[1]");
	ek_json_enter_array(&json);
	assert_int_equal(ek_json_finish(&json, &err), EK_INVALID);
	assert_non_null(strstr(err.message, "it was not read to its end"));
	json = on("1 2");
	ek_json_skip(&json);
	ek_json_skip(&json);
	assert_int_equal(ek_json_finish(&json, &err), EK_INVALID);
	assert_non_null(strstr(err.message, "there is a second value"));
}

static void a_value_that_is_left_unread_is_a_fault(void **state)
{
	struct ek_json json = on("{\"a\":1,\"b\":2}");
	struct ek_slice key;

	ek_json_enter_object(&json);
	assert_true(ek_json_next_key(&json, &key));
	assert_false(ek_json_next_key(&json, &key));
	assert_true(ek_json_failed(&json));
}

static void what_was_not_entered_as_such_is_a_fault(void **state)
{
	struct ek_slice key;
	struct ek_json json = on("[1]");

	assert_false(ek_json_enter_object(&json));
	assert_string_equal(json.fault, "an object was expected");
	json = on("{}");
	assert_false(ek_json_enter_array(&json));
	assert_string_equal(json.fault, "an array was expected");
	json = on("[1]");
	ek_json_enter_array(&json);
	assert_false(ek_json_next_key(&json, &key));
	assert_string_equal(json.fault, "not within an object");
	json = on("{}");
	assert_false(ek_json_next_item(&json));
	assert_string_equal(json.fault, "not within an object or array");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_rfc_8259_is_accepted_whether_skipped_or_read),
		cmocka_unit_test(the_verdict_is_the_same_deep_inside_and_behind_other_bytes),
		cmocka_unit_test(a_document_cut_short_is_refused),
		cmocka_unit_test(nesting_ends_at_64_levels),
		cmocka_unit_test(skipping_counts_the_levels_that_were_entered),
		cmocka_unit_test(the_values_are_those_of_cjson),
		cmocka_unit_test(texts_are_decoded_and_bounded),
		cmocka_unit_test(a_slice_lies_in_the_document_unless_it_has_escapes),
		cmocka_unit_test(integers_are_whole_and_fit),
		cmocka_unit_test(booleans_may_be_texts),
		cmocka_unit_test(the_kind_is_known_before_the_value_is_read),
		cmocka_unit_test(null_is_entered_as_an_empty_object_or_array),
		cmocka_unit_test(a_key_with_escapes_equals_no_plain_key),
		cmocka_unit_test(a_raw_value_can_be_read_again),
		cmocka_unit_test(after_a_fault_everything_answers_with_nothing),
		cmocka_unit_test(the_first_fault_wins_also_one_of_the_callers),
		cmocka_unit_test(a_document_must_be_read_to_its_end),
		cmocka_unit_test(a_value_that_is_left_unread_is_a_fault),
		cmocka_unit_test(what_was_not_entered_as_such_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
