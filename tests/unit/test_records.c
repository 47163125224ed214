/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods, nodes and pruned trees: what is kept of an object's JSON, what counts as a change, what is too much. Trees are held against cJSON's, which are pruned here.
 * It does not test what is made of records. Next: host/kube/records.h.
 */
#include "kube/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

static struct ek_intern *pool;
static struct ek_arena arena;

static int set_up(void **state)
{
	(void)state;
	pool = ek_intern_new();
	ek_arena_init(&arena);
	return 0;
}

/* Whatever was read and dropped owes nothing to the pool. */
static int tear_down(void **state)
{
	size_t n = ek_intern_count(pool);

	(void)state;
	ek_intern_free(pool);
	ek_arena_clear(&arena);
	return n == 0 ? 0 : -1;
}

static struct ek_slice slice_of(const char *text)
{
	return (struct ek_slice){ text, strlen(text) };
}

static struct ek_record *read_with(const struct ek_record_reader *reader, const void *arg, const char *text)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_record *record = NULL;

	if (reader->read(slice_of(text), arg, pool, &record, &err) != EK_OK)
		fail_msg("%s: %s", text, err.message);
	return record;
}

static bool are_equal(const struct ek_record_reader *reader, const char *one, const char *other)
{
	struct ek_record *a = read_with(reader, NULL, one), *b = read_with(reader, NULL, other);
	bool is_equal = reader->equals(a, b);

	ek_record_drop(reader, a, pool);
	ek_record_drop(reader, b, pool);
	return is_equal;
}

/* ---- Pods ---- */

#define POD(labels, uid, more) \
	"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-1\",\"namespace\":\"shop\",\"uid\":\"" uid "\",\"labels\":" labels "},\"spec\":{\"name\":\"no\"}" more "}"

static void a_pod_is_its_name_uid_and_sorted_labels(void **state)
{
	struct ek_record *record = read_with(&ek_pod_reader, NULL, POD("{\"version\":\"3\",\"app\":\"web\",\"empty\":\"\"}", "u-1", ""));
	const struct ek_pod *pod = ek_record_pod_view((const struct ek_record_pod *)record, &arena);

	(void)state;
	assert_int_equal(pod->size, sizeof(*pod));
	assert_string_equal(pod->namespace_, "shop");
	assert_string_equal(pod->name, "web-1");
	assert_string_equal(pod->uid, "u-1");
	assert_int_equal(pod->n_labels, 3);
	assert_string_equal(pod->labels[0]->key, "app");
	assert_string_equal(pod->labels[0]->value, "web");
	assert_string_equal(pod->labels[1]->value, "");
	assert_string_equal(pod->labels[2]->key, "version");
	ek_record_drop(&ek_pod_reader, record, pool);
}

static void a_pods_status_is_no_change_and_its_labels_are(void **state)
{
	static const char labels[] = POD("{\"a\":\"b\"}", "u", "");

	(void)state;
	assert_true(are_equal(&ek_pod_reader, labels, POD("{\"a\":\"b\"}", "u", ",\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\"}")));
	assert_false(are_equal(&ek_pod_reader, labels, POD("{\"a\":\"c\"}", "u", "")));
	assert_false(are_equal(&ek_pod_reader, labels, POD("{\"a\":\"b\",\"c\":\"\"}", "u", "")));
	assert_false(are_equal(&ek_pod_reader, labels, POD("{\"a\":\"b\"}", "v", "")));
	assert_false(are_equal(&ek_pod_reader, labels, POD("null", "u", "")));
}

/* ---- Nodes ---- */

#define NODE(labels, ready, beat)                                                                                                  \
	"{\"metadata\":{\"name\":\"n1\",\"uid\":\"u\",\"labels\":" labels "},\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"192.0.2.1\"}," \
	"{\"type\":\"Hostname\",\"address\":\"n1\"},{\"type\":\"InternalIP\",\"address\":\"fd00::1\"}],\"conditions\":[{\"type\":\"MemoryPressure\","        \
	"\"status\":\"True\"},{\"lastHeartbeatTime\":\"" beat "\",\"status\":\"" ready "\",\"type\":\"Ready\"}],\"images\":[{\"names\":[\"x\"]}]}}"

static void a_node_is_its_labels_addresses_zone_and_readiness(void **state)
{
	struct ek_record *record = read_with(&ek_node_reader, NULL, NODE("{\"z\":\"1\",\"topology.kubernetes.io/zone\":\"a\",\"failure-domain.beta.kubernetes.io/zone\":\"old\"}", "True", "1"));
	const struct ek_node *node = ek_record_node_view((const struct ek_record_node *)record, &arena);

	(void)state;
	assert_string_equal(node->name, "n1");
	assert_string_equal(node->zone, "a");
	assert_int_equal(node->flags, EK_NODE_READY);
	assert_int_equal(node->n_addresses, 3);
	assert_string_equal(node->addresses[1]->key, "Hostname");
	assert_string_equal(node->addresses[2]->value, "fd00::1");
	assert_int_equal(node->n_labels, 3);
	assert_string_equal(node->labels[0]->key, "failure-domain.beta.kubernetes.io/zone");
	ek_record_drop(&ek_node_reader, record, pool);
}

static void a_nodes_heartbeat_is_no_change_and_its_readiness_is(void **state)
{
	(void)state;
	assert_true(are_equal(&ek_node_reader, NODE("{}", "True", "1"), NODE("{}", "True", "2")));
	assert_false(are_equal(&ek_node_reader, NODE("{}", "True", "1"), NODE("{}", "Unknown", "1")));
	assert_false(are_equal(&ek_node_reader, NODE("{}", "True", "1"), NODE("{\"a\":\"b\"}", "True", "1")));
}

static void a_node_without_a_zone_has_none(void **state)
{
	struct ek_record *record = read_with(&ek_node_reader, NULL, "{\"metadata\":{\"name\":\"n\"}}");

	(void)state;
	assert_null(ek_record_node_view((const struct ek_record_node *)record, &arena)->zone);
	assert_string_equal(record->namespace_, "");
	assert_string_equal(record->uid, "");
	ek_record_drop(&ek_node_reader, record, pool);
}

/* ---- Trees, against cJSON ---- */

static const char *const *paths_of(const char *const *paths, struct ek_tree_fields *fields)
{
	uint32_t n = 0;

	while (paths[n])
		n++;
	ek_tree_fields_init(fields, paths, n, &arena);
	return paths;
}

/* What a field leads to stays; what is only on the way loses everything else. */
static bool prune(cJSON *value, const char *const *paths)
{
	const char *below[33] = { NULL };
	cJSON *child, *next;

	for (size_t i = 0; paths[i]; i++)
		if (!*paths[i])
			return true;
	if (!cJSON_IsArray(value) && !cJSON_IsObject(value))
		return false;
	for (child = value->child; child; child = next) {
		size_t n = 0;

		next = child->next;
		for (size_t i = 0; paths[i]; i++) {
			size_t n_part = strcspn(paths[i], ".");

			if (cJSON_IsArray(value))
				below[n++] = paths[i];
			else if (strlen(child->string) == n_part && strncmp(child->string, paths[i], n_part) == 0)
				below[n++] = paths[i] + n_part + (paths[i][n_part] == '.');
		}
		below[n] = NULL;
		if (!n || !prune(child, below))
			cJSON_Delete(cJSON_DetachItemViaPointer(value, child));
	}
	return true;
}

static void same_value(const char *text, const struct ek_tree *tree, const cJSON *json, const char *key)
{
	uint32_t i = 0;

	assert_string_equal(tree->key, key);
	switch (tree->kind) {
	case EK_TREE_OBJECT:
	case EK_TREE_ARRAY:
		if ((tree->kind == EK_TREE_OBJECT) != cJSON_IsObject(json) || (uint32_t)cJSON_GetArraySize(json) != tree->n_children)
			fail_msg("%s: at \"%s\": %u children, cJSON has %d", text, key, tree->n_children, cJSON_GetArraySize(json));
		for (const cJSON *child = json->child; child; child = child->next)
			same_value(text, tree->children[i++], child, cJSON_IsObject(json) ? child->string : "");
		break;
	case EK_TREE_STRING:
		assert_true(cJSON_IsString(json));
		assert_string_equal(tree->text, json->valuestring);
		break;
	case EK_TREE_NUMBER:
		assert_true(cJSON_IsNumber(json));
		assert_true(strtod(tree->text, NULL) == json->valuedouble);
		break;
	case EK_TREE_BOOLEAN:
		assert_string_equal(tree->text, cJSON_IsTrue(json) ? "true" : "false");
		break;
	default:
		assert_true(tree->kind == EK_TREE_NULL && cJSON_IsNull(json));
	}
}

static void check_against_cjson(const char *text, const char *const *paths)
{
	struct ek_tree_fields fields;
	struct ek_record *record;
	cJSON *json = cJSON_Parse(text);

	paths_of(paths, &fields);
	assert_non_null(json);
	record = read_with(&ek_tree_reader, &fields, text);
	assert_null(((const struct ek_record_tree *)record)->unfit);
	prune(json, paths);
	same_value(text, ek_record_tree_view((const struct ek_record_tree *)record, &arena)->root, json, "");
	cJSON_Delete(json);
	ek_record_drop(&ek_tree_reader, record, pool);
}

#define META "\"metadata\":{\"name\":\"x\",\"namespace\":\"shop\",\"uid\":\"u\",\"labels\":{\"a.b/c\":\"d\"}}"

static const char ingress[] =
	"{\"kind\":\"Ingress\"," META ",\"spec\":{\"ingressClassName\":\"x\",\"rules\":[{\"host\":\"a.example\",\"http\":{\"paths\":[{\"path\":\"/\","
	"\"backend\":{\"service\":{\"name\":\"web\",\"port\":{\"number\":80}}}},{\"path\":null}]}},{\"host\":\"caf\\u00e9 \\\"\\n\"},7,null,[\"x\"],{}],"
	"\"tls\":[{\"hosts\":[\"a\",\"b\"],\"secretName\":\"s\"}],\"empty\":{},\"flag\":true,\"ratio\":-1.5e3},\"status\":{\"loadBalancer\":{}}}";

static void trees_are_what_cjson_reads_pruned_to_the_fields(void **state)
{
	static const char *const fields[][5] = {
		{ "spec" }, { "spec.rules" }, { "spec.rules.host" }, { "spec.rules.http.paths.backend.service.name", "spec.tls.hosts" }, { "metadata.labels" },
		{ "spec.flag", "spec.ratio", "spec.empty", "kind" }, { "spec.rules.http", "spec" }, { "spec.missing", "missing.too" }, { "status.loadBalancer.ingress" },
		{ "spec.flag.deeper", "spec.rules.host.deeper" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		check_against_cjson(ingress, fields[i]);
}

static uint64_t chance;

static unsigned pick(unsigned n)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(chance >> 33) % n;
}

static cJSON *any_value(unsigned depth)
{
	static const char *const keys[] = { "a", "b", "c", "d" };
	cJSON *json;

	switch (pick(depth ? 8 : 4)) {
	case 0:
		return cJSON_CreateNull();
	case 1:
		return cJSON_CreateBool((int)pick(2));
	case 2:
		return cJSON_CreateNumber((double)pick(1000) / 8);
	case 3:
		return cJSON_CreateString(pick(2) ? "text" : "\"\\\n\xc3\xa9");
	case 4:
	case 5:
		json = cJSON_CreateArray();
		for (unsigned n = pick(4); n; n--)
			cJSON_AddItemToArray(json, any_value(depth - 1));
		return json;
	default:
		json = cJSON_CreateObject();
		for (unsigned i = 0; i < 4; i++)
			if (pick(2))
				cJSON_AddItemToObject(json, keys[i], any_value(depth - 1));
		return json;
	}
}

static void documents_of_chance_are_pruned_as_cjsons_are(void **state)
{
	static const char *const fields[][4] = { { "a" }, { "a.b" }, { "a.b.c", "b" }, { "a.a", "a.b.d", "c.d" }, { "d.c.b.a", "a.a.a" } };

	(void)state;
	for (unsigned seed = 0; seed < 3000; seed++) {
		cJSON *json = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(json, "metadata");
		char *text;

		chance = seed;
		cJSON_AddStringToObject(metadata, "name", "x");
		cJSON_AddItemToObject(json, "a", any_value(5));
		cJSON_AddItemToObject(json, "b", any_value(3));
		cJSON_AddItemToObject(json, "d", any_value(5));
		text = cJSON_PrintUnformatted(json);
		check_against_cjson(text, fields[seed % 5]);
		free(text);
		cJSON_Delete(json);
		ek_arena_reset(&arena);
	}
}

static const char *const everything[] = { "spec", "metadata.labels", NULL };

static void an_objects_identity_is_not_part_of_its_tree(void **state)
{
	struct ek_tree_fields fields;
	struct ek_record *record;
	const struct ek_object *object;

	(void)state;
	paths_of(everything, &fields);
	record = read_with(&ek_tree_reader, &fields, ingress);
	object = ek_record_tree_view((const struct ek_record_tree *)record, &arena);
	assert_string_equal(object->namespace_, "shop");
	assert_string_equal(object->name, "x");
	assert_string_equal(object->uid, "u");
	assert_null(ek_tree_find(object->root, "metadata.name"));
	assert_string_equal(ek_tree_text(object->root, "spec.rules.0.host"), "a.example");
	assert_string_equal(ek_tree_text(object->root, "spec.rules.0.http.paths.0.backend.service.name"), "web");
	assert_string_equal(ek_tree_find(object->root, "spec.rules.0.http.paths.0.backend.service.port.number")->text, "80");
	assert_null(ek_tree_text(object->root, "spec.ratio"));
	assert_null(ek_tree_find(object->root, "spec.rule"));
	assert_null(ek_tree_find(object->root, "spec.rules.6"));
	assert_null(ek_tree_find(object->root, "spec.rules.x"));
	assert_null(ek_tree_find(NULL, "spec"));
	assert_ptr_equal(ek_tree_find(object->root, ""), object->root);
	ek_record_drop(&ek_tree_reader, record, pool);
}

static bool are_equal_trees(const char *one, const char *other)
{
	static const char *const rules[] = { "spec.rules", NULL };
	struct ek_tree_fields fields;
	struct ek_record *a, *b;
	bool is_equal;

	paths_of(rules, &fields);
	a = read_with(&ek_tree_reader, &fields, one);
	b = read_with(&ek_tree_reader, &fields, other);
	is_equal = ek_tree_reader.equals(a, b);
	ek_record_drop(&ek_tree_reader, a, pool);
	ek_record_drop(&ek_tree_reader, b, pool);
	return is_equal;
}

static void only_what_is_read_is_a_change(void **state)
{
	static const char base[] = "{" META ",\"spec\":{\"rules\":[{\"host\":\"a\"}]}}";

	(void)state;
	assert_true(are_equal_trees(base, "{" META ",\"spec\":{\"rules\":[{\"host\":\"a\"}],\"other\":1},\"status\":{\"x\":1}}"));
	assert_false(are_equal_trees(base, "{" META ",\"spec\":{\"rules\":[{\"host\":\"b\"}]}}"));
	assert_false(are_equal_trees(base, "{" META ",\"spec\":{\"rules\":[{\"host\":[\"a\"]}]}}"));
	assert_false(are_equal_trees(base, "{" META ",\"spec\":{\"rules\":[{\"hose\":\"a\"}]}}"));
	assert_false(are_equal_trees("{" META ",\"spec\":{\"rules\":[1]}}", "{" META ",\"spec\":{\"rules\":[\"1\"]}}"));
	assert_false(are_equal_trees("{" META ",\"spec\":{\"rules\":[[],[1]]}}", "{" META ",\"spec\":{\"rules\":[[1],[]]}}"));
}

/* ---- Too much ---- */

static const char *why_unfit(const char *text)
{
	struct ek_tree_fields fields;
	struct ek_record *record;
	const char *why;

	paths_of(everything, &fields);
	record = read_with(&ek_tree_reader, &fields, text);
	why = ((const struct ek_record_tree *)record)->unfit;
	assert_string_equal(record->name, "x");
	ek_record_drop(&ek_tree_reader, record, pool);
	return why ? why : "";
}

static char *repeated(const char *before, const char *what, size_t n, const char *after)
{
	size_t n_before = strlen(before), n_what = strlen(what), n_after = strlen(after);
	char *text = malloc(n_before + n * n_what + n_after + 1), *at = text + n_before;

	memcpy(text, before, n_before);
	for (size_t i = 0; i < n; i++, at += n_what)
		memcpy(at, what, n_what);
	memcpy(at, after, n_after + 1);
	return text;
}

static void what_is_too_much_to_be_shown_is_said(void **state)
{
	static const struct {
		const char *field, *before, *what, *after;
		size_t n;
		const char *why;
	} cases[] = {
		{ "spec", "\"", "a", "\"", 65534, "" },
		{ "spec", "\"", "a", "\"", 65535, "holds a text of more than 64 KiB" },
		{ "status", "\"", "a", "\"", 65535, "" }, /* it is not read */
		{ "spec", "", "[", "", 31, "" },
		{ "spec", "", "[", "", 32, "is nested deeper than 32 levels" },
		{ "spec", "[0", ",0", "]", 13000, "" },
		{ "spec", "[0", ",0", "]", 15000, "has more than 256 KiB in the fields that are read" },
		{ "spec", "\"", "\\u0000", "\"", 1, "holds a text with U+0000" },
		{ "spec", "{\"", "\\u0000", "\":1}", 1, "holds a text with U+0000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_nested = cases[i].what[0] == '[';
		char *closing = repeated("", "]", is_nested ? cases[i].n : 0, "}");
		char *value = repeated(cases[i].before, cases[i].what, cases[i].n, cases[i].after);
		size_t size = strlen(value) + strlen(closing) + 300;
		char *text = malloc(size);

		snprintf(text, size, "{" META ",\"%s\":%s%s", cases[i].field, value, closing);
		if (strcmp(why_unfit(text), cases[i].why) != 0)
			fail_msg("case %zu: \"%s\"", i, why_unfit(text));
		free(text);
		free(value);
		free(closing);
	}
}

/* ---- Faults ---- */

/* That nothing is owed to the pool afterwards is asserted by tear_down. */
static void a_document_cut_short_leaves_nothing_behind(void **state)
{
	static const char pod[] = POD("{\"a\":\"b\",\"c\":\"d\"}", "u", ""), node[] = NODE("{\"a\":\"b\"}", "True", "1");
	struct ek_tree_fields fields;
	struct ek_record *record = NULL;

	(void)state;
	paths_of(everything, &fields);
	for (size_t n = 0; n < sizeof(pod) - 1; n++)
		assert_int_equal(ek_pod_reader.read((struct ek_slice){ pod, n }, NULL, pool, &record, NULL), EK_INVALID);
	for (size_t n = 0; n < sizeof(node) - 1; n++)
		assert_int_equal(ek_node_reader.read((struct ek_slice){ node, n }, NULL, pool, &record, NULL), EK_INVALID);
	for (size_t n = 0; n < sizeof(ingress) - 1; n++)
		assert_int_equal(ek_tree_reader.read((struct ek_slice){ ingress, n }, &fields, pool, &record, NULL), EK_INVALID);
	assert_null(record);
}

static void a_document_of_another_shape_is_refused(void **state)
{
	static const char *const texts[] = { "{}", "null", "[]", "7", "{\"metadata\":{\"namespace\":\"x\"}}", "{\"metadata\":[]}", "{\"metadata\":{\"name\":{}}}" };
	static const struct ek_record_reader *const readers[] = { &ek_pod_reader, &ek_node_reader, &ek_tree_reader };
	struct ek_tree_fields fields;
	struct ek_record *record = NULL;

	(void)state;
	paths_of(everything, &fields);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(readers[k]->read(slice_of(texts[i]), &fields, pool, &record, NULL), EK_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pod_is_its_name_uid_and_sorted_labels),
		TEST(a_pods_status_is_no_change_and_its_labels_are),
		TEST(a_node_is_its_labels_addresses_zone_and_readiness),
		TEST(a_nodes_heartbeat_is_no_change_and_its_readiness_is),
		TEST(a_node_without_a_zone_has_none),
		TEST(trees_are_what_cjson_reads_pruned_to_the_fields),
		TEST(documents_of_chance_are_pruned_as_cjsons_are),
		TEST(an_objects_identity_is_not_part_of_its_tree),
		TEST(only_what_is_read_is_a_change),
		TEST(what_is_too_much_to_be_shown_is_said),
		TEST(a_document_cut_short_leaves_nothing_behind),
		TEST(a_document_of_another_shape_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
