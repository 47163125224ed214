/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads pods and nodes.
 * It keeps no status but a node's readiness and addresses: what the ABI does not show must not wake anybody.
 * Next: records_tree.c, which reads any other resource.
 */
#include "kube/records.h"

#include "kube/resources_inside.h"

#include <string.h>

#define LABEL_ZONE     "topology.kubernetes.io/zone"
#define LABEL_ZONE_OLD "failure-domain.beta.kubernetes.io/zone"

void ek_record_drop(const struct ek_record_reader *reader, struct ek_record *record, struct ek_intern *pool)
{
	if (!record || --record->n_refs)
		return;
	reader->release(record, pool);
	free(record);
}

/* ---- reading ---- */

struct pairs {
	struct ek_record_label *at;
	uint32_t n, room;
};

/* A pod or a node while it is read. */
struct draft {
	struct ek_intern *pool;
	const char *namespace_;
	struct ek_buf texts;
	uint32_t name, uid;
	struct pairs labels, addresses;
	uint32_t flags;
};

static struct ek_record_label *add_pair(struct pairs *pairs)
{
	struct ek_record_label *pair;

	pairs->at = ek_grow(pairs->at, pairs->n, &pairs->room, sizeof(*pairs->at));
	pair = &pairs->at[pairs->n++];
	*pair = (struct ek_record_label){ NULL, NULL };
	return pair;
}

static const char *or_empty(struct draft *draft, const char *interned)
{
	return interned ? interned : ek_intern_ref(draft->pool, "", 0);
}

static void read_labels(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		struct ek_record_label *label = add_pair(&draft->labels);

		label->key = ek_intern_ref(draft->pool, key.at, key.n);
		label->value = or_empty(draft, ek_read_interned(json, draft->pool));
	}
}

static void read_metadata(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "namespace"))
			ek_read_into(json, draft->pool, &draft->namespace_);
		else if (ek_slice_equals(key, "name"))
			draft->name = ek_read_kept(json, &draft->texts);
		else if (ek_slice_equals(key, "uid"))
			draft->uid = ek_read_kept(json, &draft->texts);
		else if (ek_slice_equals(key, "labels"))
			read_labels(json, draft);
		else
			ek_json_skip(json);
	}
}

static void read_condition(struct ek_json *json, struct draft *draft)
{
	bool is_ready = false, is_true = false;
	struct ek_slice key;
	char scratch[64];

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "type"))
			is_ready = ek_slice_equals(ek_json_slice(json, scratch, sizeof(scratch)), "Ready");
		else if (ek_slice_equals(key, "status"))
			is_true = ek_slice_equals(ek_json_slice(json, scratch, sizeof(scratch)), "True");
		else
			ek_json_skip(json);
	}
	if (is_ready && is_true)
		draft->flags |= EK_NODE_READY;
}

static void read_address(struct ek_json *json, struct draft *draft)
{
	struct ek_record_label *address = add_pair(&draft->addresses);
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "type"))
			ek_read_into(json, draft->pool, &address->key);
		else if (ek_slice_equals(key, "address"))
			ek_read_into(json, draft->pool, &address->value);
		else
			ek_json_skip(json);
	}
	address->key = or_empty(draft, address->key);
	address->value = or_empty(draft, address->value);
}

static void read_node_status(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "conditions"))
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				read_condition(json, draft);
		else if (ek_slice_equals(key, "addresses"))
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				read_address(json, draft);
		else
			ek_json_skip(json);
	}
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct ek_record_label *)a)->key, ((const struct ek_record_label *)b)->key);
}

static int read_draft(struct ek_slice text, struct draft *draft, void (*read_status)(struct ek_json *json, struct draft *draft), struct ek_error *err)
{
	struct ek_json json;
	struct ek_slice key;

	ek_buf_init(&draft->texts, UINT32_MAX / 2);
	ek_buf_add(&draft->texts, "", 1);
	ek_json_init(&json, text.at, text.n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "metadata"))
			read_metadata(&json, draft);
		else if (read_status && ek_slice_equals(key, "status"))
			read_status(&json, draft);
		else
			ek_json_skip(&json);
	}
	if (!ek_json_failed(&json) && !draft->name)
		ek_json_fail(&json, "an object without a name");
	draft->namespace_ = or_empty(draft, draft->namespace_);
	if (draft->labels.n)
		qsort(draft->labels.at, draft->labels.n, sizeof(*draft->labels.at), compare_labels);
	return ek_json_finish(&json, err);
}

static void release_pairs(const struct ek_record_label *pairs, uint32_t n, struct ek_intern *pool)
{
	for (uint32_t i = 0; i < n; i++) {
		ek_intern_unref(pool, pairs[i].key);
		ek_intern_unref(pool, pairs[i].value);
	}
}

static void clear_draft(struct draft *draft, bool is_taken)
{
	if (!is_taken) {
		ek_intern_unref(draft->pool, draft->namespace_);
		release_pairs(draft->labels.at, draft->labels.n, draft->pool);
		release_pairs(draft->addresses.at, draft->addresses.n, draft->pool);
	}
	ek_buf_clear(&draft->texts);
	free(draft->labels.at);
	free(draft->addresses.at);
}

/* ---- packing: a record of `size` bytes, then labels, addresses, texts ---- */

static struct ek_record *pack(const struct draft *draft, size_t size, struct ek_record_label **labels)
{
	size_t n_labels = draft->labels.n * sizeof(**labels), n_addresses = draft->addresses.n * sizeof(**labels);
	size_t n_bytes = size + n_labels + n_addresses + draft->texts.n;
	struct ek_record *record = ek_xmalloc(n_bytes);
	char *texts = (char *)record + size + n_labels + n_addresses;

	memset(record, 0, size);
	*labels = (struct ek_record_label *)(void *)((char *)record + size);
	if (n_labels)
		memcpy(*labels, draft->labels.at, n_labels);
	if (n_addresses)
		memcpy(*labels + draft->labels.n, draft->addresses.at, n_addresses);
	memcpy(texts, draft->texts.at, draft->texts.n);
	*record = (struct ek_record){ .namespace_ = draft->namespace_, .name = texts + draft->name, .uid = texts + draft->uid,
		.n_refs = 1, .n_bytes = (uint32_t)n_bytes };
	return record;
}

static int read_pod(struct ek_slice json, const void *arg, struct ek_intern *pool, struct ek_record **out, struct ek_error *err)
{
	struct draft draft = { .pool = pool };
	int code = read_draft(json, &draft, NULL, err);

	(void)arg;
	if (code == EK_OK) {
		struct ek_record_label *labels;
		struct ek_record_pod *pod = (struct ek_record_pod *)pack(&draft, sizeof(*pod), &labels);

		pod->labels = labels;
		pod->n_labels = draft.labels.n;
		*out = &pod->base;
	}
	clear_draft(&draft, code == EK_OK);
	return code == EK_OK ? EK_OK : (ek_error_wrap(err, "Pod"), code);
}

static const char *find_zone(const struct draft *draft)
{
	const char *zone = NULL;

	for (uint32_t i = 0; i < draft->labels.n; i++) {
		const struct ek_record_label *label = &draft->labels.at[i];

		if (strcmp(label->key, LABEL_ZONE) == 0 || (!zone && strcmp(label->key, LABEL_ZONE_OLD) == 0))
			zone = label->value; /* sorted: the new name comes last */
	}
	return zone && *zone ? zone : NULL;
}

static int read_node(struct ek_slice json, const void *arg, struct ek_intern *pool, struct ek_record **out, struct ek_error *err)
{
	struct draft draft = { .pool = pool };
	int code = read_draft(json, &draft, read_node_status, err);

	(void)arg;
	if (code == EK_OK) {
		struct ek_record_label *labels;
		struct ek_record_node *node = (struct ek_record_node *)pack(&draft, sizeof(*node), &labels);

		node->zone = find_zone(&draft);
		node->labels = labels;
		node->n_labels = draft.labels.n;
		node->addresses = labels + draft.labels.n;
		node->n_addresses = draft.addresses.n;
		node->flags = draft.flags;
		*out = &node->base;
	}
	clear_draft(&draft, code == EK_OK);
	return code == EK_OK ? EK_OK : (ek_error_wrap(err, "Node"), code);
}

static void release_pod(struct ek_record *record, struct ek_intern *pool)
{
	const struct ek_record_pod *pod = (const struct ek_record_pod *)record;

	ek_intern_unref(pool, record->namespace_);
	release_pairs(pod->labels, pod->n_labels, pool);
}

static void release_node(struct ek_record *record, struct ek_intern *pool)
{
	const struct ek_record_node *node = (const struct ek_record_node *)record;

	ek_intern_unref(pool, record->namespace_);
	release_pairs(node->labels, node->n_labels, pool);
	release_pairs(node->addresses, node->n_addresses, pool);
}

/* ---- equality: interned texts are equal where their pointers are ---- */

static bool same_pairs(const struct ek_record_label *a, uint32_t n_a, const struct ek_record_label *b, uint32_t n_b)
{
	return n_a == n_b && memcmp(a, b, n_a * sizeof(*a)) == 0;
}

static bool same_pod(const struct ek_record *one, const struct ek_record *other)
{
	const struct ek_record_pod *a = (const struct ek_record_pod *)one, *b = (const struct ek_record_pod *)other;

	return strcmp(one->uid, other->uid) == 0 && same_pairs(a->labels, a->n_labels, b->labels, b->n_labels);
}

static bool same_node(const struct ek_record *one, const struct ek_record *other)
{
	const struct ek_record_node *a = (const struct ek_record_node *)one, *b = (const struct ek_record_node *)other;

	return a->flags == b->flags && same_pairs(a->labels, a->n_labels, b->labels, b->n_labels) &&
	       same_pairs(a->addresses, a->n_addresses, b->addresses, b->n_addresses);
}

const struct ek_record_reader ek_pod_reader = { .read = read_pod, .equals = same_pod, .release = release_pod };
const struct ek_record_reader ek_node_reader = { .read = read_node, .equals = same_node, .release = release_node };

/* ---- as modes see them ---- */

static const struct ek_pair *const *make_pairs(const struct ek_record_label *from, uint32_t n, struct ek_arena *arena)
{
	struct ek_pair *pairs = ek_arena_alloc(arena, n * sizeof(*pairs));
	const struct ek_pair **at = ek_arena_alloc(arena, n * sizeof(struct ek_pair *));

	for (uint32_t i = 0; i < n; i++) {
		pairs[i] = (struct ek_pair){ .size = sizeof(*pairs), .key = from[i].key, .value = from[i].value };
		at[i] = &pairs[i];
	}
	return at;
}

const struct ek_pod *ek_record_pod_view(const struct ek_record_pod *pod, struct ek_arena *arena)
{
	struct ek_pod *out = ek_arena_alloc(arena, sizeof(*out));

	*out = (struct ek_pod){ .size = sizeof(*out), .namespace_ = pod->base.namespace_, .name = pod->base.name, .uid = pod->base.uid,
		.n_labels = pod->n_labels, .labels = make_pairs(pod->labels, pod->n_labels, arena) };
	return out;
}

const struct ek_node *ek_record_node_view(const struct ek_record_node *node, struct ek_arena *arena)
{
	struct ek_node *out = ek_arena_alloc(arena, sizeof(*out));

	*out = (struct ek_node){ .size = sizeof(*out), .flags = node->flags, .name = node->base.name, .zone = node->zone,
		.n_addresses = node->n_addresses, .addresses = make_pairs(node->addresses, node->n_addresses, arena),
		.n_labels = node->n_labels, .labels = make_pairs(node->labels, node->n_labels, arena) };
	return out;
}
