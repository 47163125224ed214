/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the patches that we send, purely. Finalizers by JSON patch with tests (a failed test is answered 422: treat as conflict), as
 * real servers demand.
 */
#ifndef EK_KUBE_PATCH_H
#define EK_KUBE_PATCH_H

#include <stddef.h>

#include <eurekube/error.h>

#include "base/buf.h"

/* `finalizers`: the object's present list. EK_OK with the JSON patch in buf; EK_GONE when there is nothing to do. Both test metadata.uid. */
int ek_patch_add_finalizer(struct ek_buf *buf, const char *uid, const char *const *finalizers, unsigned n, const char *ours);
int ek_patch_remove_finalizer(struct ek_buf *buf, const char *uid, const char *const *finalizers, unsigned n, const char *ours);

#endif
