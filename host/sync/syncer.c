/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an EurekaSyncer from JSON with the pull reader, one small function per object of the schema. It does not judge what a value means for others (that
 * is reconcile's), only what this version can serve. Read selector.c next.
 */
#include "sync/syncer.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/status_hash.h"

#define TEXT_MAX 8192

const char *const ek_condition_names[EK_N_CONDITIONS] = { "Ready", "Reconciling", "Stalled", "RolledBack" };

/* Reads a string into the arena; NULL for an empty or null one. */
static const char *read_text(struct ek_json *json, struct ek_arena *arena)
{
	char scratch[TEXT_MAX];
	struct ek_slice text;

	if (ek_json_peek(json) == EK_JSON_NULL) {
		ek_json_skip(json);
		return NULL;
	}
	text = ek_json_slice(json, scratch, sizeof(scratch));
	return text.n ? ek_arena_strndup(arena, text.at, text.n) : NULL;
}

static unsigned read_texts(struct ek_json *json, struct ek_arena *arena, const char ***out)
{
	const char *texts[256];
	unsigned n = 0;

	for (ek_json_enter_array(json); ek_json_next_item(json);) {
		const char *text = read_text(json, arena);

		if (n == 256) {
			ek_json_fail(json, "a list of more than 256 texts");
			return 0;
		}
		texts[n++] = text ? text : "";
	}
	*out = ek_arena_alloc(arena, (n + 1) * sizeof(**out));
	memcpy(*out, texts, n * sizeof(**out));
	return n;
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct ek_text_pair *)a)->key, ((const struct ek_text_pair *)b)->key);
}

/* A flat map of strings, sorted by key. */
static unsigned read_pairs(struct ek_json *json, struct ek_arena *arena, struct ek_text_pair **out)
{
	struct ek_text_pair pairs[256];
	struct ek_slice key;
	unsigned n = 0;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		const char *value;

		if (n == 256) {
			ek_json_fail(json, "a map of more than 256 entries");
			return 0;
		}
		value = read_text(json, arena);
		pairs[n].key = ek_arena_strndup(arena, key.at, key.n);
		pairs[n++].value = value ? value : "";
	}
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	*out = ek_arena_alloc(arena, (n + 1) * sizeof(**out));
	memcpy(*out, pairs, n * sizeof(**out));
	return n;
}

/* The position of a word in a list ended by NULL; unknown words are a fault. */
static int read_choice(struct ek_json *json, const char *const *words)
{
	char text[64];

	ek_json_text(json, text, sizeof(text));
	for (int i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	if (text[0] && !ek_json_failed(json))
		ek_json_fail(json, "a word that the schema does not know");
	return 0;
}

static struct ek_port_choice read_port(struct ek_json *json, struct ek_arena *arena)
{
	struct ek_port_choice port = { 0 };

	if (ek_json_peek(json) == EK_JSON_NUMBER) {
		int64_t number = ek_json_integer(json);

		if (number < 1 || number > 65535)
			ek_json_fail(json, "a port outside 1-65535");
		port.number = (int32_t)number;
		return port;
	}
	port.name = read_text(json, arena);
	return port;
}

static void read_term(struct ek_json *json, struct ek_arena *arena, struct ek_selector_term *term)
{
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist", NULL };
	struct ek_slice key;

	term->key = "";
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "key"))
			term->key = read_text(json, arena);
		else if (ek_slice_equals(key, "operator"))
			term->op = (enum ek_selector_operator)read_choice(json, operators);
		else if (ek_slice_equals(key, "values"))
			term->n_values = read_texts(json, arena, &term->values);
		else
			ek_json_skip(json);
	}
	if (!term->key)
		ek_json_fail(json, "matchExpressions without a key");
}

static void read_terms(struct ek_json *json, struct ek_arena *arena, struct ek_selector *selector)
{
	struct ek_selector_term terms[64];
	unsigned n = 0;

	memset(terms, 0, sizeof(terms));
	for (ek_json_enter_array(json); ek_json_next_item(json);) {
		if (n == 64) {
			ek_json_fail(json, "more than 64 matchExpressions");
			return;
		}
		read_term(json, arena, &terms[n++]);
	}
	selector->terms = ek_arena_alloc(arena, (n + 1) * sizeof(*terms));
	memcpy(selector->terms, terms, n * sizeof(*terms));
	selector->n_terms = n;
}

static void read_selector(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_selector *selector = &object->selector;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "namespace"))
			selector->namespace_ = read_text(json, &object->arena);
		else if (ek_slice_equals(key, "app"))
			selector->app = read_text(json, &object->arena);
		else if (ek_slice_equals(key, "serviceName"))
			selector->service_name = read_text(json, &object->arena);
		else if (ek_slice_equals(key, "matchLabels"))
			selector->n_labels = read_pairs(json, &object->arena, &selector->labels);
		else if (ek_slice_equals(key, "matchExpressions"))
			read_terms(json, &object->arena, selector);
		else
			ek_json_skip(json);
	}
}

static bool read_has_members(struct ek_json *json)
{
	struct ek_slice key;
	bool has = false;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key); has = true)
		ek_json_skip(json);
	return has;
}

static void read_instance(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_arena *arena = &object->arena;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "vipAddress"))
			object->vip_address = read_text(json, arena);
		else if (ek_slice_equals(key, "secureVipAddress"))
			object->secure_vip_address = read_text(json, arena);
		else if (ek_slice_equals(key, "secure"))
			object->is_secure = ek_json_boolean(json, false);
		else if (ek_slice_equals(key, "securePort"))
			object->secure_port = read_port(json, arena);
		else if (ek_slice_equals(key, "homePagePath"))
			object->home_page_path = read_text(json, arena);
		else if (ek_slice_equals(key, "statusPagePath"))
			object->status_page_path = read_text(json, arena);
		else if (ek_slice_equals(key, "healthCheckPath"))
			object->health_check_path = read_text(json, arena);
		else if (ek_slice_equals(key, "metadata"))
			object->n_metadata = read_pairs(json, arena, &object->metadata);
		else if (ek_slice_equals(key, "metadataFrom"))
			object->has_metadata_from = read_has_members(json);
		else
			ek_json_skip(json);
	}
}

static void read_drain(struct ek_json *json, struct ek_syncer_object *object)
{
	static const char *const actions[] = { "Deregister", "OutOfService", NULL };
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "action"))
			object->drain = (enum ek_drain)read_choice(json, actions);
		else if (ek_slice_equals(key, "seconds"))
			object->drain_seconds = ek_json_integer(json);
		else
			ek_json_skip(json);
	}
}

/* An options object is kept as text; an empty one counts as unset. */
static const char *read_options(struct ek_json *json, struct ek_arena *arena)
{
	struct ek_slice raw = ek_json_raw(json);
	struct ek_json inner;

	ek_json_init(&inner, raw.at, raw.n);
	return read_has_members(&inner) ? ek_arena_strndup(arena, raw.at, raw.n) : NULL;
}

static void read_behaviour(struct ek_json *json, struct ek_slice key, struct ek_syncer_object *object)
{
	static const char *const not_ready[] = { "Deregister", "Down", "OutOfService", NULL };
	static const char *const policies[] = { "Sync", "UpsertOnly", "Observe", NULL };
	static const char *const deletion[] = { "Deregister", "Orphan", NULL };

	if (ek_slice_equals(key, "notReady"))
		object->not_ready = (enum ek_not_ready)read_choice(json, not_ready);
	else if (ek_slice_equals(key, "drain"))
		read_drain(json, object);
	else if (ek_slice_equals(key, "policy"))
		object->policy = (enum ek_policy)read_choice(json, policies);
	else if (ek_slice_equals(key, "deletionPolicy"))
		object->is_orphan = read_choice(json, deletion) == 1;
	else if (ek_slice_equals(key, "suspend"))
		object->is_suspended = ek_json_boolean(json, false);
	else if (ek_slice_equals(key, "modeOptions"))
		object->mode_options = read_options(json, &object->arena);
	else if (ek_slice_equals(key, "registryOptions"))
		object->registry_options = read_options(json, &object->arena);
	else
		ek_json_skip(json);
}

static void read_spec(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "mode"))
			object->mode = read_text(json, &object->arena);
		else if (ek_slice_equals(key, "selector"))
			read_selector(json, object);
		else if (ek_slice_equals(key, "port"))
			object->port = read_port(json, &object->arena);
		else if (ek_slice_equals(key, "registry"))
			object->registry = read_text(json, &object->arena);
		else if (ek_slice_equals(key, "application"))
			object->application = read_text(json, &object->arena);
		else if (ek_slice_equals(key, "instance"))
			read_instance(json, object);
		else
			read_behaviour(json, key, object);
	}
}

/* A text of ours read back; one that is longer than we would write is cut, since status and annotations are anybody's to edit. */
static void read_cut(struct ek_json *json, char *buffer, size_t size)
{
	char scratch[TEXT_MAX * 4];
	struct ek_slice text = ek_json_slice(json, scratch, sizeof(scratch));
	size_t n = text.n < size ? text.n : size - 1;

	memcpy(buffer, text.at ? text.at : "", n);
	buffer[n] = '\0';
}

static void read_annotations(struct ek_json *json, struct ek_syncer_object *object)
{
	char approved[64];
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (!ek_slice_equals(key, EK_SYNCER_APPROVE)) {
			ek_json_skip(json);
			continue;
		}
		read_cut(json, approved, sizeof(approved));
		object->approved = ek_arena_strdup(&object->arena, approved);
	}
}

static void read_metadata(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_arena *arena = &object->arena;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "namespace"))
			object->namespace_ = read_text(json, arena);
		else if (ek_slice_equals(key, "name"))
			object->name = read_text(json, arena);
		else if (ek_slice_equals(key, "uid"))
			object->uid = read_text(json, arena);
		else if (ek_slice_equals(key, "resourceVersion"))
			object->resource_version = read_text(json, arena);
		else if (ek_slice_equals(key, "creationTimestamp"))
			object->created = read_text(json, arena);
		else if (ek_slice_equals(key, "generation"))
			object->generation = ek_json_integer(json);
		else if (ek_slice_equals(key, "finalizers"))
			object->n_finalizers = read_texts(json, arena, &object->finalizers);
		else if (ek_slice_equals(key, "labels"))
			object->n_labels = read_pairs(json, arena, &object->labels);
		else if (ek_slice_equals(key, "annotations"))
			read_annotations(json, object);
		else if (ek_slice_equals(key, "deletionTimestamp"))
			object->is_deleting = read_text(json, arena) != NULL;
		else
			ek_json_skip(json);
	}
}

static void read_condition(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_condition condition = { 0 };
	char type[64] = "";
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "type"))
			read_cut(json, type, sizeof(type));
		else if (ek_slice_equals(key, "status"))
			read_cut(json, condition.status, sizeof(condition.status));
		else if (ek_slice_equals(key, "reason"))
			read_cut(json, condition.reason, sizeof(condition.reason));
		else if (ek_slice_equals(key, "message"))
			read_cut(json, condition.message, sizeof(condition.message));
		else if (ek_slice_equals(key, "lastTransitionTime"))
			read_cut(json, condition.since, sizeof(condition.since));
		else if (ek_slice_equals(key, "observedGeneration"))
			condition.observed_generation = ek_json_integer(json);
		else
			ek_json_skip(json);
	}
	for (int i = 0; i < EK_N_CONDITIONS; i++)
		if (strcmp(type, ek_condition_names[i]) == 0)
			object->conditions[i] = condition;
}

static void read_rollback(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_rollback *rollback = ek_arena_alloc(&object->arena, sizeof(*rollback));
	struct ek_slice key;

	if (ek_json_peek(json) != EK_JSON_OBJECT) {
		ek_json_skip(json);
		return;
	}
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "digest"))
			read_cut(json, rollback->digest, sizeof(rollback->digest));
		else if (ek_slice_equals(key, "document"))
			read_cut(json, rollback->document, sizeof(rollback->document));
		else if (ek_slice_equals(key, "reason"))
			read_cut(json, rollback->reason, sizeof(rollback->reason));
		else if (ek_slice_equals(key, "message"))
			read_cut(json, rollback->message, sizeof(rollback->message));
		else if (ek_slice_equals(key, "observedGeneration"))
			rollback->generation = ek_json_integer(json);
		else if (ek_slice_equals(key, "failures"))
			rollback->failures = ek_json_integer(json);
		else
			ek_json_skip(json);
	}
	object->rollback = rollback;
}

static void read_status(struct ek_json *json, struct ek_syncer_object *object)
{
	struct ek_slice raw = ek_json_raw(json), key;
	struct ek_json inner;

	object->has_status = true;
	object->status_hash = ek_status_hash(raw);
	ek_json_init(&inner, raw.at, raw.n);
	for (ek_json_enter_object(&inner); ek_json_next_key(&inner, &key);) {
		if (ek_slice_equals(key, "rollback")) {
			read_rollback(&inner, object);
			continue;
		}
		if (!ek_slice_equals(key, "conditions")) {
			ek_json_skip(&inner);
			continue;
		}
		for (ek_json_enter_array(&inner); ek_json_next_item(&inner);)
			read_condition(&inner, object);
	}
}

int ek_syncer_object_read(struct ek_slice text, struct ek_syncer_object **out, struct ek_error *err)
{
	struct ek_syncer_object *object = ek_xcalloc(1, sizeof(*object));
	struct ek_json json;
	struct ek_slice key;
	int code;

	ek_arena_init(&object->arena);
	object->drain_seconds = 100;
	ek_json_init(&json, text.at, text.n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "metadata"))
			read_metadata(&json, object);
		else if (ek_slice_equals(key, "spec"))
			read_spec(&json, object);
		else if (ek_slice_equals(key, "status"))
			read_status(&json, object);
		else
			ek_json_skip(&json);
	}
	code = ek_json_finish(&json, err);
	if (code == EK_OK && (!object->name || !object->namespace_ || !object->uid))
		code = ek_fail(err, EK_INVALID, "an EurekaSyncer without metadata.name, namespace or uid");
	if (code != EK_OK) {
		ek_syncer_object_free(object);
		return code;
	}
	if (!object->selector.namespace_)
		object->selector.namespace_ = object->namespace_;
	if (!object->mode)
		object->mode = "";
	*out = object;
	return EK_OK;
}

void ek_syncer_object_free(struct ek_syncer_object *object)
{
	if (!object)
		return;
	ek_arena_clear(&object->arena);
	free(object);
}

bool ek_syncer_object_has_finalizer(const struct ek_syncer_object *object)
{
	for (unsigned i = 0; i < object->n_finalizers; i++)
		if (strcmp(object->finalizers[i], EK_SYNCER_FINALIZER) == 0)
			return true;
	return false;
}

static const char *first_unserved(const struct ek_syncer_object *object)
{
	if (object->has_metadata_from)
		return "spec.instance.metadataFrom";
	if (object->is_secure)
		return "spec.instance.secure: true";
	if (object->secure_port.name || object->secure_port.number)
		return "spec.instance.securePort";
	if (object->secure_vip_address)
		return "spec.instance.secureVipAddress";
	if (object->home_page_path)
		return "spec.instance.homePagePath";
	if (object->status_page_path)
		return "spec.instance.statusPagePath";
	if (object->health_check_path)
		return "spec.instance.healthCheckPath";
	if (object->not_ready != EK_NOT_READY_DEREGISTER)
		return "spec.notReady (other than Deregister)";
	if (object->drain != EK_DRAIN_DEREGISTER)
		return "spec.drain.action (other than Deregister)";
	if (object->drain_seconds != 100)
		return "spec.drain.seconds (other than 100)";
	if (object->policy != EK_POLICY_SYNC)
		return "spec.policy (other than Sync)";
	return NULL;
}

int ek_syncer_object_check(const struct ek_syncer_object *object, struct ek_error *err)
{
	const char *field = first_unserved(object);

	if (!field)
		return EK_OK;
	return ek_fail_reason(err, EK_INVALID, "NotYetSupported",
	                      "%s is not served by this version; remove it, or wait for a version that serves it. "
	                      "What is registered stays and is kept alive.", field);
}

int ek_syncer_object_age(const struct ek_syncer_object *a, const struct ek_syncer_object *b)
{
	int order = strcmp(a->created ? a->created : "", b->created ? b->created : "");

	if (order == 0)
		order = strcmp(a->namespace_, b->namespace_);
	return order ? order : strcmp(a->name, b->name);
}
