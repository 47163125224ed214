/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the log while it is put together, in either format, in a buffer of a pipe's atomic size. What does not fit is
 * left out and the line says so ("cut"), so a line is always whole and always valid.
 */
#ifndef EK_BASE_LOG_LINE_H
#define EK_BASE_LOG_LINE_H

#include "base/log.h"

struct ek_log_line {
	enum ek_log_format format;
	bool is_cut;
	size_t n;
	char bytes[4096];
};

void ek_log_line_begin(struct ek_log_line *line, enum ek_log_format format, int64_t wall_ms, enum ek_log_level level,
	const char *message);
void ek_log_line_add(struct ek_log_line *line, const struct ek_field *field);
void ek_log_line_end(struct ek_log_line *line);    /* with its newline */

/* Fields alone, to be kept and added to a line of the same format later; copy takes them whole or not at all. */
void ek_log_line_begin_raw(struct ek_log_line *line, enum ek_log_format format);
void ek_log_line_copy(const struct ek_log_line *line, char *fields, size_t size);
void ek_log_line_add_raw(struct ek_log_line *line, const char *fields);

#endif
