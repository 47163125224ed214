/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turn of a syncer whose mode has two versions: both compute, their answers are compared, one is applied; a second version that fails, is refused by the
 * registry, or would take away what the first one registers is rolled back for that syncer. Whom a rollout chooses is in rollout_select.c. Read comparison.c next.
 */
#include "sync/rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sync/comparison.h"
#include "sync/mode_turn.h"
#include "sync/outcome.h"
#include "sync/rollout_select.h"
#include "sync/status.h"

/* The two answers of one turn; the lists are empty after a fault. */
struct answers {
	struct ek_mode_turn stable, canary;
	struct ek_wanted_list stable_list, canary_list;
};

const char *ek_rollout_stage_name(enum ek_rollout_stage stage)
{
	static const char *const names[] = { "Off", "Shadow", "Canary" };

	return names[stage];
}

static bool is_chosen(const struct ek_sync_syncer *syncer, const struct ek_sync_mode *mode)
{
	const struct ek_config_rollout *rollout = mode->config->rollout;

	return rollout && rollout->stage == EK_ROLLOUT_CANARY && ek_rollout_selects(rollout, syncer->object, syncer->key);
}

bool ek_rollout_is_idle(const struct ek_sync_syncer *syncer, const struct ek_sync_mode *mode)
{
	const struct ek_config_rollout *rollout = mode->config->rollout;
	bool has_second = rollout && mode->canary->library;

	if (syncer->rollback || syncer->comparison || syncer->version != mode->stable)
		return false;
	return !has_second || (rollout->stage != EK_ROLLOUT_SHADOW && !is_chosen(syncer, mode));
}

const char *ek_rollout_missing(const struct ek_sync_syncer *syncer)
{
	const struct ek_sync_mode *mode = ek_engine_find_mode(syncer->engine, syncer->object->mode);

	return mode && mode->canary && !mode->canary->library && is_chosen(syncer, mode) ? mode->canary->problem.message : NULL;
}

/* ---- rollbacks ---- */

static void name_document(const struct ek_engine *engine, char out[17])
{
	snprintf(out, 17, "%016llx", (unsigned long long)engine->with.config->hash);
}

/* It stands until the document, the syncer or the second version is another one. */
static bool does_stand(const struct ek_sync_syncer *syncer, const struct ek_mode_version *canary)
{
	const struct ek_rollback *rollback = syncer->rollback;
	char document[17];

	name_document(syncer->engine, document);
	return strcmp(rollback->digest, canary->library->digest) == 0 && strcmp(rollback->document, document) == 0 &&
	       rollback->generation == syncer->object->generation;
}

static void forget_rollback(struct ek_sync_syncer *syncer)
{
	free(syncer->rollback);
	syncer->rollback = NULL;
	syncer->canary_failures = 0;
}

static void roll_back(struct ek_sync_syncer *syncer, struct ek_sync_mode *mode, const char *reason, const char *message)
{
	const struct ek_library *canary = mode->canary->library;
	struct ek_rollback *rollback = ek_xcalloc(1, sizeof(*rollback));
	char note[512];

	snprintf(rollback->digest, sizeof(rollback->digest), "%s", canary->digest);
	snprintf(rollback->reason, sizeof(rollback->reason), "%s", reason);
	snprintf(rollback->message, sizeof(rollback->message), "%s", message);
	name_document(syncer->engine, rollback->document);
	rollback->failures = syncer->canary_failures;
	rollback->generation = syncer->object->generation;
	free(syncer->rollback);
	syncer->rollback = rollback;
	mode->n_rollbacks++;
	snprintf(note, sizeof(note), "served by %s again instead of %s: %.300s", mode->stable->library->label, canary->label, message);
	EK_WARN(&syncer->engine->log, "second version of a mode rolled back for a syncer", EK_S("syncer", syncer->key), EK_S("plugin", canary->label),
	        EK_S("reason", reason), EK_S("why", message));
	ek_status_event(syncer, "RolledBack", note);
}

void ek_rollout_restore(struct ek_sync_syncer *syncer)
{
	if (!syncer->object->rollback || syncer->rollback)
		return;
	syncer->rollback = ek_xcalloc(1, sizeof(*syncer->rollback));
	*syncer->rollback = *syncer->object->rollback;
}

void ek_rollout_clear(struct ek_sync_syncer *syncer)
{
	forget_rollback(syncer);
	ek_comparison_free(syncer->comparison);
	syncer->comparison = NULL;
}

/* ---- what the answers say about the second version ---- */

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* An instance under another id takes an old one's place if application and name are the same: only its port is new. */
static uint64_t place_of(const char *application, uint64_t name_hash)
{
	return ek_hash64_text(name_hash ? name_hash : EK_HASH_SEED, application);
}

static uint64_t *places(struct ek_arena *scratch, const struct ek_wanted_list *list)
{
	uint64_t *out = ek_arena_alloc(scratch, (list->n + 1) * sizeof(*out));

	for (size_t i = 0; i < list->n; i++)
		out[i] = place_of(list->at[i]->instance.application, list->at[i]->name_hash);
	qsort(out, list->n, sizeof(*out), compare_numbers);
	return out;
}

/* How many entries are registered that the first version wants and the second would take away; `id` is one of them. */
static size_t count_taken_away(const struct ek_sync_syncer *syncer, const struct ek_sync_registry *registry, const struct answers *answers, const char **id)
{
	const uint64_t *there = places(&syncer->engine->scratch, &answers->canary_list);
	size_t n = 0;

	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next) {
		const struct ek_wanted *wanted = entry->registry == registry ? ek_wanted_find(&answers->stable_list, entry->id) : NULL;
		uint64_t place;

		if (!wanted || entry->known != EK_KNOWN_HELD || ek_wanted_find(&answers->canary_list, entry->id))
			continue;
		place = place_of(wanted->instance.application, wanted->name_hash);
		if (bsearch(&place, there, answers->canary_list.n, sizeof(place), compare_numbers))
			continue;
		*id = entry->id;
		n++;
	}
	return n;
}

/* An entry that the registry refuses as the second version wants it, and not as the first would. */
static const struct ek_ledger_entry *find_refused(const struct ek_sync_syncer *syncer, const struct answers *answers)
{
	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next) {
		const struct ek_wanted *stable, *canary;

		if (!entry->is_refused)
			continue;
		stable = ek_wanted_find(&answers->stable_list, entry->id);
		canary = ek_wanted_find(&answers->canary_list, entry->id);
		if (canary && canary->digest == entry->want_digest && (!stable || stable->digest != canary->digest))
			return entry;
	}
	return NULL;
}

/* ---- comparing ---- */

static void tell_difference(const struct ek_sync_syncer *syncer, const struct ek_sync_mode *mode)
{
	const struct ek_comparison *comparison = syncer->comparison;
	const struct ek_instance_difference *first = comparison->n_listed ? &comparison->listed[0] : NULL;

	EK_INFO(&syncer->engine->log, "versions of a mode differ", EK_S("syncer", syncer->key), EK_S("stable", mode->stable->library->label),
	        EK_S("canary", mode->canary->library->label), EK_I("differing", (int64_t)comparison->n_differing), EK_S("first", first ? first->id : ""),
	        EK_S("field", first && first->n_fields ? first->fields[0].name : ""), EK_S("failure", comparison->failure ? comparison->failure : ""));
}

static void compare(struct ek_sync_syncer *syncer, const struct ek_sync_mode *mode, const struct answers *answers)
{
	struct ek_comparison *old = syncer->comparison;

	syncer->comparison = NULL;
	if (answers->canary.fault.code != EK_OK)
		syncer->comparison = ek_comparison_of_failure(answers->canary.fault.message);
	else if (answers->stable.fault.code == EK_OK)
		syncer->comparison = ek_comparison_new(&answers->stable_list, &answers->canary_list);
	if (syncer->comparison && (syncer->comparison->n_differing || syncer->comparison->failure) && (!old || old->hash != syncer->comparison->hash))
		tell_difference(syncer, mode);
	ek_comparison_free(old);
}

static void ask_both(struct ek_sync_syncer *syncer, const struct ek_cluster *cluster, const struct ek_evaluation *evaluation, struct answers *out)
{
	struct ek_arena *scratch = &syncer->engine->scratch;

	ek_mode_turn(syncer, evaluation->mode->stable, evaluation->registry, cluster, &out->stable);
	ek_mode_turn(syncer, evaluation->mode->canary, evaluation->registry, cluster, &out->canary);
	out->stable_list = ek_wanted_sort(scratch, out->stable.wanted, out->stable.n_wanted);
	out->canary_list = ek_wanted_sort(scratch, out->canary.wanted, out->canary.n_wanted);
	compare(syncer, evaluation->mode, out);
}

/* ---- applying ---- */

static bool apply(struct ek_evaluation *out, struct ek_mode_version *version, const struct ek_mode_turn *turn)
{
	out->version = version;
	out->fault = turn->fault;
	out->fault_kind = turn->fault_kind;
	out->is_frozen = turn->fault.code != EK_OK;
	out->wanted = turn->wanted;
	out->n_wanted = turn->n_wanted;
	if (out->is_frozen)
		out->mode->n_failed++;
	else
		out->mode->n_ok++;
	return !out->is_frozen;
}

static void look_again(struct ek_sync_syncer *syncer)
{
	struct ek_loop *loop = syncer->engine->loop;

	ek_queue_add_at(&syncer->item, ek_loop_now_ms(loop) + ek_retry_delay_ms(syncer->canary_failures, ek_loop_random(loop)));
}

/* One more failure of the second version; true when that was the last one it had. */
static bool count_failure(struct ek_sync_syncer *syncer, struct ek_sync_mode *mode, const char *reason, const char *message)
{
	if (++syncer->canary_failures >= mode->config->rollout->failures) {
		roll_back(syncer, mode, reason, message);
		return true;
	}
	look_again(syncer);
	return false;
}

static bool serve_by_canary(struct ek_sync_syncer *syncer, const struct answers *answers, struct ek_evaluation *out)
{
	struct ek_sync_mode *mode = out->mode;
	const struct ek_ledger_entry *refused;
	const char *id = NULL;
	char text[400];
	size_t n;

	if (answers->canary.fault.code != EK_OK) {
		/* That something it reads is not in view yet is not its fault, */
		if (answers->canary.is_waiting)
			return apply(out, mode->canary, &answers->canary);
		/* nor is what the first version cannot compute either. */
		if (answers->stable.fault.code != EK_OK || count_failure(syncer, mode, answers->canary.fault.reason, answers->canary.fault.message))
			return apply(out, mode->stable, &answers->stable);
		apply(out, mode->canary, &answers->canary);
		out->fault_kind = EK_FAULT_PASSING;
		return false;
	}
	n = answers->stable.fault.code == EK_OK ? count_taken_away(syncer, out->registry, answers, &id) : 0;
	if (n) {
		syncer->canary_failures++;
		snprintf(text, sizeof(text), "it would take away %zu of %zu instances, such as %.150s", n, answers->stable_list.n, id);
		roll_back(syncer, mode, "DeletesHeld", text);
		return apply(out, mode->stable, &answers->stable);
	}
	refused = find_refused(syncer, answers);
	if (!refused) {
		syncer->canary_failures = 0;
	} else {
		snprintf(text, sizeof(text), "the registry refused %.150s: %.200s", refused->id, refused->last_message ? refused->last_message : "");
		if (count_failure(syncer, mode, "RegistryRefused", text))
			return apply(out, mode->stable, &answers->stable);
	}
	return apply(out, mode->canary, &answers->canary);
}

bool ek_rollout_run(struct ek_sync_syncer *syncer, const struct ek_cluster *cluster, struct ek_evaluation *out)
{
	struct ek_sync_mode *mode = out->mode;
	const struct ek_config_rollout *rollout = mode->config->rollout;
	bool has_second = rollout && mode->canary->library;
	bool is_canary = has_second && is_chosen(syncer, mode);
	struct answers answers;

	if (syncer->rollback && (!has_second || !does_stand(syncer, mode->canary)))
		forget_rollback(syncer);
	if (is_canary || (has_second && rollout->stage == EK_ROLLOUT_SHADOW)) {
		ask_both(syncer, cluster, out, &answers);
		if (is_canary && !syncer->rollback)
			return serve_by_canary(syncer, &answers, out);
	} else {
		ek_comparison_free(syncer->comparison);
		syncer->comparison = NULL;
		ek_mode_turn(syncer, mode->stable, out->registry, cluster, &answers.stable);
	}
	return apply(out, mode->stable, &answers.stable);
}
