/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a tree of values from libyaml's events and refuses what a configuration has no use for.
 * It gives no meaning to the tree, and keeps nothing of libyaml's.
 * Next: value.c, which reads single values out of it.
 */
#include "base/yaml.h"

#include <yaml.h>

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

struct anchor {
	const struct anchor *next;
	const char *name;
	const struct ek_value *value;
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;              /* the present one */
	const char *bytes;
	size_t n_bytes;
	struct ek_arena *arena;
	const struct anchor *anchors;    /* the newest first */
	unsigned n_nodes, max_nodes;
	struct ek_error *err;
};

static int read_node(struct reader *r, unsigned depth, struct ek_value **out);

/* ---- Faults ---- */

static int refuse_at(struct reader *r, int code, yaml_mark_t at, const char *what)
{
	return ek_fail(r->err, code, "line %zu, column %zu: %s", at.line + 1, at.column + 1, what);
}

static int refuse(struct reader *r, const char *what)
{
	return refuse_at(r, EK_INVALID, r->event.start_mark, what);
}

/* Bytes that are no text have an offset, but no mark. */
static yaml_mark_t mark_of_offset(const struct reader *r, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset && i < r->n_bytes; i++) {
		mark.column++;
		if (r->bytes[i] != '\n')
			continue;
		mark.line++;
		mark.column = 0;
	}
	return mark;
}

static int refuse_syntax(struct reader *r)
{
	const yaml_parser_t *parser = &r->parser;
	const char *problem = parser->problem ? parser->problem : "not YAML";
	yaml_mark_t at = parser->problem_mark;

	if (parser->error == YAML_READER_ERROR)
		at = mark_of_offset(r, parser->problem_offset);
	return refuse_at(r, EK_INVALID, at, problem);
}

static int next_event(struct reader *r)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		memset(&r->event, 0, sizeof(r->event));
		return refuse_syntax(r);
	}
	return EK_OK;
}

/* ---- Nodes ---- */

static int new_node(struct reader *r, enum ek_value_kind kind, struct ek_value **out)
{
	struct ek_value *node;

	if (r->n_nodes == r->max_nodes)
		return refuse_at(r, EK_TOO_BIG, r->event.start_mark, "the document has too many values");
	r->n_nodes++;
	node = ek_arena_alloc(r->arena, sizeof(*node));
	node->kind = kind;
	node->text = "";
	node->line = (unsigned)r->event.start_mark.line + 1;
	node->column = (unsigned)r->event.start_mark.column + 1;
	*out = node;
	return EK_OK;
}

/* The text of the present event, a scalar. */
static int read_text(struct reader *r, const char **out)
{
	const char *text = (const char *)r->event.data.scalar.value;
	size_t n = r->event.data.scalar.length;

	if (memchr(text, '\0', n))
		return refuse(r, "a text holds U+0000");
	*out = ek_arena_strndup(r->arena, text, n);
	return EK_OK;
}

static bool is_null(const char *text)
{
	return !text[0] || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL");
}

static int check_tag(struct reader *r, const char *tag, const char *allowed)
{
	if (!tag || !strcmp(tag, "!") || !strcmp(tag, allowed))
		return EK_OK;
	return refuse(r, "a tag that has no meaning here");
}

static int read_scalar(struct reader *r, struct ek_value *node)
{
	const char *tag = (const char *)r->event.data.scalar.tag;

	if (check_tag(r, tag, YAML_STR_TAG) || read_text(r, &node->text))
		return EK_INVALID;
	node->is_quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE || tag;
	if (node->is_quoted || !is_null(node->text))
		return EK_OK;
	node->kind = EK_VALUE_NULL;
	node->text = "";
	return EK_OK;
}

static int read_list(struct reader *r, struct ek_value *node, unsigned depth)
{
	const struct ek_value **tail = &node->first;
	int code = check_tag(r, (const char *)r->event.data.sequence_start.tag, YAML_SEQ_TAG);

	while (code == EK_OK && (code = next_event(r)) == EK_OK && r->event.type != YAML_SEQUENCE_END_EVENT) {
		struct ek_value *member = NULL;

		code = read_node(r, depth + 1, &member);
		if (code != EK_OK)
			break;
		*tail = member;
		tail = &member->next;
		node->n++;
	}
	return code;
}

/* ---- Maps ---- */

static int compare_members(const void *a, const void *b)
{
	const struct ek_value *one = *(const struct ek_value *const *)a, *other = *(const struct ek_value *const *)b;
	int order = strcmp(one->key, other->key);

	if (order == 0)
		order = (one->line > other->line) - (one->line < other->line);
	if (order == 0)
		order = (one->column > other->column) - (one->column < other->column);
	return order;
}

static int check_keys(struct reader *r, const struct ek_value *map)
{
	const struct ek_value **members, *member;
	unsigned n = 0;

	if (map->n < 2)
		return EK_OK;
	members = ek_arena_alloc(r->arena, map->n * sizeof(const struct ek_value *));
	for (member = map->first; member; member = member->next)
		members[n++] = member;
	qsort(members, n, sizeof(const struct ek_value *), compare_members);
	for (unsigned i = 1; i < n; i++)
		if (strcmp(members[i - 1]->key, members[i]->key) == 0)
			return ek_fail(r->err, EK_INVALID, "line %u, column %u: %.64s is there already, in line %u", members[i]->line,
				members[i]->column, members[i]->key, members[i - 1]->line);
	return EK_OK;
}

static int read_member(struct reader *r, unsigned depth, struct ek_value **out)
{
	yaml_mark_t at = r->event.start_mark;
	const char *key = NULL;
	int code;

	if (r->event.type != YAML_SCALAR_EVENT)
		return refuse(r, "a key must be a plain text");
	if (r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp((const char *)r->event.data.scalar.value, "<<"))
		return refuse(r, "merge keys are not understood; write the keys out");
	code = read_text(r, &key);
	if (code == EK_OK)
		code = next_event(r);
	if (code == EK_OK)
		code = read_node(r, depth + 1, out);
	if (code != EK_OK)
		return code;
	(*out)->key = key;
	(*out)->line = (unsigned)at.line + 1;
	(*out)->column = (unsigned)at.column + 1;
	return EK_OK;
}

static int read_map(struct reader *r, struct ek_value *node, unsigned depth)
{
	const struct ek_value **tail = &node->first;
	int code = check_tag(r, (const char *)r->event.data.mapping_start.tag, YAML_MAP_TAG);

	while (code == EK_OK && (code = next_event(r)) == EK_OK && r->event.type != YAML_MAPPING_END_EVENT) {
		struct ek_value *member = NULL;

		code = read_member(r, depth, &member);
		if (code != EK_OK)
			break;
		*tail = member;
		tail = &member->next;
		node->n++;
	}
	return code == EK_OK ? check_keys(r, node) : code;
}

/* ---- Anchors ---- */

static void keep_anchor(struct reader *r, const char *name, const struct ek_value *value)
{
	struct anchor *anchor = ek_arena_alloc(r->arena, sizeof(*anchor));

	*anchor = (struct anchor){ .next = r->anchors, .name = name, .value = value };
	r->anchors = anchor;
}

/* Each node counts anew, so that aliases of aliases end at the limit as everything else does. */
static int copy_node(struct reader *r, const struct ek_value *from, struct ek_value **out)
{
	const struct ek_value **tail;
	struct ek_value *node = NULL;
	int code = new_node(r, from->kind, &node);

	if (code != EK_OK)
		return code;
	*node = *from;
	node->next = NULL;
	tail = &node->first;
	for (const struct ek_value *member = from->first; member; member = member->next) {
		struct ek_value *copy = NULL;

		code = copy_node(r, member, &copy);
		if (code != EK_OK)
			return code;
		*tail = copy;
		tail = &copy->next;
	}
	*out = node;
	return EK_OK;
}

static unsigned height(const struct ek_value *value)
{
	unsigned highest = 0;

	for (const struct ek_value *member = value->first; member; member = member->next) {
		unsigned h = height(member);

		highest = h > highest ? h : highest;
	}
	return highest + 1;
}

static int read_alias(struct reader *r, unsigned depth, struct ek_value **out)
{
	const char *name = (const char *)r->event.data.alias.anchor;
	const struct anchor *anchor = r->anchors;
	int code;

	while (anchor && strcmp(anchor->name, name) != 0)
		anchor = anchor->next;
	if (!anchor)
		return refuse(r, "an alias of nothing that is complete");
	if (depth + height(anchor->value) > DEPTH_MAX + 1)
		return refuse(r, "nested too deeply");
	code = copy_node(r, anchor->value, out);
	if (code != EK_OK)
		return code;
	(*out)->key = NULL;
	(*out)->line = (unsigned)r->event.start_mark.line + 1;
	(*out)->column = (unsigned)r->event.start_mark.column + 1;
	return EK_OK;
}

static const char *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

/* ---- The document ---- */

/* Stands at the first event of a node, ends at its last. */
static int read_node(struct reader *r, unsigned depth, struct ek_value **out)
{
	static const enum ek_value_kind kinds[] = {
		[YAML_SCALAR_EVENT] = EK_VALUE_SCALAR,
		[YAML_SEQUENCE_START_EVENT] = EK_VALUE_LIST,
		[YAML_MAPPING_START_EVENT] = EK_VALUE_MAP,
	};
	yaml_event_type_t type = r->event.type;
	const char *anchor;
	int code;

	if (type == YAML_ALIAS_EVENT)
		return read_alias(r, depth, out);
	if (depth > DEPTH_MAX)
		return refuse(r, "nested too deeply");
	anchor = ek_arena_strdup(r->arena, anchor_of(&r->event));
	code = new_node(r, kinds[type], out);
	if (code != EK_OK)
		return code;
	if (type == YAML_SCALAR_EVENT)
		code = read_scalar(r, *out);
	else if (type == YAML_SEQUENCE_START_EVENT)
		code = read_list(r, *out, depth);
	else
		code = read_map(r, *out, depth);
	if (code == EK_OK && anchor)
		keep_anchor(r, anchor, *out);
	return code;
}

static int read_document(struct reader *r, struct ek_value **root)
{
	int code = next_event(r); /* the stream's start */

	if (code == EK_OK)
		code = next_event(r);
	if (code != EK_OK)
		return code;
	if (r->event.type == YAML_STREAM_END_EVENT)
		return new_node(r, EK_VALUE_NULL, root);
	code = next_event(r);
	if (code == EK_OK)
		code = read_node(r, 1, root);
	if (code == EK_OK)
		code = next_event(r); /* the document's end */
	if (code == EK_OK)
		code = next_event(r);
	if (code == EK_OK && r->event.type != YAML_STREAM_END_EVENT)
		code = refuse(r, "a second document begins; only one is read");
	return code;
}

int ek_yaml_read(const char *bytes, size_t n, unsigned max_nodes, struct ek_arena *arena, const struct ek_value **root, struct ek_error *err)
{
	struct reader r = { .bytes = bytes, .n_bytes = n, .arena = arena, .max_nodes = max_nodes, .err = err };
	struct ek_value *tree = NULL;
	int code;

	if (!yaml_parser_initialize(&r.parser))
		return ek_fail(err, EK_TOO_BIG, "no memory for reading YAML");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, n);
	code = read_document(&r, &tree);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (code == EK_OK)
		*root = tree;
	return code;
}
