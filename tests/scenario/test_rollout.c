/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two versions of one mode at a time: who is served by which, what is told of their differences, and when the second one is taken back.
 * The versions are a mode of this file's own: `next.so` adds metadata, and fails, hides pods or renames as its options say.
 * Read next: host/sync/rollout.c.
 */
#include "kit/world.h"

#include <stdio.h>

#include <eurekube/mode.h>

/* ---- A mode in two versions ---- */

struct behaviour {
	char channel[32], hides[32], renames[32];
	int32_t port;
	bool fails;
};

static const struct ek_option channel_option = { .size = sizeof(channel_option), .name = "channel", .type = EK_OPTION_STRING, .help = "Metadata channel." };
static const struct ek_option hides_option = { .size = sizeof(hides_option), .name = "hides", .type = EK_OPTION_STRING, .help = "A pod it leaves out." };
static const struct ek_option renames_option = { .size = sizeof(renames_option), .name = "renames", .type = EK_OPTION_STRING, .help = "Its application." };
static const struct ek_option fails_option = { .size = sizeof(fails_option), .name = "fails", .type = EK_OPTION_BOOLEAN, .default_value = "false", .help = "It fails." };
static const struct ek_option port_option = { .size = sizeof(port_option), .name = "port", .type = EK_OPTION_INTEGER, .help = "Instead of the chosen port." };
static const struct ek_option *const options[] = { &channel_option, &hides_option, &renames_option, &fails_option, &port_option, NULL };
static const struct ek_option flavour_option = { .size = sizeof(flavour_option), .name = "flavour", .type = EK_OPTION_STRING, .help = "Metadata flavour." };
static const struct ek_option *const instance_options[] = { &flavour_option, NULL };

static void take(const struct ek_option_value *const *values, uint32_t n, const char *name, char *out, size_t size)
{
	const struct ek_option_value *value = ek_option_find(values, n, name);

	snprintf(out, size, "%s", value && value->text ? value->text : "");
}

static int create(const struct ek_host *host, const struct ek_option_value *const *values, uint32_t n, void **self, struct ek_error *err)
{
	struct behaviour *behaviour = calloc(1, sizeof(*behaviour));

	(void)host;
	(void)err;
	take(values, n, "channel", behaviour->channel, sizeof(behaviour->channel));
	take(values, n, "hides", behaviour->hides, sizeof(behaviour->hides));
	take(values, n, "renames", behaviour->renames, sizeof(behaviour->renames));
	behaviour->fails = ek_option_find(values, n, "fails") && ek_option_find(values, n, "fails")->integer;
	behaviour->port = ek_option_find(values, n, "port") ? (int32_t)ek_option_find(values, n, "port")->integer : 0;
	*self = behaviour;
	return EK_OK;
}

static int emit_endpoint(const struct behaviour *behaviour, const struct ek_syncer *syncer, const struct ek_service *service,
                         const struct ek_endpoint *endpoint, const struct ek_sink *sink, struct ek_error *err)
{
	const struct ek_option_value *flavour = ek_option_find(syncer->options, syncer->n_options, "flavour");
	struct ek_pair channel = { .size = sizeof(channel), .key = "channel", .value = behaviour->channel };
	struct ek_pair taste = { .size = sizeof(taste), .key = "flavour", .value = flavour && flavour->text ? flavour->text : "" };
	const struct ek_pair *pairs[2];
	struct ek_instance instance = { .size = sizeof(instance), .name = endpoint->pod_name, .address = endpoint->address, .source = endpoint,
		                        .source_service = service, .metadata = pairs };

	if (behaviour->channel[0])
		pairs[instance.n_metadata++] = &channel;
	if (taste.value[0])
		pairs[instance.n_metadata++] = &taste;
	if (behaviour->renames[0])
		instance.application = behaviour->renames;
	if (strcmp(endpoint->pod_name, behaviour->hides) == 0)
		return EK_OK;
	if (ek_pick_ports(syncer, service, endpoint, &instance, err) != EK_OK)
		return EK_OK;
	if (behaviour->port)
		instance.port = behaviour->port;
	return sink->emit(sink, &instance, err);
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	const struct behaviour *behaviour = self;

	if (behaviour->fails)
		return ek_fail_reason(err, EK_INVALID, "Broken", "this version is broken");
	for (uint32_t s = 0; s < cluster->n_services; s++)
		for (uint32_t e = 0; e < cluster->services[s]->n_endpoints; e++) {
			int code = emit_endpoint(behaviour, syncer, cluster->services[s], cluster->services[s]->endpoints[e], sink, err);

			if (code != EK_OK)
				return code;
		}
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .reads = EK_READS_SERVICES | EK_READS_ENDPOINTS, .create = create, .destroy = free, .desired = desired };

#define VERSION(number)                                                                                                                      \
	{ .size = sizeof(struct ek_plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR, .kind = EK_PLUGIN_MODE, .name = "test",    \
	  .version = number, .options = options, .instance_options = instance_options, .ops = &ops }
static const struct ek_plugin first = VERSION("1.0.0"), second = VERSION("2.0.0");

/* ---- Words ---- */

#define REGISTRIES "registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"

static const char *document(const char *rollout)
{
	static char text[2048];

	snprintf(text, sizeof(text), "clusterId: test\nmodes: {pod: {plugin: first.so%s%s}}\n" REGISTRIES, rollout ? ", rollout: " : "", rollout ? rollout : "");
	return text;
}

#define SECOND(stage, options, more) "{plugin: next.so, stage: " stage ", options: {" options "}" more "}"
#define EVERYBODY ", select: [{percent: 100}]"

static void given_versions(struct world *w, const char *rollout)
{
	ek_catalog_add_static(w->catalog, "first.so", &first);
	ek_catalog_add_static(w->catalog, "next.so", &second);
	given_config(w, document(rollout));
}

static void given_served(struct world *w, const char *rollout)
{
	given_versions(w, rollout);
	given_pods(w, "shop/web", 3);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, "WEB") == 3);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 3000);
	fake_eureka_reset_log(w->eureka);
}

static const char *channel_of(struct world *w)
{
	return status_of(w, "shop/web", "modePlugin.channel");
}

static void then_nothing_written(struct world *w)
{
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 0);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

static const char *metrics_of(struct world *w)
{
	static char body[65536];

	when_asked(w, "http://operator:8080/metrics", body, sizeof(body));
	return body;
}

/* ---- Serving ---- */

SCENARIO(rollout, versions_that_agree_are_exchanged_without_a_write)
{
	given_served(w, NULL);
	assert_string_equal(channel_of(w), "stable");
	when_config_changes(w, document(SECOND("Canary", "", EVERYBODY)));
	within(w, 10000, !strcmp(channel_of(w), "canary"));
	assert_string_equal(status_of(w, "shop/web", "modePlugin.version"), "2.0.0");
	assert_string_equal(status_of(w, "shop/web", "rollout.differing"), "0");
	when_config_changes(w, document(NULL));
	within(w, 10000, !strcmp(channel_of(w), "stable"));
	assert_string_equal(status_of(w, "shop/web", "rollout"), "");
	then_nothing_written(w);
}

SCENARIO(rollout, a_chosen_syncer_is_registered_again_in_place_and_one_that_is_not_stays)
{
	given_versions(w, NULL);
	given_pods(w, "shop/web", 2);
	given_pods(w, "mall/web", 2);
	given_syncer(w, "shop/web", NULL);
	given_syncer(w, "mall/web", "\"application\":\"other\"");
	when_started(w);
	soon(w, fake_eureka_n(w->eureka, NULL) == 4);
	pass_ms(w, 3000);
	fake_eureka_reset_log(w->eureka);
	when_config_changes(w, document(SECOND("Canary", "channel: fresh", ", select: [{namespaces: [shop]}]")));
	within(w, 10000, !strcmp(mark_of(w, "shop/WEB/web-1", "channel"), "fresh") && !strcmp(mark_of(w, "shop/WEB/web-2", "channel"), "fresh"));
	pass_ms(w, 5000);
	assert_string_equal(mark_of(w, "mall/OTHER/web-1", "channel"), "");
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 2);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_non_null(strstr(metrics_of(w), "\neurekube_mode_syncers{mode=\"pod\",channel=\"canary\",version=\"2.0.0\"} 1\n"));
	assert_non_null(strstr(metrics_of(w), "\neurekube_mode_syncers{mode=\"pod\",channel=\"stable\",version=\"1.0.0\"} 1\n"));
}

SCENARIO(rollout, a_label_put_on_a_syncer_brings_it_into_the_selection)
{
	given_served(w, SECOND("Canary", "channel: fresh", ", select: [{matchLabels: {channel: canary}}]"));
	assert_string_equal(channel_of(w), "stable");
	assert_true(fake_kube_patch(w->kube, "eurekasyncers", "shop", "web", NULL, "{\"metadata\":{\"labels\":{\"channel\":\"canary\"}}}"));
	soon(w, !strcmp(mark_of(w, "shop/WEB/web-1", "channel"), "fresh"));
	soon(w, !strcmp(channel_of(w), "canary"));
}

SCENARIO(rollout, the_second_version_becomes_the_first_without_a_write)
{
	given_served(w, SECOND("Canary", "channel: fresh", EVERYBODY));
	assert_string_equal(mark_of(w, "shop/WEB/web-1", "channel"), "fresh");
	when_config_changes(w, "clusterId: test\nmodes: {pod: {plugin: next.so, options: {channel: fresh}}}\n" REGISTRIES);
	within(w, 10000, !strcmp(channel_of(w), "stable"));
	assert_string_equal(status_of(w, "shop/web", "modePlugin.version"), "2.0.0");
	then_nothing_written(w);
}

/* ---- Shadow ---- */

SCENARIO(shadow, computes_with_both_applies_the_first_and_lists_the_fields_that_differ)
{
	given_served(w, SECOND("Shadow", "channel: fresh", ""));
	soon(w, !strcmp(status_of(w, "shop/web", "rollout.differing"), "3"));
	assert_string_equal(status_of(w, "shop/web", "rollout.stage"), "Shadow");
	assert_string_equal(status_of(w, "shop/web", "rollout.version"), "2.0.0");
	assert_string_equal(status_of(w, "shop/web", "rollout.instances.0.id"), "test:shop:WEB:web-1:8080");
	assert_string_equal(status_of(w, "shop/web", "rollout.instances.0.change"), "Changed");
	assert_string_equal(status_of(w, "shop/web", "rollout.instances.0.fields.0"), "metadata.channel");
	assert_string_equal(status_of(w, "shop/web", "rollout.instances.0.fields.1"), "");
	assert_string_equal(channel_of(w), "stable");
	assert_string_equal(mark_of(w, "shop/WEB/web-1", "channel"), "");
	assert_non_null(strstr(metrics_of(w), "\neurekube_rollout_differing_instances{mode=\"pod\"} 3\n"));
	when_config_changes(w, document(SECOND("Off", "channel: fresh", "")));
	within(w, 10000, !strcmp(status_of(w, "shop/web", "rollout"), ""));
	then_nothing_written(w);
}

SCENARIO(shadow, a_version_that_leaves_a_pod_out_or_fails_is_told_and_harms_nobody)
{
	given_served(w, SECOND("Shadow", "hides: web-2", ""));
	soon(w, !strcmp(status_of(w, "shop/web", "rollout.differing"), "1"));
	assert_string_equal(status_of(w, "shop/web", "rollout.instances.0.id"), "test:shop:WEB:web-2:8080");
	assert_string_equal(status_of(w, "shop/web", "rollout.instances.0.change"), "Removed");
	when_config_changes(w, document(SECOND("Shadow", "fails: true", "")));
	within(w, 10000, !strcmp(status_of(w, "shop/web", "rollout.failure"), "this version is broken"));
	assert_string_equal(ready_of(w, "shop/web", "status"), "True");
	assert_string_equal(status_of(w, "shop/web", "rollback"), "");
	then_nothing_written(w);
}

/* ---- Rollback ---- */

static const char *rolled_back_of(struct world *w, const char *field)
{
	const char *text = fake_kube_condition(w->kube, "shop", "web", "RolledBack", field);

	return text ? text : "";
}

static void then_rolled_back(struct world *w, const char *reason)
{
	within(w, 20000, !strcmp(status_of(w, "shop/web", "rollback.reason"), reason));
	soon(w, !strcmp(channel_of(w), "stable"));
	assert_string_equal(ready_of(w, "shop/web", "status"), "True");
	assert_string_equal(rolled_back_of(w, "status"), "True");
	assert_string_equal(rolled_back_of(w, "reason"), reason);
	within(w, 5000, fake_kube_n_events(w->kube, "RolledBack", "web") == 1);
}

SCENARIO(rollback, comes_after_the_third_failure_and_nothing_is_written_because_of_it)
{
	given_served(w, NULL);
	when_config_changes(w, document(SECOND("Canary", "fails: true", EVERYBODY)));
	within(w, 10000, !strcmp(ready_of(w, "shop/web", "reason"), "Broken"));
	assert_string_equal(status_of(w, "shop/web", "rollback"), "");
	then_rolled_back(w, "Broken");
	assert_string_equal(status_of(w, "shop/web", "rollback.failures"), "3");
	when_pod_comes(w, "shop/web", "web-4");
	then_up(w, "shop/WEB/web-4");
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_non_null(strstr(metrics_of(w), "\neurekube_rollout_rollbacks_total{mode=\"pod\"} 1\n"));
}

SCENARIO(rollback, comes_at_once_when_instances_would_be_taken_away)
{
	given_served(w, NULL);
	when_config_changes(w, document(SECOND("Canary", "hides: web-2, channel: fresh", EVERYBODY)));
	then_rolled_back(w, "DeletesHeld");
	assert_non_null(strstr(status_of(w, "shop/web", "rollback.message"), "1 of 3 instances, such as test:shop:WEB:web-2:8080"));
	then_nothing_written(w);
}

SCENARIO(rollback, comes_at_once_when_the_application_gets_another_name)
{
	given_served(w, NULL);
	when_config_changes(w, document(SECOND("Canary", "renames: newname", EVERYBODY)));
	then_rolled_back(w, "DeletesHeld");
	then_nothing_written(w);
}

SCENARIO(rollback, does_not_come_for_another_port_and_the_new_entries_come_before_the_old_ones_go)
{
	given_served(w, NULL);
	when_config_changes(w, document(SECOND("Canary", "port: 9090", EVERYBODY)));
	within(w, 10000, is_up(w, "shop/WEB/web-1:9090") && is_up(w, "shop/WEB/web-3:9090"));
	then_gone(w, "shop/WEB/web-1");
	soon(w, fake_eureka_n(w->eureka, "WEB") == 3);
	soon(w, !strcmp(channel_of(w), "canary"));
	assert_string_equal(status_of(w, "shop/web", "rollback"), "");
}

SCENARIO(rollback, comes_when_the_registry_refuses_what_the_second_version_wants)
{
	given_served(w, NULL);
	fake_eureka_rule(w->eureka, &(struct fake_rule){ .method = "POST", .times = 1000, .action = FAKE_ANSWER, .status = 400, .body = "{\"error\":\"no\"}" });
	when_config_changes(w, document(SECOND("Canary", "channel: fresh", EVERYBODY)));
	then_rolled_back(w, "RegistryRefused");
	assert_string_equal(mark_of(w, "shop/WEB/web-1", "channel"), "");
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 3);
}

SCENARIO(rollback, does_not_come_for_a_pod_that_was_never_registered)
{
	given_versions(w, SECOND("Canary", "hides: web-2", EVERYBODY));
	given_pods(w, "shop/web", 3);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	then_up(w, "shop/WEB/web-3");
	soon(w, !strcmp(channel_of(w), "canary"));
	assert_null(instance_of(w, "shop/WEB/web-2"));
	assert_string_equal(status_of(w, "shop/web", "rollback"), "");
}

SCENARIO(rollback, is_remembered_over_a_restart_until_the_document_changes)
{
	given_served(w, NULL);
	when_config_changes(w, document(SECOND("Canary", "fails: true", EVERYBODY)));
	then_rolled_back(w, "Broken");
	when_killed(w);
	given_config(w, document(SECOND("Canary", "fails: true", EVERYBODY)));
	when_started(w);
	pass_ms(w, 20000);
	assert_string_equal(status_of(w, "shop/web", "rollback.failures"), "3");
	assert_non_null(strstr(metrics_of(w), "\neurekube_rollout_rollbacks_total{mode=\"pod\"} 0\n"));
	assert_string_equal(channel_of(w), "stable");
	when_config_changes(w, document(SECOND("Canary", "channel: mended", EVERYBODY)));
	within(w, 10000, !strcmp(mark_of(w, "shop/WEB/web-1", "channel"), "mended"));
	soon(w, !strcmp(status_of(w, "shop/web", "rollback"), ""));
	assert_string_equal(rolled_back_of(w, "status"), "");
}

SCENARIO(rollback, is_shown_where_the_second_version_cannot_be_loaded_at_the_start)
{
	given_served(w, "{plugin: nowhere.so, stage: Canary, select: [{percent: 100}]}");
	assert_string_equal(channel_of(w), "stable");
	assert_string_equal(rolled_back_of(w, "status"), "True");
	assert_string_equal(rolled_back_of(w, "reason"), "PluginUnavailable");
	assert_non_null(strstr(rolled_back_of(w, "message"), "nowhere"));
	when_config_changes(w, document(NULL));
	within(w, 10000, !rolled_back_of(w, "status")[0]);
	then_nothing_written(w);
}

SCENARIO(rollback, is_tried_again_when_the_syncer_changes)
{
	given_served(w, NULL);
	when_config_changes(w, document(SECOND("Canary", "fails: true", EVERYBODY)));
	then_rolled_back(w, "Broken");
	when_spec_changes(w, "shop/web", "\"port\":\"http\"");
	soon(w, strstr(metrics_of(w), "\neurekube_rollout_rolled_back_syncers{mode=\"pod\"} 0\n"));
	within(w, 20000, strstr(metrics_of(w), "\neurekube_rollout_rollbacks_total{mode=\"pod\"} 2\n"));
}

SCENARIO(rollback, spares_a_version_for_what_the_first_cannot_do_either)
{
	given_served(w, SECOND("Canary", "", EVERYBODY));
	when_spec_changes(w, "shop/web", "\"modeOptions\":{\"nobody\":\"knows\"}");
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "InvalidOptions"));
	pass_ms(w, 20000);
	assert_string_equal(status_of(w, "shop/web", "rollback"), "");
	when_spec_changes(w, "shop/web", "\"modeOptions\":{\"flavour\":\"vanilla\",\"nobody\":null}");
	soon(w, !strcmp(mark_of(w, "shop/WEB/web-1", "flavour"), "vanilla"));
}

int main(void)
{
	return world_run_scenarios();
}
