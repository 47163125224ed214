/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view of one resource that only some modes read: its records, by namespace and name. It is filled by one reflector, or by one for each namespace
 * (ek_objects_sink), and tells its listener only in which namespace something changed; an event that changes no record tells nothing.
 * A list in progress is collected aside and swapped in whole on commit; records that have not changed are shared with it.
 */
#ifndef EK_KUBE_OBJECTS_H
#define EK_KUBE_OBJECTS_H

#include "kube/records.h"
#include "kube/reflector.h"

struct ek_objects;
struct ek_objects_feed;

struct ek_objects_config {
	const struct ek_record_reader *reader;
	const void *reader_arg;            /* must outlive the objects */
	size_t max_bytes;                  /* of all records: a list or event beyond it fails, EK_TOO_BIG; 0 no limit */
	bool is_namespaced;                /* what has a namespace, or has none, against this is left out */
	/* A list of one namespace (NULL: of everything) was taken in; how many objects there were before and are now. Comes before its on_change. */
	void (*on_commit)(void *arg, const char *namespace_, size_t before, size_t after);
	/* Something changed in a namespace: a record, or the state. NULL: all namespaces, or a cluster-scoped resource. */
	void (*on_change)(void *arg, const char *namespace_);
	void *arg;
};

struct ek_objects *ek_objects_new(const struct ek_objects_config *config);
void ek_objects_free(struct ek_objects *objects);    /* NULL is ignored; its reflectors must be gone */

/* The sink for its reflectors; the sink_arg is a feed: one for everything (NULL), or one for each namespace. */
extern const struct ek_reflector_sink ek_objects_sink;
struct ek_objects_feed *ek_objects_feed(struct ek_objects *objects, const char *namespace_);

enum ek_objects_state {
	EK_OBJECTS_UNLISTED,               /* no list was committed yet */
	EK_OBJECTS_DOUBTED,                /* there were objects, and then a list without any: hardly ever the truth. Only a list with some ends it */
	EK_OBJECTS_UNCONFIRMED,            /* the first list had no objects: the truth, unless something is known that came from some. The next one decides */
	EK_OBJECTS_WHOLE,
};
/* For one namespace; NULL: of a cluster-scoped resource. */
enum ek_objects_state ek_objects_state(const struct ek_objects *objects, const char *namespace_);

const struct ek_record *ek_objects_find(const struct ek_objects *objects, const char *namespace_, const char *name);
/* Those of one namespace, NULL: all of a cluster-scoped resource. Sorted by name; good until something changes. */
struct ek_record *const *ek_objects_in(const struct ek_objects *objects, const char *namespace_, size_t *n);

struct ek_objects_stats { size_t n, n_bytes, interned_bytes; };
void ek_objects_stats(const struct ek_objects *objects, struct ek_objects_stats *out);

#endif
