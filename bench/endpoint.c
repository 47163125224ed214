/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one endpoint's change costs, from the slice's event to the registry's acknowledgement, in a Service of 100 and of 10,000 endpoints: instructions, counted by
 * callgrind, since they are the same on every machine; beside it what looking at all of the Service costs, and how long that takes. The whole operator runs in one process in
 * simulated time, against the registry `memory`. It judges nothing. Read host/sync/evaluate_part.c for how it is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "kit/world.h"
#include "sync/reconcile.h"
#include "sync/status.h"

#define SLICE 100
#define N_CHANGES 200
#define N_TURNS 50

struct bench {
	struct world *w;
	struct ek_sync_syncer *syncer;
	unsigned n;
	uint8_t *is_down, *generation;  /* of each endpoint; the pod of another generation is another pod */
};

/* ---- the cluster ---- */

static void write_endpoint(struct ek_buf *out, const struct bench *b, unsigned i)
{
	const char *ready = b->is_down[i] ? "false" : "true";
	unsigned g = b->generation[i];

	ek_buf_addf(out, "%s{\"addresses\":[\"10.%u.%u.%u\"],\"conditions\":{\"ready\":%s,\"serving\":%s,\"terminating\":false},\"targetRef\":{\"kind\":\"Pod\","
		"\"namespace\":\"bench\",\"name\":\"web-7d4b9c6f5-%x%04x\",\"uid\":\"%08x-1111-4222-8333-%012x\"},\"nodeName\":\"node-%u.example.internal\",\"zone\":\"zone-a\"}",
		i % SLICE ? "," : "", g, i >> 8 & 255, i & 255, ready, ready, g, i, i * 2654435761u, g << 16 | i, i % 100);
}

static void write_slice(struct ek_buf *out, const struct bench *b, unsigned slice, unsigned second)
{
	ek_buf_reset(out);
	ek_buf_addf(out, "{\"metadata\":{\"name\":\"web-s%u\",\"namespace\":\"bench\",\"labels\":{\"kubernetes.io/service-name\":\"web\"},\"annotations\":{"
		"\"endpoints.kubernetes.io/last-change-trigger-time\":\"2024-01-01T00:%02u:%02uZ\"}},\"addressType\":\"IPv4\",\"endpoints\":[",
		slice, second / 60 % 60, second % 60);
	for (unsigned i = slice * SLICE; i < (slice + 1) * SLICE && i < b->n; i++)
		write_endpoint(out, b, i);
	ek_buf_adds(out, "],\"ports\":[{\"name\":\"http\",\"port\":8080,\"protocol\":\"TCP\"}]}");
}

static void send_event(const struct bench *b, const struct ek_buf *json)
{
	struct ek_store *store = b->w->app->engine->store;
	struct ek_error err = EK_ERROR_INIT;

	if (ek_store_sink(EK_STORE_SLICES)->change(ek_store_feed(store, EK_STORE_SLICES, NULL), EK_WATCH_MODIFIED, (struct ek_slice){ json->at, json->n }, &err) != EK_OK)
		EK_BUG("%s", err.message);
}

/* What callgrind counts (--toggle-collect): one event, and all that follows from it. */
__attribute__((noinline)) void ek_bench_change(struct bench *b, const struct ek_buf *json, bool is_whole);
void ek_bench_change(struct bench *b, const struct ek_buf *json, bool is_whole)
{
	send_event(b, json);
	if (is_whole)
		ek_queue_add(&b->syncer->item);
	pass_ms(b->w, 3);
}

static void make(struct bench *b, unsigned n)
{
	struct ek_status_counts counts = { 0 };
	struct ek_buf json;

	*b = (struct bench){ .w = world_new(1), .n = n, .is_down = ek_xcalloc(n, 1), .generation = ek_xcalloc(n, 1) };
	given_config(b->w, "clusterId: bench\nmodes: {pod: {plugin: pod.so}}\nregistries: {main: {plugin: memory.so, default: true}}\n");
	given_service(b->w, "bench/web");
	given_syncer(b->w, "bench/web", NULL);
	when_started(b->w);
	b->syncer = ek_engine_find_syncer(b->w->app->engine, "bench", "web");
	ek_buf_init(&json, 1 << 20);
	for (unsigned slice = 0; slice * SLICE < n; slice++) {
		write_slice(&json, b, slice, 0);
		send_event(b, &json);
	}
	ek_buf_clear(&json);
	while (counts.registered < n) {
		pass_ms(b->w, 50);
		ek_status_count(b->syncer, &counts);
	}
	pass_ms(b->w, 5000);
}

static void clear(struct bench *b)
{
	free(b->is_down);
	free(b->generation);
	world_free(b->w);
}

static void change(struct bench *b, unsigned n_changes, bool is_whole)
{
	struct ek_buf json;

	ek_buf_init(&json, 1 << 20);
	for (unsigned i = 0; i < n_changes; i++) {
		unsigned at = (i * 7919) % b->n;

		b->is_down[at] = !b->is_down[at];
		write_slice(&json, b, at / SLICE, i + 1);
		ek_bench_change(b, &json, is_whole);
	}
	ek_buf_clear(&json);
}

/* ---- rows ---- */

/* This program again, under callgrind; 0: it cannot be run. */
static double count(const char *program, unsigned n, unsigned n_changes, bool is_whole)
{
	char command[1024], line[512];
	unsigned long long collected = 0;
	FILE *output;

	snprintf(command, sizeof(command), "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=ek_bench_change '%s' %u %u %d 2>&1", program, n,
	         n_changes, is_whole);
	output = popen(command, "r");
	while (output && fgets(line, sizeof(line), output)) {
		const char *at = strstr(line, "Collected : ");

		if (at)
			collected = strtoull(at + 12, NULL, 10);
	}
	if (output)
		pclose(output);
	return (double)collected / n_changes;
}

static void row_instructions(const char *program, const char *what, unsigned n_changes, bool is_whole)
{
	double small = count(program, 100, n_changes, is_whole), large = count(program, 10000, n_changes, is_whole);

	printf("%-36s %9.0f instructions with 100 endpoints, %9.0f with 10,000: %.2f times\n", what, small, large, small > 0 ? large / small : 0);
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void row_turns(unsigned n)
{
	double longest = 0, sum = 0;
	struct bench b;

	make(&b, n);
	for (int i = 0; i < N_TURNS; i++) {
		double us;

		b.syncer->item.is_part = false;
		us = cpu_us();
		ek_reconcile(b.syncer);
		us = cpu_us() - us;
		sum += us;
		longest = us > longest ? us : longest;
		pass_ms(b.w, 5);
	}
	printf("a turn that looks at all %-11u %.2f ms of CPU, the longest %.2f ms\n", n, sum / N_TURNS / 1000, longest / 1000);
	clear(&b);
}

/* Each pod ends and another takes its place, one event after the other; what one event and all that follows from it takes bounds what a reader waits. */
static void row_storm(unsigned n, unsigned n_pods)
{
	double longest = 0, sum = 0;
	struct ek_buf json;
	struct bench b;

	make(&b, n);
	ek_buf_init(&json, 1 << 20);
	for (unsigned i = 0; i < 2 * n_pods; i++) {
		unsigned at = (i / 2 * 7919) % n;
		double us;

		b.is_down[at] = i % 2 == 0;
		b.generation[at] += i % 2;
		write_slice(&json, &b, at / SLICE, i + 1);
		us = cpu_us();
		ek_bench_change(&b, &json, false);
		us = cpu_us() - us;
		sum += us;
		longest = us > longest ? us : longest;
	}
	printf("%u pods rolled through %-13u %.3f ms of CPU for each event and what follows, the longest %.2f ms\n", n_pods, n, sum / n_pods / 2000, longest / 1000);
	ek_buf_clear(&json);
	clear(&b);
}

int main(int argc, char **argv)
{
	struct bench b;

	world_choose_log();
	if (argc == 4) {
		make(&b, (unsigned)strtoul(argv[1], NULL, 10));
		change(&b, (unsigned)strtoul(argv[2], NULL, 10), argv[3][0] == '1');
		clear(&b);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	row_turns(100);
	row_turns(10000);
	row_storm(10000, 1000);
	if (system("valgrind --version >/dev/null 2>&1") != 0) {
		printf("valgrind is not installed: instructions are not counted\n");
		return 0;
	}
	row_instructions(argv[0], "one endpoint's change", N_CHANGES, false);
	row_instructions(argv[0], "the same, looking at everything", 10, true);
	return 0;
}
