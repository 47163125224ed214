/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the brake, as functions of what is known. Who is asked, what is held and how that is told are removals.c's, doubts.c's and status.c's. Read
 * removals.c next.
 */
#include "sync/guard.h"

bool ek_guard_is_fall(size_t before, size_t after)
{
	return after == 0 || after * 2 < before;
}

bool ek_guard_is_fall_at_start(size_t held, size_t wanted, size_t least)
{
	return held > wanted && held - wanted >= (least ? least : 1) && ek_guard_is_fall(held, wanted);
}

enum ek_guard_verdict ek_guard_judge(const struct ek_guard_case *c)
{
	if (c->is_seen_going || c->is_approved)
		return EK_GUARD_PASSES;
	if (c->is_doubted)
		return EK_GUARD_HOLDS;
	return c->is_confirmed ? EK_GUARD_PASSES : EK_GUARD_CONFIRM;
}
