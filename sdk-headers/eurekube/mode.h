/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mode.h - how cluster objects become instances.
 *
 * A mode answers one question: *given this EurekaSyncer and this part of the cluster, which instances should exist?*  It is a pure function: no clock, no network,
 * no memory of earlier calls, the same answer for the same input.  It always answers with the whole set; there are no events, and an instance that should go is
 * simply not emitted.  The host compares the answer with what is registered and does the rest.
 *
 * A mode emits an instance for *every* endpoint that its syncer selects, ready or not, and names the endpoint in `source`.  It does not look at conditions: the
 * host alone turns them, with the syncer's `notReady` and `drain`, into UP, DOWN, OUT_OF_SERVICE or absence.  So all modes drain alike, and a mode cannot get it
 * wrong.  An instance without a source endpoint (one per Service, say) carries its own status.
 *
 * The smallest useful mode is about forty lines: plugins/pod.  A template to start from, with options, is in sdk/template/mode; docs/plugins/tutorial-mode.md
 * explains it piece by piece.
 *
 * A mode that needs more of the cluster says so: pods and nodes by `reads`, any other resource by `resources_of`.  The host watches only what the modes of its
 * configuration read, from the moment they are configured.
 *
 * Lifecycle: `create` once per entry of the configuration (and again for each new generation of it), then any number of `desired`, then `destroy`.  Instances of a
 * mode share nothing.
 */
#ifndef EK_EUREKUBE_MODE_H
#define EK_EUREKUBE_MODE_H

#include <eurekube/error.h>
#include <eurekube/instance.h>
#include <eurekube/plugin.h>
#include <eurekube/types.h>

struct ek_host;

/* ---- The part of the cluster that a mode sees -------------------------------------------------------------------------------------------------------------- */

/* One port of an endpoint, from the EndpointSlice that holds it: the number is the one the process listens on (the Service's targetPort). */
struct ek_port {
	uint32_t size;
	int32_t number;           /* 1-65535 */
	const char *name;         /* may be empty */
	const char *protocol;     /* "TCP", "UDP", "SCTP" */
	const char *app_protocol; /* NULL none */
};
EK_SEALED(struct ek_port, app_protocol);

enum ek_endpoint_flag {
	EK_ENDPOINT_READY = 1u << 0,
	EK_ENDPOINT_SERVING = 1u << 1,
	EK_ENDPOINT_TERMINATING = 1u << 2,
};

struct ek_pod;

/*
 * One endpoint of a Service: the union over the Service's EndpointSlices, one entry per address, conditions that the API left out already filled in by the rules
 * of KEP-1672 (ready and serving default to true, terminating to false).
 */
struct ek_endpoint {
	uint32_t size;
	uint32_t flags;           /* enum ek_endpoint_flag; modes need not look */
	const char *address;      /* an IP address in canonical text, or a DNS name for slices of type FQDN */
	const char *pod_name;     /* NULL where no pod stands behind it */
	const char *pod_uid;      /* NULL likewise */
	const char *node_name;    /* NULL unknown */
	const char *zone;         /* NULL unknown */
	const char *hostname;     /* NULL none */
	const struct ek_pod *pod; /* NULL unless the mode reads EK_READS_PODS and the pod, of that name and UID, is in view */
	const struct ek_port *const *ports;
	uint32_t n_ports;
	uint32_t ip_family;       /* 4, 6, or 0 for a DNS name */
};
EK_SEALED(struct ek_endpoint, ip_family);

/* One port of a Service.  Callers of a ClusterIP dial `port`, callers of a node dial `node_port`. */
struct ek_service_port {
	uint32_t size;
	int32_t port;
	int32_t node_port;        /* 0 none */
	int32_t target_port;      /* 0 where it is a name */
	const char *name;         /* may be empty */
	const char *protocol;
	const char *target_name;  /* NULL where it is a number */
};
EK_SEALED(struct ek_service_port, target_name);

/* One point of a load balancer (status.loadBalancer.ingress[]): either is NULL or set. */
struct ek_ingress_point {
	uint32_t size;
	uint32_t reserved;
	const char *ip;
	const char *hostname;
};
EK_SEALED(struct ek_ingress_point, hostname);

enum ek_service_type {
	EK_SERVICE_CLUSTER_IP = 1,
	EK_SERVICE_NODE_PORT = 2,
	EK_SERVICE_LOAD_BALANCER = 3,
	EK_SERVICE_EXTERNAL_NAME = 4,
};

enum ek_service_flag {
	EK_SERVICE_HEADLESS = 1u << 0,
	EK_SERVICE_LOCAL_TRAFFIC = 1u << 1, /* externalTrafficPolicy: Local */
};

/* A Service that the syncer selects, with its endpoints.  Arrays may be empty, then their pointer may be NULL. */
struct ek_service {
	uint32_t size;
	uint32_t type;                        /* enum ek_service_type */
	const char *namespace_;
	const char *name;
	const char *uid;
	const char *external_name;            /* NULL unless ExternalName */
	uint32_t flags;                       /* enum ek_service_flag */
	uint32_t n_cluster_ips;
	const char *const *cluster_ips;       /* without "None" */
	uint32_t n_labels;
	uint32_t n_ports;
	const struct ek_pair *const *labels;  /* sorted by key */
	const struct ek_service_port *const *ports;
	uint32_t n_ingress;
	uint32_t n_endpoints;
	const struct ek_ingress_point *const *ingress;
	const struct ek_endpoint *const *endpoints; /* sorted by address */
};
EK_SEALED(struct ek_service, endpoints);

/* A pod, only for modes that read pods. */
struct ek_pod {
	uint32_t size;
	uint32_t n_labels;
	const char *namespace_;
	const char *name;
	const char *uid;
	const struct ek_pair *const *labels; /* sorted by key */
};
EK_SEALED(struct ek_pod, labels);

enum ek_node_flag {
	EK_NODE_READY = 1u << 0,
};

/* A node, only for modes that read nodes.  Addresses in the order of the node's status; the key is the type ("InternalIP"), the value the address. */
struct ek_node {
	uint32_t size;
	uint32_t flags;                         /* enum ek_node_flag */
	const char *name;
	const char *zone;                       /* NULL unknown */
	uint32_t n_addresses;
	uint32_t n_labels;
	const struct ek_pair *const *addresses; /* may repeat a key */
	const struct ek_pair *const *labels;    /* sorted by key */
};
EK_SEALED(struct ek_node, labels);

/* ---- Any other resource, since 0.2 ------------------------------------------------------------------------------------------------------------------------- */

enum ek_tree_kind {
	EK_TREE_NULL = 1,
	EK_TREE_BOOLEAN = 2,
	EK_TREE_NUMBER = 3,
	EK_TREE_STRING = 4,
	EK_TREE_ARRAY = 5,
	EK_TREE_OBJECT = 6,
};

/* One value of an object's document.  Members and items stand in the order of the document. */
struct ek_tree {
	uint32_t size;
	uint32_t kind;                         /* enum ek_tree_kind */
	const char *key;                       /* of a member; "" for items of arrays, and for the root */
	const char *text;                      /* STRING: the text; NUMBER: as it is written; BOOLEAN: "true" or "false"; otherwise "" */
	uint32_t n_children;
	uint32_t reserved;
	const struct ek_tree *const *children; /* of an ARRAY or OBJECT; may be NULL for none */
};
EK_SEALED(struct ek_tree, children);

/* One object of a resource that the mode reads, pruned to the fields it asked for. */
struct ek_object {
	uint32_t size;
	uint32_t reserved;
	const char *namespace_;                /* "" for a cluster-scoped one */
	const char *name;
	const char *uid;
	const struct ek_tree *root;            /* an OBJECT; without members if the object has none of the fields */
};
EK_SEALED(struct ek_object, root);

/* The objects of one resource, sorted by namespace and name. */
struct ek_object_list {
	uint32_t size;
	uint32_t n_objects;
	const struct ek_object *const *objects;
};
EK_SEALED(struct ek_object_list, objects);

#define EK_RESOURCES_MAX 8        /* that one mode may read */
#define EK_RESOURCE_FIELDS_MAX 32 /* of one resource */
#define EK_RESOURCE_PATH_MAX 8    /* parts of the path of a field */

/*
 * What a mode reads of a resource that this header has no structure for: Ingresses, Gateways, resources of a CRD of its own.
 *
 * The host watches the resource where its collection is (/apis/GROUP/VERSION/PLURAL, /api/VERSION/PLURAL for the core group), and keeps of each object name,
 * namespace, UID and the named fields.  A field is the way to a value from the object's root, parts joined by dots: "spec.rules", "metadata.labels".  The value is
 * kept with all below it.  A way leads through arrays into each of their items ("spec.rules.host").  A key that holds a dot cannot be named; name what it stands
 * in.  Declare little: what is not declared costs nothing, and its changes wake nobody.
 *
 * The host does not know the resource's schema: a field may be missing, or be of any kind.  A mode leaves out what it cannot use, and does not fail for one object.
 *
 * The operator needs the right to `list` and `watch` the resource, which its own role does not give; who installs the mode grants it.  Secrets cannot be read.
 *
 * The kept part of one object may have 256 KiB, 32 levels, and texts of 64 KiB without U+0000.  The syncers that would be shown an object beyond that are frozen,
 * and told which one it is: an object that cannot be shown must not look like one that is not there.  All objects of one resource together may have 64 MiB; a list
 * with more fails.
 */
struct ek_resource_read {
	uint32_t size;
	uint32_t is_namespaced;                /* 1: the syncer's namespace is shown (that of its selector); 0: all objects, which then have no namespace */
	const char *group;                     /* "networking.k8s.io"; "" for the core group */
	const char *version;                   /* "v1" */
	const char *plural;                    /* "ingresses" */
	uint32_t n_fields;
	uint32_t reserved;
	const char *const *fields;
};
EK_SEALED(struct ek_resource_read, fields);

/*
 * The view for one call: the Services that the syncer selects (already filtered by its selector, sorted by namespace and name), the nodes if the mode reads
 * them (sorted by name), and since 0.2 one list for each resource that `resources_of` named, in that order.  Everything in it is borrowed until `desired` returns.
 *
 * `desired` is called only while all that the mode reads is in view.  Until a resource has been listed, or when it may not be read or is not served, the syncer is
 * frozen: what is registered stays and is renewed, and its condition says what is missing.
 */
struct ek_cluster {
	uint32_t size;
	uint32_t n_services;
	const struct ek_service *const *services;
	uint32_t n_nodes;
	uint32_t reserved;
	const struct ek_node *const *nodes;
	uint32_t n_resources;                  /* since 0.2, and so is all below */
	uint32_t reserved_too;
	const struct ek_object_list *const *resources;
};
EK_SEALED(struct ek_cluster, resources);

/* ---- What the syncer asks for ------------------------------------------------------------------------------------------------------------------------------ */

/*
 * The EurekaSyncer, as far as a mode needs it.  The host applies application, vip addresses, paths and metadata itself to every instance that leaves them NULL,
 * so most modes read only the ports and their own options.
 */
struct ek_syncer {
	uint32_t size;
	uint32_t is_secure;          /* instance.secure: 1 if callers should use the secure port */
	const char *namespace_;
	const char *name;
	const char *uid;
	const char *application;     /* spec.application; NULL unset */
	const char *port_name;       /* spec.port as a name; NULL if unset or a number */
	const char *secure_port_name;/* spec.instance.securePort as a name; NULL likewise */
	int32_t port;                /* spec.port as a number; 0 if unset or a name */
	int32_t secure_port;         /* spec.instance.securePort as a number; 0 likewise */
	uint32_t n_options;
	uint32_t reserved;
	const struct ek_option_value *const *options; /* spec.modeOptions, validated, defaults applied, in the order of ek_plugin.instance_options */
};
EK_SEALED(struct ek_syncer, options);

/* ---- The mode's operations --------------------------------------------------------------------------------------------------------------------------------- */

/*
 * Where a mode puts its answer.  The host implements it.
 */
struct ek_sink {
	uint32_t size;
	uint32_t reserved;

	/*
	 * Takes one instance; everything it needs is copied before it returns.  Returns EK_OK, or a code with `err` filled when the instance is not acceptable
	 * (no address, port out of range, two instances of one name and port, too many instances).  After a failure the mode must stop and return that code
	 * with that error.
	 */
	int (*emit)(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err);
};
EK_SEALED(struct ek_sink, emit);

/* What a mode reads; the host watches only what somebody reads. */
enum ek_reads {
	EK_READS_SERVICES = 1u << 0,  /* always implied */
	EK_READS_ENDPOINTS = 1u << 1, /* ek_service.endpoints is filled */
	EK_READS_PODS = 1u << 2,      /* ek_endpoint.pod is filled */
	EK_READS_NODES = 1u << 3,     /* ek_cluster.nodes is filled */
};

enum ek_mode_flag {
	/*
	 * A promise: what is emitted for an endpoint depends only on the syncer, its Service without the endpoints, that endpoint with its pod, and the nodes and
	 * other resources of the view.  The host may then call `desired` with a view that holds only the endpoints that changed, and keeps what it knew of the
	 * others; nodes and other resources are always whole.
	 */
	EK_MODE_PER_ENDPOINT = 1u << 0,
};

/*
 * The operations of a mode.  Mandatory: `desired`.
 */
struct ek_mode_ops {
	uint32_t size;
	uint32_t flags; /* enum ek_mode_flag */
	uint32_t reads; /* enum ek_reads, for the default options */
	uint32_t reserved;

	/*
	 * May be NULL: then the mode has no instance data and `self` is NULL everywhere.
	 *
	 * Makes an instance.  `options` are the values of ek_plugin.options and live until `destroy`; `host` lives until then too, and a mode may use only its
	 * `log`.  On success stores the instance in `*self` and returns EK_OK; on failure returns a code, fills `err`, and has freed everything.
	 */
	int (*create)(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self, struct ek_error *err);

	/* Mandatory if `create` is there, otherwise NULL.  Frees the instance.  Cannot fail. */
	void (*destroy)(void *self);

	/* May be NULL: then `reads` above holds.  Returns what this instance reads, which may depend on its options; constant over its life. */
	uint32_t (*reads_of)(void *self);

	/*
	 * Mandatory.  Emits the whole desired set into `sink` and returns EK_OK.
	 *
	 * Must be pure: no state kept between calls, no I/O, nothing remembered of the arguments.  Must emit each selected endpoint whatever its conditions.
	 * Must return at once when `emit` fails.  Must return within milliseconds, since the whole process waits.
	 *
	 * When the syncer cannot be served as declared, returns EK_INVALID with a reason that names the fault in one CamelCase word and a message that tells the
	 * syncer's author what to do; what was emitted before is discarded, and what is registered stays as it is.
	 */
	int (*desired)(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err);

	/*
	 * Since 0.2.  May be NULL: then the mode reads no other resources.
	 *
	 * Stores in `*n` how many resources this instance reads, at most EK_RESOURCES_MAX, and returns them; for none, 0 and NULL.  They may depend on its options.
	 * They and all they point to belong to the mode, live until `destroy`, and are the same each time.  Called after `create`; cannot fail.  A declaration
	 * that is not proper (names that are none, too much of something, Secrets) makes the whole mode unusable, with a message that names the fault.
	 */
	const struct ek_resource_read *const *(*resources_of)(void *self, uint32_t *n);
};
EK_SEALED(struct ek_mode_ops, resources_of);

/* ---- Helpers in libeurekube-sdk.a -------------------------------------------------------------------------------------------------------------------------- */

/*
 * Chooses the port (and, if the syncer asks for one, the secure port) of one endpoint by the rules that all modes share, and fills instance->port,
 * instance->secure_port and the flag EK_INSTANCE_PRIMARY_SECURE.
 *
 * spec.port as a name: the endpoint's TCP port of that name.  As a number: the endpoint's port of that number, else the Service port of that number, followed to
 * the endpoint by its name.  Unset: the only TCP port, else the one named "http"; where the Service declares ports, "only" and "http" are looked up there, since
 * an endpoint may have fewer than its siblings.  securePort likewise, and nothing where it is unset.
 *
 * With `instance.secure: true` and no securePort the chosen port itself is registered as the secure port, and no other.  Likewise where securePort names the port
 * that was chosen only for want of spec.port: one port does not speak both.
 *
 * Fails with EK_INVALID and reason PortNotFound (message lists the ports there are) when the rules find none.  An endpoint that lacks the port, while its Service
 * does have the one asked for (pods may differ in their named ports), gives EK_GONE instead: skip that endpoint.  After a failure the instance is untouched.
 */
int ek_pick_ports(const struct ek_syncer *syncer, const struct ek_service *service, const struct ek_endpoint *endpoint, struct ek_instance *instance,
                  struct ek_error *err);

/*
 * Since 0.2.  The value that `path` leads to from `tree`, or NULL.  Parts of the way are joined by dots, as in ek_resource_read.fields; for an array the part is the
 * number of an item, from 0.  "" leads to `tree` itself, and from NULL nothing leads anywhere, so that calls may be nested.
 */
const struct ek_tree *ek_tree_find(const struct ek_tree *tree, const char *path);

/* Since 0.2.  The text of the STRING there, or NULL if there is no such value or it is of another kind. */
const char *ek_tree_text(const struct ek_tree *tree, const char *path);

/* The value of an option, or NULL for a name that was not declared.  O(n). */
const struct ek_option_value *ek_option_find(const struct ek_option_value *const *options, uint32_t n_options, const char *name);

#endif
