/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for the Kubernetes API server, as a state machine: requests in, answers and watch events out. It keeps objects as
 * JSON, numbers their versions, and follows the real server where clients can tell: resourceVersion semantics of lists and watches,
 * paging by snapshots, 410 inside HTTP 200, merge and JSON patch, the status subresource, finalizers, graceful pod deletion,
 * Status documents, key order of lists. It authenticates nobody and validates little.
 *
 * It knows services, endpointslices, pods, nodes, ingresses, namespaces, configmaps, leases, events (events.k8s.io), eurekasyncers and
 * customresourcedefinitions; a resource is named by its plural. `ns` is "" for cluster-scoped objects. Mistakes of the test
 * itself (broken JSON, unknown plurals) abort.
 *
 *     struct fake_kube *kube = fake_kube_new(loop);
 *     struct ek_serve *serve = ek_serve_new(loop, &(struct ek_serve_config){ .host = "kube", .port = 6443,
 *             .handle = fake_kube_handle, .arg = kube, .max_body_bytes = 3 << 20 }, NULL);
 *     ...
 *     ek_serve_free(serve);
 *     fake_kube_free(kube);
 */
#ifndef EK_KIT_FAKE_KUBE_H
#define EK_KIT_FAKE_KUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/serve.h"
#include "kit/fake_http.h"

struct fake_kube;

struct fake_kube *fake_kube_new(struct ek_loop *loop);
void fake_kube_free(struct fake_kube *kube);            /* after the listener is gone */
void fake_kube_handle(void *kube, const struct ek_serve_request *request, struct ek_serve_exchange *exchange);

/* ---- Objects ---- */

/*
 * Creates or replaces the object that the JSON describes, status included, as if everybody who may write had written it. uid,
 * creationTimestamp and deletionTimestamp are kept unless the JSON sets them.
 */
void fake_kube_apply(struct fake_kube *kube, const char *json);
__attribute__((format(printf, 2, 3))) void fake_kube_applyf(struct fake_kube *kube, const char *format, ...);
/* As DELETE: with finalizers it is only marked. False when there is none. */
bool fake_kube_delete(struct fake_kube *kube, const char *plural, const char *ns, const char *name);
/* Gone at once, whatever its finalizers. */
bool fake_kube_remove(struct fake_kube *kube, const char *plural, const char *ns, const char *name);
/* Marks a pod or namespace as being deleted, grace period running; nobody ends it but fake_kube_remove. */
void fake_kube_terminate(struct fake_kube *kube, const char *plural, const char *ns, const char *name, int grace_seconds);
/* A merge patch on everything, or with sub "status" on the status alone. False when there is no such object. */
bool fake_kube_patch(struct fake_kube *kube, const char *plural, const char *ns, const char *name, const char *sub,
	const char *merge_json);

/* Borrowed until the object changes; NULL when there is none. */
const char *fake_kube_get(struct fake_kube *kube, const char *plural, const char *ns, const char *name);
/* One value, as text: "status.registered", "metadata.finalizers.0", "spec.ports.0.port". NULL: no such object or field. Numbers and
   booleans as in JSON; objects and arrays as JSON. Borrowed until the next call of this or fake_kube_condition. */
const char *fake_kube_text(struct fake_kube *kube, const char *plural, const char *ns, const char *name, const char *path);
/* A field ("status", "reason", "message") of the syncer's condition of that type; NULL when it has none. */
const char *fake_kube_condition(struct fake_kube *kube, const char *ns, const char *name, const char *type, const char *field);
/* All objects of a kind in the order of namespace and name; the store must not change meanwhile. */
void fake_kube_each(struct fake_kube *kube, const char *plural, void (*fn)(void *arg, const char *ns, const char *name, const char *json),
	void *arg);
size_t fake_kube_n(struct fake_kube *kube, const char *plural);
/* How many events (events.k8s.io) carry this reason, optionally about this object. */
size_t fake_kube_n_events(struct fake_kube *kube, const char *reason, const char *regarding);
uint64_t fake_kube_version(const struct fake_kube *kube);

/* Called after each change that clients can see, before it is sent to watches. NULL: nobody. */
void fake_kube_on_change(struct fake_kube *kube, void (*fn)(void *arg, const char *plural, const char *ns, const char *name), void *arg);

/* ---- Objects as tests speak of them (fake_kube_build.c) ---- */

struct fake_service {
	const char *ns, *name;
	const char *app;               /* label and selector app; NULL: name */
	const char *labels;            /* more labels, JSON members: "\"team\":\"a\""; NULL none */
	const char *annotations;       /* likewise */
	const char *port_name;         /* NULL: http; "": unnamed */
	int port;                      /* 0: 8080 */
	const char *target_port;       /* JSON: "8080" or "\"http\""; NULL: port */
	const char *spec;              /* more members of spec; NULL none */
};

struct fake_endpoint {
	const char *pod;               /* NULL: no targetRef */
	const char *ip;
	const char *uid;               /* NULL: "uid-" and the pod's name */
	bool ready, serving, terminating;
	bool is_nil;                   /* no conditions at all */
	const char *node, *zone;
};
#define FAKE_READY(pod_, ip_)       { .pod = (pod_), .ip = (ip_), .ready = true, .serving = true }
#define FAKE_NOT_READY(pod_, ip_)   { .pod = (pod_), .ip = (ip_) }
#define FAKE_TERMINATING(pod_, ip_) { .pod = (pod_), .ip = (ip_), .serving = true, .terminating = true }

struct fake_slice {
	const char *ns, *name;         /* name NULL: the service's with "-1" */
	const char *service;
	const char *address_type;      /* NULL: IPv4 */
	const char *port_name;         /* NULL: http; "": unnamed */
	int port;                      /* 0: 8080 */
	const struct fake_endpoint *endpoints;
	unsigned n_endpoints;          /* 0: "endpoints": null */
	const char *labels;            /* more labels, JSON members */
	const char *trigger_time;      /* the annotation endpoints.kubernetes.io/last-change-trigger-time; NULL none */
};

struct fake_syncer {
	const char *ns, *name;
	const char *mode;              /* NULL: pod */
	const char *app;               /* selector.app; NULL: name, if `selector` is NULL too */
	const char *selector;          /* the whole selector as JSON instead */
	const char *spec;              /* more members of spec: "\"port\":\"http\",\"application\":\"RATING\"" */
	const char *metadata;          /* more members of metadata */
};

struct fake_pod {
	const char *ns, *name, *app;   /* label app; NULL: none */
	const char *ip, *uid;
	bool ready;
	const char *node;
};

void fake_kube_service(struct fake_kube *kube, const struct fake_service *service);
void fake_kube_slice(struct fake_kube *kube, const struct fake_slice *slice);
void fake_kube_syncer(struct fake_kube *kube, const struct fake_syncer *syncer);
void fake_kube_pod(struct fake_kube *kube, const struct fake_pod *pod);
void fake_kube_node(struct fake_kube *kube, const char *name, const char *zone);
void fake_kube_namespace(struct fake_kube *kube, const char *name);

/* ---- Faults ---- */

/* Scripted answers for the next requests that match; see fake_http.h. */
void fake_kube_rule(struct fake_kube *kube, const struct fake_rule *rule);
void fake_kube_drop_rules(struct fake_kube *kube);

/* `plural` NULL: every resource. */
void fake_kube_cut_watches(struct fake_kube *kube, const char *plural, bool abruptly);
void fake_kube_bookmark(struct fake_kube *kube, const char *plural);     /* to watches that allow them */
void fake_kube_emit(struct fake_kube *kube, const char *plural, const char *raw);   /* these bytes into the watches; no newline added */
/* The next n events are not sent to the watches that are open, and only a relist shows what they were. */
void fake_kube_drop_events(struct fake_kube *kube, const char *plural, unsigned n);
void fake_kube_repeat_events(struct fake_kube *kube, const char *plural, unsigned n);     /* the next n are sent twice */
void fake_kube_swap_events(struct fake_kube *kube, const char *plural, unsigned n);  /* each of the next n behind its successor, or never without one */
void fake_kube_spare_events(struct fake_kube *kube, const char *plural, unsigned n); /* n more are sent as they should be before these three begin */
void fake_kube_freeze(struct fake_kube *kube, const char *plural, bool is_frozen);   /* events wait; sent when it ends */
/* Forgets all history: watches, exact lists and continue tokens older than now are answered 410. */
void fake_kube_compact(struct fake_kube *kube);
void fake_kube_keep_history(struct fake_kube *kube, unsigned n_events); /* per resource; 1000 by default */
/* As a restarted server: watches are cut, history is gone. */
void fake_kube_restart(struct fake_kube *kube);
void fake_kube_set_streaming(struct fake_kube *kube, bool is_on);        /* off: sendInitialEvents is answered 422 */
void fake_kube_set_served(struct fake_kube *kube, const char *plural, bool is_served); /* off: 404, as without the CRD */
/* The next write of this resource meets a write by somebody else in between: 409 once. */
void fake_kube_conflict(struct fake_kube *kube, const char *plural);

/* ---- What was asked ---- */

/* verb: get list watch create update patch delete; resource: "services", "eurekasyncers/status"; NULL: all. */
unsigned fake_kube_count(struct fake_kube *kube, const char *verb, const char *resource);
size_t fake_kube_open_watches(struct fake_kube *kube, const char *plural);

#endif
