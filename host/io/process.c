/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a program by posix_spawn, collects what it writes and when it ends, and kills it when it passes a bound.
 * It does not know what the output means, and keeps no process beyond one run.
 * Next: kube/exec_credential.c, which runs credential plugins by it.
 */
#include "io/process.h"

#include <eurekube/host.h>

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS      20      /* how often it is asked whether it has ended: an end is no event on a descriptor everywhere */
#define LAST_READS   32      /* what may be left in a pipe when it has ended; a grandchild may write for ever */
#define BLOCK_BYTES  4096

/* One of its standard descriptors, and the beginning of what came out. */
struct sink {
	struct ek_process *process;
	struct ek_fd *watch;
	int fd;
	char *at;
	size_t n, room;      /* room without the NUL */
	bool is_over;
};

struct ek_process {
	struct ek_loop *loop;
	struct ek_process_config config;
	pid_t pid;
	bool is_timed_out;
	struct sink output, complaint;
	struct ek_timer look, deadline;
};

/* ---- Output ---- */

static void close_sink(struct sink *sink)
{
	if (sink->fd < 0)
		return;
	ek_loop_unwatch_fd(sink->watch);
	close(sink->fd);
	sink->watch = NULL;
	sink->fd = -1;
}

/* One read, so that a program that writes for ever cannot keep us. False: there is nothing more for now. */
static bool read_some(struct sink *sink)
{
	char block[BLOCK_BYTES];
	ssize_t n = sink->fd < 0 ? -1 : read(sink->fd, block, sizeof(block));
	size_t kept;

	if (n == 0 || (n < 0 && sink->fd >= 0 && errno != EAGAIN && errno != EINTR))
		close_sink(sink);
	if (n <= 0)
		return false;
	kept = (size_t)n < sink->room - sink->n ? (size_t)n : sink->room - sink->n;
	sink->is_over = sink->is_over || kept < (size_t)n;
	memcpy(sink->at + sink->n, block, kept);
	sink->n += kept;
	sink->at[sink->n] = '\0';
	explicit_bzero(block, (size_t)n);
	return true;
}

static void kill_group(const struct ek_process *process)
{
	kill(-process->pid, SIGKILL);
}

static void on_readable(void *arg, uint32_t events)
{
	struct sink *sink = arg;

	read_some(sink);
	if (sink->process->output.is_over)
		kill_group(sink->process);
}

static void open_sink(struct ek_process *process, struct sink *sink, size_t room)
{
	sink->process = process;
	sink->fd = -1;
	sink->room = room;
	sink->at = ek_xmalloc(room + 1);
	sink->at[0] = '\0';
}

static void clear_sink(struct sink *sink)
{
	close_sink(sink);
	explicit_bzero(sink->at, sink->n);
	free(sink->at);
}

/* ---- End ---- */

static void free_process(struct ek_process *process)
{
	ek_loop_disarm(process->loop, &process->look);
	ek_loop_disarm(process->loop, &process->deadline);
	clear_sink(&process->output);
	clear_sink(&process->complaint);
	free(process);
}

static void finish(struct ek_process *process, int status)
{
	struct ek_process_result result = {
		.end = process->output.is_over ? EK_PROCESS_TOO_MUCH :
			process->is_timed_out ? EK_PROCESS_TIMED_OUT :
			WIFEXITED(status) ? EK_PROCESS_EXITED : EK_PROCESS_SIGNALLED,
		.number = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		.output = process->output.at,
		.output_bytes = process->output.n,
		.complaint = process->complaint.at,
	};

	process->config.on_done(process->config.arg, &result);
	free_process(process);
}

static void on_look(void *arg)
{
	struct ek_process *process = arg;
	int status = 0;
	pid_t pid = waitpid(process->pid, &status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR)) {
		ek_loop_arm(process->loop, &process->look, LOOK_MS);
		return;
	}
	for (unsigned i = 0; i < LAST_READS && read_some(&process->output); i++)
		;
	for (unsigned i = 0; i < LAST_READS && read_some(&process->complaint); i++)
		;
	kill_group(process);     /* what it left behind */
	finish(process, status);
}

static void on_deadline(void *arg)
{
	struct ek_process *process = arg;

	process->is_timed_out = true;
	kill_group(process);
}

void ek_process_cancel(struct ek_process *process)
{
	if (!process)
		return;
	kill_group(process);
	waitpid(process->pid, NULL, 0);
	free_process(process);
}

/* ---- Start ---- */

static bool is_same_name(const char *one, const char *other)
{
	size_t n = strcspn(one, "=");

	return strncmp(one, other, n) == 0 && other[n] == '=';
}

/* Ours, but for what is replaced, then theirs. The strings are borrowed; no secret is copied. */
static char **merge_environment(char *const *more)
{
	size_t n = 1, at = 0;
	char **merged;

	for (char **entry = environ; entry && *entry; entry++)
		n++;
	for (char *const *entry = more; entry && *entry; entry++)
		n++;
	merged = ek_xcalloc(n, sizeof(*merged));
	for (char **entry = environ; entry && *entry; entry++) {
		char *const *other = more;

		while (other && *other && !is_same_name(*other, *entry))
			other++;
		if (!other || !*other)
			merged[at++] = *entry;
	}
	for (char *const *entry = more; entry && *entry; entry++)
		merged[at++] = *entry;
	return merged;
}

static int spawn(struct ek_process *process, const int out[2], const int err[2])
{
	char **environment = merge_environment(process->config.environment);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int failure;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	failure = posix_spawnp(&process->pid, process->config.argv[0], &actions, &attributes, process->config.argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environment);
	return failure;
}

/* Opens the pipes, and keeps only our ends of them. 0, or an errno. */
static int run(struct ek_process *process)
{
	int out[2], err[2], failure;

	if (pipe2(out, O_CLOEXEC) != 0)
		return errno;
	if (pipe2(err, O_CLOEXEC) != 0) {
		failure = errno;
		close(out[0]);
		close(out[1]);
		return failure;
	}
	process->output.fd = out[0];
	process->complaint.fd = err[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	failure = spawn(process, out, err);
	close(out[1]);
	close(err[1]);
	return failure;
}

struct ek_process *ek_process_start(struct ek_loop *loop, const struct ek_process_config *config, struct ek_error *err)
{
	struct ek_process *process = ek_xcalloc(1, sizeof(*process));
	int failure;

	process->loop = loop;
	process->config = *config;
	ek_timer_init(&process->look, on_look, process);
	ek_timer_init(&process->deadline, on_deadline, process);
	open_sink(process, &process->output, config->max_output_bytes);
	open_sink(process, &process->complaint, EK_PROCESS_MAX_COMPLAINT);
	failure = run(process);
	if (failure) {
		ek_fail(err, EK_INVALID, "cannot run %s: %s", config->argv[0], strerror(failure));
		free_process(process);
		return NULL;
	}
	process->config.argv = process->config.environment = NULL;
	process->output.watch = ek_loop_watch_fd(loop, process->output.fd, EK_FD_READABLE, on_readable, &process->output, NULL);
	process->complaint.watch = ek_loop_watch_fd(loop, process->complaint.fd, EK_FD_READABLE, on_readable, &process->complaint, NULL);
	ek_loop_arm(loop, &process->look, LOOK_MS);
	ek_loop_arm(loop, &process->deadline, config->timeout_ms);
	return process;
}
