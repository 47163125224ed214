/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a syncer to its evaluation: finds mode, registry and Services, builds the mode's view, has the mode run on it. Which version of the mode runs is rollout.c's;
 * comparing with what is registered is reconcile.c's. Read rollout.c next.
 */
#include "sync/evaluate.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "sync/claims.h"
#include "sync/rollout.h"
#include "sync/selector.h"

/* Ends the evaluation with a fault. An edit mends a STALLED one; a PASSING one may mend itself. */
static bool stop(struct ek_evaluation *out, enum ek_fault_kind kind)
{
	out->fault_kind = kind;
	out->is_frozen = true;
	return false;
}

static void list_modes(const struct ek_config *config, char *buffer, size_t size)
{
	int n = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; i < config->n_modes && n >= 0 && (size_t)n < size; i++)
		n += snprintf(buffer + n, size - (size_t)n, "%s%s", i ? ", " : "", config->modes[i].name);
}

static void list_registries(const struct ek_config *config, char *buffer, size_t size)
{
	int n = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; i < config->n_registries && n >= 0 && (size_t)n < size; i++)
		n += snprintf(buffer + n, size - (size_t)n, "%s%s", i ? ", " : "", config->registries[i].name);
}

static bool find_mode(struct ek_sync_syncer *syncer, struct ek_evaluation *out)
{
	struct ek_engine *engine = syncer->engine;
	char names[120];

	out->mode = ek_engine_find_mode(engine, syncer->object->mode);
	if (!out->mode) {
		list_modes(engine->with.config, names, sizeof(names));
		ek_fail_reason(&out->fault, EK_INVALID, "UnknownMode", "mode \"%.40s\" is not configured; use one of: %s", syncer->object->mode, names);
		return stop(out, EK_FAULT_STALLED);
	}
	if (!out->mode->stable->library) {
		ek_fail_reason(&out->fault, EK_INVALID, "PluginUnavailable", "mode %.40s cannot be used: %.180s", syncer->object->mode,
		               out->mode->stable->problem.message);
		return stop(out, EK_FAULT_PASSING);
	}
	return true;
}

static bool find_registry(struct ek_sync_syncer *syncer, struct ek_evaluation *out)
{
	struct ek_engine *engine = syncer->engine;
	const char *name = syncer->object->registry;
	char names[120];

	out->registry = ek_engine_find_registry(engine, name);
	if (!out->registry) {
		list_registries(engine->with.config, names, sizeof(names));
		if (name)
			ek_fail_reason(&out->fault, EK_INVALID, "UnknownRegistry", "registry \"%.40s\" is not configured; use one of: %s", name, names);
		else
			ek_fail_reason(&out->fault, EK_INVALID, "UnknownRegistry", "no registry is marked default; set spec.registry to one of: %s", names);
		return stop(out, EK_FAULT_STALLED);
	}
	if (out->registry->phase == EK_REGISTRY_BROKEN) {
		ek_fail_reason(&out->fault, EK_INVALID, "PluginUnavailable", "registry %.40s cannot be used: %.180s", out->registry->config->name,
		               out->registry->problem.message);
		return stop(out, EK_FAULT_PASSING);
	}
	return true;
}

static bool check_namespace(struct ek_sync_syncer *syncer, struct ek_evaluation *out)
{
	const struct ek_syncer_object *object = syncer->object;
	const struct ek_config *config = syncer->engine->with.config;

	if (!ek_config_watches(config, object->selector.namespace_)) {
		ek_fail_reason(&out->fault, EK_INVALID, "NamespaceNotWatched",
		               "namespace %.63s is not watched by this operator; select Services in another one, or ask for it in watchNamespaces of the "
		               "operator's configuration", object->selector.namespace_);
		return stop(out, EK_FAULT_STALLED);
	}
	if (strcmp(object->selector.namespace_, object->namespace_) == 0)
		return true;
	for (unsigned i = 0; i < config->n_grants; i++)
		if (strcmp(config->grants[i].from, object->namespace_) == 0 && strcmp(config->grants[i].to, object->selector.namespace_) == 0)
			return true;
	ek_fail_reason(&out->fault, EK_INVALID, "NamespaceNotGranted",
	               "syncers in %.63s may not select Services in %.63s; move the syncer there, or ask for a grant in the operator's configuration",
	               object->namespace_, object->selector.namespace_);
	return stop(out, EK_FAULT_STALLED);
}

/* ---- the view ---- */

struct collection {
	struct ek_sync_syncer *syncer;
	const struct ek_store *store;
	const struct ek_service **services;
	size_t n, room;
	uint64_t mask;
	struct ek_endpoint_policy policy;
};

static bool is_denied(void *arg, const uint8_t address[16], int family)
{
	const struct ek_config *config = arg;

	for (unsigned i = 0; i < config->n_deny; i++) {
		const struct ek_config_cidr *cidr = &config->deny[i];
		unsigned whole = cidr->bits / 8u, rest = cidr->bits % 8u;

		if (cidr->family != family || memcmp(cidr->address, address, whole) != 0)
			continue;
		if (!rest || ((cidr->address[whole] ^ address[whole]) >> (8 - rest)) == 0)
			return true;
	}
	return false;
}

static bool collect_service(void *arg, const struct ek_record_service *record)
{
	struct collection *collection = arg;
	struct ek_engine *engine = collection->syncer->engine;

	if (!ek_selector_matches(&collection->syncer->object->selector, record))
		return true;
	if (collection->n == collection->room) {
		size_t room = collection->room ? collection->room * 2 : 8;
		const struct ek_service **bigger = ek_arena_alloc(&engine->scratch, room * sizeof(*bigger));

		memcpy(bigger, collection->services, collection->n * sizeof(*bigger));
		collection->services = bigger;
		collection->room = room;
	}
	collection->mask |= ek_name_bit(record->name);
	collection->services[collection->n++] = ek_store_view(collection->store, record, &collection->policy, &engine->scratch);
	return true;
}

struct ek_endpoint_policy ek_evaluate_policy(const struct ek_config *config)
{
	return (struct ek_endpoint_policy){ .allow_without_pod = config->allow_without_pod, .n_families = config->n_families,
		.families = { config->families[0], config->families[1] }, .is_denied = is_denied, .arg = (void *)(uintptr_t)config };
}

void ek_evaluate_view(struct ek_sync_syncer *syncer, const struct ek_store *store, struct ek_cluster *cluster, uint64_t *mask)
{
	static const struct ek_service *none[1];
	struct collection collection = {
		.syncer = syncer, .store = store, .services = none, .policy = ek_evaluate_policy(syncer->engine->with.config),
	};

	ek_store_each_service(store, syncer->object->selector.namespace_, collect_service, &collection);
	*cluster = (struct ek_cluster){ .size = sizeof(*cluster), .n_services = (uint32_t)collection.n, .services = collection.services };
	*mask = collection.mask;
}

static bool collect_view(struct ek_sync_syncer *syncer, struct ek_cluster *cluster, struct ek_evaluation *out)
{
	char selector[160];

	ek_evaluate_view(syncer, syncer->engine->store, cluster, &out->selected_mask);
	out->n_services = cluster->n_services;
	if (cluster->n_services)
		return true;
	ek_selector_describe(&syncer->object->selector, selector, sizeof(selector));
	ek_fail_reason(&out->fault, EK_INVALID, "NothingSelected", "no Service matches %s; create one, or correct spec.selector", selector);
	out->fault_kind = EK_FAULT_PASSING;
	return false; /* not frozen: what is no longer selected goes */
}

/* ---- application names ---- */

static bool is_name_allowed(const struct ek_config *config, const char *namespace_, const char *application)
{
	const struct ek_config_names *names = NULL;

	for (unsigned i = 0; i < config->n_names; i++) {
		if (strcmp(config->names[i].namespace_, namespace_) == 0)
			names = &config->names[i];
		else if (!names && strcmp(config->names[i].namespace_, "*") == 0)
			names = &config->names[i];
	}
	if (!names)
		return true;
	for (unsigned i = 0; i < names->n; i++)
		if (fnmatch(names->patterns[i], application, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static bool check_names(struct ek_sync_syncer *syncer, struct ek_evaluation *out)
{
	const char *last = "";

	for (size_t i = 0; i < out->n_wanted; i++) {
		const char *application = out->wanted[i]->instance.application;
		struct ek_sync_syncer *other;

		if (strcmp(application, last) == 0)
			continue;
		last = application;
		if (!is_name_allowed(syncer->engine->with.config, syncer->object->namespace_, application)) {
			ek_fail_reason(&out->fault, EK_INVALID, "ApplicationNotAllowed",
			               "syncers in %.63s may not register %.63s; choose another spec.application, or ask for it in "
			               "applicationNames of the operator's configuration", syncer->object->namespace_, application);
			return stop(out, EK_FAULT_STALLED);
		}
		other = ek_claims_holder(syncer, out->registry, application);
		if (other) {
			ek_fail_reason(&out->fault, EK_INVALID, "Conflict",
			               "application %.63s in registry %.63s is held by the older EurekaSyncer %.120s; choose another spec.application",
			               application, out->registry->config->name, other->key);
			return stop(out, EK_FAULT_STALLED);
		}
	}
	return true;
}

void ek_evaluate(struct ek_sync_syncer *syncer, struct ek_evaluation *out)
{
	struct ek_cluster cluster;

	memset(out, 0, sizeof(*out));
	ek_arena_reset(&syncer->engine->scratch);
	if (!find_mode(syncer, out) || !find_registry(syncer, out) || !check_namespace(syncer, out))
		return;
	if (ek_syncer_object_check(syncer->object, &out->fault) != EK_OK) {
		stop(out, EK_FAULT_STALLED);
		return;
	}
	if (!collect_view(syncer, &cluster, out) || !ek_rollout_run(syncer, &cluster, out) || !check_names(syncer, out))
		return;
	out->is_frozen = syncer->object->is_suspended;
}
