/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an Event and the patch of its count as JSON.
 * It neither sends nor counts.
 * Read next: event.c.
 */
#include "kube/event_body.h"

#include "base/alloc.h"

#include <eurekube/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *copy_cut(const char *text, size_t limit)
{
	size_t n = strlen(text);

	if (n > limit) {
		n = limit;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	return ek_xstrndup(text, n);
}

void ek_event_text_copy(struct ek_event_text *to, const struct ek_event_text *from)
{
	const struct ek_event_object *o = &from->regarding;

	*to = (struct ek_event_text){
		.regarding = { ek_xstrdup(o->api_version), ek_xstrdup(o->kind), ek_xstrdup(o->namespace_), ek_xstrdup(o->name),
			ek_xstrdup(o->uid) },
		.type = ek_xstrdup(from->type),
		.reason = copy_cut(from->reason, EK_EVENT_MAX_WORD),
		.action = copy_cut(from->action, EK_EVENT_MAX_WORD),
		.note = copy_cut(from->note, EK_EVENT_MAX_NOTE),
		.wall_ms = from->wall_ms,
	};
}

void ek_event_text_clear(struct ek_event_text *text)
{
	const char *const all[] = { text->regarding.api_version, text->regarding.kind, text->regarding.namespace_,
		text->regarding.name, text->regarding.uid, text->type, text->reason, text->action, text->note };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free((void *)(uintptr_t)all[i]);
	memset(text, 0, sizeof(*text));
}

/* metav1.MicroTime: exactly six decimals. */
static void write_time(struct ek_json_writer *json, const char *key, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	char text[64], whole[48];

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03d000Z", whole, (int)(wall_ms % 1000));
	ek_json_write_key(json, key);
	ek_json_write_string(json, text);
}

static void write_text(struct ek_json_writer *json, const char *key, const char *text)
{
	if (!text || !text[0])
		return;
	ek_json_write_key(json, key);
	ek_json_write_string(json, text);
}

static void write_regarding(struct ek_json_writer *json, const struct ek_event_object *o)
{
	ek_json_write_key(json, "regarding");
	ek_json_write_object(json);
	write_text(json, "apiVersion", o->api_version);
	write_text(json, "kind", o->kind);
	write_text(json, "namespace", o->namespace_);
	write_text(json, "name", o->name);
	write_text(json, "uid", o->uid);
	ek_json_write_object_end(json);
}

size_t ek_event_write(const struct ek_event_text *text, const char *controller, const char *instance, char *buffer, size_t size)
{
	const char *space = text->regarding.namespace_;
	struct ek_json_writer json;

	ek_json_writer_init(&json, buffer, size);
	ek_json_write_object(&json);
	write_text(&json, "apiVersion", "events.k8s.io/v1");
	write_text(&json, "kind", "Event");
	ek_json_write_key(&json, "metadata");
	ek_json_write_object(&json);
	write_text(&json, "name", text->name);
	write_text(&json, "namespace", space[0] ? space : "default");
	ek_json_write_object_end(&json);
	write_time(&json, "eventTime", text->wall_ms);
	write_text(&json, "reportingController", controller);
	write_text(&json, "reportingInstance", instance);
	write_text(&json, "type", text->type);
	write_text(&json, "reason", text->reason);
	write_text(&json, "action", text->action);
	write_text(&json, "note", text->note);
	write_regarding(&json, &text->regarding);
	ek_json_write_object_end(&json);
	return ek_json_writer_finish(&json);
}

size_t ek_event_write_series(uint64_t count, int64_t last_wall_ms, char *buffer, size_t size)
{
	struct ek_json_writer json;

	ek_json_writer_init(&json, buffer, size);
	ek_json_write_object(&json);
	ek_json_write_key(&json, "series");
	ek_json_write_object(&json);
	ek_json_write_key(&json, "count");
	ek_json_write_integer(&json, (int64_t)count);
	write_time(&json, "lastObservedTime", last_wall_ms);
	ek_json_write_object_end(&json);
	ek_json_write_object_end(&json);
	return ek_json_writer_finish(&json);
}
