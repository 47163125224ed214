/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth about a syncer, told in its status and by Events: conditions, counts, failing instances. Written only when something changed, at most once a second per
 * syncer, with nothing in it that ticks.
 */
#ifndef EK_SYNC_STATUS_H
#define EK_SYNC_STATUS_H

#include "sync/engine.h"

struct ek_status_counts {
	size_t desired, registered, failing, overridden, pending, left;
};
void ek_status_count(const struct ek_sync_syncer *syncer, struct ek_status_counts *out);

void ek_status_init(struct ek_sync_syncer *syncer);
void ek_status_clear(struct ek_sync_syncer *syncer);
void ek_status_touch(struct ek_sync_syncer *syncer);      /* something may have changed */
void ek_status_observed(struct ek_sync_syncer *syncer);   /* a new version of the object was read */
void ek_status_event(struct ek_sync_syncer *syncer, const char *reason, const char *note); /* one Warning */

/* A failing entry's word and text for people; NULL if it does not count as failing. */
const char *ek_status_failure(const struct ek_ledger_entry *entry, const char **message);

#endif
