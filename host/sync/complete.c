/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completes what a mode emits: application, vip addresses and paths from the syncer where the mode left them out, id, owner mark, metadata, digest, and the status
 * that the endpoint's conditions ask for. It refuses what must not reach a registry. Read reconcile.c next.
 */
#include "sync/complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sync/identity.h"
#include "sync/status_rules.h"

#define TEXT_MAX 1024
#define METADATA_MAX 128

static int emit(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err);

void ek_completion_init(struct ek_completion *completion, struct ek_sync_syncer *syncer, struct ek_sync_registry *registry)
{
	const struct ek_option_value *const *options = completion->options;
	uint32_t n_options = completion->n_options;

	memset(completion, 0, sizeof(*completion));
	completion->sink = (struct ek_sink){ .size = sizeof(completion->sink), .emit = emit };
	completion->syncer = syncer;
	completion->registry = registry;
	completion->options = options;
	completion->n_options = n_options;
}

/* ---- the table of wanted instances ---- */

static void put_in_table(struct ek_completion *completion, struct ek_wanted *wanted)
{
	size_t mask = completion->room * 2 - 1, at = ek_hash64_text(EK_HASH_SEED, wanted->instance.id) & mask;

	while (completion->table[at])
		at = (at + 1) & mask;
	completion->table[at] = wanted;
}

static const struct ek_wanted *find_double(const struct ek_completion *completion, const char *id)
{
	size_t mask = completion->room * 2 - 1;

	if (!completion->room)
		return NULL;
	for (size_t at = ek_hash64_text(EK_HASH_SEED, id) & mask; completion->table[at]; at = (at + 1) & mask)
		if (strcmp(completion->table[at]->instance.id, id) == 0)
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

static bool is_text(const char *text)
{
	size_t n = strnlen(text, TEXT_MAX);

	if (n == TEXT_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static bool is_port(int32_t port)
{
	return port >= 0 && port <= 65535;
}

static int check_emitted(const struct ek_completion *completion, const struct ek_instance *in, struct ek_error *err)
{
	const char *const texts[] = { in->application, in->name, in->address, in->vip_address, in->secure_vip_address, in->home_page_path,
		                      in->status_page_path, in->health_check_path, in->zone, in->node_name };

	if (in->size < sizeof(uint32_t) * 2 || !in->name || !in->name[0] || !in->address || !in->address[0])
		return ek_fail_reason(err, EK_PLUGIN, "PluginMisbehaved", "the mode emitted an instance without name or address");
	if (!is_port(in->port) || !is_port(in->secure_port) || (!in->port && !in->secure_port))
		return ek_fail_reason(err, EK_PLUGIN, "PluginMisbehaved", "the mode emitted %.60s with port %d", in->name, in->port);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && !is_text(texts[i]))
			return ek_fail_reason(err, EK_PLUGIN, "PluginMisbehaved", "the mode emitted a text that is too long or holds control characters");
	if (in->n_metadata > METADATA_MAX)
		return ek_fail_reason(err, EK_TOO_BIG, "TooBig", "the mode emitted more than %d metadata entries", METADATA_MAX);
	if (completion->n >= EK_WANTED_MAX)
		return ek_fail_reason(err, EK_TOO_BIG, "TooBig", "more than %d instances for one syncer; narrow spec.selector", EK_WANTED_MAX);
	return EK_OK;
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

static int compare_pairs(const void *a, const void *b)
{
	return strcmp((*(const struct ek_pair *const *)a)->key, (*(const struct ek_pair *const *)b)->key);
}

static void add_pair(struct ek_arena *arena, const struct ek_pair **pairs, uint32_t *n, const char *key, const char *value)
{
	struct ek_pair *pair;

	for (uint32_t i = 0; i < *n; i++)
		if (strcmp(pairs[i]->key, key) == 0)
			return; /* the first one stands */
	pair = ek_arena_alloc(arena, sizeof(*pair));
	*pair = (struct ek_pair){ .size = sizeof(*pair), .key = ek_arena_strdup(arena, key), .value = ek_arena_strdup(arena, value) };
	pairs[(*n)++] = pair;
}

static bool is_mark(const char *key)
{
	return strncmp(key, EK_MARK_PREFIX, sizeof(EK_MARK_PREFIX) - 1) == 0;
}

/* Marks first, so that nothing overwrites them; then the author's metadata, which stands above the mode's. */
static int complete_metadata(struct ek_completion *completion, const struct ek_instance *in, struct ek_wanted *wanted, struct ek_error *err)
{
	const struct ek_syncer_object *object = completion->syncer->object;
	struct ek_arena *arena = &completion->syncer->engine->scratch;
	const struct ek_pair **pairs = ek_arena_alloc(arena, (in->n_metadata + object->n_metadata + 3) * sizeof(*pairs));
	const char *pod = in->source ? in->source->pod_uid : NULL;
	uint32_t n = 0;

	add_pair(arena, pairs, &n, EK_MARK_OWNER, completion->syncer->owner);
	if (pod)
		add_pair(arena, pairs, &n, EK_MARK_POD, pod);
	for (unsigned i = 0; i < object->n_metadata; i++) {
		if (is_mark(object->metadata[i].key))
			return ek_fail_reason(err, EK_INVALID, "InvalidMetadata", "spec.instance.metadata must not hold %.80s: keys beginning with "
			                      "\"eurekube.\" are the operator's", object->metadata[i].key);
		add_pair(arena, pairs, &n, object->metadata[i].key, object->metadata[i].value);
	}
	for (uint32_t i = 0; i < in->n_metadata; i++) {
		if (is_mark(in->metadata[i]->key) || !is_text(in->metadata[i]->key) || !is_text(in->metadata[i]->value))
			return ek_fail_reason(err, EK_PLUGIN, "PluginMisbehaved", "the mode emitted metadata that is not allowed");
		add_pair(arena, pairs, &n, in->metadata[i]->key, in->metadata[i]->value);
	}
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	wanted->pod_hash = pod ? ek_hash64_text(EK_HASH_SEED, pod) : 0;
	wanted->instance.metadata = pairs;
	wanted->instance.n_metadata = n;
	return EK_OK;
}

static void stamp_digest(struct ek_completion *completion, struct ek_wanted *wanted)
{
	struct ek_arena *arena = &completion->syncer->engine->scratch;
	const struct ek_pair **pairs = ek_arena_alloc(arena, (wanted->instance.n_metadata + 1) * sizeof(*pairs));
	uint32_t n = wanted->instance.n_metadata;
	char text[17];

	wanted->digest = ek_instance_digest(&wanted->instance);
	ek_digest_format(wanted->digest, text);
	memcpy(pairs, wanted->instance.metadata, n * sizeof(*pairs));
	add_pair(arena, pairs, &n, EK_MARK_DIGEST, text);
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	wanted->instance.metadata = pairs;
	wanted->instance.n_metadata = n;
}

static void complete_texts(struct ek_completion *completion, const struct ek_instance *in, struct ek_instance *out)
{
	const struct ek_syncer_object *object = completion->syncer->object;
	struct ek_arena *arena = &completion->syncer->engine->scratch;

	out->owner = completion->syncer->owner;
	out->name = ek_arena_strdup(arena, in->name);
	out->address = ek_arena_strdup(arena, in->address);
	out->vip_address = ek_arena_strdup(arena, first_of(first_of(in->vip_address, object->vip_address), lower(arena, out->application)));
	out->secure_vip_address = ek_arena_strdup(arena, first_of(first_of(in->secure_vip_address, object->secure_vip_address), out->vip_address));
	out->home_page_path = ek_arena_strdup(arena, first_of(in->home_page_path, object->home_page_path));
	out->status_page_path = ek_arena_strdup(arena, first_of(in->status_page_path, object->status_page_path));
	out->health_check_path = ek_arena_strdup(arena, first_of(in->health_check_path, object->health_check_path));
	out->zone = ek_arena_strdup(arena, in->zone);
	out->node_name = ek_arena_strdup(arena, in->node_name);
}

static int complete(struct ek_completion *completion, const struct ek_instance *in, struct ek_wanted *wanted, struct ek_error *err)
{
	struct ek_sync_syncer *syncer = completion->syncer;
	struct ek_arena *arena = &syncer->engine->scratch;
	struct ek_instance *out = &wanted->instance;
	char application[EK_APPLICATION_MAX + 1], id[EK_ID_MAX + 1];
	int code = ek_application_normalize(application_of(completion, in), application, err);

	if (code != EK_OK)
		return code;
	out->size = sizeof(*out);
	out->application = ek_arena_strdup(arena, application);
	complete_texts(completion, in, out);
	out->port = in->port;
	out->secure_port = in->secure_port;
	out->flags = in->flags;
	out->renew_seconds = (int32_t)(completion->registry->traits.renew_ms / 1000);
	out->lease_seconds = (int32_t)(completion->registry->traits.lease_ms / 1000);
	out->options = completion->options;
	out->n_options = completion->n_options;
	out->status = in->source ? (int32_t)ek_status_of(in->source->flags, syncer->object->not_ready, syncer->object->drain) : in->status;
	ek_id_format(syncer->engine->with.cluster_id, syncer->object->namespace_, application, in->name, in->port ? in->port : in->secure_port, id);
	out->id = ek_arena_strdup(arena, id);
	wanted->name_hash = ek_id_name_hash(id);
	code = complete_metadata(completion, in, wanted, err);
	if (code == EK_OK)
		stamp_digest(completion, wanted);
	return code;
}

static int emit(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err)
{
	struct ek_completion *completion = (struct ek_completion *)(uintptr_t)sink;
	const struct ek_wanted *twin;
	struct ek_wanted *wanted = NULL;
	struct ek_error own = EK_ERROR_INIT;
	int code = check_emitted(completion, instance, &own);

	if (code == EK_OK) {
		wanted = ek_arena_alloc(&completion->syncer->engine->scratch, sizeof(*wanted));
		code = complete(completion, instance, wanted, &own);
	}
	twin = code == EK_OK ? find_double(completion, wanted->instance.id) : NULL;
	if (twin && twin->digest == wanted->digest)
		return EK_OK; /* one pod behind two selected Services */
	if (twin)
		code = ek_fail_reason(&own, EK_INVALID, "DuplicateInstance", "%.160s would be registered twice; give the selected Services different "
		                      "applications", wanted->instance.id);
	if (code != EK_OK) {
		if (completion->code == EK_OK) {
			completion->code = code;
			completion->err = own;
		}
		if (err)
			*err = own;
		return code;
	}
	if (completion->n == completion->room)
		grow(completion);
	completion->wanted[completion->n++] = wanted;
	put_in_table(completion, wanted);
	return EK_OK;
}
