/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What should be registered for some endpoints of a syncer, for the cost of these endpoints: for modes that promise EK_MODE_PER_ENDPOINT, and only where it is certain
 * that looking at everything would come to the same.
 */
#ifndef EK_SYNC_EVALUATE_PART_H
#define EK_SYNC_EVALUATE_PART_H

#include "kube/keys.h"
#include "sync/evaluate.h"

/*
 * Fills `out` with the instances of all endpoints that have to do with `keys`, which grow by those that were reached: what the syncer's entries with these keys
 * should be, and nothing about any other. False: look at everything instead; `out` says nothing then.
 */
bool ek_evaluate_part(struct ek_sync_syncer *syncer, struct ek_keys *keys, struct ek_evaluation *out);

/* After a whole evaluation: whether parts may be looked at alone from now on. */
void ek_evaluate_part_note(struct ek_sync_syncer *syncer, const struct ek_evaluation *whole);

#endif
