/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What should be registered for one syncer: checks that it can be served, asks its mode, and completes what the mode emits into instances with id, marks,
 * digest and status. The answer lives in the engine's scratch arena until the next evaluation.
 */
#ifndef EK_SYNC_EVALUATE_H
#define EK_SYNC_EVALUATE_H

#include "sync/engine.h"

/* One completed instance. */
struct ek_wanted {
	struct ek_instance instance;   /* status NONE: its endpoint is not to be registered now */
	uint64_t digest, pod_hash, name_hash;
	uint64_t id_hash;              /* of no other use than to find its double */
	bool is_traceable;             /* named after its pod or address: whoever knows the endpoint finds the entry */
	bool is_going;                 /* its endpoint is terminating or not ready */
};

#define EK_WANTED_MAX 150000

struct ek_evaluation {
	struct ek_sync_registry *registry; /* NULL after a fault that came before it was found */
	struct ek_sync_mode *mode;
	struct ek_mode_version *version;   /* of the mode, which computed this */
	struct ek_wanted **wanted;
	size_t n_wanted;
	size_t n_services;
	uint64_t selected_mask;            /* ek_name_bit of each selected Service */
	struct ek_error fault;             /* code EK_OK: none */
	enum ek_fault_kind fault_kind;
	bool is_frozen;                    /* what is registered stays and is kept alive, nothing else */
};

void ek_evaluate(struct ek_sync_syncer *syncer, struct ek_evaluation *out);
struct ek_endpoint_policy ek_evaluate_policy(const struct ek_config *config); /* borrows it */

/* What the syncer's mode is shown of a store: the Services that it selects, in the engine's scratch arena. `mask`: see selected_mask. */
void ek_evaluate_view(struct ek_sync_syncer *syncer, const struct ek_store *store, struct ek_cluster *cluster, uint64_t *mask);

#endif
