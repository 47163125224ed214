/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elfnote.h - what a shared object says about itself as a plugin, read from its bytes without mapping or running it. Pure.
 *
 * Everything is read by way of the program headers, since that is what the dynamic loader goes by (section headers may be stripped or lie).
 * Messages name no file; the caller puts its name in front.
 */
#ifndef EK_PLUGIN_ELFNOTE_H
#define EK_PLUGIN_ELFNOTE_H

#include <eurekube/error.h>
#include <eurekube/plugin.h>

#include "plugin/elffile.h"

/* Reads the note that EK_PLUGIN_DEFINE made. EK_OK, or EK_INVALID if there is none, several, or a broken one. */
int ek_elf_read_note(const struct ek_elf *elf, struct ek_plugin_note *note, struct ek_error *err);

/* EK_OK if `only` is the one symbol that it exports, as a function; otherwise EK_INVALID, naming what else there is (or that it is missing). */
int ek_elf_check_exports(const struct ek_elf_dynamic *dynamic, const char *only, struct ek_error *err);

/* The libraries that it needs. Texts lie in the bytes. EK_OK or EK_INVALID. */
#define EK_ELF_LIBRARIES_MAX 64
struct ek_elf_libraries {
	unsigned n;
	const char *names[EK_ELF_LIBRARIES_MAX];
	const char *search;           /* where it wants them looked for first ("/a:/b"); "" nowhere */
};
int ek_elf_read_libraries(const struct ek_elf_dynamic *dynamic, struct ek_elf_libraries *libraries, struct ek_error *err);

#endif
