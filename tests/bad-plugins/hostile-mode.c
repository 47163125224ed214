/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile-mode.c - a mode that loads well and then does what it must not, one thing at a time: the option `behaviour` says which. Without one it is a decent mode.
 * tests/scenario/test_hostile_modes.c and tests/e2e/test_hostile_plugins.py say what the host makes of each.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <eurekube/error.h>
#include <eurekube/host.h>
#include <eurekube/mode.h>

#define ENDLESS (2u << 20)

struct mode {
	const struct ek_host *host;
	const char *behaviour;
	const char *only;              /* the syncer it is hostile to; "" all */
	const struct ek_sink *kept;
	char *endless;
};

static int is(const struct mode *mode, const char *behaviour)
{
	return strcmp(mode->behaviour, behaviour) == 0;
}

static const char *text_of(const struct ek_option_value *const *options, uint32_t n, const char *name)
{
	const struct ek_option_value *value = ek_option_find(options, n, name);

	return value && value->text ? value->text : "";
}

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self, struct ek_error *err)
{
	struct mode *mode = calloc(1, sizeof(*mode));

	(void)err;
	if (!mode)
		return EK_RETRY;
	mode->host = host;
	mode->behaviour = text_of(options, n_options, "behaviour");
	mode->only = text_of(options, n_options, "only");
	if (is(mode, "fails to start silently")) {
		free(mode);
		*self = (void *)-1;
		return 77;
	}
	if (is(mode, "starts without an instance")) {
		free(mode);
		return EK_OK;
	}
	*self = mode;
	return EK_OK;
}

static void destroy(void *self)
{
	struct mode *mode = self;

	free(mode->endless);
	free(mode);
}

static uint32_t reads_of(void *self)
{
	return is(self, "reads the unknown") ? 1u << 30 : EK_READS_SERVICES | EK_READS_ENDPOINTS;
}

/* ---- what it says that it reads of other resources ---- */

#define READ(group_, version_, plural_, ...) \
	{ .size = sizeof(struct ek_resource_read), .is_namespaced = 1, .group = group_, .version = version_, .plural = plural_, __VA_ARGS__ }
#define RULES .n_fields = 1, .fields = rules

static const char *const rules[] = { "spec.rules" }, *const no_text[] = { NULL }, *const no_path[] = { "spec..rules" };
static const char *const deep_path[] = { "a.b.c.d.e.f.g.h.i" }, *const quoted_path[] = { "spec.\"rules\"" };

static const struct {
	const char *behaviour;
	struct ek_resource_read read;
} declarations[] = {
	{ "reads Secrets", READ("", "v1", "secrets", RULES) },
	{ "reads NULL", READ(NULL, "v1", "ingresses", RULES) },
	{ "reads up the path", READ("../../api", "v1", "ingresses", RULES) },
	{ "reads another version", READ("networking.k8s.io", "v1/../v2", "ingresses", RULES) },
	{ "reads a subresource", READ("networking.k8s.io", "v1", "ingresses/status", RULES) },
	{ "reads a query", READ("networking.k8s.io", "v1", "ingresses?watch=1", RULES) },
	{ "reads no fields", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 0) },
	{ "reads fields that are NULL", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 1) },
	{ "reads too many fields", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 1000000, .fields = rules) },
	{ "reads a field that is NULL", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 1, .fields = no_text) },
	{ "reads a field that is none", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 1, .fields = no_path) },
	{ "reads too deep", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 1, .fields = deep_path) },
	{ "reads what is quoted", READ("networking.k8s.io", "v1", "ingresses", .n_fields = 1, .fields = quoted_path) },
	{ "reads without a size", { .size = 8, .group = "", .version = "v1", .plural = "pods" } },
};

static const struct ek_resource_read *const *resources_of(void *self, uint32_t *n)
{
	static const struct ek_resource_read *one[] = { NULL };

	*n = 1;
	if (is(self, "reads a million"))
		*n = 1000000;
	if (is(self, "reads a million") || is(self, "reads nothing at all"))
		return is(self, "reads a million") ? one : NULL;
	for (size_t i = 0; i < sizeof(declarations) / sizeof(declarations[0]); i++) {
		one[0] = &declarations[i].read;
		if (is(self, declarations[i].behaviour))
			return one;
	}
	*n = 0;
	return NULL;
}

/* ---- at other times, from other threads ---- */

static void emit_late(void *arg)
{
	struct mode *mode = arg;
	struct ek_instance instance = { .size = sizeof(instance), .name = "late", .address = "10.9.9.9", .port = 1 };

	mode->kept->emit(mode->kept, &instance, NULL);
}

static void *call_from_thread(void *arg)
{
	struct mode *mode = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	mode->host->log(mode->host, EK_LOG_INFO, "from nowhere", NULL, 0);
	mode->host->count(mode->host, "nowhere", 1);
	mode->host->timer_stop(mode->host, mode->host->timer_start(mode->host, 0, emit_late, mode));
	return NULL;
}

static void *emit_from_thread(void *arg)
{
	struct mode *mode = arg;
	struct ek_instance instance = { .size = sizeof(instance), .name = "thread", .address = "10.9.9.9", .port = 1 };

	for (int i = 0; i < 1000; i++)
		mode->kept->emit(mode->kept, &instance, NULL);
	return NULL;
}

static void use_thread(struct mode *mode, void *(*run)(void *arg))
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, run, mode))
		pthread_join(thread, NULL);
}

static void block_ms(long ms)
{
	struct timespec span = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&span, &span))
		;
}

/* ---- the host's services, misused ---- */

static const char *endless_text(struct mode *mode)
{
	if (!mode->endless && (mode->endless = malloc(ENDLESS)))
		memset(mode->endless, 'a', ENDLESS);
	if (mode->endless)
		mode->endless[ENDLESS - 1] = '\0';
	return mode->endless;
}

static void misuse_host(struct mode *mode)
{
	const struct ek_host *host = mode->host;
	char buffer[8];

	host->log(host, 9, NULL, NULL, 3);
	host->count(host, NULL, 1);
	host->option(host, "undeclared");
	host->option(host, NULL);
	host->secret(host, NULL, buffer, sizeof(buffer), NULL);
	host->timer_start(host, -5, NULL, NULL);
	host->timer_stop(host, NULL);
	host->fd_watch(host, -1, 0, NULL, NULL, NULL);
	host->fd_update(host, NULL, 0);
	host->http(host, NULL, NULL);
	host->http(host, &(struct ek_http_request){ .size = sizeof(struct ek_http_request), .method = "GET", .url = "http://a/\r\nb: c" }, NULL);
	host->post(host, NULL, NULL);
	host->timer_start(host, INT64_MAX, emit_late, mode);
	host->op_done(host, 12345, NULL);
	host->list_entry(host, 1, NULL);
	host->changed(host, NULL, NULL);
	host->lost(host, NULL);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

static void stop_what_has_ended(const struct ek_host *host)
{
	struct ek_timer_handle *timer = host->timer_start(host, 1000, do_nothing, NULL);

	host->http_cancel(host, (struct ek_http_handle *)timer);
	host->timer_stop(host, timer);
	host->timer_stop(host, timer);
	host->timer_stop(host, (struct ek_timer_handle *)(uintptr_t)0x5555555555555555u);
	host->fd_update(host, (struct ek_fd_handle *)timer, EK_FD_READABLE);
	host->fd_stop(host, (struct ek_fd_handle *)(uintptr_t)1);
}

/* One line of a megabyte, which would be a format as well. */
static void log_much(struct mode *mode)
{
	struct ek_pair pair = { .size = sizeof(pair), .key = "%n%s", .value = endless_text(mode) };
	const struct ek_pair *const pairs[] = { &pair };

	mode->host->log(mode->host, EK_LOG_WARN, endless_text(mode), NULL, 0);
	mode->host->log(mode->host, EK_LOG_WARN, "%n%n%s", pairs, 1);
}

/* ---- what it emits ---- */

static const struct ek_pair null_pair = { .size = sizeof(null_pair), .key = "a", .value = NULL };
static const struct ek_pair mark = { .size = sizeof(mark), .key = "eurekube.owner", .value = "me" };
static const struct ek_pair *const null_metadata[] = { &null_pair }, *const no_metadata[] = { NULL }, *const marked[] = { &mark };

static void spoil_texts(struct mode *mode, struct ek_instance *instance)
{
	if (is(mode, "no name"))
		instance->name = NULL;
	else if (is(mode, "empty address"))
		instance->address = "";
	else if (is(mode, "endless name"))
		instance->name = endless_text(mode);
	else if (is(mode, "no UTF-8"))
		instance->vip_address = "caf\xe9";
	else if (is(mode, "control characters"))
		instance->home_page_path = "/\r\nHost: other";
	else if (is(mode, "bad application"))
		instance->application = "no/such name";
	else if (is(mode, "own id"))
		instance->id = "test:shop:WEB:somebody:80";
	else if (is(mode, "own owner"))
		instance->owner = "test/mall/other";
}

static void spoil_metadata(struct mode *mode, struct ek_instance *instance)
{
	if (is(mode, "metadata without array"))
		instance->n_metadata = 3;
	else if (is(mode, "null metadata value"))
		instance->metadata = null_metadata, instance->n_metadata = 1;
	else if (is(mode, "null metadata pair"))
		instance->metadata = no_metadata, instance->n_metadata = 1;
	else if (is(mode, "too much metadata"))
		instance->metadata = marked, instance->n_metadata = 1000000;
	else if (is(mode, "marks of its own"))
		instance->metadata = marked, instance->n_metadata = 1;
}

static const struct ek_service stranger = { .size = sizeof(stranger), .name = "stranger" };

static void spoil(struct mode *mode, struct ek_instance *instance)
{
	static struct ek_endpoint invented = { .size = sizeof(invented), .flags = EK_ENDPOINT_READY };

	spoil_texts(mode, instance);
	spoil_metadata(mode, instance);
	if (is(mode, "no size"))
		instance->size = 8;
	else if (is(mode, "port out of range"))
		instance->port = 70000;
	else if (is(mode, "negative port"))
		instance->port = -1;
	else if (is(mode, "no port"))
		instance->port = 0;
	else if (is(mode, "secure port out of range"))
		instance->secure_port = 70000;
	else if (is(mode, "unknown flags"))
		instance->flags = 0x80000000u;
	else if (is(mode, "larger structures"))
		instance->size += 64;
	else if (is(mode, "status out of range"))
		instance->source = NULL, instance->status = 99;
	else if (is(mode, "foreign Service"))
		instance->source_service = &stranger;
	else if (is(mode, "invented endpoint"))
		instance->source = &invented;
}

/* As much metadata as an instance may have, in ten thousand instances. */
static int emit_heavy(const struct ek_sink *sink, const struct ek_instance *like)
{
	static char keys[128][8], value[1001];
	static struct ek_pair pairs[128];
	const struct ek_pair *metadata[128];
	struct ek_instance instance = *like;

	memset(value, 'a', sizeof(value) - 1);
	for (size_t i = 0; i < 128; i++) {
		keys[i][0] = (char)('a' + i / 16);
		keys[i][1] = (char)('a' + i % 16);
		pairs[i] = (struct ek_pair){ .size = sizeof(pairs[i]), .key = keys[i], .value = value };
		metadata[i] = &pairs[i];
	}
	instance.metadata = metadata;
	instance.n_metadata = 128;
	for (int32_t port = 1; port <= 10000; port++) {
		instance.port = port;
		sink->emit(sink, &instance, NULL);
	}
	return EK_OK;
}

static int emit_again(const struct ek_sink *sink, const struct ek_instance *instance)
{
	for (int i = 0; i < 10000000; i++)
		sink->emit(sink, instance, NULL);
	return EK_OK;
}

static int emit_many(const struct ek_sink *sink, const struct ek_instance *like)
{
	char name[32];
	struct ek_instance instance = *like;

	instance.name = name;
	for (int i = 0; i < 10000000; i++) {
		int n = i, at = 0;

		do
			name[at++] = (char)('0' + n % 10);
		while (n /= 10);
		name[at] = '\0';
		sink->emit(sink, &instance, NULL);
	}
	return EK_OK;
}

static int emit_endpoint(struct mode *mode, const struct ek_syncer *syncer, const struct ek_service *service, const struct ek_endpoint *endpoint,
                         const struct ek_sink *sink, struct ek_error *err)
{
	struct ek_instance instance = {
		.size = sizeof(instance),
		.name = endpoint->pod_name ? endpoint->pod_name : endpoint->address,
		.address = endpoint->address,
		.source = endpoint,
		.source_service = service,
	};

	if (ek_pick_ports(syncer, service, endpoint, &instance, err) != EK_OK)
		return EK_OK;
	spoil(mode, &instance);
	if (is(mode, "ten million instances"))
		return emit_many(sink, &instance);
	if (is(mode, "one instance ten million times"))
		return emit_again(sink, &instance);
	if (is(mode, "heavy instances"))
		return emit_heavy(sink, &instance);
	if (is(mode, "NULL instance"))
		return sink->emit(sink, NULL, err);
	if (is(mode, "EK_OK after a refusal")) {
		instance.port = -1;
		sink->emit(sink, &instance, err);
		return EK_OK;
	}
	if (is(mode, "goes on after a refusal")) {
		instance.port = -1;
		sink->emit(sink, &instance, NULL);
		instance.port = 80;
		sink->emit(sink, &instance, NULL);
		return EK_OK;
	}
	return sink->emit(sink, &instance, err);
}

static void misuse(struct mode *mode, const struct ek_sink *sink)
{
	if (is(mode, "calls from a thread"))
		use_thread(mode, call_from_thread);
	if (is(mode, "emits from a thread")) {
		mode->kept = sink;
		use_thread(mode, emit_from_thread);
	}
	if (is(mode, "misuses the host"))
		misuse_host(mode);
	if (is(mode, "stops what has ended"))
		stop_what_has_ended(mode->host);
	if (is(mode, "says that it is closed"))
		mode->host->closed(mode->host);
	if (is(mode, "logs a megabyte"))
		log_much(mode);
}

/* Ends the turn early for the behaviours that have nothing to do with instances. EK_OK: go on. */
static int misbehave(struct mode *mode, const struct ek_sink *sink, struct ek_error *err)
{
	if (is(mode, "unknown code"))
		return 4711;
	if (is(mode, "fails silently"))
		return EK_INVALID;
	if (is(mode, "failure without a reason"))
		return ek_fail(err, EK_INVALID, "it does not please");
	if (is(mode, "reason that is no word"))
		return ek_fail_reason(err, EK_INVALID, "no: word!", "the reason is no word");
	if (is(mode, "message that is no text")) {
		ek_fail_reason(err, EK_INVALID, "Garbled", "x");
		memset(err->message, 0xff, sizeof(err->message));
		return EK_INVALID;
	}
	if (is(mode, "keeps the sink") && !mode->kept) {
		mode->kept = sink;
		mode->host->timer_start(mode->host, 10, emit_late, mode);
	}
	misuse(mode, sink);
	if (is(mode, "blocks for 60 ms"))
		block_ms(60);
	if (is(mode, "blocks for 6 s"))
		block_ms(6000);
	if (is(mode, "blocks for ever"))
		block_ms(3600000);
	if (is(mode, "crashes"))
		raise(SIGSEGV);
	if (is(mode, "exits"))
		exit(0);
	return EK_OK;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	static const struct mode decent = { .behaviour = "" };
	struct mode *mode = self;
	int code;

	if (mode->only[0] && strcmp(mode->only, syncer->name) != 0)
		mode = (struct mode *)(uintptr_t)&decent;
	code = misbehave(mode, sink, err);
	for (uint32_t s = 0; s < cluster->n_services && code == EK_OK; s++) {
		const struct ek_service *service = cluster->services[s];

		for (uint32_t e = 0; e < service->n_endpoints && code == EK_OK; e++)
			code = emit_endpoint(mode, syncer, service, service->endpoints[is(mode, "backwards") ? service->n_endpoints - 1 - e : e], sink, err);
	}
	return code;
}

static const struct ek_option behaviour = { .size = sizeof(behaviour), .type = EK_OPTION_STRING, .name = "behaviour", .help = "What it does that it must not." };
static const struct ek_option only = { .size = sizeof(only), .type = EK_OPTION_STRING, .name = "only", .help = "The syncer that it does it to." };
static const struct ek_option *const options[] = { &behaviour, &only, NULL };

static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.reads = EK_READS_SERVICES | EK_READS_ENDPOINTS,
	.create = create,
	.destroy = destroy,
	.reads_of = reads_of,
	.desired = desired,
	.resources_of = resources_of,
};
EK_PLUGIN_DEFINE(hostile, MODE, .version = "6.6.6", .options = options, .ops = &ops);
