/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks one JSON document in the order of its text and gives the caller the values it names.
 * It builds no tree, allocates nothing and keeps nothing of what was passed.
 * Next: json_scan.c, which knows the grammar.
 */
#include "json_scan.h"

enum level {
	LEVEL_ARRAY,
	LEVEL_OBJECT,
	LEVEL_NULL, /* a null that was entered */
};

void ek_json_init(struct ek_json *json, const char *bytes, size_t n_bytes)
{
	static const char nothing[] = "";

	memset(json, 0, sizeof(*json));
	json->start = json->at = bytes ? bytes : nothing;
	json->end = json->start + (bytes ? n_bytes : 0);
}

void ek_json_fail(struct ek_json *json, const char *fault)
{
	if (!json->fault)
		json->fault = fault;
}

/* ---- Values ---- */

/* Stands before a value that may be read, or false. */
static bool begin_value(struct ek_json *json)
{
	if (json->fault)
		return false;
	ek_json_skip_space(json);
	if (json->depth == 0) {
		if (json->has_root)
			return ek_json_fault(json, "there is a second value");
		json->has_root = true;
	}
	return true;
}

static enum ek_json_kind kind_here(const struct ek_json *json)
{
	if (json->at == json->end)
		return EK_JSON_END;
	switch (*json->at) {
	case '{':
		return EK_JSON_OBJECT;
	case '[':
		return EK_JSON_ARRAY;
	case '"':
		return EK_JSON_STRING;
	case 't':
	case 'f':
		return EK_JSON_BOOLEAN;
	case 'n':
		return EK_JSON_NULL;
	case '-':
		return EK_JSON_NUMBER;
	default:
		return *json->at >= '0' && *json->at <= '9' ? EK_JSON_NUMBER : EK_JSON_END;
	}
}

enum ek_json_kind ek_json_peek(struct ek_json *json)
{
	enum ek_json_kind kind;

	if (json->fault)
		return EK_JSON_END;
	ek_json_skip_space(json);
	kind = kind_here(json);
	if (kind == EK_JSON_END && json->at < json->end)
		ek_json_fail(json, "a value was expected");
	return kind;
}

void ek_json_skip(struct ek_json *json)
{
	if (begin_value(json))
		ek_json_scan_value(json);
}

struct ek_slice ek_json_raw(struct ek_json *json)
{
	const char *start;

	if (!begin_value(json))
		return (struct ek_slice){ "", 0 };
	start = json->at;
	if (!ek_json_scan_value(json))
		return (struct ek_slice){ "", 0 };
	return (struct ek_slice){ start, (size_t)(json->at - start) };
}

/* A scalar as the document has it. Null gives an empty one. */
static bool read_scalar(struct ek_json *json, struct ek_slice *text, bool *has_escapes)
{
	*text = (struct ek_slice){ "", 0 };
	*has_escapes = false;
	if (!begin_value(json))
		return false;
	switch (kind_here(json)) {
	case EK_JSON_STRING:
		return ek_json_scan_string(json, text, has_escapes);
	case EK_JSON_NUMBER:
		return ek_json_scan_number(json, text);
	case EK_JSON_NULL:
		return ek_json_scan_word(json, "null", 4);
	case EK_JSON_BOOLEAN:
		text->at = json->at;
		text->n = *json->at == 't' ? 4 : 5;
		return ek_json_scan_word(json, *json->at == 't' ? "true" : "false", text->n);
	default:
		return ek_json_fault(json, "a text was expected");
	}
}

struct ek_slice ek_json_slice(struct ek_json *json, char *scratch, size_t scratch_size)
{
	struct ek_slice text;
	bool has_escapes;
	size_t n;

	if (!read_scalar(json, &text, &has_escapes))
		return (struct ek_slice){ "", 0 };
	if (!has_escapes)
		return text;
	if (!ek_json_decode(json, text, scratch, scratch_size, &n))
		return (struct ek_slice){ "", 0 };
	return (struct ek_slice){ scratch, n };
}

size_t ek_json_text(struct ek_json *json, char *buffer, size_t size)
{
	struct ek_slice text = ek_json_slice(json, buffer, size - 1);

	if (text.n > size - 1) {
		ek_json_fail(json, "a text is too long");
		text.n = 0;
	}
	if (text.n && text.at != buffer)
		memcpy(buffer, text.at, text.n);
	buffer[text.n] = '\0';
	return text.n;
}

int64_t ek_json_integer(struct ek_json *json)
{
	uint64_t limit = INT64_MAX, number = 0;
	struct ek_slice text;
	bool has_escapes, is_negative;
	size_t i;

	if (!read_scalar(json, &text, &has_escapes) || (text.n == 0 && json->at[-1] != '"'))
		return 0;
	is_negative = text.n && text.at[0] == '-';
	limit += is_negative;
	for (i = is_negative; i < text.n && text.at[i] >= '0' && text.at[i] <= '9'; i++) {
		unsigned digit = (unsigned)(text.at[i] - '0');

		if (number > (limit - digit) / 10)
			break;
		number = number * 10 + digit;
	}
	if (i < text.n || i == (size_t)is_negative) {
		ek_json_fail(json, "an integer was expected");
		return 0;
	}
	return is_negative ? (int64_t)(0 - number) : (int64_t)number;
}

bool ek_json_boolean(struct ek_json *json, bool otherwise)
{
	struct ek_slice text;
	bool has_escapes;

	if (!read_scalar(json, &text, &has_escapes))
		return otherwise;
	if (ek_slice_equals(text, "true"))
		return true;
	if (ek_slice_equals(text, "false"))
		return false;
	if (text.n || json->at[-1] == '"')
		ek_json_fail(json, "true or false was expected");
	return otherwise;
}

/* ---- Objects and arrays ---- */

static bool enter(struct ek_json *json, char opening, enum level level)
{
	if (!begin_value(json))
		return false;
	if (json->depth == EK_JSON_DEPTH)
		return ek_json_fault(json, "nested too deeply");
	if (kind_here(json) == EK_JSON_NULL) {
		if (!ek_json_scan_word(json, "null", 4))
			return false;
		level = LEVEL_NULL;
	} else if (json->at < json->end && *json->at == opening) {
		json->at++;
	} else {
		return ek_json_fault(json, opening == '{' ? "an object was expected" : "an array was expected");
	}
	json->levels[json->depth++] = (uint8_t)level;
	json->is_fresh = true;
	return true;
}

bool ek_json_enter_object(struct ek_json *json)
{
	return enter(json, '{', LEVEL_OBJECT);
}

bool ek_json_enter_array(struct ek_json *json)
{
	return enter(json, '[', LEVEL_ARRAY);
}

static bool leave(struct ek_json *json)
{
	json->depth--;
	json->is_fresh = false;
	return false;
}

/* Stands before the next member, or has left (false). */
static bool next_member(struct ek_json *json, enum level level)
{
	bool was_fresh = json->is_fresh;

	if (json->fault)
		return false;
	if (json->depth == 0)
		return ek_json_fault(json, "not within an object or array");
	if (json->levels[json->depth - 1] == LEVEL_NULL)
		return leave(json);
	if (json->levels[json->depth - 1] != level)
		return ek_json_fault(json, level == LEVEL_OBJECT ? "not within an object" : "not within an array");
	ek_json_skip_space(json);
	if (json->at < json->end && *json->at == (level == LEVEL_OBJECT ? '}' : ']')) {
		json->at++;
		return leave(json);
	}
	json->is_fresh = false;
	if (was_fresh)
		return true;
	if (json->at == json->end || *json->at != ',')
		return ek_json_fault(json, level == LEVEL_OBJECT ? "a comma or } was expected" : "a comma or ] was expected");
	json->at++;
	return true;
}

bool ek_json_next_key(struct ek_json *json, struct ek_slice *key)
{
	bool has_escapes;

	*key = (struct ek_slice){ "", 0 };
	if (!next_member(json, LEVEL_OBJECT))
		return false;
	ek_json_skip_space(json);
	if (json->at == json->end || *json->at != '"')
		return ek_json_fault(json, "a key was expected");
	if (!ek_json_scan_string(json, key, &has_escapes))
		return false;
	ek_json_skip_space(json);
	if (json->at == json->end || *json->at != ':')
		return ek_json_fault(json, "a colon was expected");
	json->at++;
	return true;
}

bool ek_json_next_item(struct ek_json *json)
{
	return next_member(json, LEVEL_ARRAY);
}

/* ---- The end ---- */

int ek_json_finish(struct ek_json *json, struct ek_error *err)
{
	if (!json->fault) {
		ek_json_skip_space(json);
		if (json->depth)
			ek_json_fail(json, "it was not read to its end");
		else if (!json->has_root)
			ek_json_fail(json, json->at == json->end ? "it is empty" : "it was not read");
		else if (json->at < json->end)
			ek_json_fail(json, "there is more behind the value");
	}
	if (!json->fault)
		return EK_OK;
	return ek_fail(err, EK_INVALID, "not the JSON that was expected: %s (at byte %zu of %zu)", json->fault,
		(size_t)(json->at - json->start), (size_t)(json->end - json->start));
}
