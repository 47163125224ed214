/* SPDX-License-Identifier: Apache-2.0 */
/*
 * podnext.c - the mode "pod" in a second version, for the tests of rollouts: as the first one, and, if its options say so, with one metadata entry more, failing for
 * one syncer, or leaving the pods of one syncer out.  test_rollout.py builds and loads it.
 */
#include <stdlib.h>
#include <string.h>

#include <eurekube/error.h>
#include <eurekube/mode.h>

struct behaviour {
	const char *channel, *fails_for, *hides_for;
};

static const char *text_of(const struct ek_option_value *const *options, uint32_t n, const char *name)
{
	const struct ek_option_value *value = ek_option_find(options, n, name);

	return value && value->text ? value->text : "";
}

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self, struct ek_error *err)
{
	struct behaviour *behaviour = calloc(1, sizeof(*behaviour));

	(void)host;
	if (!behaviour)
		return ek_fail(err, EK_RETRY, "out of memory");
	behaviour->channel = text_of(options, n_options, "channel");
	behaviour->fails_for = text_of(options, n_options, "failsFor");
	behaviour->hides_for = text_of(options, n_options, "hidesFor");
	*self = behaviour;
	return EK_OK;
}

static int emit_endpoint(const struct behaviour *behaviour, const struct ek_syncer *syncer, const struct ek_service *service,
                         const struct ek_endpoint *endpoint, const struct ek_sink *sink, struct ek_error *err)
{
	const struct ek_pair channel = { .size = sizeof(channel), .key = "channel", .value = behaviour->channel };
	const struct ek_pair *const metadata[] = { &channel };
	struct ek_instance instance = {
		.size = sizeof(instance),
		.name = endpoint->pod_name ? endpoint->pod_name : endpoint->address,
		.address = endpoint->address,
		.zone = endpoint->zone,
		.node_name = endpoint->node_name,
		.metadata = metadata,
		.n_metadata = behaviour->channel[0] ? 1 : 0,
		.source = endpoint,
		.source_service = service,
	};
	int code = ek_pick_ports(syncer, service, endpoint, &instance, err);

	if (code == EK_GONE)
		return EK_OK;
	return code == EK_OK ? sink->emit(sink, &instance, err) : code;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	const struct behaviour *behaviour = self;

	if (strcmp(syncer->name, behaviour->fails_for) == 0)
		return ek_fail_reason(err, EK_INVALID, "Broken", "this version cannot serve %s", syncer->name);
	if (strcmp(syncer->name, behaviour->hides_for) == 0)
		return EK_OK;
	for (uint32_t s = 0; s < cluster->n_services; s++) {
		const struct ek_service *service = cluster->services[s];

		for (uint32_t e = 0; e < service->n_endpoints; e++) {
			int code = emit_endpoint(behaviour, syncer, service, service->endpoints[e], sink, err);

			if (code != EK_OK)
				return code;
		}
	}
	return EK_OK;
}

#define TEXT(name_, help_) { .size = sizeof(struct ek_option), .type = EK_OPTION_STRING, .name = name_, .help = help_ }
static const struct ek_option channel = TEXT("channel", "Value of the metadata entry channel."), fails_for = TEXT("failsFor", "A syncer it fails for."),
                              hides_for = TEXT("hidesFor", "A syncer whose pods it leaves out.");
static const struct ek_option *const options[] = { &channel, &fails_for, &hides_for, NULL };

static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.reads = EK_READS_SERVICES | EK_READS_ENDPOINTS,
	.create = create,
	.destroy = free,
	.desired = desired,
};
EK_PLUGIN_DEFINE(pod, MODE, .version = "2.0.0", .options = options, .ops = &ops);
