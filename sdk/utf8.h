/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, one sequence at a time, as RFC 3629 has it: nothing overlong, no surrogates, nothing above U+10FFFF. */
#ifndef EK_SDK_UTF8_H
#define EK_SDK_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_is_tail(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The length of the sequence that begins with a byte above 0x7f, or 0 if there is none. */
static inline size_t utf8_sequence(const char *bytes, const char *end)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t left = (size_t)(end - bytes);

	if (left < 2 || at[0] < 0xc2 || at[0] > 0xf4 || !utf8_is_tail(at[1]))
		return 0;
	if (at[0] < 0xe0)
		return 2;
	if (left < 3 || !utf8_is_tail(at[2]))
		return 0;
	if (at[0] < 0xf0) {
		if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f))
			return 0;
		return 3;
	}
	if (left < 4 || !utf8_is_tail(at[3]))
		return 0;
	if ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return 4;
}

/* Writes a code point, which must be one, and returns how many bytes it took. */
static inline size_t utf8_encode(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

#endif
