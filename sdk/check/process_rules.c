/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of plugin.h that hold for every kind: what comes and goes leaves nothing behind, and the process stays the host's.
 * How an instance is made and used is the caller's; here is what is looked at before and after.
 * Read next: mode_rules.c and registry_rules.c for what one cycle is.
 */
#include "check.h"

#include "base/alloc.h"

#include <dirent.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_UP 20
#define CYCLES 100
#define NOISE_BYTES 1600 /* less than a pointer and its malloc header for each cycle */
#define LEAK_TRIES 3     /* the allocator's own lists grow for a while, a leak does for ever */
#define SIGNALS 32
#define PROMPT_MS 200    /* above what the host counts (50 ms), since this machine may be busy; */
#define PROMPT_TRIES 5   /* and for that it is tried again: who waits for something does so each time */
#define SETTLE_US 20000  /* while it is made, a thread blocks all signals for the C library */
#define GO_MS 1000       /* how long a thread may take to end */

static unsigned count_in(const char *directory)
{
	DIR *open = opendir(directory);
	unsigned n = 0;

	while (open && readdir(open))
		n++;
	if (open)
		closedir(open);
	return n;
}

static unsigned count_threads(void)
{
	return count_in("/proc/self/task");
}

/* As /proc has it: bit n - 1 for signal n. */
static bool has_signals_open(const char *thread)
{
	char path[64], line[128];
	unsigned long long blocked = ~0ull;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", thread);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "SigBlk: %llx", &blocked);
	if (file)
		fclose(file);
	return !(blocked & (1ull << (SIGTERM - 1)));
}

void ek_check_look_at_threads(struct ek_check *check)
{
	DIR *open;
	struct dirent *entry;

	if (!check->looks_at_threads)
		return;
	usleep(SETTLE_US);
	open = opendir("/proc/self/task");
	while (open && (entry = readdir(open)))
		if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != getpid() && has_signals_open(entry->d_name))
			check->has_seen_signals_open = true;
	if (open)
		closedir(open);
}

/* A thread that was joined may be seen for a moment yet. */
static unsigned count_threads_left(unsigned n_before)
{
	int64_t until_ms = ek_check_clock_ms() + GO_MS;
	unsigned n = count_threads();

	while (n > n_before && ek_check_clock_ms() < until_ms) {
		usleep(10000);
		n = count_threads();
	}
	return n > n_before ? n - n_before : 0;
}

/* ---- Cycles ---- */

static size_t count_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Not under a sanitizer, which has an allocator of its own. */
static bool can_count_bytes(void)
{
	size_t before = count_bytes();
	void *piece = ek_xmalloc(4096);
	bool can = count_bytes() >= before + 4096;

	free(piece);
	return can;
}

static const char *run_cycles(struct ek_check *check, const char *(*cycle)(struct ek_check *check), unsigned n)
{
	const char *fault = NULL;

	while (n-- && !fault)
		fault = cycle(check);
	return fault;
}

const char *ek_check_cycles(struct ek_check *check, const char *(*cycle)(struct ek_check *check))
{
	const char *fault = run_cycles(check, cycle, WARM_UP);
	unsigned n_fds = count_in("/proc/self/fd");
	size_t n_bytes = 0;

	for (unsigned i = 0; i < LEAK_TRIES && !fault; i++) {
		n_bytes = count_bytes();
		fault = run_cycles(check, cycle, CYCLES);
		if (count_bytes() <= n_bytes + NOISE_BYTES)
			break;
	}
	if (fault)
		return fault;
	if (count_in("/proc/self/fd") > n_fds)
		return ek_check_saw(check, "%u descriptors were left open", count_in("/proc/self/fd") - n_fds);
	if (count_bytes() > n_bytes + NOISE_BYTES)
		return ek_check_saw(check, "about %zu bytes are left behind each time", (count_bytes() - n_bytes) / CYCLES);
	return can_count_bytes() ? NULL : ek_check_skip(check, "memory cannot be counted here; no descriptors were left open");
}

const char *ek_check_threads(struct ek_check *check, const char *(*cycle)(struct ek_check *check))
{
	unsigned n_before = count_threads(), n_left;
	const char *fault;

	check->looks_at_threads = true;
	fault = cycle(check);
	check->looks_at_threads = false;
	if (fault)
		return fault;
	n_left = count_threads_left(n_before);
	if (n_left)
		return ek_check_saw(check, "%u still run", n_left);
	return check->has_seen_signals_open ? "one of its threads does not block SIGTERM; block all signals before it is started" : NULL;
}

const char *ek_check_prompt(struct ek_check *check, const char *(*cycle)(struct ek_check *check))
{
	const char *fault = NULL;

	for (unsigned i = 0; i < PROMPT_TRIES && !fault; i++) {
		check->slowest_ms = 0;
		fault = cycle(check);
		if (!fault && check->slowest_ms < PROMPT_MS)
			return NULL;
	}
	return fault ? fault : ek_check_saw(check, "one took %lld ms", (long long)check->slowest_ms);
}

/* ---- The process, and the descriptor ---- */

struct ek_process_state {
	char directory[512], locale[256];
	mode_t mask;
	sigset_t blocked;
	void (*handlers[SIGNALS])(int signo);
	uint64_t environment;
	bool has_children;
};

static mode_t read_umask(void)
{
	mode_t mask = umask(022);

	umask(mask);
	return mask;
}

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	for (const unsigned char *at = bytes; n--; at++)
		hash = (hash ^ *at) * 1099511628211u;
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

static uint64_t hash_environment(void)
{
	uint64_t hash = 14695981039346656037u;

	for (char **at = environ; at && *at; at++)
		hash = hash_text(hash, *at);
	return hash;
}

static uint64_t hash_options(uint64_t hash, const struct ek_option *const *options)
{
	for (; options && *options; options++) {
		hash = hash_bytes(hash, *options, sizeof(**options));
		hash = hash_text(hash, (*options)->name);
		hash = hash_text(hash, (*options)->default_value);
		hash = hash_text(hash, (*options)->choices);
		hash = hash_text(hash, (*options)->help);
	}
	return hash;
}

uint64_t ek_check_hash_descriptor(const struct ek_plugin *plugin)
{
	uint64_t hash = hash_bytes(14695981039346656037u, plugin, sizeof(*plugin));

	hash = hash_text(hash, plugin->name);
	hash = hash_text(hash, plugin->version);
	hash = hash_text(hash, plugin->build_id);
	hash = hash_options(hash_options(hash, plugin->options), plugin->instance_options);
	return hash_bytes(hash, plugin->ops, plugin->kind == EK_PLUGIN_MODE ? sizeof(struct ek_mode_ops) : sizeof(struct ek_registry_ops));
}

struct ek_process_state *ek_process_state_new(void)
{
	struct ek_process_state *state = ek_xcalloc(1, sizeof(*state));

	if (!getcwd(state->directory, sizeof(state->directory)))
		state->directory[0] = '\0';
	snprintf(state->locale, sizeof(state->locale), "%s", setlocale(LC_ALL, NULL));
	state->mask = read_umask();
	sigprocmask(SIG_SETMASK, NULL, &state->blocked);
	for (int signo = 1; signo < SIGNALS; signo++) {
		struct sigaction action;

		if (!sigaction(signo, NULL, &action))
			state->handlers[signo] = action.sa_handler;
	}
	state->environment = hash_environment();
	state->has_children = waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT) == 0;
	return state;
}

static const char *difference(struct ek_check *check, const struct ek_process_state *a, const struct ek_process_state *b)
{
	if (strcmp(a->directory, b->directory) != 0)
		return ek_check_saw(check, "the working directory became %.300s", b->directory);
	if (strcmp(a->locale, b->locale) != 0)
		return ek_check_saw(check, "the locale became %.200s", b->locale);
	if (a->mask != b->mask)
		return ek_check_saw(check, "the umask became %03o", (unsigned)b->mask);
	if (!a->has_children && b->has_children)
		return "a process was started";
	if (a->environment != b->environment)
		return "the environment was changed";
	for (int signo = 1; signo < SIGNALS; signo++) {
		if (a->handlers[signo] != b->handlers[signo])
			return ek_check_saw(check, "signal %d got another handler", signo);
		if (sigismember(&a->blocked, signo) != sigismember(&b->blocked, signo))
			return ek_check_saw(check, "signal %d was blocked or unblocked", signo);
	}
	return NULL;
}

static const char *leaves_the_process_alone(struct ek_check *check)
{
	struct ek_process_state *now = ek_process_state_new();
	const char *fault = difference(check, check->before, now);

	free(now);
	return fault;
}

static const char *keeps_its_descriptor(struct ek_check *check)
{
	return check->descriptor == ek_check_hash_descriptor(check->plugin) ? NULL : "it is not what it was when the plugin was loaded";
}

static const char *is_quiet(struct ek_check *check)
{
	char sample[200];
	size_t n = ek_report_strays(check->report, sample, sizeof(sample));

	return n ? ek_check_saw(check, "%zu bytes were written: \"%s\"", n, sample) : NULL;
}

const struct ek_rule ek_process_rules[] = {
	{ "descriptor", "the descriptor and all it points to never change", NULL, keeps_its_descriptor },
	{ "process", "directory, locale, umask, environment and signals are left as they were, and no process is started", NULL, leaves_the_process_alone },
	{ "quiet", "nothing is written to standard output or error", NULL, is_quiet },
	{ 0 },
};
