/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the JSON patches that add and remove our finalizer and fail if the object is another by now.
 * It sends nothing and merges nothing.
 * Next: client.c, which sends them.
 */
#include "kube/patch.h"

#include <stdlib.h>
#include <string.h>

#include <eurekube/json.h>

#include "base/alloc.h"

/* Room for the operations around the finalizers' names. */
#define FRAME_BYTES 512u

struct list {
	const char *const *names;
	unsigned n;
};

/* Its place, or list->n. */
static unsigned find(const struct list *list, const char *name)
{
	unsigned i = 0;

	while (i < list->n && strcmp(list->names[i], name) != 0)
		i++;
	return i;
}

static void begin_operation(struct ek_json_writer *w, const char *op, const char *path)
{
	ek_json_write_object(w);
	ek_json_write_key(w, "op");
	ek_json_write_string(w, op);
	ek_json_write_key(w, "path");
	ek_json_write_string(w, path);
}

static void test_text(struct ek_json_writer *w, const char *path, const char *text)
{
	begin_operation(w, "test", path);
	ek_json_write_key(w, "value");
	ek_json_write_string(w, text);
	ek_json_write_object_end(w);
}

static void operate_on_list(struct ek_json_writer *w, const char *op, const struct list *list)
{
	begin_operation(w, op, "/metadata/finalizers");
	ek_json_write_key(w, "value");
	ek_json_write_array(w);
	for (unsigned i = 0; i < list->n; i++)
		ek_json_write_string(w, list->names[i]);
	ek_json_write_array_end(w);
	ek_json_write_object_end(w);
}

/* A name may grow sixfold by escapes, and stands in the patch twice at most. */
static size_t room_for(const char *uid, const struct list *list, const char *ours)
{
	size_t n = strlen(uid) + strlen(ours);

	for (unsigned i = 0; i < list->n; i++)
		n += strlen(list->names[i]) + 3;
	return n * 12 + FRAME_BYTES;
}

static void begin_patch(struct ek_json_writer *w, const char *uid, const struct list *list, const char *ours)
{
	size_t room = room_for(uid, list, ours);
	char *text = ek_xmalloc(room);

	ek_json_writer_init(w, text, room);
	ek_json_write_array(w);
	test_text(w, "/metadata/uid", uid);
}

static int end_patch(struct ek_json_writer *w, struct ek_buf *buf)
{
	size_t n;
	int code;

	ek_json_write_array_end(w);
	n = ek_json_writer_finish(w);
	if (!n)
		EK_BUG("a patch did not fit where it must");
	ek_buf_reset(buf);
	code = ek_buf_add(buf, w->start, n);
	free(w->start);
	return code;
}

int ek_patch_add_finalizer(struct ek_buf *buf, const char *uid, const char *const *finalizers, unsigned n, const char *ours)
{
	const struct list list = { finalizers, n };
	struct ek_json_writer w;

	if (find(&list, ours) < n)
		return EK_GONE;
	begin_patch(&w, uid, &list, ours);
	if (n == 0) {
		/* Where there is no list, "add" makes one; where one has come meanwhile, it would replace it. */
		begin_operation(&w, "test", "/metadata/finalizers");
		ek_json_write_key(&w, "value");
		ek_json_write_null(&w);
		ek_json_write_object_end(&w);
		operate_on_list(&w, "add", &(const struct list){ &ours, 1 });
	} else {
		operate_on_list(&w, "test", &list);
		begin_operation(&w, "add", "/metadata/finalizers/-");
		ek_json_write_key(&w, "value");
		ek_json_write_string(&w, ours);
		ek_json_write_object_end(&w);
	}
	return end_patch(&w, buf);
}

/* By its place, so that what others add behind it meanwhile is no conflict. */
int ek_patch_remove_finalizer(struct ek_buf *buf, const char *uid, const char *const *finalizers, unsigned n, const char *ours)
{
	const struct list list = { finalizers, n };
	struct ek_json_writer w;
	unsigned place = find(&list, ours);
	char path[48];

	if (place == n)
		return EK_GONE;
	snprintf(path, sizeof(path), "/metadata/finalizers/%u", place);
	begin_patch(&w, uid, &list, ours);
	test_text(&w, path, ours);
	begin_operation(&w, "remove", path);
	ek_json_write_object_end(&w);
	return end_patch(&w, buf);
}
