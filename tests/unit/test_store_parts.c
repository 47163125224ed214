/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view kept up by parts is the whole view: random events on the slices of one Service, whose pods move between slices, share addresses, have both families and come
 * back under old names. After each event the endpoints that its keys reach are taken out and put back from the part, and all is compared with a view made anew.
 * It does not test what the host makes of it. Next: host/kube/store_trace.c.
 */
#include "kube/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define N_SLICES 6
#define N_PODS 8
#define LINE 200
#define LINES_MAX 400
#define N_WORLDS 300
#define N_EVENTS 60

struct line {
	uint32_t address, pod;
	char text[LINE];
};

static struct ek_store *store;
static struct ek_arena arena;
static struct line lines[LINES_MAX];
static unsigned n_lines, n_partial, n_whole;
static uint64_t state;
static bool is_due, is_whole;
static struct ek_keys due;

static unsigned draw(unsigned n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % n;
}

static void hear(void *arg, const struct ek_store_change *change)
{
	is_due = true;
	if (change->keys)
		ek_keys_add_all(&due, change->keys);
	else
		is_whole = true;
}

static bool is_denied(void *arg, const uint8_t address[16], int family)
{
	return family == 4 && address[3] == 3;
}

static const struct ek_endpoint_policy policies[] = {
	{ .n_families = 2, .families = { 4, 6 } },
	{ .n_families = 2, .families = { 6, 4 }, .allow_without_pod = true, .is_denied = is_denied },
	{ .n_families = 1, .families = { 4 }, .allow_without_pod = true },
};

/* ---- slices ---- */

static const char *an_endpoint(bool is_v6)
{
	static const char *const states[] = {
		"\"ready\":true", "\"ready\":false", "\"ready\":false,\"serving\":true,\"terminating\":true", "\"ready\":false,\"serving\":false,\"terminating\":true",
	};
	unsigned pod = draw(N_PODS), address = draw(4) ? pod : draw(N_PODS), uid = draw(5) ? 0 : draw(3);
	const char *ip = ek_arena_printf(&arena, is_v6 ? "fd00::%u" : "10.0.0.%u", address + 1), *target = "", *uid_text = "";

	if (uid < 2)
		uid_text = ek_arena_printf(&arena, pod % 2 ? ",\"uid\":\"uid-%u-%u\"" : ",\"uid\":\"0000000%u-1111-4222-8333-00000000000%u\"", pod, uid);
	if (draw(10))
		target = ek_arena_printf(&arena, ",\"targetRef\":{\"kind\":\"Pod\",\"name\":\"web-%u\"%s}", pod, uid_text);
	return ek_arena_printf(&arena, "{\"addresses\":[\"%s\"],\"conditions\":{%s},\"nodeName\":\"node-%u\"%s}", ip, states[draw(4)], draw(2), target);
}

/* What a slice held last, so that most changes are small. */
static const char *held[N_SLICES][6];
static unsigned n_held[N_SLICES], port[N_SLICES];
static bool is_present[N_SLICES]; /* in the cluster, and of the Service */

static void vary(unsigned slice)
{
	unsigned n_changes = draw(4) ? 1 : draw(6);

	for (unsigned i = 0; i < n_changes; i++) {
		if (n_held[slice] && draw(3) == 0) {
			unsigned gone = draw(n_held[slice]);

			memmove(&held[slice][gone], &held[slice][gone + 1], (n_held[slice] - gone - 1) * sizeof(held[0][0]));
			n_held[slice]--;
		} else if (n_held[slice] && draw(2)) {
			held[slice][draw(n_held[slice])] = an_endpoint(slice % 2);
		} else if (n_held[slice] < 6) {
			held[slice][n_held[slice]++] = an_endpoint(slice % 2);
		}
	}
	if (draw(20) == 0)
		port[slice]++;
}

static struct ek_slice slice_json(unsigned slice, const char *service)
{
	struct ek_buf buf;
	const char *text;

	ek_buf_init(&buf, 1 << 20);
	ek_buf_addf(&buf, "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"web-s%u\",\"labels\":{\"kubernetes.io/service-name\":\"%s\"},\"annotations\":{"
		"\"endpoints.kubernetes.io/last-change-trigger-time\":\"1970-01-01T00:00:%02uZ\"}},\"addressType\":\"%s\",\"endpoints\":[",
		slice, service, draw(40) + 10, slice % 2 ? "IPv6" : "IPv4");
	for (unsigned i = 0; i < n_held[slice]; i++)
		ek_buf_addf(&buf, "%s%s", i ? "," : "", held[slice][i]);
	ek_buf_addf(&buf, "],\"ports\":[{\"name\":\"http\",\"port\":%u}]}", 8080 + port[slice]);
	text = ek_arena_strdup(&arena, buf.at);
	ek_buf_clear(&buf);
	return (struct ek_slice){ text, strlen(text) };
}

static void send(enum ek_store_kind kind, enum ek_watch_type type, struct ek_slice json)
{
	struct ek_error err = EK_ERROR_INIT;

	assert_int_equal(ek_store_sink(kind)->change(ek_store_feed(store, kind, NULL), type, json, &err), EK_OK);
}

static void send_service(void)
{
	static const char text[] = "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"web\",\"uid\":\"u\"},\"spec\":{\"ports\":[{\"name\":\"http\",\"port\":80}]}}";

	send(EK_STORE_SERVICES, EK_WATCH_ADDED, (struct ek_slice){ text, strlen(text) });
}

/* A list of all slices, with what no event has told: changes, or only other times. */
static void relist(void)
{
	void *feed = ek_store_feed(store, EK_STORE_SLICES, NULL);
	struct ek_error err = EK_ERROR_INIT;
	bool is_varied = draw(2);

	ek_store_sink(EK_STORE_SLICES)->begin(feed);
	for (unsigned i = 0; i < N_SLICES; i++) {
		if (is_varied && draw(3) == 0)
			vary(i);
		if (is_present[i] && n_held[i])
			assert_int_equal(ek_store_sink(EK_STORE_SLICES)->add(feed, slice_json(i, "web"), &err), EK_OK);
	}
	ek_store_sink(EK_STORE_SLICES)->commit(feed);
}

static void happen(void)
{
	unsigned slice = draw(N_SLICES), what = draw(30);

	if (what == 0) {
		relist();
		return;
	}
	vary(slice);
	is_present[slice] = what >= 6 || (is_present[slice] && what == 1);
	if (what == 1)
		send_service();
	else if (what == 2)
		send(EK_STORE_SLICES, EK_WATCH_MODIFIED, slice_json(slice, "other")); /* leaves the Service */
	else if (what < 6)
		send(EK_STORE_SLICES, EK_WATCH_DELETED, slice_json(slice, "web"));
	else
		send(EK_STORE_SLICES, EK_WATCH_MODIFIED, slice_json(slice, "web"));
}

/* ---- the view, whole and by parts ---- */

static void add_lines(const struct ek_service *service)
{
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		const struct ek_endpoint *e = service->endpoints[i];
		struct line *line = &lines[n_lines++];

		line->address = ek_key_of(e->address);
		line->pod = e->pod_name ? ek_key_of(e->pod_name) : line->address;
		snprintf(line->text, LINE, "%s %s %s %s port %d flags %u", e->address, e->pod_name ? e->pod_name : "-", e->pod_uid ? e->pod_uid : "-",
			e->node_name, e->ports[0]->number, e->flags);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void take_part(const struct ek_endpoint_policy *policy)
{
	struct ek_store_part part = { .service = ek_store_find_service(store, "shop", "web") };
	unsigned n = 0;

	if (!ek_store_trace(store, &due, &part, 1, &arena))
		fail_msg("a small world is too much to be traced");
	for (unsigned i = 0; i < n_lines; i++)
		if (!ek_keys_has(&due, lines[i].address) && !ek_keys_has(&due, lines[i].pod))
			lines[n++] = lines[i];
	n_lines = n;
	add_lines(ek_store_view_part(&part, policy, &arena));
}

static void settle(const struct ek_endpoint_policy *policy)
{
	if (!is_due)
		return;
	if (is_whole) {
		n_lines = 0;
		add_lines(ek_store_view(store, ek_store_find_service(store, "shop", "web"), policy, &arena));
		n_whole++;
	} else {
		take_part(policy);
		n_partial++;
	}
	is_due = is_whole = false;
	ek_keys_clear(&due);
}

static void expect_whole(const struct ek_endpoint_policy *policy, unsigned world, unsigned event)
{
	struct line kept[LINES_MAX];
	unsigned n = n_lines;

	memcpy(kept, lines, sizeof(kept));
	n_lines = 0;
	add_lines(ek_store_view(store, ek_store_find_service(store, "shop", "web"), policy, &arena));
	qsort(kept, n, sizeof(kept[0]), compare_lines);
	qsort(lines, n_lines, sizeof(lines[0]), compare_lines);
	for (unsigned i = 0; i < n || i < n_lines; i++)
		if (i >= n || i >= n_lines || strcmp(kept[i].text, lines[i].text) != 0)
			fail_msg("world %u, event %u: by parts \"%s\", as a whole \"%s\"", world, event, i < n ? kept[i].text : "", i < n_lines ? lines[i].text : "");
}

static void live_through(unsigned world)
{
	static const struct ek_store_listener listener = { .on_service = hear };
	const struct ek_endpoint_policy *policy = &policies[world % 3];

	state = world;
	store = ek_store_new(&listener);
	ek_arena_init(&arena);
	n_lines = 0;
	memset(n_held, 0, sizeof(n_held));
	memset(port, 0, sizeof(port));
	memset(is_present, 0, sizeof(is_present));
	send_service();
	for (unsigned event = 0; event < N_EVENTS; event++) {
		happen();
		if (draw(4) == 0)
			continue; /* several events, one look */
		settle(policy);
		expect_whole(policy, world, event);
	}
	ek_keys_clear(&due);
	is_due = is_whole = false;
	ek_store_free(store);
	ek_arena_clear(&arena);
}

static void a_view_kept_up_by_parts_is_the_whole_view(void **unused)
{
	for (unsigned world = 1; world <= N_WORLDS; world++)
		live_through(world);
	assert_true(n_partial > 5 * n_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_kept_up_by_parts_is_the_whole_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
