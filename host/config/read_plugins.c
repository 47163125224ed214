/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections `modes` and `registries`: which plugins there are, under which names, with which options and credentials.
 * Options stay as they are in the document: only their plugin knows what they mean.
 * Read next: plugin/options.h for what becomes of options.
 */
#include "config/sections.h"

#include <string.h>

#define REQUESTS_MAX           100000
#define CONNECTIONS_MAX        1024
#define CONNECTIONS_DEFAULT    16
#define ROLLBACK_FAILURES_MAX  1000

/* ---- Rollouts: read in full, so that a document for a later release is judged by all its rules ---- */

struct selection {
	int64_t percent;
	const struct ek_value *labels;
};

static int read_select_namespaces(const struct ek_place *place, void *target)
{
	const char **namespaces;
	unsigned n = 0;

	return ek_place_texts(place, ek_check_name, &n, &namespaces);
}

static int read_select(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "percent", EK_FIELD_INTEGER, .offset = offsetof(struct selection, percent), .minimum = 0, .maximum = 100 },
		{ "namespaces", EK_FIELD_OWN, .read = read_select_namespaces },
		{ "matchLabels", EK_FIELD_RAW, .offset = offsetof(struct selection, labels) },
		{ NULL },
	};
	unsigned i = 0;

	if (ek_place_expect_list(place) != EK_OK)
		return EK_INVALID;
	for (const struct ek_value *item = place->at->first; item; item = item->next) {
		struct ek_place inside = ek_place_item(place, item, i++);
		struct selection selection = { 0 };

		if (item->kind != EK_VALUE_MAP || !item->n)
			return ek_place_fail(&inside, "must be a map with percent, namespaces or matchLabels");
		if (ek_fields_read(&inside, rules, &selection) != EK_OK)
			return EK_INVALID;
	}
	return EK_OK;
}

struct rollback {
	int64_t failures;
};

static int read_rollback(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "failures", EK_FIELD_INTEGER, .offset = offsetof(struct rollback, failures), .minimum = 1,
			.maximum = ROLLBACK_FAILURES_MAX },
		{ NULL },
	};
	struct rollback rollback = { 0 };

	return ek_fields_read(place, rules, &rollback);
}

struct rollout {
	const char *plugin, *sha256, *stage;
	const struct ek_value *options;
};

static int check_stage(const struct ek_place *place, const char *text)
{
	if (!strcmp(text, "Off") || !strcmp(text, "Shadow") || !strcmp(text, "Canary"))
		return EK_OK;
	return ek_place_fail(place, "must be Off, Shadow or Canary");
}

static int read_rollout(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "plugin", EK_FIELD_TEXT, true, offsetof(struct rollout, plugin), .check = ek_check_file_name },
		{ "sha256", EK_FIELD_TEXT, .offset = offsetof(struct rollout, sha256), .check = ek_check_sha256 },
		{ "options", EK_FIELD_RAW, .offset = offsetof(struct rollout, options) },
		{ "stage", EK_FIELD_TEXT, .offset = offsetof(struct rollout, stage), .check = check_stage },
		{ "select", EK_FIELD_OWN, .read = read_select },
		{ "rollback", EK_FIELD_OWN, .read = read_rollback },
		{ NULL },
	};
	struct ek_config_mode *mode = target;
	struct rollout rollout = { .stage = "Off" };
	int code = ek_fields_read(place, rules, &rollout);

	mode->has_rollout = strcmp(rollout.stage, "Off") != 0;
	return code;
}

/* ---- Modes ---- */

static int read_mode(const struct ek_place *place, struct ek_config_mode *mode)
{
	static const struct ek_field_rule rules[] = {
		{ "plugin", EK_FIELD_TEXT, true, offsetof(struct ek_config_mode, plugin), .check = ek_check_file_name },
		{ "sha256", EK_FIELD_TEXT, .offset = offsetof(struct ek_config_mode, sha256), .check = ek_check_sha256 },
		{ "options", EK_FIELD_RAW, .offset = offsetof(struct ek_config_mode, options) },
		{ "rollout", EK_FIELD_OWN, .read = read_rollout },
		{ NULL },
	};

	mode->name = place->at->key;
	mode->sha256 = "";
	if (ek_check_name(place, mode->name) != EK_OK)
		return EK_INVALID;
	return ek_fields_read(place, rules, mode);
}

int ek_config_read_modes(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	if (ek_place_expect_map(place) != EK_OK)
		return EK_INVALID;
	config->modes = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*config->modes));
	for (const struct ek_value *member = place->at->first; member; member = member->next) {
		struct ek_place inside = ek_place_member(place, member);

		if (read_mode(&inside, &config->modes[config->n_modes++]) != EK_OK)
			return EK_INVALID;
	}
	return EK_OK;
}

/* ---- Registries: credentials ---- */

struct auth {
	const char *type;
	struct ek_config_registry *registry;
};

struct auth_type {
	const char *name;
	enum ek_auth_type type;
	const char *keys[2];   /* the files it needs */
};

static const struct auth_type auth_types[] = {
	{ "none", EK_AUTH_NONE, { NULL } },
	{ "basic", EK_AUTH_BASIC, { "usernameFile", "passwordFile" } },
	{ "bearer", EK_AUTH_BEARER, { "tokenFile" } },
	{ "mtls", EK_AUTH_MTLS, { "certFile", "keyFile" } },
};

static int read_auth_type(const struct ek_place *place, void *target)
{
	struct ek_config_registry *registry = target;

	for (size_t i = 0; i < sizeof(auth_types) / sizeof(auth_types[0]); i++) {
		if (place->at->kind == EK_VALUE_SCALAR && !strcmp(place->at->text, auth_types[i].name)) {
			registry->auth = auth_types[i].type;
			return EK_OK;
		}
	}
	return ek_place_fail(place, "must be none, basic, bearer or mtls");
}

static bool needs(const struct auth_type *type, const char *key)
{
	return (type->keys[0] && !strcmp(type->keys[0], key)) || (type->keys[1] && !strcmp(type->keys[1], key));
}

/* A file that is not needed is a sign that the type is not what was meant. */
static int check_auth_files(const struct ek_place *place, const struct auth_type *type)
{
	for (unsigned i = 0; i < 2; i++)
		if (type->keys[i] && !ek_value_text(ek_value_get(place->at, type->keys[i]), "")[0])
			return ek_place_fail(place, "type %s needs %s", type->name, type->keys[i]);
	for (const struct ek_value *member = place->at->first; member; member = member->next) {
		struct ek_place inside = ek_place_member(place, member);

		if (!strcmp(member->key, "type") || !ek_value_text(member, "")[0] || needs(type, member->key))
			continue;
		return ek_place_fail(&inside, "is not used by type %s", type->name);
	}
	return EK_OK;
}

static int read_auth(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "type", EK_FIELD_OWN, true, .read = read_auth_type },
		{ "usernameFile", EK_FIELD_PATH, .offset = offsetof(struct ek_config_registry, username_file) },
		{ "passwordFile", EK_FIELD_PATH, .offset = offsetof(struct ek_config_registry, password_file) },
		{ "tokenFile", EK_FIELD_PATH, .offset = offsetof(struct ek_config_registry, token_file) },
		{ "certFile", EK_FIELD_PATH, .offset = offsetof(struct ek_config_registry, cert_file) },
		{ "keyFile", EK_FIELD_PATH, .offset = offsetof(struct ek_config_registry, key_file) },
		{ NULL },
	};
	const struct ek_config_registry *registry = target;

	if (ek_fields_read(place, rules, target) != EK_OK)
		return EK_INVALID;
	return check_auth_files(place, &auth_types[registry->auth]);
}

/* ---- Registries ---- */

static int read_tls(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "caFile", EK_FIELD_PATH, .offset = offsetof(struct ek_config_registry, ca_file) },
		{ "insecureSkipVerify", EK_FIELD_BOOLEAN, .offset = offsetof(struct ek_config_registry, insecure_skip_verify) },
		{ NULL },
	};

	return ek_fields_read(place, rules, target);
}

static int read_limits(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "requestsPerSecond", EK_FIELD_INTEGER, .offset = offsetof(struct ek_config_registry, requests_per_second),
			.minimum = 0, .maximum = REQUESTS_MAX },
		{ "connections", EK_FIELD_INTEGER, .offset = offsetof(struct ek_config_registry, connections), .minimum = 1,
			.maximum = CONNECTIONS_MAX },
		{ NULL },
	};

	return ek_fields_read(place, rules, target);
}

static int read_registry(const struct ek_place *place, struct ek_config_registry *registry)
{
	static const struct ek_field_rule rules[] = {
		{ "plugin", EK_FIELD_TEXT, true, offsetof(struct ek_config_registry, plugin), .check = ek_check_file_name },
		{ "sha256", EK_FIELD_TEXT, .offset = offsetof(struct ek_config_registry, sha256), .check = ek_check_sha256 },
		{ "default", EK_FIELD_BOOLEAN, .offset = offsetof(struct ek_config_registry, is_default) },
		{ "options", EK_FIELD_RAW, .offset = offsetof(struct ek_config_registry, options) },
		{ "auth", EK_FIELD_OWN, .read = read_auth },
		{ "tls", EK_FIELD_OWN, .read = read_tls },
		{ "limits", EK_FIELD_OWN, .read = read_limits },
		{ NULL },
	};

	registry->name = place->at->key;
	registry->sha256 = "";
	registry->connections = CONNECTIONS_DEFAULT;
	if (ek_check_name(place, registry->name) != EK_OK)
		return EK_INVALID;
	return ek_fields_read(place, rules, registry);
}

static int check_one_default(const struct ek_place *place, const struct ek_config *config)
{
	const struct ek_config_registry *last = &config->registries[config->n_registries - 1];

	for (const struct ek_config_registry *other = config->registries; last->is_default && other < last; other++)
		if (other->is_default)
			return ek_place_fail(place, "is marked default, and so is %s; mark one", other->name);
	return EK_OK;
}

int ek_config_read_registries(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	if (ek_place_expect_map(place) != EK_OK)
		return EK_INVALID;
	config->registries = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*config->registries));
	for (const struct ek_value *member = place->at->first; member; member = member->next) {
		struct ek_place inside = ek_place_member(place, member);

		if (read_registry(&inside, &config->registries[config->n_registries++]) != EK_OK)
			return EK_INVALID;
		if (check_one_default(&inside, config) != EK_OK)
			return EK_INVALID;
	}
	return EK_OK;
}
