/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry of one request per operation that keeps to all rules but one: the file that includes this defines VICE before it. eurekube-plugin-check has to find it.
 */
#ifndef EK_TESTS_BAD_PLUGINS_UNRULY_REGISTRY_H
#define EK_TESTS_BAD_PLUGINS_UNRULY_REGISTRY_H

#include <eurekube/registry.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum vice {
	COMPLETES_AT_ONCE,     /* inside apply */
	COMPLETES_TWICE,
	NEVER_COMPLETES,
	CALLS_IT_DONE,         /* OK, although nobody answered */
	BELIEVES_ANYTHING,     /* whatever the server answers is a success */
	LISTS_NOTHING,         /* whatever the server answers is an empty list */
	PROBES_BLINDLY,        /* whatever the server answers, it is well */
	CANCELS_TWICE,         /* completes what is cancelled, and once more when it ends */
	DAWDLES,               /* gives its requests more time than the operation has */
	LOSES_THE_REST,        /* completes the first operation of a batch */
	FORGETS_SIZES,         /* does not say how large its results are */
	NEEDS_THE_REGISTRY,    /* asks in create */
	DEAD_LEASES,           /* traits that no lease survives */
	NEVER_CLOSES,
	CLOSES_TWICE,
	LEAVES_A_TIMER,
	LOSES_REFUSED,         /* forgets an operation whose request the host refused */
	LEAKS,                 /* leaves memory behind */
	KEEPS_DESCRIPTORS,     /* leaves files open */
	PRINTS,                /* writes to standard output */
	CHANGES_DIRECTORY,     /* changes what is the process's */
	ASKS_FOR_ANY_OPTION,   /* also for one that it does not declare */
	SLEEPS,                /* in list, for longer than the host has */
	TIRES,                 /* loses operations after some thousands */
	LEAVES_THREADS,        /* starts a thread that does not end */
	TAKES_SIGNALS,         /* starts a thread that blocks none, but ends */
	REFUSES_SILENTLY,      /* refuses a value without a word */
};

struct registry;

enum purpose { OPERATION, LIST, PROBE };

/* One of them in flight. */
struct flight {
	struct registry *registry;
	struct flight *next;
	struct ek_http_handle *request;
	struct ek_timer_handle *timer;
	uint64_t token;
	int32_t code;
	enum purpose purpose;
};

struct registry {
	const struct ek_host *host;
	struct flight *flights;
	unsigned n_started;
	pthread_t thread;
	int ends[2];           /* of a pipe: closing one lets the thread end */
};

static void drop(struct flight *flight)
{
	struct flight **at = &flight->registry->flights;

	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	free(flight);
}

static void complete(struct flight *flight)
{
	const struct ek_host *host = flight->registry->host;
	struct ek_result result = { .size = VICE == FORGETS_SIZES ? 0 : sizeof(result), .code = flight->code };

	host->op_done(host, flight->token, &result);
	if (VICE == COMPLETES_TWICE)
		host->op_done(host, flight->token, &result);
	drop(flight);
}

static void on_timer(void *arg)
{
	complete(arg);
}

static int32_t classify(enum purpose purpose, const struct ek_http_response *response)
{
	if ((VICE == LISTS_NOTHING && purpose == LIST) || (VICE == PROBES_BLINDLY && purpose == PROBE))
		return EK_OK;
	if (response->code != EK_OK)
		return VICE == CALLS_IT_DONE && purpose == OPERATION ? EK_OK : response->code;
	return VICE == BELIEVES_ANYTHING && purpose == OPERATION ? EK_OK : EK_RETRY;
}

static void on_done(void *arg, const struct ek_http_response *response)
{
	struct flight *flight = arg;

	flight->request = NULL;
	flight->code = classify(flight->purpose, response);
	if (VICE != NEVER_COMPLETES)
		complete(flight);
}

static void start(struct registry *registry, uint64_t token, enum purpose purpose)
{
	const struct ek_host *host = registry->host;
	struct flight *flight = calloc(1, sizeof(*flight));
	const struct ek_http_request request = {
		.size = sizeof(request), .method = "GET", .url = "http://registry.invalid/", .timeout_ms = VICE == DAWDLES ? 30000 : 1000,
		.arg = flight, .on_done = on_done,
	};

	if (!flight)
		return;
	if (VICE == TIRES && ++registry->n_started > 5000) {
		free(flight);
		return;
	}
	*flight = (struct flight){ .registry = registry, .next = registry->flights, .token = token, .code = EK_RETRY, .purpose = purpose };
	registry->flights = flight;
	if (VICE == COMPLETES_AT_ONCE) {
		complete(flight);
		return;
	}
	flight->request = host->http(host, &request, NULL);
	if (flight->request)
		return;
	if (VICE == LOSES_REFUSED)
		drop(flight);
	else
		flight->timer = host->timer_start(host, 0, on_timer, flight);
}

static void apply(void *self, const struct ek_op *const *operations, uint32_t n_operations)
{
	for (uint32_t i = 0; i < n_operations && (VICE != LOSES_THE_REST || i == 0); i++)
		start(self, operations[i]->token, OPERATION);
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	if (VICE == SLEEPS)
		usleep(300000);
	start(self, token, LIST);
}

static void probe(void *self, uint64_t token)
{
	start(self, token, PROBE);
}

static void cancel(void *self, uint64_t token)
{
	const struct registry *registry = self;

	if (VICE == CANCELS_TWICE)
		registry->host->op_done(registry->host, token, &(struct ek_result){ .size = sizeof(struct ek_result), .code = EK_CANCELLED });
}

static const struct ek_option weight = {
	.size = sizeof(weight), .type = EK_OPTION_INTEGER, .name = "weight", .default_value = "1", .minimum = 0, .maximum = 9, .help = "No matter.",
};
static const struct ek_option *const options[] = { &weight, NULL };

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *wait_for_the_end(void *arg)
{
	char c;

	return read(((struct registry *)arg)->ends[0], &c, 1) ? arg : NULL;
}

/* What is done to the process, and not to the host. */
static void misbehave(void)
{
	pthread_t thread;

	if (VICE == PRINTS)
		puts("hello from create");
	if (VICE == CHANGES_DIRECTORY && chdir("/tmp") != 0)
		abort();
	if (VICE == KEEPS_DESCRIPTORS && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
		abort();
	if (VICE == LEAVES_THREADS && (pthread_create(&thread, NULL, idle, NULL) || pthread_detach(thread)))
		abort();
}

static void ignore(void *arg)
{
}

static void ignore_response(void *arg, const struct ek_http_response *response)
{
}

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	static const struct ek_http_request request = {
		.size = sizeof(request), .method = "GET", .url = "http://registry.invalid/", .timeout_ms = 1000,
		.on_done = ignore_response,
	};
	struct registry *registry;

	if (VICE == REFUSES_SILENTLY && host->option(host, "weight")->integer == 9)
		return EK_INVALID;
	registry = calloc(1, sizeof(*registry));
	if (!registry)
		return ek_fail(err, EK_RETRY, "out of memory");
	registry->host = host;
	misbehave();
	if (VICE == TAKES_SIGNALS && (pipe(registry->ends) || pthread_create(&registry->thread, NULL, wait_for_the_end, registry)))
		abort();
	if (VICE == ASKS_FOR_ANY_OPTION)
		host->option(host, "colour");
	if (VICE == NEEDS_THE_REGISTRY)
		host->http_cancel(host, host->http(host, &request, err));
	*self = registry;
	return EK_OK;
}

static void close_registry(void *self)
{
	struct registry *registry = self;
	const struct ek_host *host = registry->host;

	while (registry->flights) {
		host->http_cancel(host, registry->flights->request);
		host->timer_stop(host, registry->flights->timer);
		drop(registry->flights);
	}
	if (VICE == TAKES_SIGNALS) {
		close(registry->ends[1]);
		pthread_join(registry->thread, NULL);
		close(registry->ends[0]);
	}
	if (VICE != LEAKS)
		free(registry);
	if (VICE == LEAVES_A_TIMER)
		host->timer_start(host, 3600000, ignore, NULL);
	if (VICE != NEVER_CLOSES)
		host->closed(host);
	if (VICE == CLOSES_TWICE)
		host->closed(host);
}

static const struct ek_registry_traits *traits(void *self)
{
	static const struct ek_registry_traits sane = {
		.size = sizeof(sane), .lease_kind = EK_LEASE_INSTANCE, .max_batch = 8, .renew_ms = VICE == DEAD_LEASES ? 90000 : 27000,
		.lease_ms = 90000,
	};

	return &sane;
}

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list, .probe = probe,
	.cancel = cancel,
};

#endif
