/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures how the real operator, as a process of its own, takes in a large cluster: from exec to a complete view, the memory that the view needs, and the peak
 * while everything is listed again three times. Services and slices come as bytes made beforehand, by streaming list; the rest is the stand-in API server's.
 * It judges nothing. Next: bench/parse.c, the same way into the store without network.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eurekube/host.h>

#include "base/alloc.h"
#include "io/serve.h"
#include "kit/fake_eureka.h"
#include "kit/fake_kube.h"
#include "rig/objects.h"
#include "rig/rig.h"

#define N_SERVICES   20000
#define PIECE_BYTES  (1u << 20)
#define N_RELISTS    3
#define RELIST_TRIES 60                /* of half a second at least */

struct layout {
	unsigned n_slices, n_endpoints;        /* in all; endpoints per slice */
};

/* One resource: its initial events, and the watch that is open. */
struct feed {
	struct view *view;
	const char *path;
	char *bytes;
	size_t n_bytes, n_sent;
	struct ek_serve_stream *stream;        /* NULL: nobody watches */
	struct ek_timer more;
	unsigned n_lists;
};

enum { SERVICES, SLICES, N_FEEDS };

struct view {
	struct rig rig;
	struct fake_kube *kube;
	struct fake_eureka *eureka;
	struct ek_serve *kube_serve, *eureka_serve;
	struct feed feeds[N_FEEDS];
	int log_fd;
	char log[1 << 16];
	size_t n_log;
};

/* ---- the cluster ---- */

static void write_bookmark(FILE *out, const char *head)
{
	fprintf(out, "{\"type\":\"BOOKMARK\",\"object\":{%s\"metadata\":{\"resourceVersion\":\"900000\",\"creationTimestamp\":null,"
		     "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n", head);
}

static void make_services(FILE *out)
{
	static const char head[] = "\"kind\":\"Service\",\"apiVersion\":\"v1\",";

	for (unsigned i = 0; i < N_SERVICES; i++) {
		fputs("{\"type\":\"ADDED\",\"object\":", out);
		rig_write_service(out, head, i);
		fputs("}\n", out);
	}
	write_bookmark(out, head);
}

static void make_slices(FILE *out, const struct layout *layout)
{
	static const char head[] = "\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",";

	for (unsigned i = 0; i < layout->n_slices; i++) {
		fputs("{\"type\":\"ADDED\",\"object\":", out);
		rig_write_slice(out, head, &(struct rig_slice){ .service = i, .first = i * layout->n_endpoints, .n_endpoints = layout->n_endpoints });
		fputs("}\n", out);
	}
	write_bookmark(out, head);
}

static void make_cluster(struct view *view, const struct layout *layout)
{
	for (int i = 0; i < N_FEEDS; i++) {
		FILE *out = open_memstream(&view->feeds[i].bytes, &view->feeds[i].n_bytes);

		if (i == SERVICES)
			make_services(out);
		else
			make_slices(out, layout);
		fclose(out);
	}
}

/* Every slice says another port from now on. */
static void change_all_slices(struct view *view)
{
	static const char before[] = "\"port\":8080", after[] = "\"port\":8081";
	char *at = view->feeds[SLICES].bytes;

	while ((at = strstr(at, before)))
		memcpy(at, after, sizeof(after) - 1);
}

/* ---- the API server ---- */

/* As fast as the peer reads. */
static void send_more(void *arg)
{
	struct feed *feed = arg;

	while (feed->n_sent < feed->n_bytes) {
		size_t left = feed->n_bytes - feed->n_sent, n = left < PIECE_BYTES ? left : PIECE_BYTES;

		if (ek_serve_stream_write(feed->stream, feed->bytes + feed->n_sent, n) != EK_OK) {
			ek_loop_arm(feed->view->rig.loop, &feed->more, 1);
			return;
		}
		feed->n_sent += n;
	}
	feed->n_lists++;
}

static void on_gone(void *arg)
{
	struct feed *feed = arg;

	feed->stream = NULL;
	ek_loop_disarm(feed->view->rig.loop, &feed->more);
}

static void on_kube(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct view *view = arg;

	for (int i = 0; i < N_FEEDS; i++) {
		struct feed *feed = &view->feeds[i];

		if (strcmp(request->path, feed->path) != 0 || !strstr(request->query, "watch=1"))
			continue;
		feed->stream = ek_serve_stream(exchange, 200, "application/json", on_gone, feed);
		feed->n_sent = 0;
		if (strstr(request->query, "sendInitialEvents=true"))
			send_more(feed);
		return;
	}
	fake_kube_handle(view->kube, request, exchange);
}

/* As an API server whose history has been compacted. */
static void expire_watches(struct view *view)
{
	static const char gone[] = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
				   "\"message\":\"too old resource version: 1 (2)\",\"reason\":\"Expired\",\"code\":410}}\n";

	for (int i = 0; i < N_FEEDS; i++) {
		ek_serve_stream_write(view->feeds[i].stream, gone, sizeof(gone) - 1);
		ek_serve_stream_end(view->feeds[i].stream, false);
		view->feeds[i].stream = NULL;
	}
}

/* ---- the operator ---- */

/* Its log: when the view is complete, it says so. */
static void on_log(void *arg, uint32_t events)
{
	struct view *view = arg;
	ssize_t n = read(view->log_fd, view->log + view->n_log, sizeof(view->log) - 1 - view->n_log);

	(void)events;
	if (n <= 0) {
		fprintf(stderr, "bench: the operator has ended:\n%s\n", view->log);
		exit(1);
	}
	view->n_log += (size_t)n;
	view->log[view->n_log] = '\0';
	if (strstr(view->log, "view of the cluster complete"))
		ek_loop_stop(view->rig.loop);
}

/* Gives the seconds from exec to the view. */
static double start(struct view *view)
{
	struct ek_fd *watch;
	int64_t began_us;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0) {
		perror("pipe");
		exit(1);
	}
	view->log_fd = fds[0];
	view->n_log = 0;
	watch = ek_loop_watch_fd(view->rig.loop, fds[0], EK_FD_READABLE, on_log, view, NULL);
	began_us = ek_loop_now_us(view->rig.loop);
	rig_start(&view->rig, &(struct rig_start){ .renew_seconds = 27, .log_level = "info", .log_fd = fds[1] });
	close(fds[1]);
	rig_wait(&view->rig, "a view of the cluster");
	began_us = ek_loop_now_us(view->rig.loop) - began_us;
	ek_loop_unwatch_fd(watch); /* what it says now stays in the pipe */
	return (double)began_us / 1e6;
}

static void relist(struct view *view)
{
	unsigned n = view->feeds[SERVICES].n_lists + view->feeds[SLICES].n_lists;

	expire_watches(view);
	for (int i = 0; i < RELIST_TRIES; i++) {
		rig_settle(&view->rig);
		if (view->feeds[SERVICES].n_lists + view->feeds[SLICES].n_lists == n + N_FEEDS)
			return;
	}
	fprintf(stderr, "bench: the operator does not list again\n");
	kill(view->rig.child, SIGKILL);
	exit(1);
}

static void row_peak(const struct view *view, const char *what, const struct rig_usage *steady)
{
	struct rig_usage now = rig_usage(&view->rig);

	printf("  %-37s %5.1f MB, %.2f of what is resident        (to reach: 1.5)\n", what, (double)now.peak_kb / 1024,
		(double)now.peak_kb / (double)steady->rss_kb);
}

static void measure_relists(struct view *view, const struct rig_usage *steady)
{
	double cpu_seconds;

	rig_reset_peak(&view->rig);
	for (int i = 0; i < N_RELISTS; i++)
		relist(view);
	cpu_seconds = rig_usage(&view->rig).cpu_seconds - steady->cpu_seconds;
	row_peak(view, "peak, listed again three times", steady);
	printf("  %-37s %5.2f s of CPU each\n", "", cpu_seconds / N_RELISTS);
	change_all_slices(view);
	rig_reset_peak(&view->rig);
	relist(view);
	row_peak(view, "peak, and every slice is another", steady);
}

static void measure(struct view *view, const struct layout *layout)
{
	struct rig_usage first, steady;
	double seconds;

	make_cluster(view, layout);
	printf("view of %u endpoints in %u slices and of %d Services, %.0f MB of JSON\n", layout->n_slices * layout->n_endpoints, layout->n_slices, N_SERVICES,
		(double)(view->feeds[SERVICES].n_bytes + view->feeds[SLICES].n_bytes) / 1e6);
	seconds = start(view);
	first = rig_usage(&view->rig);
	printf("  %-37s %5.2f s, of CPU %.2f s                  (to reach: 0.5 s)\n", "exec -> the view is complete", seconds, first.cpu_seconds);
	rig_settle(&view->rig);
	steady = rig_usage(&view->rig);
	printf("  %-37s %5.1f MB, of it anonymous %.1f MB        (to reach: 42 MB, 32 MB)\n", "resident", (double)steady.rss_kb / 1024,
		(double)steady.anon_kb / 1024);
	row_peak(view, "peak, listed the first time", &steady);
	measure_relists(view, &steady);
	rig_stop(&view->rig, SIGTERM);
	close(view->log_fd);
	for (int i = 0; i < N_FEEDS; i++)
		free(view->feeds[i].bytes);
}

/* ---- life ---- */

static void set_up(struct view *view)
{
	static const char *const paths[N_FEEDS] = { "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices" };
	struct ek_error err = EK_ERROR_INIT;

	rig_set_up(&view->rig);
	view->kube = fake_kube_new(view->rig.loop);
	view->eureka = fake_eureka_new(view->rig.loop, NULL);
	view->kube_serve = ek_serve_new(view->rig.loop, &(struct ek_serve_config){ .host = "127.0.0.1", .handle = on_kube, .arg = view, .max_body_bytes = 3 << 20 }, &err);
	view->eureka_serve = ek_serve_new(view->rig.loop, &(struct ek_serve_config){ .host = "127.0.0.1", .handle = fake_eureka_handle, .arg = view->eureka }, &err);
	if (!view->kube_serve || !view->eureka_serve) {
		fprintf(stderr, "bench: %s\n", err.message);
		exit(1);
	}
	view->rig.kube_port = ek_serve_port(view->kube_serve);
	view->rig.eureka_port = ek_serve_port(view->eureka_serve);
	for (int i = 0; i < N_FEEDS; i++) {
		view->feeds[i] = (struct feed){ .view = view, .path = paths[i] };
		ek_timer_init(&view->feeds[i].more, send_more, &view->feeds[i]);
	}
	fake_kube_syncer(view->kube, &(struct fake_syncer){ .ns = "bench", .name = "of-nothing" });
}

static void tear_down(struct view *view)
{
	ek_serve_free(view->kube_serve);
	ek_serve_free(view->eureka_serve);
	fake_kube_free(view->kube);
	fake_eureka_free(view->eureka);
	rig_tear_down(&view->rig);
}

int main(void)
{
	static const struct layout layouts[] = { { 1000, 100 }, { 10000, 10 } };
	static struct view view;

	set_up(&view);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		measure(&view, &layouts[i]);
	tear_down(&view);
	return 0;
}
