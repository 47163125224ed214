/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink that a mode emits into: checks each instance, and completes it with what the syncer, the registry and the host have to add. A mode cannot choose
 * ids, owners or marks.
 */
#ifndef EK_SYNC_COMPLETE_H
#define EK_SYNC_COMPLETE_H

#include "sync/engine.h"
#include "sync/evaluate.h"

struct ek_completion {
	struct ek_sink sink;           /* first: the mode sees only this */
	struct ek_sync_syncer *syncer;
	struct ek_sync_registry *registry;
	const struct ek_option_value *const *options;
	uint32_t n_options;
	struct ek_wanted **wanted;
	size_t n, room;
	struct ek_wanted **table;      /* by id, to find doubles; room * 2 buckets, open addressing */
	int code;                      /* the first refusal */
	struct ek_error err;
};

/* `options` and `n_options` are set by the caller before. */
void ek_completion_init(struct ek_completion *completion, struct ek_sync_syncer *syncer, struct ek_sync_registry *registry);

#endif
