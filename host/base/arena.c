/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small allocations that end together, cut from blocks that double in size.
 * Single pieces are never given back, and nothing here has a limit: whoever fills an arena from
 * outside bounds the input. Next: intern.c, for strings that live as long as somebody needs them.
 */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT   16
#define FIRST_BYTES 4064           /* with the header and malloc's, a page */
#define LAST_BYTES  (1024 * 1024)

/* The first of the list is the one that is cut from. */
struct ek_arena_block {
	struct ek_arena_block *next;
	size_t used, room;
	alignas(ALIGNMENT) char bytes[];
};

void ek_arena_init(struct ek_arena *arena)
{
	arena->blocks = NULL;
}

static void free_blocks(struct ek_arena_block *block)
{
	while (block) {
		struct ek_arena_block *next = block->next;

		free(block);
		block = next;
	}
}

void ek_arena_clear(struct ek_arena *arena)
{
	free_blocks(arena->blocks);
	arena->blocks = NULL;
}

void ek_arena_reset(struct ek_arena *arena)
{
	struct ek_arena_block **largest = &arena->blocks, **at, *kept;

	if (!arena->blocks)
		return;
	for (at = &arena->blocks->next; *at; at = &(*at)->next)
		if ((*at)->room > (*largest)->room)
			largest = at;
	kept = *largest;
	*largest = kept->next;
	free_blocks(arena->blocks);
	kept->next = NULL;
	kept->used = 0;
	arena->blocks = kept;
}

static struct ek_arena_block *add_block(struct ek_arena *arena, size_t n)
{
	size_t room = arena->blocks ? arena->blocks->room * 2 : FIRST_BYTES;
	struct ek_arena_block *block;

	if (room > LAST_BYTES)
		room = LAST_BYTES;
	if (room < n)
		room = n;
	block = ek_xmalloc(sizeof(*block) + room);
	block->next = arena->blocks;
	block->used = 0;
	block->room = room;
	arena->blocks = block;
	return block;
}

static void *cut(struct ek_arena *arena, size_t n)
{
	struct ek_arena_block *block = arena->blocks;
	void *piece;

	if (n > SIZE_MAX / 4)
		EK_BUG("an arena is asked for %zu bytes", n);
	n = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!block || block->room - block->used < n)
		block = add_block(arena, n);
	piece = block->bytes + block->used;
	block->used += n;
	return piece;
}

void *ek_arena_alloc(struct ek_arena *arena, size_t n)
{
	void *piece = cut(arena, n);

	memset(piece, 0, n);
	return piece;
}

char *ek_arena_strdup(struct ek_arena *arena, const char *text)
{
	return text ? ek_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *ek_arena_strndup(struct ek_arena *arena, const char *text, size_t n)
{
	size_t length = strnlen(text, n);
	char *copy = cut(arena, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *ek_arena_printf(struct ek_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		EK_BUG("bad format \"%s\"", format);
	text = cut(arena, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}
