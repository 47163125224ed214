/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation for a daemon: out of memory is logged on stderr and aborts, in one place. Sizes are checked for overflow. */
#ifndef EK_BASE_ALLOC_H
#define EK_BASE_ALLOC_H

#include <stddef.h>

void *ek_xmalloc(size_t n);
void *ek_xcalloc(size_t n, size_t size);
void *ek_xrealloc(void *old, size_t n, size_t size);   /* n * size bytes */
char *ek_xstrdup(const char *text);                     /* NULL gives NULL */
char *ek_xstrndup(const char *text, size_t n);

/* Our own bug: prints the place and the text to stderr and aborts. */
#define EK_BUG(...) ek_bug(__FILE__, __LINE__, __VA_ARGS__)
__attribute__((noreturn, format(printf, 3, 4))) void ek_bug(const char *file, int line, const char *format, ...);

#endif
