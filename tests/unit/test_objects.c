/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view of one resource: what lists and events make of it, which namespaces are told, what is not believed.
 * It does not test how records are read. Next: host/kube/objects.h.
 */
#include "kube/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ek_objects *objects;
static struct ek_objects_feed *feed;
static char told[512];

static void on_change(void *arg, const char *namespace_)
{
	(void)arg;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s", told[0] ? " " : "", namespace_ ? namespace_ : "*");
}

/* Since the last question. */
#define assert_told(expected)                          \
	do {                                           \
		assert_string_equal(told, (expected)); \
		told[0] = '\0';                        \
	} while (0)

static void make(bool is_namespaced, size_t max_bytes)
{
	objects = ek_objects_new(&(struct ek_objects_config){ .reader = &ek_pod_reader, .is_namespaced = is_namespaced, .max_bytes = max_bytes,
		.on_change = on_change });
	told[0] = '\0';
}

static int set_up(void **state)
{
	(void)state;
	make(true, 0);
	feed = ek_objects_feed(objects, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ek_objects_free(objects);
	return 0;
}

/* "shop/web=3" is a pod with the label version=3; without "shop/" it has no namespace. */
static struct ek_slice a_pod(const char *text)
{
	static char json[512];
	char ns[64] = "", name[64], version[64] = "";

	if (sscanf(text, "%63[^/]/%63[^=]=%63s", ns, name, version) < 2) {
		ns[0] = '\0';
		snprintf(name, sizeof(name), "%s", text);
	}
	snprintf(json, sizeof(json), "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"labels\":{\"version\":\"%s\"}}}", name, ns, version);
	return (struct ek_slice){ json, strlen(json) };
}

static void begin_list(const char *const *pods)
{
	ek_objects_sink.begin(feed);
	for (; *pods; pods++)
		assert_int_equal(ek_objects_sink.add(feed, a_pod(*pods), NULL), EK_OK);
}

#define LIST(...)                                                        \
	do {                                                             \
		begin_list((const char *const[]){ __VA_ARGS__, NULL });  \
		ek_objects_sink.commit(feed);                            \
	} while (0)
#define EMPTY_LIST()                            \
	do {                                    \
		ek_objects_sink.begin(feed);    \
		ek_objects_sink.commit(feed);   \
	} while (0)

static void change(enum ek_watch_type type, const char *pod)
{
	assert_int_equal(ek_objects_sink.change(feed, type, a_pod(pod), NULL), EK_OK);
}

/* "web=3 api=1", in their order. */
static const char *view(const char *namespace_)
{
	static char text[512];
	size_t n;
	struct ek_record *const *records = ek_objects_in(objects, namespace_, &n);

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct ek_record_pod *pod = (const struct ek_record_pod *)records[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%s", i ? " " : "", pod->base.name, pod->labels[0].value);
	}
	return text;
}

/* ---- Lists ---- */

static void nothing_is_in_view_before_a_list_was_whole(void **state)
{
	(void)state;
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_UNLISTED);
	begin_list((const char *const[]){ "shop/web=1", NULL });
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_UNLISTED);
	assert_string_equal(view("shop"), "");
	assert_told("");
	ek_objects_sink.commit(feed);
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
	assert_string_equal(view("shop"), "web=1");
	assert_told("*");
}

static void objects_stand_in_order_of_namespace_and_name(void **state)
{
	(void)state;
	LIST("shop/web=1", "mall/z=1", "shop/api=2", "shop-2/a=1", "shop/b=3");
	assert_string_equal(view("shop"), "api=2 b=3 web=1");
	assert_string_equal(view("mall"), "z=1");
	assert_string_equal(view("none"), "");
	assert_non_null(ek_objects_find(objects, "shop-2", "a"));
	assert_null(ek_objects_find(objects, "shop", "a"));
}

static void a_list_that_is_thrown_away_changes_nothing(void **state)
{
	(void)state;
	LIST("shop/web=1");
	assert_told("*");
	begin_list((const char *const[]){ "shop/web=2", "shop/api=1", NULL });
	ek_objects_sink.abort(feed);
	assert_string_equal(view("shop"), "web=1");
	LIST("shop/web=1");
	assert_told("");
}

static void only_the_namespaces_that_differ_are_told_once(void **state)
{
	(void)state;
	LIST("a/x=1", "b/x=1", "b/y=1", "c/x=1", "d/x=1");
	assert_told("*");
	LIST("a/x=1", "b/x=2", "b/y=2", "c/x=1", "e/x=1");
	assert_told("b d e");
	assert_string_equal(view("b"), "x=2 y=2");
	assert_string_equal(view("d"), "");
}

static void an_object_that_comes_twice_in_a_list_is_what_it_was_last(void **state)
{
	(void)state;
	LIST("shop/web=1", "shop/api=1");
	LIST("shop/web=2", "shop/api=1", "shop/web=1");
	assert_string_equal(view("shop"), "api=1 web=1");
	LIST("shop/web=1", "shop/api=1", "shop/web=2");
	assert_string_equal(view("shop"), "api=1 web=2");
}

/* ---- Events ---- */

static void an_event_tells_its_namespace_only_if_the_record_differs(void **state)
{
	(void)state;
	LIST("shop/web=1");
	assert_told("*");
	change(EK_WATCH_MODIFIED, "shop/web=1");
	assert_told("");
	change(EK_WATCH_MODIFIED, "shop/web=2");
	assert_told("shop");
	change(EK_WATCH_ADDED, "mall/api=1");
	assert_told("mall");
	change(EK_WATCH_DELETED, "mall/api=1");
	assert_told("mall");
	change(EK_WATCH_DELETED, "mall/api=1");
	assert_told("");
	assert_string_equal(view("shop"), "web=2");
}

/* ---- Doubt ---- */

static void an_empty_list_where_there_were_objects_is_doubted(void **state)
{
	(void)state;
	LIST("shop/web=1");
	assert_told("*");
	EMPTY_LIST();
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_DOUBTED);
	assert_told("*");
	EMPTY_LIST();
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_DOUBTED);
	assert_told("");
	LIST("shop/web=1");
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
	assert_told("*");
}

static void an_event_does_not_end_the_doubt(void **state)
{
	static const enum ek_watch_type types[] = { EK_WATCH_ADDED, EK_WATCH_DELETED };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		LIST("shop/web=1");
		EMPTY_LIST();
		assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_DOUBTED);
		change(types[i], "mall/other=1"); /* it shows one of them, and says nothing of the others */
		assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_DOUBTED);
		LIST("mall/other=1");
		assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
	}
}

static void a_first_list_that_is_empty_is_confirmed_by_the_next_one_alone(void **state)
{
	(void)state;
	EMPTY_LIST();
	assert_told("*");
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_UNCONFIRMED);
	EMPTY_LIST();
	assert_told("*");
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
	EMPTY_LIST();
	assert_told("");
	ek_objects_free(objects);
	make(true, 0);
	feed = ek_objects_feed(objects, NULL);
	EMPTY_LIST();
	change(EK_WATCH_ADDED, "mall/other=1");
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_UNCONFIRMED);
	LIST("mall/other=1");
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
}

static void a_resource_whose_last_object_was_deleted_in_an_event_is_believed(void **state)
{
	(void)state;
	LIST("shop/web=1");
	change(EK_WATCH_DELETED, "shop/web=1");
	EMPTY_LIST();
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
}

/* ---- Namespaces ---- */

static void each_namespace_has_its_own_list_where_they_are_watched_one_by_one(void **state)
{
	struct ek_objects_feed *shop, *mall;

	(void)state;
	ek_objects_free(objects);
	make(true, 0);
	shop = ek_objects_feed(objects, "shop");
	mall = ek_objects_feed(objects, "mall");
	feed = shop;
	LIST("shop/web=1");
	assert_told("shop");
	assert_int_equal(ek_objects_state(objects, "mall"), EK_OBJECTS_UNLISTED);
	feed = mall;
	LIST("mall/api=1");
	assert_told("mall");
	EMPTY_LIST();
	assert_told("mall");
	assert_int_equal(ek_objects_state(objects, "mall"), EK_OBJECTS_DOUBTED);
	assert_int_equal(ek_objects_state(objects, "shop"), EK_OBJECTS_WHOLE);
	assert_string_equal(view("shop"), "web=1");
	assert_int_equal(ek_objects_state(objects, "other"), EK_OBJECTS_UNLISTED);
}

static void objects_of_the_wrong_scope_are_left_out(void **state)
{
	(void)state;
	LIST("shop/web=1", "lost");
	assert_string_equal(view(NULL), "");
	ek_objects_free(objects);
	make(false, 0);
	feed = ek_objects_feed(objects, NULL);
	LIST("shop/web=1", "n2", "n1");
	assert_string_equal(view(NULL), "n1= n2=");
	assert_told("*");
	change(EK_WATCH_ADDED, "mall/api=1");
	assert_told("");
	change(EK_WATCH_ADDED, "n3");
	assert_told("*");
}

/* ---- Bounds ---- */

static void more_than_its_limit_is_refused_and_the_view_stays(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_objects_stats stats;
	char name[32];
	int code = EK_OK;

	(void)state;
	ek_objects_free(objects);
	make(true, 4096);
	feed = ek_objects_feed(objects, NULL);
	LIST("shop/web=1");
	ek_objects_sink.begin(feed);
	for (int i = 0; i < 100 && code == EK_OK; i++) {
		snprintf(name, sizeof(name), "shop/pod-%d=1", i);
		code = ek_objects_sink.add(feed, a_pod(name), &err);
	}
	assert_int_equal(code, EK_TOO_BIG);
	ek_objects_sink.abort(feed);
	assert_string_equal(view("shop"), "web=1");
	ek_objects_stats(objects, &stats);
	assert_int_equal(stats.n, 1);
	assert_true(stats.n_bytes < 300);
}

static void a_list_that_repeats_the_view_needs_no_second_copy(void **state)
{
	struct ek_objects_stats before, during;

	(void)state;
	LIST("shop/a=1", "shop/b=1", "shop/c=1");
	ek_objects_stats(objects, &before);
	begin_list((const char *const[]){ "shop/a=1", "shop/b=1", "shop/c=1", NULL });
	ek_objects_stats(objects, &during);
	assert_int_equal(during.n_bytes, before.n_bytes);
	ek_objects_sink.commit(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_in_view_before_a_list_was_whole),
		TEST(objects_stand_in_order_of_namespace_and_name),
		TEST(a_list_that_is_thrown_away_changes_nothing),
		TEST(only_the_namespaces_that_differ_are_told_once),
		TEST(an_object_that_comes_twice_in_a_list_is_what_it_was_last),
		TEST(an_event_tells_its_namespace_only_if_the_record_differs),
		TEST(an_empty_list_where_there_were_objects_is_doubted),
		TEST(an_event_does_not_end_the_doubt),
		TEST(a_first_list_that_is_empty_is_confirmed_by_the_next_one_alone),
		TEST(a_resource_whose_last_object_was_deleted_in_an_event_is_believed),
		TEST(each_namespace_has_its_own_list_where_they_are_watched_one_by_one),
		TEST(objects_of_the_wrong_scope_are_left_out),
		TEST(more_than_its_limit_is_refused_and_the_view_stays),
		TEST(a_list_that_repeats_the_view_needs_no_second_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
