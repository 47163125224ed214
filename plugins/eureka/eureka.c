/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry "eureka": what it can be told, how an instance of it begins and ends, and where the host's operations go. It speaks the v1 protocol that Netflix
 * and Spring servers have in common and keeps no state about instances; that is the host's. Read requests.c next.
 */
#include "eureka.h"

#include <stdlib.h>

/* Longer leases overflow an int in the server and expire at once. */
#define LEASE_SECONDS_MAX 2147483
/* A server that is told nothing else expects two renewals a minute of everybody. */
#define EXPECTED_RENEW_SECONDS 30
#define LIST_AGE_MS 30000   /* servers answer lists from a cache */
#define SAME_ID_GAP_MS 2000 /* peers get writes in batches and reorder what is closer together */

/* ---- Options ------------------------------------------------------------------------------------------------------------------------------------------------ */

static const struct ek_option service_urls = {
	.size = sizeof(service_urls), .type = EK_OPTION_LIST, .flags = EK_OPTION_REQUIRED, .name = "serviceUrls", .minimum = 1,
	.maximum = EK_EUREKA_SERVERS_MAX, .help = "The addresses of the Eureka servers, like http://eureka-0:8761/eureka/; the first that answers is used.",
};
static const struct ek_option heartbeats = {
	.size = sizeof(heartbeats), .type = EK_OPTION_ENUM, .name = "heartbeats", .default_value = "single", .choices = "single|batch",
	.help = "How leases are renewed: one request each, or many in one.",
};
static const struct ek_option lease_seconds = {
	.size = sizeof(lease_seconds), .type = EK_OPTION_INTEGER, .name = "leaseSeconds", .default_value = "90", .minimum = 1,
	.maximum = LEASE_SECONDS_MAX, .help = "How long a registration lives without a renewal; Eureka doubles it after the first one.",
};
static const struct ek_option renew_seconds = {
	.size = sizeof(renew_seconds), .type = EK_OPTION_INTEGER, .name = "renewSeconds", .default_value = "27", .minimum = 1, .maximum = 86400,
	.help = "How often each lease is renewed; above 30 Eureka's self-preservation may set in.",
};
static const struct ek_option request_timeout = {
	.size = sizeof(request_timeout), .type = EK_OPTION_DURATION, .name = "requestTimeout", .default_value = "8s", .minimum = 100,
	.maximum = 60000, .help = "How long one request may take; servers stand still for seconds while they collect garbage.",
};
static const struct ek_option connect_timeout = {
	.size = sizeof(connect_timeout), .type = EK_OPTION_DURATION, .name = "connectTimeout", .default_value = "3s", .minimum = 50,
	.maximum = 60000, .help = "How long connecting to a server may take before the next one is tried.",
};
static const struct ek_option zone_in_metadata = {
	.size = sizeof(zone_in_metadata), .type = EK_OPTION_BOOLEAN, .name = "zoneInMetadata", .default_value = "true",
	.help = "Whether an endpoint's topology zone becomes the metadata entry `zone`, which zone-aware callers prefer.",
};
static const struct ek_option *const options[] = {
	&service_urls, &heartbeats, &lease_seconds, &renew_seconds, &request_timeout, &connect_timeout, &zone_in_metadata, NULL,
};

static int read_leases(struct ek_eureka *eureka, struct ek_error *err)
{
	const struct ek_host *host = eureka->host;

	eureka->lease_seconds = (int32_t)host->option(host, "leaseSeconds")->integer;
	eureka->renew_seconds = (int32_t)host->option(host, "renewSeconds")->integer;
	if (eureka->renew_seconds >= eureka->lease_seconds)
		return ek_fail(err, EK_INVALID, "renewSeconds (%d) must be less than leaseSeconds (%d), best a third of it", eureka->renew_seconds,
			eureka->lease_seconds);
	if (eureka->renew_seconds > EXPECTED_RENEW_SECONDS)
		host->log(host, EK_LOG_WARN, "renewSeconds is above 30: unless the servers are told so by expected-client-renewal-interval-seconds, "
			"self-preservation keeps the dead instances of everybody registered", NULL, 0);
	return EK_OK;
}

static int read_options(struct ek_eureka *eureka, struct ek_error *err)
{
	const struct ek_host *host = eureka->host;
	int code;

	if (strcmp(host->option(host, "heartbeats")->text, "single") != 0)
		return ek_fail(err, EK_INVALID, "heartbeats: batch is not yet supported by this version; use single");
	eureka->request_timeout_ms = (int32_t)host->option(host, "requestTimeout")->integer;
	eureka->connect_timeout_ms = (int32_t)host->option(host, "connectTimeout")->integer;
	eureka->adds_zone = host->option(host, "zoneInMetadata")->integer != 0;
	code = read_leases(eureka, err);
	return code == EK_OK ? ek_eureka_servers_init(&eureka->servers, host->option(host, "serviceUrls"), err) : code;
}

/* ---- Life --------------------------------------------------------------------------------------------------------------------------------------------------- */

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	struct ek_eureka *eureka = calloc(1, sizeof(*eureka));
	int code;

	if (!eureka)
		return ek_fail(err, EK_RETRY, "out of memory");
	eureka->host = host;
	code = read_options(eureka, err);
	if (code != EK_OK) {
		free(eureka);
		return code;
	}
	eureka->traits = (struct ek_registry_traits){
		.size = sizeof(eureka->traits), .flags = EK_REGISTRY_SETS_STATUS, .lease_kind = EK_LEASE_INSTANCE, .max_batch = 64,
		.renew_ms = eureka->renew_seconds * 1000ll, .lease_ms = eureka->lease_seconds * 1000ll,
		.list_age_ms = LIST_AGE_MS, .same_id_gap_ms = SAME_ID_GAP_MS,
	};
	*self = eureka;
	return EK_OK;
}

static void close_registry(void *self)
{
	struct ek_eureka *eureka = self;
	const struct ek_host *host = eureka->host;

	while (eureka->in_flight)
		ek_eureka_call_free(eureka->in_flight);
	while (eureka->free) {
		struct ek_eureka_call *call = eureka->free;

		eureka->free = call->next;
		free(call);
	}
	ek_eureka_servers_clear(&eureka->servers);
	ek_eureka_reading_clear(&eureka->reading);
	free(eureka->body);
	free(eureka);
	host->closed(host);
}

static const struct ek_registry_traits *traits(void *self)
{
	return &((struct ek_eureka *)self)->traits;
}

/* ---- Operations --------------------------------------------------------------------------------------------------------------------------------------------- */

static void start_op(struct ek_eureka *eureka, const struct ek_op *op)
{
	struct ek_eureka_call *call = ek_eureka_call_new(eureka, op->kind, op->token, op->timeout_ms > 0 ? op->timeout_ms : eureka->request_timeout_ms);
	struct ek_error err = EK_ERROR_INIT;

	if (!call) /* the host's deadline does the rest */
		return;
	if (ek_eureka_describe(call, op, &err) == EK_OK)
		ek_eureka_start(call);
	else
		ek_eureka_fail_later(call, err.code, err.message);
}

static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	for (uint32_t i = 0; i < n_ops; i++)
		start_op(self, ops[i]);
}

static void cancel(void *self, uint64_t token)
{
	struct ek_eureka *eureka = self;
	struct ek_eureka_call *call = eureka->in_flight;

	while (call && call->token != token)
		call = call->next;
	if (call)
		ek_eureka_call_free(call);
}

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = ek_eureka_list,
	.probe = ek_eureka_probe, .cancel = cancel,
};

EK_PLUGIN_DEFINE(eureka, REGISTRY, .version = EK_VERSION, .options = options, .ops = &ops);
