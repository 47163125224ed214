/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading YAML promises: the tree that was written, each value with its place, and a refusal that names the place.
 * It does not test libyaml's grammar.
 * Next: host/base/yaml.h and host/base/value.h.
 */
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct ek_arena arena;

static int set_up(void **state)
{
	ek_arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	ek_arena_clear(&arena);
	return 0;
}

static const struct ek_value *read_n(const char *text, unsigned max_nodes)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_value *root = NULL;

	if (ek_yaml_read(text, strlen(text), max_nodes, &arena, &root, &err) != EK_OK)
		fail_msg("%s: %s", text, err.message);
	return root;
}

static const struct ek_value *read(const char *text)
{
	return read_n(text, 10000);
}

/* {a: [1, "b"], c: ~} as text, so that trees can be compared. */
static void draw(struct ek_buf *buf, const struct ek_value *value)
{
	const char *separator = "";

	if (value->key)
		ek_buf_addf(buf, "%s: ", value->key);
	if (value->kind == EK_VALUE_NULL) {
		ek_buf_adds(buf, "~");
	} else if (value->kind == EK_VALUE_SCALAR) {
		ek_buf_addf(buf, value->is_quoted ? "\"%s\"" : "%s", value->text);
	} else {
		ek_buf_adds(buf, value->kind == EK_VALUE_MAP ? "{" : "[");
		for (const struct ek_value *member = value->first; member; member = member->next) {
			ek_buf_adds(buf, separator);
			draw(buf, member);
			separator = ", ";
		}
		ek_buf_adds(buf, value->kind == EK_VALUE_MAP ? "}" : "]");
	}
}

static void expect_tree(const char *text, const char *expected)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 1 << 16);
	draw(&buf, read(text));
	if (strcmp(buf.at, expected) != 0)
		fail_msg("%s\ngave     %s\nexpected %s", text, buf.at, expected);
	ek_buf_clear(&buf);
}

static void expect_refusal(const char *text, int code, const char *message)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_value *root = NULL;

	if (ek_yaml_read(text, strlen(text), 100, &arena, &root, &err) != code || strcmp(err.message, message) != 0)
		fail_msg("%s\ngave     %d %s\nexpected %d %s", text, err.code, err.message, code, message);
	assert_null(root);
}

static void a_document_becomes_the_tree_that_was_written(void **state)
{
	static const char *const cases[][2] = {
		{ "", "~" },
		{ "---\n", "~" },
		{ "# nothing\n", "~" },
		{ "a: 1\nb:\n- x\n- y: z\n", "{a: 1, b: [x, {y: z}]}" },
		{ "a: ~\nb: null\nc:\nd: ''\ne: \"null\"\n", "{a: ~, b: ~, c: ~, d: \"\", e: \"null\"}" },
		{ "a: '1'\nb: \"true\"\nc: !!str 5\n", "{a: \"1\", b: \"true\", c: \"5\"}" },
		{ "a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a: \"x\ny\n\", b: \"x y\"}" },
		{ "a: {b: [1, 2], c: {}}\nd: []\n", "{a: {b: [1, 2], c: {}}, d: []}" },
		{ "{\"a\":[1,-2.5e3,true,null,\"x\\n\\u003c\\/\\\"\"],\"b\":{\"c\":\"\"}}",
			"{a: [1, -2.5e3, true, ~, \"x\n</\"\"], b: {c: \"\"}}" },
		{ "{\n\t\"a\": {\n\t\t\"b\": \"\xc3\xa9\"\n\t}\n}\n", "{a: {b: \"\xc3\xa9\"}}" },
		{ "a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n", "{a: {b: [1]}, c: {b: [1]}, d: [{b: [1]}, {b: [1]}]}" },
		{ "a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_tree(cases[i][0], cases[i][1]);
}

static void every_value_knows_its_place(void **state)
{
	const struct ek_value *root = read("# c\na: 1\nb:\n  - x\n  -   {c: d}\ne: &f g\nh:\n  i: *f\n"), *list, *map;

	assert_int_equal(root->line, 2);
	assert_int_equal(root->column, 1);
	assert_int_equal(root->n, 4);
	assert_int_equal(ek_value_get(root, "a")->line, 2);
	list = ek_value_get(root, "b");
	assert_int_equal(list->line, 3);
	assert_int_equal(list->n, 2);
	assert_int_equal(list->first->line, 4);
	assert_int_equal(list->first->column, 5);
	map = list->first->next;
	assert_int_equal(map->line, 5);
	assert_int_equal(map->column, 7);
	assert_int_equal(ek_value_get(map, "c")->column, 8);
	assert_int_equal(ek_value_get(ek_value_get(root, "h"), "i")->line, 8);
}

static void what_a_configuration_has_no_use_for_is_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", EK_INVALID, "line 3, column 1: a is there already, in line 1" },
		{ "x:\n  {\"a\":1, b: 2, 'a': 3}\n", EK_INVALID, "line 2, column 17: a is there already, in line 2" },
		{ "a: 1\n---\nb: 2\n", EK_INVALID, "line 2, column 1: a second document begins; only one is read" },
		{ "? [a]\n: 1\n", EK_INVALID, "line 1, column 3: a key must be a plain text" },
		{ "a: &x 1\n? *x\n: 1\n", EK_INVALID, "line 2, column 3: a key must be a plain text" },
		{ "a: &x {b: 1}\nc:\n  <<: *x\n", EK_INVALID, "line 3, column 3: merge keys are not understood; write the keys out" },
		{ "a: *x\n", EK_INVALID, "line 1, column 4: an alias of nothing that is complete" },
		{ "a: &x [*x]\n", EK_INVALID, "line 1, column 8: an alias of nothing that is complete" },
		{ "a: !!binary eA==\n", EK_INVALID, "line 1, column 4: a tag that has no meaning here" },
		{ "a: !secret [1]\n", EK_INVALID, "line 1, column 4: a tag that has no meaning here" },
		{ "a: \"x\\0y\"\n", EK_INVALID, "line 1, column 4: a text holds U+0000" },
		{ "a: [1\nb: 2\n", EK_INVALID, "line 2, column 2: did not find expected ',' or ']'" },
		{ "a:\n\tb: 1\n", EK_INVALID, "line 2, column 1: found character that cannot start any token" },
		{ "a: 1\nb: \xff\n", EK_INVALID, "line 2, column 4: invalid leading UTF-8 octet" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(cases[i].text, cases[i].code, cases[i].message);
}

static void nesting_ends_at_64_levels(void **state)
{
	const char *message = "line 1, column 65: nested too deeply";
	char text[200];

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	text[128] = '\0';
	text[63] = '1'; /* the 64th level */
	text[64] = ' ';
	read(text);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	text[130] = '\0';
	expect_refusal(text, EK_INVALID, message);
}

static void aliases_do_not_nest_beyond_64_levels_either(void **state)
{
	char text[400];

	snprintf(text, sizeof(text), "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
				     "b: &b [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
				     "c: [[*b]]\n");
	read(text);
	memcpy(strstr(text, "c: [[*b]]"), "c: [[[*b]]]", 11);
	expect_refusal(text, EK_INVALID, "line 3, column 7: nested too deeply");
}

static void aliases_of_aliases_end_at_the_limit(void **state)
{
	expect_refusal("a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n", EK_TOO_BIG,
		"line 2, column 32: the document has too many values");
}

static void the_limit_counts_values(void **state)
{
	read_n("[1, 2, 3]", 4);
	expect_tree("[1, 2, 3]", "[1, 2, 3]");
	assert_int_equal(ek_yaml_read("[1, 2, 3]", 9, 3, &arena, &(const struct ek_value *){ NULL }, NULL), EK_TOO_BIG);
}

static void integers_are_read_with_their_bounds(void **state)
{
	static const struct {
		const char *text;
		int64_t expected;
		const char *message;
	} cases[] = {
		{ "k: 7", 7, NULL },
		{ "k: -3", -3, NULL },
		{ "k: 0", 0, NULL },
		{ "k:", 42, NULL },
		{ "x: 1", 42, NULL },
		{ "k: 100", 100, NULL },
		{ "k: 101", 0, "line 1, column 1: k: 101 is not between -100 and 100" },
		{ "k: 99999999999999999999", 0, "line 1, column 1: k: an integer was expected" },
		{ "k: '7'", 0, "line 1, column 1: k: an integer was expected" },
		{ "k: 7x", 0, "line 1, column 1: k: an integer was expected" },
		{ "k: 0x7", 0, "line 1, column 1: k: an integer was expected" },
		{ "k: 007", 0, "line 1, column 1: k: an integer was expected" },
		{ "k: 7.0", 0, "line 1, column 1: k: an integer was expected" },
		{ "k: [7]", 0, "line 1, column 1: k: an integer was expected" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		int64_t number = 0;
		int code = ek_value_integer(ek_value_get(read(cases[i].text), "k"), -100, 100, 42, &number, &err);

		assert_int_equal(code, cases[i].message ? EK_INVALID : EK_OK);
		assert_int_equal(number, cases[i].expected);
		if (cases[i].message)
			assert_string_equal(err.message, cases[i].message);
	}
}

static void booleans_are_true_or_false(void **state)
{
	static const struct {
		const char *text;
		int code;
		bool expected;
	} cases[] = {
		{ "k: true", EK_OK, true }, { "k: false", EK_OK, false }, { "k: ~", EK_OK, true }, { "{}", EK_OK, true },
		{ "k: 'true'", EK_INVALID, false }, { "k: yes", EK_INVALID, false }, { "k: {}", EK_INVALID, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool value = false;

		assert_int_equal(ek_value_boolean(ek_value_get(read(cases[i].text), "k"), true, &value, NULL), cases[i].code);
		assert_int_equal(value, cases[i].expected);
	}
}

static void looking_into_nothing_finds_nothing(void **state)
{
	const struct ek_value *root = read("a: [1]\nb: ~\n");

	assert_null(ek_value_get(NULL, "a"));
	assert_null(ek_value_get(root, "c"));
	assert_null(ek_value_get(ek_value_get(root, "a"), "a"));
	assert_string_equal(ek_value_text(ek_value_get(root, "b"), "none"), "none");
	assert_string_equal(ek_value_text(ek_value_get(root, "a"), "none"), "none");
	assert_string_equal(ek_value_text(ek_value_get(root, "a")->first, "none"), "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_document_becomes_the_tree_that_was_written),
		TEST(every_value_knows_its_place),
		TEST(what_a_configuration_has_no_use_for_is_refused),
		TEST(nesting_ends_at_64_levels),
		TEST(aliases_do_not_nest_beyond_64_levels_either),
		TEST(aliases_of_aliases_end_at_the_limit),
		TEST(the_limit_counts_values),
		TEST(integers_are_read_with_their_bounds),
		TEST(booleans_are_true_or_false),
		TEST(looking_into_nothing_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
