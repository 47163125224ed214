/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: everything between the view of the cluster and the registries. It owns the syncers, the modes and registries of the configuration, the store and
 * the work queue; its files share the structs below. app/ makes one, feeds it by reflectors and starts it when they have synced.
 *
 * The flow: store listener or syncer sink -> queue -> reconcile -> registry_ops -> completion -> queue, until ek_plan_next says that nothing is left.
 */
#ifndef EK_SYNC_ENGINE_H
#define EK_SYNC_ENGINE_H

#include <uthash.h>

#include "base/arena.h"
#include "base/histogram.h"
#include "base/intern.h"
#include "base/log.h"
#include "config/config.h"
#include "io/http.h"
#include "io/loop.h"
#include "kube/client.h"
#include "kube/event.h"
#include "kube/store.h"
#include "plugin/catalog.h"
#include "plugin/services.h"
#include "sync/lease.h"
#include "sync/ledger.h"
#include "sync/part.h"
#include "sync/queue.h"
#include "sync/syncer.h"

/* One version of a mode: its plugin with its options, ready, or with the reason why not. */
struct ek_mode_version {
	const struct ek_config *origin;          /* the document whose options it was made with */
	const struct ek_value *given;            /* those options */
	const struct ek_library *library;        /* NULL: see problem */
	const struct ek_mode_ops *ops;
	struct ek_services *services;
	void *self;
	struct ek_arena arena;                   /* its option values */
	struct ek_completion *completion;        /* its sink, which lives as long as it does; NULL before its first question */
	uint32_t reads;
	struct ek_read *pods, *nodes, *resources[EK_RESOURCES_MAX]; /* what it reads beside Services and endpoints: reads.h; NULL not */
	uint32_t n_resources;
	struct ek_error problem;
	uint64_t n_ok, n_failed;                 /* how often it was asked, by result */
	char name[80];                           /* "mode pod" */
};

/* One mode of the configuration. The second version is there during a rollout. */
struct ek_sync_mode {
	const struct ek_config_mode *config;
	struct ek_mode_version *stable, *canary; /* canary: NULL without a rollout */
	uint64_t n_ok, n_failed;                 /* turns of its syncers, by result */
	uint64_t n_rollbacks;
};

enum ek_registry_phase {
	EK_REGISTRY_BROKEN,   /* its plugin cannot be loaded: see problem */
	EK_REGISTRY_WAITING,  /* for the cluster's view */
	EK_REGISTRY_PROBING,  /* renewing what the registry may hold, before anything else */
	EK_REGISTRY_LISTING,  /* reading what it holds */
	EK_REGISTRY_OPEN,     /* writes go out */
	EK_REGISTRY_CLOSING,
};

/* One operation in flight; slots are reused through a free list. */
struct ek_op_slot {
	struct ek_ledger_entry *entry;   /* NULL: a list */
	uint32_t generation;
	uint32_t kind;                   /* enum ek_op_kind, or EK_OP_KIND_LIST */
	int64_t deadline_ms, started_us;
	uint32_t next, previous;         /* in the order of start, or the free list; index + 1, 0 ends */
	bool is_busy;
	bool was_completed;              /* the one before in this slot was completed by the plugin, not by its deadline */
	char last_id[EK_ID_MAX + 1];     /* of the one before, to tell whose it was that comes twice; "" none */
};
#define EK_OP_KIND_LIST 100
#define EK_OPS_MAX 64                    /* in flight per lane */
#define EK_OP_RESULTS (EK_CANCELLED + 1)

/*
 * One instance of a registry's plugin. A change of the configuration makes a new one and retires the old one, which lives until the plugin says that it has
 * closed; the registry's ledger stays.
 */
struct ek_registry_instance {
	struct ek_engine *engine;
	struct ek_sync_registry *registry;       /* NULL once retired */
	struct ek_registry_instance *next;       /* among the engine's retired ones */
	const struct ek_config *origin;          /* the document whose options it was made with */
	const struct ek_library *library;
	const struct ek_registry_ops *ops;
	struct ek_services *services;
	void *self;                              /* NULL once closed */
	bool is_closing;                         /* in the plugin's close */
	struct ek_arena arena;                   /* its option values */
	struct ek_registry_traits traits;
	int64_t lost_ms, changes_ms;             /* when it last said that all is lost; since when n_changes counts */
	struct ek_timer lost_timer;
	unsigned n_changes;
};

/* One registry of the configuration: its plugin instance, its ledger, its leases, its operations. */
struct ek_sync_registry {
	struct ek_engine *engine;
	const struct ek_config_registry *config; /* of the newest document that named it */
	struct ek_registry_instance *instance;   /* NULL: see problem; the next four are its */
	const struct ek_library *library;
	const struct ek_registry_ops *ops;
	struct ek_services *services;
	struct ek_registry_traits traits;
	bool is_removed;                         /* not in the document any more: lives until nothing is left in it */
	struct ek_error problem;
	enum ek_registry_phase phase;

	struct ek_ledger ledger;
	struct ek_lease_wheel wheel;
	struct ek_ledger_entry *renew_first, **renew_last; /* due, waiting for room; linked by wheel_next */
	bool is_pumping;

	struct ek_op_slot *slots;
	uint32_t n_slots, free_slot, first_slot, last_slot;
	unsigned n_ordinary, n_renewals;         /* in flight */
	bool is_away;                            /* the last outcome was no answer: the first answer wakes what waits */
	int64_t woken_ms;                        /* when that was last done */
	unsigned gone_run;                       /* renewals in a row that found nothing */
	struct ek_timer deadline_timer;
	int64_t op_timeout_ms;
	double tokens;                           /* limits.requestsPerSecond */
	int64_t tokens_at_ms;
	struct ek_sync_syncer *waiters;          /* want room; linked by wait_next */

	const struct ek_op *batch[EK_OPS_MAX];
	struct ek_op batch_ops[EK_OPS_MAX];
	unsigned n_batch;

	struct ek_timer list_timer;              /* the next list: retry, or audit */
	uint64_t list_token;                     /* 0: none running */
	uint32_t list_round;
	unsigned list_attempts;
	size_t list_ours, list_orphans, list_foreign, list_skipped, orphan_room;
	bool is_list_wanted;                     /* another one, when this one has ended */
	bool is_list_spoiled;                    /* it has brought garbage: its end is not believed */
	unsigned unprobed;                       /* entries still to be renewed before the list */
	struct ek_timer probe_timer;

	uint64_t results[6][EK_OP_RESULTS];      /* by operation kind and code */
	uint64_t late_completions;
	struct ek_histogram lateness;
};

enum ek_fault_kind { EK_FAULT_NONE, EK_FAULT_STALLED, EK_FAULT_PASSING };

/* One EurekaSyncer being served. */
struct ek_sync_syncer {
	UT_hash_handle hh;
	struct ek_engine *engine;
	struct ek_queue_item item;
	struct ek_part part;                     /* what has to be looked at, if not everything */
	struct ek_sync_syncer *wait_next;        /* for room in a registry */
	bool is_waiting;
	uint32_t list_round;                     /* the list that last showed it */
	int64_t wrote_ms;                        /* when a write of ours has last brought the object; 0 never */
	bool is_expected_held;                   /* it was found by its entries: read each before it is registered */
	char key[320];                           /* namespace/name */
	char owner[400];                         /* the owner mark */
	struct ek_syncer_object *object;
	struct ek_ledger_entry *entries;         /* linked by syncer_next */
	struct ek_sync_registry *registry;       /* where it was served last; NULL never */
	struct ek_mode_version *version;         /* of its mode, which serves it; NULL not looked at */
	bool is_canary;                          /* that is the second one */
	unsigned canary_failures;                /* in a row */
	struct ek_rollback *rollback;            /* the second version failed for it; NULL: not */
	struct ek_comparison *comparison;        /* of the two versions; NULL: not compared */
	char applications[8][64];
	unsigned n_applications;

	/* the last evaluation */
	struct ek_error fault;                   /* code EK_OK: none */
	enum ek_fault_kind fault_kind;
	bool is_frozen;                          /* leases go on, nothing else changes */
	bool is_evaluated;

	int64_t unread_since_ms;                 /* what its mode reads is being listed; 0 not. reads.c */
	bool is_holding_back;                    /* old ids wait until new ones are confirmed */
	size_t n_services;
	uint64_t selected_mask;                  /* a bit for each Service selected then, by hash of its name */
	size_t n_held, n_unconfirmed;            /* removals that wait: for a person or a whole view, for a quorum read; removals.c */
	uint64_t held_hash;                      /* names the plan of those held */
	struct ek_quorum *quorum;                /* NULL: never needed; quorum.c */
	int64_t trigger_wall_ms;                 /* of the cluster change that woke it */
	unsigned attempts;                       /* failed evaluations and patches in a row */

	/* deletion */
	int64_t deleting_since_ms;
	bool is_gone;                            /* the object is not in the cluster any more */
	bool is_doubtful;                        /* missing from a LIST; a read decides */
	struct ek_kube_call *finalizer_call, *confirm_call;
	struct ek_timer confirm_timer;
	int64_t finalizer_sent_ms;
	bool is_abandoned;                       /* waited long enough for the registry: the rest is left to its leases */

	/* status */
	struct ek_timer status_timer;
	struct ek_kube_call *status_call;
	int64_t status_written_ms;
	uint64_t status_hash;                    /* of the status that the API server holds, as far as we know */
	uint64_t status_sent;
	bool is_status_dirty;
	struct ek_condition conditions[EK_N_CONDITIONS];
	bool has_conditions;
};

struct ek_read;
struct ek_read_problem;

struct ek_engine_config {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_kube *kube;
	struct ek_catalog *catalog;
	struct ek_recorder *recorder;
	const struct ek_config *config;          /* must outlive the engine */
	const char *cluster_id;
	void (*relist)(void *arg, enum ek_store_kind kind); /* asks for another list; NULL: nobody can */
	void (*relist_read)(void *arg, const struct ek_read *read); /* likewise */
	void *relist_arg;
	/* Why a resource that modes read has not been listed in a namespace (NULL: at all) yet. NULL: nobody knows. */
	void (*explain_read)(void *arg, const struct ek_read *read, const char *namespace_, struct ek_read_problem *out);
	void *explain_arg;
};

struct ek_engine {
	struct ek_engine_config with;
	struct ek_loop *loop;
	struct ek_store *store;
	struct ek_intern *pool;
	struct ek_queue queue;
	struct ek_sync_syncer *syncers;          /* uthash by key */
	struct ek_sync_mode **modes;
	unsigned n_modes;
	struct ek_sync_registry **registries;
	unsigned n_registries;
	struct ek_registry_instance *retired;
	struct ek_config **documents;            /* taken by ek_engine_reconfigure and still borrowed from */
	unsigned n_documents, n_removed;
	struct ek_arena scratch;                 /* of the running evaluation */
	struct ek_claim *claims;                 /* uthash; claims.c */
	struct ek_conduct *conduct;              /* of all plugins that ever were; conduct.c */
	uint32_t evaluation;
	bool is_started;
	struct ek_doubt *doubts;                 /* views that are not to be believed; doubts.c */
	struct ek_read *reads;                   /* what modes read beside Services and endpoints; reads.c */
	struct ek_syncer_feed *feeds;            /* what the reflectors of EurekaSyncers bring */
	int64_t relisted_ms;
	struct ek_timer doubt_timer;
	struct ek_unknown_owner *owners;         /* of entries, being looked for; owners.c */
	unsigned n_owner_reads;
	bool has_found_owner;
	struct ek_timer owners_timer;
	uint64_t status_writes;
	unsigned n_quorum_reads;                 /* running */
	uint64_t quorum_ok, quorum_failed, quorum_contradicted; /* by how they ended */
	struct ek_histogram propagation;
	struct ek_timer close_timer;
	void (*on_closed)(void *arg);
	void *on_closed_arg;
	int64_t close_by_ms;
	struct ek_log log;
};

struct ek_engine *ek_engine_new(const struct ek_engine_config *config);
/* Closes the registries without deregistering anything, then frees; on_closed(arg) on a later turn, after which the loop may end. */
void ek_engine_close(struct ek_engine *engine, void (*on_closed)(void *arg), void *arg);
void ek_engine_free(struct ek_engine *engine);

/* All views have synced once: leases first, then lists, then writes. */
void ek_engine_start(struct ek_engine *engine);

/*
 * Puts another document in force: what is unchanged goes on, changed plugins get new instances, removed registries live until their last syncer has left. Takes the
 * document on success. On failure nothing has changed and err says what is wrong with the document.
 */
int ek_engine_reconfigure(struct ek_engine *engine, struct ek_config *config, struct ek_error *err);
bool ek_engine_is_open(const struct ek_engine *engine);    /* every registry that can be is open */

/* The sink for a reflector of EurekaSyncers; sink_arg is its feed: one for all namespaces (NULL), or one for each. They live as long as the engine. */
extern const struct ek_reflector_sink ek_engine_syncer_sink;
struct ek_syncer_feed *ek_engine_syncer_feed(struct ek_engine *engine, const char *namespace_);

/* ---- shared by the files of sync/ ---- */

struct ek_sync_syncer *ek_engine_find_syncer(struct ek_engine *engine, const char *namespace_, const char *name);
struct ek_sync_mode *ek_engine_find_mode(struct ek_engine *engine, const char *name);
struct ek_sync_registry *ek_engine_find_registry(struct ek_engine *engine, const char *name); /* NULL: the default one */
void ek_engine_drop_syncer(struct ek_engine *engine, struct ek_sync_syncer *syncer); /* frees it; entries must be gone */
void ek_engine_requeue_all(struct ek_engine *engine);

/* Finds or loads a plugin; whatever its constructors do is done in its name. */
const struct ek_library *ek_engine_load(struct ek_engine *engine, const char *file, const char *sha256, enum ek_plugin_kind kind, struct ek_error *err);

/* syncers.c */
void ek_engine_take_written(struct ek_sync_syncer *syncer, struct ek_slice json); /* the answer to a write: nothing older is taken after it */
bool ek_engine_take_syncer(struct ek_engine *engine, struct ek_slice json); /* one that entries of a registry name; false: cannot be read */
void ek_syncers_clear(struct ek_engine *engine);

/* modes.c. What a version is made from; file and digest name its plugin. */
struct ek_mode_source {
	const char *file, *sha256;
	const struct ek_value *options;
};
struct ek_mode_source ek_mode_stable_source(const struct ek_config_mode *entry);
struct ek_mode_source ek_mode_canary_source(const struct ek_config_mode *entry);  /* entry->rollout must be there */
struct ek_mode_version *ek_mode_version_new(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_mode *entry,
                                            const struct ek_mode_source *source); /* see problem */
void ek_mode_version_free(struct ek_mode_version *version);
void ek_modes_create(struct ek_engine *engine);
void ek_modes_destroy(struct ek_engine *engine);

/* reconfigure.c: drops registries that nothing is left in, and documents that nobody borrows from any more */
void ek_engine_reap(struct ek_engine *engine);

#endif
