/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode "pod": one instance for each endpoint of each selected Service, reachable at the pod's own address. It looks at no condition and no status, and adds
 * nothing to what the syncer says; those are the host's. Read sdk-headers/eurekube/mode.h next.
 */
#include <eurekube/mode.h>

static int emit_endpoint(const struct ek_syncer *syncer, const struct ek_service *service, const struct ek_endpoint *endpoint,
	const struct ek_sink *sink, struct ek_error *err)
{
	struct ek_instance instance = {
		.size = sizeof(instance),
		.name = endpoint->pod_name ? endpoint->pod_name : endpoint->address,
		.address = endpoint->address,
		.zone = endpoint->zone,
		.node_name = endpoint->node_name,
		.source = endpoint,
		.source_service = service,
	};
	int code = ek_pick_ports(syncer, service, endpoint, &instance, err);

	if (code == EK_GONE) /* its slice lists no ports (yet) */
		return EK_OK;
	return code == EK_OK ? sink->emit(sink, &instance, err) : code;
}

static int emit_service(const struct ek_syncer *syncer, const struct ek_service *service, const struct ek_sink *sink, struct ek_error *err)
{
	if (service->type == EK_SERVICE_EXTERNAL_NAME)
		return ek_fail_reason(err, EK_INVALID, "NoEndpoints",
			"Service %s/%s is of type ExternalName and has no pods; select another Service, or register it where %s really runs",
			service->namespace_, service->name, service->external_name ? service->external_name : "its host");
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		int code = emit_endpoint(syncer, service, service->endpoints[i], sink, err);

		if (code != EK_OK)
			return code;
	}
	return EK_OK;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	for (uint32_t i = 0; i < cluster->n_services; i++) {
		int code = emit_service(syncer, cluster->services[i], sink, err);

		if (code != EK_OK)
			return code;
	}
	return EK_OK;
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.flags = EK_MODE_PER_ENDPOINT,
	.reads = EK_READS_SERVICES | EK_READS_ENDPOINTS,
	.desired = desired,
};

EK_PLUGIN_DEFINE(pod, MODE, .version = EK_VERSION, .ops = &ops);
