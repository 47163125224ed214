/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One switch from an error's code to the host's policy. What a success or a GONE means depends on the operation and is decided in registry_ops.c. Read
 * plan.c next.
 */
#include "sync/outcome.h"

struct ek_outcome ek_outcome_of(int code)
{
	switch (code) {
	case EK_RETRY:
		return (struct ek_outcome){ .is_counted = true, .reason = "RegistryUnavailable" };
	case EK_THROTTLED:
		return (struct ek_outcome){ .reason = "Throttled" };
	case EK_CONFLICT:
		return (struct ek_outcome){ .is_read_next = true, .is_counted = true, .reason = "Conflict" };
	case EK_INVALID:
		return (struct ek_outcome){ .is_permanent = true, .reason = "Refused" };
	case EK_TOO_BIG:
		return (struct ek_outcome){ .is_permanent = true, .reason = "TooBig" };
	case EK_AUTH:
		return (struct ek_outcome){ .is_counted = true, .reason = "NotAuthorized" };
	case EK_UNKNOWN:
		return (struct ek_outcome){ .is_read_next = true, .is_counted = true, .reason = "RegistryUnavailable" };
	case EK_CANCELLED:
		return (struct ek_outcome){ .is_read_next = true, .reason = "Cancelled" };
	default:
		return (struct ek_outcome){ .is_counted = true, .reason = "PluginMisbehaved" };
	}
}

#define DELAY_MAX_MS 5000
#define DELAY_LATE_MS 30000
#define LATE_ATTEMPTS 120 /* at five seconds each: ten minutes */

int64_t ek_retry_delay_ms(unsigned attempts, uint64_t random)
{
	int64_t max = attempts > LATE_ATTEMPTS ? DELAY_LATE_MS : DELAY_MAX_MS, base = max;

	if (attempts <= 3)
		base = 1000ll << (attempts ? attempts - 1 : 0);
	return base - (int64_t)(random % (uint64_t)(base / 4));
}
