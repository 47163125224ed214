/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and ends the engine, and turns "this Service changed" into "these syncers must be looked at". It does no work of its own. Read reconcile.c first for
 * what a turn does.
 */
#include "sync/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/claims.h"
#include "sync/conduct.h"
#include "sync/doubts.h"
#include "sync/owners.h"
#include "sync/reads.h"
#include "sync/reconcile.h"
#include "sync/selector.h"
#include "sync/status.h"

#define CLOSE_LIMIT_MS 5000

/* ---- changes of the view ---- */

/* Whether the syncer selects the Service now, or may have selected it when it was last looked at. */
static bool is_concerned(const struct ek_sync_syncer *syncer, const char *namespace_, uint64_t bit, const struct ek_record_service *record)
{
	if (strcmp(syncer->object->selector.namespace_, namespace_) != 0)
		return false;
	return !syncer->is_evaluated || (syncer->selected_mask & bit) || (record && ek_selector_matches(&syncer->object->selector, record));
}

static void on_service(void *arg, const struct ek_store_change *change)
{
	struct ek_engine *engine = arg;
	const struct ek_record_service *record = ek_store_find_service(engine->store, change->namespace_, change->service);
	uint64_t bit = ek_name_bit(change->service);

	if (change->evidence == EK_EVIDENCE_EVENT)
		ek_doubts_on_event(engine, change->namespace_);
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next) {
		if (!is_concerned(syncer, change->namespace_, bit, record))
			continue;
		if (change->evidence == EK_EVIDENCE_EVENT && change->trigger_wall_ms)
			syncer->trigger_wall_ms = change->trigger_wall_ms;
		ek_part_wake_keys(syncer, change->keys);
	}
}

static void on_commit(void *arg, enum ek_store_kind kind, const char *namespace_, size_t before, size_t after)
{
	ek_doubts_on_commit(arg, kind, namespace_, before, after);
}

/* ---- life ---- */

static void work(void *arg, struct ek_queue_item *item)
{
	(void)arg;
	ek_reconcile((struct ek_sync_syncer *)(void *)((char *)item - offsetof(struct ek_sync_syncer, item)));
}

static void create_registries(struct ek_engine *engine)
{
	const struct ek_config *config = engine->with.config;

	engine->n_registries = config->n_registries;
	engine->registries = ek_xcalloc(config->n_registries + 1, sizeof(struct ek_sync_registry *));
	for (unsigned i = 0; i < config->n_registries; i++) {
		struct ek_sync_registry *registry = ek_registry_new(engine, &config->registries[i]);
		struct ek_registry_instance *instance = ek_instance_new(engine, config, registry->config, &registry->problem);

		engine->registries[i] = registry;
		if (instance)
			ek_registry_use(registry, instance);
		else
			EK_ERROR(&engine->log, "registry cannot be used", EK_S("registry", registry->config->name), EK_E(&registry->problem));
	}
}

struct ek_engine *ek_engine_new(const struct ek_engine_config *config)
{
	struct ek_engine *engine = ek_xcalloc(1, sizeof(*engine));
	struct ek_store_listener listener = { .on_service = on_service, .on_commit = on_commit, .arg = engine };

	engine->with = *config;
	engine->loop = config->loop;
	engine->store = ek_store_new(&listener);
	engine->pool = ek_intern_new();
	ek_arena_init(&engine->scratch);
	ek_queue_init(&engine->queue, engine->loop, work, engine);
	ek_queue_pause(&engine->queue, true);
	ek_timer_init(&engine->close_timer, NULL, engine);
	ek_doubts_init(engine);
	ek_owners_init(engine);
	ek_modes_create(engine);
	create_registries(engine);
	return engine;
}

void ek_engine_start(struct ek_engine *engine)
{
	struct ek_sync_syncer *syncer, *next;

	if (engine->is_started)
		return;
	engine->is_started = true;
	HASH_ITER(hh, engine->syncers, syncer, next)
		ek_reconcile(syncer); /* fills the ledgers; nothing goes out before a registry is open */
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_registry_open(engine->registries[i]);
	ek_queue_pause(&engine->queue, false);
}

bool ek_engine_is_open(const struct ek_engine *engine)
{
	for (unsigned i = 0; i < engine->n_registries; i++)
		if (engine->registries[i]->phase != EK_REGISTRY_OPEN && engine->registries[i]->phase != EK_REGISTRY_BROKEN)
			return false;
	return engine->is_started;
}

void ek_engine_requeue_all(struct ek_engine *engine)
{
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		ek_queue_add(&syncer->item);
}

struct ek_sync_mode *ek_engine_find_mode(struct ek_engine *engine, const char *name)
{
	for (unsigned i = 0; i < engine->n_modes; i++)
		if (strcmp(engine->modes[i]->config->name, name) == 0)
			return engine->modes[i];
	return NULL;
}

const struct ek_library *ek_engine_load(struct ek_engine *engine, const char *file, const char *sha256, enum ek_plugin_kind kind, struct ek_error *err)
{
	const struct ek_library *library;
	char who[80];

	snprintf(who, sizeof(who), "loading plugin %.60s", file);
	ek_loop_enter(engine->loop, who);
	library = ek_catalog_load(engine->with.catalog, file, sha256, kind, err);
	ek_loop_leave(engine->loop);
	return library;
}

struct ek_sync_registry *ek_engine_find_registry(struct ek_engine *engine, const char *name)
{
	const struct ek_config_registry *config = ek_config_find_registry(engine->with.config, name);

	for (unsigned i = 0; config && i < engine->n_registries; i++)
		if (engine->registries[i]->config == config)
			return engine->registries[i];
	return NULL;
}

/* ---- the end ---- */

static void when_closed(void *arg)
{
	struct ek_engine *engine = arg;

	if (engine->retired && ek_loop_now_ms(engine->loop) < engine->close_by_ms) {
		ek_loop_arm(engine->loop, &engine->close_timer, 10);
		return;
	}
	if (engine->retired)
		EK_WARN(&engine->log, "a plugin did not close in time", EK_S("plugin", engine->retired->library->label));
	engine->on_closed(engine->on_closed_arg);
}

void ek_engine_close(struct ek_engine *engine, void (*on_closed)(void *arg), void *arg)
{
	engine->on_closed = on_closed;
	engine->on_closed_arg = arg;
	engine->close_by_ms = ek_loop_now_ms(engine->loop) + CLOSE_LIMIT_MS;
	ek_queue_pause(&engine->queue, true);
	ek_doubts_stop(engine);
	ek_owners_clear(engine);
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_registry_close(engine->registries[i]);
	ek_timer_init(&engine->close_timer, when_closed, engine);
	ek_loop_arm(engine->loop, &engine->close_timer, 0);
}

void ek_engine_free(struct ek_engine *engine)
{
	if (!engine)
		return;
	ek_loop_disarm(engine->loop, &engine->close_timer);
	ek_doubts_clear(engine);
	ek_owners_clear(engine);
	ek_syncers_clear(engine);
	ek_claims_clear(engine);
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_registry_free(engine->registries[i]);
	free(engine->registries);
	ek_instances_free(engine);
	ek_modes_destroy(engine);
	ek_reads_clear(engine);
	ek_conduct_clear(engine);
	for (unsigned i = 0; i < engine->n_documents; i++)
		ek_config_free(engine->documents[i]);
	free(engine->documents);
	ek_store_free(engine->store);
	ek_intern_free(engine->pool);
	ek_arena_clear(&engine->scratch);
	free(engine);
}
