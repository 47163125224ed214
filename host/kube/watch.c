/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the body of a watch into its events, one JSON document per line, and orders resourceVersions.
 * It does not know what the objects are, nor what to do about an ERROR event.
 * Next: list.c, which cuts up the body of a list.
 */
#include "kube/watch.h"

#include <string.h>

/* What a line may leave allocated behind it. */
#define KEPT_BYTES (1u << 20)

/* ---- Events ---- */

static const char *const type_names[] = {
	[EK_WATCH_ADDED] = "ADDED",
	[EK_WATCH_MODIFIED] = "MODIFIED",
	[EK_WATCH_DELETED] = "DELETED",
	[EK_WATCH_BOOKMARK] = "BOOKMARK",
	[EK_WATCH_ERROR] = "ERROR",
};

static bool find_type(const char *name, enum ek_watch_type *type)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (strcmp(name, type_names[i]) == 0) {
			*type = (enum ek_watch_type)i;
			return true;
		}
	return false;
}

static void read_annotations(struct ek_json *json, struct ek_watch_event *event)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "k8s.io/initial-events-end"))
			event->is_initial_end = ek_slice_equals(ek_json_raw(json), "\"true\"");
		else
			ek_json_skip(json);
	}
}

static void read_metadata(struct ek_json *json, struct ek_watch_event *event)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "resourceVersion"))
			ek_json_text(json, event->resource_version, sizeof(event->resource_version));
		else if (event->type == EK_WATCH_BOOKMARK && ek_slice_equals(key, "annotations"))
			read_annotations(json, event);
		else
			ek_json_skip(json);
	}
}

/* For people only, so what does not fit is cut, and what is no text is nothing. */
static void read_cut_text(struct ek_json *json, char *out, size_t size)
{
	struct ek_slice raw = ek_json_raw(json);
	struct ek_json inner;
	char text[4096];
	size_t n;

	ek_json_init(&inner, raw.at, raw.n);
	n = ek_json_text(&inner, text, sizeof(text));
	if (n >= size) {
		n = size - 1;
		while (n && (text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, text, n);
	out[n] = '\0';
}

static void read_status(struct ek_json *json, struct ek_watch_event *event)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "code"))
			event->status_code = (int)ek_json_integer(json);
		else if (ek_slice_equals(key, "reason"))
			read_cut_text(json, event->status_reason, sizeof(event->status_reason));
		else if (ek_slice_equals(key, "message"))
			read_cut_text(json, event->status_message, sizeof(event->status_message));
		else
			ek_json_skip(json);
	}
}

/* The object was checked as a whole already, so the walk ends with the metadata. */
static void read_object(struct ek_json *json, struct ek_watch_event *event)
{
	struct ek_slice key;

	if (event->type == EK_WATCH_ERROR) {
		read_status(json, event);
		return;
	}
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "metadata")) {
			read_metadata(json, event);
			return;
		}
		ek_json_skip(json);
	}
}

static int read_event(const char *line, size_t n, struct ek_watch_event *event, struct ek_error *err)
{
	struct ek_json json;
	struct ek_slice key;
	char type[16] = "";

	*event = (struct ek_watch_event){ .object = { "", 0 } };
	ek_json_init(&json, line, n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "type"))
			ek_json_text(&json, type, sizeof(type));
		else if (ek_slice_equals(key, "object"))
			event->object = ek_json_raw(&json);
		else
			ek_json_skip(&json);
	}
	if (!ek_json_failed(&json) && !find_type(type, &event->type))
		ek_json_fail(&json, "an event of no known type");
	if (!ek_json_failed(&json) && (event->object.n == 0 || event->object.at[0] != '{'))
		ek_json_fail(&json, "an event without an object");
	if (ek_json_finish(&json, err) != EK_OK) {
		ek_error_wrap(err, "event of a watch");
		return EK_INVALID;
	}
	ek_json_init(&json, event->object.at, event->object.n);
	read_object(&json, event);
	if (ek_json_failed(&json))
		return ek_fail(err, EK_INVALID, "event of a watch: its object: %s", json.fault);
	return EK_OK;
}

/* ---- Lines ---- */

static bool is_blank(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static int take_line(struct ek_watch_splitter *s, const char *line, size_t n, struct ek_error *err)
{
	struct ek_watch_event event;
	int code;

	if (n > EK_WATCH_EVENT_MAX)
		return ek_fail(err, EK_TOO_BIG, "event of a watch: more than %u bytes", EK_WATCH_EVENT_MAX);
	if (is_blank(line, n))
		return EK_OK;
	code = read_event(line, n, &event, err);
	return code == EK_OK ? s->on_event(s->arg, &event, err) : code;
}

static int keep(struct ek_watch_splitter *s, const char *bytes, size_t n, struct ek_error *err)
{
	if (ek_buf_add(&s->line, bytes, n) == EK_OK)
		return EK_OK;
	return ek_fail(err, EK_TOO_BIG, "event of a watch: more than %u bytes", EK_WATCH_EVENT_MAX);
}

void ek_watch_splitter_init(struct ek_watch_splitter *s, int (*on_event)(void *arg, const struct ek_watch_event *event, struct ek_error *err), void *arg)
{
	ek_buf_init(&s->line, EK_WATCH_EVENT_MAX);
	s->on_event = on_event;
	s->arg = arg;
}

void ek_watch_splitter_clear(struct ek_watch_splitter *s)
{
	ek_buf_clear(&s->line);
}

int ek_watch_splitter_feed(struct ek_watch_splitter *s, const char *bytes, size_t n, struct ek_error *err)
{
	const char *end = bytes + n, *newline;
	int code;

	while (bytes < end && (newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		if (!s->line.n) {
			code = take_line(s, bytes, (size_t)(newline - bytes), err);
		} else {
			code = keep(s, bytes, (size_t)(newline - bytes), err);
			if (code == EK_OK)
				code = take_line(s, s->line.at, s->line.n, err);
		}
		if (code != EK_OK)
			return code;
		if (s->line.room > KEPT_BYTES)
			ek_buf_clear(&s->line);
		else
			ek_buf_reset(&s->line);
		bytes = newline + 1;
	}
	return bytes < end ? keep(s, bytes, (size_t)(end - bytes), err) : EK_OK;
}

/* ---- resourceVersions ---- */

static bool is_comparable(const char *version, size_t n)
{
	if (n == 0 || version[0] == '0')
		return false;
	return strspn(version, "0123456789") == n;
}

int ek_rv_compare(const char *a, const char *b, bool *is_known)
{
	size_t n_a = strlen(a), n_b = strlen(b);

	*is_known = is_comparable(a, n_a) && is_comparable(b, n_b);
	if (*is_known && n_a != n_b)
		return n_a < n_b ? -1 : 1;
	return strcmp(a, b);
}
