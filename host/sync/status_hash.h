/* SPDX-License-Identifier: Apache-2.0 */
/* A hash that tells equal statuses whatever the order of their keys. Pure. */
#ifndef EK_SYNC_STATUS_HASH_H
#define EK_SYNC_STATUS_HASH_H

#include <stdint.h>

#include <eurekube/json.h>

/* Null members, empty arrays and empty objects count as absent, since the API server drops them. */
uint64_t ek_status_hash(struct ek_slice status);

#endif
