/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of registry_case.h. It judges nothing but what its callers assert. Read tests/contract/test_eureka.c next.
 */
#include "kit/registry_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fake_host *started(struct fake_host *fake)
{
	struct ek_error err = EK_ERROR_INIT;

	if (fake_host_create(fake, &err) != EK_OK)
		fail_msg("create: %s", err.message);
	return fake;
}

void end(struct fake_host *fake)
{
	const char *fault;

	fake_host_close(fake);
	fault = fake_host_end(fake);
	if (fault)
		fail_msg("%s", fault);
}

void apply(struct fake_host *fake, enum ek_op_kind kind, int64_t revision)
{
	struct ek_op op = sample_op(kind, 1, &sample_instance);

	op.revision = revision;
	fake_host_apply(fake, &op);
}

struct fake_request *expect(struct fake_host *fake, const char *method, const char *url)
{
	struct fake_request *request = fake_host_request(fake);

	if (!request)
		fail_msg("no request, but %s %s was expected", method, url);
	assert_string_equal(request->method, method);
	assert_string_equal(request->url, url);
	return request;
}

void answer(struct fake_host *fake, struct fake_request *request, int status, const char *body)
{
	struct fake_answer its = { .status = status, .body = body };

	assert_non_null(request);
	fake_host_answer(fake, request, &its);
}

void answer_in_pieces(struct fake_host *fake, struct fake_request *request, const char *body, uint32_t piece_bytes)
{
	struct fake_answer its = { .status = 200, .body = body, .piece_bytes = piece_bytes };

	assert_non_null(request);
	fake_host_answer(fake, request, &its);
}

void break_off(struct fake_host *fake, struct fake_request *request, int32_t code)
{
	struct fake_answer its = { .code = code };

	assert_non_null(request);
	fake_host_answer(fake, request, &its);
}

const struct fake_completion *done(struct fake_host *fake)
{
	assert_int_equal(fake_host_times_done(fake, 1), 1);
	return fake_host_done(fake, 1);
}

void expect_nothing_yet(struct fake_host *fake)
{
	assert_int_equal(fake_host_times_done(fake, 1), 0);
}
