/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures the real operator, as a process of its own, against the stand-in API server and the stand-in Eureka on loopback sockets: memory, start, latency from
 * a slice's event to the registry's write, and CPU per heartbeat. It judges nothing: figures go to stdout, one row each. Read docs/architecture.md for
 * what happens between the two.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eurekube/host.h>

#include "base/alloc.h"
#include "io/serve.h"
#include "kit/fake_eureka.h"
#include "kit/fake_kube.h"
#include "rig/rig.h"

#define SERVICES 10
#define ROUNDS 500

struct bench {
	struct rig rig;
	struct fake_kube *kube;
	struct fake_eureka *eureka;
	struct ek_serve *kube_serve, *eureka_serve;
	unsigned n_posts, n_deletes, n_renewals, n_lists;
	int64_t last_write_us;
	unsigned *awaited, awaited_n;
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
		b->last_write_us = ek_loop_now_us(b->rig.loop);
	fake_eureka_handle(b->eureka, request, exchange);
	if (b->awaited && *b->awaited >= b->awaited_n) {
		b->awaited = NULL;
		ek_loop_stop(b->rig.loop);
	}
}

/* Runs the loop until `*counter` has reached n. */
static void await(struct bench *b, unsigned *counter, unsigned n, const char *what)
{
	if (*counter >= n)
		return;
	b->awaited = counter;
	b->awaited_n = n;
	rig_wait(&b->rig, what);
}

/* ---- the cluster ---- */

/* `n` ready endpoints, and with `extra` one more of that number, which terminates if it is negative. */
static void put_slice(struct bench *b, unsigned service, unsigned n, int extra)
{
	struct fake_endpoint *endpoints = ek_xcalloc(n + 1, sizeof(*endpoints));
	char (*texts)[2][40] = ek_xcalloc(n + 1, sizeof(*texts));
	char name[32];

	for (unsigned i = 0; i < n + (extra != 0); i++) {
		unsigned number = i < n ? service * 1000 + i : 500000 + (unsigned)abs(extra);

		snprintf(texts[i][0], 40, "app%u-pod-%u", service, number);
		snprintf(texts[i][1], 40, "10.%u.%u.%u", number >> 16, (number >> 8) & 255, number & 255);
		endpoints[i] = (struct fake_endpoint)FAKE_READY(texts[i][0], texts[i][1]);
	}
	if (extra < 0)
		endpoints[n] = (struct fake_endpoint)FAKE_TERMINATING(texts[n][0], texts[n][1]);
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

static void start_operator(struct bench *b, int renew_seconds)
{
	b->n_posts = b->n_deletes = b->n_renewals = b->n_lists = 0;
	rig_start(&b->rig, &(struct rig_start){ .renew_seconds = renew_seconds, .log_fd = -1 });
}

/* ---- rows ---- */

static void row_memory(const struct bench *b, const char *what, const char *to_reach)
{
	struct rig_usage usage = rig_usage(&b->rig);

	printf("  %-37s %5.1f MB, of it anonymous %.1f MB, peak %.1f MB%s\n", what, (double)usage.rss_kb / 1024, (double)usage.anon_kb / 1024,
	       (double)usage.peak_kb / 1024, to_reach);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void row_latency(const char *what, int64_t *us, unsigned n)
{
	qsort(us, n, sizeof(*us), compare);
	printf("  %-37s p50 %5.3f ms, p99 %.3f ms, worst %.3f ms of %u, one at a time   (to reach: 1 ms, 5 ms)\n", what, (double)us[n / 2] / 1000, (double)us[n * 99 / 100] / 1000,
	       (double)us[n - 1] / 1000, n);
}

static void measure_latency(struct bench *b)
{
	static int64_t added[ROUNDS], removed[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned service = i % SERVICES;
		int64_t start;

		put_slice(b, service, 100, (int)i + 1); /* the event leaves when the loop turns */
		start = ek_loop_now_us(b->rig.loop);
		await(b, &b->n_posts, b->n_posts + 1, "a registration");
		added[i] = b->last_write_us - start;
		rig_run_for(&b->rig, 2);
		put_slice(b, service, 100, -(int)i - 1);
		start = ek_loop_now_us(b->rig.loop);
		await(b, &b->n_deletes, b->n_deletes + 1, "a deregistration");
		removed[i] = b->last_write_us - start;
		rig_run_for(&b->rig, 2);
	}
	row_latency("slice event -> registration", added, ROUNDS);
	row_latency("slice event -> deregistration", removed, ROUNDS);
}

static void measure_start(struct bench *b)
{
	int64_t start = ek_loop_now_us(b->rig.loop);

	start_operator(b, 27);
	await(b, &b->n_posts, SERVICES * 100, "1,000 registrations");
	printf("  exec -> last of 1,000 registrations   %5.3f s, of CPU %.3f s   (to reach: 0.11 s)\n", (double)(b->last_write_us - start) / 1e6, rig_usage(&b->rig).cpu_seconds);
	rig_run_for(&b->rig, 1500);
	row_memory(b, "resident, 1,000 endpoints", "   (to reach: 14 MB, 4 MB)");
	rig_stop(&b->rig, SIGKILL);
	start = ek_loop_now_us(b->rig.loop);
	start_operator(b, 27);
	await(b, &b->n_renewals, SERVICES * 100, "1,000 renewals");
	await(b, &b->n_lists, 1, "the list");
	printf("  exec -> all are renewed and read      %5.3f s, registrations repeated %u\n", (double)(ek_loop_now_us(b->rig.loop) - start) / 1e6, b->n_posts);
}

static void measure_heartbeats(struct bench *b)
{
	struct rig_usage before, after;
	unsigned n;

	start_operator(b, 1);
	await(b, &b->n_renewals, SERVICES * 100 * 2, "the first renewals");
	before = rig_usage(&b->rig);
	n = b->n_renewals;
	rig_run_for(&b->rig, 10000);
	after = rig_usage(&b->rig);
	n = b->n_renewals - n;
	printf("  CPU of a heartbeat                    %5.0f us of %u in 10 s, over keep-alive connections   (to reach: 60 us)\n",
	       (after.cpu_seconds - before.cpu_seconds) * 1e6 / (double)(n ? n : 1), n);
	rig_stop(&b->rig, SIGTERM);
}

static void set_up(struct bench *b)
{
	struct ek_error err = EK_ERROR_INIT;

	rig_set_up(&b->rig);
	b->kube = fake_kube_new(b->rig.loop);
	b->eureka = fake_eureka_new(b->rig.loop, NULL);
	b->kube_serve = ek_serve_new(b->rig.loop, &(struct ek_serve_config){ .host = "127.0.0.1", .handle = fake_kube_handle, .arg = b->kube, .max_body_bytes = 3 << 20 }, &err);
	b->eureka_serve = ek_serve_new(b->rig.loop, &(struct ek_serve_config){ .host = "127.0.0.1", .handle = on_eureka, .arg = b, .max_connections = 256 }, &err);
	if (!b->kube_serve || !b->eureka_serve) {
		fprintf(stderr, "bench: %s\n", err.message);
		exit(1);
	}
	b->rig.kube_port = ek_serve_port(b->kube_serve);
	b->rig.eureka_port = ek_serve_port(b->eureka_serve);
	fake_kube_service(b->kube, &(struct fake_service){ .ns = "default", .name = "kubernetes" });
	fake_kube_slice(b->kube, &(struct fake_slice){ .ns = "default", .service = "kubernetes" });
}

static void tear_down(struct bench *b)
{
	ek_serve_free(b->kube_serve);
	ek_serve_free(b->eureka_serve);
	fake_kube_free(b->kube);
	fake_eureka_free(b->eureka);
	rig_tear_down(&b->rig);
}

int main(void)
{
	struct bench b = { 0 };

	set_up(&b);
	start_operator(&b, 27);
	await(&b, &b.n_lists, 1, "the operator's first list");
	rig_run_for(&b.rig, 1000);
	puts("the operator with stand-ins for the API server and Eureka");
	row_memory(&b, "resident at rest, nothing registered", "");
	rig_stop(&b.rig, SIGTERM);
	put_services(&b, 100);
	measure_start(&b);
	measure_latency(&b);
	rig_stop(&b.rig, SIGTERM);
	measure_heartbeats(&b);
	tear_down(&b);
	return 0;
}
