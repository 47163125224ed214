/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mode that is loaded without complaint and then keeps to all rules but one: the file that includes this defines which. eurekube-plugin-check has to find it.
 */
#ifndef EK_TESTS_BAD_PLUGINS_UNRULY_MODE_H
#define EK_TESTS_BAD_PLUGINS_UNRULY_MODE_H

#include <eurekube/host.h>
#include <eurekube/mode.h>

enum vice {
	ONLY_READY,        /* judges conditions itself */
	ONLY_FIRST,        /* leaves endpoints out */
	COUNTS,            /* remembers earlier questions */
	GOES_ON,           /* emits on after a refusal */
	SWALLOWS,          /* makes a success of a refusal */
	INVENTS,           /* emits without Services */
	NAMES_IDS,         /* fills what is the host's */
	NO_REASON,         /* fails without saying why */
	STARTS_TIMERS,     /* uses more of the host than its log */
	READS_MORE,        /* changes what it reads */
	READS_SECRETS,     /* or reads what no mode may */
	EXPECTS_MORE,      /* does not bear an object without what it reads */
	RENAMES_ITSELF,    /* changes its descriptor */
	LOOKS_AROUND,      /* promises per endpoint, and counts the others */
};

static int emit_one(enum vice vice, const struct ek_service *service, uint32_t i, unsigned n_asked, const struct ek_sink *sink,
	struct ek_error *err)
{
	const struct ek_endpoint *endpoint = service->endpoints[i];
	struct ek_instance instance = {
		.size = sizeof(instance), .name = endpoint->pod_name, .address = endpoint->address, .port = 8080, .source = endpoint,
		.source_service = service,
	};

	if (vice == ONLY_READY && !(endpoint->flags & EK_ENDPOINT_READY))
		return EK_OK;
	if (vice == COUNTS)
		instance.port += (int32_t)n_asked;
	if (vice == LOOKS_AROUND)
		instance.port += (int32_t)service->n_endpoints;
	if (vice == NAMES_IDS)
		instance.id = endpoint->pod_name;
	return sink->emit(sink, &instance, err);
}

static int emit_all(enum vice vice, const struct ek_service *service, unsigned n_asked, const struct ek_sink *sink, struct ek_error *err)
{
	for (uint32_t i = 0; i < service->n_endpoints && (vice != ONLY_FIRST || i == 0); i++) {
		int code = emit_one(vice, service, i, n_asked, sink, err);

		if (code != EK_OK && vice != GOES_ON)
			return code;
	}
	return EK_OK;
}

static int desire(enum vice vice, unsigned n_asked, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	const struct ek_instance invented = { .size = sizeof(invented), .name = "x", .address = "10.9.9.9", .port = 1, .status = EK_STATUS_UP };

	if (syncer->port_name)
		return vice == NO_REASON ? EK_INVALID : ek_fail_reason(err, EK_INVALID, "PortNotFound", "there is no such port");
	if (vice == INVENTS && !cluster->n_services)
		return sink->emit(sink, &invented, err);
	for (uint32_t i = 0; i < cluster->n_services; i++) {
		int code = emit_all(vice, cluster->services[i], n_asked, sink, err);

		if (code != EK_OK)
			return vice == SWALLOWS ? EK_OK : code;
	}
	return EK_OK;
}

#endif
