/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elffile.h - a shared object as bytes: its header, its segments and its dynamic table, read as the dynamic loader will read them, without
 * mapping or running anything. Pure.
 *
 * The bytes may be anything, so every number is checked against their size. And since the dynamic loader checks hardly any, ek_elf_open and
 * ek_elf_open_dynamic refuse what would lead it astray: a damaged file gives a message, not a crash. They do not protect from a file that means
 * harm: that is for the path rules and the digest. Messages name no file; the caller puts its name in front.
 */
#ifndef EK_PLUGIN_ELFFILE_H
#define EK_PLUGIN_ELFFILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

struct ek_elf {
	const unsigned char *bytes;   /* borrowed; must be aligned to 8 */
	size_t n;
};

/* Checks that it is a whole shared object for this machine, whose segments make sense. EK_OK or EK_INVALID. */
int ek_elf_open(const void *bytes, size_t n, struct ek_elf *elf, struct ek_error *err);

/* Of an open one. */
unsigned ek_elf_n_segments(const struct ek_elf *elf);
Elf64_Phdr ek_elf_segment(const struct ek_elf *elf, unsigned i);
/* Part of the file, by its offset, or by the address that it will have relative to the whole; NULL where it does not lie inside. */
const void *ek_elf_at_offset(const struct ek_elf *elf, uint64_t offset, uint64_t n);
const void *ek_elf_at_address(const struct ek_elf *elf, uint64_t address, uint64_t n);

/* Its dynamic table. */
struct ek_elf_dynamic {
	const unsigned char *entries;
	unsigned n_entries;
	const char *text;             /* its string table, which ends in NUL */
	uint64_t n_text;
	const unsigned char *symbols;
	uint64_t n_symbols;
};
int ek_elf_open_dynamic(const struct ek_elf *elf, struct ek_elf_dynamic *dynamic, struct ek_error *err);
/* The i-th entry; the value of the last one with this tag, 0 for none; a symbol. */
Elf64_Dyn ek_elf_dynamic_at(const struct ek_elf_dynamic *dynamic, unsigned i);
uint64_t ek_elf_dynamic_get(const struct ek_elf_dynamic *dynamic, int64_t tag);
Elf64_Sym ek_elf_symbol(const struct ek_elf_dynamic *dynamic, uint64_t i);

#endif
