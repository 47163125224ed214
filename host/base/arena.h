/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: many small allocations that end together. Used for the scratch view of one reconcile, and for parsed
 * documents. Reset keeps the largest block, so a steady caller stops allocating.
 */
#ifndef EK_BASE_ARENA_H
#define EK_BASE_ARENA_H

#include <stddef.h>

struct ek_arena_block;
struct ek_arena {
	struct ek_arena_block *blocks;
};

void ek_arena_init(struct ek_arena *arena);
void ek_arena_clear(struct ek_arena *arena);
void ek_arena_reset(struct ek_arena *arena);
void *ek_arena_alloc(struct ek_arena *arena, size_t n);  /* zeroed, aligned to 16 */
char *ek_arena_strdup(struct ek_arena *arena, const char *text);   /* NULL gives NULL */
char *ek_arena_strndup(struct ek_arena *arena, const char *text, size_t n);
__attribute__((format(printf, 2, 3))) char *ek_arena_printf(struct ek_arena *arena, const char *format, ...);

#endif
