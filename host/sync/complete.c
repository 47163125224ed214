/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completes what a mode emits: application, vip addresses and paths from the syncer where the mode left them out, id, owner mark, metadata, digest, and the status
 * that the endpoint's conditions ask for. It refuses what must not reach a registry. Read reconcile.c next.
 */
#include "sync/complete.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "sync/identity.h"
#include "sync/status_rules.h"

#define TEXT_MAX 1024
#define METADATA_MAX 128
#define BYTES_MAX ((size_t)16 << 20)          /* of one answer, and so much more for each endpoint */
#define ENDPOINT_BYTES_MAX ((size_t)8 << 10)

static int emit(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err);

/* ---- life ---- */

struct ek_completion *ek_completion_open(struct ek_mode_version *version, struct ek_sync_syncer *syncer, struct ek_sync_registry *registry,
                                         const struct ek_cluster *cluster, const struct ek_option_value *const *options, uint32_t n_options)
{
	if (!version->completion)
		version->completion = ek_xcalloc(1, sizeof(*version->completion));
	*version->completion = (struct ek_completion){
		.sink = { .size = sizeof(version->completion->sink), .emit = emit },
		.is_open = true, .version = version, .cluster = cluster,
		.syncer = syncer, .registry = registry, .options = options, .n_options = n_options,
	};
	ek_shown_init(&version->completion->shown, cluster, &syncer->engine->scratch);
	return version->completion;
}

void ek_completion_close(struct ek_completion *completion)
{
	completion->is_open = false;
}

/* ---- blame ---- */

int ek_completion_blame(struct ek_mode_version *version, enum ek_misbehaviour kind, struct ek_error *err, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ek_services_blame(version->services, kind, "%s", text);
	return ek_fail_reason(err, EK_PLUGIN, "PluginMisbehaved", "%s (plugin %s) %s", version->name, ek_services_label(version->services), text);
}

/* ---- the table of wanted instances ---- */

static void put_in_table(struct ek_completion *completion, struct ek_wanted *wanted)
{
	size_t mask = completion->room * 2 - 1, at = (size_t)wanted->id_hash & mask;

	while (completion->table[at])
		at = (at + 1) & mask;
	completion->table[at] = wanted;
}

static const struct ek_wanted *find_double(const struct ek_completion *completion, const struct ek_wanted *wanted)
{
	size_t mask = completion->room * 2 - 1;

	if (!completion->room)
		return NULL;
	for (size_t at = (size_t)wanted->id_hash & mask; completion->table[at]; at = (at + 1) & mask)
		if (completion->table[at]->id_hash == wanted->id_hash && strcmp(completion->table[at]->instance.id, wanted->instance.id) == 0)
			return completion->table[at];
	return NULL;
}

static void grow(struct ek_completion *completion)
{
	struct ek_arena *arena = &completion->syncer->engine->scratch;
	struct ek_wanted **old = completion->wanted;

	completion->room = completion->room ? completion->room * 2 : 16;
	completion->wanted = ek_arena_alloc(arena, completion->room * sizeof(*completion->wanted));
	completion->table = ek_arena_alloc(arena, completion->room * 2 * sizeof(*completion->table));
	if (old)
		memcpy(completion->wanted, old, completion->n * sizeof(*old));
	for (size_t i = 0; i < completion->n; i++)
		put_in_table(completion, completion->wanted[i]);
}

/* ---- checks ---- */

static bool is_port(int32_t port)
{
	return port >= 0 && port <= 65535;
}

/* The source must be what the mode was shown: its conditions decide the status. Status and flags are known words. */
static const char *judge_source(struct ek_completion *completion, const struct ek_instance *in)
{
	if (in->source_service && !ek_shown_has_service(&completion->shown, in->source_service))
		return "emitted an instance of a Service that it was not shown";
	if (in->source && !ek_shown_has_endpoint(&completion->shown, in->source_service, in->source))
		return "emitted an instance of an endpoint that it was not shown in that Service";
	if (in->status < EK_STATUS_NONE || in->status > EK_STATUS_UNKNOWN)
		return "emitted an instance with a status that there is not";
	if (in->flags & ~(uint32_t)EK_INSTANCE_PRIMARY_SECURE)
		return "emitted an instance with flags that there are not";
	return NULL;
}

static const char *judge_metadata(const struct ek_instance *in)
{
	if (in->n_metadata && !in->metadata)
		return "emitted metadata that are NULL";
	for (uint32_t i = 0; i < in->n_metadata; i++) {
		const struct ek_pair *pair = in->metadata[i];

		if (!pair || !ek_text_is_good(pair->key, TEXT_MAX) || !ek_text_is_good(pair->value, TEXT_MAX))
			return "emitted metadata that are no text: NULL, too long, not UTF-8, or with control characters";
		if (ek_is_mark(pair->key))
			return "emitted metadata beginning with \"eurekube.\", which are the operator's";
	}
	return NULL;
}

static const char *judge_texts(const struct ek_instance *in)
{
	const char *const texts[] = { in->application, in->vip_address, in->secure_vip_address, in->home_page_path, in->status_page_path,
		                      in->health_check_path, in->zone, in->node_name };

	if (in->id || in->owner)
		return "emitted an instance with an id or an owner of its own; both are the operator's";
	if (!ek_text_is_good(in->name, TEXT_MAX) || !in->name[0] || !ek_text_is_good(in->address, TEXT_MAX) || !in->address[0])
		return "emitted an instance whose name or address is no text: NULL, empty, too long, not UTF-8, or with control characters";
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && !ek_text_is_good(texts[i], TEXT_MAX))
			return "emitted an instance with something that is no text: too long, not UTF-8, or with control characters";
	return NULL;
}

static size_t length_of(const char *text)
{
	return text ? strlen(text) : 0;
}

/* What it takes to keep it, about. Its texts are known to end. */
static size_t weigh(const struct ek_instance *in)
{
	size_t n = sizeof(struct ek_wanted) + length_of(in->name) + length_of(in->address) + length_of(in->application) + length_of(in->vip_address) +
	           length_of(in->secure_vip_address) + length_of(in->home_page_path) + length_of(in->status_page_path) +
	           length_of(in->health_check_path) + length_of(in->zone) + length_of(in->node_name);

	for (uint32_t i = 0; i < in->n_metadata; i++)
		n += sizeof(struct ek_pair) + strlen(in->metadata[i]->key) + strlen(in->metadata[i]->value);
	return n;
}

/* What no view can ask for: a mode that multiplies. Only a selector can ask for more than EK_WANTED_MAX. */
static int check_amount(struct ek_completion *completion, const struct ek_instance *in, struct ek_error *err)
{
	size_t n_endpoints = completion->shown.n_endpoints, most = 10000 + 4 * n_endpoints;

	if (completion->n >= EK_WANTED_MAX && n_endpoints >= EK_WANTED_MAX)
		return ek_fail_reason(err, EK_TOO_BIG, "TooBig", "more than %d instances for one syncer; narrow spec.selector", EK_WANTED_MAX);
	if (completion->n >= EK_WANTED_MAX || completion->n_emitted >= most)
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_TOO_MANY, err, "emitted more than %zu instances for %zu endpoints",
		                           completion->n_emitted, n_endpoints);
	completion->n_emitted++;
	completion->n_bytes += weigh(in);
	if (completion->n_bytes > BYTES_MAX + n_endpoints * ENDPOINT_BYTES_MAX)
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_TOO_MANY, err, "emitted more than %zu KiB of texts for %zu endpoints",
		                           (BYTES_MAX + n_endpoints * ENDPOINT_BYTES_MAX) / 1024, n_endpoints);
	return EK_OK;
}

static int check_ports(struct ek_completion *completion, const struct ek_instance *in, struct ek_error *err)
{
	if (!is_port(in->secure_port))
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_GARBAGE, err, "emitted %.60s with secure port %d", in->name, in->secure_port);
	if (!is_port(in->port) || (!in->port && !in->secure_port))
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_GARBAGE, err, "emitted %.60s with port %d", in->name, in->port);
	return EK_OK;
}

static int check_emitted(struct ek_completion *completion, const struct ek_instance *in, struct ek_error *err)
{
	const char *wrong;

	if (!in || in->size < sizeof(*in))
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_GARBAGE, err, "emitted an instance that is NULL or has no size");
	wrong = judge_texts(in);
	if (!wrong)
		wrong = judge_source(completion, in);
	if (!wrong && in->n_metadata > METADATA_MAX)
		wrong = "emitted more than 128 metadata entries";
	if (!wrong)
		wrong = judge_metadata(in);
	if (wrong)
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_GARBAGE, err, "%s", wrong);
	if (check_ports(completion, in, err) != EK_OK)
		return EK_PLUGIN;
	return check_amount(completion, in, err);
}

/* ---- completing ---- */

static const char *application_of(const struct ek_completion *completion, const struct ek_instance *in)
{
	if (in->application)
		return in->application;
	if (completion->syncer->object->application)
		return completion->syncer->object->application;
	return in->source_service ? in->source_service->name : completion->syncer->object->name;
}

static const char *lower(struct ek_arena *arena, const char *text)
{
	char *copy = ek_arena_strdup(arena, text);

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

static const char *first_of(const char *a, const char *b)
{
	return a ? a : b;
}

/* The mode's, copied, or what is there for as long as the evaluation. */
static const char *own_or(struct ek_arena *arena, const char *given, const char *otherwise)
{
	return given ? ek_arena_strdup(arena, given) : otherwise;
}

static int settle_application(struct ek_completion *completion, const char *raw, struct ek_error *err)
{
	struct ek_arena *arena = &completion->syncer->engine->scratch;
	char application[EK_APPLICATION_MAX + 1];
	int code;

	if (completion->raw_application && strcmp(completion->raw_application, raw) == 0)
		return EK_OK;
	code = ek_application_normalize(raw, application, err);
	if (code != EK_OK)
		return code;
	completion->raw_application = ek_arena_strdup(arena, raw);
	completion->application = ek_arena_strdup(arena, application);
	completion->lower_application = lower(arena, application);
	completion->application_hash = ek_hash64_text(EK_HASH_SEED, application);
	return EK_OK;
}

/* Keeps them sorted by key; they are few. Borrows the texts. */
static void add_pair(struct ek_arena *arena, const struct ek_pair **pairs, uint32_t *n, const char *key, const char *value)
{
	struct ek_pair *pair;
	uint32_t at = *n;
	int order = 1;

	while (at && (order = strcmp(pairs[at - 1]->key, key)) > 0)
		at--;
	if (at && order == 0)
		return; /* the first one stands */
	pair = ek_arena_alloc(arena, sizeof(*pair));
	*pair = (struct ek_pair){ .size = sizeof(*pair), .key = key, .value = value };
	memmove(pairs + at + 1, pairs + at, (*n - at) * sizeof(*pairs));
	pairs[at] = pair;
	(*n)++;
}

/* Marks first, so that nothing overwrites them; then the author's metadata, which stands above the mode's. */
static int complete_metadata(struct ek_completion *completion, const struct ek_instance *in, struct ek_wanted *wanted, const struct ek_pair ***out,
                             struct ek_error *err)
{
	const struct ek_syncer_object *object = completion->syncer->object;
	struct ek_arena *arena = &completion->syncer->engine->scratch;
	const struct ek_pair **pairs = ek_arena_alloc(arena, (in->n_metadata + object->n_metadata + 3) * sizeof(*pairs)); /* and one for the digest */
	const char *pod = in->source ? in->source->pod_uid : NULL;
	uint32_t n = 0;

	add_pair(arena, pairs, &n, EK_MARK_OWNER, completion->syncer->owner);
	if (pod)
		add_pair(arena, pairs, &n, EK_MARK_POD, pod);
	for (unsigned i = 0; i < object->n_metadata; i++) {
		if (ek_is_mark(object->metadata[i].key))
			return ek_fail_reason(err, EK_INVALID, "InvalidMetadata", "spec.instance.metadata must not hold %.80s: keys beginning with "
			                      "\"eurekube.\" are the operator's", object->metadata[i].key);
		add_pair(arena, pairs, &n, object->metadata[i].key, object->metadata[i].value);
	}
	for (uint32_t i = 0; i < in->n_metadata; i++)
		add_pair(arena, pairs, &n, ek_arena_strdup(arena, in->metadata[i]->key), ek_arena_strdup(arena, in->metadata[i]->value));
	wanted->pod_hash = pod ? ek_hash64_text(EK_HASH_SEED, pod) : 0;
	wanted->instance.metadata = pairs;
	wanted->instance.n_metadata = n;
	*out = pairs;
	return EK_OK;
}

static void stamp_digest(struct ek_completion *completion, struct ek_wanted *wanted, const struct ek_pair **pairs)
{
	struct ek_arena *arena = &completion->syncer->engine->scratch;
	char *text = ek_arena_alloc(arena, 17);

	wanted->digest = ek_instance_digest(&wanted->instance);
	ek_digest_format(wanted->digest, text);
	add_pair(arena, pairs, &wanted->instance.n_metadata, EK_MARK_DIGEST, text);
}

static void complete_texts(struct ek_completion *completion, const struct ek_instance *in, struct ek_instance *out)
{
	const struct ek_syncer_object *object = completion->syncer->object;
	struct ek_arena *arena = &completion->syncer->engine->scratch;

	out->owner = completion->syncer->owner;
	out->name = ek_arena_strdup(arena, in->name);
	out->address = ek_arena_strdup(arena, in->address);
	out->vip_address = own_or(arena, in->vip_address, first_of(object->vip_address, completion->lower_application));
	out->secure_vip_address = own_or(arena, in->secure_vip_address, first_of(object->secure_vip_address, out->vip_address));
	out->home_page_path = own_or(arena, in->home_page_path, object->home_page_path);
	out->status_page_path = own_or(arena, in->status_page_path, object->status_page_path);
	out->health_check_path = own_or(arena, in->health_check_path, object->health_check_path);
	out->zone = ek_arena_strdup(arena, in->zone);
	out->node_name = ek_arena_strdup(arena, in->node_name);
}

/* Whether the name stands in the id as it is, before the port. */
static bool has_name(const char *id, const char *name)
{
	const char *end = strrchr(id, ':');
	size_t n = strlen(name);

	return (size_t)(end - id) > n && end[-(ptrdiff_t)n - 1] == ':' && memcmp(end - n, name, n) == 0;
}

static bool is_traceable(const struct ek_instance *in, const struct ek_wanted *wanted)
{
	const char *pod = in->source ? in->source->pod_name : NULL;

	if (!in->source || (strcmp(in->name, in->source->address) != 0 && (!pod || strcmp(in->name, pod) != 0)))
		return false;
	return has_name(wanted->instance.id, in->name) || ek_key_of(in->name) == (uint32_t)wanted->name_hash;
}

static int complete(struct ek_completion *completion, const struct ek_instance *in, struct ek_wanted *wanted, struct ek_error *err)
{
	struct ek_sync_syncer *syncer = completion->syncer;
	struct ek_arena *arena = &syncer->engine->scratch;
	struct ek_instance *out = &wanted->instance;
	int code = settle_application(completion, application_of(completion, in), err), port = in->port ? in->port : in->secure_port;
	const struct ek_pair **pairs;
	char id[EK_ID_MAX + 1];

	if (code != EK_OK)
		return code;
	out->size = sizeof(*out);
	out->application = completion->application;
	complete_texts(completion, in, out);
	out->port = in->port;
	out->secure_port = in->secure_port;
	out->flags = in->flags;
	out->renew_seconds = (int32_t)(completion->registry->traits.renew_ms / 1000);
	out->lease_seconds = (int32_t)(completion->registry->traits.lease_ms / 1000);
	out->options = completion->options;
	out->n_options = completion->n_options;
	out->status = in->source ? (int32_t)ek_status_of(in->source->flags, syncer->object->not_ready, syncer->object->drain) : in->status;
	wanted->is_going = in->source && (in->source->flags & (EK_ENDPOINT_READY | EK_ENDPOINT_TERMINATING)) != EK_ENDPOINT_READY;
	ek_id_format(syncer->engine->with.cluster_id, syncer->object->namespace_, out->application, in->name, port, id);
	out->id = ek_arena_strdup(arena, id);
	wanted->name_hash = ek_id_name_hash(id);
	wanted->id_hash = (wanted->name_hash + (uint64_t)port) * 0x9e3779b97f4a7c15ull ^ completion->application_hash;
	wanted->is_traceable = is_traceable(in, wanted);
	code = complete_metadata(completion, in, wanted, &pairs, err);
	if (code == EK_OK)
		stamp_digest(completion, wanted, pairs);
	return code;
}

/* The first refusal stands, and is handed to the mode; it may have no place for it. */
static int refuse(struct ek_completion *completion, int code, const struct ek_error *own, struct ek_error *err)
{
	if (completion->code == EK_OK) {
		completion->code = code;
		completion->err = *own;
	}
	if (err)
		*err = *own;
	return code;
}

static void add_wanted(struct ek_completion *completion, struct ek_wanted *wanted)
{
	if (completion->n == completion->room)
		grow(completion);
	completion->wanted[completion->n++] = wanted;
	put_in_table(completion, wanted);
}

static int emit(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err)
{
	struct ek_completion *completion = (struct ek_completion *)(uintptr_t)sink;
	const struct ek_wanted *twin;
	struct ek_wanted *wanted;
	struct ek_error own = EK_ERROR_INIT;
	int code;

	if (!ek_services_is_ours(completion->version->services))
		return ek_fail(err, EK_PLUGIN, "emit is called from another thread than the host's");
	if (!completion->is_open)
		return ek_completion_blame(completion->version, EK_MISBEHAVIOUR_REFUSED, err, "emitted an instance after desired had returned");
	if (completion->code != EK_OK) {
		ek_services_blame(completion->version->services, EK_MISBEHAVIOUR_REFUSED, "goes on emitting after a refusal");
		return refuse(completion, completion->code, &completion->err, err);
	}
	code = check_emitted(completion, instance, &own);
	if (code != EK_OK)
		return refuse(completion, code, &own, err);
	wanted = ek_arena_alloc(&completion->syncer->engine->scratch, sizeof(*wanted));
	code = complete(completion, instance, wanted, &own);
	if (code != EK_OK)
		return refuse(completion, code, &own, err);
	twin = find_double(completion, wanted);
	if (!twin)
		add_wanted(completion, wanted);
	else if (twin->digest != wanted->digest) /* else: one pod behind two selected Services */
		return refuse(completion, ek_fail_reason(&own, EK_INVALID, "DuplicateInstance", "%.160s would be registered twice; give the selected "
		                                         "Services different applications", wanted->instance.id), &own, err);
	return EK_OK;
}
