/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns a message and its key/values into one line and writes it, unless it repeats itself or nobody
 * reads. It opens no files and rotates nothing: a container's standard error is collected by others.
 * Next: log_line.c, which knows the two formats.
 */
#include "base/log.h"

#include "base/hash.h"
#include "base/log_line.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOLD_AFTER     10
#define FOLD_WINDOW_MS 30000
#define N_FOLDS        128       /* a power of two */

/* How often one (logger, message) was written in its window. */
struct fold {
	uint64_t key;
	int64_t until_ms;
	uint32_t n;
	enum ek_log_level level;
	char message[96];
	char bound[160];         /* the logger's fields, already written; it may be gone when the sum is printed */
};

/* Logging is process-wide by nature: one descriptor, one level. */
static struct {
	enum ek_log_level level;
	enum ek_log_format format;
	int fd;
	int64_t (*wall_ms)(void);
	uint64_t n_dropped, n_dropped_told;
	unsigned n_folding;      /* folds with something to sum up */
	int64_t next_sum_ms;
	struct fold folds[N_FOLDS];
} state = { .level = EK_LOG_INFO, .format = EK_LOG_JSON, .fd = STDERR_FILENO };

static int64_t read_clock(void)
{
	struct timespec now;

	if (state.wall_ms)
		return state.wall_ms();
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ek_log_configure(enum ek_log_level level, enum ek_log_format format, int fd)
{
	state.level = level;
	state.format = format;
	state.fd = fd;
}

void ek_log_set_level(enum ek_log_level level)
{
	state.level = level;
}

bool ek_log_is_on(enum ek_log_level level)
{
	return level >= state.level;
}

int ek_log_level_parse(const char *text, enum ek_log_level *level)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			*level = (enum ek_log_level)(EK_LOG_DEBUG + i);
			return EK_OK;
		}
	}
	return EK_INVALID;
}

uint64_t ek_log_dropped(void)
{
	return state.n_dropped;
}

/* Another clock is another life: nothing that was counted under the old one is left. */
void ek_log_set_clock(int64_t (*wall_ms)(void))
{
	state.wall_ms = wall_ms;
	state.n_folding = 0;
	state.n_dropped_told = state.n_dropped;
	memset(state.folds, 0, sizeof(state.folds));
}

/* A pipe that says POLLOUT takes PIPE_BUF bytes at once, and a line is never longer. */
static bool write_line(const char *bytes, size_t n)
{
	struct pollfd poll_fd = { .fd = state.fd, .events = POLLOUT };
	ssize_t written;

	if (poll(&poll_fd, 1, 0) != 1 || !(poll_fd.revents & POLLOUT)) {
		state.n_dropped++;
		return false;
	}
	do
		written = write(state.fd, bytes, n);
	while (written < 0 && errno == EINTR);
	if (written != (ssize_t)n)
		state.n_dropped++;
	return written == (ssize_t)n;
}

static void tell_dropped(int64_t now_ms)
{
	uint64_t n = state.n_dropped - state.n_dropped_told;
	struct ek_log_line line;

	if (!n)
		return;
	ek_log_line_begin(&line, state.format, now_ms, EK_LOG_WARN, "log lines were dropped");
	ek_log_line_add(&line, &EK_I("dropped", n));
	ek_log_line_end(&line);
	if (write_line(line.bytes, line.n))
		state.n_dropped_told += n;
}

static void sum_up(struct fold *fold, int64_t now_ms)
{
	struct ek_log_line line;

	if (fold->n > FOLD_AFTER) {
		ek_log_line_begin(&line, state.format, now_ms, fold->level, fold->message);
		ek_log_line_add_raw(&line, fold->bound);
		ek_log_line_add(&line, &EK_I("repeated", fold->n - FOLD_AFTER));
		ek_log_line_end(&line);
		write_line(line.bytes, line.n);
		state.n_folding--;
	}
	fold->n = 0;
}

static void sum_up_expired(int64_t now_ms)
{
	if (!state.n_folding || now_ms < state.next_sum_ms)
		return;
	state.next_sum_ms = now_ms + 1000;
	for (unsigned i = 0; i < N_FOLDS; i++)
		if (state.folds[i].n > FOLD_AFTER && now_ms >= state.folds[i].until_ms)
			sum_up(&state.folds[i], now_ms);
}

static void add_bound(struct ek_log_line *line, const struct ek_log *log)
{
	if (!log)
		return;
	add_bound(line, log->parent);
	for (uint32_t i = 0; i < log->n_bound; i++)
		ek_log_line_add(line, &log->bound[i]);
}

static void start_folding(struct fold *fold, const struct ek_log *log, const char *message)
{
	struct ek_log_line line;

	ek_log_line_begin_raw(&line, state.format);
	add_bound(&line, log);
	ek_log_line_copy(&line, fold->bound, sizeof(fold->bound));
	snprintf(fold->message, sizeof(fold->message), "%s", message);
	state.n_folding++;
}

/* Each key has two places, so that two busy loggers that meet in one do not end each other's folding. */
static struct fold *find_fold(uint64_t key)
{
	struct fold *first = &state.folds[key & (N_FOLDS - 1)], *second = &state.folds[(key + 1) & (N_FOLDS - 1)];

	if (first->key == key || second->key == key)
		return first->key == key ? first : second;
	return first->until_ms <= second->until_ms ? first : second;
}

/* Counts the line; false: it is one too many. */
static bool count_line(const struct ek_log *log, enum ek_log_level level, const char *message,
	int64_t now_ms)
{
	uint64_t key = ek_hash64(ek_hash64_text(EK_HASH_SEED, message), &log, sizeof(log));
	struct fold *fold = find_fold(key);

	if (fold->key != key || now_ms >= fold->until_ms || now_ms < fold->until_ms - FOLD_WINDOW_MS) {
		sum_up(fold, now_ms);
		fold->key = key;
		fold->until_ms = now_ms + FOLD_WINDOW_MS;
		fold->level = level;
	}
	fold->n++;
	if (fold->n == FOLD_AFTER + 1)
		start_folding(fold, log, message);
	return fold->n <= FOLD_AFTER;
}

void ek_log_write(const struct ek_log *log, enum ek_log_level level, const char *message,
	const struct ek_field *fields, unsigned n_fields)
{
	int64_t now_ms = read_clock();
	struct ek_log_line line;

	sum_up_expired(now_ms);
	if (!count_line(log, level, message, now_ms))
		return;
	ek_log_line_begin(&line, state.format, now_ms, level, message);
	add_bound(&line, log);
	for (unsigned i = 0; i < n_fields; i++)
		ek_log_line_add(&line, &fields[i]);
	ek_log_line_end(&line);
	tell_dropped(now_ms);
	write_line(line.bytes, line.n);
}
