/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of design.md 1.1: endpoint conditions, notReady and drain in, a status out. It knows no clock; the end of a drain (`seconds`) is the ledger's.
 * Read identity.c next.
 */
#include "sync/status_rules.h"

#include <stddef.h>

#include <eurekube/mode.h>

enum ek_status ek_status_of(uint32_t flags, enum ek_not_ready not_ready, enum ek_drain drain)
{
	if (flags & EK_ENDPOINT_TERMINATING)
		return drain == EK_DRAIN_OUT_OF_SERVICE ? EK_STATUS_OUT_OF_SERVICE : EK_STATUS_NONE;
	if (flags & EK_ENDPOINT_READY)
		return EK_STATUS_UP;
	switch (not_ready) {
	case EK_NOT_READY_DOWN:
		return EK_STATUS_DOWN;
	case EK_NOT_READY_OUT_OF_SERVICE:
		return EK_STATUS_OUT_OF_SERVICE;
	case EK_NOT_READY_DEREGISTER:
		break;
	}
	return EK_STATUS_NONE;
}

const char *ek_status_name(int32_t status)
{
	static const char *const names[] = { "", "UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN" };

	return status >= 0 && (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "";
}
