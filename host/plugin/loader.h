/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns a file into a checked descriptor, or says precisely why not (docs/loading.md is this in words). The only file that includes dlfcn.h is
 * loader.c; opening and copying is in image.c, ELF reading in elfnote.c, the descriptor's rules in descriptor.c. Nothing of the file runs
 * before its bytes are copied into a sealed memfd, hashed, and its note and exports read from that copy.
 */
#ifndef EK_PLUGIN_LOADER_H
#define EK_PLUGIN_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include <eurekube/error.h>
#include <eurekube/mode.h>
#include <eurekube/plugin.h>
#include <eurekube/registry.h>

#define EK_DIGEST_MAX 72 /* "sha256:" + 64 hex digits + NUL */
#define EK_PLUGIN_FILE_MAX (16u << 20)

/* The bytes of a candidate, sealed or on a read-only mount; not yet mapped. */
struct ek_image {
	int fd;                        /* sealed memfd, or the file itself; -1 none */
	bool is_in_place;              /* the file itself */
	bool may_run;                  /* false: the system forbids executable memory files */
	char digest[EK_DIGEST_MAX];
	size_t n_bytes;
	char name[256];                /* the file's name, for messages */
};

/* `file` is a name inside `directory` (no slash), or, when directory is NULL, a path (for `plugin verify`). sha256: 64 hex digits or "" / NULL. */
int ek_image_open(const char *directory, const char *file, const char *sha256, struct ek_image *out, struct ek_error *err);
/* The same without a copy: the file itself is going to be mapped. It has to keep the path rules, pinned or not, and to lie on a read-only mount. */
int ek_image_open_in_place(const char *directory, const char *file, const char *sha256, struct ek_image *out, struct ek_error *err);
/* For its digest alone: no path rules, since whoever pins a file trusts its bytes. */
int ek_image_read(const char *path, struct ek_image *out, struct ek_error *err);
void ek_image_close(struct ek_image *image);

/* Reads note and exports of the sealed bytes; kind 0 accepts any. Runs nothing. */
int ek_image_check(const struct ek_image *image, enum ek_plugin_kind kind, struct ek_error *err);

/*
 * Maps it, calls the entry and checks the descriptor. On success the descriptor is valid for ever and image->fd must stay open. When a mapped image is
 * refused, its descriptor stays open as well, out of the caller's hands: image->fd is -1 then.
 */
int ek_image_map(struct ek_image *image, enum ek_plugin_kind kind, const struct ek_plugin **out, struct ek_error *err);

/* The checks on a descriptor alone, also for statically linked plugins: sizes, name, version, options, all missing slots named at once. */
int ek_descriptor_check(const struct ek_plugin *plugin, enum ek_plugin_kind kind, struct ek_error *err);

#endif
