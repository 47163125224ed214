/* SPDX-License-Identifier: Apache-2.0 */
/* Error code -> what the host does. The only such table in the tree. Pure. */
#ifndef EK_SYNC_OUTCOME_H
#define EK_SYNC_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include <eurekube/error.h>

struct ek_outcome {
	bool is_read_next;     /* the entry's state is not known any more: GET before any write */
	bool is_permanent;     /* no retry until the object or the configuration changes */
	bool is_counted;       /* an attempt for the backoff */
	const char *reason;    /* for failingInstances and conditions */
};

struct ek_outcome ek_outcome_of(int code);

/* 1, 2, 4 s, then 5 s for about ten minutes and 30 s later (design.md I5), up to a quarter less out of `random`. attempts counts from 1. */
int64_t ek_retry_delay_ms(unsigned attempts, uint64_t random);

#endif
