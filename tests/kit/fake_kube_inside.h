/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fake API server share with one another. Tests use kit/fake_kube.h. */
#ifndef EK_KIT_FAKE_KUBE_INSIDE_H
#define EK_KIT_FAKE_KUBE_INSIDE_H

#include <cjson/cJSON.h>
#include <uthash.h>

#include "base/buf.h"
#include "kit/fake_kube.h"

struct fake_resource {
	const char *group, *version, *plural, *kind;
	bool is_namespaced;
	bool is_custom;         /* lists put items before metadata, items carry their kind */
	bool has_status;        /* a status subresource */
	bool has_generation;
};

/* An object's JSON, shared by the store and the history. */
struct fake_text {
	unsigned n_refs;
	size_t n, n_head;       /* n_head: what a typed list leaves out, `"kind":"X","apiVersion":"Y",` behind the brace */
	char at[];
};

struct fake_object {
	UT_hash_handle hh;
	struct fake_text *text;
	uint64_t version;
	const char *name;       /* points into key */
	char key[];             /* "namespace/name" */
};

enum fake_change { FAKE_ADDED, FAKE_MODIFIED, FAKE_DELETED };

struct fake_event {
	struct fake_event *next;
	uint64_t version;
	enum fake_change change;
	struct fake_text *now;     /* DELETED: the last state with the deletion's version */
	struct fake_text *before;  /* NULL for ADDED */
	char key[];
};

enum fake_verb { FAKE_GET, FAKE_LIST, FAKE_WATCH, FAKE_CREATE, FAKE_UPDATE, FAKE_PATCH, FAKE_DELETE, FAKE_N_VERBS };

struct fake_watch;
struct fake_kind {
	const struct fake_resource *resource;
	struct fake_object *objects;
	struct fake_event *oldest, *newest;
	unsigned n_events;
	uint64_t compacted;        /* watches from before this are too old */
	struct fake_watch *watches;
	unsigned n_spare, n_drop, n_repeat, n_swap;
	uint64_t held;             /* the version of an event that waits for its successor; 0 none */
	bool is_frozen, is_unserved, has_conflict;
	unsigned n_requests[FAKE_N_VERBS][2];  /* [1]: of the status subresource */
};

#define FAKE_N_KINDS 11

struct fake_kube {
	struct ek_loop *loop;
	struct fake_http http;
	struct fake_kind kinds[FAKE_N_KINDS];
	uint64_t version, next_uid;
	unsigned max_events;
	bool has_no_streaming;
	void (*on_change)(void *arg, const char *plural, const char *ns, const char *name);
	void *on_change_arg;
	char *scratch;             /* what fake_kube_text gave last */
};

/* What a request is about. */
struct fake_target {
	struct fake_kind *kind;
	char ns[256], name[256], sub[64];
};

/* An error as the server writes it; details and causes as JSON or NULL. */
struct fake_refusal {
	int status;
	const char *reason;
	char message[512];
	const char *causes;        /* JSON array */
	const char *headers;
};
__attribute__((format(printf, 4, 5))) bool fake_refuse(struct fake_refusal *refusal, int status, const char *reason,
	const char *format, ...);  /* always false */

/* fake_kube_store.c */
extern const struct fake_resource fake_resources[FAKE_N_KINDS];
struct fake_kind *fake_kind_find(struct fake_kube *kube, const char *plural);     /* aborts on an unknown one */
struct fake_object *fake_object_find(struct fake_kind *kind, const char *ns, const char *name);
void fake_object_ns(const struct fake_object *object, char *ns, size_t size);
struct fake_text *fake_text_ref(struct fake_text *text);
void fake_text_unref(struct fake_text *text);
const char *fake_api_version(const struct fake_resource *resource, char *text, size_t size);
cJSON *fake_object_parse(const struct fake_object *object);
/* Stores `json` (taken over) under the target's name: stamps metadata, does nothing if nothing changed, deletes at the last finalizer. */
void fake_object_write(struct fake_kube *kube, const struct fake_target *target, cJSON *json);
void fake_object_drop(struct fake_kube *kube, struct fake_kind *kind, struct fake_object *object);
/* As a client's DELETE; grace only for pods, -1: the pod's own. */
void fake_object_delete(struct fake_kube *kube, struct fake_kind *kind, struct fake_object *object, int grace_seconds);
void fake_objects_sort(struct fake_kind *kind);
void fake_json_set(cJSON *object, const char *key, cJSON *value);      /* adds or replaces */
const char *fake_json_text(const cJSON *object, const char *key);      /* "" if it is no string */
cJSON *fake_json_object(cJSON *object, const char *key);               /* made when it is not there */
void fake_apply_defaults(const struct fake_resource *resource, cJSON *json);
/* False with a refusal when the real server's schema would refuse it. */
bool fake_validate(const struct fake_resource *resource, const cJSON *json, struct fake_refusal *refusal);

/* fake_kube_patch.c */
cJSON *fake_merge_patch(cJSON *target, const cJSON *patch);            /* RFC 7396; takes target, gives the result */
bool fake_json_patch(cJSON *target, const cJSON *patch);               /* RFC 6902: test, add, remove, replace; false: refused */
bool fake_json_equal(const cJSON *a, const cJSON *b);

/* fake_kube_select.c */
bool fake_select(const char *labels, const char *fields, const char *json);  /* selectors decoded; "" all */

/* fake_kube_list.c */
void fake_kube_list(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange);

/* fake_kube_watch.c */
void fake_kube_watch(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange);
void fake_watches_tell(struct fake_kube *kube, struct fake_kind *kind, const struct fake_event *event);
void fake_watches_forget(struct fake_kube *kube);      /* frees without touching streams */

/* fake_kube_write.c */
void fake_kube_write(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange);

/* fake_kube.c */
void fake_reply_refusal(struct fake_kube *kube, struct ek_serve_exchange *exchange, const struct fake_target *target,
	const struct fake_refusal *refusal);
void fake_reply_json(struct fake_kube *kube, struct ek_serve_exchange *exchange, int status, const char *json);
bool fake_version_read(const char *text, uint64_t *version);           /* a resourceVersion; "" gives 0 */

#endif
