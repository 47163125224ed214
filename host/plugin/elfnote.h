/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elfnote.h - what a shared object says about itself, read from its bytes without mapping or running it. Pure.
 *
 * Everything is read by way of the program headers, since that is what the dynamic loader goes by (section headers may be stripped or lie). Every
 * offset is checked against the size of the file: the bytes may be anything. Messages name no file; the caller puts its name in front.
 */
#ifndef EK_PLUGIN_ELFNOTE_H
#define EK_PLUGIN_ELFNOTE_H

#include <stddef.h>

#include <eurekube/error.h>
#include <eurekube/plugin.h>

struct ek_elf {
	const unsigned char *bytes;   /* borrowed; must be aligned to 8 */
	size_t n;
};

/* Checks that it is a whole shared object for this machine. EK_OK or EK_INVALID. */
int ek_elf_open(const void *bytes, size_t n, struct ek_elf *elf, struct ek_error *err);

/* Reads the note that EK_PLUGIN_DEFINE made. EK_OK, or EK_INVALID if there is none, several, or a broken one. */
int ek_elf_read_note(const struct ek_elf *elf, struct ek_plugin_note *note, struct ek_error *err);

/* EK_OK if `only` is the one symbol that it exports, as a function; otherwise EK_INVALID, naming what else there is (or that it is missing). */
int ek_elf_check_exports(const struct ek_elf *elf, const char *only, struct ek_error *err);

/* The libraries that it needs. Texts lie in the bytes. EK_OK or EK_INVALID. */
#define EK_ELF_LIBRARIES_MAX 64
struct ek_elf_libraries {
	unsigned n;
	const char *names[EK_ELF_LIBRARIES_MAX];
	const char *search;           /* where it wants them looked for first ("/a:/b"); "" nowhere */
};
int ek_elf_read_libraries(const struct ek_elf *elf, struct ek_elf_libraries *libraries, struct ek_error *err);

#endif
