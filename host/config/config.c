/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of the configuration document: its keys, its defaults, and what must hold between its parts.
 * It loads no plugin, reads no file and judges no option; a document that passes here can still name a plugin that is not there.
 * Read next: fields.c for how a map is read, read_plugins.c and read_rules.c for the sections.
 */
#include "config/config.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/yaml.h"
#include "config/sections.h"

#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX_BYTES (1u << 20)
#define DOCUMENT_MAX_NODES 50000
#define DEFAULT_DIRECTORY  "/usr/lib/eurekube/plugins"

/* ---- Small sections ---- */

static int read_former_ids(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	return ek_place_texts(place, ek_check_cluster_id, &config->n_former, &config->former_cluster_ids);
}

static int read_namespaces(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	if (ek_place_texts(place, ek_check_name, &config->n_namespaces, &config->watch_namespaces) != EK_OK)
		return EK_INVALID;
	for (unsigned i = 0; i < config->n_namespaces; i++)
		for (unsigned j = 0; j < i; j++)
			if (strcmp(config->watch_namespaces[i], config->watch_namespaces[j]) == 0)
				return ek_place_fail(place, "%s stands there twice", config->watch_namespaces[i]);
	return EK_OK;
}

static int read_plugins(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "directory", EK_FIELD_TEXT, .offset = offsetof(struct ek_plugin_rules, directory) },
		{ "requireDigest", EK_FIELD_BOOLEAN, .offset = offsetof(struct ek_plugin_rules, require_digest) },
		{ "readOnlyDirectory", EK_FIELD_BOOLEAN, .offset = offsetof(struct ek_plugin_rules, read_only_directory) },
		{ NULL },
	};
	struct ek_config *config = target;

	if (ek_fields_read(place, rules, &config->plugins) != EK_OK)
		return EK_INVALID;
	return config->plugins.directory[0] ? EK_OK : ek_place_fail(place, "directory must not be empty");
}

static int read_audit(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "periodSeconds", EK_FIELD_INTEGER, .offset = offsetof(struct ek_config, audit_seconds), .minimum = 1, .maximum = 86400 },
		{ NULL },
	};

	return ek_fields_read(place, rules, target);
}

static int read_finalizer(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "waitSeconds", EK_FIELD_INTEGER, .offset = offsetof(struct ek_config, finalizer_wait_seconds), .minimum = 0, .maximum = 86400 },
		{ NULL },
	};

	return ek_fields_read(place, rules, target);
}

/* ---- The root ---- */

static const struct ek_field_rule root_rules[] = {
	{ "clusterId", EK_FIELD_TEXT, .offset = offsetof(struct ek_config, cluster_id), .check = ek_check_cluster_id },
	{ "formerClusterIds", EK_FIELD_OWN, .read = read_former_ids },
	{ "watchNamespaces", EK_FIELD_OWN, .read = read_namespaces },
	{ "plugins", EK_FIELD_OWN, .read = read_plugins },
	{ "modes", EK_FIELD_OWN, .read = ek_config_read_modes },
	{ "registries", EK_FIELD_OWN, .read = ek_config_read_registries },
	{ "endpoints", EK_FIELD_OWN, .read = ek_config_read_endpoints },
	{ "grants", EK_FIELD_OWN, .read = ek_config_read_grants },
	{ "applicationNames", EK_FIELD_OWN, .read = ek_config_read_names },
	{ "guard", EK_FIELD_OWN, .read = ek_config_read_guard },
	{ "audit", EK_FIELD_OWN, .read = read_audit },
	{ "finalizer", EK_FIELD_OWN, .read = read_finalizer },
	{ NULL },
};

static void set_defaults(struct ek_config *config)
{
	config->cluster_id = "";
	config->plugins.directory = DEFAULT_DIRECTORY;
	config->n_families = 2;
	config->families[0] = 4;
	config->families[1] = 6;
	config->guard.syncer_percent = 30;
	config->guard.syncer_min = 5;
	config->guard.registry_percent = 10;
	config->guard.registry_min = 20;
	config->guard.window_seconds = 60;
	config->guard.confirm_seconds = 10;
	config->audit_seconds = 300;
	config->finalizer_wait_seconds = 600;
}

static int check_former_ids(const struct ek_place *root, const struct ek_config *config)
{
	const struct ek_value *former = ek_value_get(root->at, "formerClusterIds");

	for (unsigned i = 0; i < config->n_former; i++) {
		if (!strcmp(config->former_cluster_ids[i], config->cluster_id)) {
			struct ek_place place = ek_place_member(root, former);

			return ek_place_fail(&place, "%s is the present clusterId, not a former one", config->cluster_id);
		}
	}
	return EK_OK;
}

static int read_root(struct ek_config *config, const struct ek_value *root, struct ek_error *err)
{
	const struct ek_place place = { .arena = &config->arena, .at = root, .path = "", .err = err };

	set_defaults(config);
	if (ek_fields_read(&place, root_rules, config) != EK_OK || check_former_ids(&place, config) != EK_OK)
		return EK_INVALID;
	if (config->n_registries == 1)
		config->registries[0].is_default = true; /* unless there is another, it cannot be meant otherwise */
	return EK_OK;
}

int ek_config_read(const char *bytes, size_t n, struct ek_config **out, struct ek_error *err)
{
	struct ek_config *config;
	const struct ek_value *root;
	int code;

	if (n > DOCUMENT_MAX_BYTES)
		return ek_fail(err, EK_INVALID, "the configuration has %zu bytes; it may have %u", n, DOCUMENT_MAX_BYTES);
	config = ek_xcalloc(1, sizeof(*config));
	ek_arena_init(&config->arena);
	config->hash = ek_hash64(EK_HASH_SEED, bytes, n);
	code = ek_yaml_read(bytes, n, DOCUMENT_MAX_NODES, &config->arena, &root, err);
	if (code == EK_OK)
		code = read_root(config, root, err);
	if (code != EK_OK) {
		ek_config_free(config);
		return EK_INVALID;
	}
	*out = config;
	return EK_OK;
}

void ek_config_free(struct ek_config *config)
{
	if (!config)
		return;
	ek_arena_clear(&config->arena);
	free(config);
}

/* ---- Looking up ---- */

const struct ek_config_mode *ek_config_find_mode(const struct ek_config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_modes; i++)
		if (!strcmp(config->modes[i].name, name))
			return &config->modes[i];
	return NULL;
}

const struct ek_config_registry *ek_config_find_registry(const struct ek_config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_registries; i++)
		if (name ? !strcmp(config->registries[i].name, name) : config->registries[i].is_default)
			return &config->registries[i];
	return NULL;
}

bool ek_config_watches(const struct ek_config *config, const char *namespace_)
{
	for (unsigned i = 0; i < config->n_namespaces; i++)
		if (strcmp(config->watch_namespaces[i], namespace_) == 0)
			return true;
	return config->n_namespaces == 0;
}
