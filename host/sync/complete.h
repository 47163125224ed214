/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink that a mode emits into: checks each instance, and completes it with what the syncer, the registry and the host have to add. A mode cannot choose
 * ids, owners or marks.
 */
#ifndef EK_SYNC_COMPLETE_H
#define EK_SYNC_COMPLETE_H

#include "sync/engine.h"
#include "sync/evaluate.h"
#include "sync/shown.h"

struct ek_completion {
	struct ek_sink sink;           /* first: the mode sees only this */
	bool is_open;                  /* a mode is being asked; what it emits at any other time is refused */
	struct ek_mode_version *version;
	const struct ek_cluster *cluster;
	struct ek_shown shown;         /* what is in it */
	size_t n_emitted, n_bytes;     /* so far, doubles included */
	struct ek_sync_syncer *syncer;
	struct ek_sync_registry *registry;
	const struct ek_option_value *const *options;
	uint32_t n_options;
	struct ek_wanted **wanted;
	size_t n, room;
	struct ek_wanted **table;      /* by id, to find doubles; room * 2 buckets, open addressing */
	/* The last application, as the mode or the syncer writes it, and what is made of it: nearly always the next one is the same. */
	const char *application;       /* on the wire; NULL: none yet */
	const char *lower_application;
	const char *raw_application;
	uint64_t application_hash;
	int code;                      /* the first refusal */
	struct ek_error err;
};

/*
 * Opens the version's completion for one question, with the registry's options of the syncer, resolved. It lives as long as the version: a sink that a mode has
 * kept stays a valid pointer, which refuses.
 */
struct ek_completion *ek_completion_open(struct ek_mode_version *version, struct ek_sync_syncer *syncer, struct ek_sync_registry *registry,
                                         const struct ek_cluster *cluster, const struct ek_option_value *const *options, uint32_t n_options);
void ek_completion_close(struct ek_completion *completion);

/* Fills err with reason PluginMisbehaved and a message that begins with the mode and its plugin; counted against it. Returns EK_PLUGIN. */
EK_PRINTF(4, 5) int ek_completion_blame(struct ek_mode_version *version, enum ek_misbehaviour kind, struct ek_error *err, const char *format, ...);

#endif
