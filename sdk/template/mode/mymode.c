/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode "mymode": one instance for each endpoint of each selected Service, with one metadata entry of its own. It decides no status and composes no id; those are
 * the host's. Read <eurekube/mode.h> next; the steps to change are numbered.
 */
#include <eurekube/mode.h>

#include <stdlib.h>

/* 1. What the operator of the cluster sets for everybody: `modes.NAME.options` in the configuration. */
static const struct ek_option metadata_key = {
	.size = sizeof(metadata_key), .type = EK_OPTION_STRING, .name = "metadataKey", .default_value = "mode",
	.help = "Under which key the instances carry the syncer's metadataValue.",
};
static const struct ek_option *const options[] = { &metadata_key, NULL };

/* 2. What the author of each EurekaSyncer sets: `spec.modeOptions`. */
static const struct ek_option metadata_value = {
	.size = sizeof(metadata_value), .type = EK_OPTION_STRING, .name = "metadataValue", .default_value = "mymode",
	.help = "What the instances carry under the operator's metadataKey; empty: nothing.",
};
static const struct ek_option *const instance_options[] = { &metadata_value, NULL };

/* 3. An instance of the mode: what `create` has made of the options. Nothing in it changes after that. */
struct mymode {
	const char *key;
};

static int create(const struct ek_host *host, const struct ek_option_value *const *values, uint32_t n_values, void **self, struct ek_error *err)
{
	const char *key = ek_option_find(values, n_values, "metadataKey")->text;
	struct mymode *mode;

	(void)host;
	if (!key[0])
		return ek_fail(err, EK_INVALID, "the option metadataKey is empty; give it a name or leave it out");
	mode = malloc(sizeof(*mode));
	if (!mode)
		return ek_fail(err, EK_RETRY, "out of memory");
	mode->key = key; /* lives until destroy */
	*self = mode;
	return EK_OK;
}

static void destroy(void *self)
{
	free(self);
}

/* 4. From one endpoint to one instance. What stays NULL is filled in from the syncer. */
static int emit_endpoint(const struct mymode *mode, const struct ek_syncer *syncer, const struct ek_service *service,
	const struct ek_endpoint *endpoint, const struct ek_sink *sink, struct ek_error *err)
{
	const struct ek_option_value *value = ek_option_find(syncer->options, syncer->n_options, "metadataValue");
	const struct ek_pair pair = { .size = sizeof(pair), .key = mode->key, .value = value->text };
	const struct ek_pair *const metadata[] = { &pair };
	struct ek_instance instance = {
		.size = sizeof(instance),
		.name = endpoint->pod_name ? endpoint->pod_name : endpoint->address,
		.address = endpoint->address,
		.zone = endpoint->zone,
		.node_name = endpoint->node_name,
		.n_metadata = value->text[0] != '\0',
		.metadata = metadata,
		.source = endpoint, /* ready or not: the host looks at its conditions */
		.source_service = service,
	};
	int code = ek_pick_ports(syncer, service, endpoint, &instance, err);

	if (code == EK_GONE) /* this endpoint has no such port, others have */
		return EK_OK;
	return code == EK_OK ? sink->emit(sink, &instance, err) : code;
}

/* 5. The whole set, each time. What fails is handed on as it is. */
static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	for (uint32_t i = 0; i < cluster->n_services; i++) {
		const struct ek_service *service = cluster->services[i];

		for (uint32_t k = 0; k < service->n_endpoints; k++) {
			int code = emit_endpoint(self, syncer, service, service->endpoints[k], sink, err);

			if (code != EK_OK)
				return code;
		}
	}
	return EK_OK;
}

/* 6. What it reads, and the promise that an endpoint's instance depends on nothing but the syncer, the Service and that endpoint. */
static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.flags = EK_MODE_PER_ENDPOINT,
	.reads = EK_READS_SERVICES | EK_READS_ENDPOINTS,
	.create = create,
	.destroy = destroy,
	.desired = desired,
};

EK_PLUGIN_DEFINE(mymode, MODE, .version = "0.1.0", .options = options, .instance_options = instance_options, .ops = &ops);
