/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ek-standins: the fake API server and the fake Eureka on real sockets of this machine, for the demo and for trying things by
 * hand. One process on the real loop; it adds nothing to what the fakes do.
 * Next: tests/kit/fake_kube.h and fake_eureka.h.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/loop.h"
#include "io/serve.h"
#include "kit/fake_eureka.h"
#include "kit/fake_kube.h"
#include "kit/fake_slices.h"

static const char help[] =
	"Usage: ek-standins [options]\n"
	"\n"
	"Serves a stand-in for the Kubernetes API and one for Eureka on 127.0.0.1, until SIGTERM or SIGINT.\n"
	"\n"
	"  --kube-port PORT      default 0: any free one\n"
	"  --eureka-port PORT    default 0: any free one\n"
	"  --kubeconfig FILE     write a kubeconfig for the API server\n"
	"  --state-dir DIR       write kubeconfig, kube-url and eureka-url there\n"
	"  --eviction-ms MS      how often Eureka evicts expired leases (default 60000)\n"
	"  --no-slices           leave EndpointSlices to the client: no endpoint slice controller\n"
	"  --no-kubelet          leave Pods as they are: otherwise a new one gets an address and is ready\n"
	"  --help                this text\n"
	"\n"
	"Example:\n"
	"  ek-standins --state-dir /tmp/standins &\n"
	"  ek-democtl --kubeconfig /tmp/standins/kubeconfig get /api/v1/services\n";

struct standins {
	struct ek_loop *loop;
	struct fake_kube *kube;
	struct fake_eureka *eureka;
	struct fake_slices *slices;
	struct ek_serve *kube_serve, *eureka_serve;
};

struct options {
	uint16_t kube_port, eureka_port;
	const char *kubeconfig, *state_dir;
	int64_t eviction_ms;
	bool has_no_slices, has_no_kubelet;
};

enum { KUBE_PORT = 1, EUREKA_PORT, KUBECONFIG, STATE_DIR, EVICTION, NO_SLICES, NO_KUBELET, HELP };

/* ---- Options ---- */

static uint16_t read_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*end || port > 65535) {
		fprintf(stderr, "ek-standins: \"%s\" is no port\n", text);
		exit(2);
	}
	return (uint16_t)port;
}

static void read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "kube-port", required_argument, NULL, KUBE_PORT }, { "eureka-port", required_argument, NULL, EUREKA_PORT },
		{ "kubeconfig", required_argument, NULL, KUBECONFIG }, { "state-dir", required_argument, NULL, STATE_DIR },
		{ "eviction-ms", required_argument, NULL, EVICTION }, { "no-slices", no_argument, NULL, NO_SLICES },
		{ "no-kubelet", no_argument, NULL, NO_KUBELET }, { "help", no_argument, NULL, HELP }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case KUBE_PORT: options->kube_port = read_port(optarg); break;
		case EUREKA_PORT: options->eureka_port = read_port(optarg); break;
		case KUBECONFIG: options->kubeconfig = optarg; break;
		case STATE_DIR: options->state_dir = optarg; break;
		case EVICTION: options->eviction_ms = strtoll(optarg, NULL, 10); break;
		case NO_SLICES: options->has_no_slices = true; break;
		case NO_KUBELET: options->has_no_kubelet = true; break;
		case HELP: fputs(help, stdout); exit(0);
		default: fputs(help, stderr); exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ek-standins: \"%s\" is one argument too many\n", argv[optind]);
		exit(2);
	}
}

/* ---- Telling where they are ---- */

/* Whole or not at all: whoever waits for the file never sees half of it. */
static void write_file(const char *path, const char *text)
{
	char fresh[4096];
	FILE *file;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) || rename(fresh, path)) {
		fprintf(stderr, "ek-standins: cannot write %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void write_state(const char *directory, const char *name, const char *text)
{
	char path[4000];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	write_file(path, text);
}

static void tell(const struct standins *s, const struct options *options)
{
	char kube[64], eureka[64], kubeconfig[512];

	snprintf(kube, sizeof(kube), "http://127.0.0.1:%u", ek_serve_port(s->kube_serve));
	snprintf(eureka, sizeof(eureka), "http://127.0.0.1:%u/eureka/", ek_serve_port(s->eureka_serve));
	snprintf(kubeconfig, sizeof(kubeconfig),
		"apiVersion: v1\n"
		"kind: Config\n"
		"clusters: [{name: stand-in, cluster: {server: \"%s\"}}]\n"
		"users: [{name: nobody, user: {}}]\n"
		"contexts: [{name: stand-in, context: {cluster: stand-in, user: nobody}}]\n"
		"current-context: stand-in\n", kube);
	if (options->state_dir) {
		mkdir(options->state_dir, 0755);
		write_state(options->state_dir, "kube-url", kube);
		write_state(options->state_dir, "eureka-url", eureka);
		write_state(options->state_dir, "kubeconfig", kubeconfig);
	}
	if (options->kubeconfig)
		write_file(options->kubeconfig, kubeconfig);
	printf("kubernetes %s\neureka %s\n", kube, eureka);
	fflush(stdout);
}

/* ---- Serving ---- */

static struct ek_serve *listen_on(struct ek_loop *loop, uint16_t port,
	void (*handle)(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange), void *arg)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_serve *serve = ek_serve_new(loop, &(struct ek_serve_config){ .host = "127.0.0.1", .port = port,
		.max_connections = 1000, .max_body_bytes = 3u << 20, .handle = handle, .arg = arg }, &err);

	if (!serve) {
		fprintf(stderr, "ek-standins: %s\n", err.message);
		exit(1);
	}
	return serve;
}

static void on_signal(void *arg, int signo)
{
	ek_loop_stop(arg);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct standins s = { 0 };

	read_options(argc, argv, &options);
	signal(SIGPIPE, SIG_IGN);
	s.loop = ek_loop_new();
	s.kube = fake_kube_new(s.loop);
	s.eureka = fake_eureka_new(s.loop, &(struct fake_eureka_config){ .eviction_ms = options.eviction_ms, .close_every = 100 });
	if (!options.has_no_slices)
		s.slices = fake_slices_new(s.loop, s.kube, !options.has_no_kubelet);
	s.kube_serve = listen_on(s.loop, options.kube_port, fake_kube_handle, s.kube);
	s.eureka_serve = listen_on(s.loop, options.eureka_port, fake_eureka_handle, s.eureka);
	ek_loop_on_signal(s.loop, SIGTERM, on_signal, s.loop);
	ek_loop_on_signal(s.loop, SIGINT, on_signal, s.loop);
	tell(&s, &options);
	ek_loop_run(s.loop);
	ek_serve_free(s.kube_serve);
	ek_serve_free(s.eureka_serve);
	fake_slices_free(s.slices);
	fake_kube_free(s.kube);
	fake_eureka_free(s.eureka);
	ek_loop_free(s.loop);
	return 0;
}
