/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_objects.h - objects of the resources that a mode reads: those of a file that was given (--objects), or some that have something of every shape in the
 * declared fields. Pruned as the host prunes them, and made anew for each question.
 */
#ifndef EK_SDK_CHECK_SAMPLE_OBJECTS_H
#define EK_SDK_CHECK_SAMPLE_OBJECTS_H

#include <eurekube/mode.h>

#include "base/arena.h"
#include "base/intern.h"
#include "kube/records.h"

struct ek_sample_objects {
	struct ek_intern *pool;
	struct ek_record *records[1024];
	size_t n;
};

/* Reads "PLURAL=FILE", the file a list as `kubectl get PLURAL -o json` prints it. EK_OK, or EK_INVALID; the texts live in the arena. */
struct ek_given_objects {
	const char *plural;
	struct ek_slice list;
};
int ek_given_objects_read(const char *argument, struct ek_arena *arena, struct ek_given_objects *out, struct ek_error *err);

/*
 * One list for each declaration, in `arena`; `given` ends with a plural of NULL. Without a file for it, or with is_odd, its fields are of every kind in turn.
 * What it shows lives until ek_sample_objects_clear.
 */
const struct ek_object_list *const *ek_sample_objects_make(struct ek_sample_objects *samples, const struct ek_resource_read *const *declared, uint32_t n,
	const struct ek_given_objects *given, bool is_odd, struct ek_arena *arena);
void ek_sample_objects_clear(struct ek_sample_objects *samples);

#endif
