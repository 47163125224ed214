/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode pod against every must of mode.h. Which port an endpoint gets is the SDK's (tests/unit/test_pick_ports.c); here it only has to be asked.
 * Next: plugins/pod/pod.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <eurekube/mode.h>

#define MAX_EMITTED 8

const struct ek_plugin *ek_plugin_entry_v0_pod(void);

static const struct ek_mode_ops *ops(void)
{
	return ek_plugin_entry_v0_pod()->ops;
}

/* ---- A sink that remembers ---------------------------------------------------------------------------------------------------------------------------------- */

struct recorder {
	struct ek_sink sink; /* first */
	struct ek_instance emitted[MAX_EMITTED];
	uint32_t n, fails_at; /* the n-th emit fails, counted from 1; 0 none */
};

static int emit(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err)
{
	struct recorder *recorder = (struct recorder *)sink;

	assert_int_equal(instance->size, sizeof(*instance));
	assert_true(recorder->n < MAX_EMITTED);
	recorder->emitted[recorder->n++] = *instance;
	if (recorder->fails_at == recorder->n)
		return ek_fail_reason(err, EK_TOO_BIG, "TooMany", "no more");
	return EK_OK;
}

static struct recorder a_recorder(void)
{
	return (struct recorder){ .sink = { .size = sizeof(struct ek_sink), .emit = emit } };
}

/* ---- A part of a cluster ------------------------------------------------------------------------------------------------------------------------------------ */

static const struct ek_port http = { .size = sizeof(http), .number = 8080, .name = "http", .protocol = "TCP" };
static const struct ek_port *const ports[] = { &http };
static const struct ek_service_port http_port = {
	.size = sizeof(http_port), .port = 80, .target_name = "http", .name = "http", .protocol = "TCP",
};
static const struct ek_service_port *const service_ports[] = { &http_port };

static const struct ek_endpoint ready = {
	.size = sizeof(ready), .flags = EK_ENDPOINT_READY | EK_ENDPOINT_SERVING, .address = "10.0.0.1", .pod_name = "rating-1", .pod_uid = "u1",
	.node_name = "node-a", .zone = "zone-a", .ports = ports, .n_ports = 1, .ip_family = 4,
};
static const struct ek_endpoint terminating = {
	.size = sizeof(terminating), .flags = EK_ENDPOINT_SERVING | EK_ENDPOINT_TERMINATING, .address = "10.0.0.2", .pod_name = "rating-2",
	.ports = ports, .n_ports = 1, .ip_family = 4,
};
static const struct ek_endpoint bare = { .size = sizeof(bare), .address = "10.0.0.3", .ports = ports, .n_ports = 1, .ip_family = 4 };
static const struct ek_endpoint portless = { .size = sizeof(portless), .address = "10.0.0.4", .pod_name = "rating-4", .ip_family = 4 };
static const struct ek_endpoint *const endpoints[] = { &ready, &terminating, &bare, &portless };

static const struct ek_service rating = {
	.size = sizeof(rating), .type = EK_SERVICE_CLUSTER_IP, .namespace_ = "rating", .name = "rating", .uid = "s1", .n_ports = 1,
	.ports = service_ports, .n_endpoints = 4, .endpoints = endpoints,
};
static const struct ek_service other = {
	.size = sizeof(other), .type = EK_SERVICE_NODE_PORT, .namespace_ = "rating", .name = "other", .uid = "s2", .n_ports = 1,
	.ports = service_ports, .n_endpoints = 1, .endpoints = endpoints,
};

static const struct ek_syncer syncer = { .size = sizeof(syncer), .namespace_ = "rating", .name = "rating", .uid = "y1" };

static int ask(const struct ek_service *const *services, uint32_t n, struct recorder *recorder, struct ek_error *err)
{
	const struct ek_cluster cluster = { .size = sizeof(cluster), .n_services = n, .services = services };

	return ops()->desired(NULL, &syncer, &cluster, &recorder->sink, err);
}

static int ask_one(const struct ek_service *service, struct recorder *recorder, struct ek_error *err)
{
	return ask(&service, 1, recorder, err);
}

/* ---- Cases -------------------------------------------------------------------------------------------------------------------------------------------------- */

static void the_descriptor_says_what_it_is(void **state)
{
	const struct ek_plugin *plugin = ek_plugin_entry_v0_pod();

	assert_int_equal(plugin->kind, EK_PLUGIN_MODE);
	assert_string_equal(plugin->name, "pod");
	assert_int_equal(ops()->flags, EK_MODE_PER_ENDPOINT);
	assert_int_equal(ops()->reads, EK_READS_SERVICES | EK_READS_ENDPOINTS);
	assert_null(ops()->create);
	assert_null(ops()->destroy);
}

static void an_endpoint_becomes_an_instance_at_its_own_address(void **state)
{
	struct recorder recorder = a_recorder();
	const struct ek_instance *first = &recorder.emitted[0];

	assert_int_equal(ask_one(&rating, &recorder, NULL), EK_OK);
	assert_string_equal(first->name, "rating-1");
	assert_string_equal(first->address, "10.0.0.1");
	assert_string_equal(first->zone, "zone-a");
	assert_string_equal(first->node_name, "node-a");
	assert_int_equal(first->port, 8080);
	assert_ptr_equal(first->source, &ready);
	assert_ptr_equal(first->source_service, &rating);
}

static void what_is_the_hosts_is_left_to_it(void **state)
{
	struct recorder recorder = a_recorder();

	assert_int_equal(ask_one(&rating, &recorder, NULL), EK_OK);
	for (uint32_t i = 0; i < recorder.n; i++) {
		assert_int_equal(recorder.emitted[i].status, EK_STATUS_NONE);
		assert_null(recorder.emitted[i].id);
		assert_null(recorder.emitted[i].owner);
		assert_null(recorder.emitted[i].application);
		assert_null(recorder.emitted[i].vip_address);
		assert_int_equal(recorder.emitted[i].n_metadata, 0);
		assert_int_equal(recorder.emitted[i].lease_seconds, 0);
	}
}

static void each_endpoint_is_emitted_whatever_its_conditions(void **state)
{
	struct recorder recorder = a_recorder();

	assert_int_equal(ask_one(&rating, &recorder, NULL), EK_OK);
	assert_int_equal(recorder.n, 3);
	assert_string_equal(recorder.emitted[1].name, "rating-2");
}

static void an_endpoint_without_a_pod_is_named_by_its_address(void **state)
{
	struct recorder recorder = a_recorder();

	assert_int_equal(ask_one(&rating, &recorder, NULL), EK_OK);
	assert_string_equal(recorder.emitted[2].name, "10.0.0.3");
	assert_null(recorder.emitted[2].zone);
}

static void an_endpoint_whose_slice_lists_no_port_is_skipped(void **state)
{
	struct recorder recorder = a_recorder();

	assert_int_equal(ask_one(&rating, &recorder, NULL), EK_OK);
	for (uint32_t i = 0; i < recorder.n; i++)
		assert_string_not_equal(recorder.emitted[i].name, "rating-4");
}

static void all_services_are_served(void **state)
{
	const struct ek_service *both[] = { &other, &rating };
	struct recorder recorder = a_recorder();

	assert_int_equal(ask(both, 2, &recorder, NULL), EK_OK);
	assert_int_equal(recorder.n, 4);
	assert_ptr_equal(recorder.emitted[0].source_service, &other);
}

static void without_services_or_endpoints_there_is_nothing(void **state)
{
	struct ek_service empty = rating;
	struct recorder recorder = a_recorder();

	empty.n_endpoints = 0;
	empty.endpoints = NULL;
	assert_int_equal(ask(NULL, 0, &recorder, NULL), EK_OK);
	assert_int_equal(ask_one(&empty, &recorder, NULL), EK_OK);
	assert_int_equal(recorder.n, 0);
}

static void an_external_name_is_refused_with_advice(void **state)
{
	struct ek_service external = { .size = sizeof(external), .type = EK_SERVICE_EXTERNAL_NAME, .namespace_ = "rating", .name = "ext", .uid = "s3",
		.external_name = "db.example.com" };
	struct recorder recorder = a_recorder();
	struct ek_error err = EK_ERROR_INIT;

	assert_int_equal(ask_one(&external, &recorder, &err), EK_INVALID);
	assert_string_equal(err.reason, "NoEndpoints");
	assert_non_null(strstr(err.message, "rating/ext"));
	assert_non_null(strstr(err.message, "select another Service"));
}

static void a_port_that_is_not_there_is_refused_with_the_ports_that_are(void **state)
{
	struct ek_syncer wishful = syncer;
	const struct ek_service *services[] = { &rating };
	const struct ek_cluster cluster = { .size = sizeof(cluster), .n_services = 1, .services = services };
	struct recorder recorder = a_recorder();
	struct ek_error err = EK_ERROR_INIT;

	wishful.port_name = "grpc";
	assert_int_equal(ops()->desired(NULL, &wishful, &cluster, &recorder.sink, &err), EK_INVALID);
	assert_string_equal(err.reason, "PortNotFound");
	assert_non_null(strstr(err.message, "http"));
}

static void a_refusal_of_the_sink_ends_it_at_once(void **state)
{
	struct recorder recorder = a_recorder();
	struct ek_error err = EK_ERROR_INIT;

	recorder.fails_at = 2;
	assert_int_equal(ask_one(&rating, &recorder, &err), EK_TOO_BIG);
	assert_int_equal(recorder.n, 2);
	assert_string_equal(err.reason, "TooMany");
	assert_string_equal(err.message, "no more");
}

static void the_same_question_has_the_same_answer(void **state)
{
	struct recorder first = a_recorder(), second = a_recorder(), refused = a_recorder();

	refused.fails_at = 1;
	assert_int_equal(ask_one(&rating, &first, NULL), EK_OK);
	assert_int_equal(ask_one(&other, &refused, NULL), EK_TOO_BIG); /* leaves no trace */
	assert_int_equal(ask_one(&rating, &second, NULL), EK_OK);
	assert_int_equal(first.n, second.n);
	assert_memory_equal(first.emitted, second.emitted, first.n * sizeof(first.emitted[0]));
}

/* EK_MODE_PER_ENDPOINT is a promise. */
static void an_endpoint_gets_the_same_instance_alone_as_among_others(void **state)
{
	struct recorder whole = a_recorder();

	assert_int_equal(ask_one(&rating, &whole, NULL), EK_OK);
	for (uint32_t i = 0; i < 3; i++) {
		struct ek_service alone = rating;
		struct recorder single = a_recorder();

		alone.n_endpoints = 1;
		alone.endpoints = &endpoints[i];
		assert_int_equal(ask_one(&alone, &single, NULL), EK_OK);
		assert_int_equal(single.n, 1);
		single.emitted[0].source_service = &rating;
		assert_memory_equal(&single.emitted[0], &whole.emitted[i], sizeof(whole.emitted[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_descriptor_says_what_it_is),
		cmocka_unit_test(an_endpoint_becomes_an_instance_at_its_own_address),
		cmocka_unit_test(what_is_the_hosts_is_left_to_it),
		cmocka_unit_test(each_endpoint_is_emitted_whatever_its_conditions),
		cmocka_unit_test(an_endpoint_without_a_pod_is_named_by_its_address),
		cmocka_unit_test(an_endpoint_whose_slice_lists_no_port_is_skipped),
		cmocka_unit_test(all_services_are_served),
		cmocka_unit_test(without_services_or_endpoints_there_is_nothing),
		cmocka_unit_test(an_external_name_is_refused_with_advice),
		cmocka_unit_test(a_port_that_is_not_there_is_refused_with_the_ports_that_are),
		cmocka_unit_test(a_refusal_of_the_sink_ends_it_at_once),
		cmocka_unit_test(the_same_question_has_the_same_answer),
		cmocka_unit_test(an_endpoint_gets_the_same_instance_alone_as_among_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
