/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the list framing promises: every item once, whole and in order, however the bytes come and wherever metadata stands; and
 * a list is complete only if all of it was there.
 * Next: host/kube/watch.h.
 */
#include "kube/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

struct seen {
	struct ek_buf text; /* the items, one per line */
	unsigned n_until;   /* refuses the item of this number */
	unsigned n;
};

static int note(void *arg, struct ek_slice item, struct ek_error *err)
{
	struct seen *seen = arg;

	if (++seen->n == seen->n_until)
		return ek_fail(err, EK_INVALID, "enough");
	ek_buf_add(&seen->text, item.at, item.n);
	return ek_buf_adds(&seen->text, "\n");
}

struct outcome {
	int code;
	struct ek_error err;
	struct seen seen;
	struct ek_list_splitter s;
};

/* In pieces of `first` bytes, then of `rest`. */
static void feed(struct outcome *out, const char *text, size_t first, size_t rest)
{
	size_t n = strlen(text), at = 0, piece = first < n ? first : n;

	ek_buf_init(&out->seen.text, 1 << 20);
	ek_list_splitter_init(&out->s, note, &out->seen);
	out->code = ek_list_splitter_feed(&out->s, text, piece, &out->err);
	for (at = piece; at < n && out->code == EK_OK; at += piece) {
		piece = rest < n - at ? rest : n - at;
		out->code = ek_list_splitter_feed(&out->s, text + at, piece, &out->err);
	}
}

static void end(struct outcome *out)
{
	ek_list_splitter_clear(&out->s);
	ek_buf_clear(&out->seen.text);
}

static const char items[] = "{\"a\":\"}]\\\\\\\"{[\",\"b\":[[1],{\"c\":{}}]}\n{}\n{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{}]}\n";

#define ITEMS "[{\"a\":\"}]\\\\\\\"{[\",\"b\":[[1],{\"c\":{}}]}, {} ,{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{}]}]"

static const char *const orders[] = {
	"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"42\",\"continue\":\"abc=\"},\"items\":" ITEMS "}\n",
	"{\"items\":" ITEMS ",\"metadata\":{\"continue\":\"abc=\",\"resourceVersion\":\"42\",\"remainingItemCount\":7}}",
	" { \"x\" : -1.5e+3 , \"items\" : " ITEMS " , \"metadata\" : { \"resourceVersion\" : \"42\" , \"continue\" : \"abc=\" } , \"y\" : true } ",
	"{\"q\\\"items\":\"\\\\\",\"z\":[\"]\",{}],\"o\":{\"items\":[1]},\"items\":" ITEMS
	",\"e\":\"\",\"metadata\":{\"resourceVersion\":\"42\",\"continue\":\"abc=\"},\"n\":null}",
};

static void check(struct outcome *out)
{
	assert_int_equal(out->code, EK_OK);
	assert_true(out->s.is_complete);
	assert_int_equal(out->s.n_items, 3);
	assert_string_equal(out->seen.text.at, items);
	assert_string_equal(out->s.resource_version, "42");
	assert_string_equal(out->s.continue_token.at, "abc=");
}

static void a_list_gives_its_items_wherever_it_is_cut(void **state)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		for (size_t cut = 0; cut <= strlen(orders[i]); cut++) {
			struct outcome out = { 0 };

			feed(&out, orders[i], cut, SIZE_MAX);
			check(&out);
			end(&out);
		}
}

static void a_list_gives_its_items_in_pieces_of_any_size(void **state)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		for (size_t size = 1; size < 20; size++) {
			struct outcome out = { 0 };

			feed(&out, orders[i], size, size);
			check(&out);
			end(&out);
		}
}

static void a_list_without_items_is_complete(void **state)
{
	static const char *const empty[] = {
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}",
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":null}",
		"{\"items\":null,\"metadata\":{\"continue\":null,\"resourceVersion\":\"1\"}}",
	};

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct outcome out = { 0 };

		feed(&out, empty[i], 1, 1);
		assert_int_equal(out.code, EK_OK);
		assert_true(out.s.is_complete);
		assert_int_equal(out.s.n_items, 0);
		assert_string_equal(out.s.continue_token.at, "");
		end(&out);
	}
}

static void a_list_cut_short_is_never_complete(void **state)
{
	const char *text = orders[1];
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		struct outcome out = { 0 };
		char *cut = ek_xstrndup(text, i);

		feed(&out, cut, 7, 7);
		assert_int_equal(out.code, EK_OK);
		assert_false(out.s.is_complete);
		end(&out);
		free(cut);
	}
}

static void what_is_no_list_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "<html>", "it is no object" },
		{ "[]", "it is no object" },
		{ "{}", "it has no items" },
		{ "{\"kind\":\"Status\",\"metadata\":{\"resourceVersion\":\"1\"},\"code\":500}", "it has no items" },
		{ "{\"metadata\":{},\"items\":[]}", "it has no resourceVersion" },
		{ "{\"metadata\":null,\"items\":[]}", "it has no resourceVersion" },
		{ "{\"items\":{}}", "its items are no array" },
		{ "{\"items\":\"\"}", "its items are no array" },
		{ "{\"items\":7}", "its items are no array" },
		{ "{\"items\":nil}", "a list's items: " },
		{ "{\"x\":tru,", "a list's x: " },
		{ "{\"x\":,", "a list's x: " },
		{ "{\"items\":[7]", "an item is no object" },
		{ "{\"items\":[{} {}]", "an item is no object" },
		{ "{\"items\":[{},]", "an item is no object" },
		{ "{\"items\":[,{}]", "an item is no object" },
		{ "{\"x\":1 \"y\":2}", "a key was expected" },
		{ "{\"x\":1,,\"y\":2}", "a key was expected" },
		{ "{\"x\":1,}", "a key was expected" },
		{ "{,\"x\":1}", "a key was expected" },
		{ "{x:1}", "a key was expected" },
		{ "{\"x\" 1}", "a colon was expected" },
		{ "{\"metadata\":{\"resourceVersion\":[]}", "metadata of a list: " },
		{ "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}x", "there is more behind its end" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t size = 1; size < 40; size += 38) {
			struct outcome out = { 0 };

			feed(&out, cases[i].text, size, size);
			if (out.code != EK_INVALID || !strstr(out.err.message, cases[i].message))
				fail_msg("%s gave %d \"%s\", not \"%s\"", cases[i].text, out.code, out.err.message, cases[i].message);
			end(&out);
		}
}

static void an_item_that_is_refused_ends_the_feeding(void **state)
{
	struct outcome out = { .seen = { .n_until = 2 } };

	feed(&out, orders[0], 1000, 1000);
	assert_int_equal(out.code, EK_INVALID);
	assert_string_equal(out.err.message, "enough");
	assert_int_equal(out.seen.n, 2);
	end(&out);
}

static void an_item_of_more_than_16_MiB_is_refused_before_it_ends(void **state)
{
	size_t n = 1 << 20;
	char *piece = ek_xcalloc(n + 1, 1);
	struct outcome out = { 0 };
	unsigned i;

	memset(piece, 'x', n);
	feed(&out, "{\"items\":[{\"a\":\"", 100, 100);
	for (i = 0; i < 20 && out.code == EK_OK; i++)
		out.code = ek_list_splitter_feed(&out.s, piece, n, &out.err);
	assert_int_equal(out.code, EK_TOO_BIG);
	assert_int_equal(i, 16);
	assert_int_equal(out.seen.n, 0);
	end(&out);
	free(piece);
}

static void what_nobody_wants_may_have_any_size(void **state)
{
	size_t n = 1 << 20;
	char *piece = ek_xcalloc(n + 1, 1);
	struct outcome out = { 0 };
	const char *rest = "]]\"},\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{}]}";

	memset(piece, 'x', n);
	feed(&out, "{\"extra\":{\"a\":\"", 100, 100);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(ek_list_splitter_feed(&out.s, piece, n, &out.err), EK_OK);
	assert_true(out.s.pending.room < n);
	assert_int_equal(ek_list_splitter_feed(&out.s, rest, strlen(rest), &out.err), EK_OK);
	assert_true(out.s.is_complete);
	assert_int_equal(out.seen.n, 1);
	end(&out);
	free(piece);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_gives_its_items_wherever_it_is_cut),
		cmocka_unit_test(a_list_gives_its_items_in_pieces_of_any_size),
		cmocka_unit_test(a_list_without_items_is_complete),
		cmocka_unit_test(a_list_cut_short_is_never_complete),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(an_item_that_is_refused_ends_the_feeding),
		cmocka_unit_test(an_item_of_more_than_16_MiB_is_refused_before_it_ends),
		cmocka_unit_test(what_nobody_wants_may_have_any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
