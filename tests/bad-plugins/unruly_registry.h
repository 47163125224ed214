/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry of one request per operation that keeps to all rules but one: the file that includes this defines VICE before it. eurekube-plugin-check has to find it.
 */
#ifndef EK_TESTS_BAD_PLUGINS_UNRULY_REGISTRY_H
#define EK_TESTS_BAD_PLUGINS_UNRULY_REGISTRY_H

#include <eurekube/registry.h>

#include <stdlib.h>

enum vice {
	COMPLETES_AT_ONCE,     /* inside apply */
	COMPLETES_TWICE,
	NEVER_COMPLETES,
	CALLS_IT_DONE,         /* OK, although nobody answered */
	BELIEVES_ANYTHING,     /* whatever the server answers is a success and an empty list */
	NEEDS_THE_REGISTRY,    /* asks in create */
	DEAD_LEASES,           /* traits that no lease survives */
	NEVER_CLOSES,
	CLOSES_TWICE,
	LEAVES_A_TIMER,
	LOSES_REFUSED,         /* forgets an operation whose request the host refused */
};

struct registry;

/* One operation in flight. */
struct flight {
	struct registry *registry;
	struct flight *next;
	struct ek_http_handle *request;
	struct ek_timer_handle *timer;
	uint64_t token;
	int32_t code;
};

struct registry {
	const struct ek_host *host;
	struct flight *flights;
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
	struct ek_result result = { .size = sizeof(result), .code = flight->code };

	host->op_done(host, flight->token, &result);
	if (VICE == COMPLETES_TWICE)
		host->op_done(host, flight->token, &result);
	drop(flight);
}

static void on_timer(void *arg)
{
	complete(arg);
}

static int32_t classify(const struct ek_http_response *response)
{
	if (response->code != EK_OK)
		return VICE == CALLS_IT_DONE ? EK_OK : response->code;
	return VICE == BELIEVES_ANYTHING ? EK_OK : EK_RETRY;
}

static void on_done(void *arg, const struct ek_http_response *response)
{
	struct flight *flight = arg;

	flight->request = NULL;
	flight->code = classify(response);
	if (VICE != NEVER_COMPLETES)
		complete(flight);
}

static void start(struct registry *registry, uint64_t token)
{
	const struct ek_host *host = registry->host;
	struct flight *flight = calloc(1, sizeof(*flight));
	const struct ek_http_request request = {
		.size = sizeof(request), .method = "GET", .url = "http://registry.invalid/", .timeout_ms = 1000, .arg = flight, .on_done = on_done,
	};

	if (!flight)
		return;
	*flight = (struct flight){ .registry = registry, .next = registry->flights, .token = token, .code = EK_RETRY };
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
	for (uint32_t i = 0; i < n_operations; i++)
		start(self, operations[i]->token);
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	start(self, token);
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
	struct registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return ek_fail(err, EK_RETRY, "out of memory");
	registry->host = host;
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
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list
};

#endif
