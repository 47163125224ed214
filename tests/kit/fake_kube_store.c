/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of the fake API server: what it keeps, what it stamps on each write, and the bounded history from which
 * watches and old lists are served. It knows nothing of HTTP.
 * Next: fake_kube_watch.c, which tells of the changes.
 */
#include "kit/fake_kube_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fake_resource fake_resources[FAKE_N_KINDS] = {
	{ "", "v1", "services", "Service", .is_namespaced = true, .has_status = true },
	{ "", "v1", "pods", "Pod", .is_namespaced = true, .has_status = true },
	{ "", "v1", "nodes", "Node", .has_status = true },
	{ "", "v1", "namespaces", "Namespace", .has_status = true },
	{ "", "v1", "configmaps", "ConfigMap", .is_namespaced = true },
	{ "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", .is_namespaced = true,
		.has_generation = true },
	{ "eurekube.io", "v1alpha1", "eurekasyncers", "EurekaSyncer", .is_namespaced = true, .is_custom = true,
		.has_status = true, .has_generation = true },
	{ "events.k8s.io", "v1", "events", "Event", .is_namespaced = true },
	{ "networking.k8s.io", "v1", "ingresses", "Ingress", .is_namespaced = true, .has_status = true, .has_generation = true },
	{ "coordination.k8s.io", "v1", "leases", "Lease", .is_namespaced = true },
	{ "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition",
		.has_status = true, .has_generation = true },
};

struct fake_kind *fake_kind_find(struct fake_kube *kube, const char *plural)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		if (!strcmp(kube->kinds[i].resource->plural, plural))
			return &kube->kinds[i];
	EK_BUG("the fake API server does not know %s", plural);
}

struct fake_object *fake_object_find(struct fake_kind *kind, const char *ns, const char *name)
{
	struct fake_object *object;
	char key[600];

	snprintf(key, sizeof(key), "%s/%s", ns, name);
	HASH_FIND_STR(kind->objects, key, object);
	return object;
}

void fake_object_ns(const struct fake_object *object, char *ns, size_t size)
{
	snprintf(ns, size, "%.*s", (int)(object->name - object->key - 1), object->key);
}

static int by_key(struct fake_object *a, struct fake_object *b)
{
	return strcmp(a->key, b->key);
}

void fake_objects_sort(struct fake_kind *kind)
{
	HASH_SORT(kind->objects, by_key);
}

/* ---- Texts ---- */

struct fake_text *fake_text_ref(struct fake_text *text)
{
	if (text)
		text->n_refs++;
	return text;
}

void fake_text_unref(struct fake_text *text)
{
	if (text && !--text->n_refs)
		free(text);
}

const char *fake_api_version(const struct fake_resource *resource, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", resource->group, *resource->group ? "/" : "", resource->version);
	return text;
}

/* In the key order of the real server. */
static struct fake_text *print(const struct fake_resource *resource, cJSON *json)
{
	char version[64], *bytes;
	struct fake_text *text;
	size_t n, n_head;
	cJSON *metadata = cJSON_DetachItemFromObjectCaseSensitive(json, "metadata");

	fake_api_version(resource, version, sizeof(version));
	cJSON_DeleteItemFromObjectCaseSensitive(json, "kind");
	cJSON_DeleteItemFromObjectCaseSensitive(json, "apiVersion");
	/* cJSON puts in front only what already has its key. */
	cJSON_AddItemToObject(json, "metadata", metadata);
	cJSON_AddStringToObject(json, "apiVersion", version);
	cJSON_AddStringToObject(json, "kind", resource->kind);
	for (unsigned i = 0; i < 3; i++) {
		const char *keys[2][3] = { { "metadata", "apiVersion", "kind" }, { "metadata", "kind", "apiVersion" } };
		cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(json, keys[resource->is_custom][i]);

		cJSON_InsertItemInArray(json, 0, item);
	}
	bytes = cJSON_PrintUnformatted(json);
	n = strlen(bytes);
	n_head = resource->is_custom ? 0 : strlen(resource->kind) + strlen(version) +
		strlen("\"kind\":\"\",\"apiVersion\":\"\",");
	text = ek_xmalloc(sizeof(*text) + n + 1);
	text->n_refs = 1;
	text->n = n;
	text->n_head = n_head;
	memcpy(text->at, bytes, n + 1);
	free(bytes);
	return text;
}

cJSON *fake_object_parse(const struct fake_object *object)
{
	return cJSON_Parse(object->text->at);
}

void fake_json_set(cJSON *object, const char *key, cJSON *value)
{
	if (cJSON_HasObjectItem(object, key) && cJSON_GetObjectItemCaseSensitive(object, key))
		cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
	else
		cJSON_AddItemToObject(object, key, value);
}

const char *fake_json_text(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

cJSON *fake_json_object(cJSON *object, const char *key)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_IsObject(item))
		return item;
	item = cJSON_CreateObject();
	fake_json_set(object, key, item);
	return item;
}

/* ---- History ---- */

static void drop_oldest(struct fake_kind *kind)
{
	struct fake_event *event = kind->oldest;

	kind->oldest = event->next;
	if (!kind->oldest)
		kind->newest = NULL;
	kind->n_events--;
	kind->compacted = event->version;
	fake_text_unref(event->now);
	fake_text_unref(event->before);
	free(event);
}

static void compact(struct fake_kube *kube, struct fake_kind *kind, unsigned n_keep)
{
	while (kind->n_events > n_keep)
		drop_oldest(kind);
	if (!n_keep)
		kind->compacted = kube->version;
}

void fake_kube_compact(struct fake_kube *kube)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		compact(kube, &kube->kinds[i], 0);
}

void fake_kube_keep_history(struct fake_kube *kube, unsigned n_events)
{
	kube->max_events = n_events;
}

/* Takes over both texts. */
static void record(struct fake_kube *kube, struct fake_kind *kind, const char *key, enum fake_change change,
	struct fake_text *now, struct fake_text *before)
{
	size_t n = strlen(key) + 1;
	struct fake_event *event = ek_xcalloc(1, sizeof(*event) + n);

	memcpy(event->key, key, n);
	event->version = kube->version;
	event->change = change;
	event->now = now;
	event->before = before;
	if (kind->newest)
		kind->newest->next = event;
	else
		kind->oldest = event;
	kind->newest = event;
	kind->n_events++;
	if (kube->on_change) {
		const char *slash = strchr(event->key, '/');
		char *ns = ek_xstrndup(event->key, (size_t)(slash - event->key));

		kube->on_change(kube->on_change_arg, kind->resource->plural, ns, slash + 1);
		free(ns);
	}
	fake_watches_tell(kube, kind, event);
	compact(kube, kind, kube->max_events ? kube->max_events : 1);
}

/* ---- Writing ---- */

static void set_version(cJSON *metadata, uint64_t version)
{
	char text[40];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)version);
	fake_json_set(metadata, "resourceVersion", cJSON_CreateString(text));
}

static void stamp_new(struct fake_kube *kube, const struct fake_target *target, cJSON *metadata)
{
	const struct fake_resource *resource = target->kind->resource;
	char text[64];

	fake_json_set(metadata, "name", cJSON_CreateString(target->name));
	if (resource->is_namespaced)
		fake_json_set(metadata, "namespace", cJSON_CreateString(target->ns));
	if (!*fake_json_text(metadata, "uid")) {
		uint64_t n = ++kube->next_uid;

		snprintf(text, sizeof(text), "00000000-0000-4000-8000-%012llx", (unsigned long long)n);
		fake_json_set(metadata, "uid", cJSON_CreateString(text));
	}
	if (resource->has_generation && !cJSON_HasObjectItem(metadata, "generation"))
		fake_json_set(metadata, "generation", cJSON_CreateNumber(1));
	if (!*fake_json_text(metadata, "creationTimestamp")) {
		fake_time(ek_loop_wall_ms(kube->loop), 0, text);
		fake_json_set(metadata, "creationTimestamp", cJSON_CreateString(text));
	}
}

/* Whatever is neither metadata nor status makes up the generation. */
static bool is_same_spec(const cJSON *a, const cJSON *b)
{
	cJSON *x = cJSON_Duplicate(a, true), *y = cJSON_Duplicate(b, true);
	const char *others[] = { "metadata", "status", "kind", "apiVersion" };
	bool is_same;

	for (unsigned i = 0; i < 4; i++) {
		cJSON_DeleteItemFromObjectCaseSensitive(x, others[i]);
		cJSON_DeleteItemFromObjectCaseSensitive(y, others[i]);
	}
	is_same = fake_json_equal(x, y);
	cJSON_Delete(x);
	cJSON_Delete(y);
	return is_same;
}

/* What a writer cannot change. */
static void keep_old(const struct fake_resource *resource, const cJSON *old, cJSON *json)
{
	const char *kept[] = { "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp",
		"deletionGracePeriodSeconds", "generation" };
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(old, "metadata");
	cJSON *metadata = fake_json_object(json, "metadata");

	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(was, kept[i]);

		if (item && (i > 1 || !cJSON_HasObjectItem(metadata, kept[i])))
			fake_json_set(metadata, kept[i], cJSON_Duplicate(item, true));
	}
	if (resource->has_generation && !is_same_spec(old, json)) {
		const cJSON *generation = cJSON_GetObjectItemCaseSensitive(was, "generation");

		fake_json_set(metadata, "generation",
			cJSON_CreateNumber((generation ? generation->valuedouble : 1) + 1));
	}
}

static bool is_at_its_end(const cJSON *metadata)
{
	const cJSON *grace = cJSON_GetObjectItemCaseSensitive(metadata, "deletionGracePeriodSeconds");

	return *fake_json_text(metadata, "deletionTimestamp") &&
		!cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(metadata, "finalizers")) &&
		!(grace && grace->valueint > 0);
}

static void add(struct fake_kube *kube, const struct fake_target *target, cJSON *json)
{
	size_t n = strlen(target->ns) + strlen(target->name) + 2;
	struct fake_object *object = ek_xcalloc(1, sizeof(*object) + n);

	snprintf(object->key, n, "%s/%s", target->ns, target->name);
	object->name = object->key + strlen(target->ns) + 1;
	set_version(fake_json_object(json, "metadata"), ++kube->version);
	object->version = kube->version;
	object->text = print(target->kind->resource, json);
	HASH_ADD_STR(target->kind->objects, key, object);
	record(kube, target->kind, object->key, FAKE_ADDED, fake_text_ref(object->text), NULL);
}

static void change(struct fake_kube *kube, struct fake_kind *kind, struct fake_object *object, cJSON *json)
{
	cJSON *metadata = fake_json_object(json, "metadata"), *old = fake_object_parse(object);
	struct fake_text *before = object->text;
	bool is_same;

	set_version(metadata, object->version);
	is_same = fake_json_equal(old, json);
	cJSON_Delete(old);
	if (is_same)
		return;
	set_version(metadata, ++kube->version);
	object->version = kube->version;
	object->text = print(kind->resource, json);
	record(kube, kind, object->key, FAKE_MODIFIED, fake_text_ref(object->text), before);
}

void fake_object_write(struct fake_kube *kube, const struct fake_target *target, cJSON *json)
{
	struct fake_object *object = fake_object_find(target->kind, target->ns, target->name);
	cJSON *metadata = fake_json_object(json, "metadata");
	char version[64];

	fake_json_set(json, "kind", cJSON_CreateString(target->kind->resource->kind));
	fake_json_set(json, "apiVersion",
		cJSON_CreateString(fake_api_version(target->kind->resource, version, sizeof(version))));
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "managedFields");
	fake_apply_defaults(target->kind->resource, json);
	if (object) {
		cJSON *old = fake_object_parse(object);

		keep_old(target->kind->resource, old, json);
		cJSON_Delete(old);
	}
	stamp_new(kube, target, metadata);
	if (!object)
		add(kube, target, json);
	else if (is_at_its_end(metadata))
		fake_object_drop(kube, target->kind, object);
	else
		change(kube, target->kind, object, json);
	cJSON_Delete(json);
}

void fake_object_drop(struct fake_kube *kube, struct fake_kind *kind, struct fake_object *object)
{
	cJSON *json = fake_object_parse(object);
	struct fake_text *before = object->text;

	set_version(fake_json_object(json, "metadata"), ++kube->version);
	HASH_DEL(kind->objects, object);
	record(kube, kind, object->key, FAKE_DELETED, print(kind->resource, json), before);
	cJSON_Delete(json);
	free(object);
}

/* ---- Deleting ---- */

static int own_grace_seconds(const cJSON *json)
{
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
	const cJSON *grace = cJSON_GetObjectItemCaseSensitive(spec, "terminationGracePeriodSeconds");

	return cJSON_IsNumber(grace) ? grace->valueint : 30;
}

/* With a grace period somebody else (the kubelet) ends it, not the last finalizer. */
static void mark(struct fake_kube *kube, struct fake_kind *kind, struct fake_object *object, cJSON *json,
	int grace_seconds)
{
	cJSON *metadata = fake_json_object(json, "metadata");
	const cJSON *generation = cJSON_GetObjectItemCaseSensitive(metadata, "generation");
	char text[40];

	fake_time(ek_loop_wall_ms(kube->loop) + grace_seconds * 1000, 0, text);
	if (!*fake_json_text(metadata, "deletionTimestamp")) {
		fake_json_set(metadata, "deletionTimestamp", cJSON_CreateString(text));
		if (generation)
			fake_json_set(metadata, "generation", cJSON_CreateNumber(generation->valuedouble + 1));
	}
	fake_json_set(metadata, "deletionGracePeriodSeconds", cJSON_CreateNumber(grace_seconds));
	change(kube, kind, object, json);
}

void fake_object_delete(struct fake_kube *kube, struct fake_kind *kind, struct fake_object *object, int grace_seconds)
{
	cJSON *json = fake_object_parse(object);
	cJSON *metadata = fake_json_object(json, "metadata");
	bool has_finalizers = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(metadata, "finalizers"));
	bool is_pod = !strcmp(kind->resource->plural, "pods");

	if (is_pod && grace_seconds < 0)
		grace_seconds = own_grace_seconds(json);
	if (is_pod && grace_seconds > 0)
		mark(kube, kind, object, json, grace_seconds);
	else if (has_finalizers)
		mark(kube, kind, object, json, 0);
	else
		fake_object_drop(kube, kind, object);
	cJSON_Delete(json);
}

void fake_kube_terminate(struct fake_kube *kube, const char *plural, const char *ns, const char *name, int grace_seconds)
{
	struct fake_kind *kind = fake_kind_find(kube, plural);
	struct fake_object *object = fake_object_find(kind, ns, name);
	cJSON *json;

	if (!object)
		EK_BUG("there is no %s %s/%s to terminate", plural, ns, name);
	json = fake_object_parse(object);
	mark(kube, kind, object, json, grace_seconds);
	cJSON_Delete(json);
}

bool fake_kube_delete(struct fake_kube *kube, const char *plural, const char *ns, const char *name)
{
	struct fake_kind *kind = fake_kind_find(kube, plural);
	struct fake_object *object = fake_object_find(kind, ns, name);

	if (object)
		fake_object_delete(kube, kind, object, 0);
	return object;
}

bool fake_kube_remove(struct fake_kube *kube, const char *plural, const char *ns, const char *name)
{
	struct fake_kind *kind = fake_kind_find(kube, plural);
	struct fake_object *object = fake_object_find(kind, ns, name);

	if (object)
		fake_object_drop(kube, kind, object);
	return object;
}
