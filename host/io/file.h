/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: read whole with a bound, and watched for change by path. Watching survives the symlink swap of mounted ConfigMaps and
 * Secrets, files that come later, and files that vanish.
 */
#ifndef EK_IO_FILE_H
#define EK_IO_FILE_H

#include <stddef.h>

#include <eurekube/error.h>

#include "base/buf.h"
#include "io/loop.h"

/* Reads the whole file into buf (reset first, bounded by its limit). EK_GONE if there is none, EK_AUTH if not readable, EK_TOO_BIG. */
int ek_file_read(const char *path, struct ek_buf *buf, struct ek_error *err);

struct ek_file_watch;
/* Calls fn(arg) on the loop after the contents behind `path` may have changed; several changes at once may give one call. */
struct ek_file_watch *ek_file_watch(struct ek_loop *loop, const char *path, void (*fn)(void *arg), void *arg);
void ek_file_unwatch(struct ek_file_watch *watch);

#endif
