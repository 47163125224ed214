/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The borders where foreign bytes come in, fed with damaged documents: seeded, so a failure can be repeated, and meant to run under the sanitizers.
 * EK_SEEDS=N runs N rounds. It asserts what must hold for any bytes, not what these bytes mean.
 * Next: the tests of the single parts, test_json_reader.c and test_list_splitter.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/yaml.h"
#include "kube/resources.h"
#include "kube/watch.h"

#define ROUNDS 4000

/* ---- Documents and damage ---- */

static const char *const seeds[] = {
	"{\"kind\":\"EndpointSliceList\",\"metadata\":{\"resourceVersion\":\"42\",\"continue\":\"a=\"},\"items\":[{\"metadata\":{\"name\":\"web-1\",\"namespace\":\"shop\","
	"\"labels\":{\"kubernetes.io/service-name\":\"web\"},\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"2024-01-01T00:00:00.5Z\"}},"
	"\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":true,\"serving\":null},\"nodeName\":\"n\",\"zone\":\"z\\\"}\\\\\","
	"\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"01234567-89ab-cdef-0123-456789abcdef\"}}],\"ports\":[{\"name\":\"http\",\"port\":80}]}]}\n",
	"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"resourceVersion\":\"7\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"ports\":"
	"[{\"port\":80,\"targetPort\":\"x\"}],\"clusterIPs\":[\"None\"]},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"1.2.3.4\"}]}}}}\n"
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"8\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n",
	"[\"\\u00e9\\ud83d\\ude00\\n\xc3\xa9\",-1.5e+3,true,false,null,{\"\":[[],{}]},\"\\\\\\\"\"]",
	"a: &x [1, \"b\", {c: d}]\ne: *x\nf: |\n  text\n  text\ng:\n- h: ~\n  'i j': 0x1\n",
};

static uint64_t state_of_chance;

static uint32_t chance(uint32_t below)
{
	state_of_chance = state_of_chance * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state_of_chance >> 33) % below;
}

/* Bytes that mean something somewhere. */
static char a_byte(void)
{
	static const char some[] = "{}[]\",:\\u0019-+.eEtfn \n\t/*&!|>'#~\x80\xc3\xed\xf0\xff\x01";

	return chance(4) ? some[chance(sizeof(some))] : (char)chance(256);
}

static void damage(struct ek_buf *doc)
{
	uint32_t n = (uint32_t)doc->n, at = chance(n), length = chance(n - at < 40 ? n - at + 1 : 40);

	switch (chance(5)) {
	case 0:
		doc->at[at] = a_byte();
		break;
	case 1:
		ek_buf_drop_front(doc, chance(4) ? 0 : length);
		break;
	case 2:
		doc->n = at + 1;
		break;
	case 3:
		memmove(doc->at + at, doc->at + at + length, n - at - length);
		doc->n -= length;
		break;
	case 4:
		for (uint32_t i = 0; i < length && at + i < doc->n; i++)
			doc->at[at + i] = doc->at[chance(n)];
		break;
	}
	if (!doc->n)
		ek_buf_add(doc, "x", 1);
}

/* One damaged document of exactly its length. */
static char *a_document(uint64_t seed, size_t *n)
{
	struct ek_buf doc;
	const char *from;
	char *exact;

	state_of_chance = ek_hash64(EK_HASH_SEED, &seed, sizeof(seed));
	from = seeds[chance(sizeof(seeds) / sizeof(seeds[0]))];
	ek_buf_init(&doc, 1 << 20);
	ek_buf_adds(&doc, from);
	for (uint32_t i = chance(4); i; i--)
		damage(&doc);
	exact = ek_xmalloc(doc.n);
	memcpy(exact, doc.at, doc.n);
	*n = doc.n;
	ek_buf_clear(&doc);
	return exact;
}

static void for_each_document(void (*check)(const char *bytes, size_t n, uint64_t seed))
{
	const char *rounds = getenv("EK_SEEDS");
	uint64_t n_rounds = rounds ? strtoull(rounds, NULL, 10) : ROUNDS;

	for (uint64_t seed = 0; seed < n_rounds; seed++) {
		size_t n;
		char *bytes = a_document(seed, &n);

		check(bytes, n, seed);
		free(bytes);
	}
}

/* ---- The reader ---- */

static void walk(struct ek_json *json)
{
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
	default:
		ek_json_skip(json);
	}
}

static void check_reader(const char *bytes, size_t n, uint64_t seed)
{
	struct ek_json skipped, walked;
	cJSON *tree;
	bool is_json;

	ek_json_init(&skipped, bytes, n);
	ek_json_skip(&skipped);
	ek_json_init(&walked, bytes, n);
	walk(&walked);
	is_json = ek_json_finish(&skipped, NULL) == EK_OK;
	if (is_json != (ek_json_finish(&walked, NULL) == EK_OK))
		fail_msg("seed %llu: skipped and walked differ", (unsigned long long)seed);
	if (!is_json)
		return;
	tree = cJSON_ParseWithLengthOpts(bytes, n, NULL, false);
	/* cJSON refuses U+0000 in a text, which is JSON */
	if (!tree && !memmem(bytes, n, "\\u0000", 6))
		fail_msg("seed %llu: cJSON refuses what the reader accepts: %.*s", (unsigned long long)seed, (int)n, bytes);
	cJSON_Delete(tree);
}

static void the_reader_accepts_nothing_that_cjson_refuses(void **state)
{
	for_each_document(check_reader);
}

/* ---- The splitters ---- */

static int note_item(void *arg, struct ek_slice item, struct ek_error *err)
{
	ek_buf_add(arg, item.at, item.n);
	return ek_buf_add(arg, "\n", 1);
}

static int note_event(void *arg, const struct ek_watch_event *event, struct ek_error *err)
{
	ek_buf_addf(arg, "%d %s %d %s %s ", event->type, event->resource_version, event->status_code, event->status_reason, event->status_message);
	return note_item(arg, event->object, err);
}

/* What came out, and how it ended, when fed in pieces of at most `piece` bytes; copied, so that the sanitizer sees their ends. */
static void split(const char *bytes, size_t n, size_t piece, struct ek_buf *list, struct ek_buf *watch)
{
	struct ek_list_splitter l;
	struct ek_watch_splitter w;
	int list_code = EK_OK, watch_code = EK_OK;

	ek_list_splitter_init(&l, note_item, list);
	ek_watch_splitter_init(&w, note_event, watch);
	for (size_t at = 0; at < n; at += piece) {
		size_t n_piece = n - at < piece ? n - at : piece;
		char *copy = ek_xmalloc(n_piece);

		memcpy(copy, bytes + at, n_piece);
		if (list_code == EK_OK)
			list_code = ek_list_splitter_feed(&l, copy, n_piece, NULL);
		if (watch_code == EK_OK)
			watch_code = ek_watch_splitter_feed(&w, copy, n_piece, NULL);
		free(copy);
	}
	ek_buf_addf(list, "code %d complete %d version %s continue %s", list_code, l.is_complete, l.resource_version, l.continue_token.at);
	ek_buf_addf(watch, "code %d", watch_code);
	ek_list_splitter_clear(&l);
	ek_watch_splitter_clear(&w);
}

static void check_splitters(const char *bytes, size_t n, uint64_t seed)
{
	static const size_t pieces[] = { 1, 2, 7, 8, 64 };
	struct ek_buf list, watch, other_list, other_watch;

	ek_buf_init(&list, 1 << 20);
	ek_buf_init(&watch, 1 << 20);
	ek_buf_init(&other_list, 1 << 20);
	ek_buf_init(&other_watch, 1 << 20);
	split(bytes, n, n, &list, &watch);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		ek_buf_reset(&other_list);
		ek_buf_reset(&other_watch);
		split(bytes, n, pieces[i], &other_list, &other_watch);
		if (list.n != other_list.n || memcmp(list.at, other_list.at, list.n) != 0)
			fail_msg("seed %llu, pieces of %zu:\n%s\n%s", (unsigned long long)seed, pieces[i], list.at, other_list.at);
		if (watch.n != other_watch.n || memcmp(watch.at, other_watch.at, watch.n) != 0)
			fail_msg("seed %llu, pieces of %zu:\n%s\n%s", (unsigned long long)seed, pieces[i], watch.at, other_watch.at);
	}
	ek_buf_clear(&list);
	ek_buf_clear(&watch);
	ek_buf_clear(&other_list);
	ek_buf_clear(&other_watch);
}

static void what_comes_out_does_not_depend_on_how_it_comes_in(void **state)
{
	for_each_document(check_splitters);
}

/* ---- Records ---- */

static int read_records(void *arg, struct ek_slice item, struct ek_error *err)
{
	struct ek_record_service *service = NULL;
	struct ek_record_slice *slice = NULL;
	struct ek_object_meta meta;
	struct ek_intern *pool = arg;

	ek_read_object_meta(item, &meta, NULL);
	if (ek_read_service(item, pool, &service, NULL) == EK_OK)
		assert_true(ek_record_service_equals(service, service));
	if (ek_read_slice(item, pool, &slice, NULL) == EK_OK)
		assert_true(ek_record_slice_equals(slice, slice));
	ek_record_service_free(service, pool);
	ek_record_slice_free(slice, pool);
	return EK_OK;
}

static int read_event_records(void *arg, const struct ek_watch_event *event, struct ek_error *err)
{
	return read_records(arg, event->object, err);
}

static void check_records(const char *bytes, size_t n, uint64_t seed)
{
	struct ek_intern *pool = ek_intern_new();
	struct ek_list_splitter l;
	struct ek_watch_splitter w;

	ek_list_splitter_init(&l, read_records, pool);
	ek_watch_splitter_init(&w, read_event_records, pool);
	ek_list_splitter_feed(&l, bytes, n, NULL);
	ek_watch_splitter_feed(&w, bytes, n, NULL);
	read_records(pool, (struct ek_slice){ bytes, n }, NULL);
	ek_list_splitter_clear(&l);
	ek_watch_splitter_clear(&w);
	if (ek_intern_count(pool))
		fail_msg("seed %llu: %zu texts are owed to the pool", (unsigned long long)seed, ek_intern_count(pool));
	ek_intern_free(pool);
}

static void records_owe_nothing_to_the_pool_whatever_they_were_read_from(void **state)
{
	for_each_document(check_records);
}

/* ---- YAML ---- */

static unsigned count(const struct ek_value *value)
{
	unsigned n = 1;

	for (const struct ek_value *member = value->first; member; member = member->next) {
		assert_true(member->line >= 1 && member->column >= 1);
		n += count(member);
	}
	return n;
}

static void check_yaml(const char *bytes, size_t n, uint64_t seed)
{
	const struct ek_value *root = NULL;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_arena arena;

	ek_arena_init(&arena);
	if (ek_yaml_read(bytes, n, 30, &arena, &root, &err) == EK_OK) {
		if (count(root) > 30)
			fail_msg("seed %llu: more values than were allowed", (unsigned long long)seed);
	} else if (root || strncmp(err.message, "line ", 5) != 0) {
		fail_msg("seed %llu: a refusal without its place: %s", (unsigned long long)seed, err.message);
	}
	ek_arena_clear(&arena);
}

static void yaml_is_read_or_refused_with_its_place(void **state)
{
	for_each_document(check_yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reader_accepts_nothing_that_cjson_refuses),
		cmocka_unit_test(what_comes_out_does_not_depend_on_how_it_comes_in),
		cmocka_unit_test(records_owe_nothing_to_the_pool_whatever_they_were_read_from),
		cmocka_unit_test(yaml_is_read_or_refused_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
