/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options by declaration: which values a plugin receives for a document, and with which words a document is refused.
 * Declarations themselves are judged at the end.
 * Read next: host/plugin/options.h.
 */
#include "plugin/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"

#define RAW(...) &(const struct ek_option){ __VA_ARGS__ }
#define OPTION(text, kind, ...)                                                                                        \
	RAW(.size = sizeof(struct ek_option), .type = EK_OPTION_##kind, .name = text, .help = "Help of " text ".", __VA_ARGS__)

static const struct ek_option *const declared[] = {
	OPTION("urls", LIST, .flags = EK_OPTION_REQUIRED, .minimum = 1, .maximum = 3),
	OPTION("zone", STRING, .default_value = "a-1"),
	OPTION("weight", INTEGER, .default_value = "7", .minimum = -1, .maximum = 100),
	OPTION("fast", BOOLEAN, .default_value = "true"),
	OPTION("renew", DURATION, .default_value = "1500ms", .minimum = 1000, .maximum = 120000),
	OPTION("tags", LIST, .default_value = "[x, y]"),
	OPTION("style", ENUM, .choices = "single|batch", .default_value = "single"),
	OPTION("note", STRING, .default_value = NULL),
	OPTION("count", INTEGER, .default_value = NULL),
	NULL
};

/* "urls=[a b] zone=..." with a '*' behind the names of those that were set. */
static void render(const struct ek_option_value *const *values, uint32_t n, char *text, size_t size)
{
	size_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct ek_option_value *value = values[i];

		at += (size_t)snprintf(text + at, size - at, "%s%s%s=", i ? " " : "", value->name, value->is_set ? "*" : "");
		if (value->list) {
			at += (size_t)snprintf(text + at, size - at, "[");
			for (uint32_t k = 0; k < value->n_list; k++)
				at += (size_t)snprintf(text + at, size - at, "%s%s", k ? " " : "", value->list[k]);
			at += (size_t)snprintf(text + at, size - at, "]");
		} else if (value->text) {
			at += (size_t)snprintf(text + at, size - at, "'%s'", value->text);
		} else {
			at += (size_t)snprintf(text + at, size - at, "%lld", (long long)value->integer);
		}
	}
}

/* The text lies under "options:" of a document, as it does in the configuration. */
static int resolve_within(const char *text, const struct ek_option *const *options, char *rendered, size_t size, struct ek_error *err)
{
	const struct ek_option_value *const *values = NULL;
	const struct ek_value *root;
	struct ek_arena arena;
	char document[512];
	uint32_t n = 0;
	int code;

	snprintf(document, sizeof(document), "plugin: x.so\noptions: %s\n", text);
	ek_arena_init(&arena);
	assert_int_equal(ek_yaml_read(document, strlen(document), 1000, &arena, &root, NULL), EK_OK);
	code = ek_options_resolve(options, ek_value_get(root, "options"), "registries.main.options", &arena, &values, &n, err);
	if (code == EK_OK)
		render(values, n, rendered, size);
	ek_arena_clear(&arena);
	return code;
}

struct accepted {
	const char *text, *values;
};

static void test_values_come_in_order_of_declaration_with_defaults_filled_in(void **state)
{
	static const struct accepted cases[] = {
		{ "{urls: [http://a/]}",
			"urls*=[http://a/] zone='a-1' weight=7 fast=1 renew=1500 tags=[x y] style='single' note='' count=0" },
		{ "{style: batch, urls: ['a', b], weight: -1, zone: 'b: 2', fast: false, renew: 2m, tags: [], note: 3, count: 12}",
			"urls*=[a b] zone*='b: 2' weight*=-1 fast*=0 renew*=120000 tags*=[] style*='batch' note*='3' count*=12" },
		{ "{urls: [a], renew: 90s}",
			"urls*=[a] zone='a-1' weight=7 fast=1 renew*=90000 tags=[x y] style='single' note='' count=0" },
		{ "{urls: [a], renew: 90}",
			"urls*=[a] zone='a-1' weight=7 fast=1 renew*=90000 tags=[x y] style='single' note='' count=0" },
		{ "{urls: [a], renew: '2500ms'}",
			"urls*=[a] zone='a-1' weight=7 fast=1 renew*=2500 tags=[x y] style='single' note='' count=0" },
		{ "{urls: [a], zone: null, renew: ~}",
			"urls*=[a] zone='a-1' weight=7 fast=1 renew=1500 tags=[x y] style='single' note='' count=0" },
		{ "{urls: [a], zone: ''}",
			"urls*=[a] zone*='' weight=7 fast=1 renew=1500 tags=[x y] style='single' note='' count=0" },
	};
	char rendered[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		int code = resolve_within(cases[i].text, declared, rendered, sizeof(rendered), &err);

		if (code != EK_OK)
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_string_equal(rendered, cases[i].values);
	}
}

struct refused {
	const char *text, *message;
};

static void test_a_refusal_says_where_what_and_what_instead(void **state)
{
	static const struct refused cases[] = {
		{ "{urls: [a], zones: 1}",
			"line 2, column 22: registries.main.options: there is no option \"zones\"; there are: urls, zone, weight, fast, renew, "
			"tags, style, note, count" },
		{ "{}", "line 2, column 1: registries.main.options.urls must be given: Help of urls." },
		{ "{urls: ~}", "line 2, column 11: registries.main.options.urls must be given: Help of urls." },
		{ "[urls]", "line 2, column 1: registries.main.options must be a map of options" },
		{ "{urls: a}", "line 2, column 11: registries.main.options.urls must be a list of strings" },
		{ "{urls: [a, [b]]}", "line 2, column 11: registries.main.options.urls must be a list of strings; its element 2 is none" },
		{ "{urls: []}", "line 2, column 11: registries.main.options.urls has 0 elements, but must have from 1 to 3" },
		{ "{urls: [a, b, c, d]}", "line 2, column 11: registries.main.options.urls has 4 elements, but must have from 1 to 3" },
		{ "{urls: [a], zone: [b]}", "line 2, column 22: registries.main.options.zone must be a string" },
		{ "{urls: [a], weight: heavy}", "line 2, column 22: registries.main.options.weight must be a whole number" },
		{ "{urls: [a], weight: 1.5}", "line 2, column 22: registries.main.options.weight must be a whole number" },
		{ "{urls: [a], weight: '5'}", "line 2, column 22: registries.main.options.weight must be a whole number" },
		{ "{urls: [a], weight: 99999999999999999999}", "line 2, column 22: registries.main.options.weight must be a whole number" },
		{ "{urls: [a], weight: 101}", "line 2, column 22: registries.main.options.weight is 101, but must be from -1 to 100" },
		{ "{urls: [a], weight: -2}", "line 2, column 22: registries.main.options.weight is -2, but must be from -1 to 100" },
		{ "{urls: [a], fast: yes}", "line 2, column 22: registries.main.options.fast must be true or false" },
		{ "{urls: [a], fast: 'true'}", "line 2, column 22: registries.main.options.fast must be true or false" },
		{ "{urls: [a], renew: 5h}",
			"line 2, column 22: registries.main.options.renew must be a duration like 90, 90s, 1500ms or 2m" },
		{ "{urls: [a], renew: -5s}",
			"line 2, column 22: registries.main.options.renew must be a duration like 90, 90s, 1500ms or 2m" },
		{ "{urls: [a], renew: 9223372036854775807s}",
			"line 2, column 22: registries.main.options.renew must be a duration like 90, 90s, 1500ms or 2m" },
		{ "{urls: [a], renew: 999ms}",
			"line 2, column 22: registries.main.options.renew is 999ms, but must be from 1000ms to 120000ms" },
		{ "{urls: [a], style: both}", "line 2, column 22: registries.main.options.style must be one of single|batch" },
		{ "{urls: [a], style: ''}", "line 2, column 22: registries.main.options.style must be one of single|batch" },
		{ "{urls: [a], style: 'single|batch'}", "line 2, column 22: registries.main.options.style must be one of single|batch" },
		{ "{urls: [a], style: singl}", "line 2, column 22: registries.main.options.style must be one of single|batch" },
	};
	char rendered[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;

		if (resolve_within(cases[i].text, declared, rendered, sizeof(rendered), &err) == EK_OK)
			fail_msg("%s was accepted", cases[i].text);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(err.code, EK_INVALID);
	}
}

static void test_a_plugin_without_options_takes_none(void **state)
{
	static const struct ek_option *const none[] = { NULL };
	struct ek_error err = EK_ERROR_INIT;
	char rendered[512] = "";

	assert_int_equal(resolve_within("", NULL, rendered, sizeof(rendered), &err), EK_OK);
	assert_int_equal(resolve_within("{}", none, rendered, sizeof(rendered), &err), EK_OK);
	assert_string_equal(rendered, "");
	assert_int_equal(resolve_within("{a: 1}", NULL, rendered, sizeof(rendered), &err), EK_INVALID);
	assert_string_equal(err.message,
		"line 2, column 11: registries.main.options: there is no option \"a\"; the plugin has none");
}

/* A syncer's options are a document of their own, made by the API server: its lines would tell nobody anything. */
static void test_a_document_of_its_own_is_refused_without_a_position(void **state)
{
	static const char *const text = "{\"urls\": [\"a\"], \"weight\": \"heavy\"}";
	const struct ek_option_value *const *values;
	const struct ek_value *root;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_arena arena;
	uint32_t n;

	ek_arena_init(&arena);
	assert_int_equal(ek_yaml_read(text, strlen(text), 100, &arena, &root, NULL), EK_OK);
	assert_int_equal(ek_options_resolve(declared, root, "spec.modeOptions", &arena, &values, &n, &err), EK_INVALID);
	assert_string_equal(err.message, "spec.modeOptions.weight must be a whole number");
	assert_int_equal(ek_options_resolve(declared, NULL, "spec.modeOptions", &arena, &values, &n, &err), EK_INVALID);
	assert_string_equal(err.message, "spec.modeOptions.urls must be given: Help of urls.");
	ek_arena_clear(&arena);
}

struct declaration {
	const struct ek_option *options[3];
	const char *message;   /* NULL: fine */
};

static void test_declarations_must_make_sense(void **state)
{
	const struct declaration cases[] = {
		{ { OPTION("a", STRING, .default_value = NULL), OPTION("b", STRING, .default_value = NULL) }, NULL },
		{ { OPTION("a", STRING, .default_value = NULL), OPTION("a", LIST, .default_value = NULL) }, "option a is declared twice" },
		{ { OPTION("Name", STRING, .default_value = NULL) }, "the option name \"Name\" is not lowerCamelCase" },
		{ { OPTION("a_b", STRING, .default_value = NULL) }, "the option name \"a_b\" is not lowerCamelCase" },
		{ { RAW(.size = sizeof(struct ek_option), .type = 9, .name = "a", .help = "?") }, "option a is of the unknown type 9" },
		{ { RAW(.size = sizeof(struct ek_option), .type = EK_OPTION_STRING, .name = "a", .help = "") }, "option a has no help" },
		{ { RAW(.size = 8, .type = EK_OPTION_STRING, .name = "a", .help = "?") }, "an option's declaration is 8 bytes, but has 64 in this ABI; set .size" },
		{ { OPTION("a", ENUM, .choices = NULL) }, "option a is an ENUM without choices" },
		{ { OPTION("a", INTEGER, .minimum = 3, .maximum = 2) }, "option a has a minimum above its maximum" },
		{ { OPTION("a", STRING, .flags = EK_OPTION_REQUIRED, .default_value = "x") },
			"option a is required and has a default; it can be one of them" },
		{ { OPTION("a", INTEGER, .default_value = "x") }, "the default of option a must be a whole number" },
		{ { OPTION("a", ENUM, .choices = "x|y", .default_value = "z") }, "the default of option a must be one of x|y" },
		{ { OPTION("a", LIST, .default_value = "[x") }, "the default of option a is not YAML: [x" },
		{ { OPTION("a", BOOLEAN, .default_value = "false") }, NULL },
	};

	assert_int_equal(ek_options_check(NULL, NULL), EK_OK);
	assert_int_equal(ek_options_check(declared, NULL), EK_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		int code = ek_options_check(cases[i].options, &err);

		assert_int_equal(code == EK_OK, cases[i].message == NULL);
		assert_string_equal(err.message, cases[i].message ? cases[i].message : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_come_in_order_of_declaration_with_defaults_filled_in),
		cmocka_unit_test(test_a_refusal_says_where_what_and_what_instead),
		cmocka_unit_test(test_a_plugin_without_options_takes_none),
		cmocka_unit_test(test_a_document_of_its_own_is_refused_without_a_position),
		cmocka_unit_test(test_declarations_must_make_sense),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
