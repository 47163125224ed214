/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of mode.h, one function each.
 * Which instances a mode should make of the sample is its own affair; what it must keep to, whatever it makes, is here.
 * Read next: eurekube/mode.h, sample_cluster.h.
 */
#include "check.h"

#include "answer.h"
#include "sample_cluster.h"
#include "subject.h"

#include "sync/reads.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ALL_FLAGS (EK_ENDPOINT_READY | EK_ENDPOINT_SERVING | EK_ENDPOINT_TERMINATING)

/* What this instance reads. */
static uint32_t reads_of(const struct ek_subject *mode)
{
	return mode->mode->reads_of ? mode->mode->reads_of(mode->self) : mode->mode->reads;
}

static const struct ek_resource_read *const *resources_of(const struct ek_subject *mode, uint32_t *n)
{
	*n = 0;
	return EK_HAS(mode->mode, resources_of) && mode->mode->resources_of ? mode->mode->resources_of(mode->self, n) : NULL;
}

/* ---- One question ---- */

static int ask(const struct ek_check *check, const struct ek_subject *mode, const struct ek_sample_wish *wish, const char *port,
	struct ek_answer *answer, struct ek_error *err)
{
	struct ek_syncer syncer = {
		.size = sizeof(syncer), .namespace_ = "shop", .name = "shop", .uid = "uid-syncer", .port_name = port,
		.options = check->instance_options.values, .n_options = check->instance_options.n,
	};
	struct ek_sample_wish filled = *wish;
	struct ek_sample_objects objects;
	const struct ek_resource_read *const *declared;
	struct ek_arena arena;
	struct ek_cluster cluster;
	int64_t began_ms;
	int code;

	filled.reads = reads_of(mode);
	ek_arena_init(&arena);
	cluster = *ek_sample_cluster(&arena, &filled);
	declared = resources_of(mode, &cluster.n_resources);
	cluster.resources = ek_sample_objects_make(&objects, declared, cluster.n_resources, check->objects, wish->has_odd_objects, &arena);
	began_ms = ek_check_clock_ms();
	code = mode->mode->desired(mode->self, &syncer, &cluster, &answer->sink, err);
	ek_subject_called(mode, began_ms);
	ek_sample_objects_clear(&objects);
	ek_arena_clear(&arena);
	return code;
}

static const struct ek_sample_wish everything = { .flags = EK_ENDPOINT_READY | EK_ENDPOINT_SERVING, .only = -1 };

/* The whole answer as text; to be freed. NULL: the mode did not answer, see check->seen. */
static char *whole_answer(struct ek_check *check, const struct ek_subject *mode, const struct ek_sample_wish *wish, unsigned *n_sources)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	char *text = NULL;

	ek_answer_init(&answer);
	if (ask(check, mode, wish, NULL, &answer, &err) == EK_OK)
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
static const char *compare(struct ek_check *check, const struct ek_subject *mode, const struct ek_sample_wish *first,
	const struct ek_sample_wish *second)
{
	unsigned n;
	char *one = whole_answer(check, mode, first, &n);
	char *other = one ? whole_answer(check, mode, second, &n) : NULL;
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
	struct ek_subject first, second;
	const char *fault = ek_subject_open(check, &first);

	if (fault)
		return fault;
	fault = ek_subject_open(check, &second);
	if (!fault)
		fault = ek_subject_close(&second, NULL);
	return ek_subject_close(&first, fault);
}

static const char *reads_known(struct ek_check *check)
{
	const uint32_t known = EK_READS_SERVICES | EK_READS_ENDPOINTS | EK_READS_PODS | EK_READS_NODES;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	struct ek_subject mode;
	uint32_t before;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	before = reads_of(&mode);
	ek_answer_init(&answer);
	ask(check, &mode, &everything, NULL, &answer, &err);
	ek_answer_clear(&answer);
	if (before & ~known)
		fault = ek_check_saw(check, "it says that it reads %x", before);
	else if (reads_of(&mode) != before)
		fault = ek_check_saw(check, "it read %x, then %x", before, reads_of(&mode));
	return ek_subject_close(&mode, fault);
}

static const char *declares_resources(struct ek_check *check)
{
	const struct ek_resource_read *const *first, *const *again;
	struct ek_subject mode;
	uint32_t n, n_again;
	char buffer[160];
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	first = resources_of(&mode, &n);
	fault = ek_reads_fault(first, n, buffer, sizeof(buffer));
	if (fault)
		return ek_subject_close(&mode, ek_check_saw(check, "it %s", fault));
	again = resources_of(&mode, &n_again);
	if (n_again != n || again != first)
		fault = ek_check_saw(check, "it declared %u resources, then %u, or others", n, n_again);
	return ek_subject_close(&mode, fault);
}

static const char *bears_any_object(struct ek_check *check)
{
	const struct ek_sample_wish odd = { .flags = EK_ENDPOINT_READY | EK_ENDPOINT_SERVING, .only = -1, .has_odd_objects = true };
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	struct ek_subject mode;
	uint32_t n;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	resources_of(&mode, &n);
	if (!n)
		return ek_subject_close(&mode, ek_check_skip(check, "it reads no other resources"));
	ek_answer_init(&answer);
	if (ask(check, &mode, &odd, NULL, &answer, &err) != EK_OK)
		fault = ek_check_saw(check, "an object that is not as it expects makes it fail for the whole syncer: %s", err.message);
	else
		fault = answer.fault;
	ek_answer_clear(&answer);
	return ek_subject_close(&mode, fault);
}

static const char *emits_proper_instances(struct ek_check *check)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	struct ek_subject mode;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	ek_answer_init(&answer);
	if (ask(check, &mode, &everything, NULL, &answer, &err) != EK_OK)
		fault = ek_check_saw(check, "desired failed: %s", err.message);
	else
		fault = answer.fault;
	ek_answer_clear(&answer);
	return ek_subject_close(&mode, fault);
}

static const char *is_pure(struct ek_check *check)
{
	const struct ek_sample_wish nothing = { .only = -1, .has_no_services = true };
	struct ek_subject mode;
	unsigned n;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	fault = compare(check, &mode, &everything, &everything);
	free(whole_answer(check, &mode, &nothing, &n)); /* a mode with a memory would now remember nothing */
	if (!fault)
		fault = compare(check, &mode, &everything, &everything);
	if (!fault && mode.fake->n_uses != mode.fake->n_logs)
		fault = "it used more of the host than its log";
	return ek_subject_close(&mode, fault);
}

static const char *ignores_conditions(struct ek_check *check)
{
	const struct ek_sample_wish mixed = { .mixes_flags = true, .only = -1 };
	struct ek_subject mode;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	for (uint32_t flags = 0; !fault && flags <= ALL_FLAGS; flags++) {
		struct ek_sample_wish wish = { .flags = flags, .only = -1 };

		fault = compare(check, &mode, &everything, &wish);
	}
	if (!fault)
		fault = compare(check, &mode, &everything, &mixed);
	return ek_subject_close(&mode, fault);
}

static const char *emits_every_endpoint(struct ek_check *check)
{
	struct ek_subject mode;
	unsigned n_sources = 0;
	const char *fault = ek_subject_open(check, &mode);
	char *text;

	if (fault)
		return fault;
	text = whole_answer(check, &mode, &everything, &n_sources);
	if (!text)
		fault = check->seen;
	for (unsigned i = 0; text && n_sources && !fault && i < EK_SAMPLE_ENDPOINTS; i++) {
		char source[32];

		snprintf(source, sizeof(source), " <- 10.0.%u.7 of ", i);
		if (!strstr(text, source))
			fault = ek_check_saw(check, "the endpoint 10.0.%u.7 is the source of no instance", i);
	}
	free(text);
	return ek_subject_close(&mode, fault);
}

static const char *emits_nothing_for_no_services(struct ek_check *check)
{
	const struct ek_sample_wish nothing = { .only = -1, .has_no_services = true };
	struct ek_subject mode;
	unsigned n;
	const char *fault = ek_subject_open(check, &mode);
	char *text;

	if (fault)
		return fault;
	text = whole_answer(check, &mode, &nothing, &n);
	if (!text)
		fault = check->seen;
	else if (text[0])
		fault = ek_check_saw(check, "it emitted \"%.*s\"", (int)strcspn(text, "\n"), text);
	free(text);
	return ek_subject_close(&mode, fault);
}

/* False: the sample has fewer instances than that. */
static bool refuse_at(struct ek_check *check, const struct ek_subject *mode, unsigned n, const char **fault)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_answer answer;
	bool was_refused;
	int code;

	ek_answer_init(&answer);
	answer.refuses_from = n;
	code = ask(check, mode, &everything, NULL, &answer, &err);
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
	struct ek_subject mode;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	for (unsigned n = 1; !fault && refuse_at(check, &mode, n, &fault); n++)
		;
	return ek_subject_close(&mode, fault);
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
	struct ek_subject mode;
	const char *fault = ek_subject_open(check, &mode);
	int code;

	if (fault)
		return fault;
	ek_answer_init(&answer);
	code = ask(check, &mode, &everything, "no-such-port", &answer, &err);
	if (code != EK_OK && (err.code != code || !err.message[0]))
		fault = ek_check_saw(check, "for a port that is not there it returned %d, but its error says %d: \"%s\"", code, err.code,
			err.message);
	else if (code == EK_INVALID && !is_camel_case(err.reason))
		fault = ek_check_saw(check, "for a port that is not there the reason is \"%s\", which is no CamelCase word", err.reason);
	ek_answer_clear(&answer);
	return ek_subject_close(&mode, fault);
}

/* NULL: alone, it is emitted as among all. Adds to *n_sources. */
static const char *compare_alone(struct ek_check *check, const struct ek_subject *mode, int endpoint, const char *whole, unsigned *n_sources)
{
	struct ek_sample_wish wish = everything;
	unsigned n;
	char *part, *line, *rest = NULL;
	const char *fault = NULL;

	wish.only = endpoint;
	part = whole_answer(check, mode, &wish, &n);
	if (!part)
		return check->seen;
	for (line = strtok_r(part, "\n", &rest); line && !fault; line = strtok_r(NULL, "\n", &rest))
		if (!strstr(whole, line))
			fault = ek_check_saw(check, "asked for endpoint %d alone it emits another instance: %.200s", endpoint, line);
	*n_sources += n;
	free(part);
	return fault;
}

static const char *keeps_its_promise_per_endpoint(struct ek_check *check)
{
	struct ek_subject mode;
	unsigned n_whole = 0, n_alone = 0;
	const char *fault = ek_subject_open(check, &mode);
	char *whole;

	if (fault)
		return fault;
	if (!(mode.mode->flags & EK_MODE_PER_ENDPOINT))
		return ek_subject_close(&mode, ek_check_skip(check, "it does not promise that"));
	whole = whole_answer(check, &mode, &everything, &n_whole);
	if (!whole)
		fault = check->seen;
	for (int i = 0; whole && !fault && i < EK_SAMPLE_ENDPOINTS; i++)
		fault = compare_alone(check, &mode, i, whole, &n_alone);
	if (!fault && n_alone != n_whole)
		fault = ek_check_saw(check, "asked for each endpoint alone it emits %u instances, but %u for all", n_alone, n_whole);
	free(whole);
	return ek_subject_close(&mode, fault);
}

static const char *one_life(struct ek_check *check)
{
	struct ek_subject mode;
	unsigned n;
	const char *fault = ek_subject_open(check, &mode);

	if (fault)
		return fault;
	free(whole_answer(check, &mode, &everything, &n));
	ek_check_look_at_threads(check);
	return ek_subject_close(&mode, NULL);
}

static const char *comes_and_goes(struct ek_check *check)
{
	return ek_check_cycles(check, one_life);
}

static const char *answers_promptly(struct ek_check *check)
{
	return ek_check_prompt(check, one_life);
}

static const char *leaves_no_thread(struct ek_check *check)
{
	return ek_check_threads(check, one_life);
}

const struct ek_rule ek_mode_rules[] = {
	{ "options", "it takes each value that its options allow, or says why not", NULL, ek_check_options },
	{ "create", "instances can be created side by side and destroyed", "options", creates_and_destroys },
	{ "reads", "what it reads is known and does not change", "create", reads_known },
	{ "resources", "the other resources that it reads are properly declared and do not change", "create", declares_resources },
	{ "any-object", "objects that are not as it expects do not make it fail", "resources", bears_any_object },
	{ "instances", "what it emits is complete, and leaves the host's fields alone", "any-object", emits_proper_instances },
	{ "pure", "the same question has the same answer, whatever was asked before", "instances", is_pure },
	{ "conditions", "conditions of endpoints change nothing: they are the host's", "pure", ignores_conditions },
	{ "every-endpoint", "each endpoint of the selected Services is emitted", "conditions", emits_every_endpoint },
	{ "no-services", "without Services there are no instances", "instances", emits_nothing_for_no_services },
	{ "refusal", "it stops at once when the sink refuses, and hands the refusal on", "instances", stops_when_refused },
	{ "failure", "a syncer that cannot be served is told why", "create", explains_a_failure },
	{ "per-endpoint", "asked for one endpoint it emits what it emits for it among all", "pure", keeps_its_promise_per_endpoint },
	{ "prompt", "no call into it takes long: the whole process waits", "create", answers_promptly },
	{ "threads", "its threads block all signals, and none outlives its instance", "create", leaves_no_thread },
	{ "cycles", "a hundred instances come and go without leaving memory or descriptors", "threads", comes_and_goes },
	{ 0 },
};
