/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one registry: which instance of the plugin serves it, opening (renew what it may hold, list, then write), renewals as the wheel asks for them, and the
 * periodic list. What single answers mean is in registry_ops.c, what a list means in adopt.c. Read reconcile.c next.
 */
#include "sync/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/doubts.h"
#include "sync/outcome.h"

#define PROBE_LIMIT_MS 10000
#define LIST_TIMEOUT_MS 60000
#define NEXT_PORTION_MS 10000 /* when a list held more than could be dealt with */

bool ek_registry_is_leased(const struct ek_sync_registry *registry)
{
	return registry->traits.lease_kind == EK_LEASE_INSTANCE && registry->traits.renew_ms > 0;
}

/* ---- creating ---- */

static void on_list_due(void *arg);
static void on_probe_limit(void *arg);

static void add_to_wheel(void *arg, struct ek_ledger_entry *entry)
{
	(void)arg;
	if (entry->known == EK_KNOWN_HELD)
		ek_entry_renew_next(entry);
}

void ek_registry_use(struct ek_sync_registry *registry, struct ek_registry_instance *instance)
{
	int64_t third = instance->traits.renew_ms / 3;

	if (registry->instance) {
		struct ek_registry_instance *old = registry->instance;

		ek_ops_abort(registry);
		ek_instance_retire(old);
	}
	instance->registry = registry;
	registry->instance = instance;
	registry->library = instance->library;
	registry->ops = instance->ops;
	registry->services = instance->services;
	registry->traits = instance->traits;
	registry->op_timeout_ms = third <= 0 || third > 10000 ? 10000 : third < 2000 ? 2000 : third;
	memset(&registry->problem, 0, sizeof(registry->problem));
	while (registry->renew_first)
		ek_entry_leave_renewals(registry->renew_first);
	ek_lease_clear(&registry->wheel);
	ek_lease_init(&registry->wheel, registry->engine->loop, registry->traits.renew_ms, ek_registry_renew, registry);
	ek_ledger_each(&registry->ledger, add_to_wheel, NULL);
	if (registry->phase == EK_REGISTRY_BROKEN)
		registry->phase = EK_REGISTRY_WAITING;
}

struct ek_sync_registry *ek_registry_new(struct ek_engine *engine, const struct ek_config_registry *config)
{
	struct ek_sync_registry *registry = ek_xcalloc(1, sizeof(*registry));

	registry->engine = engine;
	registry->config = config;
	registry->renew_last = &registry->renew_first;
	registry->phase = EK_REGISTRY_BROKEN;
	registry->op_timeout_ms = 10000;
	ek_ledger_init(&registry->ledger);
	ek_ops_init(registry);
	ek_timer_init(&registry->list_timer, on_list_due, registry);
	ek_timer_init(&registry->probe_timer, on_probe_limit, registry);
	ek_lease_init(&registry->wheel, engine->loop, 0, ek_registry_renew, registry);
	return registry;
}

/* ---- renewing ---- */

void ek_entry_leave_renewals(struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = entry->registry;

	if (!entry->is_due) {
		ek_lease_remove(&registry->wheel, entry);
		return;
	}
	*entry->wheel_prev = entry->wheel_next;
	if (entry->wheel_next)
		entry->wheel_next->wheel_prev = entry->wheel_prev;
	else
		registry->renew_last = entry->wheel_prev;
	entry->wheel_prev = NULL;
	entry->wheel_next = NULL;
	entry->is_due = false;
}

void ek_entry_renew_next(struct ek_ledger_entry *entry)
{
	ek_entry_leave_renewals(entry);
	if (ek_registry_is_leased(entry->registry))
		ek_lease_add_next(&entry->registry->wheel, entry);
}

void ek_entry_renew_at(struct ek_ledger_entry *entry, int64_t due_ms)
{
	ek_entry_leave_renewals(entry);
	if (ek_registry_is_leased(entry->registry))
		ek_lease_add_at(&entry->registry->wheel, entry, due_ms);
}

static bool needs_renewal(const struct ek_ledger_entry *entry)
{
	if (entry->known == EK_KNOWN_HELD)
		return true;
	return entry->known == EK_KNOWN_NOTHING && (entry->want_status || entry->renewed_at_ms);
}

static void send_renewal(struct ek_sync_registry *registry, struct ek_ledger_entry *entry)
{
	int64_t late = ek_loop_now_ms(registry->engine->loop) - entry->due_ms;

	ek_histogram_add(&registry->lateness, (double)(late > 0 ? late : 0) / 1000);
	ek_ops_add(registry, entry, EK_OP_RENEW, NULL);
}

/* Sends what is due, as far as there is room; the rest waits in its order and goes as completions come. */
static void pump_renewals(struct ek_sync_registry *registry)
{
	while (registry->renew_first && registry->n_renewals < EK_OPS_MAX) {
		struct ek_ledger_entry *entry = registry->renew_first;

		ek_entry_leave_renewals(entry);
		if (entry->op)
			ek_entry_renew_at(entry, ek_loop_now_ms(registry->engine->loop) + registry->wheel.slot_ms);
		else if (needs_renewal(entry))
			send_renewal(registry, entry);
	}
	ek_ops_flush(registry);
}

static void pump_later(void *arg)
{
	struct ek_sync_registry *registry = arg;

	registry->is_pumping = false;
	if (registry->instance)
		pump_renewals(registry);
}

void ek_registry_pump(struct ek_sync_registry *registry)
{
	if (registry->is_pumping || !registry->renew_first)
		return;
	registry->is_pumping = true;
	ek_loop_defer(registry->engine->loop, pump_later, registry);
}

/* The due ones stand in a list of their own, linked as in the wheel, so that they can be taken out of it like out of a slot. */
void ek_registry_renew(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	entry->wheel_next = NULL;
	entry->wheel_prev = registry->renew_last;
	*registry->renew_last = entry;
	registry->renew_last = &entry->wheel_next;
	entry->is_due = true;
	ek_registry_pump(registry);
}

/* ---- opening ---- */

struct gathering {
	const char **names;
	size_t n;
};

static void gather(void *arg, struct ek_ledger_entry *entry)
{
	struct gathering *gathering = arg;

	gathering->names[gathering->n++] = entry->application;
}

static int compare_pointers(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	return x < y ? -1 : x > y;
}

/* For registries that can list only what they are asked for: the applications of the ledger, each once. Their names are interned. */
static void name_applications(struct ek_sync_registry *registry, struct ek_scope *scope)
{
	struct ek_arena *scratch = &registry->engine->scratch;
	struct gathering all;

	ek_arena_reset(scratch);
	all = (struct gathering){ .names = ek_arena_alloc(scratch, (registry->ledger.n + 1) * sizeof(*all.names)) };
	ek_ledger_each(&registry->ledger, gather, &all);
	qsort(all.names, all.n, sizeof(*all.names), compare_pointers);
	scope->applications = all.names;
	for (size_t i = 0; i < all.n; i++)
		if (i == 0 || all.names[i] != all.names[i - 1])
			all.names[scope->n_applications++] = all.names[i];
}

static void start_list(struct ek_sync_registry *registry)
{
	struct ek_scope scope = { .size = sizeof(scope) };
	char prefix[40];

	if (registry->list_token)
		return;
	snprintf(prefix, sizeof(prefix), "%.30s/", registry->engine->with.cluster_id);
	scope.owner_prefix = prefix;
	if (registry->traits.flags & EK_REGISTRY_LISTS_BY_APPLICATION)
		name_applications(registry, &scope);
	ek_adopt_begin(registry);
	registry->list_token = ek_ops_start_list(registry, LIST_TIMEOUT_MS);
	ek_services_enter(registry->services);
	registry->ops->list(registry->instance->self, &scope, registry->list_token);
	ek_services_leave(registry->services);
}

static void on_list_due(void *arg)
{
	start_list(arg);
}

/* On a later turn: the last probe may just be completing, and no plugin is called from within its own completion. */
static void begin_listing(struct ek_sync_registry *registry)
{
	ek_loop_disarm(registry->engine->loop, &registry->probe_timer);
	registry->phase = EK_REGISTRY_LISTING;
	ek_loop_arm(registry->engine->loop, &registry->list_timer, 0);
}

static void on_probe_limit(void *arg)
{
	struct ek_sync_registry *registry = arg;

	if (registry->phase == EK_REGISTRY_PROBING)
		begin_listing(registry);
}

void ek_registry_probed(struct ek_sync_registry *registry)
{
	if (registry->unprobed && --registry->unprobed == 0 && registry->phase == EK_REGISTRY_PROBING)
		begin_listing(registry);
}

static void probe_entry(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	if (!entry->want_status || entry->known != EK_KNOWN_NOTHING)
		return;
	registry->unprobed++;
	entry->due_ms = ek_loop_now_ms(registry->engine->loop);
	ek_registry_renew(registry, entry);
}

void ek_registry_open(struct ek_sync_registry *registry)
{
	if (registry->phase != EK_REGISTRY_WAITING)
		return;
	registry->phase = EK_REGISTRY_PROBING;
	if (ek_registry_is_leased(registry))
		ek_ledger_each(&registry->ledger, probe_entry, registry);
	if (!registry->unprobed)
		begin_listing(registry);
	else
		ek_loop_arm(registry->engine->loop, &registry->probe_timer, PROBE_LIMIT_MS);
}

static int64_t jittered(struct ek_sync_registry *registry, int64_t ms)
{
	return ms - ms / 10 + (int64_t)(ek_loop_random(registry->engine->loop) % (uint64_t)(ms / 5 + 1));
}

void ek_registry_listed(struct ek_sync_registry *registry, const struct ek_result *result)
{
	struct ek_engine *engine = registry->engine;

	registry->list_token = 0;
	if (registry->phase == EK_REGISTRY_CLOSING)
		return;
	if (result->code != EK_OK) {
		int64_t delay = ek_retry_delay_ms(++registry->list_attempts < 3 ? registry->list_attempts : 3, ek_loop_random(engine->loop));

		ek_fail_reason(&registry->problem, result->code, ek_outcome_of(result->code).reason, "%s", result->message ? result->message : "the registry could not be read");
		EK_WARN(&engine->log, "registry could not be read", EK_S("registry", registry->config->name), EK_E(&registry->problem));
		ek_loop_arm(engine->loop, &registry->list_timer, registry->phase == EK_REGISTRY_OPEN ? delay * 4 : delay);
		ek_engine_requeue_all(engine);
		return;
	}
	memset(&registry->problem, 0, sizeof(registry->problem));
	registry->list_attempts = 0;
	ek_adopt_end(registry);
	ek_doubts_on_listed(registry);
	if (registry->phase == EK_REGISTRY_LISTING) {
		registry->phase = EK_REGISTRY_OPEN;
		EK_INFO(&engine->log, "registry open", EK_S("registry", registry->config->name), EK_I("ours", registry->list_ours),
		        EK_I("orphans", registry->list_orphans), EK_I("foreign", registry->list_foreign));
		ek_engine_requeue_all(engine);
	}
	ek_loop_arm(engine->loop, &registry->list_timer, registry->is_list_wanted ? 0 :
	            jittered(registry, registry->list_skipped ? NEXT_PORTION_MS : engine->with.config->audit_seconds * 1000));
	registry->is_list_wanted = false;
}

/* ---- closing ---- */

void ek_registry_list_soon(struct ek_sync_registry *registry)
{
	if (registry->phase != EK_REGISTRY_OPEN)
		return;
	if (registry->list_token)
		registry->is_list_wanted = true; /* the one that runs may have gone past what this is about */
	else
		ek_loop_arm(registry->engine->loop, &registry->list_timer, 0);
}

void ek_registry_close(struct ek_sync_registry *registry)
{
	struct ek_loop *loop = registry->engine->loop;
	struct ek_registry_instance *instance = registry->instance;

	registry->phase = EK_REGISTRY_CLOSING;
	ek_loop_disarm(loop, &registry->list_timer);
	ek_loop_disarm(loop, &registry->probe_timer);
	ek_loop_disarm(loop, &registry->deadline_timer);
	while (registry->renew_first)
		ek_entry_leave_renewals(registry->renew_first);
	ek_lease_clear(&registry->wheel);
	registry->instance = NULL;
	if (instance)
		ek_instance_retire(instance);
}

static void free_later(void *arg)
{
	free(arg);
}

/* A deferred pump may still hold the pointer, so the memory goes one turn later. */
void ek_registry_free(struct ek_sync_registry *registry)
{
	ek_doubts_forget(registry);
	ek_ops_clear(registry);
	ek_ledger_clear(&registry->ledger);
	if (registry->is_pumping)
		ek_loop_defer(registry->engine->loop, free_later, registry);
	else
		free(registry);
}
