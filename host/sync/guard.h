/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The brake on removals, by evidence (design.md I10): what a LIST that fell means, and whether one instance may be removed now. docs/design/0003-guard-for-lists.md
 * says which part of I10 stands here. Pure.
 */
#ifndef EK_SYNC_GUARD_H
#define EK_SYNC_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* A LIST of a kind that shows nothing, or less than half of what was there before. */
bool ek_guard_is_fall(size_t before, size_t after);

/*
 * After a start there is no list before: what the registry holds under our mark takes its place. `held` of it the view wants `wanted`. Few losses (fewer than
 * guard.registryMin) are what any restart brings; they are confirmed one by one.
 */
bool ek_guard_is_fall_at_start(size_t held, size_t wanted, size_t least);

/* What is known of an instance that nothing asks for any more. */
struct ek_guard_case {
	bool is_seen_going;  /* its endpoint was seen terminating or not ready */
	bool is_confirmed;   /* a quorum read does not show it either */
	bool is_approved;    /* a person has approved the plan that it stands in */
	bool is_doubted;     /* a view that fell, or was never whole, is all that speaks against it */
};

enum ek_guard_verdict {
	EK_GUARD_PASSES,
	EK_GUARD_CONFIRM,    /* after a quorum read */
	EK_GUARD_HOLDS,      /* for a person, or until the view is whole again */
};
enum ek_guard_verdict ek_guard_judge(const struct ek_guard_case *c);

#endif
