/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to one version of a mode: what should be registered for this syncer, in this view? The answer is complete instances in the engine's scratch arena, or
 * a fault with a reason.
 */
#ifndef EK_SYNC_MODE_TURN_H
#define EK_SYNC_MODE_TURN_H

#include "sync/evaluate.h"

struct ek_mode_turn {
	struct ek_wanted **wanted;
	size_t n_wanted;
	struct ek_error fault;             /* code EK_OK: none */
	enum ek_fault_kind fault_kind;
	bool is_waiting;                   /* the fault is only that what the version reads is being listed, or not believed: it was not asked */
};

/* False after a fault. */
bool ek_mode_turn(struct ek_sync_syncer *syncer, struct ek_mode_version *version, struct ek_sync_registry *registry, const struct ek_cluster *cluster,
                  struct ek_mode_turn *out);

#endif
