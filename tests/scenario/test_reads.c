/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modes that read more than Services and endpoints: what they are shown, what wakes their syncers, and what happens while something of it cannot be seen.
 * The mode is of this file's own; its options say what it reads.
 * Read next: host/sync/reads.c.
 */
#include "kit/world.h"

#include <stdio.h>

#include <eurekube/mode.h>

/* ---- A mode that reads what its option says ---- */

struct reader {
	bool pods, nodes, ingresses, classes, more;
};

static unsigned n_asked; /* how often the mode was */

static const struct ek_option reads_option = { .size = sizeof(reads_option), .name = "reads", .type = EK_OPTION_LIST, .help = "pods, nodes, ingresses (and more of them), classes." };
static const struct ek_option *const options[] = { &reads_option, NULL };

static int create(const struct ek_host *host, const struct ek_option_value *const *values, uint32_t n, void **self, struct ek_error *err)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	const struct ek_option_value *reads = ek_option_find(values, n, "reads");

	(void)host;
	(void)err;
	for (uint32_t i = 0; i < reads->n_list; i++) {
		reader->pods |= !strcmp(reads->list[i], "pods");
		reader->nodes |= !strcmp(reads->list[i], "nodes");
		reader->ingresses |= !strcmp(reads->list[i], "ingresses");
		reader->classes |= !strcmp(reads->list[i], "classes");
		reader->more |= !strcmp(reads->list[i], "more");
	}
	*self = reader;
	return EK_OK;
}

static uint32_t reads_of(void *self)
{
	const struct reader *reader = self;

	return EK_READS_SERVICES | EK_READS_ENDPOINTS | (reader->pods ? EK_READS_PODS : 0) | (reader->nodes ? EK_READS_NODES : 0);
}

static const struct ek_resource_read *const *resources_of(void *self, uint32_t *n)
{
	static const char *const fields[] = { "spec.rules", "spec.tls" };
	static const struct ek_resource_read ingresses = { .size = sizeof(ingresses), .is_namespaced = 1, .group = "networking.k8s.io", .version = "v1",
		.plural = "ingresses", .n_fields = 1, .fields = fields };
	static const struct ek_resource_read ingresses_whole = { .size = sizeof(ingresses), .is_namespaced = 1, .group = "networking.k8s.io", .version = "v1",
		.plural = "ingresses", .n_fields = 2, .fields = fields };
	static const struct ek_resource_read classes = { .size = sizeof(classes), .is_namespaced = 1, .group = "example.com", .version = "v1",
		.plural = "classes", .n_fields = 1, .fields = fields };
	static const struct ek_resource_read *const ingresses_alone[] = { &ingresses }, *const classes_alone[] = { &classes };
	static const struct ek_resource_read *const whole[] = { &ingresses_whole };
	const struct reader *reader = self;

	*n = reader->ingresses || reader->classes;
	if (reader->more)
		return whole;
	return reader->ingresses ? ingresses_alone : reader->classes ? classes_alone : NULL;
}

/* One instance for each endpoint, with the label "version" of its pod if it reads pods, or is shown one nevertheless. */
static int emit_endpoint(const struct reader *reader, const struct ek_service *service, const struct ek_endpoint *endpoint, const struct ek_sink *sink,
                         struct ek_error *err)
{
	struct ek_pair version = { .size = sizeof(version), .key = "version", .value = endpoint->pod ? "none" : "unseen" };
	const struct ek_pair *const pairs[] = { &version };
	struct ek_instance instance = { .size = sizeof(instance), .name = endpoint->pod_name, .address = endpoint->address, .port = 8080, .source = endpoint,
		.source_service = service, .metadata = pairs, .n_metadata = reader->pods || endpoint->pod };

	for (uint32_t i = 0; endpoint->pod && i < endpoint->pod->n_labels; i++)
		if (!strcmp(endpoint->pod->labels[i]->key, "version"))
			version.value = endpoint->pod->labels[i]->value;
	return sink->emit(sink, &instance, err);
}

/* One for each node, with its zone. */
static int emit_nodes(const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	int code = EK_OK;

	for (uint32_t i = 0; i < cluster->n_nodes && code == EK_OK; i++) {
		const struct ek_node *node = cluster->nodes[i];
		struct ek_instance instance = { .size = sizeof(instance), .name = node->name, .address = node->addresses[0]->value, .port = 8080,
			.zone = node->zone, .status = EK_STATUS_UP };

		code = sink->emit(sink, &instance, err);
	}
	return code;
}

/* One for each host of an Ingress. */
static int emit_hosts(const struct ek_object *object, const struct ek_sink *sink, struct ek_error *err)
{
	const struct ek_tree *rules = ek_tree_find(object->root, "spec.rules");
	int code = EK_OK;

	for (uint32_t i = 0; rules && i < rules->n_children && code == EK_OK; i++) {
		const char *host = ek_tree_text(rules->children[i], "host");
		struct ek_instance instance = { .size = sizeof(instance), .name = host, .address = host, .port = 80, .status = EK_STATUS_UP };

		code = sink->emit(sink, &instance, err);
	}
	return code;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	const struct reader *reader = self;
	int code = EK_OK;

	(void)syncer;
	n_asked++;
	for (uint32_t r = 0; r < cluster->n_resources; r++)
		for (uint32_t i = 0; i < cluster->resources[r]->n_objects && code == EK_OK; i++)
			code = emit_hosts(cluster->resources[r]->objects[i], sink, err);
	if (cluster->n_resources || code != EK_OK)
		return code;
	if (reader->nodes)
		return emit_nodes(cluster, sink, err);
	for (uint32_t s = 0; s < cluster->n_services; s++)
		for (uint32_t e = 0; e < cluster->services[s]->n_endpoints && code == EK_OK; e++)
			code = emit_endpoint(reader, cluster->services[s], cluster->services[s]->endpoints[e], sink, err);
	return code;
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops), .create = create, .destroy = free, .reads_of = reads_of, .desired = desired, .resources_of = resources_of
};
static const struct ek_plugin plugin = {
	.size = sizeof(plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR, .kind = EK_PLUGIN_MODE, .name = "reader", .version = "1.0.0",
	.options = options, .ops = &ops,
};

/* ---- Words ---- */

#define DOCUMENT(more, modes)                                                                                                         \
	"clusterId: test\n" more "modes: {pod: {plugin: pod.so}" modes "}\n"                                                           \
	"registries: {main: {plugin: eureka.so, default: true, options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"]}}}\n"
#define READS(what) ", reader: {plugin: reader.so, options: {reads: [" what "]}}"

#define INGRESSES "/apis/networking.k8s.io/v1/ingresses"

static void given_reader(struct world *w, const char *document)
{
	ek_catalog_add_static(w->catalog, "reader.so", &plugin);
	given_config(w, document);
	given_pods(w, "shop/web", 2);
	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = "shop", .name = "web", .mode = "reader" });
	given_pods(w, "shop/plain", 1);
	given_syncer(w, "shop/plain", NULL);
	n_asked = 0;
}

/* A pod as the world's slice has it; `version` is a label. */
static void given_pod_object(struct world *w, const char *name, const char *version, const char *phase)
{
	fake_kube_applyf(w->kube, "{\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"shop\",\"name\":\"%s\",\"uid\":\"%s\",\"labels\":{\"version\":\"%s\"}},"
		"\"status\":{\"phase\":\"%s\"}}", name, world_pod(w, "shop/web", name)->uid, version, phase);
}

static void given_node(struct world *w, const char *name, const char *zone, const char *heartbeat)
{
	fake_kube_applyf(w->kube, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\",\"labels\":{\"topology.kubernetes.io/zone\":\"%s\"}},\"status\":{"
		"\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"192.168.0.9\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
		"\"lastHeartbeatTime\":\"%s\"}]}}", name, zone, heartbeat);
}

static void given_ingress(struct world *w, const char *ns, const char *name, const char *host)
{
	fake_kube_applyf(w->kube, "{\"kind\":\"Ingress\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"},\"spec\":{\"ingressClassName\":\"x\","
		"\"rules\":[{\"host\":\"%s\"}]}}", ns, name, host);
}

static void then_version(struct world *w, const char *instance, const char *version)
{
	soon(w, !strcmp(mark_of(w, instance, "version"), version));
}

static bool is_host_up(struct world *w, const char *host)
{
	char instance[128];

	snprintf(instance, sizeof(instance), "shop/WEB/%s:80", host);
	return is_up(w, instance);
}

static const char *page(struct world *w, const char *url)
{
	static char body[1 << 17];

	when_asked(w, url, body, sizeof(body));
	return body;
}

/* ---- Pods ---- */

SCENARIO(pods, are_shown_with_their_labels_where_they_are_in_view)
{
	given_reader(w, DOCUMENT("", READS("pods")));
	given_pod_object(w, "web-1", "7", "Running");
	when_started(w);
	then_version(w, "shop/WEB/web-1", "7");
	then_version(w, "shop/WEB/web-2", "unseen");
	given_pod_object(w, "web-2", "8", "Running");
	then_version(w, "shop/WEB/web-2", "8");
	given_pod_object(w, "web-1", "9", "Running");
	then_version(w, "shop/WEB/web-1", "9");
}

SCENARIO(pods, of_another_uid_are_not_the_ones_behind_the_endpoint)
{
	given_reader(w, DOCUMENT("", READS("pods")));
	given_pod_object(w, "web-1", "7", "Running");
	when_started(w);
	then_version(w, "shop/WEB/web-1", "7");
	when_pod_is_reborn(w, "shop/web", "web-1");
	then_version(w, "shop/WEB/web-1", "unseen");
}

SCENARIO(pods, whose_status_changes_wake_nobody)
{
	unsigned before;

	given_reader(w, DOCUMENT("", READS("pods")));
	given_pod_object(w, "web-1", "7", "Pending");
	when_started(w);
	then_version(w, "shop/WEB/web-1", "7");
	pass_ms(w, 5000);
	before = n_asked;
	for (int i = 0; i < 20; i++) {
		given_pod_object(w, "web-1", "7", i % 2 ? "Pending" : "Running");
		pass_ms(w, 100);
	}
	assert_int_equal(n_asked, before);
	given_pod_object(w, "web-1", "8", "Running");
	then_version(w, "shop/WEB/web-1", "8");
	assert_int_equal(n_asked, before + 1);
}

SCENARIO(pods, are_watched_only_while_a_mode_reads_them)
{
	given_reader(w, DOCUMENT("", ""));
	when_started(w);
	then_up(w, "shop/PLAIN/plain-1");
	assert_int_equal(fake_kube_open_watches(w->kube, "pods"), 0);
	given_pod_object(w, "web-1", "7", "Running");
	when_config_changes(w, DOCUMENT("", READS("pods")));
	within(w, 10000, fake_kube_open_watches(w->kube, "pods") == 1);
	then_version(w, "shop/WEB/web-1", "7");
	when_config_changes(w, DOCUMENT("", READS("")));
	within(w, 10000, fake_kube_open_watches(w->kube, "pods") == 0);
	assert_null(strstr(page(w, "http://operator:8080/metrics"), "resource=\"pods\""));
	assert_int_equal(fake_kube_count(w->kube, "watch", "services"), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(pods, are_watched_one_namespace_at_a_time_where_services_are)
{
	given_reader(w, DOCUMENT("watchNamespaces: [shop, mall]\n", READS("pods, nodes, ingresses")));
	when_started(w);
	soon(w, fake_kube_open_watches(w->kube, "pods") == 2 && fake_kube_open_watches(w->kube, "ingresses") == 2);
	soon(w, fake_kube_open_watches(w->kube, "nodes") == 1);
	assert_non_null(strstr(page(w, "http://operator:8080/readyz?verbose"), "[+]watch-pods/mall ok"));
	assert_non_null(strstr(page(w, "http://operator:8080/readyz?verbose"), "[+]watch-nodes ok"));
	assert_non_null(strstr(page(w, "http://operator:8080/metrics"),
		"\neurekube_watch_synced{resource=\"ingresses.networking.k8s.io\",namespace=\"shop\"} 1\n"));
}

/* ---- Nodes ---- */

SCENARIO(nodes, are_shown_and_their_heartbeats_wake_nobody)
{
	unsigned before;

	given_reader(w, DOCUMENT("", READS("nodes")));
	given_node(w, "n2", "b", "2024-01-01T00:00:00Z");
	given_node(w, "n1", "a", "2024-01-01T00:00:00Z");
	when_started(w);
	then_up(w, "shop/WEB/n1");
	then_up(w, "shop/WEB/n2");
	pass_ms(w, 5000);
	before = n_asked;
	given_node(w, "n1", "a", "2024-01-01T00:00:10Z");
	pass_ms(w, 1000);
	assert_int_equal(n_asked, before);
	fake_kube_remove(w->kube, "nodes", "", "n1");
	then_gone(w, "shop/WEB/n1");
	assert_true(is_up(w, "shop/WEB/n2"));
}

/* ---- Other resources ---- */

SCENARIO(resources, of_the_syncers_namespace_are_shown)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	given_ingress(w, "mall", "far", "far.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	given_ingress(w, "shop", "two", "two.example");
	soon(w, is_host_up(w, "two.example"));
	given_ingress(w, "shop", "one", "uno.example");
	soon(w, is_host_up(w, "uno.example") && !is_host_up(w, "one.example"));
	assert_int_equal(fake_eureka_n(w->eureka, "WEB"), 2);
	fake_kube_delete(w->kube, "ingresses", "shop", "two");
	soon(w, fake_eureka_n(w->eureka, "WEB") == 1);
}

SCENARIO(resources, wake_nobody_by_what_is_not_read_of_them)
{
	unsigned before;

	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	pass_ms(w, 5000);
	before = n_asked;
	fake_kube_patch(w->kube, "ingresses", "shop", "one", "status", "{\"status\":{\"loadBalancer\":{}}}");
	given_ingress(w, "mall", "far", "far.example");
	pass_ms(w, 1000);
	assert_int_equal(n_asked, before);
}

SCENARIO(resources, that_are_just_being_listed_are_not_complained_about)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	fake_kube_set_streaming(w->kube, false);
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = INGRESSES, .query = "limit=", .action = FAKE_DELAY, .delay_ms = 700 });
	when_started(w);
	then_up(w, "shop/PLAIN/plain-1");
	assert_false(is_host_up(w, "one.example"));
	soon(w, is_host_up(w, "one.example"));
	assert_int_equal(fake_kube_n_events(w->kube, "ResourceUnavailable", NULL), 0);
	assert_non_null(strstr(page(w, "http://operator:8080/metrics"), "\neurekube_objects{resource=\"ingresses.networking.k8s.io\"} 1\n"));
}

static void when_forbidden(struct world *w, int status)
{
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = INGRESSES, .times = 1000000, .status = status });
}

SCENARIO(resources, that_may_not_be_read_freeze_only_the_syncers_of_that_mode)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	when_killed(w);
	when_forbidden(w, 403);
	fake_kube_delete(w->kube, "ingresses", "shop", "one");
	fake_eureka_reset_log(w->eureka);
	when_launched(w);
	within(w, 1000, is_open(w)); /* it does not wait for what is optional */
	within(w, 5000, !strcmp(ready_of(w, "shop/web", "reason"), "ResourceUnavailable"));
	within(w, 5000, !strcmp(ready_of(w, "shop/web", "message"),
		"mode reader reads ingresses.networking.k8s.io, and the operator may not: allow it to list and watch them by a role (RBAC)"));
	pass_ms(w, 100000);
	assert_true(is_host_up(w, "one.example"));
	assert_true(n_ops(w, FAKE_OP_RENEW, "shop/WEB/one.example:80") >= 2);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	when_pod_comes(w, "shop/plain", "plain-2");
	then_up(w, "shop/PLAIN/plain-2");
	assert_non_null(strstr(page(w, "http://operator:8080/readyz?verbose"), "[-]watch-ingresses.networking.k8s.io failed: not synced yet"));
	assert_non_null(strstr(page(w, "http://operator:8080/readyz?verbose"), "readyz check passed"));
	fake_kube_drop_rules(w->kube);
	within(w, 60000, !is_host_up(w, "one.example"));
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(resources, that_the_cluster_does_not_have_are_told_of)
{
	given_reader(w, DOCUMENT("", READS("classes")));
	when_started(w);
	within(w, 5000, !strcmp(ready_of(w, "shop/web", "message"),
		"mode reader reads classes.example.com, which the API server does not have in /apis/example.com/v1: install its CRD"));
	then_up(w, "shop/PLAIN/plain-1");
}

SCENARIO(resources, whose_list_came_back_empty_are_not_believed_to_be_gone)
{
	given_reader(w, DOCUMENT("audit: {periodSeconds: 30}\n", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = INGRESSES, .times = 1000000, .action = FAKE_EMPTY });
	fake_kube_compact(w->kube);
	fake_kube_cut_watches(w->kube, "ingresses", true);
	within(w, 60000, !strcmp(ready_of(w, "shop/web", "reason"), "ResourceListEmpty"));
	pass_ms(w, 100000);
	assert_true(is_host_up(w, "one.example"));
	fake_kube_drop_rules(w->kube);
	within(w, 60000, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(resources, whose_list_came_back_empty_are_not_gone_because_an_event_shows_one)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	given_ingress(w, "shop", "two", "two.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example") && is_host_up(w, "two.example"));
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = INGRESSES, .times = 1000000, .action = FAKE_EMPTY });
	fake_kube_compact(w->kube);
	fake_kube_cut_watches(w->kube, "ingresses", true);
	within(w, 60000, !strcmp(ready_of(w, "shop/web", "reason"), "ResourceListEmpty"));
	fake_kube_drop_rules(w->kube);
	given_ingress(w, "shop", "three", "three.example");
	within(w, 5000, is_host_up(w, "three.example")); /* it is listed again */
	pass_ms(w, 20000);
	assert_true(is_host_up(w, "one.example") && is_host_up(w, "two.example"));
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

SCENARIO(resources, of_which_a_list_shows_less_than_half_are_held)
{
	static const char *const lost[] = { "one", "two", "three" };

	given_reader(w, DOCUMENT("", READS("ingresses")));
	for (int i = 0; i < 3; i++) {
		char host[32];

		snprintf(host, sizeof(host), "%s.example", lost[i]);
		given_ingress(w, "shop", lost[i], host);
	}
	given_ingress(w, "shop", "four", "four.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example") && is_host_up(w, "four.example"));
	fake_kube_cut_watches(w->kube, "ingresses", true);
	for (int i = 0; i < 3; i++)
		fake_kube_remove(w->kube, "ingresses", "shop", lost[i]);
	fake_kube_compact(w->kube);
	within(w, 20000, !strcmp(ready_of(w, "shop/web", "reason"), "DeletesHeld"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "only 1 ingresses.networking.k8s.io where there were 4"));
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
	for (int i = 0; i < 2; i++)
		given_ingress(w, "shop", lost[i], i ? "two.example" : "one.example");
	within(w, 20000, !is_host_up(w, "three.example")); /* three of four: what is gone is gone */
	assert_true(is_host_up(w, "one.example") && is_host_up(w, "two.example") && is_host_up(w, "four.example"));
}

SCENARIO(resources, whose_first_list_is_empty_are_not_believed_to_be_gone_before_the_next_one)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	when_killed(w);
	fake_kube_remove(w->kube, "ingresses", "shop", "one");
	when_launched(w);
	within(w, 4000, !strcmp(ready_of(w, "shop/web", "reason"), "ResourceListEmpty"));
	pass_ms(w, 1000);
	assert_true(is_host_up(w, "one.example"));
	within(w, 10000, !is_host_up(w, "one.example"));
}

SCENARIO(resources, of_which_there_are_none_hold_nothing_up)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
}

SCENARIO(resources, that_really_went_are_gone_when_an_event_says_so)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	fake_kube_delete(w->kube, "ingresses", "shop", "one");
	soon(w, !is_host_up(w, "one.example"));
}

SCENARIO(resources, that_are_too_big_to_be_shown_are_not_taken_for_gone)
{
	char *host = calloc(1, 70000);

	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	memset(host, 'a', 69999);
	given_ingress(w, "shop", "one", host);
	free(host);
	soon(w, !strcmp(ready_of(w, "shop/web", "message"),
		"mode reader reads ingresses.networking.k8s.io, of which one holds a text of more than 64 KiB; make it smaller"));
	assert_true(is_host_up(w, "one.example"));
	given_ingress(w, "shop", "one", "uno.example");
	soon(w, is_host_up(w, "uno.example") && !is_host_up(w, "one.example"));
}

/* ---- Names ---- */

SCENARIO(resources, keep_their_name_when_what_is_read_of_them_changes)
{
	given_reader(w, DOCUMENT("", READS("ingresses")));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	soon(w, is_host_up(w, "one.example"));
	when_config_changes(w, DOCUMENT("", READS("ingresses, more")));
	within(w, 10000, fake_kube_count(w->kube, "watch", "ingresses") >= 2);
	soon(w, strstr(page(w, "http://operator:8080/metrics"), "\neurekube_watch_synced{resource=\"ingresses.networking.k8s.io\"} 1\n"));
	assert_null(strstr(page(w, "http://operator:8080/metrics"), "ingresses.networking.k8s.io-2"));
	assert_int_equal(fake_kube_open_watches(w->kube, "ingresses"), 1);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_CANCEL), 0);
}

/* ---- Rollouts ---- */

SCENARIO(resources, of_a_second_version_are_waited_for_and_do_not_count_against_it)
{
	given_reader(w, DOCUMENT("", ", reader: {plugin: reader.so, options: {reads: []}}"));
	given_ingress(w, "shop", "one", "one.example");
	when_started(w);
	then_up(w, "shop/WEB/web-1");
	fake_kube_rule(w->kube, &(struct fake_rule){ .path = INGRESSES, .times = 1000000, .action = FAKE_HANG });
	when_config_changes(w, DOCUMENT("", ", reader: {plugin: reader.so, options: {reads: []}, rollout: {plugin: reader.so, stage: Canary, "
		"options: {reads: [pods, ingresses]}, select: [{percent: 100}], rollback: {failures: 1}}}"));
	within(w, 10000, !strcmp(ready_of(w, "shop/web", "reason"), "ResourceUnavailable"));
	pass_ms(w, 3000);
	assert_true(is_up(w, "shop/WEB/web-1"));
	assert_string_equal(status_of(w, "shop/web", "rollback"), "");
}

SCENARIO(pods, are_shown_only_to_the_version_that_reads_them)
{
	given_reader(w, DOCUMENT("", ", reader: {plugin: reader.so, options: {reads: [pods]}, rollout: {plugin: reader.so, stage: Canary, options: {reads: []}, "
		"select: [{percent: 100}]}}"));
	given_pod_object(w, "web-1", "7", "Running");
	when_started(w);
	soon(w, !strcmp(status_of(w, "shop/web", "modePlugin.channel"), "canary"));
	then_up(w, "shop/WEB/web-1");
	pass_ms(w, 3000);
	assert_string_equal(mark_of(w, "shop/WEB/web-1", "version"), "");
	when_config_changes(w, DOCUMENT("", READS("pods")));
	within(w, 10000, !strcmp(mark_of(w, "shop/WEB/web-1", "version"), "7"));
}

int main(void)
{
	return world_run_scenarios();
}
