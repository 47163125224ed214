/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of mode.h, one function each.
 * Which instances a mode should make of the sample is its own affair; what it must keep to, whatever it makes, is here.
 * Read next: eurekube/mode.h, sample_cluster.h.
 */
#include "check.h"

#include "answer.h"
#include "sample_cluster.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ALL_FLAGS (EK_ENDPOINT_READY | EK_ENDPOINT_SERVING | EK_ENDPOINT_TERMINATING)

/* ---- One instance of the mode ---- */

struct instance {
	struct fake_host *fake;
	const struct ek_mode_ops *ops;
	void *self;
	uint32_t reads;
};

static const char *open_instance(struct ek_check *check, struct instance *instance)
{
	struct ek_error err = EK_ERROR_INIT;

	*instance = (struct instance){ .fake = ek_check_host(check), .ops = check->plugin->ops };
	if (instance->ops->create &&
		instance->ops->create(&instance->fake->host, check->options, check->n_options, &instance->self, &err) != EK_OK) {
		fake_host_end(instance->fake);
		return ek_check_saw(check, "create failed: %s", err.message);
	}
	instance->reads = instance->ops->reads_of ? instance->ops->reads_of(instance->self) : instance->ops->reads;
	return NULL;
}

/* Keeps the first fault. */
static const char *close_instance(struct instance *instance, const char *fault)
{
	const char *left;

	if (instance->ops->destroy)
		instance->ops->destroy(instance->self);
	left = fake_host_end(instance->fake);
	return fault ? fault : left;
}

/* ---- One question ---- */

static int ask(const struct ek_check *check, const struct instance *instance, const struct ek_sample_wish *wish, const char *port,
	struct ek_answer *answer, struct ek_error *err)
{
	struct ek_syncer syncer = {
		.size = sizeof(syncer), .namespace_ = "shop", .name = "shop", .uid = "uid-syncer", .port_name = port,
		.options = check->instance_options, .n_options = check->n_instance_options,
	};
	struct ek_sample_wish filled = *wish;
	struct ek_arena arena;
	int code;

	filled.reads = instance->reads;
	ek_arena_init(&arena);
	code = instance->ops->desired(instance->self, &syncer, ek_sample_cluster(&arena, &filled), &answer->sink, err);
	ek_arena_clear(&arena);
	return code;
}

static const struct ek_sample_wish everything = { .flags = EK_ENDPOINT_READY | EK_ENDPOINT_SERVING, .only = -1 };

/* The whole answer as text; to be freed. NULL: the mode did not answer, see check->seen. */
static char *whole_answer(struct ek_check *check, const struct instance *instance, const struct ek_sample_wish *wish, unsigned *n_sources)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	char *text = NULL;

	ek_answer_init(&answer);
	if (ask(check, instance, wish, NULL, &answer, &err) == EK_OK)
		text = strdup(answer.text.at);
	else
		ek_check_saw(check, "desired failed: %s", err.message);
	*n_sources = answer.n_sources;
	ek_answer_clear(&answer);
	return text;
}

/* The first line in which the answers differ. */
static const char *difference(struct ek_check *check, const char *one, const char *other)
{
	size_t n = 0, line = 0;

	for (; one[n] && one[n] == other[n]; n++)
		if (one[n] == '\n')
			line = n + 1;
	return ek_check_saw(check, "once it emitted \"%.*s\", then \"%.*s\"", (int)strcspn(one + line, "\n"), one + line,
		(int)strcspn(other + line, "\n"), other + line);
}

/* What differs between two questions to the same instance. */
static const char *compare(struct ek_check *check, const struct instance *instance, const struct ek_sample_wish *first,
	const struct ek_sample_wish *second)
{
	unsigned n;
	char *one = whole_answer(check, instance, first, &n);
	char *other = one ? whole_answer(check, instance, second, &n) : NULL;
	const char *fault = NULL;

	if (!one || !other)
		fault = check->seen;
	else if (strcmp(one, other) != 0)
		fault = difference(check, one, other);
	free(one);
	free(other);
	return fault;
}

/* ---- Rules ---- */

static const char *creates_and_destroys(struct ek_check *check)
{
	struct instance first, second;
	const char *fault = open_instance(check, &first);

	if (fault)
		return fault;
	fault = open_instance(check, &second);
	if (!fault)
		fault = close_instance(&second, NULL);
	return close_instance(&first, fault);
}

static const char *reads_known(struct ek_check *check)
{
	const uint32_t known = EK_READS_SERVICES | EK_READS_ENDPOINTS | EK_READS_PODS | EK_READS_NODES;
	struct instance instance;
	const char *fault = open_instance(check, &instance);

	if (fault)
		return fault;
	if (instance.reads & ~known)
		fault = ek_check_saw(check, "it says that it reads %x", instance.reads);
	else if (instance.ops->reads_of && instance.ops->reads_of(instance.self) != instance.reads)
		fault = "what it reads has changed";
	return close_instance(&instance, fault);
}

static const char *emits_proper_instances(struct ek_check *check)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	struct instance instance;
	const char *fault = open_instance(check, &instance);

	if (fault)
		return fault;
	ek_answer_init(&answer);
	if (ask(check, &instance, &everything, NULL, &answer, &err) != EK_OK)
		fault = ek_check_saw(check, "desired failed: %s", err.message);
	else
		fault = answer.fault;
	ek_answer_clear(&answer);
	return close_instance(&instance, fault);
}

static const char *is_pure(struct ek_check *check)
{
	const struct ek_sample_wish nothing = { .only = -1, .has_no_services = true };
	struct instance instance;
	unsigned n;
	const char *fault = open_instance(check, &instance);

	if (fault)
		return fault;
	fault = compare(check, &instance, &everything, &everything);
	free(whole_answer(check, &instance, &nothing, &n)); /* a mode with a memory would now remember nothing */
	if (!fault)
		fault = compare(check, &instance, &everything, &everything);
	if (!fault && (instance.fake->n_http || instance.fake->n_timers_made))
		fault = "it used more of the host than its log";
	return close_instance(&instance, fault);
}

static const char *ignores_conditions(struct ek_check *check)
{
	const struct ek_sample_wish mixed = { .mixes_flags = true, .only = -1 };
	struct instance instance;
	const char *fault = open_instance(check, &instance);

	if (fault)
		return fault;
	for (uint32_t flags = 0; !fault && flags <= ALL_FLAGS; flags++) {
		struct ek_sample_wish wish = { .flags = flags, .only = -1 };

		fault = compare(check, &instance, &everything, &wish);
	}
	if (!fault)
		fault = compare(check, &instance, &everything, &mixed);
	return close_instance(&instance, fault);
}

static const char *emits_every_endpoint(struct ek_check *check)
{
	struct instance instance;
	unsigned n_sources = 0;
	const char *fault = open_instance(check, &instance);
	char *text;

	if (fault)
		return fault;
	text = whole_answer(check, &instance, &everything, &n_sources);
	if (!text)
		fault = check->seen;
	for (unsigned i = 0; text && n_sources && !fault && i < EK_SAMPLE_ENDPOINTS; i++) {
		char source[32];

		snprintf(source, sizeof(source), " <- 10.0.%u.7 of ", i);
		if (!strstr(text, source))
			fault = ek_check_saw(check, "the endpoint 10.0.%u.7 is the source of no instance", i);
	}
	free(text);
	return close_instance(&instance, fault);
}

static const char *emits_nothing_for_no_services(struct ek_check *check)
{
	const struct ek_sample_wish nothing = { .only = -1, .has_no_services = true };
	struct instance instance;
	unsigned n;
	const char *fault = open_instance(check, &instance);
	char *text;

	if (fault)
		return fault;
	text = whole_answer(check, &instance, &nothing, &n);
	if (!text)
		fault = check->seen;
	else if (text[0])
		fault = ek_check_saw(check, "it emitted \"%.*s\"", (int)strcspn(text, "\n"), text);
	free(text);
	return close_instance(&instance, fault);
}

/* False: the sample has fewer instances than that. */
static bool refuse_at(struct ek_check *check, const struct instance *instance, unsigned n, const char **fault)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	bool was_refused;
	int code;

	ek_answer_init(&answer);
	answer.refuses_from = n;
	code = ask(check, instance, &everything, NULL, &answer, &err);
	was_refused = answer.n >= n;
	if (was_refused && answer.went_on)
		*fault = ek_check_saw(check, "it went on after the sink had refused instance %u", n);
	else if (was_refused && (code != EK_ANSWER_CODE || strcmp(err.reason, EK_ANSWER_REASON) != 0))
		*fault = ek_check_saw(check, "the sink refused instance %u with code %d, and the mode returned %d", n, EK_ANSWER_CODE, code);
	ek_answer_clear(&answer);
	return was_refused;
}

static const char *stops_when_refused(struct ek_check *check)
{
	struct instance instance;
	const char *fault = open_instance(check, &instance);

	if (fault)
		return fault;
	for (unsigned n = 1; !fault && refuse_at(check, &instance, n, &fault); n++)
		;
	return close_instance(&instance, fault);
}

static bool is_camel_case(const char *word)
{
	if (!isupper((unsigned char)word[0]))
		return false;
	while (isalnum((unsigned char)*word))
		word++;
	return *word == '\0';
}

static const char *explains_a_failure(struct ek_check *check)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	struct instance instance;
	const char *fault = open_instance(check, &instance);
	int code;

	if (fault)
		return fault;
	ek_answer_init(&answer);
	code = ask(check, &instance, &everything, "no-such-port", &answer, &err);
	if (code != EK_OK && (err.code != code || !err.message[0]))
		fault = ek_check_saw(check, "for a port that is not there it returned %d, but its error says %d: \"%s\"", code, err.code,
			err.message);
	else if (code == EK_INVALID && !is_camel_case(err.reason))
		fault = ek_check_saw(check, "for a port that is not there the reason is \"%s\", which is no CamelCase word", err.reason);
	ek_answer_clear(&answer);
	return close_instance(&instance, fault);
}

static const char *keeps_its_promise_per_endpoint(struct ek_check *check)
{
	struct instance instance;
	unsigned n;
	const char *fault = open_instance(check, &instance);
	char *whole, *part;

	if (fault)
		return fault;
	whole = whole_answer(check, &instance, &everything, &n);
	if (!whole)
		fault = check->seen;
	for (int i = 0; whole && !fault && i < EK_SAMPLE_ENDPOINTS; i++) {
		struct ek_sample_wish wish = everything;
		char *line, *rest = NULL;

		wish.only = i;
		part = whole_answer(check, &instance, &wish, &n);
		if (!part)
			fault = check->seen;
		for (line = part ? strtok_r(part, "\n", &rest) : NULL; line && !fault; line = strtok_r(NULL, "\n", &rest))
			if (!strstr(whole, line))
				fault = ek_check_saw(check, "asked for endpoint %d alone it emits another instance: %.200s", i, line);
		free(part);
	}
	free(whole);
	return close_instance(&instance, fault);
}

void ek_check_mode(struct ek_check *check)
{
	const struct ek_mode_ops *ops = check->plugin->ops;

	ek_check_run(check, "create", "instances can be created side by side and destroyed", creates_and_destroys);
	ek_check_run(check, "reads", "what it reads is known and does not change", reads_known);
	ek_check_run(check, "instances", "what it emits is complete, and leaves the host's fields alone", emits_proper_instances);
	ek_check_run(check, "pure", "the same question has the same answer, whatever was asked before", is_pure);
	ek_check_run(check, "conditions", "conditions of endpoints change nothing: they are the host's", ignores_conditions);
	ek_check_run(check, "every-endpoint", "each endpoint of the selected Services is emitted", emits_every_endpoint);
	ek_check_run(check, "no-services", "without Services there are no instances", emits_nothing_for_no_services);
	ek_check_run(check, "refusal", "it stops at once when the sink refuses, and hands the refusal on", stops_when_refused);
	ek_check_run(check, "failure", "a syncer that cannot be served is told why", explains_a_failure);
	if (ops->flags & EK_MODE_PER_ENDPOINT)
		ek_check_run(check, "per-endpoint", "asked for one endpoint it emits what it emits for it among all",
			keeps_its_promise_per_endpoint);
}
