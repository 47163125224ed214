/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that come from outside: judged and copied within bounds. */
#ifndef EK_BASE_TEXT_H
#define EK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the well-formed UTF-8 sequence at `at`, 0 if it is none. Reads no further than the first byte that does not belong to it. */
unsigned ek_utf8_length(const char *at);

/* Whether it ends within `maximum` bytes, is UTF-8 and holds no control characters. NULL is none. */
bool ek_text_is_good(const char *text, size_t maximum);

/* Copies what fits, with '?' for each byte that is no good; NULL gives an empty text. Reads no more than `size` bytes. */
void ek_text_copy(char *out, size_t size, const char *text);

/* Whether both are the same text, or both NULL. */
bool ek_text_same(const char *a, const char *b);

#endif
