/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the API's JSON becomes records: defaults, keys in any order, texts that are given back to the pool.
 * It does not test what the store makes of them. Next: host/kube/resources.h.
 */
#include "kube/resources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ek_intern *pool;

static int set_up(void **state)
{
	pool = ek_intern_new();
	return 0;
}

/* Whatever was read and freed owes nothing to the pool. */
static int tear_down(void **state)
{
	size_t n = ek_intern_count(pool);

	ek_intern_free(pool);
	return n == 0 ? 0 : -1;
}

static struct ek_slice slice_of(const char *text)
{
	return (struct ek_slice){ text, strlen(text) };
}

static struct ek_record_slice *read_slice(const char *text)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_record_slice *slice = NULL;

	if (ek_read_slice(slice_of(text), pool, &slice, &err) != EK_OK)
		fail_msg("%s: %s", text, err.message);
	return slice;
}

static struct ek_record_service *read_service(const char *text)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_record_service *service = NULL;

	if (ek_read_service(slice_of(text), pool, &service, &err) != EK_OK)
		fail_msg("%s: %s", text, err.message);
	return service;
}

/* ---- Identity ---- */

static void an_objects_identity_is_read_without_the_rest(void **state)
{
	struct ek_object_meta meta;
	const char *text = "{\"kind\":\"X\",\"spec\":{\"metadata\":{\"name\":\"no\"}},\"metadata\":{\"labels\":{\"name\":\"no\"},\"name\":\"web\","
			   "\"namespace\":\"shop\",\"uid\":\"u-1\",\"resourceVersion\":\"42\",\"deletionTimestamp\":\"2024-01-01T00:00:00Z\"}}";

	assert_int_equal(ek_read_object_meta(slice_of(text), &meta, NULL), EK_OK);
	assert_string_equal(meta.namespace_, "shop");
	assert_string_equal(meta.name, "web");
	assert_string_equal(meta.uid, "u-1");
	assert_string_equal(meta.resource_version, "42");
	assert_true(meta.is_deleting);
	assert_int_equal(ek_read_object_meta(slice_of("{\"metadata\":{\"name\":\"n\",\"deletionTimestamp\":null}}"), &meta, NULL), EK_OK);
	assert_false(meta.is_deleting);
	assert_string_equal(meta.namespace_, "");
	assert_int_equal(ek_read_object_meta(slice_of("{\"metadata\":{\"namespace\":\"n\"}}"), &meta, NULL), EK_INVALID);
	assert_int_equal(ek_read_object_meta(slice_of("{\"metadata\":null}"), &meta, NULL), EK_INVALID);
	assert_int_equal(ek_read_object_meta(slice_of("[]"), &meta, NULL), EK_INVALID);
}

/* ---- Slices ---- */

#define META "\"metadata\":{\"name\":\"web-1\",\"namespace\":\"shop\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}}"

static void a_slice_of_a_real_controller_is_read(void **state)
{
	char uid[EK_UID_TEXT];
	struct ek_record_slice *slice = read_slice(
		"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"metadata\":{\"name\":\"rating-x2x8k\",\"generateName\":\"rating-\","
		"\"namespace\":\"rating\",\"uid\":\"5f0c\",\"resourceVersion\":\"512\",\"generation\":3,\"labels\":{\"app\":\"rating\","
		"\"endpointslice.kubernetes.io/managed-by\":\"endpointslice-controller.k8s.io\",\"kubernetes.io/service-name\":\"rating\"},"
		"\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"2024-05-06T07:08:09Z\"},\"ownerReferences\":[{\"kind\":\"Service\"}]},"
		"\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":true,\"serving\":true,\"terminating\":false},"
		"\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"rating\",\"name\":\"rating-7d4b-abcde\",\"uid\":\"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\"},"
		"\"nodeName\":\"node-1\",\"zone\":\"zone-a\"},{\"addresses\":[\"10.0.0.2\"],\"conditions\":{\"ready\":false,\"serving\":true,\"terminating\":true},"
		"\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"rating\",\"name\":\"rating-7d4b-fghij\",\"uid\":\"not-a-uuid\"},\"nodeName\":\"node-1\"}],"
		"\"ports\":[{\"name\":\"http\",\"port\":8080,\"protocol\":\"TCP\",\"appProtocol\":\"http\"}]}");
	const struct ek_record_endpoint *e = slice->endpoints;

	assert_string_equal(slice->namespace_, "rating");
	assert_string_equal(slice->name, "rating-x2x8k");
	assert_string_equal(slice->service, "rating");
	assert_true(slice->trigger_wall_ms == 1714979289000);
	assert_int_equal(slice->n_endpoints, 2);
	assert_int_equal(e[0].family, 4);
	assert_memory_equal(e[0].address, "\x0a\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(e[0].flags, EK_ENDPOINT_READY | EK_ENDPOINT_SERVING);
	assert_true(e[0].has_pod && e[0].has_binary_uid);
	assert_string_equal(slice->texts + e[0].pod_name, "rating-7d4b-abcde");
	assert_string_equal(ek_record_pod_uid(slice, &e[0], uid), "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
	assert_string_equal(e[0].node_name, "node-1");
	assert_string_equal(e[0].zone, "zone-a");
	assert_int_equal(e[0].hostname, 0);
	assert_int_equal(e[1].flags, EK_ENDPOINT_SERVING | EK_ENDPOINT_TERMINATING);
	assert_string_equal(ek_record_pod_uid(slice, &e[1], uid), "not-a-uuid");
	assert_ptr_equal(e[1].node_name, e[0].node_name);
	assert_null(e[1].zone);
	assert_int_equal(slice->n_ports, 1);
	assert_string_equal(slice->ports[0].name, "http");
	assert_string_equal(slice->ports[0].app_protocol, "http");
	assert_int_equal(slice->ports[0].number, 8080);
	ek_record_slice_free(slice, pool);
}

static void conditions_that_are_left_out_have_their_defaults(void **state)
{
	static const struct {
		const char *conditions;
		int flags;
	} cases[] = {
		{ "", EK_ENDPOINT_READY | EK_ENDPOINT_SERVING },
		{ ",\"conditions\":null", EK_ENDPOINT_READY | EK_ENDPOINT_SERVING },
		{ ",\"conditions\":{}", EK_ENDPOINT_READY | EK_ENDPOINT_SERVING },
		{ ",\"conditions\":{\"ready\":null,\"serving\":null,\"terminating\":null}", EK_ENDPOINT_READY | EK_ENDPOINT_SERVING },
		{ ",\"conditions\":{\"ready\":false}", EK_ENDPOINT_SERVING },
		{ ",\"conditions\":{\"ready\":false,\"serving\":false}", 0 },
		{ ",\"conditions\":{\"terminating\":true,\"serving\":false,\"ready\":false}", EK_ENDPOINT_TERMINATING },
		{ ",\"conditions\":{\"terminating\":true}", EK_ENDPOINT_READY | EK_ENDPOINT_SERVING | EK_ENDPOINT_TERMINATING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_record_slice *slice;
		char text[400];

		snprintf(text, sizeof(text), "{" META ",\"endpoints\":[{\"addresses\":[\"10.0.0.1\"]%s}]}", cases[i].conditions);
		slice = read_slice(text);
		assert_int_equal(slice->endpoints[0].flags, cases[i].flags);
		ek_record_slice_free(slice, pool);
	}
}

static void only_a_pod_of_the_slices_namespace_stands_behind_an_endpoint(void **state)
{
	static const struct {
		const char *target;
		bool has_pod;
	} cases[] = {
		{ "{\"kind\":\"Pod\",\"namespace\":\"shop\",\"name\":\"p\",\"uid\":\"u\"}", true },
		{ "{\"name\":\"p\",\"kind\":\"Pod\"}", true },
		{ "{\"kind\":\"Pod\",\"namespace\":\"bank\",\"name\":\"p\",\"uid\":\"u\"}", false },
		{ "{\"kind\":\"Node\",\"namespace\":\"shop\",\"name\":\"p\"}", false },
		{ "{\"namespace\":\"shop\",\"name\":\"p\"}", false },
		{ "{\"kind\":\"Pod\",\"namespace\":\"shop\"}", false },
		{ "null", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int is_late = 0; is_late < 2; is_late++) {
			char uid[EK_UID_TEXT], text[500];
			struct ek_record_slice *slice;

			snprintf(text, sizeof(text), "{%s\"endpoints\":[{\"targetRef\":%s,\"addresses\":[\"10.0.0.1\"]}]%s}", is_late ? "" : META ",",
				cases[i].target, is_late ? "," META : "");
			slice = read_slice(text);
			assert_int_equal(slice->endpoints[0].has_pod, cases[i].has_pod);
			assert_int_equal(slice->endpoints[0].pod_name != 0, cases[i].has_pod);
			assert_int_equal(ek_record_pod_uid(slice, &slice->endpoints[0], uid) != NULL, i == 0);
			ek_record_slice_free(slice, pool);
		}
}

static void only_addresses_are_addresses(void **state)
{
	static const struct {
		const char *addresses;
		int family; /* 0: the endpoint is left out */
	} cases[] = {
		{ "[\"10.0.0.1\"]", 4 }, { "[\"10.0.0.1\",\"x\"]", 4 }, { "[\"fd00::1\"]", 6 }, { "[\"::ffff:1.2.3.4\"]", 6 }, { "[\"web.example.com\"]", 0 },
		{ "[\"\"]", 0 }, { "[]", 0 }, { "null", 0 }, { "[\"10.0.0\"]", 0 }, { "[\"10.0.0.256\"]", 0 }, { "[\"010.0.0.1\"]", 0 }, { "[\"10.0.0.1 \"]", 0 },
		{ "[\"fe80::1%eth0\"]", 0 }, { "[\"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000\"]", 0 }, { "[null]", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_record_slice *slice;
		char text[400];

		snprintf(text, sizeof(text), "{" META ",\"endpoints\":[{\"nodeName\":\"n\",\"zone\":\"z\",\"addresses\":%s},{\"addresses\":[\"10.0.0.9\"]}]}",
			cases[i].addresses);
		slice = read_slice(text);
		if (slice->n_endpoints != (cases[i].family ? 2 : 1) || (cases[i].family && slice->endpoints[0].family != cases[i].family))
			fail_msg("%s gives %u endpoints of family %u", cases[i].addresses, slice->n_endpoints, slice->endpoints[0].family);
		ek_record_slice_free(slice, pool);
	}
}

static void a_slice_of_names_has_no_endpoints(void **state)
{
	struct ek_record_slice *slice = read_slice("{\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"nodeName\":\"n\"}],\"addressType\":\"FQDN\"," META "}");

	assert_int_equal(slice->n_endpoints, 0);
	ek_record_slice_free(slice, pool);
}

static void null_arrays_are_empty_and_a_missing_label_is_no_service(void **state)
{
	struct ek_record_slice *slice = read_slice("{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\",\"labels\":null},\"endpoints\":null,\"ports\":null}");

	assert_null(slice->service);
	assert_int_equal(slice->n_endpoints + slice->n_ports, 0);
	assert_true(slice->trigger_wall_ms == 0);
	ek_record_slice_free(slice, pool);
}

static void the_trigger_time_is_read_or_unknown(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1970-01-01T00:00:01Z", 1000 }, { "2024-02-29T23:59:59Z", 1709251199000 }, { "2024-02-29T23:59:59.5Z", 1709251199500 },
		{ "2024-02-29T23:59:59.123456789Z", 1709251199123 }, { "2024-03-01T08:59:59+09:00", 1709251199000 }, { "2024-02-29T18:29:59-05:30", 1709251199000 },
		{ "", 0 }, { "yesterday", 0 }, { "2024-02-29 23:59:59Z", 0 }, { "2024-02-29T23:59:59", 0 }, { "2024-02-29T23:59:59X", 0 },
		{ "2024-02-29T23:59Z", 0 }, { "20x4-02-29T23:59:59Z", 0 }, { "2024-02-29T23:59:59+0900", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_record_slice *slice;
		char text[400];

		snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\",\"annotations\":{"
					     "\"endpoints.kubernetes.io/last-change-trigger-time\":\"%s\"}}}", cases[i].text);
		slice = read_slice(text);
		if (slice->trigger_wall_ms != cases[i].ms)
			fail_msg("%s is %lld", cases[i].text, (long long)slice->trigger_wall_ms);
		ek_record_slice_free(slice, pool);
	}
}

static void slices_are_equal_where_all_but_the_trigger_time_is(void **state)
{
	static const char base[] = "{" META ",\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"zone\":\"z\",\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\"}}],"
				   "\"ports\":[{\"name\":\"http\",\"port\":80}]}";
	static const struct {
		const char *from, *to;
		bool is_equal;
	} cases[] = {
		{ "\"zone\"", "\"zone\"", true }, { "\"z\"", "\"y\"", false }, { "10.0.0.1", "10.0.0.2", false }, { "\"p\"", "\"q\"", false },
		{ "\"u\"", "\"v\"", false }, { "80", "81", false }, { "\"http\"", "\"httq\"", false }, { "\"web\"", "\"wec\"", false },
		{ "\"zone\"", "\"host\"", false }, { "\"port\"", "\"pord\"", false },
	};
	struct ek_record_slice *a = read_slice(base);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_record_slice *b;
		char text[400];

		snprintf(text, sizeof(text), "%s", base);
		memcpy(strstr(text, cases[i].from), cases[i].to, strlen(cases[i].to));
		b = read_slice(text);
		b->trigger_wall_ms = 1;
		if (ek_record_slice_equals(a, b) != cases[i].is_equal)
			fail_msg("%s and %s", base, text);
		ek_record_slice_free(b, pool);
	}
	ek_record_slice_free(a, pool);
}

/* ---- Services ---- */

static void a_service_is_read_whole(void **state)
{
	struct ek_record_service *s = read_service(
		"{\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u-1\",\"labels\":{\"tier\":\"\",\"app\":\"web\"}},"
		"\"spec\":{\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":8080,\"nodePort\":30080},"
		"{\"name\":\"dns\",\"protocol\":\"UDP\",\"port\":53,\"targetPort\":\"dns-port\"}],\"clusterIP\":\"10.1.0.1\",\"clusterIPs\":[\"10.1.0.1\",\"fd01::1\"],"
		"\"type\":\"LoadBalancer\",\"externalTrafficPolicy\":\"Local\"},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"1.2.3.4\"},"
		"{\"hostname\":\"lb.example.com\",\"ip\":null}]}}}");

	assert_string_equal(s->namespace_, "shop");
	assert_string_equal(s->name, "web");
	assert_string_equal(s->uid, "u-1");
	assert_int_equal(s->type, EK_SERVICE_LOAD_BALANCER);
	assert_int_equal(s->flags, EK_SERVICE_LOCAL_TRAFFIC);
	assert_null(s->external_name);
	assert_int_equal(s->n_cluster_ips, 2);
	assert_string_equal(s->cluster_ips[0], "10.1.0.1");
	assert_string_equal(s->cluster_ips[1], "fd01::1");
	assert_int_equal(s->n_labels, 2);
	assert_string_equal(s->labels[0].key, "app");
	assert_string_equal(s->labels[0].value, "web");
	assert_string_equal(s->labels[1].key, "tier");
	assert_string_equal(s->labels[1].value, "");
	assert_int_equal(s->n_ports, 2);
	assert_string_equal(s->ports[0].name, "http");
	assert_int_equal(s->ports[0].target_port, 8080);
	assert_int_equal(s->ports[0].node_port, 30080);
	assert_null(s->ports[0].target_name);
	assert_string_equal(s->ports[1].protocol, "UDP");
	assert_string_equal(s->ports[1].target_name, "dns-port");
	assert_int_equal(s->ports[1].target_port, 0);
	assert_int_equal(s->n_ingress, 2);
	assert_string_equal(s->ingress[0].ip, "1.2.3.4");
	assert_null(s->ingress[0].hostname);
	assert_string_equal(s->ingress[1].hostname, "lb.example.com");
	assert_null(s->ingress[1].ip);
	ek_record_service_free(s, pool);
}

static void what_a_service_leaves_out_has_its_default(void **state)
{
	struct ek_record_service *s = read_service("{\"spec\":{\"ports\":[{\"port\":80}],\"clusterIP\":\"10.1.0.1\"},\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"}}");

	assert_string_equal(s->uid, "");
	assert_int_equal(s->type, EK_SERVICE_CLUSTER_IP);
	assert_int_equal(s->flags, 0);
	assert_int_equal(s->n_cluster_ips, 1);
	assert_string_equal(s->ports[0].name, "");
	assert_string_equal(s->ports[0].protocol, "TCP");
	assert_int_equal(s->ports[0].target_port, 80);
	assert_int_equal(s->n_labels + s->n_ingress, 0);
	ek_record_service_free(s, pool);
}

static void headless_and_external_services_are_known_as_such(void **state)
{
	struct ek_record_service *s = read_service("{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"]}}");

	assert_int_equal(s->flags, EK_SERVICE_HEADLESS);
	assert_int_equal(s->n_cluster_ips, 0);
	ek_record_service_free(s, pool);
	s = read_service("{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"db.example.com\",\"clusterIP\":\"\"}}");
	assert_int_equal(s->type, EK_SERVICE_EXTERNAL_NAME);
	assert_string_equal(s->external_name, "db.example.com");
	assert_int_equal(s->n_cluster_ips, 0);
	ek_record_service_free(s, pool);
}

static void services_are_equal_where_all_is(void **state)
{
	static const char base[] = "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"type\":\"NodePort\","
				   "\"ports\":[{\"port\":80,\"targetPort\":\"t\"}],\"clusterIPs\":[\"10.1.0.1\"],\"externalName\":\"x\"},"
				   "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"1.2.3.4\"}]}}}";
	static const struct {
		const char *from, *to;
		bool is_equal;
	} cases[] = {
		{ "\"web\"", "\"web\"", true }, { "\"web\"", "\"wed\"", false }, { "\"u\"", "\"v\"", false }, { "\"a\"", "\"c\"", false }, { "\"b\"", "\"c\"", false },
		{ "NodePort", "NodePorc", false }, { "80", "81", false }, { "\"t\"", "\"s\"", false }, { "10.1.0.1", "10.1.0.2", false }, { "\"x\"", "\"y\"", false },
		{ "1.2.3.4", "1.2.3.5", false }, { "\"ip\"", "\"iq\"", false }, { "\"labels\"", "\"labelz\"", false }, { "\"ports\"", "\"portz\"", false },
	};
	struct ek_record_service *a = read_service(base);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_record_service *b;
		char text[400];

		snprintf(text, sizeof(text), "%s", base);
		memcpy(strstr(text, cases[i].from), cases[i].to, strlen(cases[i].to));
		b = read_service(text);
		if (ek_record_service_equals(a, b) != cases[i].is_equal)
			fail_msg("%s and %s", base, text);
		ek_record_service_free(b, pool);
	}
	ek_record_service_free(a, pool);
}

/* ---- Faults ---- */

static const char whole_slice[] = "{" META ",\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"nodeName\":\"n\",\"zone\":\"z\",\"hostname\":\"h\",\"targetRef\":"
				  "{\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"u\"}}],\"ports\":[{\"name\":\"http\",\"appProtocol\":\"x\",\"port\":80}]}";
static const char whole_service[] = "{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u\",\"labels\":{\"a\":\"b\",\"c\":\"d\"}},\"spec\":{"
				    "\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":\"t\"}],\"clusterIPs\":[\"10.1.0.1\"]}}";

/* That nothing is owed to the pool afterwards is asserted by tear_down. */
static void a_document_cut_short_leaves_nothing_behind(void **state)
{
	struct ek_record_service *service = NULL;
	struct ek_record_slice *slice = NULL;

	for (size_t n = 0; n < sizeof(whole_slice) - 1; n++)
		assert_int_equal(ek_read_slice((struct ek_slice){ whole_slice, n }, pool, &slice, NULL), EK_INVALID);
	for (size_t n = 0; n < sizeof(whole_service) - 1; n++)
		assert_int_equal(ek_read_service((struct ek_slice){ whole_service, n }, pool, &service, NULL), EK_INVALID);
	ek_record_slice_free(read_slice(whole_slice), pool);
	ek_record_service_free(read_service(whole_service), pool);
}

static void a_document_of_another_shape_is_refused(void **state)
{
	static const char *const slices[] = {
		"{}", "null", "{\"metadata\":{\"name\":\"s\"}}", "{\"metadata\":{\"namespace\":\"s\"}}", "{" META ",\"endpoints\":{}}", "{" META ",\"endpoints\":[7]}",
		"{" META ",\"ports\":[[]]}", "{" META ",\"ports\":[{\"port\":1.5}]}", "{" META ",\"endpoints\":[{\"conditions\":{\"ready\":\"perhaps\"}}]}",
		"{\"endpoints\":[7]," META "}",
	};
	static const char *const services[] = {
		"{}", "[]", "{\"metadata\":{\"name\":\"s\"}}", "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\",\"labels\":{\"a\":{}}}}",
		"{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"ports\":[{\"port\":\"x\"}]}}",
	};
	struct ek_record_service *service = NULL;
	struct ek_record_slice *slice = NULL;

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
		assert_int_equal(ek_read_slice(slice_of(slices[i]), pool, &slice, NULL), EK_INVALID);
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		assert_int_equal(ek_read_service(slice_of(services[i]), pool, &service, NULL), EK_INVALID);
	assert_null(slice);
	assert_null(service);
}

static void a_key_that_comes_twice_counts_the_last_time(void **state)
{
	struct ek_record_slice *slice = read_slice("{\"metadata\":{\"name\":\"a\",\"namespace\":\"x\",\"name\":\"b\",\"namespace\":\"y\"},\"ports\":[{\"name\":\"p\",\"name\":\"q\"}]}");

	assert_string_equal(slice->name, "b");
	assert_string_equal(slice->namespace_, "y");
	assert_string_equal(slice->ports[0].name, "q");
	ek_record_slice_free(slice, pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_objects_identity_is_read_without_the_rest),
		TEST(a_slice_of_a_real_controller_is_read),
		TEST(conditions_that_are_left_out_have_their_defaults),
		TEST(only_a_pod_of_the_slices_namespace_stands_behind_an_endpoint),
		TEST(only_addresses_are_addresses),
		TEST(a_slice_of_names_has_no_endpoints),
		TEST(null_arrays_are_empty_and_a_missing_label_is_no_service),
		TEST(the_trigger_time_is_read_or_unknown),
		TEST(slices_are_equal_where_all_but_the_trigger_time_is),
		TEST(a_service_is_read_whole),
		TEST(what_a_service_leaves_out_has_its_default),
		TEST(headless_and_external_services_are_known_as_such),
		TEST(services_are_equal_where_all_is),
		TEST(a_document_cut_short_leaves_nothing_behind),
		TEST(a_document_of_another_shape_is_refused),
		TEST(a_key_that_comes_twice_counts_the_last_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
