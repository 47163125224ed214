/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the watch framing promises: one event per line however the bytes come, and no event that is not whole.
 * It does not test what the objects hold.
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
	struct ek_buf text; /* one line per event */
	unsigned n;
	int answer;         /* what on_event returns */
};

static int note(void *arg, const struct ek_watch_event *event, struct ek_error *err)
{
	static const char *const names[] = { "added", "modified", "deleted", "bookmark", "error" };
	struct seen *seen = arg;

	seen->n++;
	ek_buf_addf(&seen->text, "%s rv=%s", names[event->type], event->resource_version);
	if (event->is_initial_end)
		ek_buf_adds(&seen->text, " initial-end");
	if (event->type == EK_WATCH_ERROR)
		ek_buf_addf(&seen->text, " code=%d reason=%s message=%s", event->status_code, event->status_reason, event->status_message);
	else
		ek_buf_addf(&seen->text, " %.*s", (int)event->object.n, event->object.at);
	ek_buf_adds(&seen->text, "\n");
	return seen->answer == EK_OK ? EK_OK : ek_fail(err, seen->answer, "enough");
}

/* Feeds the text in two pieces, cut at `cut`; returns the first failure. */
static int feed(struct seen *seen, const char *text, size_t n, size_t cut, struct ek_error *err)
{
	struct ek_watch_splitter s;
	int code;

	ek_watch_splitter_init(&s, note, seen);
	code = ek_watch_splitter_feed(&s, text, cut, err);
	if (code == EK_OK)
		code = ek_watch_splitter_feed(&s, text + cut, n - cut, err);
	ek_watch_splitter_clear(&s);
	return code;
}

static void begin(struct seen *seen)
{
	*seen = (struct seen){ .answer = EK_OK };
	ek_buf_init(&seen->text, 1 << 20);
}

#define POD(rv) "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a}\\\"\\n{\",\"resourceVersion\":\"" rv "\"},\"spec\":[1,{}]}"

static const char stream[] =
	"{\"type\":\"ADDED\",\"object\":" POD("7") "}\n"
	"\n \r\n"
	"{\"object\":" POD("18446744073709551616") ",\"type\":\"MODIFIED\"}\r\n"
	"{\"type\":\"DELETED\",\"object\":" POD("9") "}\n"
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"annotations\":{\"k8s.io/initial-events-end\":\"true\"},"
	"\"resourceVersion\":\"10\"}}}\n"
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"11\",\"annotations\":null}}}\n"
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"metadata\":{},\"message\":\"too old\",\"reason\":\"Expired\",\"code\":410}}\n"
	"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"12\"";

static const char expected[] =
	"added rv=7 " POD("7") "\n"
	"modified rv=18446744073709551616 " POD("18446744073709551616") "\n"
	"deleted rv=9 " POD("9") "\n"
	"bookmark rv=10 initial-end {\"kind\":\"Pod\",\"metadata\":{\"annotations\":{\"k8s.io/initial-events-end\":\"true\"},"
	"\"resourceVersion\":\"10\"}}\n"
	"bookmark rv=11 {\"metadata\":{\"resourceVersion\":\"11\",\"annotations\":null}}\n"
	"error rv= code=410 reason=Expired message=too old\n";

static void a_stream_gives_its_events_wherever_it_is_cut(void **state)
{
	for (size_t cut = 0; cut < sizeof(stream); cut++) {
		struct ek_error err = EK_ERROR_INIT;
		struct seen seen;

		begin(&seen);
		assert_int_equal(feed(&seen, stream, sizeof(stream) - 1, cut, &err), EK_OK);
		assert_string_equal(seen.text.at, expected);
		ek_buf_clear(&seen.text);
	}
}

static void a_stream_gives_its_events_byte_by_byte(void **state)
{
	struct ek_watch_splitter s;
	struct seen seen;

	begin(&seen);
	ek_watch_splitter_init(&s, note, &seen);
	for (size_t i = 0; i < sizeof(stream) - 1; i++)
		assert_int_equal(ek_watch_splitter_feed(&s, stream + i, 1, NULL), EK_OK);
	assert_string_equal(seen.text.at, expected);
	ek_watch_splitter_clear(&s);
	ek_buf_clear(&seen.text);
}

static void a_line_that_is_no_event_is_refused(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}", "a comma or } was expected" },
		{ "<html>502 Bad Gateway</html>", "an object was expected" },
		{ "{\"type\":\"ADDED\"}", "an event without an object" },
		{ "{\"type\":\"ADDED\",\"object\":null}", "an event without an object" },
		{ "{\"type\":\"ADDED\",\"object\":\"x\"}", "an event without an object" },
		{ "{\"type\":\"TURNED\",\"object\":{}}", "an event of no known type" },
		{ "{\"object\":{}}", "an event of no known type" },
		{ "null", "an event of no known type" },
		{ "{\"type\":\"ADDED\",\"object\":{}}{}", "there is more behind the value" },
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":7}}", "its object: an object was expected" },
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"0123456789012345678901234567890123456789012345678901234567890123\"}}}",
			"its object: a text is too long" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		struct seen seen;
		char text[512];

		begin(&seen);
		snprintf(text, sizeof(text), "%s\n", cases[i].line);
		assert_int_equal(feed(&seen, text, strlen(text), 3, &err), EK_INVALID);
		if (!strstr(err.message, cases[i].message))
			fail_msg("%s gave \"%s\", not \"%s\"", cases[i].line, err.message, cases[i].message);
		assert_int_equal(seen.n, 0);
		ek_buf_clear(&seen.text);
	}
}

static void what_the_receiver_answers_ends_the_feeding(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	struct seen seen;

	begin(&seen);
	seen.answer = EK_CANCELLED;
	assert_int_equal(feed(&seen, stream, sizeof(stream) - 1, 100, &err), EK_CANCELLED);
	assert_string_equal(err.message, "enough");
	assert_int_equal(seen.n, 1);
	ek_buf_clear(&seen.text);
}

static void an_event_of_more_than_16_MiB_is_refused_before_it_ends(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	size_t n = 1 << 20;
	struct ek_watch_splitter s;
	char *piece = ek_xmalloc(n);
	struct seen seen;
	int code = EK_OK;
	unsigned i;

	begin(&seen);
	memset(piece, ' ', n);
	ek_watch_splitter_init(&s, note, &seen);
	for (i = 0; i < 20 && code == EK_OK; i++)
		code = ek_watch_splitter_feed(&s, piece, n, &err);
	assert_int_equal(code, EK_TOO_BIG);
	assert_int_equal(i, 17);
	ek_watch_splitter_clear(&s);
	free(piece);
}

static void a_long_message_of_an_error_is_cut_between_characters(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	char text[2048];
	struct seen seen;
	size_t n;

	begin(&seen);
	n = (size_t)snprintf(text, sizeof(text), "{\"type\":\"ERROR\",\"object\":{\"code\":500,\"reason\":7,\"message\":\"x");
	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\\u00e9");
	n += (size_t)snprintf(text + n, sizeof(text) - n, "\"}}\n");
	assert_int_equal(feed(&seen, text, n, n, &err), EK_OK);
	assert_non_null(strstr(seen.text.at, "code=500 reason=7 message=x\xc3\xa9\xc3\xa9"));
	assert_int_equal(seen.text.n, strlen("error rv= code=500 reason=7 message=\n") + 255);
	ek_buf_clear(&seen.text);
}

static void resource_versions_are_ordered_as_numbers_of_any_length(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
		bool is_known;
	} cases[] = {
		{ "1", "1", 0, true },
		{ "9", "10", -1, true },
		{ "10", "9", 1, true },
		{ "99999999999999999999999", "100000000000000000000000", -1, true },
		{ "123", "124", -1, true },
		{ "0", "1", -1, false },
		{ "", "1", -1, false },
		{ "", "", 0, false },
		{ "01", "1", -1, false },
		{ "abc", "abc", 0, false },
		{ "12a", "13", -1, false },
		{ "5", "-5", 1, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_known;
		int order = ek_rv_compare(cases[i].a, cases[i].b, &is_known);

		assert_int_equal(is_known, cases[i].is_known);
		assert_int_equal((order > 0) - (order < 0), cases[i].order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_gives_its_events_wherever_it_is_cut),
		cmocka_unit_test(a_stream_gives_its_events_byte_by_byte),
		cmocka_unit_test(a_line_that_is_no_event_is_refused),
		cmocka_unit_test(what_the_receiver_answers_ends_the_feeding),
		cmocka_unit_test(an_event_of_more_than_16_MiB_is_refused_before_it_ends),
		cmocka_unit_test(a_long_message_of_an_error_is_cut_between_characters),
		cmocka_unit_test(resource_versions_are_ordered_as_numbers_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
