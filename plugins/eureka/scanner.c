/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the instances in a listing by counting brackets and looking at a few keys, byte by byte, and copies one at a time. It does not check what is inside an
 * instance, nor whether anything between them is valid beyond its nesting. Read replies.c next.
 */
#include "scanner.h"

#include <stdlib.h>

enum role { ROLE_NONE, ROLE_OTHER, ROLE_APPLICATIONS, ROLE_APPLICATION, ROLE_INSTANCE };

void ek_eureka_scanner_clear(struct ek_eureka_scanner *scanner)
{
	free(scanner->copy);
	*scanner = (struct ek_eureka_scanner){ 0 };
}

void ek_eureka_scanner_restart(struct ek_eureka_scanner *scanner)
{
	*scanner = (struct ek_eureka_scanner){
		.on_instance = scanner->on_instance, .arg = scanner->arg, .copy = scanner->copy, .copy_room = scanner->copy_room,
	};
}

static void fail(struct ek_eureka_scanner *scanner, int32_t code, const char *fault)
{
	scanner->code = code;
	scanner->fault = fault;
}

/* ---- Inside an instance ------------------------------------------------------------------------------------------------------------------------------------- */

static bool reserve(struct ek_eureka_scanner *scanner, size_t n)
{
	size_t room = scanner->copy_room ? scanner->copy_room : 4096;
	char *copy;

	if (scanner->n_copy + n <= scanner->copy_room)
		return true;
	if (scanner->n_copy + n > EK_EUREKA_INSTANCE_MAX) {
		fail(scanner, EK_TOO_BIG, "an instance has more than a MiB");
		return false;
	}
	while (room < scanner->n_copy + n)
		room *= 2;
	copy = realloc(scanner->copy, room);
	if (!copy) {
		fail(scanner, EK_RETRY, "out of memory");
		return false;
	}
	scanner->copy = copy;
	scanner->copy_room = room;
	return true;
}

/* How many bytes from here belong to the instance. */
static size_t measure(struct ek_eureka_scanner *scanner, const char *bytes, size_t n)
{
	size_t i = 0;

	while (i < n && scanner->braces) {
		char c = bytes[i++];

		if (scanner->is_escaped)
			scanner->is_escaped = false;
		else if (scanner->in_string && c == '\\')
			scanner->is_escaped = true;
		else if (c == '"')
			scanner->in_string = !scanner->in_string;
		else if (!scanner->in_string && c == '{')
			scanner->braces++;
		else if (!scanner->in_string && c == '}')
			scanner->braces--;
	}
	return i;
}

static size_t copy_instance(struct ek_eureka_scanner *scanner, const char *bytes, size_t n)
{
	size_t taken = measure(scanner, bytes, n);

	if (!reserve(scanner, taken))
		return taken;
	memcpy(scanner->copy + scanner->n_copy, bytes, taken);
	scanner->n_copy += taken;
	if (!scanner->braces) {
		struct ek_slice json = { scanner->copy, scanner->n_copy };

		scanner->code = scanner->on_instance(scanner->arg, json);
	}
	return taken;
}

/* ---- Around them -------------------------------------------------------------------------------------------------------------------------------------------- */

static struct ek_eureka_frame *top(struct ek_eureka_scanner *scanner)
{
	return scanner->depth ? &scanner->frames[scanner->depth - 1] : NULL;
}

static void end_key(struct ek_eureka_scanner *scanner)
{
	struct ek_slice key = { scanner->key, scanner->n_key };
	struct ek_eureka_frame *frame = top(scanner);

	frame->key = ek_slice_equals(key, "applications") ? ROLE_APPLICATIONS : ek_slice_equals(key, "application") ? ROLE_APPLICATION :
		     ek_slice_equals(key, "instance") ? ROLE_INSTANCE : ROLE_OTHER;
	if (scanner->depth == 1 && (frame->key == ROLE_APPLICATIONS || frame->key == ROLE_APPLICATION))
		scanner->is_listing = true;
}

static void read_string(struct ek_eureka_scanner *scanner, char c)
{
	if (scanner->is_escaped) {
		scanner->is_escaped = false;
	} else if (c == '\\') {
		scanner->is_escaped = true;
	} else if (c == '"') {
		scanner->in_string = false;
		if (scanner->in_key)
			end_key(scanner);
		return;
	}
	if (scanner->in_key && scanner->n_key < sizeof(scanner->key))
		scanner->key[scanner->n_key++] = c;
}

/* Elsewhere the word means something else: an error page may have an "instance", too. */
static bool is_in_application(const struct ek_eureka_scanner *scanner)
{
	uint32_t at = scanner->depth - 1;

	if (at > 0 && scanner->frames[at].is_array)
		at--;
	return !scanner->frames[at].is_array && scanner->frames[at].role == ROLE_APPLICATION;
}

static void open_bracket(struct ek_eureka_scanner *scanner, char c)
{
	struct ek_eureka_frame *frame = top(scanner);
	uint8_t role = frame ? frame->key : ROLE_NONE;

	if (c == '{' && role == ROLE_INSTANCE && is_in_application(scanner)) {
		scanner->braces = 1;
		scanner->n_copy = 0;
		if (reserve(scanner, 1))
			scanner->copy[scanner->n_copy++] = '{';
		return;
	}
	if (scanner->depth == EK_EUREKA_SCANNER_DEPTH) {
		fail(scanner, EK_PLUGIN, "it is nested too deeply");
		return;
	}
	scanner->frames[scanner->depth++] = (struct ek_eureka_frame){ .is_array = c == '[', .wants_key = c == '{', .role = role, .key = c == '[' ? role : ROLE_NONE };
}

static void close_bracket(struct ek_eureka_scanner *scanner, char c)
{
	struct ek_eureka_frame *frame = top(scanner);

	if (!frame || frame->is_array != (c == ']')) {
		fail(scanner, EK_PLUGIN, "its brackets do not match");
		return;
	}
	scanner->depth--;
	scanner->is_complete = scanner->depth == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void read_byte(struct ek_eureka_scanner *scanner, char c)
{
	struct ek_eureka_frame *frame = top(scanner);

	if (is_blank(c))
		return;
	if (!frame && (c != '{' || scanner->is_complete)) {
		fail(scanner, EK_PLUGIN, c == '<' ? "it is XML or HTML" : "it is not one JSON object");
		return;
	}
	switch (c) {
	case '"':
		scanner->in_string = true;
		scanner->in_key = frame->wants_key;
		scanner->n_key = 0;
		break;
	case ':':
		frame->wants_key = 0;
		break;
	case ',':
		frame->wants_key = !frame->is_array;
		break;
	case '{':
	case '[':
		open_bracket(scanner, c);
		break;
	case '}':
	case ']':
		close_bracket(scanner, c);
		break;
	default: /* numbers, true, false, null */
		break;
	}
}

void ek_eureka_scanner_feed(struct ek_eureka_scanner *scanner, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && !scanner->code;) {
		if (scanner->braces)
			i += copy_instance(scanner, bytes + i, n - i);
		else if (scanner->in_string)
			read_string(scanner, bytes[i++]);
		else
			read_byte(scanner, bytes[i++]);
	}
}
