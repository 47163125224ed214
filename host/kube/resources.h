/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one Service or EndpointSlice from its JSON straight into a record of the store, with the pull reader, without a tree. Pure.
 * Nil rules: conditions ready and serving default to true, terminating to false; protocol to TCP; null arrays are empty.
 * A record is one allocation. Texts that repeat across the cluster (namespaces, Services, nodes, zones, port names, labels) are interned; those that
 * do not (pods' names) lie behind the record, and a pod's UID is kept in binary: an endpoint costs 64 bytes and its pod's name.
 */
#ifndef EK_KUBE_RESOURCES_H
#define EK_KUBE_RESOURCES_H

#include <stdint.h>

#include <eurekube/error.h>
#include <eurekube/json.h>
#include <eurekube/mode.h>

#include "base/intern.h"

/* Any object's identity, read without the rest. namespace_ is "" for cluster-scoped ones. */
struct ek_object_meta {
	char namespace_[64];
	char name[254];
	char uid[64];
	char resource_version[64];
	bool is_deleting;
};
int ek_read_object_meta(struct ek_slice json, struct ek_object_meta *out, struct ek_error *err);

struct ek_record_port {            /* of a slice */
	const char *name, *protocol, *app_protocol;  /* interned; app_protocol may be NULL */
	int32_t number;
	uint32_t reserved;
};

struct ek_record_endpoint {
	uint8_t address[16];           /* network order; IPv4 in the first 4 */
	uint8_t pod_uid[16];           /* with has_binary_uid; otherwise 0 */
	const char *node_name, *zone;  /* interned; NULL unknown */
	uint32_t pod_name, pod_uid_text, hostname; /* where they begin in the slice's texts; 0 none */
	uint8_t flags;                 /* enum ek_endpoint_flag */
	uint8_t family;                /* 4 or 6 */
	uint8_t has_pod;               /* targetRef of kind Pod, in the same namespace as the slice */
	uint8_t has_binary_uid;        /* the pod's UID is a UUID in its usual form */
};

struct ek_record_slice {
	const char *namespace_, *service; /* interned; service NULL without the label kubernetes.io/service-name */
	const char *name;
	int64_t trigger_wall_ms;       /* endpoints.kubernetes.io/last-change-trigger-time; 0 none */
	uint32_t n_ports, n_endpoints, n_text_bytes, reserved;
	const struct ek_record_port *ports;
	const struct ek_record_endpoint *endpoints; /* in the order of the document */
	const char *texts;             /* begins with a NUL */
};

#define EK_UID_TEXT 37             /* a UUID with its NUL */
#define EK_ADDRESS_TEXT 46         /* an IPv6 address with its NUL */

struct ek_record_label {
	const char *key, *value;
};

struct ek_record_service_port {
	const char *name, *protocol;
	const char *target_name;       /* NULL where it is a number */
	int32_t port, node_port, target_port;
	uint32_t reserved;
};

struct ek_record_ingress {
	const char *ip, *hostname;     /* either may be NULL */
};

struct ek_record_service {
	const char *namespace_, *name; /* interned */
	const char *uid;
	const char *external_name;     /* NULL none */
	uint32_t type, flags;          /* enum ek_service_type, ek_service_flag */
	uint32_t n_cluster_ips, n_labels, n_ports, n_ingress;
	const char *const *cluster_ips;               /* without "None" */
	const struct ek_record_label *labels;         /* interned, sorted by key */
	const struct ek_record_service_port *ports;   /* interned */
	const struct ek_record_ingress *ingress;
};

/* FQDN slices give a record without endpoints, and so does an address that is none. */
int ek_read_slice(struct ek_slice json, struct ek_intern *pool, struct ek_record_slice **out, struct ek_error *err);
void ek_record_slice_free(struct ek_record_slice *slice, struct ek_intern *pool); /* NULL is ignored */
bool ek_record_slice_equals(const struct ek_record_slice *a, const struct ek_record_slice *b); /* the trigger time does not count */
/* The UID of an endpoint's pod: in `buffer`, or of the record; NULL where there is none. */
const char *ek_record_pod_uid(const struct ek_record_slice *slice, const struct ek_record_endpoint *endpoint, char buffer[EK_UID_TEXT]);
/* Its address in canonical text, in `buffer`. */
const char *ek_record_address(const struct ek_record_endpoint *endpoint, char buffer[EK_ADDRESS_TEXT]);
/* Whether two endpoints, of the same slice at two times, are the same in all that is known of them. */
bool ek_record_endpoint_equals(const struct ek_record_slice *a_slice, const struct ek_record_endpoint *a, const struct ek_record_slice *b_slice,
                               const struct ek_record_endpoint *b);
int ek_read_service(struct ek_slice json, struct ek_intern *pool, struct ek_record_service **out, struct ek_error *err);
void ek_record_service_free(struct ek_record_service *service, struct ek_intern *pool); /* NULL is ignored */
bool ek_record_service_equals(const struct ek_record_service *a, const struct ek_record_service *b);

#endif
