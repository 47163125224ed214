/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an object of any resource and keeps the named fields of it, with all below them, as a flat row of values.
 * What is too much of it is not cut: the record then says why it cannot be shown.
 * Next: objects.c, where the records go.
 */
#include "kube/records.h"

#include "kube/resources_inside.h"

#include <string.h>

#define WHOLE UINT64_MAX /* no field is asked any more: all is kept */

struct draft {
	const struct ek_tree_fields *fields;
	const char *unfit;
	struct ek_record_value *values;
	uint32_t n, room;
	struct ek_buf texts;
};

void ek_tree_fields_init(struct ek_tree_fields *fields, const char *const *paths, uint32_t n, struct ek_arena *arena)
{
	*fields = (struct ek_tree_fields){ .n = n };
	for (uint32_t i = 0; i < n; i++) {
		struct ek_tree_way *field = &fields->at[i];
		char *rest = ek_arena_strdup(arena, paths[i]), *part;

		while ((part = strsep(&rest, ".")))
			field->parts[field->n_parts++] = part;
	}
}

/* ---- keeping ---- */

static void refuse(struct draft *draft, const char *why)
{
	if (!draft->unfit)
		draft->unfit = why;
}

static bool is_within(const struct draft *draft)
{
	return draft->n * sizeof(*draft->values) + draft->texts.n <= EK_TREE_BYTES_MAX;
}

/* Where the text begins; 0 for an empty one. `raw` is a string of the document with its quotes, or a plain word. */
static uint32_t keep_text(struct draft *draft, struct ek_slice raw)
{
	uint32_t at = (uint32_t)draft->texts.n;
	struct ek_json json;
	struct ek_slice text;
	char *scratch;

	if (raw.n > EK_TREE_TEXT_MAX) {
		refuse(draft, "holds a text of more than 64 KiB");
		return 0;
	}
	scratch = ek_xmalloc(raw.n + 1);
	ek_json_init(&json, raw.at, raw.n);
	text = ek_json_slice(&json, scratch, raw.n + 1);
	if (ek_json_failed(&json)) {
		refuse(draft, "holds a text with U+0000");
		text.n = 0;
	}
	if (text.n) {
		ek_buf_add(&draft->texts, text.at, text.n);
		ek_buf_add(&draft->texts, "", 1);
	}
	free(scratch);
	return text.n ? at : 0;
}

/* A key as the document has it, without its quotes. */
static uint32_t keep_key(struct draft *draft, struct ek_slice key)
{
	return keep_text(draft, (struct ek_slice){ key.at - 1, key.n + 2 });
}

/* The new value's place; they move. */
static uint32_t add_value(struct draft *draft, enum ek_tree_kind kind, uint32_t key)
{
	draft->values = ek_grow(draft->values, draft->n, &draft->room, sizeof(*draft->values));
	draft->values[draft->n] = (struct ek_record_value){ .kind = kind, .key = key };
	return draft->n++;
}

/* ---- pruning ---- */

/* Which of the fields lead on through this key; WHOLE where one ends there. */
static uint64_t lead_on(const struct ek_tree_fields *fields, uint64_t active, unsigned n_parts, struct ek_slice key)
{
	uint64_t on = 0;

	if (active == WHOLE)
		return WHOLE;
	for (unsigned i = 0; i < fields->n; i++) {
		const struct ek_tree_way *field = &fields->at[i];

		if (!(active & 1ull << i) || !ek_slice_equals(key, field->parts[n_parts]))
			continue;
		if (field->n_parts == n_parts + 1)
			return WHOLE;
		on |= 1ull << i;
	}
	return on;
}

/* Where the reader stands: the fields that lead here, how many of their parts are behind, how many levels. */
struct place {
	uint64_t active;
	unsigned n_parts, depth;
	uint32_t key;
};

static bool read_value(struct ek_json *json, struct draft *draft, struct place here);

static void read_members(struct ek_json *json, struct draft *draft, struct place here, uint32_t self)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		struct place below = { .active = lead_on(draft->fields, here.active, here.n_parts, key), .n_parts = here.n_parts + 1,
			.depth = here.depth + 1 };

		if (!below.active) {
			ek_json_skip(json);
			continue;
		}
		below.key = keep_key(draft, key);
		if (read_value(json, draft, below))
			draft->values[self].n_children++;
	}
}

static void read_items(struct ek_json *json, struct draft *draft, struct place here, uint32_t self)
{
	struct place below = { .active = here.active, .n_parts = here.n_parts, .depth = here.depth + 1 };

	for (ek_json_enter_array(json); ek_json_next_item(json);)
		if (read_value(json, draft, below))
			draft->values[self].n_children++;
}

static void read_scalar(struct ek_json *json, struct draft *draft, uint32_t key)
{
	static const enum ek_tree_kind kinds[] = {
		[EK_JSON_NULL] = EK_TREE_NULL, [EK_JSON_BOOLEAN] = EK_TREE_BOOLEAN, [EK_JSON_NUMBER] = EK_TREE_NUMBER, [EK_JSON_STRING] = EK_TREE_STRING,
	};
	enum ek_tree_kind kind = kinds[ek_json_peek(json)];
	struct ek_slice raw = ek_json_raw(json);
	uint32_t self = add_value(draft, kind, key), text;

	if (kind == EK_TREE_NULL || !raw.n)
		return;
	text = keep_text(draft, raw);
	draft->values[self].text = text;
}

/* False for what is not kept: a value that is on the way to a field and leads nowhere. */
static bool read_value(struct ek_json *json, struct draft *draft, struct place here)
{
	enum ek_json_kind kind = ek_json_peek(json);

	if (here.depth >= EK_TREE_DEPTH_MAX && (kind == EK_JSON_OBJECT || kind == EK_JSON_ARRAY))
		refuse(draft, "is nested deeper than 32 levels");
	if (!is_within(draft))
		refuse(draft, "has more than 256 KiB in the fields that are read");
	if (draft->unfit) {
		ek_json_skip(json);
		return false;
	}
	switch (kind) {
	case EK_JSON_OBJECT:
		read_members(json, draft, here, add_value(draft, EK_TREE_OBJECT, here.key));
		return true;
	case EK_JSON_ARRAY:
		read_items(json, draft, here, add_value(draft, EK_TREE_ARRAY, here.key));
		return true;
	case EK_JSON_END:
		return false;
	default:
		if (here.active != WHOLE) {
			ek_json_skip(json);
			return false;
		}
		read_scalar(json, draft, here.key);
		return true;
	}
}

/* ---- records ---- */

static struct ek_record *pack(const struct draft *draft, const struct ek_object_meta *meta, struct ek_intern *pool)
{
	size_t n_name = strlen(meta->name) + 1, n_uid = strlen(meta->uid) + 1, n_values = draft->unfit ? 0 : draft->n * sizeof(*draft->values);
	size_t n_texts = draft->unfit ? 0 : draft->texts.n, n_bytes = sizeof(struct ek_record_tree) + n_values + n_texts + n_name + n_uid;
	struct ek_record_tree *tree = ek_xmalloc(n_bytes);
	struct ek_record_value *values = (struct ek_record_value *)(tree + 1);
	char *texts = (char *)values + n_values, *name = texts + n_texts;

	if (n_values)
		memcpy(values, draft->values, n_values);
	if (n_texts)
		memcpy(texts, draft->texts.at, n_texts);
	memcpy(name, meta->name, n_name);
	memcpy(name + n_name, meta->uid, n_uid);
	*tree = (struct ek_record_tree){
		.base = { .namespace_ = ek_intern_ref(pool, meta->namespace_, strlen(meta->namespace_)), .name = name, .uid = name + n_name,
			  .n_refs = 1, .n_bytes = (uint32_t)n_bytes },
		.unfit = draft->unfit, .values = values, .n_values = (uint32_t)(n_values / sizeof(*values)), .texts = texts, .n_text_bytes = (uint32_t)n_texts,
	};
	return &tree->base;
}

static int read_tree(struct ek_slice text, const void *arg, struct ek_intern *pool, struct ek_record **out, struct ek_error *err)
{
	struct draft draft = { .fields = arg };
	struct ek_object_meta meta;
	struct ek_json json;
	int code = ek_read_object_meta(text, &meta, err);

	if (code != EK_OK)
		return code;
	ek_buf_init(&draft.texts, EK_TREE_BYTES_MAX + 2 * EK_TREE_TEXT_MAX);
	ek_buf_add(&draft.texts, "", 1);
	ek_json_init(&json, text.at, text.n);
	read_value(&json, &draft, (struct place){ .active = (1ull << draft.fields->n) - 1 });
	code = ek_json_finish(&json, err);
	if (code == EK_OK)
		*out = pack(&draft, &meta, pool);
	ek_buf_clear(&draft.texts);
	free(draft.values);
	return code;
}

static void release_tree(struct ek_record *record, struct ek_intern *pool)
{
	ek_intern_unref(pool, record->namespace_);
}

static bool same_tree(const struct ek_record *one, const struct ek_record *other)
{
	const struct ek_record_tree *a = (const struct ek_record_tree *)one, *b = (const struct ek_record_tree *)other;

	if (strcmp(one->uid, other->uid) != 0 || a->unfit != b->unfit || a->n_values != b->n_values || a->n_text_bytes != b->n_text_bytes)
		return false;
	return memcmp(a->values, b->values, a->n_values * sizeof(*a->values)) == 0 && memcmp(a->texts, b->texts, a->n_text_bytes) == 0;
}

const struct ek_record_reader ek_tree_reader = { .read = read_tree, .equals = same_tree, .release = release_tree };

/* ---- as modes see them ---- */

struct view {
	const struct ek_record_tree *tree;
	struct ek_tree *values;
	const struct ek_tree **children; /* of all, each value's in a row */
	uint32_t next, next_child;
};

/* Values come in the order of the record; a value's children get their places before those below them do. */
static const struct ek_tree *make_value(struct view *view)
{
	const struct ek_record_value *from = &view->tree->values[view->next];
	struct ek_tree *out = &view->values[view->next++];
	const struct ek_tree **children = view->children + view->next_child;

	view->next_child += from->n_children;
	*out = (struct ek_tree){ .size = sizeof(*out), .kind = from->kind, .key = view->tree->texts + from->key, .text = view->tree->texts + from->text,
		.n_children = from->n_children, .children = children };
	for (uint32_t i = 0; i < from->n_children; i++)
		children[i] = make_value(view);
	return out;
}

const struct ek_object *ek_record_tree_view(const struct ek_record_tree *tree, struct ek_arena *arena)
{
	struct ek_object *out = ek_arena_alloc(arena, sizeof(*out));
	struct view view = { .tree = tree, .values = ek_arena_alloc(arena, tree->n_values * sizeof(*view.values)),
		.children = ek_arena_alloc(arena, tree->n_values * sizeof(struct ek_tree *)) };

	*out = (struct ek_object){ .size = sizeof(*out), .namespace_ = tree->base.namespace_, .name = tree->base.name, .uid = tree->base.uid,
		.root = make_value(&view) };
	return out;
}
