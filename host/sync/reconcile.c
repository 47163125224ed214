/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turn of one syncer, level-based: whatever woke it, the whole of what should be is compared with the ledger and each instance's plan is followed one step.
 * Completions wake it again until nothing is left to do. What should be is evaluate.c's, deletion is finalizer.c's, reporting status.c's. Read finalizer.c next.
 */
#include "sync/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "sync/claims.h"
#include "sync/evaluate_part.h"
#include "sync/guard.h"
#include "sync/removals.h"
#include "sync/status.h"

#define EQUAL_GAP_MS 1000
#define ASK_AGAIN_MS 30000

static struct ek_plan_rules rules_of(const struct ek_sync_registry *registry)
{
	return (struct ek_plan_rules){
		.now_ms = ek_loop_now_ms(registry->engine->loop),
		.equal_gap_ms = EQUAL_GAP_MS,
		.same_id_gap_ms = registry->traits.same_id_gap_ms,
	};
}

/* ---- entries and their syncers ---- */

void ek_entry_link(struct ek_ledger_entry *entry, struct ek_sync_syncer *syncer)
{
	entry->syncer = syncer;
	entry->syncer_next = syncer->entries;
	if (syncer->entries)
		syncer->entries->syncer_prev = &entry->syncer_next;
	entry->syncer_prev = &syncer->entries;
	syncer->entries = entry;
}

void ek_entry_unlink(struct ek_ledger_entry *entry)
{
	if (!entry->syncer_prev)
		return;
	*entry->syncer_prev = entry->syncer_next;
	if (entry->syncer_next)
		entry->syncer_next->syncer_prev = entry->syncer_prev;
	entry->syncer_prev = NULL;
	entry->syncer_next = NULL;
	entry->syncer = NULL;
}

void ek_entry_forget(struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = entry->registry;

	ek_entry_leave_renewals(entry);
	ek_entry_unlink(entry);
	ek_intern_unref(registry->engine->pool, entry->application);
	ek_ledger_drop(&registry->ledger, entry);
}

static uint32_t key_of(const struct ek_ledger_entry *entry)
{
	return (uint32_t)entry->name_hash;
}

/*
 * A change that leaves nothing to do - most acknowledgements - only touches the status, and one that leaves something is looked at alone. A syncer that is being
 * deleted, or that holds old ids back until new ones are confirmed, waits for every one.
 */
void ek_entry_changed(struct ek_ledger_entry *entry)
{
	struct ek_sync_syncer *syncer = entry->syncer;
	struct ek_plan_rules rules = rules_of(entry->registry);
	int64_t until;

	if (!syncer)
		return;
	ek_status_touch(syncer);
	if (entry->registry->phase != EK_REGISTRY_OPEN)
		return; /* everybody is looked at when it opens */
	if (syncer->object->is_deleting || syncer->is_gone || syncer->is_holding_back) {
		ek_queue_add(&syncer->item);
		return;
	}
	switch (ek_plan_next(entry, &rules, &until)) {
	case EK_STEP_NONE:
	case EK_STEP_BUSY:
		break;
	case EK_STEP_STUCK:
		if (syncer->is_canary)
			ek_queue_add(&syncer->item); /* the refusal counts against the second version */
		break;
	case EK_STEP_WAIT:
		ek_part_wake_at(syncer, key_of(entry), until);
		break;
	case EK_STEP_DROP:
		if (entry->registry->is_removed)
			ek_part_wake(syncer, key_of(entry)); /* a turn sees whether anything is left in it */
		else
			ek_entry_forget(entry);
		break;
	default:
		ek_part_wake(syncer, key_of(entry));
	}
}

/* ---- one step ---- */

static void send(struct ek_sync_syncer *syncer, struct ek_ledger_entry *entry, enum ek_op_kind kind, const struct ek_instance *instance)
{
	int64_t until;

	if (ek_ops_has_room(entry->registry, &until))
		ek_ops_add(entry->registry, entry, kind, instance);
	else if (until)
		ek_queue_add_at(&syncer->item, until);
	else {
		ek_part_block(syncer, key_of(entry));
		ek_ops_wait_for_room(entry->registry, syncer);
	}
}

void ek_follow_plan(const struct ek_follow *follow, struct ek_ledger_entry *entry, const struct ek_wanted *wanted)
{
	struct ek_plan_rules rules = rules_of(entry->registry);
	int64_t until;

	if (entry->registry->phase != EK_REGISTRY_OPEN)
		return;
	switch (ek_plan_next(entry, &rules, &until)) {
	case EK_STEP_PUT:
		if (follow->may_put && wanted)
			send(follow->syncer, entry, EK_OP_PUT, &wanted->instance);
		break;
	case EK_STEP_REMOVE:
		if (follow->may_remove)
			send(follow->syncer, entry, EK_OP_REMOVE, NULL);
		break;
	case EK_STEP_GET:
		send(follow->syncer, entry, EK_OP_GET, NULL);
		break;
	case EK_STEP_WAIT:
		ek_part_wake_at(follow->syncer, key_of(entry), until);
		break;
	case EK_STEP_DROP:
		ek_entry_forget(entry);
		break;
	case EK_STEP_NONE:
	case EK_STEP_BUSY:
	case EK_STEP_STUCK:
		break;
	}
}

static void flush_all(struct ek_engine *engine)
{
	for (unsigned i = 0; i < engine->n_registries; i++) {
		ek_ops_flush(engine->registries[i]);
		ek_ops_wake_waiter(engine->registries[i]);
	}
}

/* ---- wanted against the ledger ---- */

static struct ek_ledger_entry *entry_for(struct ek_sync_syncer *syncer, struct ek_sync_registry *registry, const struct ek_wanted *wanted, bool may_add)
{
	struct ek_ledger_entry *entry = ek_ledger_find_named(&registry->ledger, syncer->object->namespace_, (uint32_t)wanted->name_hash, wanted->instance.id);
	const char *application = wanted->instance.application;

	if (!entry && may_add) {
		entry = ek_ledger_add(&registry->ledger, wanted->instance.id);
		entry->registry = registry;
		entry->application = ek_intern_ref(syncer->engine->pool, application, strlen(application));
		entry->known = registry->phase == EK_REGISTRY_OPEN && !syncer->is_expected_held ? EK_KNOWN_ABSENT : EK_KNOWN_NOTHING;
		ek_entry_link(entry, syncer);
	}
	return entry;
}

static void want(struct ek_ledger_entry *entry, const struct ek_wanted *wanted, int64_t trigger_wall_ms)
{
	if (entry->want_digest != wanted->digest || entry->want_status != wanted->instance.status) {
		entry->is_refused = false;
		entry->trigger_wall_ms = trigger_wall_ms;
	}
	entry->want_digest = wanted->digest;
	entry->want_pod = wanted->pod_hash;
	entry->want_status = (uint8_t)wanted->instance.status;
}

/* It is to go, and was seen going. */
static void note_going(struct ek_sync_syncer *syncer, struct ek_sync_registry *registry, const struct ek_wanted *wanted)
{
	struct ek_ledger_entry *entry = ek_ledger_find(&registry->ledger, wanted->instance.id);

	if (entry && entry->syncer == syncer)
		ek_removals_note_wanted(entry, wanted);
}

static void apply_wanted(const struct ek_follow *follow, const struct ek_evaluation *evaluation)
{
	struct ek_sync_syncer *syncer = follow->syncer;

	for (size_t i = 0; i < evaluation->n_wanted; i++) {
		const struct ek_wanted *wanted = evaluation->wanted[i];
		struct ek_ledger_entry *entry;

		if (!wanted->instance.status) {
			note_going(syncer, evaluation->registry, wanted);
			continue;
		}
		entry = entry_for(syncer, evaluation->registry, wanted, !evaluation->is_frozen);
		if (!entry)
			continue;
		if (entry->syncer != syncer) { /* its former owner is being deleted; come back when it has let go */
			ek_queue_add_at(&syncer->item, ek_loop_now_ms(syncer->engine->loop) + 1000);
			continue;
		}
		entry->seen = syncer->engine->evaluation;
		ek_removals_note_wanted(entry, wanted);
		if (!evaluation->is_frozen || entry->known == EK_KNOWN_ABSENT)
			want(entry, wanted, syncer->trigger_wall_ms);
		ek_follow_plan(follow, entry, wanted);
	}
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Names whose new registration is not confirmed yet, sorted: their old ids stay until it is (make before break). */
static size_t collect_unconfirmed(const struct ek_follow *follow, uint64_t **out)
{
	struct ek_sync_syncer *syncer = follow->syncer;
	struct ek_ledger_entry *entry;
	size_t n = 0;

	for (entry = syncer->entries; entry != follow->end; entry = entry->syncer_next)
		n += entry->want_status && entry->known != EK_KNOWN_HELD;
	*out = ek_arena_alloc(&syncer->engine->scratch, (n + 1) * sizeof(**out));
	n = 0;
	for (entry = syncer->entries; entry != follow->end; entry = entry->syncer_next)
		if (entry->want_status && entry->known != EK_KNOWN_HELD)
			(*out)[n++] = entry->name_hash;
	qsort(*out, n, sizeof(**out), compare_hashes);
	return n;
}

static bool is_unseen(const struct ek_sync_syncer *syncer, const struct ek_ledger_entry *entry)
{
	return entry->seen != syncer->engine->evaluation;
}

static void apply_unwanted(const struct ek_follow *follow, bool is_frozen)
{
	struct ek_sync_syncer *syncer = follow->syncer;
	struct ek_follow hold = *follow;
	struct ek_ledger_entry *entry, *next;
	uint64_t *unconfirmed;
	bool is_held;
	size_t n;

	syncer->is_holding_back = false;
	for (entry = syncer->entries; entry != follow->end && !is_frozen; entry = entry->syncer_next) {
		if (!is_unseen(syncer, entry) || !entry->want_status)
			continue;
		entry->want_status = EK_STATUS_NONE;
		entry->trigger_wall_ms = syncer->trigger_wall_ms;
	}
	if (is_frozen)
		ek_removals_judge_none(syncer);
	else
		ek_removals_judge(syncer, follow->end);
	n = collect_unconfirmed(follow, &unconfirmed);
	hold.may_remove = false;
	for (entry = syncer->entries; entry != follow->end; entry = next) {
		next = entry->syncer_next;
		if (!is_unseen(syncer, entry))
			continue;
		is_held = n && bsearch(&entry->name_hash, unconfirmed, n, sizeof(*unconfirmed), compare_hashes);
		syncer->is_holding_back = syncer->is_holding_back || is_held;
		ek_follow_plan(is_held || entry->verdict != EK_GUARD_PASSES ? &hold : follow, entry, NULL);
	}
}

/* ---- the turn ---- */

/* Each once, in order of first appearance. */
static void note_application(struct ek_sync_syncer *syncer, const char *application)
{
	for (unsigned i = 0; i < syncer->n_applications; i++)
		if (strcmp(syncer->applications[i], application) == 0)
			return;
	memccpy(syncer->applications[syncer->n_applications++], application, '\0', sizeof(syncer->applications[0]));
}

static void note_applications(struct ek_sync_syncer *syncer, const struct ek_evaluation *evaluation)
{
	const char *last = NULL;

	syncer->n_applications = 0;
	for (size_t i = 0; i < evaluation->n_wanted && syncer->n_applications < 8; i++) {
		const char *application = evaluation->wanted[i]->instance.application;

		if (!last || strcmp(last, application) != 0)
			note_application(syncer, application);
		last = application;
	}
}

static void note_evaluation(struct ek_sync_syncer *syncer, const struct ek_evaluation *evaluation)
{
	syncer->fault = evaluation->fault;
	syncer->fault_kind = evaluation->fault_kind;
	syncer->is_frozen = evaluation->is_frozen;
	syncer->is_evaluated = true;
	syncer->n_services = evaluation->n_services;
	syncer->selected_mask = evaluation->selected_mask;
	if (evaluation->version) {
		syncer->version = evaluation->version;
		syncer->is_canary = evaluation->version == evaluation->mode->canary;
	}
	if (evaluation->registry)
		syncer->registry = evaluation->registry;
	if (evaluation->fault.code == EK_OK)
		note_applications(syncer, evaluation);
	if (evaluation->fault_kind != EK_FAULT_NONE && evaluation->is_frozen)
		return;
	ek_claims_settle(syncer);
}

static void serve(struct ek_sync_syncer *syncer)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_evaluation evaluation;
	struct ek_follow follow = { .syncer = syncer };

	engine->evaluation++;
	ek_part_clear(syncer);
	ek_evaluate(syncer, &evaluation);
	note_evaluation(syncer, &evaluation);
	ek_evaluate_part_note(syncer, &evaluation);
	if (evaluation.version && evaluation.fault_kind == EK_FAULT_PASSING)
		ek_queue_add_at(&syncer->item, ek_loop_now_ms(engine->loop) + ASK_AGAIN_MS); /* its mode said that it may pass */
	follow.may_put = ek_finalizer_ensure(syncer);
	follow.may_remove = !evaluation.is_frozen;
	apply_wanted(&follow, &evaluation);
	apply_unwanted(&follow, evaluation.is_frozen);
	flush_all(engine);
	syncer->trigger_wall_ms = 0;
}

/* ---- the turn of some endpoints ---- */

/* Moves the syncer's entries with these keys to the front, so that they are looked at alone. Gives the first of the others. */
static const struct ek_ledger_entry *gather(struct ek_sync_syncer *syncer, const struct ek_keys *keys)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_ledger_entry *entry, *gathered = NULL;
	const struct ek_ledger_entry *end;

	for (unsigned i = 0; i < engine->n_registries; i++) {
		const struct ek_ledger *ledger = &engine->registries[i]->ledger;

		for (uint32_t k = 0; k < keys->n; k++) {
			entry = NULL;
			while ((entry = ek_ledger_next_named(ledger, syncer->object->namespace_, keys->at[k], entry))) {
				if (entry->syncer != syncer)
					continue;
				ek_entry_unlink(entry);
				entry->syncer_next = gathered; /* in no list: only to find it again below */
				gathered = entry;
			}
		}
	}
	end = syncer->entries;
	while ((entry = gathered)) {
		gathered = entry->syncer_next;
		ek_entry_link(entry, syncer);
	}
	return end;
}

static bool serve_part(struct ek_sync_syncer *syncer)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_keys keys = syncer->part.due;
	struct ek_evaluation evaluation;
	struct ek_follow follow = { .syncer = syncer };
	bool is_done;

	syncer->part.due = (struct ek_keys){ .n = 0 };
	is_done = ek_evaluate_part(syncer, &keys, &evaluation);
	if (is_done) {
		engine->evaluation++;
		follow.may_put = ek_finalizer_ensure(syncer);
		follow.may_remove = true;
		follow.end = gather(syncer, &keys);
		apply_wanted(&follow, &evaluation);
		apply_unwanted(&follow, false);
		flush_all(engine);
		syncer->trigger_wall_ms = 0;
	}
	ek_keys_clear(&keys);
	return is_done;
}

void ek_reconcile(struct ek_sync_syncer *syncer)
{
	struct ek_engine *engine = syncer->engine;
	bool is_part = syncer->item.is_part;

	if (syncer->object->is_deleting || syncer->is_gone) {
		ek_part_clear(syncer);
		ek_finalize(syncer); /* may free it */
	} else {
		if (!syncer->is_doubtful && !(is_part && serve_part(syncer)))
			serve(syncer);
		ek_status_touch(syncer);
	}
	if (engine->n_removed)
		ek_engine_reap(engine);
}
