/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an EurekaSyncer: every field, the defaults, what no schema would have let through, and what this version does not serve.
 * It does not evaluate one: tests/scenario does.
 * Read next: host/sync/syncer.c.
 */
#include "sync/syncer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IDENTITY "\"metadata\":{\"name\":\"rating\",\"namespace\":\"shop\",\"uid\":\"u-1\"}"

static struct ek_syncer_object *read_ok(const char *json)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_syncer_object *object = NULL;

	if (ek_syncer_object_read((struct ek_slice){ json, strlen(json) }, &object, &err) != EK_OK)
		fail_msg("%s: %s", json, err.message);
	return object;
}

static struct ek_syncer_object *with_spec(const char *spec)
{
	char json[4096];

	snprintf(json, sizeof(json), "{" IDENTITY ",\"spec\":{%s}}", spec);
	return read_ok(json);
}

static void every_served_field_is_read(void **state)
{
	struct ek_syncer_object *object = read_ok(
		"{\"apiVersion\":\"eurekube.io/v1alpha1\",\"kind\":\"EurekaSyncer\",\"metadata\":{\"name\":\"rating\",\"namespace\":\"shop\","
		"\"uid\":\"u-1\",\"resourceVersion\":\"42\",\"generation\":3,\"creationTimestamp\":\"2024-05-01T10:00:00Z\","
		"\"labels\":{\"a\":\"b\"},\"finalizers\":[\"x.io/one\",\"eurekube.io/deregister\"]},"
		"\"spec\":{\"mode\":\"pod\",\"selector\":{\"namespace\":\"other\",\"app\":\"rating\",\"serviceName\":\"rating-svc\","
		"\"matchLabels\":{\"z\":\"1\",\"a\":\"2\"},\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":[\"x\",\"y\"]},"
		"{\"key\":\"old\",\"operator\":\"DoesNotExist\"}]},\"port\":\"http\",\"registry\":\"main\",\"application\":\"Rating\","
		"\"instance\":{\"vipAddress\":\"rating-vip\",\"metadata\":{\"version\":\"3\",\"color\":\"\"}},"
		"\"deletionPolicy\":\"Orphan\",\"suspend\":true}}");

	assert_string_equal(object->name, "rating");
	assert_string_equal(object->namespace_, "shop");
	assert_string_equal(object->uid, "u-1");
	assert_string_equal(object->resource_version, "42");
	assert_string_equal(object->created, "2024-05-01T10:00:00Z");
	assert_int_equal(object->generation, 3);
	assert_int_equal(object->n_finalizers, 2);
	assert_true(ek_syncer_object_has_finalizer(object));
	assert_false(object->is_deleting);
	assert_string_equal(object->mode, "pod");
	assert_string_equal(object->selector.namespace_, "other");
	assert_string_equal(object->selector.app, "rating");
	assert_string_equal(object->selector.service_name, "rating-svc");
	assert_int_equal(object->selector.n_labels, 2);
	assert_string_equal(object->selector.labels[0].key, "a"); /* sorted */
	assert_string_equal(object->selector.labels[1].value, "1");
	assert_int_equal(object->selector.n_terms, 2);
	assert_int_equal(object->selector.terms[0].op, EK_SELECTOR_NOT_IN);
	assert_int_equal(object->selector.terms[0].n_values, 2);
	assert_string_equal(object->selector.terms[0].values[1], "y");
	assert_int_equal(object->selector.terms[1].op, EK_SELECTOR_DOES_NOT_EXIST);
	assert_string_equal(object->port.name, "http");
	assert_int_equal(object->port.number, 0);
	assert_string_equal(object->registry, "main");
	assert_string_equal(object->application, "Rating");
	assert_string_equal(object->vip_address, "rating-vip");
	assert_int_equal(object->n_metadata, 2);
	assert_string_equal(object->metadata[0].key, "color");
	assert_string_equal(object->metadata[0].value, "");
	assert_true(object->is_orphan);
	assert_true(object->is_suspended);
	assert_int_equal(ek_syncer_object_check(object, NULL), EK_OK);
	ek_syncer_object_free(object);
}

static void what_is_not_said_has_the_documented_default(void **state)
{
	struct ek_syncer_object *object = with_spec("\"mode\":\"pod\",\"selector\":{\"app\":\"rating\"}");

	assert_string_equal(object->selector.namespace_, "shop");
	assert_null(object->selector.service_name);
	assert_null(object->port.name);
	assert_int_equal(object->port.number, 0);
	assert_null(object->registry);
	assert_null(object->application);
	assert_null(object->vip_address);
	assert_int_equal(object->not_ready, EK_NOT_READY_DEREGISTER);
	assert_int_equal(object->drain, EK_DRAIN_DEREGISTER);
	assert_int_equal(object->drain_seconds, 100);
	assert_int_equal(object->policy, EK_POLICY_SYNC);
	assert_false(object->is_orphan);
	assert_false(object->is_suspended);
	assert_false(object->has_status);
	assert_false(ek_syncer_object_has_finalizer(object));
	ek_syncer_object_free(object);
}

static void a_port_may_be_a_number(void **state)
{
	struct ek_syncer_object *object = with_spec("\"mode\":\"pod\",\"port\":8080");

	assert_null(object->port.name);
	assert_int_equal(object->port.number, 8080);
	ek_syncer_object_free(object);
}

static void empty_and_null_texts_count_as_unset(void **state)
{
	struct ek_syncer_object *object = with_spec(
		"\"registry\":\"\",\"application\":null,\"port\":\"\",\"selector\":{\"namespace\":\"\",\"app\":null},\"modeOptions\":{},"
		"\"registryOptions\":{},\"instance\":{\"homePagePath\":\"\",\"metadataFrom\":{}}");

	assert_string_equal(object->mode, "");
	assert_null(object->registry);
	assert_null(object->application);
	assert_null(object->port.name);
	assert_null(object->selector.app);
	assert_string_equal(object->selector.namespace_, "shop");
	assert_null(object->mode_options);
	assert_int_equal(ek_syncer_object_check(object, NULL), EK_OK);
	ek_syncer_object_free(object);
}

static void a_deletion_timestamp_means_deleting(void **state)
{
	struct ek_syncer_object *object = read_ok(
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"c\",\"deletionTimestamp\":\"2024-05-01T10:00:00Z\"},\"spec\":{}}");

	assert_true(object->is_deleting);
	ek_syncer_object_free(object);
}

static void the_status_is_read_back(void **state)
{
	char long_message[900], json[2048];
	struct ek_syncer_object *object;

	memset(long_message, 'm', sizeof(long_message) - 1);
	long_message[sizeof(long_message) - 1] = '\0';
	snprintf(json, sizeof(json), "{" IDENTITY ",\"spec\":{},\"status\":{\"desired\":2,\"conditions\":["
		"{\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"PortNotFound\",\"message\":\"%s\","
		"\"lastTransitionTime\":\"2024-05-01T10:00:00Z\",\"observedGeneration\":7},"
		"{\"type\":\"Elsewhere\",\"status\":\"True\"}]}}", long_message);
	object = read_ok(json);
	assert_true(object->has_status);
	assert_true(object->status_hash != 0);
	assert_string_equal(object->conditions[EK_CONDITION_READY].status, "False");
	assert_string_equal(object->conditions[EK_CONDITION_READY].reason, "PortNotFound");
	assert_string_equal(object->conditions[EK_CONDITION_READY].since, "2024-05-01T10:00:00Z");
	assert_int_equal(object->conditions[EK_CONDITION_READY].observed_generation, 7);
	assert_int_equal(strlen(object->conditions[EK_CONDITION_READY].message), 511); /* cut, not refused */
	assert_string_equal(object->conditions[EK_CONDITION_STALLED].status, "");
	ek_syncer_object_free(object);
}

static void what_no_schema_lets_through_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "{}",
		"{\"metadata\":{\"namespace\":\"shop\",\"uid\":\"u\"},\"spec\":{}}",
		"{\"metadata\":{\"name\":\"rating\",\"uid\":\"u\"},\"spec\":{}}",
		"{\"metadata\":{\"name\":\"rating\",\"namespace\":\"shop\"},\"spec\":{}}",
		"{" IDENTITY ",\"spec\":{\"port\":0}}",
		"{" IDENTITY ",\"spec\":{\"port\":65536}}",
		"{" IDENTITY ",\"spec\":{\"policy\":\"Maybe\"}}",
		"{" IDENTITY ",\"spec\":{\"selector\":{\"matchExpressions\":[{\"operator\":\"Exists\",\"key\":\"\"}]}}}",
		"{" IDENTITY ",\"spec\":{\"suspend\":true}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ek_error err = EK_ERROR_INIT;
		struct ek_syncer_object *object = NULL;

		if (ek_syncer_object_read((struct ek_slice){ bad[i], strlen(bad[i]) }, &object, &err) == EK_OK)
			fail_msg("accepted: %s", bad[i]);
		assert_true(err.message[0] != '\0');
	}
}

static void a_field_that_is_not_served_yet_is_named(void **state)
{
	static const struct {
		const char *spec, *field; /* field NULL: served */
	} cases[] = {
		{ "\"instance\":{\"metadataFrom\":{\"team\":{\"from\":\"Service\",\"label\":\"t\"}}}", "spec.instance.metadataFrom" },
		{ "\"instance\":{\"secure\":true}", "spec.instance.secure" },
		{ "\"instance\":{\"secure\":false}", NULL },
		{ "\"instance\":{\"securePort\":\"https\"}", "spec.instance.securePort" },
		{ "\"instance\":{\"securePort\":8443}", "spec.instance.securePort" },
		{ "\"instance\":{\"secureVipAddress\":\"s\"}", "spec.instance.secureVipAddress" },
		{ "\"instance\":{\"homePagePath\":\"/\"}", "spec.instance.homePagePath" },
		{ "\"instance\":{\"statusPagePath\":\"/info\"}", "spec.instance.statusPagePath" },
		{ "\"instance\":{\"healthCheckPath\":\"/health\"}", "spec.instance.healthCheckPath" },
		{ "\"instance\":{\"vipAddress\":\"v\",\"metadata\":{\"a\":\"b\"}}", NULL },
		{ "\"notReady\":\"Deregister\"", NULL },
		{ "\"notReady\":\"Down\"", "spec.notReady" },
		{ "\"notReady\":\"OutOfService\"", "spec.notReady" },
		{ "\"drain\":{\"action\":\"Deregister\",\"seconds\":100}", NULL },
		{ "\"drain\":{\"action\":\"OutOfService\"}", "spec.drain.action" },
		{ "\"drain\":{\"seconds\":30}", "spec.drain.seconds" },
		{ "\"policy\":\"Sync\"", NULL },
		{ "\"policy\":\"UpsertOnly\"", "spec.policy" },
		{ "\"policy\":\"Observe\"", "spec.policy" },
		{ "\"deletionPolicy\":\"Orphan\",\"suspend\":true", NULL },
		{ "\"modeOptions\":{\"a\":1},\"registryOptions\":{\"a\":1}", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ek_syncer_object *object = with_spec(cases[i].spec);
		struct ek_error err = EK_ERROR_INIT;
		int code = ek_syncer_object_check(object, &err);

		if (code != (cases[i].field ? EK_INVALID : EK_OK))
			fail_msg("%s: %d %s", cases[i].spec, code, err.message);
		if (cases[i].field) {
			assert_string_equal(err.reason, "NotYetSupported");
			if (strncmp(err.message, cases[i].field, strlen(cases[i].field)) != 0)
				fail_msg("%s: %s", cases[i].spec, err.message);
		}
		ek_syncer_object_free(object);
	}
}

static struct ek_syncer_object *aged(const char *created, const char *namespace_, const char *name)
{
	char json[256];

	snprintf(json, sizeof(json), "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"u\",\"creationTimestamp\":\"%s\"}}",
		name, namespace_, created);
	return read_ok(json);
}

static void age_is_creation_then_namespace_then_name(void **state)
{
	static const char *const oldest_first[][3] = {
		{ "2024-05-01T10:00:00Z", "z", "z" },
		{ "2024-05-01T10:00:01Z", "a", "b" },
		{ "2024-05-01T10:00:01Z", "a", "c" },
		{ "2024-05-01T10:00:01Z", "b", "a" },
		{ "2025-01-01T00:00:00Z", "a", "a" },
	};
	struct ek_syncer_object *objects[5];

	for (size_t i = 0; i < 5; i++)
		objects[i] = aged(oldest_first[i][0], oldest_first[i][1], oldest_first[i][2]);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++) {
			int order = ek_syncer_object_age(objects[i], objects[j]);

			if ((order < 0) != (i < j) || (order == 0) != (i == j))
				fail_msg("%zu against %zu: %d", i, j, order);
		}
	for (size_t i = 0; i < 5; i++)
		ek_syncer_object_free(objects[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_served_field_is_read),
		cmocka_unit_test(what_is_not_said_has_the_documented_default),
		cmocka_unit_test(a_port_may_be_a_number),
		cmocka_unit_test(empty_and_null_texts_count_as_unset),
		cmocka_unit_test(a_deletion_timestamp_means_deleting),
		cmocka_unit_test(the_status_is_read_back),
		cmocka_unit_test(what_no_schema_lets_through_is_refused),
		cmocka_unit_test(a_field_that_is_not_served_yet_is_named),
		cmocka_unit_test(age_is_creation_then_namespace_then_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
