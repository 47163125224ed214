/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quorum reads: the Services that a syncer selects and their slices, read once from etcd instead of from anybody's cache, and put through the syncer's mode. What
 * the mode asks for in neither view is confirmed to be gone. One read for a syncer at a time, a few at a time in all; a read that fails is tried again with
 * backoff, and until one succeeds nothing is confirmed.
 */
#ifndef EK_SYNC_QUORUM_H
#define EK_SYNC_QUORUM_H

#include "sync/engine.h"

/* Has the entries of the syncer whose verdict is EK_GUARD_CONFIRM looked for, now or when it may; its turn comes when they have been. */
void ek_quorum_ask(struct ek_sync_syncer *syncer);
void ek_quorum_clear(struct ek_sync_syncer *syncer);
/* Why the last reads failed; NULL: they did not, or not often enough to speak of it. */
const char *ek_quorum_problem(const struct ek_sync_syncer *syncer);

#endif
