/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's state as JSON for people and tools on this machine: syncers, their instances, registries, plugins. It reads and changes nothing. Read
 * sync/engine.h for what the words mean.
 */
#include <stdio.h>
#include <stdlib.h>

#include <eurekube/json.h>

#include "app/report.h"
#include "app/run.h"
#include "base/alloc.h"
#include "sync/comparison.h"
#include "sync/status.h"
#include "sync/status_rules.h"

#define STATE_MAX   (8u << 20)
#define PLUGINS_MAX (1u << 20)

static const char *const known_names[] = { "unknown", "absent", "held", "foreign" };
static const char *const phase_names[] = { "broken", "waiting", "probing", "listing", "open", "closing" };

static void pair(struct ek_json_writer *writer, const char *key, const char *text)
{
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text ? text : "");
}

static void number(struct ek_json_writer *writer, const char *key, int64_t value)
{
	ek_json_write_key(writer, key);
	ek_json_write_integer(writer, value);
}

static void write_entry(struct ek_json_writer *writer, const struct ek_ledger_entry *entry)
{
	ek_json_write_object(writer);
	pair(writer, "id", entry->id);
	pair(writer, "registry", entry->registry->config->name);
	pair(writer, "known", known_names[entry->known]);
	pair(writer, "wanted", ek_status_name(entry->want_status));
	pair(writer, "held", entry->known == EK_KNOWN_HELD ? ek_status_name(entry->held_status) : "");
	number(writer, "revision", entry->revision);
	number(writer, "attempts", entry->attempts);
	if (entry->last_message)
		pair(writer, "lastError", entry->last_message);
	ek_json_write_object_end(writer);
}

static void write_syncer(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer)
{
	struct ek_status_counts counts;

	ek_status_count(syncer, &counts);
	ek_json_write_object(writer);
	pair(writer, "name", syncer->key);
	pair(writer, "mode", syncer->object->mode);
	pair(writer, "modePlugin", syncer->version && syncer->version->library ? syncer->version->library->label : "");
	pair(writer, "channel", syncer->is_canary ? "canary" : "stable");
	if (syncer->comparison) {
		ek_json_write_key(writer, "rollout");
		ek_json_write_object(writer);
		ek_comparison_write(writer, syncer->comparison, true);
		ek_json_write_object_end(writer);
	}
	if (syncer->rollback)
		pair(writer, "rollback", syncer->rollback->message);
	pair(writer, "registry", syncer->registry ? syncer->registry->config->name : "");
	pair(writer, "ready", syncer->conditions[EK_CONDITION_READY].status);
	pair(writer, "reason", syncer->conditions[EK_CONDITION_READY].reason);
	pair(writer, "message", syncer->conditions[EK_CONDITION_READY].message);
	number(writer, "services", (int64_t)syncer->n_services);
	number(writer, "desired", (int64_t)counts.desired);
	number(writer, "registered", (int64_t)counts.registered);
	ek_json_write_key(writer, "instances");
	ek_json_write_array(writer);
	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next)
		write_entry(writer, entry);
	ek_json_write_array_end(writer);
	ek_json_write_object_end(writer);
}

static void write_registry(struct ek_json_writer *writer, const struct ek_sync_registry *registry)
{
	ek_json_write_object(writer);
	pair(writer, "name", registry->config->name);
	pair(writer, "phase", phase_names[registry->phase]);
	pair(writer, "plugin", registry->library ? registry->library->label : "");
	pair(writer, "digest", registry->library ? registry->library->digest : "");
	pair(writer, "problem", registry->problem.message);
	number(writer, "entries", (int64_t)registry->ledger.n);
	number(writer, "inFlight", registry->n_ordinary + registry->n_renewals);
	ek_json_write_object_end(writer);
}

/* ---- plugins: what is loaded, and who uses it ---- */

static void write_version_use(struct ek_json_writer *writer, const struct ek_engine *engine, const struct ek_mode_version *version, const char *mode,
                              const char *channel)
{
	int64_t n_syncers = 0;

	for (const struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		n_syncers += syncer->version == version;
	ek_json_write_object(writer);
	pair(writer, "mode", mode);
	pair(writer, "channel", channel);
	number(writer, "syncers", n_syncers);
	ek_json_write_object_end(writer);
}

static void write_uses(struct ek_json_writer *writer, const struct ek_engine *engine, const struct ek_library *library)
{
	for (unsigned i = 0; i < engine->n_modes; i++) {
		const struct ek_sync_mode *mode = engine->modes[i];

		if (mode->stable->library == library)
			write_version_use(writer, engine, mode->stable, mode->config->name, "stable");
		if (mode->canary && mode->canary->library == library)
			write_version_use(writer, engine, mode->canary, mode->config->name, "canary");
	}
	for (unsigned i = 0; i < engine->n_registries; i++) {
		if (engine->registries[i]->library != library)
			continue;
		ek_json_write_object(writer);
		pair(writer, "registry", engine->registries[i]->config->name);
		ek_json_write_object_end(writer);
	}
}

static void write_plugin(struct ek_json_writer *writer, const struct ek_engine *engine, const struct ek_library *library)
{
	const struct ek_plugin *plugin = library->plugin;
	char abi[16];

	snprintf(abi, sizeof(abi), "%u.%u", plugin->abi_major, plugin->abi_minor);
	ek_json_write_object(writer);
	pair(writer, "name", plugin->name);
	pair(writer, "kind", plugin->kind == EK_PLUGIN_MODE ? "mode" : "registry");
	pair(writer, "version", plugin->version);
	pair(writer, "buildId", plugin->build_id);
	pair(writer, "abi", abi);
	pair(writer, "file", library->file);
	pair(writer, "digest", library->digest);
	ek_json_write_key(writer, "usedBy");
	ek_json_write_array(writer);
	if (engine)
		write_uses(writer, engine, library);
	ek_json_write_array_end(writer);
	ek_json_write_object_end(writer);
}

static void write_plugins(struct ek_json_writer *writer, const struct ek_app *app)
{
	ek_json_write_key(writer, "plugins");
	ek_json_write_array(writer);
	for (unsigned i = 0; i < ek_catalog_count(app->with.catalog); i++)
		write_plugin(writer, app->engine, ek_catalog_at(app->with.catalog, i));
	ek_json_write_array_end(writer);
}

static void write_all(struct ek_json_writer *writer, struct ek_app *app)
{
	ek_json_write_object(writer);
	pair(writer, "version", EK_VERSION);
	pair(writer, "cluster", app->cluster_id);
	write_plugins(writer, app);
	ek_json_write_key(writer, "registries");
	ek_json_write_array(writer);
	for (unsigned i = 0; app->engine && i < app->engine->n_registries; i++)
		write_registry(writer, app->engine->registries[i]);
	ek_json_write_array_end(writer);
	ek_json_write_key(writer, "syncers");
	ek_json_write_array(writer);
	for (const struct ek_sync_syncer *syncer = app->engine ? app->engine->syncers : NULL; syncer; syncer = syncer->hh.next)
		write_syncer(writer, syncer);
	ek_json_write_array_end(writer);
	ek_json_write_object_end(writer);
}

static void write_document(struct ek_app *app, size_t limit, void (*write)(struct ek_json_writer *writer, struct ek_app *app), struct ek_buf *out)
{
	struct ek_json_writer writer;
	char *text = ek_xmalloc(limit);
	size_t n;

	ek_json_writer_init(&writer, text, limit);
	write(&writer, app);
	n = ek_json_writer_finish(&writer);
	if (n)
		ek_buf_add(out, text, n);
	else
		ek_buf_addf(out, "{\"error\":\"the state is larger than %zu MiB\"}", limit >> 20);
	free(text);
}

void ek_state_write(struct ek_app *app, struct ek_buf *out)
{
	write_document(app, STATE_MAX, write_all, out);
}

static void write_plugins_alone(struct ek_json_writer *writer, struct ek_app *app)
{
	ek_json_write_object(writer);
	write_plugins(writer, app);
	ek_json_write_object_end(writer);
}

void ek_plugins_write(struct ek_app *app, struct ek_buf *out)
{
	write_document(app, PLUGINS_MAX, write_plugins_alone, out);
}
