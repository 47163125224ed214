/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and ends the operator, waits on the loop, and reads /proc.
 * It measures nothing itself and knows no stand-in but its port.
 * Next: bench/operator.c.
 */
#include "rig/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 60000
#define QUIET_MS 500

extern char **environ;

/* ---- waiting ---- */

static void on_limit(void *arg)
{
	struct rig *rig = arg;

	fprintf(stderr, "bench: waited %d s for %s in vain\n", LIMIT_MS / 1000, rig->waiting_for);
	if (rig->child > 0)
		kill(rig->child, SIGKILL);
	exit(1);
}

void rig_wait(struct rig *rig, const char *what)
{
	rig->waiting_for = what;
	ek_loop_arm(rig->loop, &rig->limit, LIMIT_MS);
	ek_loop_run(rig->loop);
	ek_loop_disarm(rig->loop, &rig->limit);
}

static void on_pause_over(void *arg)
{
	ek_loop_stop(arg);
}

void rig_run_for(struct rig *rig, int64_t ms)
{
	struct ek_timer timer;

	ek_timer_init(&timer, on_pause_over, rig->loop);
	ek_loop_arm(rig->loop, &timer, ms);
	ek_loop_run(rig->loop);
}

/* ---- the operator ---- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0) {
		perror(path);
		exit(1);
	}
}

static void write_files(const struct rig *rig, int renew_seconds)
{
	char path[128], text[PATH_MAX + 1024];

	snprintf(path, sizeof(path), "%s/kubeconfig", rig->directory);
	snprintf(text, sizeof(text),
	         "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: \"http://127.0.0.1:%u\"}}]\n"
	         "users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n", rig->kube_port);
	write_file(path, text);
	snprintf(path, sizeof(path), "%s/eurekube.yaml", rig->directory);
	snprintf(text, sizeof(text),
	         "clusterId: bench\nplugins: {directory: \"%s/plugins\"}\nmodes: {pod: {plugin: pod.so}}\nregistries:\n  main:\n    plugin: eureka.so\n"
	         "    default: true\n    options: {serviceUrls: [\"http://127.0.0.1:%u/eureka/\"], leaseSeconds: 90, renewSeconds: %d}\n",
	         rig->build, rig->eureka_port, renew_seconds);
	write_file(path, text);
}

void rig_start(struct rig *rig, const struct rig_start *how)
{
	char program[PATH_MAX + 32], config[128], kubeconfig[128], log[128];
	const char *const argv[] = { program, "run", "--config", config, "--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0",
		         "--debug-listen", "127.0.0.1:0", "--log-level", how->log_level ? how->log_level : "warn", NULL };
	posix_spawn_file_actions_t actions;

	write_files(rig, how->renew_seconds);
	snprintf(program, sizeof(program), "%s/bin/eurekube", rig->build);
	snprintf(config, sizeof(config), "%s/eurekube.yaml", rig->directory);
	snprintf(kubeconfig, sizeof(kubeconfig), "%s/kubeconfig", rig->directory);
	snprintf(log, sizeof(log), "%s/log", rig->directory);
	posix_spawn_file_actions_init(&actions);
	if (how->log_fd < 0)
		posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	else
		posix_spawn_file_actions_adddup2(&actions, how->log_fd, 2);
	errno = posix_spawn(&rig->child, program, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	if (errno) {
		perror(program);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&actions);
}

void rig_stop(struct rig *rig, int signo)
{
	kill(rig->child, signo);
	rig_run_for(rig, 50);
	waitpid(rig->child, NULL, 0);
	rig->child = 0;
}

/* ---- what it costs ---- */

static FILE *open_proc(const struct rig *rig, const char *name, const char *mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", rig->child, name);
	return fopen(path, mode);
}

static void read_memory(const struct rig *rig, struct rig_usage *usage)
{
	FILE *file = open_proc(rig, "status", "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "VmRSS: %ld", &usage->rss_kb);
		sscanf(line, "RssAnon: %ld", &usage->anon_kb);
		sscanf(line, "VmHWM: %ld", &usage->peak_kb);
	}
	if (file)
		fclose(file);
}

struct rig_usage rig_usage(const struct rig *rig)
{
	struct rig_usage usage = { 0 };
	unsigned long user = 0, system = 0;
	char line[512];
	FILE *file;

	read_memory(rig, &usage);
	file = open_proc(rig, "stat", "re");
	if (file && fgets(line, sizeof(line), file)) {
		const char *rest = strrchr(line, ')');

		if (rest)
			sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	}
	if (file)
		fclose(file);
	usage.cpu_seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	return usage;
}

void rig_reset_peak(const struct rig *rig)
{
	FILE *file = open_proc(rig, "clear_refs", "we");

	if (!file || fputs("5", file) == EOF || fclose(file) != 0) {
		perror("clear_refs");
		exit(1);
	}
}

void rig_settle(struct rig *rig)
{
	double before, after = rig_usage(rig).cpu_seconds;

	do {
		before = after;
		rig_run_for(rig, QUIET_MS);
		after = rig_usage(rig).cpu_seconds;
	} while (after > before);
}

/* ---- life ---- */

void rig_set_up(struct rig *rig)
{
	const char *build = getenv("EK_TEST_BUILD");

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (!realpath(build ? build : "build/release", rig->build)) {
		perror("build directory");
		exit(1);
	}
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/eurekube-bench-XXXXXX");
	if (!mkdtemp(rig->directory)) {
		perror("mkdtemp");
		exit(1);
	}
	rig->loop = ek_loop_new();
	ek_timer_init(&rig->limit, on_limit, rig);
}

void rig_tear_down(struct rig *rig)
{
	static const char *const names[] = { "kubeconfig", "eurekube.yaml", "log" };
	char path[128];

	ek_loop_free(rig->loop);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", rig->directory, names[i]);
		unlink(path);
	}
	rmdir(rig->directory);
}
