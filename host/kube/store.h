/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view of the cluster: Services and their EndpointSlices as compact records, indexed by namespace and Service. It is filled by two reflectors
 * (ek_store_sink) and tells its listener only *which Service* changed and what kind of evidence that was; who wants to know more asks.
 * A list in progress is collected aside and swapped in whole on commit, with the differences told afterwards.
 */
#ifndef EK_KUBE_STORE_H
#define EK_KUBE_STORE_H

#include <stdbool.h>

#include "base/arena.h"
#include "kube/keys.h"
#include "kube/reflector.h"
#include "kube/resources.h"

struct ek_store;
struct ek_store_feed;

enum ek_store_kind { EK_STORE_SERVICES, EK_STORE_SLICES, EK_STORE_N_KINDS };

/* How a change was learnt (design.md I10). */
enum ek_evidence {
	EK_EVIDENCE_EVENT,   /* an event of the watch */
	EK_EVIDENCE_LIST,    /* a difference between two lists */
};

/* A Service, or any slice of it, changed (also: appeared, vanished). */
struct ek_store_change {
	const char *namespace_, *service;
	enum ek_evidence evidence;
	int64_t trigger_wall_ms;           /* of the slice that changed, 0 unknown or not to be used */
	const struct ek_keys *keys;        /* of all endpoints that changed, as they were and as they are; NULL: anything may have changed */
};

struct ek_store_listener {
	void (*on_service)(void *arg, const struct ek_store_change *change);
	/* A list of `kind` in one namespace (NULL: in all) was committed: how many objects before and after. Comes before the on_service calls of that commit. */
	void (*on_commit)(void *arg, enum ek_store_kind kind, const char *namespace_, size_t before, size_t after);
	void *arg;
};

struct ek_store *ek_store_new(const struct ek_store_listener *listener);
void ek_store_free(struct ek_store *store);

/* The sink for a reflector of that kind; the sink_arg is its feed: one for all namespaces (NULL), or one for each. They live as long as the store. */
const struct ek_reflector_sink *ek_store_sink(enum ek_store_kind kind);
struct ek_store_feed *ek_store_feed(struct ek_store *store, enum ek_store_kind kind, const char *namespace_);

/* Whether Services and slices of this namespace have been listed once. */
bool ek_store_is_listed(const struct ek_store *store, const char *namespace_);

/* Calls fn for each Service of a namespace in order of name, until it returns false. Nothing may change the store meanwhile. */
void ek_store_each_service(const struct ek_store *store, const char *namespace_, bool (*fn)(void *arg, const struct ek_record_service *service), void *arg);
const struct ek_record_service *ek_store_find_service(const struct ek_store *store, const char *namespace_, const char *name);

/*
 * The public view of one Service with its endpoints, made in `arena` (design.md: union over slices, per address; one entry per address). It borrows texts of the
 * store, so it is good until the store changes. Sorted by address: IPv4 first, then by number. Ports out of range are left out.
 * The same address in several slices: same pod UID - the slice with the newer trigger time; else the better state (ready, serving, terminating), ports united only
 * within one slice. Families: only endpoints of `families[0..n)` in that order of preference per pod (an endpoint pod that has both is given once, first family it has).
 */
struct ek_endpoint_policy {
	bool allow_without_pod;            /* endpoints.allowWithoutPod */
	unsigned n_families;
	int families[2];                   /* 4, 6 */
	bool (*is_denied)(void *arg, const uint8_t address[16], int family);  /* more CIDRs; loopback, link-local, metadata, unspecified and multicast are always denied */
	void *arg;
};
const struct ek_service *ek_store_view(const struct ek_store *store, const struct ek_record_service *service, const struct ek_endpoint_policy *policy, struct ek_arena *arena);

/*
 * What has to do with some keys, in several Services of one namespace. `keys` grows by those that are reached. False: that is too much to be looked at by itself.
 * The parts' `service` is given, the rest is filled, in `arena`, and good until the store changes. A part's view holds exactly what the whole view of its Service
 * would hold of the endpoints with these keys.
 */
struct ek_store_found {
	const struct ek_record_slice *slice;
	const struct ek_record_endpoint *endpoint;
};
struct ek_store_part {
	const struct ek_record_service *service;
	struct ek_store_found *found;
	size_t n, room;
};
bool ek_store_trace(struct ek_store *store, struct ek_keys *keys, struct ek_store_part *parts, size_t n_parts, struct ek_arena *arena);
const struct ek_service *ek_store_view_part(const struct ek_store_part *part, const struct ek_endpoint_policy *policy, struct ek_arena *arena);

struct ek_store_stats { size_t services, slices, endpoints, interned_bytes; };
void ek_store_stats(const struct ek_store *store, struct ek_store_stats *out);

#endif
