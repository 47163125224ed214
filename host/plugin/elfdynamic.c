/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the dynamic table of an ELF file and finds its strings and symbols; checks that what the table points to is there, and that relocations
 * write only where writing is allowed. It does not judge what symbols mean.
 * Read next: elfnote.c for that.
 */
#include "plugin/elffile.h"

#include <stdbool.h>
#include <string.h>

#define BROKEN "has a broken table of dynamic symbols; build it anew"

#if defined(__x86_64__)
#define R_RELATIVE R_X86_64_RELATIVE
#else
#define R_RELATIVE R_AARCH64_RELATIVE
#endif

/* ---- Entries ---- */

Elf64_Dyn ek_elf_dynamic_at(const struct ek_elf_dynamic *dynamic, unsigned i)
{
	Elf64_Dyn entry;

	memcpy(&entry, dynamic->entries + (size_t)i * sizeof(entry), sizeof(entry));
	return entry;
}

uint64_t ek_elf_dynamic_get(const struct ek_elf_dynamic *dynamic, int64_t tag)
{
	for (unsigned i = dynamic->n_entries; i-- > 0;) {
		Elf64_Dyn entry = ek_elf_dynamic_at(dynamic, i);

		if (entry.d_tag == tag)
			return entry.d_un.d_val;
	}
	return 0;
}

Elf64_Sym ek_elf_symbol(const struct ek_elf_dynamic *dynamic, uint64_t i)
{
	Elf64_Sym symbol;

	memcpy(&symbol, dynamic->symbols + i * sizeof(symbol), sizeof(symbol));
	return symbol;
}

/* The dynamic loader reads on until it comes to the entry that ends the table. */
static bool find_entries(const struct ek_elf *elf, struct ek_elf_dynamic *dynamic)
{
	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr segment = ek_elf_segment(elf, i);

		if (segment.p_type != PT_DYNAMIC)
			continue;
		if (dynamic->entries) /* two of them */
			return false;
		dynamic->entries = ek_elf_at_address(elf, segment.p_vaddr, segment.p_filesz);
		if (!dynamic->entries)
			return false;
		for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_filesz; at += sizeof(Elf64_Dyn), dynamic->n_entries++)
			if (ek_elf_dynamic_at(dynamic, dynamic->n_entries).d_tag == DT_NULL)
				return true;
	}
	return false;
}

/* ---- Symbols ---- */

static bool read_word(const struct ek_elf *elf, uint64_t address, uint32_t *word)
{
	const void *at = ek_elf_at_address(elf, address, sizeof(*word));

	if (at)
		memcpy(word, at, sizeof(*word));
	return at != NULL;
}

/* Where the chain that begins with symbol `i` ends: one past its last symbol. */
static bool walk_chain(const struct ek_elf *elf, uint64_t chains, uint32_t first, uint64_t i, uint64_t *end)
{
	uint32_t hash;

	for (;; i++) {
		if (i < first || !read_word(elf, chains + 4 * (i - first), &hash))
			return false;
		if (hash & 1)
			break;
	}
	*end = i + 1;
	return true;
}

/* A GNU hash table does not say how many symbols there are: they end where the chain of the highest bucket ends. */
static bool count_by_gnu_hash(const struct ek_elf *elf, uint64_t table, uint64_t *n)
{
	uint32_t n_buckets, first, n_bloom, bucket, highest = 0;
	uint64_t buckets;

	if (!read_word(elf, table, &n_buckets) || !read_word(elf, table + 4, &first) || !read_word(elf, table + 8, &n_bloom))
		return false;
	buckets = table + 16 + 8 * (uint64_t)n_bloom;
	for (uint32_t i = 0; i < n_buckets; i++) {
		if (!read_word(elf, buckets + 4 * (uint64_t)i, &bucket))
			return false;
		if (bucket > highest)
			highest = bucket;
	}
	*n = first;
	return !highest || walk_chain(elf, buckets + 4 * (uint64_t)n_buckets, first, highest, n);
}

static bool count_symbols(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic, uint64_t *n)
{
	uint64_t gnu_hash = ek_elf_dynamic_get(dynamic, DT_GNU_HASH), hash = ek_elf_dynamic_get(dynamic, DT_HASH);
	uint32_t word;

	if (gnu_hash)
		return count_by_gnu_hash(elf, gnu_hash, n);
	if (!hash || !read_word(elf, hash + 4, &word))
		return false;
	*n = word;
	return true;
}

static bool find_symbols(const struct ek_elf *elf, struct ek_elf_dynamic *dynamic)
{
	dynamic->n_text = ek_elf_dynamic_get(dynamic, DT_STRSZ);
	dynamic->text = ek_elf_at_address(elf, ek_elf_dynamic_get(dynamic, DT_STRTAB), dynamic->n_text);
	if (!dynamic->text || !dynamic->n_text || dynamic->text[dynamic->n_text - 1])
		return false;
	if (!count_symbols(elf, dynamic, &dynamic->n_symbols) || dynamic->n_symbols > elf->n / sizeof(Elf64_Sym))
		return false;
	dynamic->symbols = ek_elf_at_address(elf, ek_elf_dynamic_get(dynamic, DT_SYMTAB), dynamic->n_symbols * sizeof(Elf64_Sym));
	return dynamic->symbols != NULL;
}

/* ---- Tables that the dynamic loader goes through, and code that it calls ---- */

/* Whether an address lies in what is mapped with these flags, zeroes behind the file's bytes included. */
static bool is_in(const struct ek_elf *elf, uint64_t address, uint64_t n, uint32_t flags)
{
	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr segment = ek_elf_segment(elf, i);

		if (segment.p_type == PT_LOAD && (segment.p_flags & flags) == flags && address >= segment.p_vaddr &&
			address - segment.p_vaddr <= segment.p_memsz && n <= segment.p_memsz - (address - segment.p_vaddr))
			return true;
	}
	return false;
}

/* A file that exports nothing does not tell how many symbols it imports. */
static bool is_symbol(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic, uint64_t i)
{
	return ek_elf_at_address(elf, ek_elf_dynamic_get(dynamic, DT_SYMTAB) + i * sizeof(Elf64_Sym), sizeof(Elf64_Sym)) != NULL;
}

/* Each relocation names a symbol that there is, and writes where writing is allowed; the first n_relative are relative ones. */
static bool are_relocations_sound(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic, uint64_t address, uint64_t n_bytes, uint64_t n_relative)
{
	const unsigned char *at = ek_elf_at_address(elf, address, n_bytes);
	uint64_t n = n_bytes / sizeof(Elf64_Rela);

	if (!at || n_relative > n)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		Elf64_Rela rela;

		memcpy(&rela, at + i * sizeof(rela), sizeof(rela));
		if (!is_in(elf, rela.r_offset, sizeof(uint64_t), PF_W) || !is_symbol(elf, dynamic, ELF64_R_SYM(rela.r_info)))
			return false;
		if (i < n_relative && ELF64_R_TYPE(rela.r_info) != R_RELATIVE)
			return false;
	}
	return true;
}

/* A table and its size come together, and what it holds is of the size that it says. */
static bool is_table_sound(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic, const int64_t *tags, uint64_t item_bytes)
{
	uint64_t at = ek_elf_dynamic_get(dynamic, tags[0]), n = ek_elf_dynamic_get(dynamic, tags[1]);

	return !at == !n && n % item_bytes == 0 && ek_elf_at_address(elf, at, n);
}

/* Versions of symbols, all or nothing. */
static bool are_versions_sound(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic)
{
	uint64_t needed = ek_elf_dynamic_get(dynamic, DT_VERNEED), defined = ek_elf_dynamic_get(dynamic, DT_VERDEF);
	uint64_t of_symbols = ek_elf_dynamic_get(dynamic, DT_VERSYM);

	if (!needed != !ek_elf_dynamic_get(dynamic, DT_VERNEEDNUM) || !defined != !ek_elf_dynamic_get(dynamic, DT_VERDEFNUM) ||
		!of_symbols != (!needed && !defined))
		return false;
	return (!needed || ek_elf_at_address(elf, needed, sizeof(Elf64_Verneed))) && (!defined || ek_elf_at_address(elf, defined, sizeof(Elf64_Verdef))) &&
	       (!of_symbols || ek_elf_at_address(elf, of_symbols, dynamic->n_symbols * sizeof(Elf64_Half)));
}

static bool are_tables_sound(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic)
{
	static const int64_t pointers[][2] = { { DT_INIT_ARRAY, DT_INIT_ARRAYSZ }, { DT_FINI_ARRAY, DT_FINI_ARRAYSZ } };
	static const int64_t relocations[][2] = { { DT_RELA, DT_RELASZ }, { DT_JMPREL, DT_PLTRELSZ } };
	static const int64_t code[] = { DT_INIT, DT_FINI };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = ek_elf_dynamic_get(dynamic, code[i]);

		if (at && !is_in(elf, at, 1, PF_X))
			return false;
		if (!is_table_sound(elf, dynamic, pointers[i], sizeof(uint64_t)) || !is_table_sound(elf, dynamic, relocations[i], sizeof(Elf64_Rela)))
			return false;
	}
	if (ek_elf_dynamic_get(dynamic, DT_SYMENT) != sizeof(Elf64_Sym))
		return false;
	if (ek_elf_dynamic_get(dynamic, DT_RELA) && ek_elf_dynamic_get(dynamic, DT_RELAENT) != sizeof(Elf64_Rela))
		return false;
	if (ek_elf_dynamic_get(dynamic, DT_JMPREL) && ek_elf_dynamic_get(dynamic, DT_PLTREL) != DT_RELA)
		return false;
	return are_versions_sound(elf, dynamic) &&
	       are_relocations_sound(elf, dynamic, ek_elf_dynamic_get(dynamic, DT_RELA), ek_elf_dynamic_get(dynamic, DT_RELASZ),
		       ek_elf_dynamic_get(dynamic, DT_RELACOUNT)) &&
	       are_relocations_sound(elf, dynamic, ek_elf_dynamic_get(dynamic, DT_JMPREL), ek_elf_dynamic_get(dynamic, DT_PLTRELSZ), 0);
}

/* What is exported as code must be mapped as code. */
static bool are_functions_sound(const struct ek_elf *elf, const struct ek_elf_dynamic *dynamic)
{
	for (uint64_t i = 1; i < dynamic->n_symbols; i++) {
		Elf64_Sym symbol = ek_elf_symbol(dynamic, i);

		if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
			!is_in(elf, symbol.st_value, 1, PF_X))
			return false;
	}
	return true;
}

int ek_elf_open_dynamic(const struct ek_elf *elf, struct ek_elf_dynamic *dynamic, struct ek_error *err)
{
	*dynamic = (struct ek_elf_dynamic){ 0 };
	if (!find_entries(elf, dynamic) || !find_symbols(elf, dynamic) || !are_tables_sound(elf, dynamic) || !are_functions_sound(elf, dynamic))
		return ek_fail(err, EK_INVALID, BROKEN);
	return EK_OK;
}
