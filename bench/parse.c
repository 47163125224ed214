/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures the way of a large list into the store, without network: seconds, bytes per second and memory, for the first list and for a relist, and what a view costs.
 * The document lies in an unlinked file and is read in pieces of 64 KiB, so only the store's own memory counts.
 * It judges nothing; the seconds are of CPU. Next: host/kube/list.c, where the bytes go first.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kube/store.h"
#include "rig/objects.h"

#define PIECE_BYTES 65536

struct layout {
	const char *name;
	unsigned n_services, n_slices, n_endpoints; /* slices per Service, endpoints per slice */
};

struct run {
	bool is_event;                 /* each object comes by itself, newer than before */
	struct ek_store *store;
	enum ek_store_kind kind;
	FILE *file;
	size_t n_bytes;
};

/* CPU time: others may use the machine. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line of /proc/self/status in bytes. */
static size_t status_bytes(const char *field)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t n = strlen(field), kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, n) == 0)
			kib = strtoul(line + n, NULL, 10);
	if (file)
		fclose(file);
	return kib * 1024;
}

static void reset_peak(void)
{
	FILE *file = fopen("/proc/self/clear_refs", "w");

	if (file) {
		fputs("5", file);
		fclose(file);
	}
}

/* ---- The documents ---- */

static void write_list(struct run *run, const struct layout *layout)
{
	unsigned number = 0;

	rewind(run->file);
	fputs("{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"123456\"},\"items\":[", run->file);
	for (unsigned s = 0; s < layout->n_services; s++) {
		if (run->kind == EK_STORE_SERVICES) {
			fputs(s ? "," : "", run->file);
			rig_write_service(run->file, "", s);
			continue;
		}
		for (unsigned i = 0; i < layout->n_slices; i++) {
			fputs(s || i ? "," : "", run->file);
			rig_write_slice(run->file, "", &(struct rig_slice){ .service = s, .number = i, .first = number, .n_endpoints = layout->n_endpoints, .second = run->is_event });
			number += layout->n_endpoints;
		}
	}
	fputs("]}\n", run->file);
	fflush(run->file);
	run->n_bytes = (size_t)ftell(run->file);
}

/* ---- The way into the store ---- */

static int on_item(void *arg, struct ek_slice item, struct ek_error *err)
{
	struct run *run = arg;

	if (run->is_event)
		return ek_store_sink(run->kind)->change(ek_store_feed(run->store, run->kind, NULL), EK_WATCH_MODIFIED, item, err);
	return ek_store_sink(run->kind)->add(ek_store_feed(run->store, run->kind, NULL), item, err);
}

static double read_list(struct run *run)
{
	const struct ek_reflector_sink *sink = ek_store_sink(run->kind);
	void *arg = ek_store_feed(run->store, run->kind, NULL);
	struct ek_error err = EK_ERROR_INIT;
	struct ek_list_splitter splitter;
	char *piece = ek_xmalloc(PIECE_BYTES);
	double start;
	size_t n;

	lseek(fileno(run->file), 0, SEEK_SET);
	start = now();
	ek_list_splitter_init(&splitter, on_item, run);
	if (!run->is_event)
		sink->begin(arg);
	while ((n = (size_t)read(fileno(run->file), piece, PIECE_BYTES)) > 0 && n <= PIECE_BYTES)
		if (ek_list_splitter_feed(&splitter, piece, n, &err) != EK_OK) {
			fprintf(stderr, "%s\n", err.message);
			exit(1);
		}
	if (!splitter.is_complete)
		exit(1);
	if (!run->is_event)
		sink->commit(arg);
	start = now() - start;
	ek_list_splitter_clear(&splitter);
	free(piece);
	return start;
}

static bool note_service(void *arg, const struct ek_record_service *service)
{
	*(const struct ek_record_service **)arg = service;
	return false;
}

static void measure_view(const struct ek_store *store)
{
	const struct ek_endpoint_policy policy = { .n_families = 2, .families = { 4, 6 } };
	const struct ek_record_service *record = NULL;
	const struct ek_service *service = NULL;
	struct ek_arena arena;
	double seconds = now();

	ek_arena_init(&arena);
	ek_store_each_service(store, "team-0", note_service, &record);
	for (int i = 0; record && i < 100; i++) {
		ek_arena_reset(&arena);
		service = ek_store_view(store, record, &policy, &arena);
	}
	seconds = (now() - seconds) / 100;
	printf("    a view of %u endpoints: %.1f us\n", service ? service->n_endpoints : 0, seconds * 1e6);
	ek_arena_clear(&arena);
}

/* Every slice changes once by an event, so that every Service gets its index. */
static void measure_events(struct run *slices, const struct layout *layout, size_t n_endpoints)
{
	size_t memory;
	double seconds;

	slices->is_event = true;
	write_list(slices, layout);
	malloc_trim(0);
	memory = status_bytes("RssAnon:");
	seconds = read_list(slices);
	malloc_trim(0);
	memory = status_bytes("RssAnon:") - memory;
	printf("    an event for each slice: %.3f s; the indices: %.1f MB, %.0f B per endpoint\n", seconds, (double)memory / 1e6, (double)memory / (double)n_endpoints);
}

static void measure(const struct layout *layout)
{
	struct run services = { .kind = EK_STORE_SERVICES, .file = tmpfile() }, slices = { .kind = EK_STORE_SLICES, .file = tmpfile() };
	size_t before, after, peak, total = (size_t)layout->n_services * layout->n_slices * layout->n_endpoints;
	struct ek_store_stats stats;
	double first, again;

	write_list(&services, layout);
	write_list(&slices, layout);
	malloc_trim(0);
	before = status_bytes("RssAnon:");
	services.store = slices.store = ek_store_new(NULL);
	first = read_list(&services) + read_list(&slices);
	after = status_bytes("RssAnon:");
	reset_peak();
	peak = status_bytes("VmHWM:");
	again = read_list(&services) + read_list(&slices);
	peak = status_bytes("VmHWM:") - peak;
	ek_store_stats(slices.store, &stats);
	printf("  %s: %zu Services, %zu slices, %zu endpoints, %.1f MB\n", layout->name, stats.services, stats.slices, stats.endpoints,
		(double)(services.n_bytes + slices.n_bytes) / 1e6);
	printf("    first list: %.3f s, %.0f MB/s; memory: %.1f MB, %.0f B per endpoint\n", first, (double)(services.n_bytes + slices.n_bytes) / first / 1e6,
		(double)(after - before) / 1e6, (double)(after - before) / (double)total);
	printf("    relist: %.3f s, %.0f MB/s; at its peak %.2f MB more\n", again, (double)(services.n_bytes + slices.n_bytes) / again / 1e6, (double)peak / 1e6);
	measure_view(slices.store);
	measure_events(&slices, layout, total);
	ek_store_free(slices.store);
	fclose(services.file);
	fclose(slices.file);
}

int main(void)
{
	static const struct layout layouts[] = {
		{ "small Services", 10000, 1, 10 },
		{ "full slices", 1000, 1, 100 },
		{ "large Services", 10, 100, 100 },
	};

	puts("lists on their way into the store, without network, in seconds of CPU");
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		measure(&layouts[i]);
	return 0;
}
