/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes, drives and ends an instance of a plugin of either kind.
 * It judges nothing but what the host of the kit has noted down; which operations are started is the rules' affair.
 * Read next: registry_rules.c.
 */
#include "subject.h"

#include "kit/sample_instance.h"

#define STEP_MS 500
#define STEPS 240            /* two minutes: longer than any deadline of the host */
#define REAL_STEP_MS 20
#define PATIENCE_MS 20000    /* with sockets or a live registry */
#define CLOSE_MS 1000        /* for a thread to come back */
#define OP_TIMEOUT_MS 3000

static const struct fake_answer unreachable = { .code = EK_RETRY };

/* ---- Coming and going ---- */

static struct fake_host *make_host(const struct ek_check *check, const struct ek_option_set *options)
{
	struct fake_host *fake = fake_host_new(check->plugin);

	for (uint32_t i = 0; i < fake->n_options; i++)
		fake->values[i] = *options->values[i];
	return fake;
}

void ek_subject_called(const struct ek_subject *subject, int64_t began_ms)
{
	int64_t took_ms = ek_check_clock_ms() - began_ms;

	if (took_ms > subject->check->slowest_ms)
		subject->check->slowest_ms = took_ms;
}

static int create(struct ek_subject *subject, const struct ek_option_set *options, struct ek_error *err)
{
	if (subject->registry)
		return fake_host_create(subject->fake, err);
	return subject->mode->create ? subject->mode->create(&subject->fake->host, options->values, options->n, &subject->self, err) : EK_OK;
}

int ek_subject_create(struct ek_check *check, const struct ek_option_set *options, struct ek_subject *subject, const char **left, struct ek_error *err)
{
	bool is_mode = check->plugin->kind == EK_PLUGIN_MODE;
	int64_t began_ms = ek_check_clock_ms();
	int code;

	*subject = (struct ek_subject){ .check = check, .fake = make_host(check, options), .mode = is_mode ? check->plugin->ops : NULL,
		.registry = is_mode ? NULL : check->plugin->ops };
	*left = NULL;
	code = create(subject, options, err);
	ek_subject_called(subject, began_ms);
	if (code != EK_OK) {
		*left = fake_host_end(subject->fake);
		subject->fake = NULL;
	}
	return code;
}

const char *ek_subject_open(struct ek_check *check, struct ek_subject *subject)
{
	struct ek_error err = EK_ERROR_INIT;
	const char *left;

	if (ek_subject_create(check, &check->options, subject, &left, &err) == EK_OK)
		return NULL;
	return ek_check_saw(check, "create failed: %s", err.message);
}

/* `close` may complete what is in flight, so it is not called as an operation would be. */
static void close_registry(struct ek_subject *subject)
{
	struct fake_host *fake = subject->fake;
	int64_t began_ms = ek_check_clock_ms(), until_ms;

	subject->registry->close(fake->self);
	ek_subject_called(subject, began_ms);
	for (unsigned i = 0; i < STEPS && !fake->n_closed; i++)
		fake_host_advance(fake, STEP_MS);
	until_ms = ek_check_clock_ms() + CLOSE_MS;
	while (!fake->n_closed && ek_check_clock_ms() < until_ms)
		fake_host_wait(fake, REAL_STEP_MS);
}

const char *ek_subject_close(struct ek_subject *subject, const char *fault)
{
	struct fake_host *fake = subject->fake;
	const char *left;

	if (subject->registry)
		close_registry(subject);
	else if (subject->mode->destroy)
		subject->mode->destroy(subject->self);
	if (!fault)
		fault = fake->fault;
	if (!fault && subject->registry && fake->n_closed != 1)
		fault = fake->n_closed ? "closed was called more than once" : "closed was never called";
	left = fake_host_end(fake);
	return fault ? fault : left;
}

/* ---- What is registered ---- */

const struct ek_instance *ek_subject_instance(unsigned i)
{
	static const struct ek_pair digest = { .size = sizeof(digest), .key = EK_MARK_DIGEST, .value = "0123456789abcdef" };
	static const struct ek_pair owner = { .size = sizeof(owner), .key = EK_MARK_OWNER, .value = EK_SUBJECT_OWNER };
	static const struct ek_pair team = { .size = sizeof(team), .key = "team", .value = "a & b <c>" };
	static const struct ek_pair *const metadata[] = { &digest, &owner, &team };
	static char ids[EK_SUBJECT_INSTANCES][64];
	static struct ek_instance instances[EK_SUBJECT_INSTANCES];
	unsigned at = i % EK_SUBJECT_INSTANCES;

	snprintf(ids[at], sizeof(ids[at]), "kit:check:" EK_SUBJECT_APPLICATION ":pod-%u:8080", i);
	instances[at] = sample_instance;
	instances[at].id = ids[at];
	instances[at].owner = EK_SUBJECT_OWNER;
	instances[at].application = EK_SUBJECT_APPLICATION;
	instances[at].metadata = metadata;
	instances[at].n_metadata = 3;
	return &instances[at];
}

/* ---- Operations ---- */

struct ek_op ek_subject_op(struct ek_subject *subject, enum ek_op_kind kind, const struct ek_instance *instance)
{
	struct ek_op op = sample_op(kind, ++subject->token, instance);

	op.application = instance->application;
	op.timeout_ms = OP_TIMEOUT_MS;
	if (kind == EK_OP_RENEW && (fake_host_traits(subject->fake)->flags & EK_REGISTRY_RENEWS_BY_INSTANCE))
		op.instance = instance;
	if (kind == EK_OP_SET_STATUS)
		op.status = EK_STATUS_OUT_OF_SERVICE;
	return op;
}

uint64_t ek_subject_start(struct ek_subject *subject, enum ek_op_kind kind, const struct ek_instance *instance)
{
	struct ek_op op = ek_subject_op(subject, kind, instance);
	int64_t began_ms = ek_check_clock_ms();

	fake_host_apply(subject->fake, &op);
	ek_subject_called(subject, began_ms);
	return op.token;
}

uint64_t ek_subject_list(struct ek_subject *subject, const char *const *applications, uint32_t n)
{
	const struct ek_scope scope = { .size = sizeof(scope), .n_applications = n, .applications = n ? applications : NULL, .owner_prefix = "kit/" };
	int64_t began_ms = ek_check_clock_ms();

	fake_host_list(subject->fake, &scope, ++subject->token);
	ek_subject_called(subject, began_ms);
	return subject->token;
}

/* ---- Time ---- */

static void answer_requests(struct ek_subject *subject, const struct fake_answer *answer)
{
	struct ek_live *live = answer ? NULL : subject->check->live;
	struct fake_request *request;

	for (unsigned n = 0; n < EK_CHECK_MANY && (request = fake_host_request(subject->fake)); n++) {
		if (live)
			ek_live_answer(live, subject->fake, request);
		else
			fake_host_answer(subject->fake, request, answer ? answer : &unreachable);
	}
}

/* One step; true: it took no real time. */
static bool step(struct ek_subject *subject, const struct fake_answer *answer)
{
	struct fake_host *fake = subject->fake;

	answer_requests(subject, answer);
	fake_host_advance(fake, 0);
	if (fake->watches) {
		subject->check->reach = EK_REACH_SOCKETS;
		fake_host_wait(fake, REAL_STEP_MS);
		return false;
	}
	if (fake->n_http && subject->check->reach == EK_REACH_NOBODY)
		subject->check->reach = EK_REACH_HTTP;
	return true;
}

bool ek_subject_settle(struct ek_subject *subject, const struct fake_answer *answer, uint32_t n_completions)
{
	struct fake_host *fake = subject->fake;
	int64_t until_ms = ek_check_clock_ms() + PATIENCE_MS;
	unsigned n_steps = 0;

	while (fake->n_completions < n_completions && n_steps < STEPS && ek_check_clock_ms() < until_ms) {
		if (!step(subject, answer) || fake->n_completions >= n_completions)
			continue;
		fake_host_advance(fake, STEP_MS);
		n_steps++;
	}
	return fake->n_completions >= n_completions;
}

void ek_subject_linger(struct ek_subject *subject, const struct fake_answer *answer)
{
	for (unsigned i = 0; i < STEPS && step(subject, answer); i++)
		fake_host_advance(subject->fake, STEP_MS);
}

const struct fake_completion *ek_subject_do(struct ek_subject *subject, enum ek_op_kind kind, const struct ek_instance *instance)
{
	uint32_t n_before = subject->fake->n_completions;
	uint64_t token = ek_subject_start(subject, kind, instance);

	ek_subject_settle(subject, NULL, n_before + 1);
	return fake_host_done(subject->fake, token);
}
