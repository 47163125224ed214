/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluation of some endpoints alone. It must come to what a whole one would: where that is not certain - a fault, an application that comes or may have gone, an
 * instance that is not named after its endpoint - it gives up, and the whole is looked at. It applies nothing; reconcile.c does, read that next.
 */
#include "sync/evaluate_part.h"

#include <string.h>

#include "sync/mode_turn.h"
#include "sync/rollout.h"
#include "sync/selector.h"

#define APPLICATIONS_MAX (sizeof(((struct ek_sync_syncer *)0)->applications) / sizeof(((struct ek_sync_syncer *)0)->applications[0]))
#define WITNESSES_MAX 64

/* ---- after a whole evaluation ---- */

/* Pods, nodes and other resources are shown with a whole view. */
static bool reads_more(const struct ek_mode_version *version)
{
	return version->pods || version->nodes || version->resources[0];
}

void ek_evaluate_part_note(struct ek_sync_syncer *syncer, const struct ek_evaluation *whole)
{
	bool is_possible = whole->fault_kind == EK_FAULT_NONE && whole->fault.code == EK_OK && !whole->is_frozen && whole->version &&
	                   (whole->version->ops->flags & EK_MODE_PER_ENDPOINT) && syncer->n_applications < APPLICATIONS_MAX &&
	                   whole->n_wanted < EK_WANTED_MAX / 2 && !reads_more(whole->version);

	for (size_t i = 0; is_possible && i < whole->n_wanted; i++)
		is_possible = whole->wanted[i]->is_traceable;
	syncer->part.is_possible = is_possible;
}

/* ---- the part ---- */

static bool is_possible(const struct ek_sync_syncer *syncer, struct ek_evaluation *out)
{
	const struct ek_syncer_object *object = syncer->object;

	if (!syncer->part.is_possible || !syncer->is_evaluated || syncer->fault.code != EK_OK || syncer->is_frozen || syncer->is_holding_back ||
	    object->is_suspended || syncer->n_held || syncer->n_unconfirmed)
		return false;
	out->mode = ek_engine_find_mode(syncer->engine, object->mode);
	out->registry = ek_engine_find_registry(syncer->engine, object->registry);
	if (!out->mode || !out->registry || out->registry != syncer->registry || out->registry->phase != EK_REGISTRY_OPEN)
		return false;
	out->version = out->mode->stable;
	return ek_rollout_is_idle(syncer, out->mode);
}

struct selection {
	struct ek_sync_syncer *syncer;
	struct ek_store_part *parts;
	size_t n, room;
};

static bool select_service(void *arg, const struct ek_record_service *record)
{
	struct selection *selection = arg;

	if (!ek_selector_matches(&selection->syncer->object->selector, record))
		return true;
	if (selection->n == selection->room)
		return false;
	selection->parts[selection->n++].service = record;
	return true;
}

/* The Services that are selected; as many as the last whole turn has seen, since a change of Services is always looked at as a whole. */
static struct selection select_services(struct ek_sync_syncer *syncer)
{
	struct selection selection = { .syncer = syncer, .room = syncer->n_services };

	selection.parts = ek_arena_alloc(&syncer->engine->scratch, (selection.room + 1) * sizeof(*selection.parts));
	ek_store_each_service(syncer->engine->store, syncer->object->selector.namespace_, select_service, &selection);
	return selection;
}

/* Only Services of which something was found. */
static void make_view(const struct selection *selection, struct ek_cluster *cluster)
{
	struct ek_engine *engine = selection->syncer->engine;
	struct ek_endpoint_policy policy = ek_evaluate_policy(engine->with.config);
	const struct ek_service **services = ek_arena_alloc(&engine->scratch, (selection->n + 1) * sizeof(*services));
	uint32_t n = 0;

	for (size_t i = 0; i < selection->n; i++)
		if (selection->parts[i].n)
			services[n++] = ek_store_view_part(&selection->parts[i], &policy, &engine->scratch);
	*cluster = (struct ek_cluster){ .size = sizeof(*cluster), .n_services = n, .services = services };
}

static bool ask(struct ek_sync_syncer *syncer, const struct ek_cluster *cluster, struct ek_evaluation *out)
{
	struct ek_mode_turn turn;

	if (!cluster->n_services)
		return true;
	if (!ek_mode_turn(syncer, out->version, out->registry, cluster, &turn))
		return false;
	out->mode->n_ok++;
	out->wanted = turn.wanted;
	out->n_wanted = turn.n_wanted;
	return true;
}

/* ---- whether the whole would say the same ---- */

static bool is_wanted(const struct ek_evaluation *out, const char *application)
{
	for (size_t i = 0; i < out->n_wanted; i++)
		if (strcmp(out->wanted[i]->instance.application, application) == 0)
			return true;
	return false;
}

/* An entry of the application that is not looked at now. */
static bool has_witness(const struct ek_sync_syncer *syncer, const struct ek_keys *keys, const char *application)
{
	const struct ek_ledger_entry *entry = syncer->entries;

	for (unsigned i = 0; entry && i < WITNESSES_MAX; i++, entry = entry->syncer_next)
		if (entry->want_status && entry->registry == syncer->registry && !ek_keys_has(keys, (uint32_t)entry->name_hash) &&
		    strcmp(entry->application, application) == 0)
			return true;
	return false;
}

static bool is_application_known(const struct ek_sync_syncer *syncer, const char *application)
{
	for (unsigned i = 0; i < syncer->n_applications; i++)
		if (strcmp(syncer->applications[i], application) == 0)
			return true;
	return false;
}

/* Names of applications are claimed and allowed as a whole: none may come, and none may have gone. */
static bool has_same_applications(const struct ek_sync_syncer *syncer, const struct ek_keys *keys, const struct ek_evaluation *out)
{
	for (size_t i = 0; i < out->n_wanted; i++)
		if (!is_application_known(syncer, out->wanted[i]->instance.application))
			return false;
	for (unsigned i = 0; i < syncer->n_applications; i++)
		if (!is_wanted(out, syncer->applications[i]) && !has_witness(syncer, keys, syncer->applications[i]))
			return false;
	return true;
}

static bool is_within(const struct ek_keys *keys, const struct ek_evaluation *out)
{
	for (size_t i = 0; i < out->n_wanted; i++)
		if (!out->wanted[i]->is_traceable || !ek_keys_has(keys, (uint32_t)out->wanted[i]->name_hash))
			return false;
	return true;
}

bool ek_evaluate_part(struct ek_sync_syncer *syncer, struct ek_keys *keys, struct ek_evaluation *out)
{
	struct ek_engine *engine = syncer->engine;
	struct selection selection;
	struct ek_cluster cluster;

	memset(out, 0, sizeof(*out));
	if (!is_possible(syncer, out))
		return false;
	ek_arena_reset(&engine->scratch);
	selection = select_services(syncer);
	if (!selection.n || selection.n != syncer->n_services)
		return false;
	if (!ek_store_trace(engine->store, keys, selection.parts, selection.n, &engine->scratch))
		return false;
	make_view(&selection, &cluster);
	return ask(syncer, &cluster, out) && is_within(keys, out) && has_same_applications(syncer, keys, out);
}
