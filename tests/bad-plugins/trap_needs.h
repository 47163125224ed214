/* SPDX-License-Identifier: Apache-2.0 */
/* A mode that needs a library of its own, libek-answer.so.1, and says what that answers. Which of its versions it was linked with is the name's. */
#ifndef EK_TESTS_BAD_PLUGINS_TRAP_NEEDS_H
#define EK_TESTS_BAD_PLUGINS_TRAP_NEEDS_H

#include <eurekube/mode.h>

const char *ek_trap_answer(void);

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return ek_fail(err, EK_INVALID, "%s", ek_trap_answer());
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

#endif
