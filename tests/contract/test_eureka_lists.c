/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the eureka plugin reads: single instances, lists in pieces of every size, probes; and what it refuses to take for an answer of a Eureka.
 * Next: plugins/eureka/listing.c.
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

#define A "http://eureka-0:8761/eureka/"
#define B "http://eureka-1:8761/eureka/"

const struct ek_plugin *ek_plugin_entry_v0_eureka(void);

static struct fake_host *a_registry(const char *urls)
{
	struct fake_host *fake = fake_host_new(ek_plugin_entry_v0_eureka());

	assert_true(fake_host_set(fake, "serviceUrls", urls));
	return started(fake);
}

/* What a Spring server writes for the sample instance. */
#define OURS                                                                                                                                   \
	"{\"instanceId\":\"seoul-1:rating:RATING:rating-1:8080\",\"hostName\":\"10.0.0.1\",\"app\":\"RATING\",\"ipAddr\":\"10.0.0.1\","         \
	"\"status\":\"UP\",\"overriddenStatus\":\"UNKNOWN\",\"port\":{\"$\":8080,\"@enabled\":\"true\"},"                                      \
	"\"securePort\":{\"$\":443,\"@enabled\":\"false\"},\"countryId\":1,"                                                                   \
	"\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"},"                        \
	"\"leaseInfo\":{\"renewalIntervalInSecs\":27,\"durationInSecs\":90,\"registrationTimestamp\":1795503179000,"                            \
	"\"lastRenewalTimestamp\":1795503179000,\"evictionTimestamp\":0,\"serviceUpTimestamp\":1795503179000},"                                 \
	"\"metadata\":{\"version\":\"3\",\"eurekube.owner\":\"seoul-1/rating/rating\",\"eurekube.digest\":\"0123456789abcdef\"},"               \
	"\"vipAddress\":\"rating\",\"secureVipAddress\":\"rating\",\"isCoordinatingDiscoveryServer\":\"false\","                                \
	"\"lastUpdatedTimestamp\":\"1795503179001\",\"lastDirtyTimestamp\":\"1795503179000\",\"actionType\":\"ADDED\"}"

/* Another's, with everything that makes reading hard. */
#define THEIRS                                                                                                                                 \
	"{ \"hostName\" : \"legacy.example\", \"app\" : \"legacy\", \"ipAddr\":\"192.0.2.1\", \"status\":\"up\", "                               \
	"\"overriddenstatus\":\"OUT_OF_SERVICE\",\"port\":{\"$\":\"80\",\"@enabled\":true},\"securePort\":{\"@enabled\":\"true\",\"$\":\"8443\"}," \
	"\"metadata\":{\"@class\":\"java.util.Collections$EmptyMap\"},\"homePageUrl\":\"http://x/?a={[\\\"}]\\\\\","                            \
	"\"leaseInfo\":{\"durationInSecs\":\"90\"},\"lastDirtyTimestamp\":1795503179009,\"sid\":null,\"new\":{\"instance\":[{}]} }"

#define ALL                                                                                                                                    \
	"{\"applications\":{\"versions__delta\":\"1\",\"apps__hashcode\":\"UP_1_UNKNOWN_1_\",\"application\":["                                 \
	"{\"name\":\"RATING\",\"instance\":[" OURS "]},{\"name\":\"LEGACY\",\"instance\":[" THEIRS "]}]}}"

static void list_all(struct fake_host *fake)
{
	fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .owner_prefix = "seoul-1/" }, 1);
}

static void list_two(struct fake_host *fake)
{
	static const char *const names[] = { "RATING", "NOBODY" };

	fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .n_applications = 2, .applications = names, .owner_prefix = "seoul-1/" }, 1);
}

static void expect_ours(const struct fake_entry *entry)
{
	assert_string_equal(entry->id, SAMPLE_ID);
	assert_string_equal(entry->application, "RATING");
	assert_string_equal(entry->address, "10.0.0.1");
	assert_string_equal(entry->vip_address, "rating");
	assert_int_equal(entry->port, 8080);
	assert_int_equal(entry->secure_port, 0);
	assert_int_equal(entry->status, EK_STATUS_UP);
	assert_int_equal(entry->instance_status, EK_STATUS_UP);
	assert_int_equal(entry->flags, EK_ENTRY_RENEWABLE);
	assert_int_equal(entry->revision, 1795503179000);
	assert_int_equal(entry->renew_seconds, 27);
	assert_int_equal(entry->lease_seconds, 90);
	assert_string_equal(entry->metadata, "eurekube.digest=0123456789abcdef\neurekube.owner=seoul-1/rating/rating\nversion=3\n");
}

static void expect_theirs(const struct fake_entry *entry)
{
	assert_string_equal(entry->id, "legacy.example"); /* without an id, the host's name is it */
	assert_string_equal(entry->application, "LEGACY");
	assert_string_equal(entry->address, "legacy.example");
	assert_int_equal(entry->port, 80);
	assert_int_equal(entry->secure_port, 8443);
	assert_int_equal(entry->status, EK_STATUS_UNKNOWN); /* which is what the server makes of "up", and answers 404 to its renewals */
	assert_int_equal(entry->flags, EK_ENTRY_OVERRIDDEN);
	assert_int_equal(entry->revision, 1795503179009);
	assert_int_equal(entry->n_metadata, 0);
	assert_int_equal(entry->lease_seconds, 90);
}

/* ---- Single reads ------------------------------------------------------------------------------------------------------------------------------------------- */

static void a_single_read_gives_the_entry_as_it_is(void **state)
{
	struct fake_host *fake = a_registry(A);

	apply(fake, EK_OP_GET, 0);
	answer(fake, fake_host_request(fake), 200, "{\"instance\":" OURS "}");
	assert_int_equal(done(fake)->code, EK_OK);
	assert_true(done(fake)->has_entry);
	assert_int_equal(done(fake)->revision, 1795503179000);
	expect_ours(&done(fake)->entry);
	end(fake);
}

static void a_status_is_read(void **state)
{
	static const struct {
		const char *instance;
		int32_t status;
		uint32_t flags;
	} cases[] = {
		{ "\"status\":\"UP\"", EK_STATUS_UP, EK_ENTRY_RENEWABLE },
		{ "\"status\":\"DOWN\"", EK_STATUS_DOWN, EK_ENTRY_RENEWABLE },
		{ "\"status\":\"STARTING\"", EK_STATUS_STARTING, EK_ENTRY_RENEWABLE },
		{ "\"status\":\"OUT_OF_SERVICE\"", EK_STATUS_OUT_OF_SERVICE, EK_ENTRY_RENEWABLE },
		{ "\"status\":\"UNKNOWN\"", EK_STATUS_UNKNOWN, 0 },
		{ "\"status\":\"DOWN\",\"overriddenStatus\":\"OUT_OF_SERVICE\"", EK_STATUS_DOWN, EK_ENTRY_RENEWABLE | EK_ENTRY_OVERRIDDEN },
		{ "\"status\":\"UP\",\"overriddenStatus\":\"UNKNOWN\"", EK_STATUS_UP, EK_ENTRY_RENEWABLE },
		{ "\"status\":\"UP\",\"overriddenStatus\":null", EK_STATUS_UP, EK_ENTRY_RENEWABLE },
		{ "\"x\":1", EK_STATUS_UP, EK_ENTRY_RENEWABLE },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(A);
		char body[256];

		snprintf(body, sizeof(body), "{\"instance\":{\"instanceId\":\"i\",\"app\":\"A\",%s}}", cases[i].instance);
		apply(fake, EK_OP_GET, 0);
		answer(fake, fake_host_request(fake), 200, body);
		assert_int_equal(done(fake)->entry.status, cases[i].status);
		assert_int_equal(done(fake)->entry.flags, cases[i].flags);
		end(fake);
	}
}

static void an_answer_that_holds_no_instance_is_the_plugins_to_complain_of(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{ "", "empty" }, { "<instance/>", "XML" }, { "{}", "no instance" }, { "{\"instance\":{\"app\":\"A\"}}", "without id" },
		{ "{\"instance\":{\"instanceId\":\"i\"}}", "without id or application" }, { "{\"instance\":{\"app\":", "JSON" }, { "[]", "JSON" },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(A);

		apply(fake, EK_OP_GET, 0);
		answer(fake, fake_host_request(fake), 200, cases[i].body);
		assert_int_equal(done(fake)->code, EK_PLUGIN);
		assert_false(done(fake)->has_entry);
		if (!strstr(done(fake)->message, cases[i].says))
			fail_msg("%s: %s", cases[i].body, done(fake)->message);
		end(fake);
	}
}

/* ---- Lists -------------------------------------------------------------------------------------------------------------------------------------------------- */

static void a_list_asks_for_json_and_offers_gzip(void **state)
{
	struct fake_host *fake = a_registry(A);
	struct fake_request *request;

	list_all(fake);
	request = expect(fake, "GET", A "apps");
	assert_string_equal(request->headers, "Accept: application/json\nDiscoveryIdentity-Name: DefaultClient\n");
	assert_int_equal(request->asked.accept_gzip, 1);
	assert_true(request->asked.max_body_bytes > (512u << 20));
	end(fake);
}

static void a_list_is_the_same_however_it_is_cut(void **state)
{
	for (uint32_t piece = 1; piece <= sizeof(ALL); piece++) {
		struct fake_host *fake = a_registry(A);

		list_all(fake);
		answer_in_pieces(fake, fake_host_request(fake), ALL, piece);
		assert_int_equal(done(fake)->code, EK_OK);
		assert_int_equal(fake->n_entries, 2);
		expect_ours(&fake->entries[0]);
		expect_theirs(&fake->entries[1]);
		end(fake);
	}
}

static void a_list_that_ends_too_early_proves_nothing(void **state)
{
	for (size_t n = 0; n < sizeof(ALL) - 1; n++) {
		struct fake_host *fake = a_registry(A);
		char part[sizeof(ALL)];

		memcpy(part, ALL, n);
		part[n] = '\0';
		list_all(fake);
		answer(fake, fake_host_request(fake), 200, part);
		assert_int_equal(done(fake)->code, EK_PLUGIN);
		end(fake);
	}
}

static void lists_of_one_or_none_are_read_in_every_form(void **state)
{
	static const struct {
		const char *body;
		uint32_t n;
	} cases[] = {
		{ "{\"applications\":{\"versions__delta\":1,\"apps__hashcode\":\"\",\"application\":[]}}", 0 },
		{ "{\"applications\":{\"versions__delta\":1,\"apps__hashcode\":\"\"}}", 0 },
		{ "{\"applications\":{\"application\":null}}", 0 },
		{ "{\"applications\":\"\"}", 0 },
		{ "{\"applications\":{\"application\":{\"name\":\"RATING\",\"instance\":" OURS "}}}", 1 },
		{ "{\"applications\":{\"application\":[{\"name\":\"RATING\",\"instance\":" OURS "},{\"name\":\"X\"}]}}", 1 },
		{ " {\n\"applications\" : { \"application\" : [ { \"instance\" : [ " OURS " , " OURS " ] , \"name\" : \"instance\" } ] } } \r\n", 2 },
		{ "{\"applications\":{\"application\":[{\"instance\":[]},{\"instance\":null},{\"instance\":[" OURS "]}]}}", 1 },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(A);

		list_all(fake);
		answer_in_pieces(fake, fake_host_request(fake), cases[i].body, 3);
		if (done(fake)->code != EK_OK || fake->n_entries != cases[i].n)
			fail_msg("%s: code %d, %u entries, %s", cases[i].body, done(fake)->code, fake->n_entries, done(fake)->message);
		end(fake);
	}
}

static void what_is_no_listing_is_refused(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{ "", "too early" },
		{ "<applications><versions__delta>1</versions__delta></applications>", "XML" },
		{ "<!doctype html>", "HTML" },
		{ "{}", "no listing" },
		{ "{\"instance\":{\"app\":\"A\",\"instanceId\":\"i\"}}", "no listing" },
		{ "{\"status\":200,\"detail\":{\"applications\":[]}}", "no listing" },
		{ "[]", "not one JSON object" },
		{ "{\"applications\":{}}x", "not one JSON object" },
		{ "{\"applications\":{]}", "do not match" },
		{ "{\"applications\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", "too deeply" },
		{ "{\"applications\":{\"application\":[{\"instance\":[{\"instanceId\":\"i\",\"app\":\"A\",\"metadata\":{\"eurekube.owner\":3x}}]}]}}", "of ours" },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(A);

		list_all(fake);
		answer(fake, fake_host_request(fake), 200, cases[i].body);
		assert_int_equal(done(fake)->code, EK_PLUGIN);
		assert_int_equal(fake->n_entries, 0);
		if (!strstr(done(fake)->message, cases[i].says))
			fail_msg("%s: %s", cases[i].body, done(fake)->message);
		end(fake);
	}
}

static void an_unreadable_entry_of_somebody_else_is_passed_over(void **state)
{
	struct fake_host *fake = a_registry(A);

	list_all(fake);
	answer(fake, fake_host_request(fake), 200,
		"{\"applications\":{\"application\":[{\"instance\":[{\"app\":\"X\"},{\"instanceId\":\"a\\u0000b\",\"app\":\"X\"}," OURS "]}]}}");
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(fake->n_entries, 1);
	expect_ours(&fake->entries[0]);
	assert_non_null(strstr(fake->last_log, "passed over"));
	end(fake);
}

static void an_instance_beyond_all_measure_ends_the_list(void **state)
{
	struct fake_host *fake = a_registry(A);
	size_t n = (1u << 20) + 4096;
	char *body = malloc(n);
	int head = snprintf(body, n, "{\"applications\":{\"application\":[{\"instance\":[{\"x\":\"");

	memset(body + head, 'y', n - (size_t)head - 1);
	body[n - 1] = '\0';
	list_all(fake);
	answer_in_pieces(fake, fake_host_request(fake), body, 16384);
	assert_int_equal(done(fake)->code, EK_TOO_BIG);
	free(body);
	end(fake);
}

static void a_status_means_for_a_list(void **state)
{
	static const struct {
		int status;
		int32_t code;
		const char *says;
	} cases[] = {
		{ 401, EK_AUTH, "credentials" }, { 403, EK_RETRY, "still starting" }, { 404, EK_PLUGIN, "serviceUrls" }, { 429, EK_THROTTLED, "" },
		{ 500, EK_RETRY, "" }, { 502, EK_RETRY, "" }, { 302, EK_PLUGIN, "redirects" }, { 406, EK_PLUGIN, "" },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(A);

		list_all(fake);
		answer(fake, fake_host_request(fake), cases[i].status, "{\"status\":1,\"error\":\"E\"}");
		assert_int_equal(done(fake)->code, cases[i].code);
		assert_int_equal(done(fake)->http_status, cases[i].status);
		assert_non_null(strstr(done(fake)->message, cases[i].says));
		end(fake);
	}
}

static void a_list_goes_to_the_next_server_as_long_as_nothing_was_given(void **state)
{
	struct fake_host *fake = a_registry(A "," B);
	struct fake_answer cut = { .code = EK_RETRY, .body = ALL };

	list_all(fake);
	answer(fake, expect(fake, "GET", A "apps"), 500, "{\"applications\":{\"app");
	answer(fake, expect(fake, "GET", B "apps"), 200, ALL);
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(fake->n_entries, 2);
	end(fake);

	fake = a_registry(A "," B);
	list_all(fake);
	fake_host_answer(fake, expect(fake, "GET", A "apps"), &cut);
	assert_int_equal(done(fake)->code, EK_RETRY);
	assert_int_equal(fake->n_entries, 2);
	assert_int_equal(fake_host_open_requests(fake), 0);
	end(fake);
}

static void a_list_stops_when_the_host_says_so(void **state)
{
	struct fake_host *fake = a_registry(A);

	fake->stop_after = 1;
	list_all(fake);
	answer_in_pieces(fake, fake_host_request(fake), ALL, 100);
	assert_int_equal(done(fake)->code, EK_CANCELLED);
	assert_int_equal(fake->n_entries, 1);
	end(fake);
}

/* ---- Lists of a few applications ---------------------------------------------------------------------------------------------------------------------------- */

static void few_applications_are_read_one_after_another(void **state)
{
	struct fake_host *fake = a_registry(A);

	list_two(fake);
	answer_in_pieces(fake, expect(fake, "GET", A "apps/RATING"), "{\"application\":{\"name\":\"RATING\",\"instance\":[" OURS "]}}", 5);
	expect_nothing_yet(fake);
	answer_in_pieces(fake, expect(fake, "GET", A "apps/NOBODY"), "{\"application\":{\"name\":\"NOBODY\",\"instance\":[]}}", 5);
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(fake->n_entries, 1);
	expect_ours(&fake->entries[0]);
	end(fake);
}

static void an_application_is_absent_only_if_a_eureka_says_so(void **state)
{
	static const struct {
		int status;
		const char *body;
		int32_t code;
	} cases[] = {
		{ 200, "{\"applications\":{\"versions__delta\":\"1\"", EK_OK }, { 403, "", EK_OK }, { 404, "", EK_PLUGIN }, { 200, "<html>", EK_PLUGIN },
		{ 401, "", EK_AUTH },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(A);

		list_two(fake);
		answer(fake, expect(fake, "GET", A "apps/RATING"), 404, "{\"status\":404}");
		answer(fake, expect(fake, "GET", A "apps/NOBODY"), 404, "");
		expect_nothing_yet(fake);
		answer(fake, expect(fake, "GET", A "apps/delta"), cases[i].status, cases[i].body);
		assert_int_equal(done(fake)->code, cases[i].code);
		end(fake);
	}
}

static void many_applications_are_read_at_once(void **state)
{
	struct fake_host *fake = a_registry(A);
	const char *names[17];

	for (size_t i = 0; i < N_OF(names); i++)
		names[i] = "RATING";
	fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .n_applications = 17, .applications = names, .owner_prefix = "seoul-1/" }, 1);
	expect(fake, "GET", A "apps");
	end(fake);
}

/* ---- Probes ------------------------------------------------------------------------------------------------------------------------------------------------- */

static void a_probe_tells_a_eureka_from_what_is_none(void **state)
{
	static const struct {
		int status;
		const char *body;
		int32_t code;
	} cases[] = {
		{ 200, "{\"applications\":{\"versions__delta\":\"1\",\"application\":[]}}", EK_OK },
		{ 200, " {\n \"applications\" : {", EK_OK },
		{ 200, "{\"hello\":\"world\"}", EK_PLUGIN },
		{ 200, "{\"app", EK_PLUGIN },
		{ 200, "<html>", EK_PLUGIN },
		{ 200, "", EK_PLUGIN },
		{ 403, "", EK_OK },
		{ 404, "{\"status\":404}", EK_PLUGIN },
		{ 401, "", EK_AUTH },
		{ 500, "", EK_RETRY },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		for (uint32_t piece = 0; piece < 4; piece++) {
			struct fake_host *fake = a_registry(A);
			struct fake_answer its = { .status = cases[i].status, .body = cases[i].body, .piece_bytes = piece };

			fake_host_probe(fake, 1);
			fake_host_answer(fake, expect(fake, "GET", A "apps/delta"), &its);
			assert_int_equal(done(fake)->code, cases[i].code);
			end(fake);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_read_gives_the_entry_as_it_is),
		cmocka_unit_test(a_status_is_read),
		cmocka_unit_test(an_answer_that_holds_no_instance_is_the_plugins_to_complain_of),
		cmocka_unit_test(a_list_asks_for_json_and_offers_gzip),
		cmocka_unit_test(a_list_is_the_same_however_it_is_cut),
		cmocka_unit_test(a_list_that_ends_too_early_proves_nothing),
		cmocka_unit_test(lists_of_one_or_none_are_read_in_every_form),
		cmocka_unit_test(what_is_no_listing_is_refused),
		cmocka_unit_test(an_unreadable_entry_of_somebody_else_is_passed_over),
		cmocka_unit_test(an_instance_beyond_all_measure_ends_the_list),
		cmocka_unit_test(a_status_means_for_a_list),
		cmocka_unit_test(a_list_goes_to_the_next_server_as_long_as_nothing_was_given),
		cmocka_unit_test(a_list_stops_when_the_host_says_so),
		cmocka_unit_test(few_applications_are_read_one_after_another),
		cmocka_unit_test(an_application_is_absent_only_if_a_eureka_says_so),
		cmocka_unit_test(many_applications_are_read_at_once),
		cmocka_unit_test(a_probe_tells_a_eureka_from_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
