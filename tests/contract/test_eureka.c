/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the eureka plugin asks of a server for each operation, and what it makes of the answers. Lists and probes are in test_eureka_lists.c.
 * Next: plugins/eureka/requests.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/registry_case.h"

#define BASE "http://eureka-0:8761/eureka/"
#define ITS_PATH "apps/RATING/" SAMPLE_ID

const struct ek_plugin *ek_plugin_entry_v0_eureka(void);

static struct fake_host *a_host(const char *urls)
{
	struct fake_host *fake = fake_host_new(ek_plugin_entry_v0_eureka());

	assert_true(fake_host_set(fake, "serviceUrls", urls));
	return fake;
}

static struct fake_host *a_registry(const char *urls)
{
	return started(a_host(urls));
}

/* ---- Requests ----------------------------------------------------------------------------------------------------------------------------------------------- */

static void a_registration_is_this_text(void **state)
{
	struct fake_host *fake = a_registry(BASE);
	struct fake_request *request;

	apply(fake, EK_OP_PUT, 0);
	request = expect(fake, "POST", BASE "apps/RATING");
	assert_string_equal(request->body,
		"{\"instance\":{\"instanceId\":\"seoul-1:rating:RATING:rating-1:8080\",\"hostName\":\"10.0.0.1\",\"app\":\"RATING\","
		"\"ipAddr\":\"10.0.0.1\",\"status\":\"UP\",\"port\":{\"$\":8080,\"@enabled\":\"true\"},\"securePort\":{\"$\":443,\"@enabled\":\"false\"},"
		"\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"},"
		"\"leaseInfo\":{\"renewalIntervalInSecs\":27,\"durationInSecs\":90},"
		"\"metadata\":{\"eurekube.digest\":\"0123456789abcdef\",\"eurekube.owner\":\"seoul-1/rating/rating\",\"version\":\"3\"},"
		"\"vipAddress\":\"rating\",\"secureVipAddress\":\"rating\",\"lastDirtyTimestamp\":1790000000000}}");
	assert_string_equal(request->headers, "Accept: application/json\nContent-Type: application/json\n");
	assert_int_equal(request->asked.lane, EK_HTTP_LANE_ORDINARY);
	answer(fake, request, 204, NULL);
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(done(fake)->revision, 1790000000000);
	end(fake);
}

static void a_registration_says_what_the_instance_says(void **state)
{
	struct ek_instance secure = sample_instance, six = sample_instance, both = sample_instance, down = sample_instance, zoned = sample_instance;
	struct ek_instance short_lease = sample_instance;
	const struct {
		const struct ek_instance *instance;
		const char *part;
	} cases[] = {
		{ &secure, "\"port\":{\"$\":80,\"@enabled\":\"false\"},\"securePort\":{\"$\":8443,\"@enabled\":\"true\"}" },
		{ &secure, "\"homePageUrl\":\"https://10.0.0.1:8443/\"" },
		{ &secure, "\"secureHealthCheckUrl\":\"https://10.0.0.1:8443/health\"" },
		{ &six, "\"hostName\":\"2001:db8::1\"" },
		{ &six, "\"statusPageUrl\":\"http://[2001:db8::1]:8080/info\"" },
		{ &six, "\"healthCheckUrl\":\"http://[2001:db8::1]:8080/health\"" },
		{ &both, "\"port\":{\"$\":8080,\"@enabled\":\"true\"},\"securePort\":{\"$\":8443,\"@enabled\":\"false\"}" },
		{ &down, "\"status\":\"DOWN\"" },
		{ &zoned, "\"version\":\"3\",\"zone\":\"seoul-a\"}" },
		{ &short_lease, "\"leaseInfo\":{\"renewalIntervalInSecs\":2,\"durationInSecs\":6}" },
	};

	secure.port = 0;
	secure.secure_port = both.secure_port = 8443;
	secure.home_page_path = "/";
	secure.health_check_path = six.health_check_path = "/health";
	six.address = "2001:db8::1";
	six.status_page_path = "info";
	down.status = EK_STATUS_DOWN;
	zoned.zone = "seoul-a";
	short_lease.renew_seconds = 2;
	short_lease.lease_seconds = 6;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(BASE);
		struct ek_op op = sample_op(EK_OP_PUT, 1, cases[i].instance);
		struct fake_request *request;

		fake_host_apply(fake, &op);
		request = expect(fake, "POST", BASE "apps/RATING");
		if (!strstr(request->body, cases[i].part))
			fail_msg("%s is not in %s", cases[i].part, request->body);
		end(fake);
	}
}

static void a_zone_of_the_authors_own_or_an_option_keeps_the_endpoints_out(void **state)
{
	static const struct ek_pair zone = { .size = sizeof(zone), .key = "zone", .value = "mine" };
	static const struct ek_pair *const metadata[] = { &zone };
	struct ek_instance instance = sample_instance;
	struct ek_op op = sample_op(EK_OP_PUT, 1, &instance);
	struct fake_host *fake = a_registry(BASE);

	instance.zone = "seoul-a";
	instance.metadata = metadata;
	instance.n_metadata = 1;
	fake_host_apply(fake, &op);
	assert_non_null(strstr(fake_host_request(fake)->body, "\"metadata\":{\"zone\":\"mine\"}"));
	end(fake);

	fake = a_host(BASE);
	fake_host_set(fake, "zoneInMetadata", "false");
	started(fake);
	instance.metadata = NULL;
	instance.n_metadata = 0;
	fake_host_apply(fake, &op);
	assert_non_null(strstr(fake_host_request(fake)->body, "\"metadata\":{}"));
	end(fake);
}

static void a_registration_is_newer_than_what_the_server_holds(void **state)
{
	static const struct {
		int64_t known, sent;
	} cases[] = {
		{ 0, 1790000000000 }, { 1789999999999, 1790000000000 }, { 1790000000000, 1790000000001 }, { 1790000005000, 1790000005001 },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(BASE);
		struct fake_request *request;
		char stamp[64];

		apply(fake, EK_OP_PUT, cases[i].known);
		request = fake_host_request(fake);
		snprintf(stamp, sizeof(stamp), "\"lastDirtyTimestamp\":%lld}", (long long)cases[i].sent);
		assert_non_null(strstr(request->body, stamp));
		answer(fake, request, 204, NULL);
		assert_int_equal(done(fake)->revision, cases[i].sent);
		end(fake);
	}
}

static void each_operation_is_one_request(void **state)
{
	static const struct {
		enum ek_op_kind kind;
		int64_t revision;
		int32_t status;
		const char *method, *url;
		uint32_t lane;
	} cases[] = {
		{ EK_OP_RENEW, 1790000000000, 0, "PUT", BASE ITS_PATH "?lastDirtyTimestamp=1790000000000&status=UP", EK_HTTP_LANE_RENEW },
		{ EK_OP_RENEW, 0, 0, "PUT", BASE ITS_PATH "?status=UP", EK_HTTP_LANE_RENEW },
		{ EK_OP_REMOVE, 5, 0, "DELETE", BASE ITS_PATH, EK_HTTP_LANE_ORDINARY },
		{ EK_OP_GET, 5, 0, "GET", BASE ITS_PATH, EK_HTTP_LANE_ORDINARY },
		{ EK_OP_SET_STATUS, 5, EK_STATUS_OUT_OF_SERVICE, "PUT", BASE ITS_PATH "/status?value=OUT_OF_SERVICE", EK_HTTP_LANE_ORDINARY },
		{ EK_OP_SET_STATUS, 5, EK_STATUS_UP, "DELETE", BASE ITS_PATH "/status?value=UP", EK_HTTP_LANE_ORDINARY },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(BASE);
		struct ek_op op = sample_op(cases[i].kind, 1, NULL);
		struct fake_request *request;

		op.revision = cases[i].revision;
		op.status = cases[i].status;
		fake_host_apply(fake, &op);
		request = expect(fake, cases[i].method, cases[i].url);
		assert_int_equal(request->asked.lane, cases[i].lane);
		assert_int_equal(request->asked.body_bytes, 0);
		assert_non_null(strstr(request->headers, "Accept: application/json\n"));
		assert_null(strstr(request->headers, "replication"));
		end(fake);
	}
}

static void an_odd_id_is_escaped(void **state)
{
	struct fake_host *fake = a_registry(BASE);
	struct ek_op op = sample_op(EK_OP_REMOVE, 1, NULL);

	op.application = "A B";
	op.id = "http://x/[v6]?";
	fake_host_apply(fake, &op);
	expect(fake, "DELETE", BASE "apps/A%20B/http:%2F%2Fx%2F%5Bv6%5D%3F");
	end(fake);
}

static void an_id_too_long_for_a_path_is_refused_on_a_later_turn(void **state)
{
	struct fake_host *fake = a_registry(BASE);
	struct ek_op op = sample_op(EK_OP_REMOVE, 1, NULL);
	char id[600];

	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	op.id = id;
	fake_host_apply(fake, &op);
	expect_nothing_yet(fake);
	fake_host_advance(fake, 0);
	assert_int_equal(done(fake)->code, EK_TOO_BIG);
	end(fake);
}

static void out_of_service_is_a_registration_and_then_an_override(void **state)
{
	struct ek_instance instance = sample_instance;
	struct ek_op op = sample_op(EK_OP_PUT, 1, &instance);
	struct fake_host *fake = a_registry(BASE ",http://eureka-1:8761/eureka/");
	struct fake_request *request;

	instance.status = EK_STATUS_OUT_OF_SERVICE;
	fake_host_apply(fake, &op);
	request = expect(fake, "POST", BASE "apps/RATING");
	assert_non_null(strstr(request->body, "\"status\":\"STARTING\""));
	assert_null(strstr(request->body, "OUT_OF_SERVICE"));
	answer(fake, request, 204, NULL);
	expect_nothing_yet(fake);
	request = expect(fake, "PUT", BASE ITS_PATH "/status?value=OUT_OF_SERVICE");
	assert_int_equal(request->asked.body_bytes, 0);
	answer(fake, request, 200, NULL);
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(done(fake)->revision, 1790000000000);
	end(fake);
}

static void an_override_that_fails_makes_the_registration_fail_on_that_server(void **state)
{
	static const int statuses[] = { 404, 500 };

	for (size_t i = 0; i < N_OF(statuses); i++) {
		struct ek_instance instance = sample_instance;
		struct ek_op op = sample_op(EK_OP_PUT, 1, &instance);
		struct fake_host *fake = a_registry(BASE ",http://eureka-1:8761/eureka/");

		instance.status = EK_STATUS_OUT_OF_SERVICE;
		fake_host_apply(fake, &op);
		answer(fake, fake_host_request(fake), 204, NULL);
		answer(fake, fake_host_request(fake), statuses[i], NULL);
		assert_int_equal(done(fake)->code, EK_RETRY);
		assert_int_equal(fake_host_open_requests(fake), 0);
		end(fake);
	}
}

/* ---- Answers ------------------------------------------------------------------------------------------------------------------------------------------------ */

static void a_status_means(void **state)
{
	static const struct {
		enum ek_op_kind kind;
		int status;
		int32_t code;
		const char *says; /* part of the message; NULL any */
	} cases[] = {
		{ EK_OP_PUT, 204, EK_OK, "" },
		{ EK_OP_PUT, 200, EK_OK, "" },
		{ EK_OP_PUT, 400, EK_INVALID, "Missing hostname" },
		{ EK_OP_PUT, 415, EK_INVALID, NULL },
		{ EK_OP_PUT, 405, EK_INVALID, NULL },
		{ EK_OP_PUT, 401, EK_AUTH, "credentials" },
		{ EK_OP_PUT, 403, EK_AUTH, "CSRF" },
		{ EK_OP_PUT, 404, EK_PLUGIN, "serviceUrls" },
		{ EK_OP_PUT, 409, EK_CONFLICT, NULL },
		{ EK_OP_PUT, 413, EK_TOO_BIG, NULL },
		{ EK_OP_PUT, 429, EK_THROTTLED, NULL },
		{ EK_OP_PUT, 302, EK_PLUGIN, "redirects" },
		{ EK_OP_PUT, 307, EK_RETRY, "not up" },
		{ EK_OP_PUT, 500, EK_RETRY, "HTTP 500 from " BASE },
		{ EK_OP_PUT, 503, EK_RETRY, NULL },
		{ EK_OP_PUT, 502, EK_UNKNOWN, NULL },
		{ EK_OP_PUT, 504, EK_UNKNOWN, NULL },
		{ EK_OP_PUT, 418, EK_PLUGIN, NULL },
		{ EK_OP_RENEW, 200, EK_OK, "" },
		{ EK_OP_RENEW, 404, EK_GONE, NULL },
		{ EK_OP_RENEW, 403, EK_AUTH, "CSRF" },
		{ EK_OP_RENEW, 502, EK_RETRY, NULL },
		{ EK_OP_RENEW, 500, EK_RETRY, NULL },
		{ EK_OP_REMOVE, 200, EK_OK, "" },
		{ EK_OP_REMOVE, 404, EK_GONE, NULL },
		{ EK_OP_REMOVE, 504, EK_UNKNOWN, NULL },
		{ EK_OP_SET_STATUS, 200, EK_OK, "" },
		{ EK_OP_SET_STATUS, 404, EK_GONE, NULL },
		{ EK_OP_GET, 404, EK_GONE, NULL },
		{ EK_OP_GET, 403, EK_AUTH, "may not read" },
		{ EK_OP_GET, 500, EK_RETRY, NULL },
		{ EK_OP_GET, 502, EK_RETRY, NULL },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(BASE);
		const struct fake_completion *its;

		apply(fake, cases[i].kind, 7);
		answer(fake, fake_host_request(fake), cases[i].status, cases[i].status >= 300 ? "Missing\n hostname" : NULL);
		its = done(fake);
		if (its->code != cases[i].code || its->http_status != cases[i].status || (cases[i].says && !strstr(its->message, cases[i].says)))
			fail_msg("operation %d, HTTP %d: code %d, \"%s\"", cases[i].kind, cases[i].status, its->code, its->message);
		if (its->code == EK_OK)
			assert_string_equal(its->message, "");
		else
			assert_string_not_equal(its->message, "");
		end(fake);
	}
}

static void the_transports_own_code_passes_through(void **state)
{
	static const int32_t codes[] = { EK_RETRY, EK_UNKNOWN, EK_TOO_BIG, EK_AUTH, EK_CANCELLED };

	for (size_t i = 0; i < N_OF(codes); i++) {
		struct fake_host *fake = a_registry(BASE);

		apply(fake, EK_OP_PUT, 0);
		break_off(fake, fake_host_request(fake), codes[i]);
		assert_int_equal(done(fake)->code, codes[i]);
		assert_int_equal(done(fake)->revision, 0);
		assert_non_null(strstr(done(fake)->message, BASE));
		end(fake);
	}
}

static void a_wish_to_wait_is_passed_on(void **state)
{
	static const int statuses[] = { 429, 503 };

	for (size_t i = 0; i < N_OF(statuses); i++) {
		struct fake_host *fake = a_registry(BASE ",http://eureka-1:8761/eureka/");
		struct fake_answer its = { .status = statuses[i], .retry_after_ms = 7000 };

		apply(fake, EK_OP_PUT, 0);
		fake_host_answer(fake, fake_host_request(fake), &its);
		assert_int_equal(done(fake)->code, EK_THROTTLED);
		assert_int_equal(done(fake)->retry_after_ms, 7000);
		end(fake);
	}
}

/* The status alone decides: Spring's 404 has a body, others' has none. */
static void the_body_of_a_404_does_not_matter(void **state)
{
	static const char *const bodies[] = { "", "{\"timestamp\":1,\"status\":404,\"error\":\"Not Found\",\"path\":\"/eureka/apps/X\"}", "<html>" };

	for (size_t i = 0; i < N_OF(bodies); i++) {
		struct fake_host *fake = a_registry(BASE);

		apply(fake, EK_OP_RENEW, 7);
		answer(fake, fake_host_request(fake), 404, bodies[i]);
		assert_int_equal(done(fake)->code, EK_GONE);
		end(fake);
	}
}

static void a_renewal_leaves_the_revision_as_it_is(void **state)
{
	struct fake_host *fake = a_registry(BASE);

	apply(fake, EK_OP_RENEW, 7);
	answer(fake, fake_host_request(fake), 200, NULL);
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(done(fake)->revision, 0);
	end(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registration_is_this_text),
		cmocka_unit_test(a_registration_says_what_the_instance_says),
		cmocka_unit_test(a_zone_of_the_authors_own_or_an_option_keeps_the_endpoints_out),
		cmocka_unit_test(a_registration_is_newer_than_what_the_server_holds),
		cmocka_unit_test(each_operation_is_one_request),
		cmocka_unit_test(an_odd_id_is_escaped),
		cmocka_unit_test(an_id_too_long_for_a_path_is_refused_on_a_later_turn),
		cmocka_unit_test(out_of_service_is_a_registration_and_then_an_override),
		cmocka_unit_test(an_override_that_fails_makes_the_registration_fail_on_that_server),
		cmocka_unit_test(a_status_means),
		cmocka_unit_test(the_transports_own_code_passes_through),
		cmocka_unit_test(a_wish_to_wait_is_passed_on),
		cmocka_unit_test(the_body_of_a_404_does_not_matter),
		cmocka_unit_test(a_renewal_leaves_the_revision_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
