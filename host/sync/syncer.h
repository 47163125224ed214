/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One EurekaSyncer as a struct: what its author wrote and what we wrote into its status last. Read from the object's JSON, immutable afterwards; a newer
 * version of the object is a new struct. Pure.
 */
#ifndef EK_SYNC_SYNCER_H
#define EK_SYNC_SYNCER_H

#include <stdbool.h>
#include <stdint.h>

#include <eurekube/error.h>
#include <eurekube/json.h>

#include "base/arena.h"

#define EK_SYNCER_FINALIZER "eurekube.io/deregister"
#define EK_SYNCER_APPROVE   "eurekube.io/approve"

struct ek_text_pair {
	const char *key, *value;
};

enum ek_selector_operator { EK_SELECTOR_IN, EK_SELECTOR_NOT_IN, EK_SELECTOR_EXISTS, EK_SELECTOR_DOES_NOT_EXIST };

struct ek_selector_term {
	const char *key;
	enum ek_selector_operator op;
	unsigned n_values;
	const char **values;
};

struct ek_selector {
	const char *namespace_;        /* never NULL: the syncer's own by default */
	const char *app, *service_name; /* NULL unset */
	unsigned n_labels, n_terms;
	struct ek_text_pair *labels;
	struct ek_selector_term *terms;
};

/* A port as the author wrote it: a name, or a number, or neither. */
struct ek_port_choice {
	const char *name;
	int32_t number;
};

enum ek_not_ready { EK_NOT_READY_DEREGISTER, EK_NOT_READY_DOWN, EK_NOT_READY_OUT_OF_SERVICE };
enum ek_drain { EK_DRAIN_DEREGISTER, EK_DRAIN_OUT_OF_SERVICE };
enum ek_policy { EK_POLICY_SYNC, EK_POLICY_UPSERT_ONLY, EK_POLICY_OBSERVE };

#define EK_N_CONDITIONS 4
enum ek_condition_type { EK_CONDITION_READY, EK_CONDITION_RECONCILING, EK_CONDITION_STALLED, EK_CONDITION_ROLLED_BACK };

/* One condition as it stands in the object; absent ones have status "". */
struct ek_condition {
	char status[8];                /* True False Unknown */
	char reason[64];
	char message[512];
	char since[32];                /* lastTransitionTime */
	int64_t observed_generation;
};

/* That a second version of the mode failed for the syncer, as it stands in its status. */
struct ek_rollback {
	char digest[72];               /* of the version that failed */
	char document[17];             /* names the configuration document that it failed under */
	int64_t generation;            /* of the syncer, then */
	int64_t failures;
	char reason[64];
	char message[400];
};

struct ek_syncer_object {
	struct ek_arena arena;         /* holds everything below and the struct's texts */
	const char *namespace_, *name, *uid, *resource_version, *created;
	int64_t generation;
	bool is_deleting;
	unsigned n_finalizers;
	const char **finalizers;
	unsigned n_labels;
	struct ek_text_pair *labels;   /* sorted by key */
	const char *approved;          /* annotation eurekube.io/approve: the plan that a person has approved; NULL none */

	const char *mode;
	struct ek_selector selector;
	struct ek_port_choice port, secure_port;
	const char *registry, *application; /* NULL unset */
	const char *vip_address, *secure_vip_address, *home_page_path, *status_page_path, *health_check_path; /* NULL unset */
	bool is_secure;
	unsigned n_metadata;
	struct ek_text_pair *metadata; /* sorted by key */
	bool has_metadata_from;
	enum ek_not_ready not_ready;
	enum ek_drain drain;
	int64_t drain_seconds;
	enum ek_policy policy;
	bool is_orphan;                /* deletionPolicy: Orphan */
	bool is_suspended;
	const char *mode_options, *registry_options; /* raw JSON objects; NULL unset */

	/* status, as last written */
	bool has_status;
	uint64_t status_hash;          /* over the raw status, for "unchanged" */
	struct ek_condition conditions[EK_N_CONDITIONS];
	struct ek_rollback *rollback;  /* NULL: none */
};

/* EK_OK with *out (free with ek_syncer_object_free). EK_INVALID for what no schema would have let through. */
int ek_syncer_object_read(struct ek_slice json, struct ek_syncer_object **out, struct ek_error *err);
void ek_syncer_object_free(struct ek_syncer_object *object);
bool ek_syncer_object_has_finalizer(const struct ek_syncer_object *object);

/* Names the first field whose value this version does not serve yet, or returns EK_OK. EK_INVALID with reason NotYetSupported. */
int ek_syncer_object_check(const struct ek_syncer_object *object, struct ek_error *err);

/* Which of two was there first: creationTimestamp, then namespace/name. <0: a is older. */
int ek_syncer_object_age(const struct ek_syncer_object *a, const struct ek_syncer_object *b);

extern const char *const ek_condition_names[EK_N_CONDITIONS];

#endif
