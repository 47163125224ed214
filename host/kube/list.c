/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the body of a list into its items while it arrives, and keeps its position from metadata, wherever that stands.
 * It checks only the frame; whoever reads an item checks that.
 * Next: resources.c, which reads the items.
 */
#include "kube/watch.h"

#include <string.h>

#define KEPT_BYTES    (1u << 20)
#define KEY_BYTES     4096u
#define TOKEN_BYTES   65536u

enum state {
	STATE_START,      /* before the opening brace */
	STATE_MEMBER,     /* before a key, a comma or the closing brace */
	STATE_KEY,
	STATE_COLON,
	STATE_VALUE,      /* before the value of a key */
	STATE_WORD,       /* in a number, true, false or null */
	STATE_SKIP,       /* in a value that nobody wants */
	STATE_METADATA,   /* in the object of metadata */
	STATE_ITEMS,      /* before an item, a comma or the closing bracket */
	STATE_ITEM,       /* in an item */
	STATE_END,        /* behind the closing brace */
};

/* What may come between values. */
enum separation { NEEDS_COMMA, IS_FIRST, HAS_COMMA };

static int refuse(const char *what, struct ek_error *err)
{
	return ek_fail(err, EK_INVALID, "the answer is not a list of objects: %s", what);
}

static int refuse_size(struct ek_error *err)
{
	return ek_fail(err, EK_TOO_BIG, "an item of the list has more than %u bytes", EK_WATCH_EVENT_MAX);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* ---- Values, however deep ---- */

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* The next '"' or '\\', or `end`. Most bytes of a list stand in strings, so eight at a time; the lowest flag is exact. */
static inline const char *find_quote(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t v, quote, slash, flags;

		memcpy(&v, at, 8);
		quote = v ^ (ONES * '"');
		slash = v ^ (ONES * '\\');
		flags = (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) & HIGHS;
		if (flags)
			return at + (__builtin_ctzll(flags) >> 3);
		at += 8;
	}
	while (at < end && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* Behind the end of the string that s is in, or `end`. */
static const char *scan_string(struct ek_list_splitter *s, const char *at, const char *end)
{
	if (s->is_escaped && at < end) {
		s->is_escaped = false;
		at++;
	}
	while ((at = find_quote(at, end)) < end) {
		if (*at == '"') {
			s->in_string = false;
			return at + 1;
		}
		s->is_escaped = ++at == end;
		at += at < end;
	}
	return end;
}

/* What ends a run of bytes outside of strings: 1 opens, 2 closes, 3 begins a string. */
static const unsigned char structure[256] = { ['{'] = 1, ['['] = 1, ['}'] = 2, [']'] = 2, ['"'] = 3 };

/* Behind the value that s is in (then s->depth is 0), or `end`. */
static const char *scan_value(struct ek_list_splitter *s, const char *at, const char *end)
{
	size_t depth = s->depth;

	while (at < end) {
		if (s->in_string) {
			at = scan_string(s, at, end);
			if (!depth && !s->in_string)
				break;
			continue;
		}
		switch (structure[(unsigned char)*at++]) {
		case 1:
			depth++;
			break;
		case 2:
			if (--depth > 0)
				break;
			s->depth = 0;
			return at;
		case 3:
			s->in_string = true;
			break;
		}
	}
	s->depth = depth;
	return at;
}

/* ---- What is kept: items and metadata ---- */

/* A value ended, so a comma or the end comes next. */
static void leave_value(struct ek_list_splitter *s, enum state state)
{
	s->state = state;
	s->separation = NEEDS_COMMA;
}

static void read_metadata(struct ek_list_splitter *s, struct ek_json *json)
{
	struct ek_slice key, token;
	char scratch[KEY_BYTES];

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "resourceVersion")) {
			ek_json_text(json, s->resource_version, sizeof(s->resource_version));
		} else if (ek_slice_equals(key, "continue")) {
			token = ek_json_slice(json, scratch, sizeof(scratch));
			ek_buf_reset(&s->continue_token);
			if (ek_buf_add(&s->continue_token, token.at, token.n) != EK_OK)
				ek_json_fail(json, "its continue token is too long");
		} else {
			ek_json_skip(json);
		}
	}
}

static int take_whole(struct ek_list_splitter *s, struct ek_slice whole, struct ek_error *err)
{
	struct ek_json json;

	if (whole.n > EK_WATCH_EVENT_MAX)
		return refuse_size(err);
	if (s->state == STATE_ITEM) {
		leave_value(s, STATE_ITEMS);
		s->n_items++;
		return s->on_item(s->arg, whole, err);
	}
	leave_value(s, STATE_MEMBER);
	ek_json_init(&json, whole.at, whole.n);
	read_metadata(s, &json);
	if (ek_json_finish(&json, err) != EK_OK) {
		ek_error_wrap(err, "metadata of a list");
		return EK_INVALID;
	}
	return EK_OK;
}

/* Hands on a value that is complete in this piece as it lies there; otherwise collects it. */
static int capture(struct ek_list_splitter *s, const char **at, const char *end, struct ek_error *err)
{
	const char *start = *at;
	size_t n;
	int code;

	*at = scan_value(s, start, end);
	n = (size_t)(*at - start);
	if (!s->depth && !s->pending.n)
		return take_whole(s, (struct ek_slice){ start, n }, err);
	if (ek_buf_add(&s->pending, start, n) != EK_OK)
		return refuse_size(err);
	if (s->depth)
		return EK_OK;
	code = take_whole(s, (struct ek_slice){ s->pending.at, s->pending.n }, err);
	if (s->pending.room > KEPT_BYTES)
		ek_buf_clear(&s->pending);
	else
		ek_buf_reset(&s->pending);
	return code;
}

/* ---- The frame ---- */

static int take_key(struct ek_list_splitter *s, const char **at, const char *end, struct ek_error *err)
{
	const char *start = *at;

	*at = scan_string(s, start, end);
	if (ek_buf_add(&s->key, start, (size_t)(*at - start)) != EK_OK)
		return refuse("a key is too long", err);
	if (!s->in_string) {
		s->state = STATE_COLON;
		s->key.at[--s->key.n] = '\0';
	}
	return EK_OK;
}

/* At the first byte of a member's value, which is left for whoever reads it. */
static int begin_value(struct ek_list_splitter *s, const char **at, struct ek_error *err)
{
	bool is_items = strcmp(s->key.at, "items") == 0, is_metadata = strcmp(s->key.at, "metadata") == 0;

	s->depth = 0;
	if (is_items && **at != '[' && **at != 'n')
		return refuse("its items are no array", err);
	s->has_items = s->has_items || is_items;
	s->separation = IS_FIRST;
	if (is_items && **at == '[') {
		s->state = STATE_ITEMS;
		(*at)++;
	} else if (is_metadata && **at == '{') {
		s->state = STATE_METADATA;
	} else if (**at == '{' || **at == '[' || **at == '"') {
		s->state = STATE_SKIP;
	} else {
		s->state = STATE_WORD;
	}
	return EK_OK;
}

static bool is_word(char c)
{
	return c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static int take_word(struct ek_list_splitter *s, const char **at, const char *end, struct ek_error *err)
{
	const char *start = *at;
	struct ek_json json;

	while (*at < end && is_word(**at))
		(*at)++;
	if (ek_buf_add(&s->pending, start, (size_t)(*at - start)) != EK_OK)
		return refuse_size(err);
	if (*at == end)
		return EK_OK;
	ek_json_init(&json, s->pending.at, s->pending.n);
	ek_json_skip(&json);
	if (ek_json_finish(&json, err) != EK_OK) {
		ek_error_wrap(err, "a list's %.32s", s->key.at);
		return EK_INVALID;
	}
	ek_buf_reset(&s->pending);
	leave_value(s, STATE_MEMBER);
	return EK_OK;
}

static int end_list(struct ek_list_splitter *s, struct ek_error *err)
{
	s->state = STATE_END;
	if (!s->has_items)
		return refuse("it has no items", err);
	if (!s->resource_version[0])
		return refuse("it has no resourceVersion", err);
	s->is_complete = true;
	return EK_OK;
}

/* What stands between keys, values and items; anything else begins one and is left to step(). */
static int take_mark(struct ek_list_splitter *s, char c, struct ek_error *err)
{
	bool is_member = s->state == STATE_MEMBER;

	if (c == ',' && s->separation == NEEDS_COMMA) {
		s->separation = HAS_COMMA;
		return EK_OK;
	}
	if (c == (is_member ? '}' : ']') && s->separation != HAS_COMMA) {
		if (is_member)
			return end_list(s, err);
		leave_value(s, STATE_MEMBER);
		return EK_OK;
	}
	if (c != (is_member ? '"' : '{') || s->separation == NEEDS_COMMA)
		return refuse(is_member ? "a key was expected" : "an item is no object", err);
	s->state = is_member ? STATE_KEY : STATE_ITEM;
	s->in_string = is_member;
	ek_buf_reset(&s->key);
	return EK_OK;
}

static int take_frame(struct ek_list_splitter *s, const char **at, struct ek_error *err)
{
	char c = **at;

	if (is_space(c)) {
		(*at)++;
		return EK_OK;
	}
	switch (s->state) {
	case STATE_VALUE:
		return begin_value(s, at, err);
	case STATE_ITEMS:
		*at += c != '{';
		return take_mark(s, c, err);
	}
	(*at)++;
	switch (s->state) {
	case STATE_START:
		s->state = STATE_MEMBER;
		s->separation = IS_FIRST;
		return c == '{' ? EK_OK : refuse("it is no object", err);
	case STATE_MEMBER:
		return take_mark(s, c, err);
	case STATE_COLON:
		s->state = STATE_VALUE;
		return c == ':' ? EK_OK : refuse("a colon was expected", err);
	default:
		return refuse("there is more behind its end", err);
	}
}

static int step(struct ek_list_splitter *s, const char **at, const char *end, struct ek_error *err)
{
	switch (s->state) {
	case STATE_KEY:
		return take_key(s, at, end, err);
	case STATE_SKIP:
		*at = scan_value(s, *at, end);
		if (!s->depth && !s->in_string)
			leave_value(s, STATE_MEMBER);
		return EK_OK;
	case STATE_METADATA:
	case STATE_ITEM:
		return capture(s, at, end, err);
	case STATE_WORD:
		return take_word(s, at, end, err);
	default:
		return take_frame(s, at, err);
	}
}

void ek_list_splitter_init(struct ek_list_splitter *s, int (*on_item)(void *arg, struct ek_slice item, struct ek_error *err), void *arg)
{
	*s = (struct ek_list_splitter){ .on_item = on_item, .arg = arg, .state = STATE_START };
	ek_buf_init(&s->pending, EK_WATCH_EVENT_MAX);
	ek_buf_init(&s->continue_token, TOKEN_BYTES);
	ek_buf_init(&s->key, KEY_BYTES);
}

void ek_list_splitter_clear(struct ek_list_splitter *s)
{
	ek_buf_clear(&s->pending);
	ek_buf_clear(&s->continue_token);
	ek_buf_clear(&s->key);
}

int ek_list_splitter_feed(struct ek_list_splitter *s, const char *bytes, size_t n, struct ek_error *err)
{
	const char *at = bytes, *end = bytes + n;

	while (at < end) {
		int code = step(s, &at, end, err);

		if (code != EK_OK)
			return code;
	}
	return EK_OK;
}
