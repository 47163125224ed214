/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of registry.h, one function each, before a host whose network leads nowhere or answers nonsense.
 * Whether the plugin speaks its registry's protocol is for its own tests; here is what it must keep to whatever it speaks.
 * Read next: eurekube/registry.h, tests/kit/fake_host.h.
 */
#include "check.h"

#include "kit/sample_instance.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS   500
#define STEPS     240  /* two minutes: longer than any deadline of the host */
#define LIST      1000 /* tokens */
#define PROBE     1001
#define BATCH_MAX 64

static const struct fake_answer unreachable = { .code = EK_RETRY };
static const struct fake_answer nonsense = { .status = 200, .body = "<html><body>It works!</body></html>", .content_type = "text/html" };
static const struct fake_answer broken = { .status = 500, .body = "{}" };

/* ---- One instance of the registry ---- */

static const struct ek_registry_ops *ops_of(const struct fake_host *fake)
{
	return fake->plugin->ops;
}

static struct fake_host *open_registry(struct ek_check *check, const char **fault)
{
	struct fake_host *fake = ek_check_host(check);
	struct ek_error err = EK_ERROR_INIT;

	*fault = NULL;
	if (fake_host_create(fake, &err) == EK_OK)
		return fake;
	*fault = ek_check_saw(check, "create failed: %s", err.message);
	fake_host_end(fake);
	return NULL;
}

/* `close` may complete what is in flight, so it is not called as an operation would be. Keeps the first fault. */
static const char *close_registry(struct fake_host *fake, const char *fault)
{
	const char *left;

	ops_of(fake)->close(fake->self);
	for (unsigned i = 0; i < STEPS && !fake->n_closed; i++)
		fake_host_advance(fake, STEP_MS);
	if (!fault && fake->n_closed != 1)
		fault = fake->n_closed ? "closed was called more than once" : "closed was never called";
	left = fake_host_end(fake);
	return fault ? fault : left;
}

/* Answers every request alike until the plugin has been quiet for two minutes of its time. */
static void let_it_run(struct fake_host *fake, const struct fake_answer *answer)
{
	for (unsigned i = 0; i < STEPS; i++) {
		struct fake_request *request;

		for (unsigned n = 0; n < BATCH_MAX * 16 && (request = fake_host_request(fake)); n++)
			fake_host_answer(fake, request, answer);
		fake_host_advance(fake, STEP_MS);
	}
}

static bool is_known_code(int32_t code)
{
	return code >= EK_OK && code <= EK_CANCELLED;
}

/* NULL: completed exactly once, with a code that there is. */
static const char *judge_completion(struct ek_check *check, const struct fake_host *fake, uint64_t token, const char *what)
{
	uint32_t n = fake_host_times_done(fake, token);
	const struct fake_completion *done = fake_host_done(fake, token);

	if (fake->fault)
		return ek_check_saw(check, "%s: %s", what, fake->fault);
	if (n != 1)
		return ek_check_saw(check, n ? "%s was completed %u times" : "%s was not completed", what, n);
	if (!is_known_code(done->code))
		return ek_check_saw(check, "%s ended with the unknown code %d", what, done->code);
	return NULL;
}

/* ---- Operations ---- */

static const struct {
	enum ek_op_kind kind;
	const char *name;
} kinds[] = {
	{ EK_OP_PUT, "PUT" }, { EK_OP_RENEW, "RENEW" }, { EK_OP_SET_STATUS, "SET_STATUS" }, { EK_OP_GET, "GET" }, { EK_OP_REMOVE, "REMOVE" },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Whether the host would ever send it. */
static bool is_sent(struct fake_host *fake, enum ek_op_kind kind)
{
	const struct ek_registry_traits *traits = fake_host_traits(fake);

	if (kind == EK_OP_RENEW)
		return traits->lease_kind == EK_LEASE_INSTANCE;
	return kind != EK_OP_SET_STATUS || (traits->flags & EK_REGISTRY_SETS_STATUS);
}

static void start(struct fake_host *fake, enum ek_op_kind kind, uint64_t token)
{
	struct ek_op op = sample_op(kind, token, &sample_instance);

	if (kind == EK_OP_RENEW && (fake_host_traits(fake)->flags & EK_REGISTRY_RENEWS_BY_INSTANCE))
		op.instance = &sample_instance;
	if (kind == EK_OP_SET_STATUS)
		op.status = EK_STATUS_OUT_OF_SERVICE;
	fake_host_apply(fake, &op);
}

static void start_list(struct fake_host *fake)
{
	static const char *const applications[] = { "RATING" };
	const struct ek_scope scope = { .size = sizeof(scope), .n_applications = 1, .applications = applications,
		.owner_prefix = "seoul-1/" };

	fake_host_list(fake, &scope, LIST);
}

/* ---- Rules: creating ---- */

static const char *creates_quietly(struct ek_check *check)
{
	const char *fault;
	struct fake_host *first = open_registry(check, &fault), *second;

	if (!first)
		return fault;
	second = open_registry(check, &fault);
	if (second)
		fault = close_registry(second, first->fault);
	return close_registry(first, fault);
}

static const char *fault_of_traits(struct ek_check *check, const struct ek_registry_traits *traits)
{
	const uint32_t known = EK_REGISTRY_SETS_STATUS | EK_REGISTRY_RENEWS_BY_INSTANCE | EK_REGISTRY_LISTS_BY_APPLICATION;

	if (!traits || traits->size < sizeof(*traits))
		return "there are none, or they do not know their size";
	if (traits->max_batch < 1)
		return "max_batch is 0";
	if (traits->lease_kind > EK_LEASE_SESSION || (traits->flags & ~known))
		return ek_check_saw(check, "lease kind %u or flags %x are unknown", traits->lease_kind, traits->flags);
	if (traits->lease_kind == EK_LEASE_INSTANCE && (traits->renew_ms <= 0 || traits->lease_ms <= traits->renew_ms))
		return ek_check_saw(check, "a lease of %lld ms that is renewed every %lld ms does not live", (long long)traits->lease_ms,
			(long long)traits->renew_ms);
	if (traits->lease_kind != EK_LEASE_INSTANCE && traits->renew_ms)
		return "there is something to renew, but not for each instance";
	if (traits->renew_ms < 0 || traits->lease_ms < 0 || traits->list_age_ms < 0 || traits->same_id_gap_ms < 0)
		return "a time is negative";
	return NULL;
}

static const char *has_sane_traits(struct ek_check *check)
{
	const char *fault;
	struct fake_host *fake = open_registry(check, &fault);
	struct ek_registry_traits before;

	if (!fake)
		return fault;
	fault = fault_of_traits(check, fake_host_traits(fake));
	if (!fault) {
		before = *fake_host_traits(fake);
		start(fake, EK_OP_PUT, 1);
		let_it_run(fake, &unreachable);
		if (memcmp(&before, fake_host_traits(fake), sizeof(before)) != 0)
			fault = "they changed";
	}
	return close_registry(fake, fault);
}

/* ---- Rules: completing ---- */

/* Every kind of operation, each on an instance of its own, answered alike. */
static const char *each_kind(struct ek_check *check, const struct fake_answer *answer,
	const char *(*judge)(struct ek_check *check, struct fake_host *fake, size_t kind))
{
	const char *fault = NULL;

	for (size_t i = 0; !fault && i < N_KINDS; i++) {
		struct fake_host *fake = open_registry(check, &fault);

		if (!fake)
			return fault;
		if (is_sent(fake, kinds[i].kind)) {
			start(fake, kinds[i].kind, i + 1);
			let_it_run(fake, answer);
			fault = judge_completion(check, fake, i + 1, kinds[i].name);
			if (!fault && judge)
				fault = judge(check, fake, i);
		}
		fault = close_registry(fake, fault);
	}
	return fault;
}

static const char *completes_each_once(struct ek_check *check)
{
	const char *fault = each_kind(check, &unreachable, NULL);

	if (!fault)
		fault = each_kind(check, &nonsense, NULL);
	return fault ? fault : each_kind(check, &broken, NULL);
}

/* A registry that asked nobody (memory, say) has nothing that could be unreachable. */
static const char *judge_unreachable(struct ek_check *check, struct fake_host *fake, size_t kind)
{
	int32_t code = fake_host_done(fake, kind + 1)->code;

	if (!fake->n_http || code == EK_RETRY || code == EK_UNKNOWN)
		return NULL;
	return ek_check_saw(check, "%s ended with code %d", kinds[kind].name, code);
}

static const char *says_when_unreachable(struct ek_check *check)
{
	return each_kind(check, &unreachable, judge_unreachable);
}

static const char *judge_broken(struct ek_check *check, struct fake_host *fake, size_t kind)
{
	int32_t code = fake_host_done(fake, kind + 1)->code;

	if (!fake->n_http || (code != EK_OK && code != EK_GONE))
		return NULL;
	return ek_check_saw(check, "%s ended with code %d although the server answered 500", kinds[kind].name, code);
}

static const char *believes_no_broken_server(struct ek_check *check)
{
	return each_kind(check, &broken, judge_broken);
}

static const char *completes_without_the_hosts_help(struct ek_check *check)
{
	const char *fault = NULL;

	for (uint32_t n = 1; !fault && n <= 3; n++) {
		struct fake_host *fake = open_registry(check, &fault);

		if (!fake)
			return fault;
		fake->http_fails_from = fake->n_http + n;
		fake->http_fails_for = 1000000;
		start(fake, EK_OP_PUT, 1);
		let_it_run(fake, &unreachable);
		fault = close_registry(fake, judge_completion(check, fake, 1, "PUT"));
	}
	return fault;
}

static const char *completes_a_batch(struct ek_check *check)
{
	struct ek_instance instances[BATCH_MAX];
	struct ek_op ops[BATCH_MAX];
	const struct ek_op *list[BATCH_MAX];
	char ids[BATCH_MAX][64];
	const char *fault;
	struct fake_host *fake = open_registry(check, &fault);
	uint32_t n;

	if (!fake)
		return fault;
	n = fake_host_traits(fake)->max_batch < BATCH_MAX ? fake_host_traits(fake)->max_batch : BATCH_MAX;
	for (uint32_t i = 0; i < n; i++) {
		snprintf(ids[i], sizeof(ids[i]), "seoul-1:rating:RATING:rating-%u:8080", i);
		instances[i] = sample_instance;
		instances[i].id = ids[i];
		ops[i] = sample_op(EK_OP_PUT, i + 1, &instances[i]);
		list[i] = &ops[i];
	}
	fake_host_apply_all(fake, list, n);
	memset(ids, '#', sizeof(ids)); /* it was borrowed until apply returned */
	memset(ops, 0, sizeof(ops));
	let_it_run(fake, &unreachable);
	for (uint32_t i = 0; i < n && !fault; i++)
		fault = judge_completion(check, fake, i + 1, "PUT");
	return close_registry(fake, fault);
}

/* ---- Rules: reading ---- */

static const char *list_against(struct ek_check *check, const struct fake_answer *answer)
{
	const char *fault;
	struct fake_host *fake = open_registry(check, &fault);

	if (!fake)
		return fault;
	start_list(fake);
	let_it_run(fake, answer);
	fault = judge_completion(check, fake, LIST, "the list");
	if (!fault && fake->n_http && fake_host_done(fake, LIST)->code == EK_OK)
		fault = "the list ended as complete, which says that everything is gone";
	return close_registry(fake, fault);
}

static const char *lists_truthfully(struct ek_check *check)
{
	const char *fault = list_against(check, &unreachable);

	if (!fault)
		fault = list_against(check, &broken);
	return fault ? fault : list_against(check, &nonsense);
}

static const char *probes(struct ek_check *check)
{
	const char *fault;
	struct fake_host *fake = open_registry(check, &fault);

	if (!fake)
		return fault;
	fake_host_probe(fake, PROBE);
	let_it_run(fake, &unreachable);
	fault = judge_completion(check, fake, PROBE, "the probe");
	if (!fault && fake->n_http && fake_host_done(fake, PROBE)->code == EK_OK)
		fault = "the probe of an unreachable registry ended as OK";
	return close_registry(fake, fault);
}

/* ---- Rules: ending ---- */

static const char *cancels(struct ek_check *check)
{
	const char *fault;
	struct fake_host *fake = open_registry(check, &fault);

	if (!fake)
		return fault;
	start(fake, EK_OP_PUT, 1);
	start_list(fake);
	ops_of(fake)->cancel(fake->self, 1);
	ops_of(fake)->cancel(fake->self, LIST);
	ops_of(fake)->cancel(fake->self, 4711); /* long gone */
	let_it_run(fake, &unreachable);
	fault = fake->fault;
	if (fake_host_times_done(fake, 1) > 1 || fake_host_times_done(fake, LIST) > 1)
		fault = "what was cancelled was completed twice";
	return close_registry(fake, fault);
}

static const char *closes_with_work_in_flight(struct ek_check *check)
{
	const char *fault;
	struct fake_host *fake = open_registry(check, &fault);

	if (!fake)
		return fault;
	start(fake, EK_OP_PUT, 1);
	start(fake, EK_OP_GET, 2);
	start_list(fake);
	return close_registry(fake, fake->fault);
}

void ek_check_registry(struct ek_check *check)
{
	const struct ek_registry_ops *ops = check->plugin->ops;

	ek_check_run(check, "create", "instances are created side by side without asking the registry, and close at once", creates_quietly);
	ek_check_run(check, "traits", "traits make sense and do not change", has_sane_traits);
	ek_check_run(check, "completion", "each operation completes exactly once, on a later turn, whatever the server says",
		completes_each_once);
	ek_check_run(check, "unreachable", "an operation on an unreachable registry ends as RETRY or UNKNOWN", says_when_unreachable);
	ek_check_run(check, "broken-server", "a server that answers 500 has neither done it nor lost it", believes_no_broken_server);
	ek_check_run(check, "no-requests", "operations complete although the host refuses requests", completes_without_the_hosts_help);
	ek_check_run(check, "batch", "a whole batch completes, and nothing borrowed is used after apply", completes_a_batch);
	ek_check_run(check, "list", "a list that could not be read does not end as complete", lists_truthfully);
	if (ops->probe)
		ek_check_run(check, "probe", "a probe completes, and an unreachable registry fails it", probes);
	if (ops->cancel)
		ek_check_run(check, "cancel", "what is cancelled completes at most once", cancels);
	ek_check_run(check, "close", "with work in flight it closes exactly once and leaves nothing behind", closes_with_work_in_flight);
}
