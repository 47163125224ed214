/* SPDX-License-Identifier: Apache-2.0 */
/* Which removals of a syncer may go out in this turn, and what becomes of the others: asked about, or held and told. */
#ifndef EK_SYNC_REMOVALS_H
#define EK_SYNC_REMOVALS_H

#include "sync/engine.h"
#include "sync/evaluate.h"

/* Notes for the guard what the mode said about an entry in this turn; `wanted` as it is, also with status NONE. */
void ek_removals_note_wanted(struct ek_ledger_entry *entry, const struct ek_wanted *wanted);

/*
 * Sets the verdict of every entry that nothing asks for, in that syncer's list; counts those that wait into n_held and n_unconfirmed and names the plan of the held ones.
 * An approval of just that plan lets them pass. Has a quorum read made where one is needed.
 */
/* Only entries before `end` are judged (NULL: all): with one, none of the others may be waiting. */
void ek_removals_judge(struct ek_sync_syncer *syncer, const struct ek_ledger_entry *end);
void ek_removals_judge_none(struct ek_sync_syncer *syncer);   /* a frozen one: nothing waits, since nothing goes */

#endif
