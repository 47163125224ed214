/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches one ConfigMap and takes one text out of it. What the text means, and what happens when it is wrong, is configure.c's. Read configure.c next.
 */
#include "app/config_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eurekube/json.h>

#include "base/alloc.h"
#include "base/hash.h"

struct ek_config_map {
	struct ek_config_map_config config;
	struct ek_reflector *reflector;
	char uid[64];
	uint64_t hash;             /* of the last text handed on; 0 none */
	bool is_listed;            /* the list in progress has shown the object */
	char *text;                /* of the list in progress */
	size_t n;
};

struct found {
	char uid[64];
	char *text;                /* NULL: no such key */
	size_t n;
};

static void read_data(struct ek_json *json, struct found *found)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (!ek_slice_equals(key, EK_CONFIG_KEY)) {
			ek_json_skip(json);
			continue;
		}
		free(found->text);
		found->text = ek_xmalloc(EK_CONFIG_MAX);
		found->n = ek_json_text(json, found->text, EK_CONFIG_MAX);
	}
}

static int read_object(struct ek_slice object, struct found *found, struct ek_error *err)
{
	struct ek_object_meta meta;
	struct ek_json json;
	struct ek_slice key;
	int code = ek_read_object_meta(object, &meta, err);

	memset(found, 0, sizeof(*found));
	if (code != EK_OK)
		return code;
	snprintf(found->uid, sizeof(found->uid), "%s", meta.uid);
	ek_json_init(&json, object.at, object.n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "data"))
			read_data(&json, found);
		else
			ek_json_skip(&json);
	}
	code = ek_json_finish(&json, err);
	if (code != EK_OK) {
		free(found->text);
		found->text = NULL;
	}
	return code;
}

static void hand_on(struct ek_config_map *map, const char *text, size_t n)
{
	uint64_t hash;

	if (!text) {
		map->hash = 0;
		map->config.on_missing(map->config.arg, "the ConfigMap has no key " EK_CONFIG_KEY "; add the configuration under that key");
		return;
	}
	hash = ek_hash64(EK_HASH_SEED, text, n) | 1;
	if (hash == map->hash)
		return;
	map->hash = hash;
	map->config.on_text(map->config.arg, text, n);
}

/* ---- the sink ---- */

static void begin(void *arg)
{
	struct ek_config_map *map = arg;

	free(map->text);
	map->text = NULL;
	map->is_listed = false;
}

static int add(void *arg, struct ek_slice object, struct ek_error *err)
{
	struct ek_config_map *map = arg;
	struct found found;
	int code = read_object(object, &found, err);

	if (code != EK_OK)
		return code;
	begin(map);
	map->is_listed = true;
	memcpy(map->uid, found.uid, sizeof(map->uid));
	map->text = found.text;
	map->n = found.n;
	return EK_OK;
}

static void commit(void *arg)
{
	struct ek_config_map *map = arg;

	if (map->is_listed)
		hand_on(map, map->text, map->n);
	else
		map->config.on_missing(map->config.arg, "the ConfigMap does not exist; create it with a key " EK_CONFIG_KEY);
	begin(map);
}

static int change(void *arg, enum ek_watch_type type, struct ek_slice object, struct ek_error *err)
{
	struct ek_config_map *map = arg;
	struct found found;
	int code;

	if (type == EK_WATCH_DELETED) {
		map->hash = 0;
		map->config.on_missing(map->config.arg, "the ConfigMap was deleted; the configuration it held stays in force");
		return EK_OK;
	}
	code = read_object(object, &found, err);
	if (code != EK_OK)
		return code;
	memcpy(map->uid, found.uid, sizeof(map->uid));
	hand_on(map, found.text, found.n);
	free(found.text);
	return EK_OK;
}

static const struct ek_reflector_sink sink = { .begin = begin, .add = add, .commit = commit, .abort = begin, .change = change };

struct ek_config_map *ek_config_map_watch(const struct ek_config_map_config *config)
{
	struct ek_config_map *map = ek_xcalloc(1, sizeof(*map));
	struct ek_reflector_config reflector = { .name = "configmaps", .sink = &sink, .sink_arg = map };
	char path[256], selector[320];

	map->config = *config;
	snprintf(path, sizeof(path), "/api/v1/namespaces/%.63s/configmaps", config->namespace_);
	snprintf(selector, sizeof(selector), "fieldSelector=metadata.name%%3D%.253s", config->name);
	reflector.path = path;
	reflector.selectors = selector;
	map->reflector = ek_reflector_new(config->loop, config->kube, &reflector);
	ek_reflector_start(map->reflector);
	return map;
}

void ek_config_map_free(struct ek_config_map *map)
{
	if (!map)
		return;
	ek_reflector_free(map->reflector);
	free(map->text);
	free(map);
}

const char *ek_config_map_uid(const struct ek_config_map *map)
{
	return map->uid;
}
