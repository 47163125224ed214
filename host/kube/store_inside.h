/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the store is built. Every record is in one table per kind, by namespace and name, and hangs on the group of its Service: the Service itself, or
 * the slices that name it, whichever came first. Groups are sorted by name within their namespace.
 */
#ifndef EK_KUBE_STORE_INSIDE_H
#define EK_KUBE_STORE_INSIDE_H

#include "kube/store.h"

#include "base/alloc.h"

#define uthash_malloc(size) ek_xmalloc(size)
#include <uthash.h>

struct object {
	UT_hash_handle hh;
	struct object *next;           /* of the same group */
	struct group *group;           /* NULL while staged */
	void *record;                  /* struct ek_record_service or ek_record_slice */
	struct slice_keys *keys;       /* owned; of a slice in an index; else NULL */
	uint32_t seen;                 /* the list of its feed that last had it */
	char key[];                    /* namespace, NUL, name, NUL */
};

/* The keys of a slice's endpoints, in their order, and the slice's number in the index. */
struct slice_keys {
	uint32_t n, number;
	struct ek_endpoint_keys at[];
};

struct group {
	struct namespace *home;
	const char *name;              /* interned */
	struct object *service;        /* NULL: only slices so far */
	struct object *slices;
	struct group_index *index;     /* of all its slices; NULL: nobody has asked yet */
	struct group *next_touched;    /* with is_touched */
	bool is_touched;
};

struct namespace {
	UT_hash_handle hh;
	struct group **groups;         /* sorted by name */
	size_t n, room;
	const char *name;              /* interned */
};

struct table {
	struct ek_store *store;
	enum ek_store_kind kind;
	struct object *live;
};

/* What one reflector brings: a kind, of one namespace or of all. */
struct ek_store_feed {
	struct ek_store_feed *next;
	struct table *table;
	char *namespace_;              /* NULL: all */
	struct object *staged;
	uint32_t list;                 /* the number of the last list */
	bool is_staging, is_listed;    /* is_listed: a list was committed */
};

struct ek_store {
	struct ek_store_listener listener;
	struct ek_intern *pool;
	struct table tables[EK_STORE_N_KINDS];
	struct ek_store_feed *feeds;
	struct namespace *namespaces;
	struct group *touched;         /* to be told of */
	struct group **touched_end;
	size_t n_endpoints;
	bool is_followed;              /* the index is kept up with what is going on */
};

/* The group of a Service, NULL if nothing is known of it. */
struct group *ek_store_find_group(const struct ek_store *store, const char *namespace_, const char *service);
struct group *ek_store_need_group(struct ek_store *store, const char *namespace_, const char *service);
/* Forgets a group that holds nothing any more; otherwise does nothing. */
void ek_store_drop_group(struct ek_store *store, struct group *group);

/* store_index.c */
struct slice_keys *ek_slice_keys_new(uint32_t n);
void ek_index_need(struct group *group);                          /* makes it, unless it is there */
void ek_index_forget(struct group *group);
void ek_index_add(struct group *group, struct object *object);    /* a slice of the group */
void ek_index_drop(struct group *group, struct object *object);
/* The slice gets these keys, which it takes; origin: for each which of the old ones it is, -1 none. */
void ek_index_replace(struct group *group, struct object *object, struct slice_keys *fresh, const int32_t *origin);
/* The next slice that may hold the key; one may come several times. `at` begins with 0. */
const struct object *ek_index_next(const struct group *group, uint32_t key, uint32_t *at);

/* store_delta.c: what an event changes, and the index with it; before the record is replaced or removed, after it was added. */
void ek_delta_replace(struct ek_keys *out, struct object *object, const struct ek_record_slice *record);
void ek_delta_renew(struct ek_keys *out, struct object *object);  /* only its time changes */
void ek_delta_add(struct ek_keys *out, struct object *object);
void ek_delta_remove(struct ek_keys *out, struct object *object);

static inline const struct ek_record_slice *ek_store_slice_of(const struct object *object)
{
	return object->record;
}

#endif
