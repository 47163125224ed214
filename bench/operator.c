/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures the real operator, as a process of its own, against the stand-in API server and the stand-in Eureka on loopback sockets: memory, start, latency from
 * a slice's event to the registry's write, and CPU per heartbeat. It judges nothing: figures go to stdout, one row each. Read docs/architecture.md for
 * what happens between the two.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eurekube/host.h>

#include "base/alloc.h"
#include "io/serve.h"
#include "kit/fake_eureka.h"
#include "kit/fake_kube.h"

#define SERVICES 10
#define ROUNDS 500
#define LIMIT_MS 60000

extern char **environ;

struct bench {
	struct ek_loop *loop;
	struct fake_kube *kube;
	struct fake_eureka *eureka;
	struct ek_serve *kube_serve, *eureka_serve;
	char directory[64], build[PATH_MAX];
	pid_t child;
	unsigned n_posts, n_deletes, n_renewals, n_lists;
	int64_t last_write_us;
	struct ek_timer limit;
	unsigned *awaited, awaited_n;
	const char *waiting_for;
};

/* ---- the stand-ins ---- */

static void on_eureka(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct bench *b = arg;

	if (strcmp(request->method, "POST") == 0)
		b->n_posts++;
	else if (strcmp(request->method, "DELETE") == 0)
		b->n_deletes++;
	else if (strcmp(request->method, "PUT") == 0)
		b->n_renewals++;
	else
		b->n_lists++;
	if (strcmp(request->method, "POST") == 0 || strcmp(request->method, "DELETE") == 0)
		b->last_write_us = ek_loop_now_us(b->loop);
	fake_eureka_handle(b->eureka, request, exchange);
	if (b->awaited && *b->awaited >= b->awaited_n) {
		b->awaited = NULL;
		ek_loop_stop(b->loop);
	}
}

static void on_limit(void *arg)
{
	struct bench *b = arg;

	fprintf(stderr, "bench: waited %d s for %s in vain\n", LIMIT_MS / 1000, b->waiting_for);
	if (b->child > 0)
		kill(b->child, SIGKILL);
	exit(1);
}

/* Runs the loop until `*counter` has reached n. */
static void await(struct bench *b, unsigned *counter, unsigned n, const char *what)
{
	if (*counter >= n)
		return;
	b->awaited = counter;
	b->awaited_n = n;
	b->waiting_for = what;
	ek_loop_arm(b->loop, &b->limit, LIMIT_MS);
	ek_loop_run(b->loop);
	ek_loop_disarm(b->loop, &b->limit);
}

static void on_pause_over(void *arg)
{
	ek_loop_stop(arg);
}

static void run_for(struct bench *b, int64_t ms)
{
	struct ek_timer timer;

	ek_timer_init(&timer, on_pause_over, b->loop);
	ek_loop_arm(b->loop, &timer, ms);
	ek_loop_run(b->loop);
}

/* ---- the cluster ---- */

static void put_slice(struct bench *b, unsigned service, unsigned n, unsigned extra)
{
	struct fake_endpoint *endpoints = ek_xcalloc(n + 1, sizeof(*endpoints));
	char (*texts)[2][40] = ek_xcalloc(n + 1, sizeof(*texts));
	char name[32];

	for (unsigned i = 0; i < n + (extra != 0); i++) {
		unsigned number = i < n ? service * 1000 + i : 500000 + extra;

		snprintf(texts[i][0], 40, "app%u-pod-%u", service, number);
		snprintf(texts[i][1], 40, "10.%u.%u.%u", number >> 16, (number >> 8) & 255, number & 255);
		endpoints[i] = (struct fake_endpoint)FAKE_READY(texts[i][0], texts[i][1]);
	}
	snprintf(name, sizeof(name), "app%u", service);
	fake_kube_slice(b->kube, &(struct fake_slice){ .ns = "bench", .service = name, .endpoints = endpoints, .n_endpoints = n + (extra != 0) });
	free(texts);
	free(endpoints);
}

static void put_services(struct bench *b, unsigned per_service)
{
	for (unsigned i = 0; i < SERVICES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "app%u", i);
		fake_kube_service(b->kube, &(struct fake_service){ .ns = "bench", .name = name });
		put_slice(b, i, per_service, 0);
		fake_kube_syncer(b->kube, &(struct fake_syncer){ .ns = "bench", .name = name });
	}
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

static void write_files(struct bench *b, int renew_seconds)
{
	char path[128], text[PATH_MAX + 1024];

	snprintf(path, sizeof(path), "%s/kubeconfig", b->directory);
	snprintf(text, sizeof(text),
	         "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: \"http://127.0.0.1:%u\"}}]\n"
	         "users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n", ek_serve_port(b->kube_serve));
	write_file(path, text);
	snprintf(path, sizeof(path), "%s/eurekube.yaml", b->directory);
	snprintf(text, sizeof(text),
	         "clusterId: bench\nplugins: {directory: \"%s/plugins\"}\nmodes: {pod: {plugin: pod.so}}\nregistries:\n  main:\n    plugin: eureka.so\n"
	         "    default: true\n    options: {serviceUrls: [\"http://127.0.0.1:%u/eureka/\"], leaseSeconds: 90, renewSeconds: %d}\n",
	         b->build, ek_serve_port(b->eureka_serve), renew_seconds);
	write_file(path, text);
}

static void start_operator(struct bench *b, int renew_seconds)
{
	char program[PATH_MAX + 32], config[128], kubeconfig[128], log[128];
	const char *const argv[] = { program, "run", "--config", config, "--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0",
		         "--debug-listen", "127.0.0.1:0", "--log-level", "warn", NULL };
	posix_spawn_file_actions_t actions;

	write_files(b, renew_seconds);
	snprintf(program, sizeof(program), "%s/bin/eurekube", b->build);
	snprintf(config, sizeof(config), "%s/eurekube.yaml", b->directory);
	snprintf(kubeconfig, sizeof(kubeconfig), "%s/kubeconfig", b->directory);
	snprintf(log, sizeof(log), "%s/log", b->directory);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	b->n_posts = b->n_deletes = b->n_renewals = b->n_lists = 0;
	errno = posix_spawn(&b->child, program, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	if (errno) {
		perror(program);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&actions);
}

static void stop_operator(struct bench *b, int signo)
{
	kill(b->child, signo);
	run_for(b, 50);
	waitpid(b->child, NULL, 0);
	b->child = 0;
}

struct usage {
	long rss_kb, anon_kb, peak_kb;
	double cpu_seconds;
};

static struct usage read_usage(const struct bench *b)
{
	struct usage usage = { 0 };
	char path[64], line[512];
	unsigned long user = 0, system = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", b->child);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "VmRSS: %ld", &usage.rss_kb);
		sscanf(line, "RssAnon: %ld", &usage.anon_kb);
		sscanf(line, "VmHWM: %ld", &usage.peak_kb);
	}
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/stat", b->child);
	file = fopen(path, "re");
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

/* ---- rows ---- */

static void row_memory(const struct bench *b, const char *what)
{
	struct usage usage = read_usage(b);

	printf("memory, %-28s resident %5.1f MB, anonymous %5.1f MB, peak %5.1f MB\n", what, (double)usage.rss_kb / 1024, (double)usage.anon_kb / 1024,
	       (double)usage.peak_kb / 1024);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void row_latency(const char *what, int64_t *us, unsigned n)
{
	qsort(us, n, sizeof(*us), compare);
	printf("%-36s p50 %6.3f ms, p99 %6.3f ms, worst %6.3f ms (%u events, one at a time)\n", what, (double)us[n / 2] / 1000, (double)us[n * 99 / 100] / 1000,
	       (double)us[n - 1] / 1000, n);
}

static void measure_latency(struct bench *b)
{
	static int64_t added[ROUNDS], removed[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned service = i % SERVICES;
		int64_t start;

		put_slice(b, service, 100, i + 1); /* the event leaves when the loop turns */
		start = ek_loop_now_us(b->loop);
		await(b, &b->n_posts, b->n_posts + 1, "a registration");
		added[i] = b->last_write_us - start;
		run_for(b, 2);
		put_slice(b, service, 100, 0);
		start = ek_loop_now_us(b->loop);
		await(b, &b->n_deletes, b->n_deletes + 1, "a deregistration");
		removed[i] = b->last_write_us - start;
		run_for(b, 2);
	}
	row_latency("slice event -> registration", added, ROUNDS);
	row_latency("slice event -> deregistration", removed, ROUNDS);
}

static void measure_start(struct bench *b)
{
	int64_t start = ek_loop_now_us(b->loop);

	start_operator(b, 27);
	await(b, &b->n_posts, SERVICES * 100, "1,000 registrations");
	printf("exec -> last of 1,000 registrations  %.3f s, CPU of the operator %.3f s\n", (double)(b->last_write_us - start) / 1e6, read_usage(b).cpu_seconds);
	run_for(b, 1500);
	row_memory(b, "1,000 endpoints");
	stop_operator(b, SIGKILL);
	start = ek_loop_now_us(b->loop);
	start_operator(b, 27);
	await(b, &b->n_renewals, SERVICES * 100, "1,000 renewals");
	await(b, &b->n_lists, 1, "the list");
	printf("exec -> everything renewed and read  %.3f s, registrations repeated %u\n", (double)(ek_loop_now_us(b->loop) - start) / 1e6, b->n_posts);
}

static void measure_heartbeats(struct bench *b)
{
	struct usage before, after;
	unsigned n;

	start_operator(b, 1);
	await(b, &b->n_renewals, SERVICES * 100 * 2, "the first renewals");
	before = read_usage(b);
	n = b->n_renewals;
	run_for(b, 10000);
	after = read_usage(b);
	n = b->n_renewals - n;
	printf("CPU per heartbeat, single            %.0f us (%u heartbeats in 10 s, over keep-alive connections)\n",
	       (after.cpu_seconds - before.cpu_seconds) * 1e6 / (double)(n ? n : 1), n);
	stop_operator(b, SIGTERM);
}

static void set_up(struct bench *b)
{
	const char *build = getenv("EK_TEST_BUILD");
	struct ek_error err = EK_ERROR_INIT;

	if (!realpath(build ? build : "build/release", b->build)) {
		perror("build directory");
		exit(1);
	}
	snprintf(b->directory, sizeof(b->directory), "/tmp/eurekube-bench-XXXXXX");
	if (!mkdtemp(b->directory)) {
		perror("mkdtemp");
		exit(1);
	}
	b->loop = ek_loop_new();
	b->kube = fake_kube_new(b->loop);
	b->eureka = fake_eureka_new(b->loop, NULL);
	ek_timer_init(&b->limit, on_limit, b);
	b->kube_serve = ek_serve_new(b->loop, &(struct ek_serve_config){ .host = "127.0.0.1", .handle = fake_kube_handle, .arg = b->kube, .max_body_bytes = 3 << 20 }, &err);
	b->eureka_serve = ek_serve_new(b->loop, &(struct ek_serve_config){ .host = "127.0.0.1", .handle = on_eureka, .arg = b, .max_connections = 256 }, &err);
	if (!b->kube_serve || !b->eureka_serve) {
		fprintf(stderr, "bench: %s\n", err.message);
		exit(1);
	}
	fake_kube_service(b->kube, &(struct fake_service){ .ns = "default", .name = "kubernetes" });
	fake_kube_slice(b->kube, &(struct fake_slice){ .ns = "default", .service = "kubernetes" });
}

static void tear_down(struct bench *b)
{
	static const char *const names[] = { "kubeconfig", "eurekube.yaml", "log" };
	char path[128];

	ek_serve_free(b->kube_serve);
	ek_serve_free(b->eureka_serve);
	fake_kube_free(b->kube);
	fake_eureka_free(b->eureka);
	ek_loop_free(b->loop);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", b->directory, names[i]);
		unlink(path);
	}
	rmdir(b->directory);
}

int main(void)
{
	struct bench b = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	set_up(&b);
	start_operator(&b, 27);
	await(&b, &b.n_lists, 1, "the operator's first list");
	run_for(&b, 1000);
	row_memory(&b, "at rest, nothing registered");
	stop_operator(&b, SIGTERM);
	put_services(&b, 100);
	measure_start(&b);
	measure_latency(&b);
	stop_operator(&b, SIGTERM);
	measure_heartbeats(&b);
	tear_down(&b);
	return 0;
}
