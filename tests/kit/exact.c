/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares a syncer's entries with a whole evaluation of it. Syncers with something left to look at, that are being deleted or compared by a rollout are left out: the
 * evaluation would take part in what is going on there.
 * Next: host/sync/evaluate_part.c, whose promise this is.
 */
#include "kit/exact.h"

#include "sync/evaluate.h"
#include "sync/rollout.h"

static bool is_at_rest(const struct ek_sync_syncer *syncer)
{
	const struct ek_sync_mode *mode = ek_engine_find_mode(syncer->engine, syncer->object->mode);

	return !syncer->item.is_queued && !syncer->object->is_deleting && !syncer->is_gone && !syncer->is_doubtful && syncer->is_evaluated && mode &&
	       !syncer->part.due.n && ek_rollout_is_idle(syncer, mode);
}

static const struct ek_ledger_entry *find_entry(const struct ek_evaluation *whole, const struct ek_wanted *wanted)
{
	return ek_ledger_find(&whole->registry->ledger, wanted->instance.id);
}

static void expect_wanted(struct world *w, const struct ek_sync_syncer *syncer, const struct ek_evaluation *whole, const struct ek_wanted *wanted)
{
	const struct ek_ledger_entry *entry = find_entry(whole, wanted);

	if (!wanted->instance.status)
		return;
	if (!entry)
		fail_msg("seed %llu: at %lld ms %s is wanted as a whole and not known by parts", (unsigned long long)w->seed, (long long)now_ms(w),
			wanted->instance.id);
	if (entry->syncer != syncer)
		return;
	if (entry->want_status != wanted->instance.status || entry->want_digest != wanted->digest || entry->want_pod != wanted->pod_hash)
		fail_msg("seed %llu: at %lld ms %s is wanted otherwise by parts: status %d for %d, digest %llx for %llx", (unsigned long long)w->seed,
			(long long)now_ms(w), entry->id, entry->want_status, wanted->instance.status, (unsigned long long)entry->want_digest,
			(unsigned long long)wanted->digest);
}

static const struct ek_wanted *find_wanted(const struct ek_evaluation *whole, const char *id)
{
	for (size_t i = 0; i < whole->n_wanted; i++)
		if (strcmp(whole->wanted[i]->instance.id, id) == 0)
			return whole->wanted[i];
	return NULL;
}

static void expect_unwanted(struct world *w, const struct ek_ledger_entry *entry, const struct ek_evaluation *whole)
{
	const struct ek_wanted *wanted = find_wanted(whole, entry->id);

	if (entry->want_status && (!wanted || !wanted->instance.status))
		fail_msg("seed %llu: at %lld ms %s is wanted by parts and not as a whole", (unsigned long long)w->seed, (long long)now_ms(w), entry->id);
}

static bool has_application(const struct ek_sync_syncer *syncer, const char *application)
{
	for (unsigned i = 0; i < syncer->n_applications; i++)
		if (strcmp(syncer->applications[i], application) == 0)
			return true;
	return false;
}

static void expect_applications(struct world *w, const struct ek_sync_syncer *syncer, const struct ek_evaluation *whole)
{
	for (unsigned a = 0; a < syncer->n_applications; a++) {
		size_t i = 0;

		while (i < whole->n_wanted && strcmp(whole->wanted[i]->instance.application, syncer->applications[a]) != 0)
			i++;
		if (i == whole->n_wanted)
			fail_msg("seed %llu: at %lld ms %s still has application %s", (unsigned long long)w->seed, (long long)now_ms(w), syncer->key,
				syncer->applications[a]);
	}
	for (size_t i = 0; i < whole->n_wanted && syncer->n_applications < 8; i++)
		if (!has_application(syncer, whole->wanted[i]->instance.application))
			fail_msg("seed %llu: at %lld ms %s does not have application %s", (unsigned long long)w->seed, (long long)now_ms(w), syncer->key,
				whole->wanted[i]->instance.application);
}

static void expect_exact(struct world *w, struct ek_sync_syncer *syncer)
{
	struct ek_evaluation whole;

	ek_evaluate(syncer, &whole);
	if (whole.fault.code != syncer->fault.code || whole.is_frozen != syncer->is_frozen)
		fail_msg("seed %llu: at %lld ms %s by parts: fault \"%s\", as a whole: \"%s\"", (unsigned long long)w->seed, (long long)now_ms(w), syncer->key,
			syncer->fault.message, whole.fault.message);
	if (whole.is_frozen || !whole.registry)
		return;
	for (size_t i = 0; i < whole.n_wanted; i++)
		expect_wanted(w, syncer, &whole, whole.wanted[i]);
	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next)
		expect_unwanted(w, entry, &whole);
	if (whole.fault.code == EK_OK)
		expect_applications(w, syncer, &whole);
}

unsigned then_wants_are_exact(struct world *w)
{
	struct ek_engine *engine = w->app ? w->app->engine : NULL;
	unsigned n = 0;

	if (!engine || !engine->is_started)
		return 0;
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next) {
		if (!is_at_rest(syncer))
			continue;
		expect_exact(w, syncer);
		n++;
	}
	return n;
}
