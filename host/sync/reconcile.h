/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of one syncer: evaluate, compare with the ledger, send what the plan says, report. See reconcile.c. */
#ifndef EK_SYNC_RECONCILE_H
#define EK_SYNC_RECONCILE_H

#include "sync/evaluate.h"
#include "sync/registry.h"

void ek_reconcile(struct ek_sync_syncer *syncer);

/* Follows the plan of one entry: sends, waits, or forgets it (the entry may be gone afterwards). `wanted` NULL: nothing that could be put. */
struct ek_follow {
	struct ek_sync_syncer *syncer;
	bool may_put, may_remove;
	const struct ek_ledger_entry *end;   /* of the syncer's entries those before this one are looked at; NULL: all */
};
void ek_follow_plan(const struct ek_follow *follow, struct ek_ledger_entry *entry, const struct ek_wanted *wanted);

/* finalizer.c */
bool ek_finalizer_ensure(struct ek_sync_syncer *syncer);   /* true: registrations may go out */
void ek_finalize(struct ek_sync_syncer *syncer);           /* the turn of a syncer that is being deleted or is gone */
void ek_confirm_absence(struct ek_sync_syncer *syncer);    /* it was missing from a LIST: reads it */

#endif
