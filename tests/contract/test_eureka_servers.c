/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eureka plugin's life: what its options may be, which server is asked when one fails, and what becomes of operations that are cancelled or still under way
 * at the end. Next: plugins/eureka/servers.c.
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
#define C "http://eureka-2:8761/eureka/"
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

static void remove_as(struct fake_host *fake, uint64_t token)
{
	struct ek_op op = sample_op(EK_OP_REMOVE, token, NULL);

	fake_host_apply(fake, &op);
}

/* ---- Options ------------------------------------------------------------------------------------------------------------------------------------------------ */

static void addresses_are_brought_into_one_form(void **state)
{
	static const struct {
		const char *given, *asked;
	} cases[] = {
		{ "http://e:8761/eureka", "http://e:8761/eureka/" },
		{ "http://e:8761/eureka/", "http://e:8761/eureka/" },
		{ "http://e:8761//eureka//v2//", "http://e:8761/eureka/v2/" },
		{ "https://e", "https://e/" },
		{ "http://[2001:db8::1]:8761/eureka", "http://[2001:db8::1]:8761/eureka/" },
		{ "  http://e/a , http://f/b", "http://e/a/" },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_registry(cases[i].given);
		char url[256];

		apply(fake, EK_OP_REMOVE, 0);
		snprintf(url, sizeof(url), "%s" ITS_PATH, cases[i].asked);
		expect(fake, "DELETE", url);
		end(fake);
	}
}

static void options_that_cannot_work_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *option, *value, *says;
	} cases[] = {
		{ "serviceUrls", "", "no address" },
		{ "serviceUrls", "eureka:8761", "is not an address like" },
		{ "serviceUrls", "ftp://eureka/", "is not an address like" },
		{ "serviceUrls", "http:///eureka/", "is not an address like" },
		{ "serviceUrls", "http://me:secret@eureka:8761/eureka/", "credentials do not belong" },
		{ "serviceUrls", "http://eureka/?a=b", "characters" },
		{ "heartbeats", "batch", "not yet supported by this version" },
		{ "leaseSeconds", "27", "must be less than leaseSeconds" },
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct fake_host *fake = a_host(A);
		struct ek_error err = EK_ERROR_INIT;

		assert_true(fake_host_set(fake, cases[i].option, cases[i].value));
		assert_int_equal(fake_host_create(fake, &err), EK_INVALID);
		assert_int_equal(err.code, EK_INVALID);
		if (!strstr(err.message, cases[i].says))
			fail_msg("%s: %s", cases[i].value, err.message);
		assert_null(strstr(err.message, "secret"));
		assert_null(fake_host_end(fake));
	}
}

static void renewing_too_rarely_is_warned_of(void **state)
{
	struct fake_host *fake = a_host(A);

	fake_host_set(fake, "renewSeconds", "30");
	started(fake);
	assert_int_equal(fake->n_logs, 0);
	end(fake);

	fake = a_host(A);
	fake_host_set(fake, "renewSeconds", "31");
	started(fake);
	assert_int_equal(fake->n_logs, 1);
	assert_non_null(strstr(fake->last_log, "self-preservation"));
	end(fake);
}

static void the_traits_follow_the_options(void **state)
{
	struct fake_host *fake = a_host(A);
	const struct ek_registry_traits *traits;

	fake_host_set(fake, "renewSeconds", "2");
	fake_host_set(fake, "leaseSeconds", "6");
	started(fake);
	traits = fake_host_traits(fake);
	assert_int_equal(traits->size, sizeof(*traits));
	assert_int_equal(traits->lease_kind, EK_LEASE_INSTANCE);
	assert_int_equal(traits->flags, EK_REGISTRY_SETS_STATUS);
	assert_int_equal(traits->max_batch, 64);
	assert_int_equal(traits->renew_ms, 2000);
	assert_int_equal(traits->lease_ms, 6000);
	assert_int_equal(traits->list_age_ms, 30000);
	assert_int_equal(traits->same_id_gap_ms, 2000);
	end(fake);
}

static void timeouts_are_the_options_or_what_the_operation_has_left(void **state)
{
	struct fake_host *fake = a_host(A);
	struct ek_op op = sample_op(EK_OP_RENEW, 1, NULL), hasty = sample_op(EK_OP_RENEW, 2, NULL);
	struct fake_request *request;

	fake_host_set(fake, "requestTimeout", "5s");
	fake_host_set(fake, "connectTimeout", "700ms");
	started(fake);
	fake_host_apply(fake, &op);
	request = fake_host_request(fake);
	assert_int_equal(request->asked.timeout_ms, 5000);
	assert_int_equal(request->asked.connect_timeout_ms, 700);
	hasty.timeout_ms = 1200;
	fake_host_apply(fake, &hasty);
	assert_int_equal(fake_host_request(fake)->asked.timeout_ms, 1200);
	end(fake);
}

/* ---- Servers ------------------------------------------------------------------------------------------------------------------------------------------------ */

static void a_server_that_cannot_be_reached_is_replaced_by_the_next_once(void **state)
{
	struct fake_host *fake = a_registry(A "," B "," C);

	apply(fake, EK_OP_PUT, 0);
	break_off(fake, expect(fake, "POST", A "apps/RATING"), EK_RETRY);
	expect_nothing_yet(fake);
	break_off(fake, expect(fake, "POST", B "apps/RATING"), EK_RETRY);
	assert_int_equal(done(fake)->code, EK_RETRY);
	assert_int_equal(fake_host_open_requests(fake), 0);
	end(fake);
}

static void the_second_server_gets_the_same_registration(void **state)
{
	struct fake_host *fake = a_registry(A "," B);
	struct fake_request *first, *second;

	apply(fake, EK_OP_PUT, 0);
	first = expect(fake, "POST", A "apps/RATING");
	fake->wall_ms += 5;
	answer(fake, first, 500, NULL);
	second = expect(fake, "POST", B "apps/RATING");
	assert_string_equal(first->body, second->body);
	answer(fake, second, 204, NULL);
	assert_int_equal(done(fake)->code, EK_OK);
	assert_int_equal(done(fake)->revision, 1790000000000);
	end(fake);
}

static void nothing_is_sent_twice_when_the_first_may_have_taken_it(void **state)
{
	static const int statuses[] = { 0, 502, 504 };

	for (size_t i = 0; i < N_OF(statuses); i++) {
		struct fake_host *fake = a_registry(A "," B);

		apply(fake, EK_OP_REMOVE, 0);
		if (statuses[i])
			answer(fake, fake_host_request(fake), statuses[i], NULL);
		else
			break_off(fake, fake_host_request(fake), EK_UNKNOWN);
		assert_int_equal(done(fake)->code, EK_UNKNOWN);
		assert_int_equal(fake_host_open_requests(fake), 0);
		remove_as(fake, 2); /* but others are spared that server */
		expect(fake, "DELETE", B ITS_PATH);
		end(fake);
	}
}

static void an_answer_that_another_server_would_give_too_is_final(void **state)
{
	static const int statuses[] = { 400, 401, 403, 404, 409, 429 };

	for (size_t i = 0; i < N_OF(statuses); i++) {
		struct fake_host *fake = a_registry(A "," B);

		apply(fake, EK_OP_PUT, 0);
		answer(fake, fake_host_request(fake), statuses[i], NULL);
		done(fake);
		remove_as(fake, 2);
		expect(fake, "DELETE", A ITS_PATH);
		end(fake);
	}
}

static void whoever_took_over_is_kept_until_it_fails(void **state)
{
	struct fake_host *fake = a_registry(A "," B);

	remove_as(fake, 10);
	answer(fake, expect(fake, "DELETE", A ITS_PATH), 503, NULL);
	answer(fake, expect(fake, "DELETE", B ITS_PATH), 200, NULL);
	fake_host_advance(fake, 60000); /* A is not put aside any more, and yet */
	remove_as(fake, 11);
	answer(fake, expect(fake, "DELETE", B ITS_PATH), 307, NULL);
	answer(fake, expect(fake, "DELETE", A ITS_PATH), 200, NULL);
	assert_int_equal(fake_host_done(fake, 11)->code, EK_OK);
	end(fake);
}

static void a_server_that_failed_is_put_aside_for_half_a_minute(void **state)
{
	struct fake_host *fake = a_registry(A "," B "," C);

	remove_as(fake, 10);
	break_off(fake, expect(fake, "DELETE", A ITS_PATH), EK_RETRY);
	break_off(fake, expect(fake, "DELETE", B ITS_PATH), EK_RETRY);
	fake_host_advance(fake, 10000);
	remove_as(fake, 11);
	break_off(fake, expect(fake, "DELETE", C ITS_PATH), EK_UNKNOWN); /* now all three are aside: the first to come back is asked */
	remove_as(fake, 12);
	answer(fake, fake_host_request(fake), 200, NULL);
	assert_int_equal(fake_host_done(fake, 12)->code, EK_OK);
	assert_string_not_equal(fake->requests[fake->n_requests - 1]->url, C ITS_PATH);
	end(fake);
}

static void the_only_server_is_asked_whatever_happened(void **state)
{
	struct fake_host *fake = a_registry(A);

	for (uint64_t token = 10; token < 13; token++) {
		remove_as(fake, token);
		break_off(fake, expect(fake, "DELETE", A ITS_PATH), EK_RETRY);
		assert_int_equal(fake_host_done(fake, token)->code, EK_RETRY);
	}
	assert_int_equal(fake->n_logs, 0);
	end(fake);
}

static void there_is_no_second_try_without_time_for_it(void **state)
{
	struct fake_host *fake = a_registry(A "," B);

	apply(fake, EK_OP_REMOVE, 0);
	fake_host_advance(fake, 9900); /* of the 10 s that it has */
	break_off(fake, fake_host_request(fake), EK_RETRY);
	assert_int_equal(done(fake)->code, EK_RETRY);
	assert_int_equal(fake_host_open_requests(fake), 0);
	end(fake);
}

static void a_failing_server_is_told_of_once(void **state)
{
	struct fake_host *fake = a_registry(A "," B);
	struct fake_request *first, *second;

	remove_as(fake, 10);
	remove_as(fake, 11);
	first = fake_host_request(fake);
	second = fake_host_request(fake);
	break_off(fake, first, EK_RETRY);
	break_off(fake, second, EK_RETRY);
	assert_int_equal(fake->n_logs, 1);
	assert_non_null(strstr(fake->last_log, "fails"));
	answer(fake, expect(fake, "DELETE", B ITS_PATH), 200, NULL);
	answer(fake, expect(fake, "DELETE", B ITS_PATH), 200, NULL);
	end(fake);
}

/* ---- Every must of registry.h ------------------------------------------------------------------------------------------------------------------------------- */

static void create_sends_nothing_and_needs_no_server(void **state)
{
	struct fake_host *fake = a_registry("http://192.0.2.1:1/eureka/");

	fake_host_advance(fake, 3600000);
	assert_int_equal(fake->n_http, 0);
	end(fake);
}

static void what_cannot_be_sent_completes_with_a_code_on_a_later_turn(void **state)
{
	struct fake_host *fake = a_registry(A);

	fake->http_fails_from = 1;
	fake->http_fails_for = UINT32_MAX;
	apply(fake, EK_OP_PUT, 0);
	expect_nothing_yet(fake);
	fake_host_advance(fake, 0);
	assert_int_equal(done(fake)->code, EK_RETRY);
	assert_non_null(strstr(done(fake)->message, "too many requests"));
	end(fake);
}

static void each_operation_of_a_batch_completes_once(void **state)
{
	struct fake_host *fake = a_registry(A);
	const struct ek_op *ops[64];
	struct ek_op op[64];

	for (uint32_t i = 0; i < 64; i++) {
		op[i] = sample_op(1 + i % 5, 100 + i, &sample_instance);
		op[i].status = EK_STATUS_UP;
		ops[i] = &op[i];
	}
	fake_host_apply_all(fake, ops, 64);
	assert_int_equal(fake_host_open_requests(fake), 64);
	for (uint32_t i = 64; i-- > 0;) /* in any order */
		answer(fake, fake->requests[i], i % 2 ? 404 : 200, NULL);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(fake_host_times_done(fake, 100 + i), 1);
	end(fake);
}

/* The request's argument is the operation's memory: a steady heartbeat allocates nothing here. */
static void a_heartbeat_uses_the_memory_of_the_one_before(void **state)
{
	struct fake_host *fake = a_registry(A);
	const void *memory = NULL;

	for (uint64_t token = 10; token < 20; token++) {
		struct ek_op op = sample_op(EK_OP_RENEW, token, NULL);
		struct fake_request *request;

		fake_host_apply(fake, &op);
		request = fake_host_request(fake);
		assert_true(!memory || memory == request->asked.arg);
		memory = request->asked.arg;
		answer(fake, request, 200, NULL);
	}
	end(fake);
}

static void a_cancelled_operation_ends_its_request_and_nothing_else(void **state)
{
	struct fake_host *fake = a_registry(A);

	remove_as(fake, 10);
	remove_as(fake, 11);
	fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .owner_prefix = "seoul-1/" }, 12);
	fake_host_cancel(fake, 10);
	fake_host_cancel(fake, 12);
	fake_host_cancel(fake, 99); /* nobody's */
	assert_int_equal(fake_host_open_requests(fake), 1);
	answer(fake, fake_host_request(fake), 200, NULL);
	assert_int_equal(fake_host_times_done(fake, 10), 0);
	assert_int_equal(fake_host_times_done(fake, 11), 1);
	end(fake);
}

static void closing_gives_up_what_is_under_way(void **state)
{
	struct fake_host *fake = a_registry(A "," B);

	apply(fake, EK_OP_PUT, 0);
	remove_as(fake, 10);
	fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .owner_prefix = "seoul-1/" }, 11);
	fake_host_probe(fake, 12);
	fake->http_fails_from = fake->n_http + 1;
	fake->http_fails_for = 1;
	remove_as(fake, 13); /* waits for a turn of the loop to say so */
	end(fake);
}

static void closing_deregisters_nothing(void **state)
{
	struct fake_host *fake = a_registry(A);

	apply(fake, EK_OP_PUT, 0);
	answer(fake, fake_host_request(fake), 204, NULL);
	fake_host_close(fake);
	assert_int_equal(fake->n_http, 1);
	assert_null(fake_host_end(fake));
}

/* Any call of host->http may be refused: whatever was asked, it ends, once, and nothing is left. */
static void the_nth_refusal_of_the_transport_is_survived(void **state)
{
	for (uint32_t n = 1; n <= 6; n++) {
		struct fake_host *fake = a_registry(A "," B);
		struct ek_instance out = sample_instance;
		struct ek_op op = sample_op(EK_OP_PUT, 1, &out);
		struct fake_request *request;

		out.status = EK_STATUS_OUT_OF_SERVICE;
		fake->http_fails_from = n;
		fake->http_fails_for = 1;
		fake_host_apply(fake, &op);
		remove_as(fake, 10);
		fake_host_list(fake, &(struct ek_scope){ .size = sizeof(struct ek_scope), .owner_prefix = "seoul-1/" }, 11);
		while ((request = fake_host_request(fake)))
			answer(fake, request, 500, NULL);
		fake_host_advance(fake, 0);
		while ((request = fake_host_request(fake)))
			answer(fake, request, 500, NULL);
		assert_int_equal(fake_host_times_done(fake, 1), 1);
		assert_int_equal(fake_host_times_done(fake, 10), 1);
		assert_int_equal(fake_host_times_done(fake, 11), 1);
		end(fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_brought_into_one_form),
		cmocka_unit_test(options_that_cannot_work_are_refused_with_the_reason),
		cmocka_unit_test(renewing_too_rarely_is_warned_of),
		cmocka_unit_test(the_traits_follow_the_options),
		cmocka_unit_test(timeouts_are_the_options_or_what_the_operation_has_left),
		cmocka_unit_test(a_server_that_cannot_be_reached_is_replaced_by_the_next_once),
		cmocka_unit_test(the_second_server_gets_the_same_registration),
		cmocka_unit_test(nothing_is_sent_twice_when_the_first_may_have_taken_it),
		cmocka_unit_test(an_answer_that_another_server_would_give_too_is_final),
		cmocka_unit_test(whoever_took_over_is_kept_until_it_fails),
		cmocka_unit_test(a_server_that_failed_is_put_aside_for_half_a_minute),
		cmocka_unit_test(the_only_server_is_asked_whatever_happened),
		cmocka_unit_test(there_is_no_second_try_without_time_for_it),
		cmocka_unit_test(a_failing_server_is_told_of_once),
		cmocka_unit_test(create_sends_nothing_and_needs_no_server),
		cmocka_unit_test(what_cannot_be_sent_completes_with_a_code_on_a_later_turn),
		cmocka_unit_test(each_operation_of_a_batch_completes_once),
		cmocka_unit_test(a_heartbeat_uses_the_memory_of_the_one_before),
		cmocka_unit_test(a_cancelled_operation_ends_its_request_and_nothing_else),
		cmocka_unit_test(closing_gives_up_what_is_under_way),
		cmocka_unit_test(closing_deregisters_nothing),
		cmocka_unit_test(the_nth_refusal_of_the_transport_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
