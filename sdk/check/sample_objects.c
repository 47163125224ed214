/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the objects that a mode is shown of the resources it reads.
 * It judges neither the declarations (mode_rules.c does first) nor what a mode makes of the objects.
 * Read next: kube/records.h.
 */
#include "sample_objects.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (4u << 20)

/* ---- a file ---- */

static bool read_file(const char *path, struct ek_buf *out)
{
	FILE *file = fopen(path, "re");
	char piece[16384];
	size_t n;

	while (file && (n = fread(piece, 1, sizeof(piece), file)) > 0 && ek_buf_add(out, piece, n) == EK_OK)
		;
	if (file)
		fclose(file);
	return file && !out->is_over;
}

int ek_given_objects_read(const char *argument, struct ek_arena *arena, struct ek_given_objects *out, struct ek_error *err)
{
	const char *path = strchr(argument, '=') + 1;
	struct ek_buf bytes;
	struct ek_json json;
	int code = EK_OK;

	ek_buf_init(&bytes, FILE_MAX);
	if (!read_file(path, &bytes))
		code = ek_fail(err, EK_INVALID, "%.120s cannot be read: %s", path, bytes.is_over ? "it is too big" : strerror(errno));
	out->plural = ek_arena_strndup(arena, argument, (size_t)(path - argument - 1));
	out->list = (struct ek_slice){ ek_arena_strndup(arena, bytes.at, bytes.n), bytes.n };
	ek_buf_clear(&bytes);
	if (code != EK_OK)
		return code;
	ek_json_init(&json, out->list.at, out->list.n);
	ek_json_skip(&json);
	return ek_json_finish(&json, err) == EK_OK ? EK_OK : ek_error_wrap(err, "%.120s", path);
}

/* ---- objects ---- */

struct making {
	struct ek_sample_objects *samples;
	struct ek_tree_fields fields;
	const struct ek_object **objects;
	uint32_t n, room;
	struct ek_arena *arena;
};

static void add_object(struct making *making, struct ek_slice json)
{
	struct ek_sample_objects *samples = making->samples;
	struct ek_record *record;

	if (samples->n == sizeof(samples->records) / sizeof(samples->records[0]) || making->n == making->room)
		return;
	if (ek_tree_reader.read(json, &making->fields, samples->pool, &record, NULL) != EK_OK)
		return;
	samples->records[samples->n++] = record;
	if (!((const struct ek_record_tree *)record)->unfit)
		making->objects[making->n++] = ek_record_tree_view((const struct ek_record_tree *)record, making->arena);
}

static void add_given(struct making *making, struct ek_slice list)
{
	struct ek_json json;
	struct ek_slice key;

	ek_json_init(&json, list.at, list.n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (!ek_slice_equals(key, "items")) {
			ek_json_skip(&json);
			continue;
		}
		for (ek_json_enter_array(&json); ek_json_next_item(&json);)
			add_object(making, ek_json_raw(&json));
	}
}

static const char *const shapes[] = {
	"{}", "[]", "null", "\"\"", "\"text\"", "true", "-1.5e3", "[null,\"text\",[],{}]", "[{\"host\":null,\"name\":[],\"hosts\":{}}]",
	"{\"name\":{},\"host\":[{}],\"http\":\"text\",\"items\":null}", "[[[[\"deep\"]]]]",
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* One object for each shape and field, in which that field alone has it. */
static void add_shaped(struct making *making, bool is_namespaced)
{
	for (unsigned f = 0; f < making->fields.n; f++) {
		const struct ek_tree_way *way = &making->fields.at[f];

		for (unsigned s = 0; s < N_SHAPES; s++) {
			struct ek_buf text;

			ek_buf_init(&text, 1u << 16);
			ek_buf_addf(&text, "{\"metadata\":{\"name\":\"object-%02u-%02u\",\"uid\":\"uid-%02u-%02u\"%s}", f, s, f, s,
				is_namespaced ? ",\"namespace\":\"shop\"" : "");
			for (unsigned p = 0; p < way->n_parts; p++)
				ek_buf_addf(&text, "%s\"%s\":", p ? "{" : ",", way->parts[p]);
			ek_buf_adds(&text, shapes[s]);
			for (unsigned p = 0; p < way->n_parts; p++)
				ek_buf_adds(&text, "}");
			add_object(making, (struct ek_slice){ text.at, text.n });
			ek_buf_clear(&text);
		}
	}
}

static const struct ek_object_list *make_list(struct ek_sample_objects *samples, const struct ek_resource_read *declared, const struct ek_given_objects *given,
	bool is_odd, struct ek_arena *arena)
{
	struct making making = { .samples = samples, .room = 512, .arena = arena, .objects = ek_arena_alloc(arena, 512 * sizeof(*making.objects)) };
	struct ek_object_list *list = ek_arena_alloc(arena, sizeof(*list));
	bool is_given = false;

	ek_tree_fields_init(&making.fields, declared->fields, declared->n_fields, arena);
	for (; !is_odd && given->plural; given++) {
		if (strcmp(given->plural, declared->plural) != 0)
			continue;
		add_given(&making, given->list);
		is_given = true;
	}
	if (!is_given)
		add_shaped(&making, declared->is_namespaced);
	*list = (struct ek_object_list){ .size = sizeof(*list), .n_objects = making.n, .objects = making.objects };
	return list;
}

const struct ek_object_list *const *ek_sample_objects_make(struct ek_sample_objects *samples, const struct ek_resource_read *const *declared, uint32_t n,
	const struct ek_given_objects *given, bool is_odd, struct ek_arena *arena)
{
	const struct ek_object_list **lists = ek_arena_alloc(arena, (n + 1) * sizeof(*lists));

	*samples = (struct ek_sample_objects){ .pool = ek_intern_new() };
	for (uint32_t i = 0; i < n; i++)
		lists[i] = make_list(samples, declared[i], given, is_odd, arena);
	return lists;
}

void ek_sample_objects_clear(struct ek_sample_objects *samples)
{
	for (size_t i = 0; i < samples->n; i++)
		ek_record_drop(&ek_tree_reader, samples->records[i], samples->pool);
	ek_intern_free(samples->pool);
}
