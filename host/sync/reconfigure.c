/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts another configuration in force: everything that the new document needs is made first, and only when nothing has failed is it swapped in. Modes and
 * registries that did not change keep their instances; ledgers and leases are not touched. It reads no document. Read instance.c next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/registry.h"

/* What a document needs: versions of modes, new or present ones, and new instances of registries, NULL where the present one goes on. */
struct prepared_mode {
	struct ek_mode_version *stable, *canary;
	bool is_stable_new, is_canary_new;
};

struct preparation {
	struct prepared_mode *modes;
	struct ek_registry_instance **instances;
};

/* ---- what is unchanged ---- */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_value(const struct ek_value *a, const struct ek_value *b)
{
	if (!a || !b || a->kind == EK_VALUE_NULL || b->kind == EK_VALUE_NULL)
		return (!a || a->kind == EK_VALUE_NULL) == (!b || b->kind == EK_VALUE_NULL);
	if (a->kind != b->kind || a->n != b->n || !same_text(a->text, b->text) || a->is_quoted != b->is_quoted)
		return false;
	a = a->first;
	b = b->first;
	while (a && b) {
		if (!same_text(a->key, b->key) || !same_value(a, b))
			return false;
		a = a->next;
		b = b->next;
	}
	return !a && !b;
}

static bool same_library(struct ek_engine *engine, const struct ek_library *library, const char *file, const char *sha256, enum ek_plugin_kind kind,
                         struct ek_error *err)
{
	return library && ek_engine_load(engine, file, sha256, kind, err) == library;
}

static bool same_registry(const struct ek_config_registry *a, const struct ek_config_registry *b)
{
	return same_value(a->options, b->options) && a->auth == b->auth && same_text(a->username_file, b->username_file) &&
	       same_text(a->password_file, b->password_file) && same_text(a->token_file, b->token_file) && same_text(a->cert_file, b->cert_file) &&
	       same_text(a->key_file, b->key_file) && same_text(a->ca_file, b->ca_file) && a->insecure_skip_verify == b->insecure_skip_verify &&
	       a->connections == b->connections;
}

static struct ek_sync_registry *find_by_name(struct ek_engine *engine, const char *name)
{
	for (unsigned i = 0; i < engine->n_registries; i++)
		if (strcmp(engine->registries[i]->config->name, name) == 0)
			return engine->registries[i];
	return NULL;
}

/* ---- preparing ---- */

/* A version that was made from the same file and options; which of the two it was does not matter. */
static struct ek_mode_version *find_version(struct ek_engine *engine, const struct ek_sync_mode *mode, const struct ek_mode_source *source,
                                            const struct ek_mode_version *taken)
{
	struct ek_mode_version *versions[] = { mode ? mode->stable : NULL, mode ? mode->canary : NULL };

	for (unsigned i = 0; i < 2; i++)
		if (versions[i] && versions[i] != taken && same_value(versions[i]->given, source->options) &&
		    same_library(engine, versions[i]->library, source->file, source->sha256, EK_PLUGIN_MODE, NULL))
			return versions[i];
	return NULL;
}

static int prepare_version(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_mode *entry, const char *section,
                           const struct ek_mode_source *source, struct ek_mode_version **out, struct ek_error *err)
{
	struct ek_mode_version *version = ek_mode_version_new(engine, config, entry, source);
	int code = version->problem.code;

	if (version->library) {
		*out = version;
		return EK_OK;
	}
	if (err)
		*err = version->problem;
	ek_mode_version_free(version);
	ek_error_wrap(err, "modes.%.60s%s", entry->name, section);
	return code;
}

static int prepare_mode(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_mode *entry, struct prepared_mode *out,
                        struct ek_error *err)
{
	const struct ek_sync_mode *old = ek_engine_find_mode(engine, entry->name);
	struct ek_mode_source source = ek_mode_stable_source(entry);
	int code = EK_OK;

	out->stable = find_version(engine, old, &source, NULL);
	out->is_stable_new = !out->stable;
	if (!out->stable)
		code = prepare_version(engine, config, entry, "", &source, &out->stable, err);
	if (code != EK_OK || !entry->rollout)
		return code;
	source = ek_mode_canary_source(entry);
	out->canary = find_version(engine, old, &source, out->stable);
	out->is_canary_new = !out->canary;
	if (!out->canary)
		code = prepare_version(engine, config, entry, ".rollout", &source, &out->canary, err);
	return code;
}

static int prepare_registry(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_registry *entry,
                            struct ek_registry_instance **out, struct ek_error *err)
{
	struct ek_sync_registry *old = find_by_name(engine, entry->name);

	if (old && old->instance && same_registry(old->config, entry) &&
	    same_library(engine, old->library, entry->plugin, entry->sha256, EK_PLUGIN_REGISTRY, err))
		return EK_OK;
	*out = ek_instance_new(engine, config, entry, err);
	return *out ? EK_OK : ek_error_wrap(err, "registries.%.60s", entry->name);
}

static bool same_namespaces(const struct ek_config *a, const struct ek_config *b)
{
	for (unsigned i = 0; i < a->n_namespaces && i < b->n_namespaces; i++)
		if (strcmp(a->watch_namespaces[i], b->watch_namespaces[i]) != 0)
			return false;
	return a->n_namespaces == b->n_namespaces;
}

static int check_identity(const struct ek_engine *engine, const struct ek_config *config, struct ek_error *err)
{
	if (!same_text(engine->with.config->cluster_id, config->cluster_id))
		return ek_fail(err, EK_INVALID, "clusterId: names every instance, so it cannot change while the operator runs; restart it");
	if (!same_namespaces(config, engine->with.config))
		return ek_fail(err, EK_INVALID, "watchNamespaces: cannot change while the operator runs; restart it");
	return EK_OK;
}

static int prepare(struct ek_engine *engine, const struct ek_config *config, struct preparation *out, struct ek_error *err)
{
	int code = check_identity(engine, config, err);

	for (unsigned i = 0; i < config->n_modes && code == EK_OK; i++)
		code = prepare_mode(engine, config, &config->modes[i], &out->modes[i], err);
	for (unsigned i = 0; i < config->n_registries && code == EK_OK; i++)
		code = prepare_registry(engine, config, &config->registries[i], &out->instances[i], err);
	return code;
}

static void undo(const struct ek_config *config, struct preparation *preparation)
{
	for (unsigned i = 0; i < config->n_modes; i++) {
		if (preparation->modes[i].is_stable_new)
			ek_mode_version_free(preparation->modes[i].stable);
		if (preparation->modes[i].is_canary_new)
			ek_mode_version_free(preparation->modes[i].canary);
	}
	for (unsigned i = 0; i < config->n_registries; i++)
		if (preparation->instances[i])
			ek_instance_retire(preparation->instances[i]);
}

/* ---- swapping ---- */

static bool is_version_kept(const struct ek_engine *engine, const struct ek_mode_version *version)
{
	for (unsigned i = 0; i < engine->n_modes; i++)
		if (engine->modes[i]->stable == version || engine->modes[i]->canary == version)
			return true;
	return false;
}

static void free_unused(struct ek_engine *engine, struct ek_mode_version *version)
{
	if (version && !is_version_kept(engine, version))
		ek_mode_version_free(version);
}

static void swap_modes(struct ek_engine *engine, const struct ek_config *config, struct preparation *preparation)
{
	struct ek_sync_mode **old = engine->modes, **modes = ek_xcalloc(config->n_modes + 1, sizeof(struct ek_sync_mode *));
	unsigned n_old = engine->n_modes;

	for (unsigned i = 0; i < config->n_modes; i++) {
		const struct ek_sync_mode *present = ek_engine_find_mode(engine, config->modes[i].name);

		modes[i] = ek_xcalloc(1, sizeof(**modes));
		if (present)
			*modes[i] = *present; /* the counters go on */
		modes[i]->config = &config->modes[i];
		modes[i]->stable = preparation->modes[i].stable;
		modes[i]->canary = preparation->modes[i].canary;
	}
	engine->modes = modes;
	engine->n_modes = config->n_modes;
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next) {
		syncer->version = NULL; /* found again when it is looked at */
		syncer->canary_failures = 0;
	}
	for (unsigned i = 0; i < n_old; i++) {
		free_unused(engine, old[i]->stable);
		free_unused(engine, old[i]->canary);
		free(old[i]);
	}
	free(old);
}

static void add_registry(struct ek_engine *engine, struct ek_sync_registry *registry)
{
	engine->registries = ek_xrealloc(engine->registries, engine->n_registries + 1, sizeof(struct ek_sync_registry *));
	engine->registries[engine->n_registries++] = registry;
}

static void swap_registry(struct ek_engine *engine, const struct ek_config_registry *entry, struct ek_registry_instance *instance)
{
	struct ek_sync_registry *registry = find_by_name(engine, entry->name);

	if (!registry) {
		registry = ek_registry_new(engine, entry);
		add_registry(engine, registry);
	}
	registry->config = entry;
	registry->is_removed = false;
	if (!instance)
		return;
	ek_registry_use(registry, instance);
	if (engine->is_started)
		ek_registry_open(registry);
	ek_registry_list_soon(registry);
}

static void mark_removed(struct ek_engine *engine, const struct ek_config *config)
{
	engine->n_removed = 0;
	for (unsigned i = 0; i < engine->n_registries; i++) {
		struct ek_sync_registry *registry = engine->registries[i];

		registry->is_removed = ek_config_find_registry(config, registry->config->name) == NULL;
		engine->n_removed += registry->is_removed;
	}
}

static void keep_document(struct ek_engine *engine, struct ek_config *config)
{
	engine->documents = ek_xrealloc(engine->documents, engine->n_documents + 1, sizeof(struct ek_config *));
	engine->documents[engine->n_documents++] = config;
}

int ek_engine_reconfigure(struct ek_engine *engine, struct ek_config *config, struct ek_error *err)
{
	struct preparation preparation = {
		.modes = ek_xcalloc(config->n_modes + 1, sizeof(struct prepared_mode)),
		.instances = ek_xcalloc(config->n_registries + 1, sizeof(struct ek_registry_instance *)),
	};
	const struct ek_config *old = engine->with.config;
	int code;

	ek_catalog_set_rules(engine->with.catalog, &config->plugins);
	code = prepare(engine, config, &preparation, err);
	if (code != EK_OK) {
		undo(config, &preparation);
		ek_catalog_set_rules(engine->with.catalog, &old->plugins);
	} else {
		swap_modes(engine, config, &preparation);
		for (unsigned i = 0; i < config->n_registries; i++)
			swap_registry(engine, &config->registries[i], preparation.instances[i]);
		engine->with.config = config;
		mark_removed(engine, config);
		keep_document(engine, config);
		ek_engine_requeue_all(engine);
		ek_engine_reap(engine);
	}
	free(preparation.modes);
	free(preparation.instances);
	return code;
}

/* ---- letting go ---- */

static bool is_used(const struct ek_engine *engine, const struct ek_sync_registry *registry)
{
	if (registry->ledger.n || registry->n_ordinary || registry->n_renewals || registry->list_token)
		return true;
	for (const struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		if (syncer->registry == registry && (syncer->is_frozen || syncer->is_waiting || !syncer->is_evaluated))
			return true;
	return false;
}

static void drop_registry(struct ek_engine *engine, unsigned at)
{
	struct ek_sync_registry *registry = engine->registries[at];

	EK_INFO(&engine->log, "registry is not used any more", EK_S("registry", registry->config->name));
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		if (syncer->registry == registry)
			syncer->registry = NULL;
	ek_registry_close(registry);
	ek_registry_free(registry);
	engine->registries[at] = engine->registries[--engine->n_registries];
	engine->n_removed--;
}

static bool is_borrowed(const struct ek_engine *engine, const struct ek_config *config)
{
	if (config == engine->with.config)
		return true;
	for (unsigned i = 0; i < engine->n_modes; i++)
		if (engine->modes[i]->stable->origin == config || (engine->modes[i]->canary && engine->modes[i]->canary->origin == config))
			return true;
	for (unsigned i = 0; i < engine->n_registries; i++) {
		const struct ek_sync_registry *registry = engine->registries[i];

		if (registry->instance && registry->instance->origin == config)
			return true;
		if (registry->config >= config->registries && registry->config < config->registries + config->n_registries)
			return true;
	}
	for (const struct ek_registry_instance *instance = engine->retired; instance; instance = instance->next)
		if (instance->origin == config)
			return true;
	return false;
}

void ek_engine_reap(struct ek_engine *engine)
{
	for (unsigned i = engine->n_removed ? engine->n_registries : 0; i-- > 0;)
		if (engine->registries[i]->is_removed && !is_used(engine, engine->registries[i]))
			drop_registry(engine, i);
	for (unsigned i = engine->n_documents; i-- > 0;) {
		if (is_borrowed(engine, engine->documents[i]))
			continue;
		ek_config_free(engine->documents[i]);
		engine->documents[i] = engine->documents[--engine->n_documents];
	}
}
