/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program run to its end: by argv, never by a shell; with a bound on its time and on its output, and without any descriptor of ours.
 * What it writes to standard output is taken to be secret: it is kept in one block that is wiped after on_done.
 * It runs in a process group of its own, so that what it started ends with it. tests/kit/sim_process.c is the double.
 */
#ifndef EK_IO_PROCESS_H
#define EK_IO_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "io/loop.h"

#define EK_PROCESS_MAX_COMPLAINT 1024

enum ek_process_end {
	EK_PROCESS_EXITED,      /* number: its exit status */
	EK_PROCESS_SIGNALLED,   /* number: the signal that ended it */
	EK_PROCESS_TIMED_OUT,   /* it was killed */
	EK_PROCESS_TOO_MUCH,    /* it was killed: its output passed the bound */
};

struct ek_process_result {
	enum ek_process_end end;
	int number;
	const char *output;     /* NUL-terminated; borrowed until on_done returns */
	size_t output_bytes;
	const char *complaint;  /* the beginning of what it wrote to standard error */
};

/* Everything but the callback is used only while ek_process_start runs. */
struct ek_process_config {
	char *const *argv;          /* NULL-terminated; argv[0] is looked up in PATH unless it has a slash */
	char *const *environment;   /* NULL-terminated "NAME=value" that are added to ours, or stand in their place */
	int64_t timeout_ms;
	size_t max_output_bytes;
	void (*on_done)(void *arg, const struct ek_process_result *result);     /* on a later turn, once */
	void *arg;
};

struct ek_process;

/* NULL with err (EK_INVALID) when it cannot be started. */
struct ek_process *ek_process_start(struct ek_loop *loop, const struct ek_process_config *config, struct ek_error *err);
/* Kills it and all that it started; on_done does not come. Not after on_done. NULL is ignored. */
void ek_process_cancel(struct ek_process *process);

#endif
