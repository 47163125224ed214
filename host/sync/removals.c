/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers for each entry that nothing asks for any more what the guard has to know, and does what it says: let it go, have it looked for, hold it. Sending is
 * reconcile.c's, telling is status.c's. Read guard.c next.
 */
#include "sync/removals.h"

#include <string.h>

#include "sync/doubts.h"
#include "sync/guard.h"
#include "sync/identity.h"
#include "sync/quorum.h"

void ek_removals_note_wanted(struct ek_ledger_entry *entry, const struct ek_wanted *wanted)
{
	entry->is_seen_going = wanted->is_going;
	if (!wanted->instance.status)
		return;
	entry->is_asked = entry->is_confirmed = entry->is_approved = false;
	entry->verdict = EK_GUARD_PASSES;
}

static bool is_removal(const struct ek_ledger_entry *entry)
{
	return !entry->want_status && entry->known != EK_KNOWN_ABSENT && entry->known != EK_KNOWN_FOREIGN;
}

static enum ek_guard_verdict judge(const struct ek_sync_syncer *syncer, const struct ek_ledger_entry *entry)
{
	struct ek_guard_case c = {
		.is_seen_going = entry->is_seen_going, .is_confirmed = entry->is_confirmed, .is_approved = entry->is_approved,
		.is_doubted = ek_doubts_hold(syncer, entry),
	};

	return ek_guard_judge(&c);
}

/* The sum of the ids' hashes: a plan is what stands in it, in whatever order. */
static void count(struct ek_sync_syncer *syncer, const struct ek_ledger_entry *end)
{
	ek_removals_judge_none(syncer);
	for (struct ek_ledger_entry *entry = syncer->entries; entry != end; entry = entry->syncer_next) {
		if (entry->want_status)
			continue;
		entry->verdict = EK_GUARD_PASSES;
		if (!is_removal(entry))
			continue;
		entry->verdict = (uint8_t)judge(syncer, entry);
		syncer->n_unconfirmed += entry->verdict == EK_GUARD_CONFIRM;
		if (entry->verdict != EK_GUARD_HOLDS)
			continue;
		syncer->n_held++;
		syncer->held_hash += entry->id_hash;
	}
}

static bool is_approved(const struct ek_sync_syncer *syncer)
{
	uint64_t approved;

	return syncer->n_held && syncer->object->approved && ek_digest_parse(syncer->object->approved, &approved) && approved == syncer->held_hash;
}

static void let_pass(struct ek_sync_syncer *syncer, const struct ek_ledger_entry *end)
{
	EK_INFO(&syncer->engine->log, "held removals were approved", EK_S("syncer", syncer->key), EK_S("plan", syncer->object->approved),
	        EK_I("removals", (int64_t)syncer->n_held));
	for (struct ek_ledger_entry *entry = syncer->entries; entry != end; entry = entry->syncer_next) {
		if (entry->want_status || entry->verdict != EK_GUARD_HOLDS)
			continue;
		entry->is_approved = true;
		entry->verdict = EK_GUARD_PASSES;
	}
	syncer->n_held = 0;
	syncer->held_hash = 0;
}

void ek_removals_judge_none(struct ek_sync_syncer *syncer)
{
	syncer->n_held = syncer->n_unconfirmed = 0;
	syncer->held_hash = 0;
}

void ek_removals_judge(struct ek_sync_syncer *syncer, const struct ek_ledger_entry *end)
{
	count(syncer, end);
	if (is_approved(syncer))
		let_pass(syncer, end);
	if (syncer->n_unconfirmed)
		ek_quorum_ask(syncer);
}
