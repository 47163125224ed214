/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the JSON of one instance to a registry entry, all texts in one block that is used again. It does not judge whose entry it is, and does not find instances
 * in a listing (scanner.c does). Read listing.c next.
 */
#include "replies.h"

#include <stdbool.h>
#include <stdlib.h>

static const char *const words[] = {
	[EK_STATUS_UP] = "UP", [EK_STATUS_DOWN] = "DOWN", [EK_STATUS_STARTING] = "STARTING",
	[EK_STATUS_OUT_OF_SERVICE] = "OUT_OF_SERVICE", [EK_STATUS_UNKNOWN] = "UNKNOWN",
};

const char *ek_eureka_status_word(int32_t status)
{
	return status >= EK_STATUS_UP && status <= EK_STATUS_UNKNOWN ? words[status] : words[EK_STATUS_UNKNOWN];
}

int32_t ek_eureka_status_of(struct ek_slice word)
{
	for (int32_t i = EK_STATUS_UP; i < EK_STATUS_UNKNOWN; i++)
		if (ek_slice_equals(word, words[i]))
			return i;
	return EK_STATUS_UNKNOWN;
}

void ek_eureka_reading_clear(struct ek_eureka_reading *reading)
{
	free(reading->text);
	free(reading->pairs);
	free(reading->metadata);
	*reading = (struct ek_eureka_reading){ 0 };
}

/* Decoded texts are never longer than what they were decoded from, their quotes being room for the NUL. */
static int reserve_text(struct ek_eureka_reading *reading, size_t n, struct ek_error *err)
{
	if (n + 16 > reading->text_room) {
		char *text = realloc(reading->text, 2 * n + 4096);

		if (!text)
			return ek_fail(err, EK_RETRY, "out of memory");
		reading->text = text;
		reading->text_room = 2 * n + 4096;
	}
	reading->text_at = reading->text;
	return EK_OK;
}

static const char *read_text(struct ek_eureka_reading *reading, struct ek_json *json)
{
	char *text = reading->text_at;

	reading->text_at += ek_json_text(json, text, (size_t)(reading->text + reading->text_room - text)) + 1;
	return text;
}

static int32_t read_status(struct ek_json *json)
{
	char scratch[32];

	return ek_eureka_status_of(ek_json_slice(json, scratch, sizeof(scratch)));
}

static const char *to_upper(const char *text)
{
	for (char *c = (char *)text; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return text;
}

/* {"$":8080,"@enabled":"true"}, or just a number. 0 where it is not enabled. */
static int32_t read_port(struct ek_json *json)
{
	bool is_enabled = true;
	struct ek_slice key;
	int64_t port = 0;

	if (ek_json_peek(json) != EK_JSON_OBJECT) {
		port = ek_json_integer(json);
	} else {
		for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
			if (ek_slice_equals(key, "$"))
				port = ek_json_integer(json);
			else if (ek_slice_equals(key, "@enabled"))
				is_enabled = ek_json_boolean(json, true);
			else
				ek_json_skip(json);
		}
	}
	return is_enabled && port > 0 && port <= 65535 ? (int32_t)port : 0;
}

static int32_t read_seconds(struct ek_json *json)
{
	int64_t seconds = ek_json_integer(json);

	return seconds > 0 && seconds <= INT32_MAX ? (int32_t)seconds : 0;
}

static void read_lease(struct ek_eureka_reading *reading, struct ek_json *json)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "renewalIntervalInSecs"))
			reading->instance.renew_seconds = read_seconds(json);
		else if (ek_slice_equals(key, "durationInSecs"))
			reading->instance.lease_seconds = read_seconds(json);
		else
			ek_json_skip(json);
	}
}

/* ---- Metadata ----------------------------------------------------------------------------------------------------------------------------------------------- */

static bool reserve_pair(struct ek_eureka_reading *reading, struct ek_json *json)
{
	uint32_t room = reading->pairs_room ? reading->pairs_room * 2 : 32;
	struct ek_pair *pairs;

	if (reading->instance.n_metadata < reading->pairs_room)
		return true;
	if (reading->instance.n_metadata == EK_EUREKA_METADATA_MAX) {
		ek_json_fail(json, "more than 1024 metadata entries");
		return false;
	}
	pairs = realloc(reading->pairs, room * sizeof(*pairs));
	if (pairs) {
		const struct ek_pair **metadata = realloc(reading->metadata, room * sizeof(*metadata));

		reading->pairs = pairs;
		if (metadata) {
			reading->metadata = metadata;
			reading->pairs_room = room;
			return true;
		}
	}
	ek_json_fail(json, "out of memory");
	return false;
}

static const char *copy_slice(struct ek_eureka_reading *reading, struct ek_slice slice)
{
	char *text = reading->text_at;

	memcpy(text, slice.at, slice.n);
	text[slice.n] = '\0';
	reading->text_at += slice.n + 1;
	return text;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(const struct ek_pair *const *)a)->key, (*(const struct ek_pair *const *)b)->key);
}

/* An empty map comes as {"@class":"java.util.Collections$EmptyMap"}. */
static void read_metadata(struct ek_eureka_reading *reading, struct ek_json *json)
{
	struct ek_slice key;

	reading->instance.n_metadata = 0;
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		enum ek_json_kind kind = ek_json_peek(json);

		if (ek_slice_equals(key, "@class") || kind == EK_JSON_OBJECT || kind == EK_JSON_ARRAY) {
			ek_json_skip(json);
		} else if (reserve_pair(reading, json)) {
			struct ek_pair *pair = &reading->pairs[reading->instance.n_metadata++];

			*pair = (struct ek_pair){ .size = sizeof(*pair), .key = copy_slice(reading, key) };
			pair->value = read_text(reading, json);
		}
	}
	for (uint32_t i = 0; i < reading->instance.n_metadata; i++)
		reading->metadata[i] = &reading->pairs[i];
	if (reading->instance.n_metadata)
		qsort(reading->metadata, reading->instance.n_metadata, sizeof(struct ek_pair *), compare_keys);
	reading->instance.metadata = reading->metadata;
}

/* ---- The instance ------------------------------------------------------------------------------------------------------------------------------------------- */

/* What is read under two names or must be put together afterwards. */
struct draft {
	const char *host_name, *ip_address;
	int32_t override;
};

static bool read_text_field(struct ek_eureka_reading *reading, struct ek_json *json, struct ek_slice key, struct draft *draft)
{
	struct ek_instance *instance = &reading->instance;
	const char **field = ek_slice_equals(key, "instanceId") ? &instance->id :
			     ek_slice_equals(key, "app") ? &instance->application :
			     ek_slice_equals(key, "hostName") ? &draft->host_name :
			     ek_slice_equals(key, "ipAddr") ? &draft->ip_address :
			     ek_slice_equals(key, "vipAddress") ? &instance->vip_address :
			     ek_slice_equals(key, "secureVipAddress") ? &instance->secure_vip_address : NULL;

	if (field)
		*field = read_text(reading, json);
	return field != NULL;
}

static void read_field(struct ek_eureka_reading *reading, struct ek_json *json, struct ek_slice key, struct draft *draft)
{
	if (read_text_field(reading, json, key, draft))
		return;
	if (ek_slice_equals(key, "status"))
		reading->entry.status = read_status(json);
	else if (ek_slice_equals(key, "overriddenStatus") || ek_slice_equals(key, "overriddenstatus"))
		draft->override = read_status(json);
	else if (ek_slice_equals(key, "port"))
		reading->instance.port = read_port(json);
	else if (ek_slice_equals(key, "securePort"))
		reading->instance.secure_port = read_port(json);
	else if (ek_slice_equals(key, "leaseInfo"))
		read_lease(reading, json);
	else if (ek_slice_equals(key, "metadata"))
		read_metadata(reading, json);
	else if (ek_slice_equals(key, "lastDirtyTimestamp"))
		reading->entry.revision = ek_json_integer(json);
	else
		ek_json_skip(json);
}

static const char *first_text(const char *a, const char *b)
{
	return a && *a ? a : b && *b ? b : NULL;
}

/* An entry whose status is UNKNOWN answers 404 to every renewal: only putting it again helps. */
static int finish_entry(struct ek_eureka_reading *reading, const struct draft *draft, struct ek_error *err)
{
	struct ek_instance *instance = &reading->instance;
	struct ek_entry *entry = &reading->entry;

	instance->id = first_text(instance->id, draft->host_name);
	instance->address = first_text(draft->host_name, draft->ip_address);
	instance->status = entry->status;
	if (instance->secure_port)
		instance->flags |= EK_INSTANCE_PRIMARY_SECURE;
	if (!instance->id || !instance->application || !*instance->application)
		return ek_fail(err, EK_PLUGIN, "an instance without id or application");
	entry->id = instance->id;
	entry->application = instance->application = to_upper(instance->application);
	entry->instance = instance;
	if (entry->status != EK_STATUS_UNKNOWN)
		entry->flags |= EK_ENTRY_RENEWABLE;
	if (draft->override != EK_STATUS_UNKNOWN)
		entry->flags |= EK_ENTRY_OVERRIDDEN;
	return EK_OK;
}

int ek_eureka_read_instance(struct ek_eureka_reading *reading, struct ek_slice text, struct ek_error *err)
{
	struct draft draft = { .override = EK_STATUS_UNKNOWN };
	struct ek_slice key;
	struct ek_json json;
	int code = reserve_text(reading, text.n, err);

	if (code != EK_OK)
		return code;
	reading->entry = (struct ek_entry){ .size = sizeof(reading->entry), .status = EK_STATUS_UP };
	reading->instance = (struct ek_instance){ .size = sizeof(reading->instance) };
	ek_json_init(&json, text.at, text.n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);)
		read_field(reading, &json, key, &draft);
	if (ek_json_finish(&json, err) != EK_OK)
		return err ? err->code = EK_PLUGIN : EK_PLUGIN;
	return finish_entry(reading, &draft, err);
}

int ek_eureka_read_single(struct ek_eureka_reading *reading, const char *body, size_t n, struct ek_error *err)
{
	struct ek_slice key, instance = { NULL, 0 };
	struct ek_json json;

	if (!n)
		return ek_fail(err, EK_PLUGIN, "the answer is empty");
	if (body[0] == '<')
		return ek_fail(err, EK_PLUGIN, "the answer is XML or HTML, not JSON");
	ek_json_init(&json, body, n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "instance"))
			instance = ek_json_raw(&json);
		else
			ek_json_skip(&json);
	}
	if (ek_json_finish(&json, err) != EK_OK)
		return err ? err->code = EK_PLUGIN : EK_PLUGIN;
	if (!instance.n)
		return ek_fail(err, EK_PLUGIN, "the answer holds no instance");
	return ek_eureka_read_instance(reading, instance, err);
}
