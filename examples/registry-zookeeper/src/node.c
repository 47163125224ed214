/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an instance is in ZooKeeper and how it looks: the layout of Curator's service discovery with the payload of Spring Cloud Zookeeper. It touches no server and
 * decides nothing about ownership. Read operations.c next.
 */
#include "zk.h"

#include <string.h>

#define PAYLOAD_CLASS "org.springframework.cloud.zookeeper.discovery.ZookeeperInstance"
#define STATUS_KEY "instance_status" /* callers leave out what is not UP; without it an instance is UP */

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char to_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* ---- Paths -------------------------------------------------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *text, size_t max)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");

	return n > 0 && n <= max && text[n] == '\0' && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

int32_t zk_node_path(const struct zk *zk, const char *application, const char *id, char path[ZK_PATH_MAX])
{
	char *at = path + strlen(zk->root);

	if (!is_name(application, ZK_APPLICATION_MAX) || (id && !is_name(id, EK_ID_MAX)))
		return EK_INVALID;
	strcpy(path, zk->root);
	*at++ = '/';
	for (const char *c = application; *c; c++)
		*at++ = zk->is_upper ? *c : to_lower(*c);
	*at = '\0';
	if (id) {
		*at++ = '/';
		strcpy(at, id);
	}
	return EK_OK;
}

bool zk_is_application(const struct zk *zk, const char *node)
{
	if (!is_name(node, ZK_APPLICATION_MAX) || strchr(node, ':'))
		return false;
	for (const char *c = node; *c; c++)
		if (*c != (zk->is_upper ? to_upper(*c) : to_lower(*c)))
			return false;
	return true;
}

/* ---- Status ------------------------------------------------------------------------------------------------------------------------------------------------- */

static const struct {
	int32_t status;
	const char *word;
} statuses[] = {
	{ EK_STATUS_UP, "UP" },
	{ EK_STATUS_DOWN, "DOWN" },
	{ EK_STATUS_STARTING, "STARTING" },
	{ EK_STATUS_OUT_OF_SERVICE, "OUT_OF_SERVICE" },
	{ EK_STATUS_UNKNOWN, "UNKNOWN" },
};
#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static const char *word_of(int32_t status)
{
	for (size_t i = 0; i < N_STATUSES; i++)
		if (statuses[i].status == status)
			return statuses[i].word;
	return "UNKNOWN";
}

static int32_t status_of(const char *word)
{
	for (size_t i = 0; i < N_STATUSES; i++)
		if (strcmp(statuses[i].word, word) == 0)
			return statuses[i].status;
	return EK_STATUS_UNKNOWN;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------------------------------------------------ */

static void write_port(struct ek_json_writer *json, const char *key, int32_t port)
{
	ek_json_write_key(json, key);
	if (port > 0)
		ek_json_write_integer(json, port);
	else
		ek_json_write_null(json);
}

static void write_text(struct ek_json_writer *json, const char *key, const char *text)
{
	ek_json_write_key(json, key);
	ek_json_write_string(json, text);
}

static void write_payload(struct ek_json_writer *json, const struct ek_instance *instance, const char *service)
{
	ek_json_write_key(json, "payload");
	ek_json_write_object(json);
	write_text(json, "@class", PAYLOAD_CLASS);
	write_text(json, "id", instance->id);
	write_text(json, "name", service);
	ek_json_write_key(json, "metadata");
	ek_json_write_object(json);
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		if (strcmp(instance->metadata[i]->key, STATUS_KEY) != 0)
			write_text(json, instance->metadata[i]->key, instance->metadata[i]->value);
	write_text(json, STATUS_KEY, word_of(instance->status));
	ek_json_write_object_end(json);
	ek_json_write_object_end(json);
}

/* "{scheme}://{address}:{port}", taken apart as Curator does. */
static void write_uri_spec(struct ek_json_writer *json)
{
	static const struct {
		const char *value;
		bool is_variable;
	} parts[] = { { "scheme", true }, { "://", false }, { "address", true }, { ":", false }, { "port", true } };

	ek_json_write_key(json, "uriSpec");
	ek_json_write_object(json);
	ek_json_write_key(json, "parts");
	ek_json_write_array(json);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		ek_json_write_object(json);
		write_text(json, "value", parts[i].value);
		ek_json_write_key(json, "variable");
		ek_json_write_boolean(json, parts[i].is_variable);
		ek_json_write_object_end(json);
	}
	ek_json_write_array_end(json);
	ek_json_write_object_end(json);
}

size_t zk_node_write(struct zk *zk, const struct ek_instance *instance)
{
	/* Callers take sslPort whenever there is one, so it is told only where they should. */
	bool is_secure = (instance->flags & EK_INSTANCE_PRIMARY_SECURE) || instance->port <= 0;
	struct ek_json_writer json;
	char path[ZK_PATH_MAX];
	const char *service;

	if (instance->n_metadata >= ZK_METADATA_MAX || zk_node_path(zk, instance->application, NULL, path) != EK_OK)
		return 0;
	service = path + strlen(zk->root) + 1;
	ek_json_writer_init(&json, zk->scratch, sizeof(zk->scratch));
	ek_json_write_object(&json);
	write_text(&json, "name", service);
	write_text(&json, "id", instance->id);
	write_text(&json, "address", instance->address);
	write_port(&json, "port", instance->port);
	write_port(&json, "sslPort", is_secure ? instance->secure_port : 0);
	write_payload(&json, instance, service);
	ek_json_write_key(&json, "registrationTimeUTC");
	ek_json_write_integer(&json, zk->host->wall_ms(zk->host));
	write_text(&json, "serviceType", "DYNAMIC");
	write_uri_spec(&json);
	ek_json_write_object_end(&json);
	return ek_json_writer_finish(&json);
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------------------------------------------ */

struct texts {
	char *at, *end;
};

/* The next string as text of its own; "" and a fault in the document where there is no room. */
static const char *take_text(struct ek_json *json, struct texts *texts)
{
	const char *text = texts->at;

	if (texts->at >= texts->end) {
		ek_json_fail(json, "too many texts");
		return "";
	}
	texts->at += ek_json_text(json, texts->at, (size_t)(texts->end - texts->at)) + 1;
	return ek_json_failed(json) ? "" : text;
}

static int32_t take_port(struct ek_json *json)
{
	int64_t port = ek_json_integer(json);

	if (port < 0 || port > 65535)
		ek_json_fail(json, "a port out of range");
	return (int32_t)port;
}

static void read_metadata(struct ek_json *json, struct zk_reading *reading, struct texts *texts)
{
	uint32_t n = 0;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, STATUS_KEY)) {
			reading->instance.status = status_of(take_text(json, texts));
			continue;
		}
		if (n == ZK_METADATA_MAX || key.n >= (size_t)(texts->end - texts->at)) {
			ek_json_fail(json, "too much metadata");
			return;
		}
		reading->pairs[n] = (struct ek_pair){ .size = sizeof(reading->pairs[n]), .key = texts->at };
		memcpy(texts->at, key.at, key.n);
		texts->at[key.n] = '\0';
		texts->at += key.n + 1;
		reading->pairs[n].value = take_text(json, texts);
		reading->metadata[n] = &reading->pairs[n];
		n++;
	}
	reading->instance.n_metadata = n;
	reading->instance.metadata = reading->metadata;
}

static void read_payload(struct ek_json *json, struct zk_reading *reading, struct texts *texts)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "metadata"))
			read_metadata(json, reading, texts);
		else
			ek_json_skip(json);
	}
}

static void read_document(struct ek_json *json, struct zk_reading *reading)
{
	struct texts texts = { reading->texts, reading->texts + sizeof(reading->texts) };
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "address"))
			reading->instance.address = take_text(json, &texts);
		else if (ek_slice_equals(key, "port"))
			reading->instance.port = take_port(json);
		else if (ek_slice_equals(key, "sslPort"))
			reading->instance.secure_port = take_port(json);
		else if (ek_slice_equals(key, "payload") && ek_json_peek(json) == EK_JSON_OBJECT)
			read_payload(json, reading, &texts);
		else
			ek_json_skip(json);
	}
}

static void start_reading(struct zk *zk, const char *path, const struct Stat *stat)
{
	struct zk_reading *reading = &zk->reading;
	const char *application = path + strlen(zk->root) + 1, *id = strrchr(path, '/') + 1;
	size_t n = (size_t)(id - 1 - application);

	for (size_t i = 0; i < n; i++)
		reading->application[i] = to_upper(application[i]);
	reading->application[n] = '\0';
	reading->instance = (struct ek_instance){
		.size = sizeof(reading->instance), .id = id, .application = reading->application, .address = "", .status = EK_STATUS_UP,
	};
	reading->entry = (struct ek_entry){
		.size = sizeof(reading->entry), .application = reading->application, .id = id, .instance = &reading->instance,
		.revision = stat->mzxid, .flags = zk->session && stat->ephemeralOwner == zk->session ? EK_ENTRY_RENEWABLE : 0,
	};
}

static const char *owner_of(const struct ek_instance *instance)
{
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		if (strcmp(instance->metadata[i]->key, EK_MARK_OWNER) == 0)
			return instance->metadata[i]->value;
	return NULL;
}

const struct ek_entry *zk_node_read(struct zk *zk, const char *path, const char *value, int n_value, const struct Stat *stat)
{
	struct ek_json json;

	start_reading(zk, path, stat);
	ek_json_init(&json, value ? value : "", value && n_value > 0 ? (size_t)n_value : 0);
	read_document(&json, &zk->reading);
	if (n_value > ZK_DOCUMENT_MAX || ek_json_finish(&json, NULL) != EK_OK) {
		start_reading(zk, path, stat);
		zk->reading.instance.status = EK_STATUS_UNKNOWN;
	}
	zk->reading.instance.owner = owner_of(&zk->reading.instance);
	zk->reading.entry.status = zk->reading.instance.status;
	return &zk->reading.entry;
}

bool zk_entry_is_owned_by(const struct ek_entry *entry, const char *owner)
{
	return entry->instance->owner && strcmp(entry->instance->owner, owner) == 0;
}
