/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one registry: creating the plugin's instance, opening (renew what it may hold, list, then write), renewals as the wheel asks for them, and the
 * periodic list. What single answers mean is in registry_ops.c, what a list means in adopt.c. Read reconcile.c next.
 */
#include "sync/registry.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "plugin/options.h"
#include "sync/outcome.h"

#define PROBE_LIMIT_MS 10000
#define LIST_TIMEOUT_MS 60000

bool ek_registry_is_leased(const struct ek_sync_registry *registry)
{
	return registry->traits.lease_kind == EK_LEASE_INSTANCE && registry->traits.renew_ms > 0;
}

/* ---- what the plugin tells ---- */

static void on_op_done(void *arg, uint64_t token, const struct ek_result *result)
{
	ek_ops_done(arg, token, result);
}

static int on_list_entry(void *arg, uint64_t token, const struct ek_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	return token == registry->list_token ? ek_adopt_entry(registry, entry) : 1;
}

static void read_again(void *arg, struct ek_ledger_entry *entry)
{
	(void)arg;
	if (entry->known == EK_KNOWN_HELD && !entry->op) {
		entry->known = EK_KNOWN_NOTHING;
		ek_entry_changed(entry);
	}
}

static void on_lost(void *arg, const char *why)
{
	struct ek_sync_registry *registry = arg;

	EK_WARN(&registry->engine->log, "registry lost our instances", EK_S("registry", registry->config->name), EK_S("why", why));
	ek_ledger_each(&registry->ledger, read_again, NULL);
}

static void on_changed(void *arg, const char *application, const char *id)
{
	struct ek_sync_registry *registry = arg;
	struct ek_ledger_entry *entry = id ? ek_ledger_find(&registry->ledger, id) : NULL;

	(void)application;
	if (entry)
		read_again(NULL, entry);
}

static void on_closed(void *arg)
{
	struct ek_sync_registry *registry = arg;

	registry->self = NULL;
}

/* ---- creating ---- */

static void describe_services(struct ek_sync_registry *registry, const struct ek_option_value *const *options, uint32_t n_options)
{
	const struct ek_config_registry *config = registry->config;
	struct ek_services_config services = {
		.name = registry->name, .library = registry->library, .options = options, .n_options = n_options,
		.auth = config->auth, .username_file = config->username_file, .password_file = config->password_file,
		.token_file = config->token_file, .cert_file = config->cert_file, .key_file = config->key_file,
		.ca_file = config->ca_file, .insecure_skip_verify = config->insecure_skip_verify,
		.connections = (uint32_t)config->connections,
		.owner = { .on_op_done = on_op_done, .on_list_entry = on_list_entry, .on_lost = on_lost,
			   .on_changed = on_changed, .on_closed = on_closed, .arg = registry },
	};

	registry->services = ek_services_new(registry->engine->loop, registry->engine->with.http, &services);
}

static int create_instance(struct ek_sync_registry *registry, struct ek_error *err)
{
	struct ek_engine *engine = registry->engine;
	const struct ek_config_registry *config = registry->config;
	const struct ek_option_value *const *options;
	const struct ek_registry_traits *traits;
	uint32_t n_options;
	char what[128];
	int code;

	registry->library = ek_catalog_load(engine->with.catalog, config->plugin, config->sha256, EK_PLUGIN_REGISTRY, err);
	if (!registry->library)
		return EK_INVALID;
	registry->ops = registry->library->plugin->ops;
	snprintf(what, sizeof(what), "registries.%.60s.options", config->name);
	code = ek_options_resolve(registry->library->plugin->options, config->options, what,
	                          &registry->arena, &options, &n_options, err);
	if (code != EK_OK)
		return code;
	describe_services(registry, options, n_options);
	ek_services_enter(registry->services);
	code = registry->ops->create(ek_services_host(registry->services), &registry->self, err);
	ek_services_leave(registry->services);
	if (code != EK_OK)
		return code;
	traits = registry->ops->traits(registry->self);
	registry->traits = *traits;
	if (registry->traits.max_batch < 1)
		registry->traits.max_batch = 1;
	return EK_OK;
}

static void on_list_due(void *arg);
static void on_probe_limit(void *arg);

void ek_registry_create(struct ek_engine *engine, struct ek_sync_registry *registry, const struct ek_config_registry *config)
{
	int64_t third;

	registry->engine = engine;
	registry->config = config;
	snprintf(registry->name, sizeof(registry->name), "registry %.60s", config->name);
	registry->renew_last = &registry->renew_first;
	ek_arena_init(&registry->arena);
	ek_ledger_init(&registry->ledger);
	ek_ops_init(registry);
	ek_timer_init(&registry->list_timer, on_list_due, registry);
	ek_timer_init(&registry->probe_timer, on_probe_limit, registry);
	registry->phase = EK_REGISTRY_WAITING;
	if (create_instance(registry, &registry->problem) != EK_OK) {
		registry->phase = EK_REGISTRY_BROKEN;
		registry->traits.max_batch = 1;
		EK_ERROR(&engine->log, "registry cannot be used", EK_S("registry", config->name), EK_E(&registry->problem));
	}
	third = registry->traits.renew_ms / 3;
	registry->op_timeout_ms = third <= 0 || third > 10000 ? 10000 : third < 2000 ? 2000 : third;
	ek_lease_init(&registry->wheel, engine->loop, registry->traits.renew_ms, ek_registry_renew, registry);
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
	if (registry->self && registry->phase != EK_REGISTRY_CLOSING)
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

static void start_list(struct ek_sync_registry *registry)
{
	struct ek_scope scope = { .size = sizeof(scope) };
	char prefix[40];

	if (registry->list_token)
		return;
	snprintf(prefix, sizeof(prefix), "%.30s/", registry->engine->with.cluster_id);
	scope.owner_prefix = prefix;
	ek_adopt_begin(registry);
	registry->list_token = ek_ops_start_list(registry, LIST_TIMEOUT_MS);
	ek_services_enter(registry->services);
	registry->ops->list(registry->self, &scope, registry->list_token);
	ek_services_leave(registry->services);
}

static void on_list_due(void *arg)
{
	start_list(arg);
}

static void begin_listing(struct ek_sync_registry *registry)
{
	ek_loop_disarm(registry->engine->loop, &registry->probe_timer);
	registry->phase = EK_REGISTRY_LISTING;
	start_list(registry);
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
	int64_t now = ek_loop_now_ms(engine->loop);

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
	registry->last_list_ms = now;
	ek_adopt_end(registry);
	if (registry->phase == EK_REGISTRY_LISTING) {
		registry->phase = EK_REGISTRY_OPEN;
		registry->opened_ms = now;
		EK_INFO(&engine->log, "registry open", EK_S("registry", registry->config->name), EK_I("ours", registry->list_ours),
		        EK_I("orphans", registry->list_orphans), EK_I("foreign", registry->list_foreign));
		ek_engine_requeue_all(engine);
	}
	ek_loop_arm(engine->loop, &registry->list_timer, jittered(registry, engine->with.config->audit_seconds * 1000));
}

/* ---- closing ---- */

void ek_registry_close(struct ek_sync_registry *registry)
{
	struct ek_loop *loop = registry->engine->loop;

	registry->phase = EK_REGISTRY_CLOSING;
	ek_loop_disarm(loop, &registry->list_timer);
	ek_loop_disarm(loop, &registry->probe_timer);
	ek_loop_disarm(loop, &registry->deadline_timer);
	while (registry->renew_first)
		ek_entry_leave_renewals(registry->renew_first);
	ek_lease_clear(&registry->wheel);
	if (!registry->self)
		return;
	ek_services_enter(registry->services);
	registry->ops->close(registry->self);
	ek_services_leave(registry->services);
}

void ek_registry_clear(struct ek_sync_registry *registry)
{
	ek_ops_clear(registry);
	if (registry->services)
		ek_services_free(registry->services);
	registry->services = NULL;
	ek_ledger_clear(&registry->ledger);
	ek_arena_clear(&registry->arena);
}
