/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fake Eureka share with one another. Tests use kit/fake_eureka.h. */
#ifndef EK_KIT_FAKE_EUREKA_INSIDE_H
#define EK_KIT_FAKE_EUREKA_INSIDE_H

#include <cjson/cJSON.h>
#include <uthash.h>

#include "base/buf.h"
#include "kit/fake_eureka.h"

enum fake_status { FAKE_UP, FAKE_DOWN, FAKE_STARTING, FAKE_OUT_OF_SERVICE, FAKE_UNKNOWN, FAKE_N_STATUSES };

extern const char *const fake_status_texts[FAKE_N_STATUSES];
bool fake_status_read(const char *text, enum fake_status *status);

/* A registration, in the shape in which it is answered; what changes by itself is beside the JSON. */
struct fake_lease {
	UT_hash_handle hh;
	char *json;                 /* the instance, without what is written at reading time */
	enum fake_status status, overridden;
	int64_t dirty_ms, updated_ms;
	int64_t duration_ms;
	int64_t lease_ms;           /* what expiry is reckoned from: registration, or a renewal plus the duration */
	int64_t registered_ms, up_ms, renewed_ms;
	const char *action;         /* ADDED or MODIFIED */
	const char *id;             /* points into key */
	char key[];                 /* "APP/id" */
};

struct fake_override {
	UT_hash_handle hh;
	enum fake_status status;
	char id[];
};

/* Something for the next deltas. */
struct fake_recent {
	struct fake_recent *next;
	int64_t at_ms;
	char *json;                 /* NULL: ask the lease */
	char key[];
};

struct fake_cached {
	UT_hash_handle hh;
	int64_t bucket;
	char *body;
	int status;
	char path[];
};

struct fake_eureka {
	struct ek_loop *loop;
	struct fake_http http;
	struct fake_eureka_config config;
	char *authorization;
	struct fake_lease *leases;
	struct fake_override *overrides;
	struct fake_recent *recent, **recent_end;
	struct fake_cached *cache;
	int64_t wall_offset_ms;     /* its own clock: a jump of the test's wall clock is not its */
	struct ek_timer eviction, minute;
	int64_t evicted_at_ms;
	unsigned n_expected, n_renewed, n_renewed_last_minute, n_evicted, n_answers;
	bool is_gated, shows_nothing;
	struct fake_op_record *log;
	size_t n_log, log_room;
	unsigned n_ops[FAKE_N_OPS];
	struct fake_instance found;
	cJSON *found_root;          /* what `found` points into */
	char *found_json, *scratch;
};

/* fake_eureka_lease.c: what the registry does, without HTTP. All times are wall time. */
int64_t fake_eureka_now(const struct fake_eureka *eureka);
struct fake_lease *fake_lease_find(const struct fake_eureka *eureka, const char *app, const char *id);
bool fake_lease_is_expired(const struct fake_eureka *eureka, const struct fake_lease *lease);
bool fake_eureka_can_expire(const struct fake_eureka *eureka);
/* Takes over `json`, which fake_registration_read has made. */
void fake_lease_register(struct fake_eureka *eureka, const char *app, const char *id, char *json, enum fake_status status,
	enum fake_status overridden, int64_t dirty_ms, int64_t duration_ms);
int fake_lease_renew(struct fake_eureka *eureka, const char *app, const char *id, const char *dirty, bool is_peer);
bool fake_lease_cancel(struct fake_eureka *eureka, const char *app, const char *id);
int fake_lease_set_status(struct fake_eureka *eureka, const char *app, const char *id, enum fake_status status);
int fake_lease_drop_status(struct fake_eureka *eureka, const char *app, const char *id, enum fake_status status);
void fake_lease_set_metadata(struct fake_eureka *eureka, struct fake_lease *lease, const char *key, const char *value);
void fake_lease_reregister(struct fake_eureka *eureka, struct fake_lease *lease);
void fake_eureka_forget(struct fake_eureka *eureka);     /* all leases, overrides, deltas, caches */
void fake_eureka_sweep(struct fake_eureka *eureka);      /* drops old words from the delta queue */
void fake_eureka_start_clock(struct fake_eureka *eureka);

/* fake_eureka_json.c: the JSON of registrations and answers. */
struct fake_registration {
	char *id, *app;
	char *json;
	enum fake_status status, overridden;
	int64_t dirty_ms, duration_ms;
};
/* NULL: fine, and *out is to be cleared. Otherwise the 400's body; freed by the caller. */
char *fake_registration_read(const char *body, const char *app, int64_t now_ms, struct fake_registration *out);
void fake_registration_clear(struct fake_registration *registration);
cJSON *fake_lease_json(const struct fake_lease *lease);
void fake_lease_app(const struct fake_lease *lease, char *app, size_t size);
cJSON *fake_apps_json(struct fake_eureka *eureka);
cJSON *fake_delta_json(struct fake_eureka *eureka);
cJSON *fake_app_json(struct fake_eureka *eureka, const char *app);   /* NULL: none */
cJSON *fake_vip_json(struct fake_eureka *eureka, const char *key, const char *vip);

#endif
