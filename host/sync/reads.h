/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What modes read beside Services and endpoints: pods, nodes, other resources. Each is one view (kube/objects.h), shared by all versions of modes that ask for exactly
 * the same, and watched by app/watches.c from the moment that one of them needs it until none does any more.
 *
 * A version is asked only while all that it reads is in view; otherwise its syncers get a fault that passes, which freezes them.
 */
#ifndef EK_SYNC_READS_H
#define EK_SYNC_READS_H

#include "kube/objects.h"
#include "sync/engine.h"

/* One resource that is read. */
struct ek_read {
	struct ek_read *next;                    /* among the engine's */
	struct ek_engine *engine;
	char name[400];                          /* "pods", "ingresses.networking.k8s.io"; no two have the same. "" before the next sweep */
	char group[360];                         /* where it is served: "/apis/networking.k8s.io/v1" */
	char plural[64];
	bool is_namespaced;
	const struct ek_record_reader *reader;
	struct ek_arena arena;
	const struct ek_resource_read *declared; /* a copy; NULL: pods or nodes */
	struct ek_tree_fields fields;
	struct ek_objects *objects;
	unsigned n_users;                        /* versions; without any it waits for ek_reads_sweep */
};

/* Why the watch of a read has not listed a namespace (NULL: all) yet; status 0 and an empty problem: nobody knows. */
struct ek_read_problem {
	int status;                              /* of the API server's answer */
	char problem[256];
};

/*
 * What a new version reads: `reads` is what its plugin said, `declared` what its resources_of did. EK_INVALID, or EK_PLUGIN for what is not proper, with err filled.
 * A version that has failed here needs no ek_reads_end.
 */
int ek_reads_begin(struct ek_engine *engine, struct ek_mode_version *version, const struct ek_resource_read *const *declared, uint32_t n,
                   struct ek_error *err);
void ek_reads_end(struct ek_mode_version *version);

/* Frees what has no users, which nobody may watch any more; then gives names to what is new. */
void ek_reads_sweep(struct ek_engine *engine);
void ek_reads_clear(struct ek_engine *engine);

/*
 * The view with all that the version reads, in the engine's scratch arena: `cluster` itself where that is nothing more. NULL: something is not in view; then err says
 * what, and *is_waiting whether that is only because the view has not been listed so far, or is not believed. ek_reads_hide ends it.
 */
const struct ek_cluster *ek_reads_show(struct ek_sync_syncer *syncer, const struct ek_mode_version *version, const struct ek_cluster *cluster,
                                       bool *is_waiting, struct ek_error *err);
void ek_reads_hide(const struct ek_mode_version *version, const struct ek_cluster *cluster);

bool ek_reads_uses(const struct ek_mode_version *version, const struct ek_read *read); /* version: NULL none */

/* What the syncer waits for is usually there in an instant: too early to speak of it. */
bool ek_reads_is_early(const struct ek_sync_syncer *syncer);

/* reads_check.c: what is wrong with a declaration, in `buffer`; NULL: nothing. */
const char *ek_reads_fault(const struct ek_resource_read *const *declared, uint32_t n, char *buffer, size_t size);

#endif
