/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a rollout chooses. Pure. */
#ifndef EK_SYNC_ROLLOUT_SELECT_H
#define EK_SYNC_ROLLOUT_SELECT_H

#include "config/config.h"
#include "sync/syncer.h"

/*
 * Where a syncer stands between 0 and 2^64, by its namespace/name alone: a percentage p chooses those below p % of 2^64, so a larger one only adds. Siblings that
 * are told apart by a number ("rating-1", "rating-2") are spread evenly, so that a share holds for small groups as well.
 */
uint64_t ek_rollout_position(const char *key);
bool ek_rollout_selects(const struct ek_config_rollout *rollout, const struct ek_syncer_object *object, const char *key);

#endif
