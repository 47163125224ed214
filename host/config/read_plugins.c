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
#define ROLLBACK_FAILURES_DEFAULT 3

/* ---- Rollouts ---- */

static int read_select_namespaces(const struct ek_place *place, void *target)
{
	struct ek_config_selection *selection = target;

	return ek_place_texts(place, ek_check_name, &selection->n_namespaces, &selection->namespaces);
}

static int read_select_labels(const struct ek_place *place, void *target)
{
	struct ek_config_selection *selection = target;

	if (ek_place_expect_map(place) != EK_OK)
		return EK_INVALID;
	selection->labels = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*selection->labels));
	for (const struct ek_value *member = place->at->first; member; member = member->next) {
		struct ek_place inside = ek_place_member(place, member);

		if (member->kind != EK_VALUE_SCALAR)
			return ek_place_fail(&inside, "must be a text");
		selection->labels[selection->n_labels++] = (struct ek_config_label){ member->key, member->text };
	}
	return EK_OK;
}

static int read_selection(const struct ek_place *place, struct ek_config_selection *selection)
{
	static const struct ek_field_rule rules[] = {
		{ "percent", EK_FIELD_INTEGER, .offset = offsetof(struct ek_config_selection, percent), .minimum = 0, .maximum = 100 },
		{ "namespaces", EK_FIELD_OWN, .read = read_select_namespaces },
		{ "matchLabels", EK_FIELD_OWN, .read = read_select_labels },
		{ NULL },
	};

	selection->percent = -1;
	if (ek_fields_read(place, rules, selection) != EK_OK)
		return EK_INVALID;
	if (selection->percent < 0 && !selection->n_namespaces && !selection->n_labels)
		return ek_place_fail(place, "must be a map with percent, namespaces or matchLabels");
	return EK_OK;
}

static int read_select(const struct ek_place *place, void *target)
{
	struct ek_config_rollout *rollout = target;
	unsigned i = 0;

	if (ek_place_expect_list(place) != EK_OK)
		return EK_INVALID;
	rollout->selections = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*rollout->selections));
	for (const struct ek_value *item = place->at->first; item; item = item->next) {
		struct ek_place inside = ek_place_item(place, item, i++);

		if (item->kind != EK_VALUE_MAP)
			return ek_place_fail(&inside, "must be a map with percent, namespaces or matchLabels");
		if (read_selection(&inside, &rollout->selections[rollout->n_selections++]) != EK_OK)
			return EK_INVALID;
	}
	return EK_OK;
}

static int read_rollback(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "failures", EK_FIELD_INTEGER, .offset = offsetof(struct ek_config_rollout, failures), .minimum = 1,
			.maximum = ROLLBACK_FAILURES_MAX },
		{ NULL },
	};

	return ek_fields_read(place, rules, target);
}

static int read_stage(const struct ek_place *place, void *target)
{
	static const char *const names[] = { "Off", "Shadow", "Canary" };
	struct ek_config_rollout *rollout = target;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (place->at->kind == EK_VALUE_SCALAR && !strcmp(place->at->text, names[i])) {
			rollout->stage = (enum ek_rollout_stage)i;
			return EK_OK;
		}
	}
	return ek_place_fail(place, "must be Off, Shadow or Canary");
}

/* Off is as if the section were not there, but it is judged by all its rules. */
static int read_rollout(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "plugin", EK_FIELD_TEXT, true, offsetof(struct ek_config_rollout, plugin), .check = ek_check_file_name },
		{ "sha256", EK_FIELD_TEXT, .offset = offsetof(struct ek_config_rollout, sha256), .check = ek_check_sha256 },
		{ "options", EK_FIELD_RAW, .offset = offsetof(struct ek_config_rollout, options) },
		{ "stage", EK_FIELD_OWN, .read = read_stage },
		{ "select", EK_FIELD_OWN, .read = read_select },
		{ "rollback", EK_FIELD_OWN, .read = read_rollback },
		{ NULL },
	};
	struct ek_config_mode *mode = target;
	struct ek_config_rollout *rollout = ek_arena_alloc(place->arena, sizeof(*rollout));
	int code;

	rollout->sha256 = "";
	rollout->failures = ROLLBACK_FAILURES_DEFAULT;
	code = ek_fields_read(place, rules, rollout);
	if (rollout->stage != EK_ROLLOUT_OFF)
		mode->rollout = rollout;
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
