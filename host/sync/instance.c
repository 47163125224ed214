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
#include "sync/registry.h"

#define SPAN_MAX_MS (24 * 3600000ll)

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

	return registry && token == registry->list_token ? ek_adopt_entry(registry, entry) : 1;
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
	struct ek_registry_instance *instance = arg;

	if (!instance->registry)
		return;
	EK_WARN(&instance->engine->log, "registry lost our instances", EK_S("registry", instance->registry->config->name), EK_S("why", why));
	ek_ledger_each(&instance->registry->ledger, read_again, NULL);
}

static void on_changed(void *arg, const char *application, const char *id)
{
	struct ek_registry_instance *instance = arg;
	struct ek_ledger_entry *entry = instance->registry && id ? ek_ledger_find(&instance->registry->ledger, id) : NULL;

	(void)application;
	if (entry)
		read_again(NULL, entry);
}

static void free_instance(struct ek_registry_instance *instance)
{
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
	if (traits->lease_kind > EK_LEASE_SESSION || !is_span(traits->renew_ms) || !is_span(traits->lease_ms) || !is_span(traits->list_age_ms) ||
	    !is_span(traits->same_id_gap_ms) || !traits->max_batch)
		return blame(instance, err, "has traits out of range");
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
	instance->next = engine->retired;
	engine->retired = instance;
	instance->is_closing = true;
	ek_services_enter_ending(instance->services);
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
