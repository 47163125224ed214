/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onebyone.c - a mode as somebody outside this project would write it, against the installed headers alone: each pod becomes an application of its own, named after
 * Service and pod.  test_out_of_tree_mode.py builds and loads it.  What a mode must do stands in eurekube/mode.h.
 */
#include <stdio.h>

#include <eurekube/error.h>
#include <eurekube/mode.h>

static int emit_endpoint(const struct ek_syncer *syncer, const struct ek_service *service, const struct ek_endpoint *endpoint, const struct ek_sink *sink,
                         struct ek_error *err)
{
	char application[64];
	const struct ek_pair flavour = { .size = sizeof(flavour), .key = "flavour", .value = "out-of-tree" };
	const struct ek_pair *const metadata[] = { &flavour };
	struct ek_instance instance = {
		.size = sizeof(instance),
		.application = application,
		.name = endpoint->pod_name,
		.address = endpoint->address,
		.metadata = metadata,
		.n_metadata = 1,
		.source_service = service,
		.source = endpoint,
	};
	int rc = ek_pick_ports(syncer, service, endpoint, &instance, err);

	if (rc == EK_GONE) /* this endpoint does not listen on the port */
		return EK_OK;
	if (rc != EK_OK)
		return rc;
	snprintf(application, sizeof(application), "%.20s-%.40s", service->name, endpoint->pod_name);
	return sink->emit(sink, &instance, err);
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	(void)self;
	for (uint32_t s = 0; s < cluster->n_services; s++) {
		const struct ek_service *service = cluster->services[s];

		for (uint32_t e = 0; e < service->n_endpoints; e++) {
			int rc = emit_endpoint(syncer, service, service->endpoints[e], sink, err);

			if (rc != EK_OK)
				return rc;
		}
	}
	return EK_OK;
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.reads = EK_READS_SERVICES | EK_READS_ENDPOINTS,
	.desired = desired,
};
EK_PLUGIN_DEFINE(onebyone, MODE, .version = "7.1.0", .ops = &ops);
