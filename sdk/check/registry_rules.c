/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of registry.h that can be seen kept without a registry: before a host whose network leads nowhere, or answers nonsense.
 * Whether the plugin speaks its registry's protocol is for its own tests; here is what it must keep to whatever it speaks.
 * Read next: eurekube/registry.h, subject.h; then live_rules.c.
 */
#include "check.h"

#include "subject.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 64
#define UNKNOWN_TOKEN 4711
#define GRACE_MS 1000 /* behind an operation's deadline */
#define MOMENTS 5
#define MOMENT_MS 10

static const struct fake_answer unreachable = { .code = EK_RETRY };
static const struct fake_answer nonsense = { .status = 200, .body = "<html><body>It works!</body></html>", .content_type = "text/html" };
static const struct fake_answer silent = { .code = EK_UNKNOWN }; /* the request's own deadline passed */
static const struct fake_answer broken = { .status = 500, .body = "{}" };

static const char *const applications[] = { EK_SUBJECT_APPLICATION };

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

static int32_t code_of(const struct fake_host *fake, uint64_t token)
{
	const struct fake_completion *done = fake_host_done(fake, token);

	return done ? done->code : -1;
}

/* ---- Creating ---- */

static const char *judge_create(const struct ek_subject *registry)
{
	const struct ek_registry_traits *traits = fake_host_traits(registry->fake);

	if (!traits || traits->size < sizeof(*traits))
		return "it has no traits, or they do not know their size";
	return registry->fake->fault;
}

static const char *creates_quietly(struct ek_check *check)
{
	struct ek_subject first, second;
	const char *fault = ek_subject_open(check, &first);

	if (fault)
		return fault;
	fault = judge_create(&first);
	if (!fault)
		fault = ek_subject_open(check, &second);
	if (!fault) {
		fault = judge_create(&second);
		ek_subject_close(&second, NULL); /* which has a rule of its own */
	}
	ek_subject_close(&first, NULL);
	return fault;
}

static const char *closes(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault = ek_subject_open(check, &registry);

	if (fault)
		return fault;
	fault = ek_subject_close(&registry, NULL);
	if (fault)
		return fault;
	fault = ek_subject_open(check, &registry);
	if (fault)
		return fault;
	ek_subject_start(&registry, EK_OP_REMOVE, ek_subject_instance(0));
	ek_subject_start(&registry, EK_OP_GET, ek_subject_instance(1));
	ek_subject_list(&registry, applications, 1);
	if (!registry.fake->fault)
		return ek_subject_close(&registry, NULL);
	ek_subject_close(&registry, NULL); /* what was wrong before is told by "completion" */
	return NULL;
}

static const char *fault_of_traits(struct ek_check *check, const struct ek_registry_traits *traits)
{
	const uint32_t known = EK_REGISTRY_SETS_STATUS | EK_REGISTRY_RENEWS_BY_INSTANCE | EK_REGISTRY_LISTS_BY_APPLICATION;

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
	struct ek_subject registry;
	struct ek_registry_traits before;
	const char *fault = ek_subject_open(check, &registry);

	if (fault)
		return fault;
	fault = fault_of_traits(check, fake_host_traits(registry.fake));
	if (!fault) {
		before = *fake_host_traits(registry.fake);
		ek_subject_start(&registry, EK_OP_GET, ek_subject_instance(0));
		ek_subject_settle(&registry, &unreachable, 1);
		if (memcmp(&before, fake_host_traits(registry.fake), sizeof(before)) != 0)
			fault = "they changed";
	}
	ek_subject_close(&registry, NULL);
	return fault;
}

/* ---- Completing ---- */

/* The last one undoes the first, should there be a registry behind. */
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

typedef const char *(*judge_fn)(struct ek_check *check, const char *kind, int32_t code);

/* Every kind of operation, each on an instance of its own, answered alike. */
static const char *each_kind(struct ek_check *check, const struct fake_answer *answer, judge_fn judge)
{
	const char *fault = NULL;

	for (size_t i = 0; !fault && i < N_KINDS; i++) {
		struct ek_subject registry;
		uint64_t token;

		fault = ek_subject_open(check, &registry);
		if (fault)
			return fault;
		if (is_sent(registry.fake, kinds[i].kind)) {
			token = ek_subject_start(&registry, kinds[i].kind, ek_subject_instance(0));
			ek_subject_settle(&registry, answer, 1);
			ek_subject_linger(&registry, answer);
			fault = judge_completion(check, registry.fake, token, kinds[i].name);
			if (!fault && judge)
				fault = judge(check, kinds[i].name, code_of(registry.fake, token));
		}
		fault = ek_subject_close(&registry, fault);
	}
	return fault;
}

static const char *completes_each_once(struct ek_check *check)
{
	const struct fake_answer *const answers[] = { &nonsense, &silent, &broken };
	const char *fault = each_kind(check, &unreachable, NULL);

	for (size_t i = 0; !fault && check->reach == EK_REACH_HTTP && i < sizeof(answers) / sizeof(answers[0]); i++)
		fault = each_kind(check, answers[i], NULL);
	return fault;
}

static const char *judge_broken(struct ek_check *check, const char *kind, int32_t code)
{
	if (code != EK_OK && code != EK_GONE)
		return NULL;
	return ek_check_saw(check, "%s ended with code %d although the server answered 500", kind, code);
}

static const char *believes_no_broken_server(struct ek_check *check)
{
	if (check->reach != EK_REACH_HTTP)
		return ek_check_skip(check, "it sends no HTTP requests");
	return each_kind(check, &broken, judge_broken);
}

static const char *completes_without_the_hosts_help(struct ek_check *check)
{
	const char *fault = NULL;

	if (check->reach != EK_REACH_HTTP)
		return ek_check_skip(check, "it sends no HTTP requests");
	for (uint32_t n = 1; !fault && n <= 3; n++) {
		struct ek_subject registry;
		uint64_t token;

		fault = ek_subject_open(check, &registry);
		if (fault)
			return fault;
		registry.fake->http_fails_from = registry.fake->n_http + n;
		registry.fake->http_fails_for = 1000000;
		token = ek_subject_start(&registry, EK_OP_PUT, ek_subject_instance(0));
		ek_subject_settle(&registry, &unreachable, 1);
		ek_subject_linger(&registry, &unreachable);
		fault = ek_subject_close(&registry, judge_completion(check, registry.fake, token, "PUT"));
	}
	return fault;
}

/* ---- Nobody there ---- */

static const char *judge_unreachable(struct ek_check *check, const char *kind, int32_t code)
{
	if (code == EK_RETRY || code == EK_UNKNOWN)
		return NULL;
	return ek_check_saw(check, "%s ended with code %d", kind, code);
}

/* Starts an operation of each kind where nobody answers. Until the deadline has passed nothing is said to the plugin but that its own requests timed out. */
static const char *wait_in_vain(struct ek_check *check, struct ek_subject *registry, uint64_t tokens[N_KINDS])
{
	struct fake_host *fake = registry->fake;
	int64_t until_ms = fake->now_ms + ek_subject_op(registry, EK_OP_GET, ek_subject_instance(0)).timeout_ms + GRACE_MS;
	const char *fault = NULL;

	for (unsigned i = 0; i < N_KINDS; i++)
		tokens[i] = is_sent(fake, kinds[i].kind) ? ek_subject_start(registry, kinds[i].kind, ek_subject_instance(i)) : 0;
	while (fake->now_ms < until_ms) {
		if (fake->watches)
			fake_host_wait(fake, 20);
		else
			fake_host_advance(fake, 20);
		fake_host_time_out(fake);
	}
	for (unsigned i = 0; i < N_KINDS && !fault; i++)
		if (tokens[i])
			fault = judge_completion(check, fake, tokens[i], kinds[i].name);
	return fault;
}

static const char *open_nowhere(struct ek_check *check, struct ek_subject *registry)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_option_set nowhere;
	const char *left;

	if (check->reach == EK_REACH_NOBODY)
		return ek_check_skip(check, "it asks nobody");
	if (ek_check_resolve_nowhere(check, &nowhere, &err) != EK_OK)
		return ek_check_skip(check, "its options cannot be aimed at a server that does not answer: %s", err.message);
	if (ek_subject_create(check, &nowhere, registry, &left, &err) != EK_OK)
		return ek_check_skip(check, "it cannot be aimed at a server that does not answer: %s", err.message);
	return NULL;
}

static const char *keeps_deadlines(struct ek_check *check)
{
	struct ek_subject registry;
	uint64_t tokens[N_KINDS];
	const char *fault = open_nowhere(check, &registry);

	return fault ? fault : ek_subject_close(&registry, wait_in_vain(check, &registry, tokens));
}

static const char *says_when_unreachable(struct ek_check *check)
{
	struct ek_subject registry;
	uint64_t tokens[N_KINDS];
	const char *fault;

	if (check->reach == EK_REACH_HTTP)
		return each_kind(check, &unreachable, judge_unreachable);
	fault = open_nowhere(check, &registry);
	if (fault)
		return fault;
	fault = wait_in_vain(check, &registry, tokens);
	for (unsigned i = 0; i < N_KINDS && !fault; i++)
		if (tokens[i])
			fault = judge_unreachable(check, kinds[i].name, code_of(registry.fake, tokens[i]));
	return ek_subject_close(&registry, fault);
}

/* ---- Many ---- */

static const char *completes_a_batch(struct ek_check *check)
{
	struct ek_instance instances[BATCH_MAX];
	struct ek_op ops[BATCH_MAX];
	const struct ek_op *list[BATCH_MAX];
	char ids[BATCH_MAX][64];
	struct ek_subject registry;
	const char *fault = ek_subject_open(check, &registry);
	uint64_t first;
	uint32_t n;

	if (fault)
		return fault;
	first = registry.token + 1;
	n = fake_host_traits(registry.fake)->max_batch < BATCH_MAX ? fake_host_traits(registry.fake)->max_batch : BATCH_MAX;
	for (uint32_t i = 0; i < n; i++) {
		instances[i] = *ek_subject_instance(i);
		snprintf(ids[i], sizeof(ids[i]), "%s", instances[i].id);
		instances[i].id = ids[i];
		ops[i] = ek_subject_op(&registry, EK_OP_REMOVE, &instances[i]);
		list[i] = &ops[i];
	}
	fake_host_apply_all(registry.fake, list, n);
	memset(ids, '#', sizeof(ids)); /* it was borrowed until apply returned */
	memset(ops, 0, sizeof(ops));
	memset(instances, 0, sizeof(instances));
	ek_subject_settle(&registry, &unreachable, n);
	for (uint64_t i = 0; i < n && !fault; i++)
		fault = judge_completion(check, registry.fake, first + i, "an operation of a batch");
	return ek_subject_close(&registry, fault);
}

/* Ten thousand operations whose requests fail: none is lost, none comes twice. */
static const char *carries_a_flood(struct ek_check *check)
{
	struct ek_subject registry;
	struct ek_op ops[BATCH_MAX];
	const struct ek_op *list[BATCH_MAX];
	int64_t until_ms = ek_check_clock_ms() + EK_CHECK_MANY_MS;
	const char *fault;
	uint32_t batch;

	if (check->reach != EK_REACH_HTTP)
		return ek_check_skip(check, "it sends no HTTP requests; see many");
	fault = ek_subject_open(check, &registry);
	if (fault)
		return fault;
	batch = fake_host_traits(registry.fake)->max_batch < BATCH_MAX ? fake_host_traits(registry.fake)->max_batch : BATCH_MAX;
	for (uint32_t n = 0, done = 0; done < EK_CHECK_MANY && ek_check_clock_ms() < until_ms; done += n) {
		for (n = 0; n < batch && done + n < EK_CHECK_MANY; n++) {
			ops[n] = ek_subject_op(&registry, EK_OP_PUT, ek_subject_instance(n));
			list[n] = &ops[n];
		}
		fake_host_apply_all(registry.fake, list, n);
		ek_subject_settle(&registry, &unreachable, done > batch ? done - batch : 0);
	}
	ek_subject_settle(&registry, &unreachable, EK_CHECK_MANY);
	fault = registry.fake->fault;
	if (!fault && registry.fake->n_completions != EK_CHECK_MANY)
		fault = ek_check_saw(check, "of %d operations %u were completed", EK_CHECK_MANY, registry.fake->n_completions);
	return ek_subject_close(&registry, fault);
}

/* ---- Reading ---- */

static const char *list_against(struct ek_check *check, const struct fake_answer *answer)
{
	struct ek_subject registry;
	const char *fault = ek_subject_open(check, &registry);
	uint64_t token;

	if (fault)
		return fault;
	token = ek_subject_list(&registry, applications, 1);
	ek_subject_settle(&registry, answer, 1);
	ek_subject_linger(&registry, answer);
	fault = judge_completion(check, registry.fake, token, "the list");
	if (!fault && registry.fake->n_http && code_of(registry.fake, token) == EK_OK)
		fault = "the list ended as complete, which says that everything is gone";
	return ek_subject_close(&registry, fault);
}

static const char *lists_truthfully(struct ek_check *check)
{
	const char *fault = list_against(check, &unreachable);

	if (!fault && check->reach == EK_REACH_HTTP)
		fault = list_against(check, &broken);
	if (!fault && check->reach == EK_REACH_HTTP)
		fault = list_against(check, &nonsense);
	return fault;
}

static const char *probes(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault;
	uint64_t token;

	if (!((const struct ek_registry_ops *)check->plugin->ops)->probe)
		return ek_check_skip(check, "it has none; the host lists instead");
	fault = ek_subject_open(check, &registry);
	if (fault)
		return fault;
	token = ++registry.token;
	fake_host_probe(registry.fake, token);
	ek_subject_settle(&registry, &unreachable, 1);
	ek_subject_linger(&registry, &unreachable);
	fault = judge_completion(check, registry.fake, token, "the probe");
	if (!fault && registry.fake->n_http && code_of(registry.fake, token) == EK_OK)
		fault = "the probe of an unreachable registry ended as OK";
	return ek_subject_close(&registry, fault);
}

/* ---- Ending ---- */

static const char *cancels(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault;
	uint64_t tokens[2];

	if (!((const struct ek_registry_ops *)check->plugin->ops)->cancel)
		return ek_check_skip(check, "it has none; the host ignores what comes late");
	fault = ek_subject_open(check, &registry);
	if (fault)
		return fault;
	tokens[0] = ek_subject_start(&registry, EK_OP_GET, ek_subject_instance(0));
	tokens[1] = ek_subject_list(&registry, applications, 1);
	/* It may complete inside: this is not the call that started it. */
	registry.registry->cancel(registry.fake->self, tokens[0]);
	registry.registry->cancel(registry.fake->self, tokens[1]);
	registry.registry->cancel(registry.fake->self, UNKNOWN_TOKEN); /* long gone */
	ek_subject_linger(&registry, &unreachable);
	fault = registry.fake->fault;
	for (unsigned i = 0; i < 2 && !fault; i++)
		if (fake_host_times_done(registry.fake, tokens[i]) > 1)
			fault = "what was cancelled was completed twice";
	return ek_subject_close(&registry, fault);
}

/* Time for one answer, and no more: a server that is silent is waited for elsewhere. */
static void wait_a_moment(struct ek_subject *registry, uint32_t n_completions)
{
	if (registry->check->reach != EK_REACH_SOCKETS)
		ek_subject_settle(registry, &unreachable, n_completions);
	for (unsigned i = 0; i < MOMENTS && registry->fake->n_completions < n_completions; i++)
		fake_host_wait(registry->fake, MOMENT_MS);
}

static const char *one_life(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault = ek_subject_open(check, &registry);

	if (fault)
		return fault;
	ek_subject_start(&registry, EK_OP_GET, ek_subject_instance(0));
	ek_check_look_at_threads(check);
	wait_a_moment(&registry, 1);
	ek_subject_start(&registry, EK_OP_GET, ek_subject_instance(0)); /* in flight when it ends */
	return ek_subject_close(&registry, NULL);
}

static const char *comes_and_goes(struct ek_check *check)
{
	return ek_check_cycles(check, one_life);
}

/* One of each. */
static const char *busy_life(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault = ek_subject_open(check, &registry);

	if (fault)
		return fault;
	for (size_t i = 0; i < N_KINDS; i++) {
		uint32_t n = registry.fake->n_completions;

		if (!is_sent(registry.fake, kinds[i].kind))
			continue;
		ek_subject_start(&registry, kinds[i].kind, ek_subject_instance(0));
		wait_a_moment(&registry, n + 1);
	}
	ek_subject_list(&registry, applications, 1);
	return ek_subject_close(&registry, NULL);
}

static const char *answers_promptly(struct ek_check *check)
{
	return ek_check_prompt(check, busy_life);
}

static const char *leaves_no_thread(struct ek_check *check)
{
	return ek_check_threads(check, one_life);
}

const struct ek_rule ek_registry_rules[] = {
	{ "options", "it takes each value that its options allow, or says why not", NULL, ek_check_options },
	{ "create", "instances are created side by side, without asking the registry", "options", creates_quietly },
	{ "close", "idle or with work in flight it closes exactly once and leaves nothing behind", "create", closes },
	{ "traits", "traits make sense and do not change", "close", has_sane_traits },
	{ "completion", "each operation completes exactly once, on a later turn, whatever the server says", "close", completes_each_once },
	{ "unreachable", "an operation on an unreachable registry ends as RETRY or UNKNOWN", "completion", says_when_unreachable },
	{ "deadline", "an operation on a server that does not answer ends by its deadline", "unreachable", keeps_deadlines },
	{ "broken-server", "a server that answers 500 has neither done it nor lost it", "unreachable", believes_no_broken_server },
	{ "no-requests", "operations complete although the host refuses requests", "completion", completes_without_the_hosts_help },
	{ "batch", "a whole batch completes, and nothing borrowed is used after apply", "completion", completes_a_batch },
	{ "list", "a list completes, and one that could not be read does not end as complete", "completion", lists_truthfully },
	{ "probe", "a probe completes, and an unreachable registry fails it", "completion", probes },
	{ "cancel", "what is cancelled completes at most once", "completion", cancels },
	{ "flood", "ten thousand operations on an unreachable registry each complete", "batch", carries_a_flood },
	{ "prompt", "no call into it takes long: the whole process waits", "completion", answers_promptly },
	{ "threads", "its threads block all signals, and none outlives its instance", "completion", leaves_no_thread },
	{ "cycles", "a hundred instances come and go without leaving memory or descriptors", "threads", comes_and_goes },
	{ 0 },
};
