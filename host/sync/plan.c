/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides the next operation of one instance from its ledger entry. It neither sends nor schedules; whether a removal is allowed at all (guard,
 * policy, a rename in progress) is asked by reconcile.c before it follows the step. Read registry_ops.c next.
 */
#include "sync/plan.h"

#include <eurekube/error.h>

/* A wait lasts until the later of a gap after an earlier operation and the backoff of a failed one. */
static enum ek_step when_due(enum ek_step step, int64_t due_ms, int64_t retry_at_ms, int64_t now_ms, int64_t *wait_until_ms)
{
	int64_t until = due_ms > retry_at_ms ? due_ms : retry_at_ms;

	if (until <= now_ms)
		return step;
	*wait_until_ms = until;
	return EK_STEP_WAIT;
}

static int64_t after(int64_t at_ms, int64_t gap_ms)
{
	return at_ms ? at_ms + gap_ms : 0;
}

static enum ek_step put_when_due(const struct ek_ledger_entry *entry, const struct ek_plan_rules *rules, int64_t *wait_until_ms)
{
	int64_t due = after(entry->put_at_ms, rules->equal_gap_ms), gone = after(entry->removed_at_ms, rules->same_id_gap_ms);

	if (entry->is_refused)
		return EK_STEP_STUCK;
	return when_due(EK_STEP_PUT, due > gone ? due : gone, entry->retry_at_ms, rules->now_ms, wait_until_ms);
}

/* Kept for as long as its removal must be remembered: a PUT of the same id might come too soon after it otherwise. */
static enum ek_step drop_when_due(const struct ek_ledger_entry *entry, const struct ek_plan_rules *rules, int64_t *wait_until_ms)
{
	return when_due(EK_STEP_DROP, after(entry->removed_at_ms, rules->same_id_gap_ms), 0, rules->now_ms, wait_until_ms);
}

static enum ek_step next_of_held(const struct ek_ledger_entry *entry, const struct ek_plan_rules *rules, int64_t *wait_until_ms)
{
	if (!entry->want_status || (entry->want_pod && entry->held_pod && entry->want_pod != entry->held_pod))
		return when_due(EK_STEP_REMOVE, 0, entry->retry_at_ms, rules->now_ms, wait_until_ms);
	if (entry->want_digest != entry->held_digest)
		return put_when_due(entry, rules, wait_until_ms);
	if (entry->want_status != entry->held_status && !entry->is_overridden)
		return put_when_due(entry, rules, wait_until_ms);
	return EK_STEP_NONE;
}

enum ek_step ek_plan_next(const struct ek_ledger_entry *entry, const struct ek_plan_rules *rules, int64_t *wait_until_ms)
{
	*wait_until_ms = 0;
	if (entry->op)
		return EK_STEP_BUSY;
	switch ((enum ek_known)entry->known) {
	case EK_KNOWN_NOTHING:
		return when_due(EK_STEP_GET, 0, entry->retry_at_ms, rules->now_ms, wait_until_ms);
	case EK_KNOWN_ABSENT:
		return entry->want_status ? put_when_due(entry, rules, wait_until_ms) : drop_when_due(entry, rules, wait_until_ms);
	case EK_KNOWN_HELD:
		return next_of_held(entry, rules, wait_until_ms);
	case EK_KNOWN_FOREIGN:
		return entry->want_status ? EK_STEP_STUCK : EK_STEP_DROP;
	}
	return EK_STEP_NONE;
}
