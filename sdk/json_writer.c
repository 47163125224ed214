/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes compact JSON into memory of the caller's and looks after commas, quotes and escapes.
 * It does not check that keys and values alternate, nor that what was opened is closed.
 * Next: json_reader.c, the other direction.
 */
#include <eurekube/json.h>

#include "utf8.h"

void ek_json_writer_init(struct ek_json_writer *writer, char *buffer, size_t size)
{
	*writer = (struct ek_json_writer){ .start = buffer, .at = buffer, .end = buffer + size, .overflow = size == 0 };
}

/* One byte always stays free for the NUL. */
static void put(struct ek_json_writer *writer, const char *bytes, size_t n)
{
	if (writer->overflow || (size_t)(writer->end - writer->at) <= n) {
		writer->overflow = true;
		return;
	}
	memcpy(writer->at, bytes, n);
	writer->at += n;
}

static void put_comma(struct ek_json_writer *writer)
{
	if (writer->comma)
		put(writer, ",", 1);
	writer->comma = true;
}

static void open_with(struct ek_json_writer *writer, const char *bracket)
{
	put_comma(writer);
	put(writer, bracket, 1);
	writer->comma = false;
}

static void close_with(struct ek_json_writer *writer, const char *bracket)
{
	put(writer, bracket, 1);
	writer->comma = true;
}

void ek_json_write_object(struct ek_json_writer *writer)
{
	open_with(writer, "{");
}

void ek_json_write_object_end(struct ek_json_writer *writer)
{
	close_with(writer, "}");
}

void ek_json_write_array(struct ek_json_writer *writer)
{
	open_with(writer, "[");
}

void ek_json_write_array_end(struct ek_json_writer *writer)
{
	close_with(writer, "]");
}

static void put_escaped(struct ek_json_writer *writer, unsigned char c)
{
	static const char shorts[] = "btn?fr"; /* from 0x08 on; 0x0b has none */
	char text[8] = { '\\', (char)c };

	if (c == '"' || c == '\\') {
		put(writer, text, 2);
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		text[1] = shorts[c - '\b'];
		put(writer, text, 2);
	} else {
		snprintf(text, sizeof(text), "\\u%04x", c);
		put(writer, text, 6);
	}
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void put_string(struct ek_json_writer *writer, const char *at, size_t n)
{
	const char *end = at + n, *start;

	put(writer, "\"", 1);
	while (at < end) {
		for (start = at; at < end && is_plain(*at);)
			at++;
		put(writer, start, (size_t)(at - start));
		if (at == end)
			break;
		if ((unsigned char)*at < 0x80) {
			put_escaped(writer, (unsigned char)*at++);
			continue;
		}
		n = utf8_sequence(at, end);
		put(writer, n ? at : "\xef\xbf\xbd", n ? n : 3);
		at += n ? n : 1;
	}
	put(writer, "\"", 1);
}

void ek_json_write_key(struct ek_json_writer *writer, const char *key)
{
	put_comma(writer);
	put_string(writer, key, strlen(key));
	put(writer, ":", 1);
	writer->comma = false;
}

void ek_json_write_string(struct ek_json_writer *writer, const char *text)
{
	put_comma(writer);
	put_string(writer, text, strlen(text));
}

void ek_json_write_slice(struct ek_json_writer *writer, struct ek_slice text)
{
	put_comma(writer);
	put_string(writer, text.at, text.n);
}

void ek_json_write_integer(struct ek_json_writer *writer, int64_t number)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)number);

	put_comma(writer);
	put(writer, text, (size_t)n);
}

void ek_json_write_boolean(struct ek_json_writer *writer, bool value)
{
	put_comma(writer);
	put(writer, value ? "true" : "false", value ? 4 : 5);
}

void ek_json_write_null(struct ek_json_writer *writer)
{
	put_comma(writer);
	put(writer, "null", 4);
}

void ek_json_write_raw(struct ek_json_writer *writer, struct ek_slice json)
{
	put_comma(writer);
	put(writer, json.at, json.n);
}

size_t ek_json_writer_finish(struct ek_json_writer *writer)
{
	if (writer->overflow) {
		if (writer->end > writer->start)
			*writer->start = '\0';
		return 0;
	}
	*writer->at = '\0';
	return (size_t)(writer->at - writer->start);
}
