/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - a pull reader and a writer for JSON, in libeurekube-sdk.a.
 *
 * Neither crosses the plugin border: both are compiled into whoever uses them.  They are here because registries speak JSON, because the host reads lists of a
 * hundred thousand objects with the same reader, and because a tree in memory is the wrong thing for both.
 *
 * The reader walks one complete document in memory, without allocating, in the order of the text; the caller names what it wants and skips the rest.  It checks
 * what it passes over (RFC 8259 syntax, UTF-8, at most EK_JSON_DEPTH levels).  Errors are sticky: after the first one every function returns its empty answer, so
 * a caller reads through and asks ek_json_failed() once at the end.
 *
 *     struct ek_json json;
 *     struct ek_slice key;
 *
 *     ek_json_init(&json, bytes, n_bytes);
 *     for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
 *             if (ek_slice_equals(key, "name"))
 *                     ek_json_text(&json, name, sizeof(name));
 *             else
 *                     ek_json_skip(&json);
 *     }
 *     if (ek_json_finish(&json, err) != EK_OK) ...
 *
 * Each value must be consumed by exactly one of the reading functions before the next key or item is asked for.
 */
#ifndef EK_EUREKUBE_JSON_H
#define EK_EUREKUBE_JSON_H

#include <eurekube/error.h>
#include <eurekube/types.h>

#include <stdbool.h>

#define EK_JSON_DEPTH 64

/* A piece of somebody else's text; not NUL-terminated. */
struct ek_slice {
	const char *at;
	size_t n;
};

/* Whether the slice is exactly this text. */
static inline bool ek_slice_equals(struct ek_slice slice, const char *text)
{
	size_t n = strlen(text);

	return slice.n == n && (n == 0 || memcmp(slice.at, text, n) == 0);
}

enum ek_json_kind {
	EK_JSON_END = 0, /* nothing more, or an error */
	EK_JSON_NULL,
	EK_JSON_BOOLEAN,
	EK_JSON_NUMBER,
	EK_JSON_STRING,
	EK_JSON_ARRAY,
	EK_JSON_OBJECT,
};

/* The reader; on the caller's stack, fields private. */
struct ek_json {
	const char *start, *at, *end;
	const char *fault;  /* NULL, or what is wrong */
	uint32_t depth;
	bool has_root;      /* the document's one value was begun */
	bool is_fresh;      /* just entered: no comma before the next member */
	uint8_t levels[EK_JSON_DEPTH];
};

void ek_json_init(struct ek_json *json, const char *bytes, size_t n_bytes);

/* The kind of the value that comes next, without consuming it. */
enum ek_json_kind ek_json_peek(struct ek_json *json);

/*
 * Enters the object or array that comes next.  A null is entered as an empty one (Kubernetes writes `"endpoints":null`); anything else is an error.
 * Then ek_json_next_key / ek_json_next_item say whether there is another member and stand before its value; when they return false the object or array has been left.
 * A key slice is raw text unless it holds escapes, in which case it never equals a plain key (no key of ours needs escapes).
 */
bool ek_json_enter_object(struct ek_json *json);
bool ek_json_next_key(struct ek_json *json, struct ek_slice *key);
bool ek_json_enter_array(struct ek_json *json);
bool ek_json_next_item(struct ek_json *json);

/* Consumes one value of any kind. */
void ek_json_skip(struct ek_json *json);

/* Consumes one value of any kind and gives its raw text, so that it can be read again later. */
struct ek_slice ek_json_raw(struct ek_json *json);

/*
 * Consumes a string, decodes escapes, writes it NUL-terminated into buffer (size > 0) and returns its length.  Null reads as "".  Numbers and booleans are copied
 * as written (registries are not strict).  A text that does not fit, or holds U+0000, is an error.
 */
size_t ek_json_text(struct ek_json *json, char *buffer, size_t size);

/*
 * Consumes a string and gives it as a slice: of the document where there are no escapes, otherwise decoded into `scratch` (an error if it does not fit).
 */
struct ek_slice ek_json_slice(struct ek_json *json, char *scratch, size_t scratch_size);

/* Consumes an integer; also one written as a string.  Null reads as 0.  A fraction, an exponent or an overflow is an error. */
int64_t ek_json_integer(struct ek_json *json);

/* Consumes a boolean; also "true" and "false" as strings.  Null reads as `otherwise`. */
bool ek_json_boolean(struct ek_json *json, bool otherwise);

static inline bool ek_json_failed(const struct ek_json *json)
{
	return json->fault != NULL;
}

/* Reports a fault of the caller's own ("port out of range") as if it were one of syntax.  The first fault wins. */
void ek_json_fail(struct ek_json *json, const char *fault);

/* EK_OK if the document was read to its end without fault, otherwise EK_INVALID with a message that names the fault and its position. */
int ek_json_finish(struct ek_json *json, struct ek_error *err);

/* ---- Writer ------------------------------------------------------------------------------------------------------------------------------------------------ */

/*
 * Writes compact JSON into memory of the caller's.  Commas and quoting are its business.  Overflow is sticky: nothing is written beyond `size`, and
 * ek_json_writer_finish() returns 0.  Strings that are not UTF-8 have the bad bytes replaced by U+FFFD.
 */
struct ek_json_writer {
	char *at, *start, *end;
	bool comma;
	bool overflow;
};

void ek_json_writer_init(struct ek_json_writer *writer, char *buffer, size_t size);
void ek_json_write_object(struct ek_json_writer *writer);     /* { */
void ek_json_write_object_end(struct ek_json_writer *writer); /* } */
void ek_json_write_array(struct ek_json_writer *writer);
void ek_json_write_array_end(struct ek_json_writer *writer);
void ek_json_write_key(struct ek_json_writer *writer, const char *key);
void ek_json_write_string(struct ek_json_writer *writer, const char *text);
void ek_json_write_slice(struct ek_json_writer *writer, struct ek_slice text);
void ek_json_write_integer(struct ek_json_writer *writer, int64_t number);
void ek_json_write_boolean(struct ek_json_writer *writer, bool value);
void ek_json_write_null(struct ek_json_writer *writer);
void ek_json_write_raw(struct ek_json_writer *writer, struct ek_slice json); /* one value, already JSON */

/* Terminates with NUL and returns the length; 0 if it did not fit. */
size_t ek_json_writer_finish(struct ek_json_writer *writer);

/* ---- URLs -------------------------------------------------------------------------------------------------------------------------------------------------- */

/*
 * Percent-encodes everything outside RFC 3986's unreserved set and ':' into buffer, NUL-terminated.  Returns the length, or 0 if it did not fit or was empty.
 */
size_t ek_url_escape(const char *text, char *buffer, size_t size);

#endif
