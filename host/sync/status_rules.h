/* SPDX-License-Identifier: Apache-2.0 */
/* What an endpoint's conditions mean for its registration: UP, DOWN, OUT_OF_SERVICE, or absent. Pure. */
#ifndef EK_SYNC_STATUS_RULES_H
#define EK_SYNC_STATUS_RULES_H

#include <stdint.h>

#include <eurekube/instance.h>

#include "sync/syncer.h"

/*
 * `flags` is enum ek_endpoint_flag. EK_STATUS_NONE: not to be registered. Terminating is looked at first, since with publishNotReadyAddresses a terminating
 * endpoint may still be called ready.
 */
enum ek_status ek_status_of(uint32_t flags, enum ek_not_ready not_ready, enum ek_drain drain);

const char *ek_status_name(int32_t status);   /* "UP"; "" for NONE and for what is no status */

#endif
