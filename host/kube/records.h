/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of what only some modes read: pods, nodes, and objects of any resource as pruned trees. Each is one allocation, shared by counting, made straight from the
 * object's JSON by the pull reader; it keeps only what the ABI's structures hold, so that most events of pods and nodes change nothing in it. Pure.
 */
#ifndef EK_KUBE_RECORDS_H
#define EK_KUBE_RECORDS_H

#include <stdbool.h>

#include "base/arena.h"
#include "kube/resources.h"

/* What all begin with. */
struct ek_record {
	const char *namespace_;        /* interned; "" for cluster-scoped objects */
	const char *name, *uid;        /* behind the record */
	uint32_t n_refs, n_bytes;
};

/* How records of one kind are read. `arg` is what the kind needs to know: the fields of trees. */
struct ek_record_reader {
	int (*read)(struct ek_slice json, const void *arg, struct ek_intern *pool, struct ek_record **out, struct ek_error *err);
	bool (*equals)(const struct ek_record *a, const struct ek_record *b); /* of the same namespace and name */
	void (*release)(struct ek_record *record, struct ek_intern *pool);    /* gives back what it owes to the pool */
};
extern const struct ek_record_reader ek_pod_reader, ek_node_reader, ek_tree_reader;

void ek_record_drop(const struct ek_record_reader *reader, struct ek_record *record, struct ek_intern *pool); /* one reference; NULL is ignored */

struct ek_record_pod {
	struct ek_record base;
	const struct ek_record_label *labels; /* interned, sorted by key */
	uint32_t n_labels, reserved;
};

struct ek_record_node {
	struct ek_record base;
	const char *zone;                     /* interned; NULL unknown */
	const struct ek_record_label *labels; /* interned, sorted by key */
	const struct ek_record_label *addresses; /* interned; in the order of the status, the key is the type */
	uint32_t n_labels, n_addresses;
	uint32_t flags, reserved;             /* enum ek_node_flag */
};

/* ---- Trees ---- */

#define EK_TREE_BYTES_MAX ((size_t)256 << 10)
#define EK_TREE_TEXT_MAX  ((size_t)64 << 10)
#define EK_TREE_DEPTH_MAX 32

/* The fields of a declaration, each cut into its parts. */
struct ek_tree_fields {
	unsigned n;
	struct ek_tree_way {
		unsigned n_parts;
		const char *parts[EK_RESOURCE_PATH_MAX];
	} at[EK_RESOURCE_FIELDS_MAX];
};
/* The parts lie in `arena`. What is declared must be proper (sync/reads_check.c). */
void ek_tree_fields_init(struct ek_tree_fields *fields, const char *const *paths, uint32_t n, struct ek_arena *arena);

/* A value, and behind it its children with all below them. */
struct ek_record_value {
	uint32_t key, text;            /* where they begin in the texts */
	uint32_t n_children;
	uint32_t kind;                 /* enum ek_tree_kind */
};

struct ek_record_tree {
	struct ek_record base;
	const char *unfit;             /* why it cannot be shown; static; NULL: it can */
	const struct ek_record_value *values; /* the root first */
	const char *texts;             /* begins with a NUL */
	uint32_t n_values, n_text_bytes;
};

/* As modes see them; in the arena, borrowing the records' texts. */
const struct ek_pod *ek_record_pod_view(const struct ek_record_pod *pod, struct ek_arena *arena);
const struct ek_node *ek_record_node_view(const struct ek_record_node *node, struct ek_arena *arena);
const struct ek_object *ek_record_tree_view(const struct ek_record_tree *tree, struct ek_arena *arena);

#endif
