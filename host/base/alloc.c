/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that does not fail, and the last words of a broken invariant.
 * It neither counts nor pools: the allocator of the C library does that better.
 * Next: arena.c, for many small pieces with one end.
 */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __attribute__((noreturn)) void die_out_of_memory(size_t n, size_t size)
{
	fprintf(stderr, "eurekube: out of memory: %zu * %zu bytes\n", n, size);
	abort();
}

void *ek_xmalloc(size_t n)
{
	void *memory = malloc(n ? n : 1);

	if (!memory)
		die_out_of_memory(n, 1);
	return memory;
}

void *ek_xcalloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size ? size : 1);

	if (!memory)
		die_out_of_memory(n, size);
	return memory;
}

void *ek_xrealloc(void *old, size_t n, size_t size)
{
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(n, size, &bytes))
		die_out_of_memory(n, size);
	memory = realloc(old, bytes ? bytes : 1);
	if (!memory)
		die_out_of_memory(n, size);
	return memory;
}

char *ek_xstrdup(const char *text)
{
	return text ? ek_xstrndup(text, strlen(text)) : NULL;
}

char *ek_xstrndup(const char *text, size_t n)
{
	size_t length = strnlen(text, n);
	char *copy = ek_xmalloc(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void ek_bug(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "eurekube: bug at %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
