/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the header and the segments of an ELF file, and checks that the one is for us and the others fit together.
 * It maps and runs nothing, and knows nothing of plugins.
 * Read next: elfdynamic.c for the dynamic table, elfnote.c for what a plugin says of itself; elf(5) for the structures.
 */
#include "plugin/elffile.h"

#include <stdbool.h>
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

#define BROKEN    "is not a whole shared object; copy it again or build it anew"
#define SPAN_MAX  (1u << 30)   /* of all segments in memory */
#define ALIGN_MAX (1u << 22)

const void *ek_elf_at_offset(const struct ek_elf *elf, uint64_t offset, uint64_t n)
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

unsigned ek_elf_n_segments(const struct ek_elf *elf)
{
	return header_of(elf).e_phnum;
}

Elf64_Phdr ek_elf_segment(const struct ek_elf *elf, unsigned i)
{
	Elf64_Ehdr header = header_of(elf);
	Elf64_Phdr segment;

	memcpy(&segment, elf->bytes + header.e_phoff + (uint64_t)i * sizeof(segment), sizeof(segment));
	return segment;
}

const void *ek_elf_at_address(const struct ek_elf *elf, uint64_t address, uint64_t n)
{
	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr segment = ek_elf_segment(elf, i);

		if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr <= segment.p_filesz &&
			n <= segment.p_filesz - (address - segment.p_vaddr))
			return ek_elf_at_offset(elf, segment.p_offset + (address - segment.p_vaddr), n);
	}
	return NULL;
}

/* ---- The header ---- */

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

static bool is_header_whole(const struct ek_elf *elf, const Elf64_Ehdr *header)
{
	return header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum != 0 && header->e_phnum < PN_XNUM &&
	       ek_elf_at_offset(elf, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr));
}

/* ---- Segments ---- */

/* What is to be mapped: in ascending order, as the dynamic loader takes for granted. The ends are those of the one before, in memory and in the file. */
static bool is_load_sound(const Elf64_Phdr *segment, uint64_t *end, uint64_t *file_end)
{
	bool has_zeroes = segment->p_memsz > segment->p_filesz;

	if (segment->p_vaddr < *end || (segment->p_filesz && segment->p_offset < *file_end))
		return false;
	if (segment->p_vaddr > SPAN_MAX || segment->p_memsz > SPAN_MAX || segment->p_filesz > segment->p_memsz)
		return false;
	if (!segment->p_align || segment->p_align > ALIGN_MAX || segment->p_align & (segment->p_align - 1) ||
		((segment->p_vaddr - segment->p_offset) & (segment->p_align - 1)))
		return false;
	*end = segment->p_vaddr + segment->p_memsz;
	*file_end = segment->p_offset + segment->p_filesz;
	/* Zeroes behind the file's bytes have to be written there. */
	return segment->p_flags & PF_R && (!has_zeroes || segment->p_flags & PF_W);
}

/* Everything else is a view of something that is mapped, at the same distance from its beginning. */
static bool is_view_of(const Elf64_Phdr *view, const Elf64_Phdr *load)
{
	uint64_t n = view->p_type == PT_TLS ? view->p_filesz : view->p_memsz, at = view->p_vaddr - load->p_vaddr;
	uint64_t end = (load->p_vaddr + load->p_memsz + load->p_align - 1) & ~(load->p_align - 1); /* what is protected may end with the page */

	return load->p_type == PT_LOAD && view->p_vaddr >= load->p_vaddr && view->p_vaddr <= end && n <= end - view->p_vaddr &&
	       view->p_offset - load->p_offset == at;
}

static bool is_view_sound(const struct ek_elf *elf, const Elf64_Phdr *view)
{
	if (view->p_type == PT_NULL || view->p_type == PT_GNU_STACK)
		return true;
	if (view->p_type == PT_TLS && view->p_memsz > SPAN_MAX)
		return false;
	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr load = ek_elf_segment(elf, i);

		if (is_view_of(view, &load))
			return true;
	}
	return false;
}

static bool are_segments_sound(const struct ek_elf *elf)
{
	uint64_t end = 0, file_end = 0;

	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr segment = ek_elf_segment(elf, i);

		if (segment.p_filesz && !ek_elf_at_offset(elf, segment.p_offset, segment.p_filesz))
			return false;
		if (segment.p_type == PT_LOAD && !is_load_sound(&segment, &end, &file_end))
			return false;
	}
	for (unsigned i = 0; i < ek_elf_n_segments(elf); i++) {
		Elf64_Phdr segment = ek_elf_segment(elf, i);

		if (segment.p_type != PT_LOAD && !is_view_sound(elf, &segment))
			return false;
	}
	return true;
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
	if (!is_header_whole(elf, &header) || !are_segments_sound(elf))
		return ek_fail(err, EK_INVALID, BROKEN);
	return EK_OK;
}
