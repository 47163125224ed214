/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an ELF file's program headers, our note and its dynamic symbols, trusting no number in it.
 * It maps and runs nothing, and does not judge versions: that is the loader's.
 * Read next: loader.c, the only caller; elf(5) for the structures.
 */
#include "plugin/elfnote.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define OUR_MACHINE      EM_X86_64
#define OUR_MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define OUR_MACHINE      EM_AARCH64
#define OUR_MACHINE_NAME "aarch64"
#else
#error "plugins are defined for x86-64 and aarch64"
#endif

#define NAMES_SHOWN    120 /* bytes of a list of names in a message */
#define BROKEN         "is not a whole shared object; copy it again or build it anew"
#define BROKEN_DYNAMIC "has a broken table of dynamic symbols; build it anew"

/* Part of the file: NULL where it does not lie inside. */
static const void *at_offset(const struct ek_elf *elf, uint64_t offset, uint64_t n)
{
	if (offset > elf->n || n > elf->n - offset)
		return NULL;
	return elf->bytes + offset;
}

static Elf64_Ehdr header_of(const struct ek_elf *elf)
{
	Elf64_Ehdr header;

	memcpy(&header, elf->bytes, sizeof(header));
	return header;
}

/* The i-th program header; ek_elf_open has checked that all lie inside. */
static Elf64_Phdr segment_of(const struct ek_elf *elf, unsigned i)
{
	Elf64_Ehdr header = header_of(elf);
	Elf64_Phdr segment;

	memcpy(&segment, elf->bytes + header.e_phoff + (uint64_t)i * sizeof(segment), sizeof(segment));
	return segment;
}

/* What will lie at an address once the file is mapped: NULL where no bytes of the file will. */
static const void *at_address(const struct ek_elf *elf, uint64_t address, uint64_t n)
{
	for (unsigned i = 0; i < header_of(elf).e_phnum; i++) {
		Elf64_Phdr segment = segment_of(elf, i);

		if (segment.p_type != PT_LOAD || address < segment.p_vaddr)
			continue;
		address -= segment.p_vaddr;
		if (address <= segment.p_filesz && n <= segment.p_filesz - address)
			return address > UINT64_MAX - segment.p_offset ? NULL : at_offset(elf, segment.p_offset + address, n);
		address += segment.p_vaddr;
	}
	return NULL;
}

/* ---- Opening ---- */

static int check_identity(const Elf64_Ehdr *header, struct ek_error *err)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return ek_fail(err, EK_INVALID, "is not an ELF file; a plugin is a shared object");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
		header->e_machine != OUR_MACHINE)
		return ek_fail(err, EK_INVALID, "was built for another machine; this host needs one for " OUR_MACHINE_NAME);
	if (header->e_type != ET_DYN)
		return ek_fail(err, EK_INVALID, "is not a shared object; link it with -shared");
	return EK_OK;
}

int ek_elf_open(const void *bytes, size_t n, struct ek_elf *elf, struct ek_error *err)
{
	Elf64_Ehdr header;
	int code;

	*elf = (struct ek_elf){ .bytes = bytes, .n = n };
	if (n < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return ek_fail(err, EK_INVALID, "is not an ELF file; a plugin is a shared object");
	if (n < sizeof(header))
		return ek_fail(err, EK_INVALID, BROKEN);
	header = header_of(elf);
	code = check_identity(&header, err);
	if (code != EK_OK)
		return code;
	if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum >= PN_XNUM ||
		!at_offset(elf, header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr)))
		return ek_fail(err, EK_INVALID, BROKEN);
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment = segment_of(elf, i);

		if (segment.p_filesz && !at_offset(elf, segment.p_offset, segment.p_filesz))
			return ek_fail(err, EK_INVALID, BROKEN);
	}
	return EK_OK;
}

/* ---- The note ---- */

static uint64_t padded(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

static bool is_ours(const Elf64_Nhdr *head, const char *name)
{
	return head->n_namesz == sizeof(EK_NOTE_NAME) && head->n_type == EK_NOTE_TYPE &&
	       !memcmp(name, EK_NOTE_NAME, sizeof(EK_NOTE_NAME));
}

/* Counts our notes in one PT_NOTE segment and keeps the last. False: a note reaches beyond the segment. */
static bool scan_notes(const char *at, uint64_t n, struct ek_plugin_note *found, unsigned *n_found)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr head;
		uint64_t whole;

		memcpy(&head, at, sizeof(head));
		whole = sizeof(head) + padded(head.n_namesz) + padded(head.n_descsz);
		if (whole > n)
			return false;
		if (is_ours(&head, at + sizeof(head))) {
			if (whole != sizeof(*found))
				return false;
			memcpy(found, at, sizeof(*found));
			++*n_found;
		}
		at += whole;
		n -= whole;
	}
	return true;
}

int ek_elf_read_note(const struct ek_elf *elf, struct ek_plugin_note *note, struct ek_error *err)
{
	unsigned n_found = 0;

	for (unsigned i = 0; i < header_of(elf).e_phnum; i++) {
		Elf64_Phdr segment = segment_of(elf, i);

		/* Notes of 8-byte alignment (.note.gnu.property) have segments of their own. */
		if (segment.p_type != PT_NOTE || segment.p_align > 4)
			continue;
		if (!scan_notes(at_offset(elf, segment.p_offset, segment.p_filesz), segment.p_filesz, note, &n_found))
			return ek_fail(err, EK_INVALID, "has a broken ELF note; build it anew");
	}
	if (n_found == 0)
		return ek_fail(err, EK_INVALID, "has no EureKube note; is it a plugin? EK_PLUGIN_DEFINE makes the note");
	if (n_found > 1)
		return ek_fail(err, EK_INVALID, "has %u EureKube notes; use EK_PLUGIN_DEFINE once per shared object", n_found);
	return EK_OK;
}

/* ---- Dynamic symbols ---- */

struct dynamic {
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
	const char *text;       /* the string table */
	uint64_t n_symbols;
	uint64_t needed[EK_ELF_LIBRARIES_MAX], rpath, runpath; /* in the string table; 0 none */
	unsigned n_needed;      /* may be more than there is room for */
};

static void note_entry(struct dynamic *dynamic, const Elf64_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_SYMTAB:
		dynamic->symbols = entry->d_un.d_ptr;
		break;
	case DT_STRTAB:
		dynamic->strings = entry->d_un.d_ptr;
		break;
	case DT_STRSZ:
		dynamic->strings_size = entry->d_un.d_val;
		break;
	case DT_HASH:
		dynamic->hash = entry->d_un.d_ptr;
		break;
	case DT_GNU_HASH:
		dynamic->gnu_hash = entry->d_un.d_ptr;
		break;
	case DT_NEEDED:
		if (dynamic->n_needed++ < EK_ELF_LIBRARIES_MAX)
			dynamic->needed[dynamic->n_needed - 1] = entry->d_un.d_val;
		break;
	case DT_RPATH:
		dynamic->rpath = entry->d_un.d_val;
		break;
	case DT_RUNPATH:
		dynamic->runpath = entry->d_un.d_val;
		break;
	default:
		break;
	}
}

static bool read_word(const struct ek_elf *elf, uint64_t address, uint32_t *word)
{
	const void *at = at_address(elf, address, sizeof(*word));

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

static bool count_symbols(const struct ek_elf *elf, struct dynamic *dynamic)
{
	uint32_t n;

	if (dynamic->gnu_hash)
		return count_by_gnu_hash(elf, dynamic->gnu_hash, &dynamic->n_symbols);
	if (!dynamic->hash || !read_word(elf, dynamic->hash + 4, &n))
		return false;
	dynamic->n_symbols = n;
	return true;
}

static bool read_dynamic(const struct ek_elf *elf, struct dynamic *dynamic)
{
	*dynamic = (struct dynamic){ 0 };
	for (unsigned i = 0; i < header_of(elf).e_phnum; i++) {
		Elf64_Phdr segment = segment_of(elf, i);
		Elf64_Dyn entry;

		if (segment.p_type != PT_DYNAMIC)
			continue;
		for (uint64_t at = 0; at + sizeof(entry) <= segment.p_filesz; at += sizeof(entry)) {
			memcpy(&entry, elf->bytes + segment.p_offset + at, sizeof(entry));
			if (entry.d_tag == DT_NULL)
				break;
			note_entry(dynamic, &entry);
		}
	}
	dynamic->text = at_address(elf, dynamic->strings, dynamic->strings_size);
	return dynamic->text && dynamic->strings_size && !dynamic->text[dynamic->strings_size - 1] &&
	       count_symbols(elf, dynamic) && dynamic->n_symbols <= elf->n / sizeof(Elf64_Sym) &&
	       at_address(elf, dynamic->symbols, dynamic->n_symbols * sizeof(Elf64_Sym));
}

static bool is_export(const Elf64_Sym *symbol)
{
	unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);

	return symbol->st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/* "a, b, c, ..." */
static void add_name(char *names, size_t size, const char *name)
{
	size_t n = strlen(names);
	int more = snprintf(names + n, size - n, "%s%s", n ? ", " : "", name);

	if (more < 0 || (size_t)more >= size - n)
		snprintf(names + n, size - n, "%s", n && size - n > 5 ? ", ..." : "");
}

struct exports {
	bool has_entry, is_function;
	unsigned n_others;
	char others[NAMES_SHOWN];
	char unique[NAMES_SHOWN];
};

static bool scan_symbols(const struct ek_elf *elf, const struct dynamic *dynamic, const char *only, struct exports *exports)
{
	*exports = (struct exports){ 0 };
	for (uint64_t i = 1; i < dynamic->n_symbols; i++) {
		Elf64_Sym symbol;
		const char *name;

		memcpy(&symbol, at_address(elf, dynamic->symbols + i * sizeof(symbol), sizeof(symbol)), sizeof(symbol));
		if (symbol.st_name >= dynamic->strings_size)
			return false;
		name = dynamic->text + symbol.st_name;
		if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE)
			add_name(exports->unique, sizeof(exports->unique), name);
		if (!is_export(&symbol))
			continue;
		if (!strcmp(name, only)) {
			exports->has_entry = true;
			exports->is_function = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC;
		} else {
			exports->n_others++;
			add_name(exports->others, sizeof(exports->others), name);
		}
	}
	return true;
}

int ek_elf_check_exports(const struct ek_elf *elf, const char *only, struct ek_error *err)
{
	struct dynamic dynamic;
	struct exports exports;

	if (!read_dynamic(elf, &dynamic) || !scan_symbols(elf, &dynamic, only, &exports))
		return ek_fail(err, EK_INVALID, BROKEN_DYNAMIC);
	if (exports.unique[0])
		return ek_fail(err, EK_INVALID, "has GNU_UNIQUE symbols (%s), which all plugins would share; build it with -fno-gnu-unique",
			exports.unique);
	if (!exports.has_entry)
		return ek_fail(err, EK_INVALID, "does not export %s; define the plugin by EK_PLUGIN_DEFINE and link it with plugin.map",
			only);
	if (!exports.is_function)
		return ek_fail(err, EK_INVALID, "exports %s, but not as a function; define the plugin by EK_PLUGIN_DEFINE", only);
	if (exports.n_others)
		return ek_fail(err, EK_INVALID, "exports more than %s (%s); link it with plugin.map", only, exports.others);
	return EK_OK;
}

/* ---- Libraries ---- */

int ek_elf_read_libraries(const struct ek_elf *elf, struct ek_elf_libraries *libraries, struct ek_error *err)
{
	struct dynamic dynamic;
	uint64_t search;

	*libraries = (struct ek_elf_libraries){ .search = "" };
	if (!read_dynamic(elf, &dynamic))
		return ek_fail(err, EK_INVALID, BROKEN_DYNAMIC);
	if (dynamic.n_needed > EK_ELF_LIBRARIES_MAX)
		return ek_fail(err, EK_INVALID, "needs %u libraries; a plugin has at most %d", dynamic.n_needed, EK_ELF_LIBRARIES_MAX);
	search = dynamic.runpath ? dynamic.runpath : dynamic.rpath;
	if (search >= dynamic.strings_size)
		return ek_fail(err, EK_INVALID, BROKEN_DYNAMIC);
	libraries->search = search ? dynamic.text + search : "";
	for (unsigned i = 0; i < dynamic.n_needed; i++) {
		if (dynamic.needed[i] >= dynamic.strings_size)
			return ek_fail(err, EK_INVALID, BROKEN_DYNAMIC);
		libraries->names[libraries->n++] = dynamic.text + dynamic.needed[i];
	}
	return EK_OK;
}
