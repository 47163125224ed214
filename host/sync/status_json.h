/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a syncer as JSON. */
#ifndef EK_SYNC_STATUS_JSON_H
#define EK_SYNC_STATUS_JSON_H

#include "sync/status.h"

#define EK_STATUS_JSON_MAX 65536

struct ek_status_json {
	char text[EK_STATUS_JSON_MAX]; /* {"status":{...}}, a merge patch */
	size_t n;
	uint64_t hash;                 /* of the status object inside */
};

/* False if it does not fit. */
bool ek_status_json_build(struct ek_status_json *out, const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts);

#endif
