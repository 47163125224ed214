/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of a registry's plugin: made from the configuration, listened to while it is in use, closed and freed when another takes its place. What is done
 * with its answers is in registry_ops.c and adopt.c. Read registry.c next.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "plugin/options.h"
#include "sync/conduct.h"
#include "sync/registry.h"

#define SPAN_MAX_MS (24 * 3600000ll)
#define RENEW_MIN_MS 100
#define TRAITS_KNOWN (EK_REGISTRY_SETS_STATUS | EK_REGISTRY_RENEWS_BY_INSTANCE | EK_REGISTRY_LISTS_BY_APPLICATION)
#define LOST_GAP_MS 5000        /* between two times that everything is read because the plugin says that it is lost */
#define CHANGES_PER_SECOND 100 /* that are read at once */

/* ---- what the plugin tells; a retired instance is not listened to ---- */

static void on_op_done(void *arg, uint64_t token, const struct ek_result *result)
{
	struct ek_registry_instance *instance = arg;

	if (instance->registry)
		ek_ops_done(instance->registry, token, result);
}

static int on_list_entry(void *arg, uint64_t token, const struct ek_entry *entry)
{
	struct ek_registry_instance *instance = arg;
	struct ek_sync_registry *registry = instance->registry;

	if (!registry)
		return 1;
	if (token == registry->list_token)
		return ek_adopt_entry(registry, entry);
	ek_ops_stray_entry(registry, token);
	return 1;
}

static void read_again(struct ek_ledger_entry *entry, int64_t not_before_ms)
{
	if (entry->known != EK_KNOWN_HELD || entry->op)
		return;
	entry->known = EK_KNOWN_NOTHING;
	if (entry->retry_at_ms < not_before_ms)
		entry->retry_at_ms = not_before_ms;
	ek_entry_changed(entry);
}

static void read_now(void *arg, struct ek_ledger_entry *entry)
{
	(void)arg;
	read_again(entry, 0);
}

static void read_all(void *arg)
{
	struct ek_registry_instance *instance = arg;

	instance->lost_ms = ek_loop_now_ms(instance->engine->loop);
	ek_ledger_each(&instance->registry->ledger, read_now, NULL);
}

/* Whoever loses everything all the time is believed now and then. */
static void on_lost(void *arg, const char *why)
{
	struct ek_registry_instance *instance = arg;
	int64_t wait_ms;

	if (!instance->registry || ek_timer_is_armed(&instance->lost_timer))
		return;
	EK_WARN(&instance->engine->log, "registry lost our instances", EK_S("registry", instance->registry->config->name), EK_S("why", why));
	wait_ms = instance->lost_ms ? instance->lost_ms + LOST_GAP_MS - ek_loop_now_ms(instance->engine->loop) : 0;
	if (wait_ms > 0)
		ek_loop_arm(instance->engine->loop, &instance->lost_timer, wait_ms);
	else
		read_all(instance);
}

/* The first ones of a second are read at once, the others a second later. */
static int64_t pace_change(struct ek_registry_instance *instance)
{
	int64_t now = ek_loop_now_ms(instance->engine->loop);

	if (now - instance->changes_ms >= 1000) {
		instance->changes_ms = now;
		instance->n_changes = 0;
	}
	return instance->n_changes++ < CHANGES_PER_SECOND ? 0 : now + 1000;
}

static void on_changed(void *arg, const char *application, const char *id)
{
	struct ek_registry_instance *instance = arg;
	struct ek_ledger_entry *entry = instance->registry && id ? ek_ledger_find(&instance->registry->ledger, id) : NULL;

	(void)application;
	if (entry)
		read_again(entry, pace_change(instance));
}

static void free_instance(struct ek_registry_instance *instance)
{
	ek_loop_disarm(instance->engine->loop, &instance->lost_timer);
	if (instance->services)
		ek_services_free(instance->services);
	ek_arena_clear(&instance->arena);
	free(instance);
}

static void drop_retired(struct ek_registry_instance *instance)
{
	for (struct ek_registry_instance **at = &instance->engine->retired; *at; at = &(*at)->next) {
		if (*at != instance)
			continue;
		*at = instance->next;
		free_instance(instance);
		return;
	}
}

/* May come inside the plugin's close, which still stands in the instance. */
static void on_closed(void *arg)
{
	struct ek_registry_instance *instance = arg;

	instance->self = NULL;
	if (!instance->is_closing)
		drop_retired(instance);
}

/* ---- making ---- */

static void make_services(struct ek_registry_instance *instance, const struct ek_config_registry *entry, const struct ek_option_value *const *options,
                          uint32_t n_options)
{
	char name[80];
	struct ek_services_config services = {
		.name = name, .library = instance->library, .options = options, .n_options = n_options,
		.auth = entry->auth, .username_file = entry->username_file, .password_file = entry->password_file,
		.token_file = entry->token_file, .cert_file = entry->cert_file, .key_file = entry->key_file,
		.ca_file = entry->ca_file, .insecure_skip_verify = entry->insecure_skip_verify,
		.connections = (uint32_t)entry->connections,
		.owner = { .on_op_done = on_op_done, .on_list_entry = on_list_entry, .on_lost = on_lost,
			   .on_changed = on_changed, .on_closed = on_closed, .arg = instance },
	};

	snprintf(name, sizeof(name), "registry %.60s", entry->name);
	services.misbehaviours = ek_conduct_of(instance->engine, instance->library->label, name);
	instance->services = ek_services_new(instance->engine->loop, instance->engine->with.http, &services);
}

static int blame(struct ek_registry_instance *instance, struct ek_error *err, const char *what)
{
	ek_services_blame(instance->services, EK_MISBEHAVIOUR_GARBAGE, "%s", what);
	return ek_fail_reason(err, EK_PLUGIN, "PluginMisbehaved", "plugin %s %s", instance->library->label, what);
}

/* A create that fails owes a message. */
static int take_refusal(struct ek_registry_instance *instance, int code, struct ek_error *err)
{
	char message[sizeof(err->message)];

	instance->self = NULL;
	ek_text_copy(message, sizeof(message), err->message);
	if (code < EK_OK || code > EK_CANCELLED || !message[0])
		return blame(instance, err, "failed to start and did not say why");
	return ek_fail(err, code, "%s", message);
}

static bool is_span(int64_t ms)
{
	return ms >= 0 && ms <= SPAN_MAX_MS;
}

/* A lease that is renewed lives longer than until the next time. */
static bool is_lease_sound(const struct ek_registry_traits *traits)
{
	if (traits->lease_kind != EK_LEASE_INSTANCE)
		return traits->renew_ms == 0;
	return traits->renew_ms >= RENEW_MIN_MS && traits->lease_ms > traits->renew_ms;
}

static bool are_traits_sound(const struct ek_registry_traits *traits)
{
	return traits->lease_kind <= EK_LEASE_SESSION && !(traits->flags & ~(uint32_t)TRAITS_KNOWN) && is_span(traits->renew_ms) &&
	       is_span(traits->lease_ms) && is_span(traits->list_age_ms) && is_span(traits->same_id_gap_ms) && traits->max_batch &&
	       is_lease_sound(traits);
}

static int take_traits(struct ek_registry_instance *instance, struct ek_error *err)
{
	const struct ek_registry_traits *traits;

	if (!instance->self)
		return blame(instance, err, "started without an instance");
	ek_services_enter(instance->services);
	traits = instance->ops->traits(instance->self);
	ek_services_leave(instance->services);
	if (!traits || traits->size < sizeof(*traits))
		return blame(instance, err, "has no traits");
	if (!are_traits_sound(traits))
		return blame(instance, err, "has traits out of range");
	if (traits->flags & EK_REGISTRY_RENEWS_BY_INSTANCE)
		return ek_fail_reason(err, EK_INVALID, "NotYetSupported", "plugin %s needs the instance in each renewal, which this version does not send",
		                      instance->library->label);
	instance->traits = *traits;
	return EK_OK;
}

static int fill_instance(struct ek_registry_instance *instance, const struct ek_config_registry *entry, struct ek_error *err)
{
	const struct ek_option_value *const *options;
	uint32_t n_options;
	char what[128];
	int code;

	instance->library = ek_engine_load(instance->engine, entry->plugin, entry->sha256, EK_PLUGIN_REGISTRY, err);
	if (!instance->library)
		return EK_INVALID;
	instance->ops = instance->library->plugin->ops;
	snprintf(what, sizeof(what), "registries.%.60s.options", entry->name);
	code = ek_options_resolve(instance->library->plugin->options, entry->options, what, &instance->arena, &options, &n_options, err);
	if (code != EK_OK)
		return code;
	make_services(instance, entry, options, n_options);
	ek_services_enter(instance->services);
	code = instance->ops->create(ek_services_host(instance->services), &instance->self, err);
	ek_services_leave(instance->services);
	return code == EK_OK ? take_traits(instance, err) : take_refusal(instance, code, err);
}

struct ek_registry_instance *ek_instance_new(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_registry *entry,
                                             struct ek_error *err)
{
	struct ek_registry_instance *instance = ek_xcalloc(1, sizeof(*instance));

	instance->engine = engine;
	instance->origin = config;
	ek_arena_init(&instance->arena);
	ek_timer_init(&instance->lost_timer, read_all, instance);
	if (fill_instance(instance, entry, err) == EK_OK)
		return instance;
	if (instance->self)
		ek_instance_retire(instance); /* it has started, so it must close */
	else
		free_instance(instance);
	return NULL;
}

/* ---- ending ---- */

void ek_instance_retire(struct ek_registry_instance *instance)
{
	struct ek_engine *engine = instance->engine;

	instance->registry = NULL;
	ek_loop_disarm(engine->loop, &instance->lost_timer);
	instance->next = engine->retired;
	engine->retired = instance;
	instance->is_closing = true;
	ek_services_enter_closing(instance->services);
	instance->ops->close(instance->self);
	ek_services_leave(instance->services);
	instance->is_closing = false;
	if (!instance->self)
		drop_retired(instance);
}

void ek_instances_free(struct ek_engine *engine)
{
	struct ek_registry_instance *instance;

	while ((instance = engine->retired)) {
		engine->retired = instance->next;
		free_instance(instance);
	}
}
