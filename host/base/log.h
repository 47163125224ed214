/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging: a constant message and key/values, one line each, JSON or text, to stderr (which a container collects).
 *
 *     EK_INFO(log, "instance registered", EK_S("app", app), EK_I("port", port));
 *
 * The level is tested before the arguments are evaluated. A logger carries bound pairs (the plugin, the object), which
 * stand in every line. The same (logger, message) more than 10 times in 30 s is folded: the rest is counted and printed
 * as one line with "repeated". Writing never blocks: a line goes out in one write of at most a pipe's atomic size (4096
 * bytes; longer values are cut), only when the descriptor can take it; otherwise it is dropped and counted. The descriptor's
 * flags are left alone, since others may share it. One thread.
 */
#ifndef EK_BASE_LOG_H
#define EK_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <eurekube/host.h>   /* enum ek_log_level */
#include <eurekube/error.h>

enum ek_log_format { EK_LOG_JSON, EK_LOG_TEXT };

struct ek_field {
	const char *key;
	const char *text;    /* NULL: the number */
	int64_t number;
	const struct ek_error *error;   /* not NULL: its message, then code, reason, origin, object where it has them */
};

static inline const char *ek_text_or_empty(const char *text)
{
	return text ? text : "";
}

#define EK_S(k, v) ((struct ek_field){ (k), ek_text_or_empty(v), 0, NULL })
#define EK_I(k, v) ((struct ek_field){ (k), NULL, (int64_t)(v), NULL })
#define EK_E(err) ((struct ek_field){ "error", NULL, 0, (err) })

struct ek_log {
	const struct ek_log *parent;   /* its bound fields come first; NULL for none */
	struct ek_field bound[2];      /* text values must outlive the logger */
	uint32_t n_bound;
};

/* Process-wide settings; defaults: INFO, JSON, descriptor 2. */
void ek_log_configure(enum ek_log_level level, enum ek_log_format format, int fd);
void ek_log_set_level(enum ek_log_level level);
bool ek_log_is_on(enum ek_log_level level);
int ek_log_level_parse(const char *text, enum ek_log_level *level);     /* debug info warn error; EK_OK or EK_INVALID */
uint64_t ek_log_dropped(void);

/* Where "now" for the time stamp and folding comes from; the simulation replaces it. NULL restores the real clock. */
void ek_log_set_clock(int64_t (*wall_ms)(void));

/* The line writer behind the macros. */
void ek_log_write(const struct ek_log *log, enum ek_log_level level, const char *message, const struct ek_field *fields, unsigned n_fields);

#define EK_LOG_AT(log, level, message, ...)                                                                                \
	do {                                                                                                               \
		if (ek_log_is_on(level)) {                                                                                 \
			const struct ek_field fields_[] = { { "", NULL, 0, NULL }, ##__VA_ARGS__ };                              \
			ek_log_write((log), (level), (message), fields_ + 1, sizeof(fields_) / sizeof(fields_[0]) - 1);    \
		}                                                                                                          \
	} while (0)
#define EK_DEBUG(log, message, ...) EK_LOG_AT(log, EK_LOG_DEBUG, message, ##__VA_ARGS__)
#define EK_INFO(log, message, ...) EK_LOG_AT(log, EK_LOG_INFO, message, ##__VA_ARGS__)
#define EK_WARN(log, message, ...) EK_LOG_AT(log, EK_LOG_WARN, message, ##__VA_ARGS__)
#define EK_ERROR(log, message, ...) EK_LOG_AT(log, EK_LOG_ERROR, message, ##__VA_ARGS__)

#endif
