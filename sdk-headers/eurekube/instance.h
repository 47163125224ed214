/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h - one network location of one application, as callers of a registry see it.
 *
 * The same structure travels the whole way.  A mode *emits* instances (mode.h) and fills only what it alone knows: name, address, ports, source, perhaps metadata.
 * The host completes each one: it composes the id, stamps owner mark and digest, takes application, vip addresses, paths and user metadata from the EurekaSyncer
 * where the mode left them NULL, and turns endpoint conditions into a status.  A registry plugin (registry.h) receives the complete instance in a PUT and gives
 * instances back when it reads its registry.
 *
 * An instance is a borrowed view.  The host never stores it: its ledger keeps the id, a digest, the revision and timers, and derives the instance again when it
 * must be sent again.
 */
#ifndef EK_EUREKUBE_INSTANCE_H
#define EK_EUREKUBE_INSTANCE_H

#include <eurekube/types.h>

/*
 * The states that callers know.  Numbers are stable.  Registries that know fewer map DOWN, STARTING and OUT_OF_SERVICE to whatever keeps callers away.
 */
enum ek_status {
	EK_STATUS_NONE = 0,           /* from a mode: "the host decides"; from a registry: not told */
	EK_STATUS_UP = 1,             /* takes calls */
	EK_STATUS_DOWN = 2,           /* known, not healthy */
	EK_STATUS_STARTING = 3,       /* known, not yet ready */
	EK_STATUS_OUT_OF_SERVICE = 4, /* taken out on purpose, by us (drain) or by a person */
	EK_STATUS_UNKNOWN = 5,        /* the registry itself does not know */
};

/*
 * Keys that the host stamps into every instance's metadata.  They are how ownership, content and identity are recognised in the registry's own copy, so a registry
 * plugin must store metadata and give it back byte for byte for these keys.  Keys beginning with "eurekube." are reserved for the host: a mode or user that uses
 * one is refused.  Letters and dots only, since Eureka turns keys into XML names.  The formats are frozen: entries outlive the process that wrote them.
 */
#define EK_MARK_OWNER "eurekube.owner"   /* clusterId/namespace/name of the EurekaSyncer */
#define EK_MARK_DIGEST "eurekube.digest" /* 16 hex digits over everything that was registered, status and digest itself excepted */
#define EK_MARK_POD "eurekube.pod"       /* UID of the pod behind it; absent where there is none */
#define EK_MARK_PREFIX "eurekube."

/* An id has at most this many bytes, all of [A-Za-z0-9._:-]. */
#define EK_ID_MAX 255

enum ek_instance_flag {
	EK_INSTANCE_PRIMARY_SECURE = 1u << 0, /* callers should prefer secure_port and https */
};

struct ek_endpoint;
struct ek_service;
struct ek_option_value;

/*
 * One instance.  "mode:" says what a mode does with the field, "registry:" what a registry plugin finds there in a PUT.  In instances that a registry plugin hands
 * back (ek_entry.instance) it fills what its registry holds and leaves the rest 0 or NULL.
 */
struct ek_instance {
	uint32_t size;
	int32_t status;              /* enum ek_status.  mode: NONE where `source` is set, otherwise the mode's own word.  registry: never NONE */
	const char *id;              /* mode: NULL.  registry: the entry's key, unique in the registry */
	const char *owner;           /* mode: NULL.  registry: the owner mark, also present in metadata */
	const char *application;     /* mode: NULL for the syncer's (or the Service's name).  registry: upper case, [A-Z0-9][A-Z0-9._-]{0,62} */
	const char *name;            /* mode: the pod's name, or what tells this instance from its siblings.  registry: the same, for display */
	const char *address;         /* mode: an IP address or DNS name that callers can reach.  registry: the same */
	const char *vip_address;     /* mode: NULL for the syncer's.  registry: the name that callers look up; never NULL */
	const char *secure_vip_address; /* mode: NULL for the syncer's.  registry: never NULL */
	const char *home_page_path;  /* mode: NULL for the syncer's.  registry: absolute path or NULL; same for the next two */
	const char *status_page_path;
	const char *health_check_path;
	const char *zone;            /* topology zone of the endpoint; NULL unknown */
	const char *node_name;       /* NULL unknown */
	int32_t port;                /* 1-65535, 0 for none.  At least one of the two is set */
	int32_t secure_port;
	uint32_t flags;              /* enum ek_instance_flag */
	int32_t renew_seconds;       /* mode: 0.  registry: how often the host is going to renew, 0 where the registry keeps no leases */
	int32_t lease_seconds;       /* mode: 0.  registry: how long the entry should outlive its last renewal */
	uint32_t n_metadata;
	const struct ek_pair *const *metadata; /* mode: what it adds to the syncer's own.  registry: complete, marks included, sorted by key */
	uint32_t n_options;
	uint32_t reserved;
	const struct ek_option_value *const *options; /* mode: NULL.  registry: the syncer's registryOptions, validated, defaults applied */
	const struct ek_service *source_service; /* mode: the Service it stems from, NULL for none.  registry: NULL */
	const struct ek_endpoint *source;        /* mode: the endpoint whose conditions decide the status, NULL for none.  registry: NULL */
};
EK_SEALED(struct ek_instance, source);

#endif
