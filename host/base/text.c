/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 without control characters: what people and registries can be shown. It converts between no encodings. Read log_line.c next for what a log makes of
 * the rest.
 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

unsigned ek_utf8_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned n, i;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	n = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
		(at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Eight bytes at once, all of them printable ASCII: what nearly all texts are made of. */
static bool is_plain_word(const char *text)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x80 * ones;
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return !((word | (word - 0x20 * ones) | (word + ones)) & highs);
}

bool ek_text_is_good(const char *text, size_t maximum)
{
	const char *end;

	if (!text || strnlen(text, maximum + 1) > maximum)
		return false;
	end = text + strlen(text);
	while (end - text >= 8 && is_plain_word(text))
		text += 8;
	while (*text) {
		unsigned n = is_control(*text) ? 0 : ek_utf8_length(text);

		if (!n)
			return false;
		text += n;
	}
	return true;
}

void ek_text_copy(char *out, size_t size, const char *text)
{
	size_t n = text ? strnlen(text, size - 1) : 0, at = 0;

	if (n)
		memcpy(out, text, n);
	out[n] = '\0';
	while (at < n) {
		unsigned length = is_control(out[at]) ? 0 : ek_utf8_length(out + at);

		if (!length)
			out[at] = '?';
		at += length ? length : 1;
	}
}

bool ek_text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}
