/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one Service or EndpointSlice from its JSON straight into a record of the store, with the pull reader, without a tree. Pure.
 * Nil rules: conditions ready and serving default to true, terminating to false; protocol to TCP; null arrays are empty.
 * Records are one allocation each where that is easy; texts that repeat across the cluster are interned.
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
};

struct ek_record_endpoint {
	uint8_t address[16];           /* network order; IPv4 in the first 4 */
	uint8_t flags;                 /* enum ek_endpoint_flag */
	uint8_t family;                /* 4 or 6 */
	uint8_t has_pod;               /* targetRef of kind Pod, in the same namespace as the slice */
	uint8_t reserved;
	uint32_t reserved2;
	const char *pod_name;          /* interned; NULL none */
	const char *pod_uid;           /* interned; NULL none */
	const char *node_name, *zone, *hostname; /* interned; NULL unknown */
};

struct ek_record_slice {
	const char *namespace_, *name, *service; /* interned; service NULL without the label kubernetes.io/service-name */
	char *uid;
	int64_t trigger_wall_ms;       /* endpoints.kubernetes.io/last-change-trigger-time; 0 none */
	uint32_t n_ports, n_endpoints;
	struct ek_record_port *ports;
	struct ek_record_endpoint *endpoints; /* sorted by address */
};

struct ek_record_service {
	const char *namespace_, *name; /* interned */
	char *uid;
	uint32_t type, flags;          /* enum ek_service_type, ek_service_flag */
	char *external_name;           /* NULL none */
	uint32_t n_cluster_ips, n_labels, n_ports, n_ingress;
	char **cluster_ips;
	struct { const char *key, *value; } *labels;  /* interned, sorted by key */
	struct { const char *name, *protocol; int32_t port, node_port, target_port; const char *target_name; } *ports; /* interned */
	struct { char *ip, *hostname; } *ingress;
};

/* FQDN slices give a record without endpoints. */
int ek_read_slice(struct ek_slice json, struct ek_intern *pool, struct ek_record_slice **out, struct ek_error *err);
void ek_record_slice_free(struct ek_record_slice *slice, struct ek_intern *pool);
bool ek_record_slice_equals(const struct ek_record_slice *a, const struct ek_record_slice *b); /* the trigger time does not count */
int ek_read_service(struct ek_slice json, struct ek_intern *pool, struct ek_record_service **out, struct ek_error *err);
void ek_record_service_free(struct ek_record_service *service, struct ek_intern *pool);
bool ek_record_service_equals(const struct ek_record_service *a, const struct ek_record_service *b);

#endif
