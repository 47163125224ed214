/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks strings, numbers and whole values of JSON and moves past them, quickly: most of what is read is passed over.
 * It keeps nothing and converts nothing but the escapes of a string.
 * Next: json_reader.c, which walks a document with it.
 */
#include "json_scan.h"

#include "utf8.h"

/* ---- Strings ---- */

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* Bytes that may stand in a string as they are: not '"', '\', a control character, or part of a longer UTF-8 sequence. Eight at a time; the lowest
 * flag is exact, since borrows only run upwards. */
static inline const char *skip_plain(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t v, quote, slash, flags;

		memcpy(&v, at, 8);
		quote = v ^ (ONES * '"');
		slash = v ^ (ONES * '\\');
		flags = (((v - ONES * 0x20) & ~v) | ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | v) & HIGHS;
		if (flags)
			return at + (__builtin_ctzll(flags) >> 3);
		at += 8;
	}
	while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
		at++;
	return at;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hexadecimal digits; -1 if there are none. */
static int32_t hex_unit(const char *at, const char *end)
{
	int32_t unit = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* Behind "\u": the code point, and how many bytes it took; -1 for anything that is no character (half a pair, too). */
static int32_t unicode_escape(const char *at, const char *end, size_t *n)
{
	int32_t unit = hex_unit(at, end), low;

	*n = 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit > 0xdbff || end - at < 10 || at[4] != '\\' || at[5] != 'u')
		return -1;
	low = hex_unit(at + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	*n = 10;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

static char short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	}
	return 0;
}

/* At a backslash. */
static bool scan_escape(struct ek_json *json)
{
	size_t n;

	if (json->end - json->at < 2)
		return ek_json_fault(json, "the text ends within a string");
	if (json->at[1] != 'u') {
		if (!short_escape(json->at[1]))
			return ek_json_fault(json, "no such escape");
		json->at += 2;
		return true;
	}
	if (unicode_escape(json->at + 2, json->end, &n) < 0)
		return ek_json_fault(json, "\\u without a character");
	json->at += 2 + n;
	return true;
}

bool ek_json_scan_string(struct ek_json *json, struct ek_slice *content, bool *has_escapes)
{
	const char *start = ++json->at;
	size_t n;

	*has_escapes = false;
	for (;;) {
		json->at = skip_plain(json->at, json->end);
		if (json->at == json->end)
			return ek_json_fault(json, "the text ends within a string");
		if (*json->at == '"')
			break;
		if (*json->at == '\\') {
			*has_escapes = true;
			if (!scan_escape(json))
				return false;
			continue;
		}
		if ((unsigned char)*json->at < 0x20)
			return ek_json_fault(json, "a control character in a string");
		n = utf8_sequence(json->at, json->end);
		if (!n)
			return ek_json_fault(json, "a string is not UTF-8");
		json->at += n;
	}
	content->at = start;
	content->n = (size_t)(json->at - start);
	json->at++;
	return true;
}

bool ek_json_decode(struct ek_json *json, struct ek_slice content, char *out, size_t size, size_t *n)
{
	const char *at = content.at, *end = content.at + content.n;
	size_t used = 0;

	while (at < end) {
		char piece[4];
		size_t n_piece = 1, n_escape;

		if (*at != '\\') {
			piece[0] = *at++;
		} else if (at[1] != 'u') {
			piece[0] = short_escape(at[1]);
			at += 2;
		} else {
			int32_t point = unicode_escape(at + 2, end, &n_escape);

			if (point <= 0)
				return ek_json_fault(json, "U+0000 in a text");
			n_piece = utf8_encode((uint32_t)point, piece);
			at += 2 + n_escape;
		}
		if (size - used < n_piece)
			return ek_json_fault(json, "a text is too long");
		memcpy(out + used, piece, n_piece);
		used += n_piece;
	}
	*n = used;
	return true;
}

/* ---- Numbers and words ---- */

static bool skip_digits(struct ek_json *json)
{
	const char *start = json->at;

	while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
		json->at++;
	return json->at > start;
}

static bool skip_one(struct ek_json *json, char a, char b)
{
	if (json->at == json->end || (*json->at != a && *json->at != b))
		return false;
	json->at++;
	return true;
}

bool ek_json_scan_number(struct ek_json *json, struct ek_slice *number)
{
	const char *start = json->at;

	skip_one(json, '-', '-');
	if (!skip_one(json, '0', '0') && !skip_digits(json))
		return ek_json_fault(json, "not a number");
	if (skip_one(json, '.', '.') && !skip_digits(json))
		return ek_json_fault(json, "a number without digits behind its point");
	if (skip_one(json, 'e', 'E')) {
		skip_one(json, '+', '-');
		if (!skip_digits(json))
			return ek_json_fault(json, "a number without digits in its exponent");
	}
	number->at = start;
	number->n = (size_t)(json->at - start);
	return true;
}

bool ek_json_scan_word(struct ek_json *json, const char *word, size_t n)
{
	if ((size_t)(json->end - json->at) < n || memcmp(json->at, word, n) != 0)
		return ek_json_fault(json, "neither a value nor null, true or false");
	json->at += n;
	return true;
}

/* ---- Whole values ---- */

static bool scan_scalar(struct ek_json *json)
{
	struct ek_slice text;
	bool has_escapes;

	if (json->at == json->end)
		return ek_json_fault(json, "the text ends where a value was expected");
	switch (*json->at) {
	case '"':
		return ek_json_scan_string(json, &text, &has_escapes);
	case 't':
		return ek_json_scan_word(json, "true", 4);
	case 'f':
		return ek_json_scan_word(json, "false", 5);
	case 'n':
		return ek_json_scan_word(json, "null", 4);
	default:
		return ek_json_scan_number(json, &text);
	}
}

/* Key and colon, up to the value. */
static bool scan_key(struct ek_json *json)
{
	struct ek_slice text;
	bool has_escapes;

	ek_json_skip_space(json);
	if (json->at == json->end || *json->at != '"')
		return ek_json_fault(json, "a key was expected");
	if (!ek_json_scan_string(json, &text, &has_escapes))
		return false;
	ek_json_skip_space(json);
	if (!skip_one(json, ':', ':'))
		return ek_json_fault(json, "a colon was expected");
	return true;
}

/* The containers that are open, innermost in the lowest bit: 1 for an object. */
struct nest {
	uint64_t objects;
	uint32_t n;
};

EK_STATIC_ASSERT(EK_JSON_DEPTH <= 64, "a nest has a bit for each level");

/* At '{' or '['. Enters it, or passes it if it is empty (then *is_value). */
static bool open_container(struct ek_json *json, struct nest *nest, bool *is_value)
{
	bool is_object = *json->at == '{';

	if (json->depth + nest->n >= EK_JSON_DEPTH)
		return ek_json_fault(json, "nested too deeply");
	json->at++;
	ek_json_skip_space(json);
	*is_value = skip_one(json, is_object ? '}' : ']', is_object ? '}' : ']');
	if (*is_value)
		return true;
	nest->objects = nest->objects << 1 | is_object;
	nest->n++;
	return !is_object || scan_key(json);
}

/* Behind a value: closes what ends here; true with nest->n > 0 stands before the next value. */
static bool close_containers(struct ek_json *json, struct nest *nest)
{
	while (nest->n) {
		bool is_object = nest->objects & 1;

		ek_json_skip_space(json);
		if (skip_one(json, ',', ','))
			return !is_object || scan_key(json);
		if (!skip_one(json, is_object ? '}' : ']', is_object ? '}' : ']'))
			return ek_json_fault(json, is_object ? "a comma or } was expected" : "a comma or ] was expected");
		nest->objects >>= 1;
		nest->n--;
	}
	return true;
}

bool ek_json_scan_value(struct ek_json *json)
{
	struct nest nest = { 0 };
	bool is_value;

	do {
		ek_json_skip_space(json);
		is_value = true;
		if (json->at < json->end && (*json->at == '{' || *json->at == '[')) {
			if (!open_container(json, &nest, &is_value))
				return false;
		} else if (!scan_scalar(json)) {
			return false;
		}
		if (is_value && !close_containers(json, &nest))
			return false;
	} while (nest.n);
	return true;
}
