/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan for one instance: what is wanted minus what is held gives the next step. Pure: the same entry and the same time give the same step, and
 * nothing but this decides which operation is sent.
 */
#ifndef EK_SYNC_PLAN_H
#define EK_SYNC_PLAN_H

#include "sync/ledger.h"

enum ek_step {
	EK_STEP_NONE,   /* as it should be */
	EK_STEP_BUSY,   /* an operation is in flight; its completion asks again */
	EK_STEP_WAIT,   /* something is to be done, not before *wait_until_ms */
	EK_STEP_PUT,
	EK_STEP_REMOVE,
	EK_STEP_GET,
	EK_STEP_DROP,   /* neither wanted nor held: forget it */
	EK_STEP_STUCK,  /* refused for good, or foreign: only a change of the object helps */
};

struct ek_plan_rules {
	int64_t now_ms;
	int64_t equal_gap_ms;    /* between equal operations on one instance: 1 s */
	int64_t same_id_gap_ms;  /* between a removal and a PUT of the same id */
};

enum ek_step ek_plan_next(const struct ek_ledger_entry *entry, const struct ek_plan_rules *rules, int64_t *wait_until_ms);

#endif
