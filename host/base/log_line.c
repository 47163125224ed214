/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two formats of a log line, JSON and text, with everything escaped that could end or forge one.
 * It does not decide what is logged and does not write.
 * Next: log.c, which does.
 */
#include "base/log_line.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define VALUE_BYTES 1024          /* a value is cut when, escaped, it is longer */
#define TAIL_BYTES  32            /* kept free for the end of the line */

static const char *level_name(enum ek_log_level level, enum ek_log_format format)
{
	static const char *const names[][2] = {
		[EK_LOG_DEBUG] = { "debug", "DEBUG" },
		[EK_LOG_INFO] = { "info", "INFO " },
		[EK_LOG_WARN] = { "warn", "WARN " },
		[EK_LOG_ERROR] = { "error", "ERROR" },
	};

	if (level < EK_LOG_DEBUG || level > EK_LOG_ERROR)
		level = EK_LOG_ERROR;
	return names[level][format == EK_LOG_TEXT];
}

static void add(struct ek_log_line *line, const char *bytes, size_t n)
{
	if (line->is_cut || n > sizeof(line->bytes) - TAIL_BYTES - line->n) {
		line->is_cut = true;
		return;
	}
	memcpy(line->bytes + line->n, bytes, n);
	line->n += n;
}

static void adds(struct ek_log_line *line, const char *text)
{
	add(line, text, strlen(text));
}

static void add_control(struct ek_log_line *line, unsigned char c)
{
	char escaped[8];

	if (c == '\n')
		adds(line, "\\n");
	else if (c == '\t')
		adds(line, "\\t");
	else
		add(line, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", c));
}

static void add_escaped(struct ek_log_line *line, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t start = line->n;
	unsigned n;

	for (; *at; at += n) {
		if (line->n - start >= VALUE_BYTES) {
			adds(line, "...");
			return;
		}
		n = ek_utf8_length((const char *)at);
		if (!n) {
			adds(line, "\xef\xbf\xbd");
			n = 1;
		} else if (*at < 0x20 || *at == 0x7f) {
			add_control(line, *at);
		} else {
			if (*at == '"' || *at == '\\')
				add(line, "\\", 1);
			add(line, (const char *)at, n);
		}
	}
}

static void add_quoted(struct ek_log_line *line, const char *text)
{
	add(line, "\"", 1);
	add_escaped(line, text);
	add(line, "\"", 1);
}

/* In the text format a value without spaces, quotes, equal signs and the like stands as it is. */
static bool is_plain(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++)
		if (*at <= ' ' || *at >= 0x7f || *at == '"' || *at == '\\' || *at == '=')
			return false;
	return at != (const unsigned char *)text && at - (const unsigned char *)text < VALUE_BYTES;
}

static void add_key(struct ek_log_line *line, const char *key)
{
	if (line->format == EK_LOG_JSON) {
		add(line, ",", 1);
		add_quoted(line, key);
		add(line, ":", 1);
	} else {
		add(line, " ", 1);
		add_escaped(line, key);
		add(line, "=", 1);
	}
}

static void add_text(struct ek_log_line *line, const char *key, const char *text)
{
	add_key(line, key);
	if (line->format == EK_LOG_TEXT && is_plain(text))
		adds(line, text);
	else
		add_quoted(line, text);
}

static void add_number(struct ek_log_line *line, const char *key, int64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)number);
	add_key(line, key);
	adds(line, digits);
}

static const char *code_name(int32_t code)
{
	static const char *const names[] = {
		[EK_OK] = "ok", [EK_RETRY] = "retry", [EK_THROTTLED] = "throttled", [EK_GONE] = "gone",
		[EK_EXPIRED] = "expired", [EK_CONFLICT] = "conflict", [EK_INVALID] = "invalid",
		[EK_TOO_BIG] = "too-big", [EK_AUTH] = "auth", [EK_UNKNOWN] = "unknown",
		[EK_PLUGIN] = "plugin", [EK_CANCELLED] = "cancelled",
	};

	return code >= 0 && code <= EK_CANCELLED ? names[code] : "plugin";
}

static void add_error(struct ek_log_line *line, const char *key, const struct ek_error *error)
{
	add_text(line, key, error->message);
	add_text(line, "code", code_name(error->code));
	if (error->reason[0])
		add_text(line, "reason", error->reason);
	if (error->origin[0])
		add_text(line, "origin", error->origin);
	if (error->object[0])
		add_text(line, "object", error->object);
}

/* A field that does not fit is left out whole: the line stays valid. */
void ek_log_line_add(struct ek_log_line *line, const struct ek_field *field)
{
	size_t n = line->n;
	bool was_cut = line->is_cut;

	line->is_cut = false;
	if (field->error)
		add_error(line, field->key, field->error);
	else if (field->text)
		add_text(line, field->key, field->text);
	else
		add_number(line, field->key, field->number);
	if (line->is_cut)
		line->n = n;
	line->is_cut |= was_cut;
}

static void add_time(struct ek_log_line *line, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char text[40];
	size_t n;

	gmtime_r(&seconds, &utc);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(wall_ms % 1000));
	add(line, text, n);
}

void ek_log_line_begin_raw(struct ek_log_line *line, enum ek_log_format format)
{
	line->format = format;
	line->is_cut = false;
	line->n = 0;
}

void ek_log_line_begin(struct ek_log_line *line, enum ek_log_format format, int64_t wall_ms,
	enum ek_log_level level, const char *message)
{
	ek_log_line_begin_raw(line, format);
	if (format == EK_LOG_JSON) {
		adds(line, "{\"time\":\"");
		add_time(line, wall_ms);
		adds(line, "\",\"level\":\"");
		adds(line, level_name(level, format));
		adds(line, "\",\"message\":");
		add_quoted(line, message);
	} else {
		add_time(line, wall_ms);
		add(line, " ", 1);
		adds(line, level_name(level, format));
		add(line, " ", 1);
		add_escaped(line, message);
	}
}

void ek_log_line_end(struct ek_log_line *line)
{
	const char *end = line->format == EK_LOG_JSON ?
		(line->is_cut ? ",\"cut\":true}\n" : "}\n") : (line->is_cut ? " cut=true\n" : "\n");
	size_t n = strlen(end);

	memcpy(line->bytes + line->n, end, n);
	line->n += n;
}

void ek_log_line_copy(const struct ek_log_line *line, char *fields, size_t size)
{
	size_t n = line->n < size ? line->n : 0;

	memcpy(fields, line->bytes, n);
	fields[n] = '\0';
}

void ek_log_line_add_raw(struct ek_log_line *line, const char *fields)
{
	adds(line, fields);
}
