/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: the one table of instances of one registry, with what we want and what the registry acknowledged. It holds ids, digests, revisions and times,
 * never payloads: a body is derived again by the mode when it must be sent.
 *
 * An entry lives while it is wanted, while the registry may hold it, or while an operation on it is in flight. Entries of one syncer are linked.
 */
#ifndef EK_SYNC_LEDGER_H
#define EK_SYNC_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/instance.h>
#include <eurekube/registry.h>

struct ek_sync_syncer;
struct ek_sync_registry;

/* What we know of the registry's copy. */
enum ek_known {
	EK_KNOWN_NOTHING, /* it may or may not be there: read before writing */
	EK_KNOWN_ABSENT,
	EK_KNOWN_HELD,    /* there, and ours, with held_* as its content */
	EK_KNOWN_FOREIGN, /* there, and not ours: never written */
};

struct ek_ledger_entry {
	uint64_t id_hash;
	struct ek_ledger_entry *bucket_next;
	struct ek_ledger_entry *syncer_next, **syncer_prev; /* in the owning syncer's list */
	struct ek_ledger_entry *wheel_next, **wheel_prev;   /* in the lease wheel; wheel_prev NULL: not in it */
	struct ek_sync_registry *registry;
	struct ek_sync_syncer *syncer;
	char *id;                     /* owned */
	const char *application;      /* interned in the engine's pool */

	int64_t revision;             /* the registry's version of the entry */
	int64_t due_ms;               /* next renewal */
	int64_t retry_at_ms;          /* no write before this; 0 none */
	int64_t put_at_ms;            /* last PUT sent; 0 never */
	int64_t removed_at_ms;        /* last REMOVE acknowledged; 0 never */
	int64_t renewed_at_ms;        /* last acknowledged PUT or RENEW */
	int64_t trigger_wall_ms;      /* the cluster change behind the next write, for propagation; 0 unknown */
	int64_t failing_since_wall_ms;

	uint64_t want_digest, held_digest;
	uint64_t want_pod, held_pod;  /* hashes of the pod's UID, 0 none */
	uint64_t name_hash;           /* of the pod-or-address part of its id, to recognise a rename; its key is the lower half (kube/keys.h) */
	uint64_t sent_digest, sent_pod; /* of the PUT in flight */
	uint32_t place;               /* of its namespace and name, by which it is filed */
	uint32_t seen;                /* the evaluation that last wanted it */
	uint32_t generation;          /* of its operation tokens */
	int32_t last_code;            /* of the last failure; EK_OK none */
	char *last_message;           /* owned; NULL none */
	uint16_t attempts;
	uint8_t op;                   /* enum ek_op_kind in flight, 0 none */
	uint8_t known;                /* enum ek_known */
	uint8_t want_status;          /* enum ek_status; NONE: not wanted */
	uint8_t held_status, sent_status;
	bool is_overridden;           /* somebody holds its status by an override */
	bool is_refused;              /* permanent failure for want_digest */
	bool is_probed;               /* renewed once since start, whatever came of it */
	bool is_misbehaved;           /* the last failure is the plugin's own */
	bool is_due;                  /* in its registry's list of due renewals instead of the wheel */
	bool is_seen_going;           /* its endpoint was seen terminating or not ready; this and the next five are for the guard */
	bool is_asked;                /* a quorum read about it is running */
	bool is_confirmed;            /* a quorum read does not show it either */
	bool is_approved;             /* a person has approved its removal */
	uint8_t verdict;              /* enum ek_guard_verdict of the last turn, for one that is not wanted */
	uint32_t list_round;          /* the list that last showed it */
};

struct ek_ledger {
	struct ek_ledger_entry **buckets;
	size_t n_buckets, n;
};

void ek_ledger_init(struct ek_ledger *ledger);
void ek_ledger_clear(struct ek_ledger *ledger);               /* frees all entries; lists they are in must be gone */
struct ek_ledger_entry *ek_ledger_find(const struct ek_ledger *ledger, const char *id);
struct ek_ledger_entry *ek_ledger_find_named(const struct ek_ledger *ledger, const char *namespace_, uint32_t key, const char *id); /* for less, where these are known */
/* One after the other, the entries of one name in one namespace, by the key of the name; begins with NULL. Nothing may be added or dropped meanwhile. */
struct ek_ledger_entry *ek_ledger_next_named(const struct ek_ledger *ledger, const char *namespace_, uint32_t key, const struct ek_ledger_entry *previous);
/* Makes an entry for an id that is not there yet; known NOTHING, not wanted, in no list. */
struct ek_ledger_entry *ek_ledger_add(struct ek_ledger *ledger, const char *id);
void ek_ledger_drop(struct ek_ledger *ledger, struct ek_ledger_entry *entry); /* must be in no list */
/* Calls fn for each entry; fn may drop the entry it is given, and nothing else. */
void ek_ledger_each(struct ek_ledger *ledger, void (*fn)(void *arg, struct ek_ledger_entry *entry), void *arg);

/* Notes a failure for people; message may be NULL. */
void ek_ledger_note_failure(struct ek_ledger_entry *entry, int code, const char *message, int64_t wall_ms);
void ek_ledger_note_success(struct ek_ledger_entry *entry);

#endif
