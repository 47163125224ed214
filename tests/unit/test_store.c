/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store promises: a list is taken whole or not at all, every change is told once with how it was learnt, and a view is the
 * union of a Service's slices.
 * It does not test how JSON becomes records. Next: host/kube/store.h.
 */
#include "kube/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* ---- The world: a store, what it told, and objects as JSON ---- */

static struct ek_store *store;
static struct ek_buf told;
static struct ek_arena arena;

static void hear_service(void *arg, const struct ek_store_change *change)
{
	ek_buf_addf(&told, "%s/%s by %s", change->namespace_, change->service, change->evidence == EK_EVIDENCE_EVENT ? "event" : "list");
	if (change->trigger_wall_ms)
		ek_buf_addf(&told, " at %lld", (long long)change->trigger_wall_ms);
	ek_buf_adds(&told, "\n");
}

static void hear_commit(void *arg, enum ek_store_kind kind, const char *namespace_, size_t before, size_t after)
{
	ek_buf_addf(&told, "%s%s%s %zu -> %zu\n", kind == EK_STORE_SERVICES ? "services" : "slices", namespace_ ? " of " : "", namespace_ ? namespace_ : "",
	            before, after);
}

static int set_up(void **state)
{
	static const struct ek_store_listener listener = { .on_service = hear_service, .on_commit = hear_commit };

	store = ek_store_new(&listener);
	ek_buf_init(&told, 1 << 20);
	ek_arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	ek_store_free(store);
	ek_buf_clear(&told);
	ek_arena_clear(&arena);
	return 0;
}

static void expect_told(const char *expected)
{
	if (strcmp(told.at, expected) != 0)
		fail_msg("told:\n%sexpected:\n%s", told.at, expected);
	ek_buf_reset(&told);
}

static const char *a_service(const char *namespace_, const char *name, const char *version)
{
	return ek_arena_printf(&arena, "{\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"u-%s\",\"labels\":{\"v\":\"%s\",\"app\":\"%s\"}},"
				       "\"spec\":{\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":8080}]}}",
		namespace_, name, name, version, name);
}

/* An endpoint; the pod's name is its UID as well, "" for none. state: ready, serving (and terminating), terminating, starting. */
static const char *an_endpoint(const char *address, const char *pod, const char *state)
{
	const char *target = pod[0] ? ek_arena_printf(&arena, ",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"shop\",\"name\":\"%s\",\"uid\":\"%s\"}",
					      pod, pod) :
				      "";
	bool is_ready = strcmp(state, "ready") == 0, is_serving = is_ready || strcmp(state, "serving") == 0;

	return ek_arena_printf(&arena, "{\"addresses\":[\"%s\"],\"conditions\":{\"ready\":%s,\"serving\":%s,\"terminating\":%s}%s}", address,
		is_ready ? "true" : "false", is_serving ? "true" : "false", is_ready || strcmp(state, "starting") == 0 ? "false" : "true", target);
}

/* A slice of shop/SERVICE; second: of its trigger time, -1 none. */
static const char *a_slice(const char *name, const char *service, int second, const char *endpoints)
{
	const char *type = strchr(endpoints, ':') && strstr(endpoints, "[\"fd") ? "IPv6" : "IPv4";
	const char *trigger = second < 0 ? "" : ek_arena_printf(&arena,
		",\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"1970-01-01T00:00:%02dZ\"}", second);
	const char *label = service ? ek_arena_printf(&arena, ",\"labels\":{\"kubernetes.io/service-name\":\"%s\"}", service) : "";

	return ek_arena_printf(&arena, "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"%s\"%s%s},\"addressType\":\"%s\",\"endpoints\":[%s],"
				       "\"ports\":[{\"name\":\"%s\",\"port\":8080}]}",
		name, label, trigger, type, endpoints, name);
}

static struct ek_slice slice_of(const char *text)
{
	return (struct ek_slice){ text, strlen(text) };
}

static void begin(enum ek_store_kind kind)
{
	ek_store_sink(kind)->begin(ek_store_feed(store, kind, NULL));
}

static void add(enum ek_store_kind kind, const char *text)
{
	struct ek_error err = EK_ERROR_INIT;

	if (ek_store_sink(kind)->add(ek_store_feed(store, kind, NULL), slice_of(text), &err) != EK_OK)
		fail_msg("%s: %s", text, err.message);
}

static void commit(enum ek_store_kind kind)
{
	ek_store_sink(kind)->commit(ek_store_feed(store, kind, NULL));
}

static void change(enum ek_store_kind kind, enum ek_watch_type type, const char *text)
{
	struct ek_error err = EK_ERROR_INIT;

	if (ek_store_sink(kind)->change(ek_store_feed(store, kind, NULL), type, slice_of(text), &err) != EK_OK)
		fail_msg("%s: %s", text, err.message);
}

/* A whole list; the texts end with NULL. */
static void list(enum ek_store_kind kind, ...)
{
	const char *text;
	va_list texts;

	begin(kind);
	va_start(texts, kind);
	while ((text = va_arg(texts, const char *)))
		add(kind, text);
	va_end(texts);
	commit(kind);
}

static const struct ek_endpoint_policy usual = { .n_families = 2, .families = { 4, 6 } };

/* "address pod state port" per endpoint of shop/web. */
static const char *view(const struct ek_endpoint_policy *policy)
{
	const struct ek_record_service *record = ek_store_find_service(store, "shop", "web");
	const struct ek_service *service;
	char *text = ek_arena_strdup(&arena, "");

	assert_non_null(record);
	service = ek_store_view(store, record, policy, &arena);
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		const struct ek_endpoint *e = service->endpoints[i];

		text = ek_arena_printf(&arena, "%s%s%s %s %s%s%s %s", text, i ? ", " : "", e->address, e->pod_name ? e->pod_name : "-",
			e->flags & EK_ENDPOINT_READY ? "R" : "", e->flags & EK_ENDPOINT_SERVING ? "S" : "", e->flags & EK_ENDPOINT_TERMINATING ? "T" : "",
			e->n_ports ? e->ports[0]->name : "none");
	}
	return text;
}

#define SERVICES EK_STORE_SERVICES
#define SLICES   EK_STORE_SLICES
#define LIST(kind, ...) list(kind, ##__VA_ARGS__, (const char *)NULL)

static const char *one(const char *address)
{
	return an_endpoint(address, "pod-1", "ready");
}

/* ---- Lists and events ---- */

static void a_first_list_tells_of_everything_once(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"), a_service("shop", "api", "1"), a_service("bank", "web", "1"));
	expect_told("services 0 -> 3\nshop/web by list\nshop/api by list\nbank/web by list\n");
	LIST(SLICES, a_slice("web-a", "web", 5, one("10.0.0.1")), a_slice("web-b", "web", 6, one("10.0.0.2")), a_slice("api-a", "api", 7, ""));
	expect_told("slices 0 -> 3\nshop/web by list\nshop/api by list\n");
}

static void a_list_tells_only_of_differences(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"), a_service("shop", "api", "1"), a_service("shop", "old", "1"), a_service("shop", "a", "1"));
	ek_buf_reset(&told);
	LIST(SERVICES, a_service("shop", "new", "1"), a_service("shop", "api", "2"), a_service("shop", "web", "1"), a_service("shop", "a", "1"));
	expect_told("services 4 -> 4\nshop/old by list\nshop/new by list\nshop/api by list\n");
	assert_null(ek_store_find_service(store, "shop", "old"));
	assert_non_null(ek_store_find_service(store, "shop", "new"));
	LIST(SERVICES, a_service("shop", "new", "1"), a_service("shop", "api", "2"), a_service("shop", "web", "1"), a_service("shop", "a", "1"));
	expect_told("services 4 -> 4\n");
	LIST(SERVICES);
	expect_told("services 4 -> 0\nshop/web by list\nshop/api by list\nshop/a by list\nshop/new by list\n");
}

static void a_list_under_way_changes_nothing_until_it_is_whole(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES, a_slice("web-a", "web", 1, one("10.0.0.1")));
	ek_buf_reset(&told);
	begin(SERVICES);
	begin(SLICES);
	add(SERVICES, a_service("shop", "other", "1"));
	add(SLICES, a_slice("web-a", "web", 2, one("10.0.0.2")));
	add(SLICES, a_slice("web-b", "web", 2, one("10.0.0.3")));
	expect_told("");
	assert_string_equal(view(&usual), "10.0.0.1 pod-1 RS web-a");
	ek_store_sink(SLICES)->abort(ek_store_feed(store, SLICES, NULL));
	ek_store_sink(SERVICES)->abort(ek_store_feed(store, SERVICES, NULL));
	expect_told("");
	assert_string_equal(view(&usual), "10.0.0.1 pod-1 RS web-a");
	assert_null(ek_store_find_service(store, "shop", "other"));
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES, a_slice("web-a", "web", 1, one("10.0.0.1")));
	expect_told("services 1 -> 1\nslices 1 -> 1\n");
}

static void what_a_list_names_twice_is_what_it_was_last(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"), a_service("shop", "web", "2"));
	expect_told("services 0 -> 1\nshop/web by list\n");
	LIST(SERVICES, a_service("shop", "web", "3"), a_service("shop", "web", "2"));
	expect_told("services 1 -> 1\n");
	LIST(SERVICES, a_service("shop", "web", "2"), a_service("shop", "web", "3"));
	expect_told("services 1 -> 1\nshop/web by list\n");
	assert_string_equal(ek_store_find_service(store, "shop", "web")->labels[1].value, "3");
}

static void an_event_tells_of_its_service_with_the_time_of_the_change(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES);
	ek_buf_reset(&told);
	change(SLICES, EK_WATCH_ADDED, a_slice("web-a", "web", 5, one("10.0.0.1")));
	expect_told("shop/web by event at 5000\n");
	change(SLICES, EK_WATCH_MODIFIED, a_slice("web-a", "web", 6, one("10.0.0.2")));
	expect_told("shop/web by event at 6000\n");
	change(SLICES, EK_WATCH_MODIFIED, a_slice("web-a", "web", 6, ""));
	expect_told("shop/web by event\n");
	change(SLICES, EK_WATCH_DELETED, a_slice("web-a", "web", 7, ""));
	expect_told("shop/web by event\n");
	change(SERVICES, EK_WATCH_MODIFIED, a_service("shop", "web", "2"));
	expect_told("shop/web by event\n");
	change(SERVICES, EK_WATCH_DELETED, a_service("shop", "web", "2"));
	expect_told("shop/web by event\n");
}

static void an_event_that_changes_nothing_is_not_told(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES, a_slice("web-a", "web", 5, one("10.0.0.1")));
	ek_buf_reset(&told);
	change(SERVICES, EK_WATCH_MODIFIED, a_service("shop", "web", "1"));
	change(SLICES, EK_WATCH_MODIFIED, a_slice("web-a", "web", 6, one("10.0.0.1")));
	change(SLICES, EK_WATCH_DELETED, a_slice("web-x", "web", 6, ""));
	change(SERVICES, EK_WATCH_DELETED, a_service("mall", "web", "1"));
	expect_told("");
}

static void a_slice_that_changes_its_service_is_told_to_both(void **state)
{
	LIST(SLICES, a_slice("s", "web", 5, one("10.0.0.1")));
	ek_buf_reset(&told);
	change(SLICES, EK_WATCH_MODIFIED, a_slice("s", "api", 6, one("10.0.0.1")));
	expect_told("shop/web by event at 6000\nshop/api by event at 6000\n");
	change(SLICES, EK_WATCH_MODIFIED, a_slice("s", NULL, 7, one("10.0.0.1")));
	expect_told("shop/api by event\n");
	LIST(SLICES, a_slice("s", NULL, 7, one("10.0.0.1")));
	expect_told("slices 0 -> 0\n");
}

static void a_list_that_takes_the_service_from_a_slice_removes_it(void **state)
{
	LIST(SLICES, a_slice("s", "web", 5, one("10.0.0.1")));
	ek_buf_reset(&told);
	LIST(SLICES, a_slice("s", NULL, 5, one("10.0.0.1")));
	expect_told("slices 1 -> 0\nshop/web by list\n");
	LIST(SLICES, a_slice("s", "web", 5, one("10.0.0.1")), a_slice("s", NULL, 6, one("10.0.0.1")));
	expect_told("slices 0 -> 0\n");
}

static void slices_may_come_before_their_service(void **state)
{
	LIST(SLICES, a_slice("web-a", "web", 1, one("10.0.0.1")));
	LIST(SERVICES);
	assert_null(ek_store_find_service(store, "shop", "web"));
	change(SERVICES, EK_WATCH_ADDED, a_service("shop", "web", "1"));
	assert_string_equal(view(&usual), "10.0.0.1 pod-1 RS web-a");
}

static void what_cannot_be_read_is_refused_and_changes_nothing(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_reflector_sink *sink = ek_store_sink(SLICES);
	void *arg = ek_store_feed(store, SLICES, NULL);

	LIST(SLICES, a_slice("web-a", "web", 1, one("10.0.0.1")));
	ek_buf_reset(&told);
	assert_int_equal(sink->change(arg, EK_WATCH_MODIFIED, slice_of("{\"metadata\":{\"name\":\"web-a\"}}"), &err), EK_INVALID);
	assert_int_equal(sink->change(arg, EK_WATCH_DELETED, slice_of("{\"metadata\":{}}"), &err), EK_INVALID);
	assert_int_equal(sink->change(arg, EK_WATCH_MODIFIED, slice_of("{\"metadata\":"), &err), EK_INVALID);
	begin(SLICES);
	assert_int_equal(sink->add(arg, slice_of("{\"metadata\":{\"name\":\"web-a\",\"namespace\":\"shop\"},\"ports\":7}"), &err), EK_INVALID);
	sink->abort(arg);
	expect_told("");
}

/* ---- Looking ---- */

static bool note_name(void *arg, const struct ek_record_service *service)
{
	ek_buf_addf(&told, "%s ", service->name);
	return strcmp(service->name, arg) != 0;
}

static void services_of_a_namespace_come_in_order_of_name(void **state)
{
	LIST(SERVICES, a_service("shop", "m", "1"), a_service("shop", "z", "1"), a_service("bank", "b", "1"), a_service("shop", "a", "1"),
		a_service("shop", "mm", "1"));
	LIST(SLICES, a_slice("s", "k", 1, ""));
	ek_buf_reset(&told);
	ek_store_each_service(store, "shop", note_name, (void *)(uintptr_t) "");
	ek_store_each_service(store, "nowhere", note_name, (void *)(uintptr_t) "");
	expect_told("a m mm z ");
	ek_store_each_service(store, "shop", note_name, (void *)(uintptr_t) "m");
	expect_told("a m ");
}

static void the_figures_follow_what_is_held(void **state)
{
	struct ek_store_stats stats;

	LIST(SERVICES, a_service("shop", "web", "1"), a_service("shop", "api", "1"));
	LIST(SLICES, a_slice("web-a", "web", 1, one("10.0.0.1")));
	change(SLICES, EK_WATCH_ADDED, a_slice("web-b", "web", 1, ek_arena_printf(&arena, "%s,%s", one("10.0.0.2"), one("10.0.0.3"))));
	ek_store_stats(store, &stats);
	assert_int_equal(stats.services, 2);
	assert_int_equal(stats.slices, 2);
	assert_int_equal(stats.endpoints, 3);
	LIST(SERVICES);
	LIST(SLICES);
	ek_store_stats(store, &stats);
	assert_int_equal(stats.services + stats.slices + stats.endpoints + stats.interned_bytes, 0);
}

/* ---- Views ---- */

static void the_view_is_made_of_all_slices(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES,
		a_slice("s1", "web", 1, ek_arena_printf(&arena, "%s,%s", an_endpoint("10.0.0.9", "c", "ready"), an_endpoint("10.0.0.10", "d", "starting"))),
		a_slice("s2", "web", 1, ek_arena_printf(&arena, "%s,%s", an_endpoint("9.0.0.2", "a", "serving"), an_endpoint("9.0.0.1", "b", "terminating"))),
		a_slice("s3", "api", 1, an_endpoint("10.0.0.11", "e", "ready")));
	assert_string_equal(view(&usual), "9.0.0.1 b T s2, 9.0.0.2 a ST s2, 10.0.0.9 c RS s1, 10.0.0.10 d  s1");
}

struct pair {
	const char *what, *first, *second, *expected;
	int first_second, second_second;
};

static void expect_union(const struct pair *pair, const char *first, int first_second, const char *second, int second_second)
{
	LIST(SLICES, a_slice("old", "web", first_second, first), a_slice("new", "web", second_second, second));
	if (strcmp(view(&usual), pair->expected) != 0)
		fail_msg("%s: %s, expected %s", pair->what, view(&usual), pair->expected);
}

static void one_address_in_two_slices_is_one_endpoint(void **state)
{
	const struct pair pairs[] = {
		{ "the same pod: the newer slice, even if it is worse", an_endpoint("10.0.0.1", "a", "ready"), an_endpoint("10.0.0.1", "a", "serving"),
			"10.0.0.1 a ST new", 1, 2 },
		{ "the same pod: a slice without a time is older", an_endpoint("10.0.0.1", "a", "ready"), an_endpoint("10.0.0.1", "a", "starting"),
			"10.0.0.1 a  new", -1, 2 },
		{ "another pod: the ready one, even if it is older", an_endpoint("10.0.0.1", "b", "ready"), an_endpoint("10.0.0.1", "a", "serving"),
			"10.0.0.1 b RS old", 1, 2 },
		{ "another pod: serving before terminating", an_endpoint("10.0.0.1", "a", "serving"), an_endpoint("10.0.0.1", "b", "terminating"),
			"10.0.0.1 a ST old", 1, 2 },
		{ "another pod in the same state: the newer", an_endpoint("10.0.0.1", "a", "ready"), an_endpoint("10.0.0.1", "b", "ready"),
			"10.0.0.1 b RS new", 1, 2 },
	};

	LIST(SERVICES, a_service("shop", "web", "1"));
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		expect_union(&pairs[i], pairs[i].first, pairs[i].first_second, pairs[i].second, pairs[i].second_second);
		LIST(SLICES);
		LIST(SLICES, a_slice("new", "web", pairs[i].second_second, pairs[i].second));
		expect_union(&pairs[i], pairs[i].first, pairs[i].first_second, pairs[i].second, pairs[i].second_second);
	}
}

static void three_claims_on_one_address_leave_the_best_of_the_newest(void **state)
{
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES, a_slice("s1", "web", 3, an_endpoint("10.0.0.1", "a", "terminating")), a_slice("s2", "web", 1, an_endpoint("10.0.0.1", "a", "ready")),
		a_slice("s3", "web", 2, an_endpoint("10.0.0.1", "b", "serving")));
	assert_string_equal(view(&usual), "10.0.0.1 b ST s3");
}

static void an_endpoint_without_a_pod_needs_permission(void **state)
{
	struct ek_endpoint_policy open = usual;

	open.allow_without_pod = true;
	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES, a_slice("s", "web", 1, ek_arena_printf(&arena, "%s,%s", an_endpoint("10.0.0.1", "", "ready"), an_endpoint("10.0.0.2", "a", "ready"))));
	assert_string_equal(view(&usual), "10.0.0.2 a RS s");
	assert_string_equal(view(&open), "10.0.0.1 - RS s, 10.0.0.2 a RS s");
}

static void a_pod_with_two_families_is_given_in_the_preferred_one(void **state)
{
	const struct ek_endpoint_policy v6_first = { .n_families = 2, .families = { 6, 4 } };
	const struct ek_endpoint_policy v4_only = { .n_families = 1, .families = { 4 } };
	const struct ek_endpoint_policy v6_only = { .n_families = 1, .families = { 6 } };

	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES,
		a_slice("v4", "web", 1, ek_arena_printf(&arena, "%s,%s", an_endpoint("10.0.0.2", "b", "ready"), an_endpoint("10.0.0.1", "a", "ready"))),
		a_slice("v6", "web", 1, ek_arena_printf(&arena, "%s,%s", an_endpoint("fd00::1", "a", "ready"), an_endpoint("fd00::3", "c", "ready"))));
	assert_string_equal(view(&usual), "10.0.0.1 a RS v4, 10.0.0.2 b RS v4, fd00::3 c RS v6");
	assert_string_equal(view(&v6_first), "10.0.0.2 b RS v4, fd00::1 a RS v6, fd00::3 c RS v6");
	assert_string_equal(view(&v4_only), "10.0.0.1 a RS v4, 10.0.0.2 b RS v4");
	assert_string_equal(view(&v6_only), "fd00::1 a RS v6, fd00::3 c RS v6");
}

static bool deny_ten(void *arg, const uint8_t address[16], int family)
{
	return family == 4 && address[0] == 10;
}

static void some_addresses_are_never_given(void **state)
{
	static const struct {
		const char *address;
		bool is_given;
	} cases[] = {
		{ "0.0.0.0", false }, { "127.0.0.1", false }, { "127.255.255.254", false }, { "128.0.0.1", true }, { "169.253.255.255", true },
		{ "169.254.0.1", false }, { "169.254.169.254", false }, { "169.255.0.0", true }, { "100.100.100.200", false }, { "100.100.100.201", true },
		{ "168.63.129.16", false }, { "223.255.255.255", true }, { "224.0.0.1", false }, { "239.255.255.255", false }, { "240.0.0.1", true },
		{ "255.255.255.255", false }, { "192.168.0.1", true }, { "fd00::", true }, { "::", false }, { "::1", false }, { "::2", true },
		{ "fe7f::1", true }, { "fe80::1", false }, { "febf::1", false }, { "fec0::1", true }, { "ff02::1", false }, { "::ffff:10.0.0.1", false },
		{ "fd00:ec2::254", false }, { "fd00:ec2::23", false }, { "fd00:ec2::255", true }, { "2001:db8::1", true },
	};
	struct ek_endpoint_policy more = usual;

	more.is_denied = deny_ten;
	LIST(SERVICES, a_service("shop", "web", "1"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		LIST(SLICES, a_slice("s", "web", 1, an_endpoint(cases[i].address, "a", "ready")));
		if ((view(&usual)[0] != '\0') != cases[i].is_given)
			fail_msg("%s is %sgiven", cases[i].address, cases[i].is_given ? "not " : "");
	}
	LIST(SLICES, a_slice("s", "web", 1, ek_arena_printf(&arena, "%s,%s", one("10.0.0.1"), one("11.0.0.1"))));
	assert_string_equal(view(&more), "11.0.0.1 pod-1 RS s");
}

static void the_view_has_what_the_service_says(void **state)
{
	const struct ek_service *service;

	LIST(SERVICES, a_service("shop", "web", "1"));
	service = ek_store_view(store, ek_store_find_service(store, "shop", "web"), &usual, &arena);
	assert_string_equal(service->namespace_, "shop");
	assert_string_equal(service->name, "web");
	assert_string_equal(service->uid, "u-web");
	assert_int_equal(service->type, EK_SERVICE_CLUSTER_IP);
	assert_int_equal(service->n_labels, 2);
	assert_string_equal(service->labels[0]->key, "app");
	assert_string_equal(service->labels[1]->value, "1");
	assert_int_equal(service->n_ports, 1);
	assert_int_equal(service->ports[0]->port, 80);
	assert_int_equal(service->ports[0]->target_port, 8080);
	assert_int_equal(service->n_endpoints, 0);
}

static void an_endpoint_has_what_its_slice_says(void **state)
{
	const struct ek_endpoint *e;

	LIST(SERVICES, a_service("shop", "web", "1"));
	LIST(SLICES, "{\"metadata\":{\"name\":\"s\",\"namespace\":\"shop\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},\"endpoints\":[{"
		     "\"addresses\":[\"FD00:0:0::000a\"],\"nodeName\":\"n1\",\"zone\":\"z1\",\"hostname\":\"h1\",\"targetRef\":{\"kind\":\"Pod\","
		     "\"name\":\"p1\",\"uid\":\"01234567-89ab-cdef-0123-456789abcdef\"}}],\"ports\":[{\"port\":70000},{\"port\":0},{\"name\":\"x\"},"
		     "{\"port\":8080,\"protocol\":\"UDP\",\"appProtocol\":\"h2c\"}]}");
	e = ek_store_view(store, ek_store_find_service(store, "shop", "web"), &usual, &arena)->endpoints[0];
	assert_string_equal(e->address, "fd00::a");
	assert_int_equal(e->ip_family, 6);
	assert_string_equal(e->pod_name, "p1");
	assert_string_equal(e->pod_uid, "01234567-89ab-cdef-0123-456789abcdef");
	assert_string_equal(e->node_name, "n1");
	assert_string_equal(e->zone, "z1");
	assert_string_equal(e->hostname, "h1");
	assert_null(e->pod);
	assert_int_equal(e->n_ports, 1);
	assert_int_equal(e->ports[0]->number, 8080);
	assert_string_equal(e->ports[0]->name, "");
	assert_string_equal(e->ports[0]->protocol, "UDP");
	assert_string_equal(e->ports[0]->app_protocol, "h2c");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_list_tells_of_everything_once),
		TEST(a_list_tells_only_of_differences),
		TEST(a_list_under_way_changes_nothing_until_it_is_whole),
		TEST(what_a_list_names_twice_is_what_it_was_last),
		TEST(an_event_tells_of_its_service_with_the_time_of_the_change),
		TEST(an_event_that_changes_nothing_is_not_told),
		TEST(a_slice_that_changes_its_service_is_told_to_both),
		TEST(a_list_that_takes_the_service_from_a_slice_removes_it),
		TEST(slices_may_come_before_their_service),
		TEST(what_cannot_be_read_is_refused_and_changes_nothing),
		TEST(services_of_a_namespace_come_in_order_of_name),
		TEST(the_figures_follow_what_is_held),
		TEST(the_view_is_made_of_all_slices),
		TEST(one_address_in_two_slices_is_one_endpoint),
		TEST(three_claims_on_one_address_leave_the_best_of_the_newest),
		TEST(an_endpoint_without_a_pod_needs_permission),
		TEST(a_pod_with_two_families_is_given_in_the_preferred_one),
		TEST(some_addresses_are_never_given),
		TEST(the_view_has_what_the_service_says),
		TEST(an_endpoint_has_what_its_slice_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
