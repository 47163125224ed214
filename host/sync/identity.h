/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and marks that outlive the process: instance ids, owner marks, digests. Their formats are frozen by a golden test, since entries of an older version
 * must be recognised by a newer one. Pure.
 */
#ifndef EK_SYNC_IDENTITY_H
#define EK_SYNC_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include <eurekube/error.h>
#include <eurekube/instance.h>

#define EK_APPLICATION_MAX 63
#define EK_OWNER_MAX 384

/* Upper case on the wire; EK_INVALID with reason InvalidApplication if not [A-Za-z0-9][A-Za-z0-9._-]{0,62}. */
int ek_application_normalize(const char *application, char out[EK_APPLICATION_MAX + 1], struct ek_error *err);

/*
 * clusterId:namespace:APPLICATION:name:port. Bytes outside [A-Za-z0-9._:-] become '-' (also the colons of an IPv6 address in `name`); above EK_ID_MAX bytes
 * the name is cut and ends in '-' and 8 hex digits of its hash.
 */
void ek_id_format(const char *cluster_id, const char *namespace_, const char *application, const char *name, int port, char out[EK_ID_MAX + 1]);

/* A hash of the name part of an id, as it stands there; tells that two ids mean one pod under different applications or ports. */
uint64_t ek_id_name_hash(const char *id);

/* clusterId/namespace/name, and back. Parsing is false for anything else. */
void ek_owner_format(const char *cluster_id, const char *namespace_, const char *name, char out[EK_OWNER_MAX]);
struct ek_owner {
	char cluster_id[32], namespace_[64], name[254];
};
bool ek_owner_parse(const char *mark, struct ek_owner *out);

/* Over everything that a registration carries, but the status and the digest mark itself. */
uint64_t ek_instance_digest(const struct ek_instance *instance);
void ek_digest_format(uint64_t digest, char out[17]);
bool ek_digest_parse(const char *text, uint64_t *out);

/* The value of a metadata key, or NULL. */
const char *ek_instance_mark(const struct ek_instance *instance, const char *key);
bool ek_is_mark(const char *key);   /* it begins with EK_MARK_PREFIX, so it is the operator's */

#endif
