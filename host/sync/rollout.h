/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two versions of one mode at a time (design.md 1.2, rollout): which of them serves a syncer, what they see differently, and when a syncer goes back to the first.
 * docs/design/0004-rollout.md says why it is as it is.
 */
#ifndef EK_SYNC_ROLLOUT_H
#define EK_SYNC_ROLLOUT_H

#include "sync/evaluate.h"

/* Has the mode compute, by the version that serves the syncer; false after a fault. */
bool ek_rollout_run(struct ek_sync_syncer *syncer, const struct ek_cluster *cluster, struct ek_evaluation *out);

/* Whether the first version alone serves the syncer, and nothing is compared. */
bool ek_rollout_is_idle(const struct ek_sync_syncer *syncer, const struct ek_sync_mode *mode);

void ek_rollout_restore(struct ek_sync_syncer *syncer);  /* takes a rollback that an earlier process has written into the status */
void ek_rollout_clear(struct ek_sync_syncer *syncer);
/* NULL, or why a syncer that the rollout has chosen is served by the first version all the same: the second could not be loaded at the start. */
const char *ek_rollout_missing(const struct ek_sync_syncer *syncer);
const char *ek_rollout_stage_name(enum ek_rollout_stage stage);

#endif
