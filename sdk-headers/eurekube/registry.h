/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - where instances go.
 *
 * A registry plugin speaks one registry's protocol and nothing more.  It carries out single operations and says truthfully how each ended.  *Policy is the host's*:
 * what is registered, ownership, dry run, the brake on mass removals, retry and backoff, rate limits, deadlines, the schedule of renewals.  So a plugin cannot break
 * the promises that the host makes, and writing one means writing only the protocol.
 *
 * Operations are asynchronous and come in batches.  `apply` starts n of them and returns at once; each one completes on its own through host->op_done, exactly once,
 * in any order, never inside the call that started it.  The host keeps at most one operation per instance in flight, so a plugin never has to order them.
 *
 * Deadlines.  The host gives each operation a deadline of its own; when it passes, the host regards the outcome as unknown, calls `cancel`, and later reads the
 * entry (GET) before it writes again.  A completion that comes after all is counted and ignored.  A plugin should still bound its own requests.
 *
 * Replicas.  A standby creates instances too, but only lists and probes.  Nothing in `create` may write.
 *
 * How a registry without servers, leases or status fits is shown by plugins/memory, the smallest complete one; a template over HTTP is in sdk/template/registry;
 * ZooKeeper, Consul and Nacos are walked through in docs/design/0001-registries-on-paper.md.  What the host does with each outcome: docs/plugins/errors.md.
 */
#ifndef EK_EUREKUBE_REGISTRY_H
#define EK_EUREKUBE_REGISTRY_H

#include <eurekube/error.h>
#include <eurekube/host.h>
#include <eurekube/instance.h>
#include <eurekube/plugin.h>
#include <eurekube/types.h>

/* ---- Operations -------------------------------------------------------------------------------------------------------------------------------------------- */

enum ek_op_kind {
	/*
	 * Make the entry be `instance`, whether it exists or not.  `revision` is what the host last knew (0: nothing).  A plugin that can make the write
	 * conditional on it does so and answers EK_CONFLICT when somebody else was there first; a plugin that cannot writes unconditionally.  The result carries
	 * the new revision.  Putting the same instance twice is harmless.
	 */
	EK_OP_PUT = 1,

	/* Make the entry be gone.  EK_OK and EK_GONE are both success. */
	EK_OP_REMOVE = 2,

	/*
	 * Keep the entry alive; create nothing.  EK_GONE if the registry does not hold it (the host puts it again).  Never sent where lease kind is not
	 * EK_LEASE_INSTANCE.  A result with revision 0 leaves the host's revision as it is.
	 */
	EK_OP_RENEW = 3,

	/*
	 * Set or clear an override of the entry's status without registering it again: `status` UP clears an override that we set, OUT_OF_SERVICE sets one.  Only
	 * sent if the traits say EK_REGISTRY_SETS_STATUS; elsewhere the host puts the instance with its new status.
	 */
	EK_OP_SET_STATUS = 4,

	/*
	 * Read the one entry from the registry's authoritative copy, not from a cache.  EK_OK with `entry` set, or EK_GONE.
	 */
	EK_OP_GET = 5,
};

/*
 * One operation.  Everything in it is borrowed until `apply` returns.
 *
 * `token` is opaque and comes back in op_done; no two operations in flight have the same.  `revision` is the entry's version as the registry last told us (Eureka's
 * lastDirtyTimestamp, Consul's ModifyIndex, ZooKeeper's zxid), 0 if unknown.
 */
struct ek_op {
	uint32_t size;
	uint32_t kind;                      /* enum ek_op_kind */
	uint64_t token;
	const char *application;            /* as in ek_instance */
	const char *id;
	const struct ek_instance *instance; /* PUT: complete.  RENEW: complete if the traits say EK_REGISTRY_RENEWS_BY_INSTANCE.  Otherwise NULL */
	int64_t revision;
	int32_t status;                     /* SET_STATUS only */
	int32_t timeout_ms;                 /* the host's deadline for it, from now */
};
EK_SEALED(struct ek_op, timeout_ms);

/* ---- What a registry holds --------------------------------------------------------------------------------------------------------------------------------- */

enum ek_entry_flag {
	EK_ENTRY_RENEWABLE = 1u << 0,  /* we can keep it alive.  Not set: an ephemeral node of a dead session, say; the host puts it again */
	EK_ENTRY_OVERRIDDEN = 1u << 1, /* its status is held by an override */
};

/*
 * One entry of the registry, borrowed for the call.  `instance` holds what the registry stores: address, ports, status, metadata with our marks if it is ours.
 * The host judges ownership from the marks in the metadata; the plugin reports foreign entries as they are.
 */
struct ek_entry {
	uint32_t size;
	uint32_t flags;                     /* enum ek_entry_flag */
	const char *application;
	const char *id;
	const struct ek_instance *instance;
	int64_t revision;
	int32_t status;                     /* as callers see it now, overrides applied */
	int32_t reserved;
};
EK_SEALED(struct ek_entry, reserved);

/* How an operation, a list or a probe ended; borrowed for the call. */
struct ek_result {
	uint32_t size;
	int32_t code;                 /* enum ek_code */
	int64_t revision;             /* PUT, RENEW, SET_STATUS, GET: the entry's version now; 0 unchanged or unknown */
	int64_t retry_after_ms;       /* with EK_THROTTLED */
	int32_t http_status;          /* for display; 0 none */
	uint32_t reserved;
	const struct ek_entry *entry; /* GET with EK_OK; otherwise NULL */
	const char *message;          /* for a person, when code is not EK_OK; may be NULL; no secrets */
};
EK_SEALED(struct ek_result, message);

/*
 * What a list should cover.  A plugin may return more, never less: entries outside the scope are ignored.
 *
 * `applications` names those the host is interested in, NULL (with count 0) for all; registries that can only list by application need the names.
 */
struct ek_scope {
	uint32_t size;
	uint32_t n_applications;
	const char *const *applications;
	const char *owner_prefix;     /* "clusterId/": the host wants entries whose owner mark begins so; a registry that can filter may drop the others */
};
EK_SEALED(struct ek_scope, owner_prefix);

/* ---- Traits ------------------------------------------------------------------------------------------------------------------------------------------------ */

enum ek_lease_kind {
	EK_LEASE_NONE = 0,     /* entries live until they are removed */
	EK_LEASE_INSTANCE = 1, /* each entry must be renewed by EK_OP_RENEW */
	EK_LEASE_SESSION = 2,  /* entries live with a session that the plugin keeps alive itself; `lost` tells of its end */
};

enum ek_registry_flag {
	EK_REGISTRY_SETS_STATUS = 1u << 0,        /* understands EK_OP_SET_STATUS */
	EK_REGISTRY_RENEWS_BY_INSTANCE = 1u << 1, /* needs ek_op.instance in RENEW (its identity is not our id) */
	EK_REGISTRY_LISTS_BY_APPLICATION = 1u << 2, /* `list` needs ek_scope.applications */
};

/*
 * What the host must know of a registry instance; constant over its life.
 */
struct ek_registry_traits {
	uint32_t size;
	uint32_t flags;          /* enum ek_registry_flag */
	uint32_t lease_kind;     /* enum ek_lease_kind */
	uint32_t max_batch;      /* how many operations one `apply` may get; at least 1 */
	int64_t renew_ms;        /* how often to renew, 0 without leases of kind INSTANCE */
	int64_t lease_ms;        /* how long an entry outlives its last renewal; 0 without leases */
	int64_t list_age_ms;     /* how old a list may be (caches); the host acts on a difference only after a GET when this is not 0 */
	int64_t same_id_gap_ms;  /* how long to wait between a removal and a new PUT of the same id; 0 none */
};
EK_SEALED(struct ek_registry_traits, same_id_gap_ms);

/* ---- The registry's operations ----------------------------------------------------------------------------------------------------------------------------- */

/*
 * Mandatory: create, close, traits, apply, list.
 */
struct ek_registry_ops {
	uint32_t size;
	uint32_t flags; /* 0 */

	/*
	 * Makes an instance for one entry of the configuration.  Must not block, must not write to the registry, and must not fail because the registry is away:
	 * it fails only on options that cannot work.  `host` lives until host->closed.  On success stores the instance in `*self`; on failure returns a code,
	 * fills `err`, has freed everything, and neither close nor closed follow.
	 */
	int (*create)(const struct ek_host *host, void **self, struct ek_error *err);

	/*
	 * Ends the instance: completes (EK_CANCELLED) or simply forgets what is in flight, frees everything, and calls host->closed exactly once, now or later.
	 * Does *not* deregister anything.  Called once; no other call follows it.
	 */
	void (*close)(void *self);

	/* The instance's traits, valid as long as the instance. */
	const struct ek_registry_traits *(*traits)(void *self);

	/* Starts 1 to traits.max_batch operations.  Cannot fail: what cannot be started completes with a code. */
	void (*apply)(void *self, const struct ek_op *const *ops, uint32_t n_ops);

	/*
	 * Reads the registry.  Each entry goes to host->list_entry, then host->op_done(token) completes the list; EK_OK means that *all* entries in scope were
	 * given, anything else that the entries given so far prove nothing about absence.
	 */
	void (*list)(void *self, const struct ek_scope *scope, uint64_t token);

	/* May be NULL: then the host probes by listing.  Checks reach and credentials with one cheap read and completes the token. */
	void (*probe)(void *self, uint64_t token);

	/* May be NULL: then the host just ignores what comes late.  Asks to end an operation, list or probe early.  It may still complete; it need not. */
	void (*cancel)(void *self, uint64_t token);
};
EK_SEALED(struct ek_registry_ops, cancel);

#endif
