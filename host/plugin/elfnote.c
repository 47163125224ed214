/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shared object says about itself as a plugin: our note, its exports, the libraries that it needs.
 * It maps and runs nothing, and does not judge versions: that is the loader's.
 * Read next: loader.c, the only caller; elffile.h for how the bytes are read.
 */
#include "plugin/elfnote.h"

#include <stdbool.h>
#include <string.h>

#define BROKEN_NAMES "has a broken table of dynamic symbols; build it anew"
#define NAMES_SHOWN  120 /* bytes of a list of names in a message */

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

	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr segment = ek_elf_segment(elf, i);

		/* Notes of 8-byte alignment (.note.gnu.property) have segments of their own. */
		if (segment.p_type != PT_NOTE || segment.p_align > 4)
			continue;
		if (!scan_notes(ek_elf_at_offset(elf, segment.p_offset, segment.p_filesz), segment.p_filesz, note, &n_found))
			return ek_fail(err, EK_INVALID, "has a broken ELF note; build it anew");
	}
	if (n_found == 0)
		return ek_fail(err, EK_INVALID, "has no EureKube note; is it a plugin? EK_PLUGIN_DEFINE makes the note");
	if (n_found > 1)
		return ek_fail(err, EK_INVALID, "has %u EureKube notes; use EK_PLUGIN_DEFINE once per shared object", n_found);
	return EK_OK;
}

/* ---- Exports ---- */

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

static bool scan_symbols(const struct ek_elf_dynamic *dynamic, const char *only, struct exports *exports)
{
	*exports = (struct exports){ 0 };
	for (uint64_t i = 1; i < dynamic->n_symbols; i++) {
		Elf64_Sym symbol = ek_elf_symbol(dynamic, i);
		const char *name;

		if (symbol.st_name >= dynamic->n_text)
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

int ek_elf_check_exports(const struct ek_elf_dynamic *dynamic, const char *only, struct ek_error *err)
{
	struct exports exports;

	if (!scan_symbols(dynamic, only, &exports))
		return ek_fail(err, EK_INVALID, BROKEN_NAMES);
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

int ek_elf_read_libraries(const struct ek_elf_dynamic *dynamic, struct ek_elf_libraries *libraries, struct ek_error *err)
{
	uint64_t runpath = ek_elf_dynamic_get(dynamic, DT_RUNPATH);
	uint64_t search = runpath ? runpath : ek_elf_dynamic_get(dynamic, DT_RPATH);

	*libraries = (struct ek_elf_libraries){ .search = "" };
	if (search >= dynamic->n_text)
		return ek_fail(err, EK_INVALID, BROKEN_NAMES);
	if (search)
		libraries->search = dynamic->text + search;
	for (unsigned i = 0; i < dynamic->n_entries; i++) {
		Elf64_Dyn entry = ek_elf_dynamic_at(dynamic, i);

		if (entry.d_tag != DT_NEEDED)
			continue;
		if (entry.d_un.d_val >= dynamic->n_text)
			return ek_fail(err, EK_INVALID, BROKEN_NAMES);
		if (libraries->n == EK_ELF_LIBRARIES_MAX)
			return ek_fail(err, EK_INVALID, "needs more than %d libraries; link some statically", EK_ELF_LIBRARIES_MAX);
		libraries->names[libraries->n++] = dynamic->text + entry.d_un.d_val;
	}
	return EK_OK;
}
