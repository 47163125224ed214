/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes as clients make them: create, replace, patch and delete, with the refusals that the real server gives.
 * What a write means for the object is the store's business.
 * Next: fake_kube_store.c.
 */
#include "kit/fake_kube_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool refuse_missing(const struct fake_target *target, struct fake_refusal *refusal)
{
	const struct fake_resource *resource = target->kind->resource;

	return fake_refuse(refusal, 404, "NotFound", "%s%s%s \"%s\" not found", resource->plural,
		*resource->group ? "." : "", resource->group, target->name);
}

static bool refuse_conflict(const struct fake_target *target, struct fake_refusal *refusal)
{
	const struct fake_resource *resource = target->kind->resource;

	return fake_refuse(refusal, 409, "Conflict", "Operation cannot be fulfilled on %s%s%s \"%s\": the object has been "
		"modified; please apply your changes to the latest version and try again", resource->plural,
		*resource->group ? "." : "", resource->group, target->name);
}

static void reply_object(struct fake_kube *kube, const struct fake_target *target, int status,
	struct ek_serve_exchange *exchange)
{
	const struct fake_object *object = fake_object_find(target->kind, target->ns, target->name);

	fake_reply_json(kube, exchange, status, object ? object->text->at :
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\"}");
}

/* ---- What the schema would say ---- */

static bool refuse_invalid(const struct fake_resource *resource, const char *what, struct fake_refusal *refusal)
{
	return fake_refuse(refusal, 422, "Invalid", "%s is invalid: %s", resource->kind, what);
}

static bool check_syncer(const struct fake_resource *resource, const cJSON *json, struct fake_refusal *refusal)
{
	const char *terms[] = { "app", "serviceName", "matchLabels", "matchExpressions" };
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(json, "spec");
	const cJSON *selector = cJSON_GetObjectItemCaseSensitive(spec, "selector");
	bool has_term = false;

	if (!*fake_json_text(spec, "mode"))
		return refuse_invalid(resource, "spec.mode: Required value", refusal);
	if (!cJSON_IsObject(selector))
		return refuse_invalid(resource, "spec.selector: Required value", refusal);
	for (unsigned i = 0; i < 4; i++) {
		const cJSON *term = cJSON_GetObjectItemCaseSensitive(selector, terms[i]);

		has_term |= cJSON_IsString(term) || cJSON_GetArraySize(term) > 0;
	}
	return has_term || refuse_invalid(resource,
		"spec.selector: Invalid value: selector needs at least one term besides namespace", refusal);
}

/* 2024-01-02T03:04:05.000000Z */
static bool is_micro_time(const char *text)
{
	const char *shape = "dddd-dd-ddTdd:dd:dd.ddddddZ";

	for (; *shape && *text; shape++, text++)
		if (*shape == 'd' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	return !*shape && !*text;
}

static bool check_event(const struct fake_resource *resource, const cJSON *json, struct fake_refusal *refusal)
{
	const char *needed[] = { "reportingController", "reportingInstance", "action", "reason", "type" };
	const char *type = fake_json_text(json, "type");

	if (!is_micro_time(fake_json_text(json, "eventTime")))
		return fake_refuse(refusal, 400, "BadRequest", "eventTime: must be a time with six decimals");
	for (unsigned i = 0; i < 5; i++) {
		const char *value = fake_json_text(json, needed[i]);

		if (!*value || (i < 4 && strlen(value) > 128)) {
			fake_refuse(refusal, 422, "Invalid", "Event is invalid: %s: Required value", needed[i]);
			return false;
		}
	}
	if (strcmp(type, "Normal") && strcmp(type, "Warning"))
		return refuse_invalid(resource, "type: Invalid value", refusal);
	return strlen(fake_json_text(json, "note")) <= 1024 ||
		refuse_invalid(resource, "note: can have at most 1024 characters", refusal);
}

bool fake_validate(const struct fake_resource *resource, const cJSON *json, struct fake_refusal *refusal)
{
	if (!strcmp(resource->plural, "eurekasyncers"))
		return check_syncer(resource, json, refusal);
	if (!strcmp(resource->plural, "events"))
		return check_event(resource, json, refusal);
	return true;
}

static void default_to(cJSON *object, const char *key, cJSON *value)
{
	if (cJSON_GetObjectItemCaseSensitive(object, key))
		cJSON_Delete(value);
	else
		cJSON_AddItemToObject(object, key, value);
}

void fake_apply_defaults(const struct fake_resource *resource, cJSON *json)
{
	cJSON *spec, *drain, *instance;

	if (strcmp(resource->plural, "eurekasyncers") ||
		!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(json, "spec")))
		return;
	spec = fake_json_object(json, "spec");
	instance = fake_json_object(spec, "instance");
	default_to(instance, "secure", cJSON_CreateFalse());
	default_to(spec, "notReady", cJSON_CreateString("Deregister"));
	drain = fake_json_object(spec, "drain");
	default_to(drain, "action", cJSON_CreateString("Deregister"));
	default_to(drain, "seconds", cJSON_CreateNumber(100));
	default_to(spec, "policy", cJSON_CreateString("Sync"));
	default_to(spec, "deletionPolicy", cJSON_CreateString("Deregister"));
	default_to(spec, "suspend", cJSON_CreateFalse());
}

/* ---- Create ---- */

static bool is_ending_namespace(struct fake_kube *kube, const char *ns)
{
	const struct fake_object *object = fake_object_find(fake_kind_find(kube, "namespaces"), "", ns);

	return object && strstr(object->text->at, "\"deletionTimestamp\"");
}

static void generate_name(struct fake_kube *kube, struct fake_target *target, const cJSON *metadata)
{
	const char *name = fake_json_text(metadata, "name"), *prefix = fake_json_text(metadata, "generateName");

	if (*name)
		snprintf(target->name, sizeof(target->name), "%s", name);
	else if (*prefix)
		snprintf(target->name, sizeof(target->name), "%s%05llx", prefix,
			(unsigned long long)(kube->version * 7919 & 0xfffff));
}

static bool check_create(struct fake_kube *kube, struct fake_target *target, const cJSON *json,
	struct fake_refusal *refusal)
{
	const struct fake_resource *resource = target->kind->resource;
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const char *ns = fake_json_text(metadata, "namespace");

	if (!cJSON_IsObject(json) || strcmp(fake_json_text(json, "kind"), resource->kind))
		return fake_refuse(refusal, 400, "BadRequest", "the body is no %s", resource->kind);
	if (*ns && strcmp(ns, target->ns))
		return fake_refuse(refusal, 400, "BadRequest", "the namespace of the provided object does not match "
			"the namespace sent on the request");
	if (*fake_json_text(metadata, "resourceVersion"))
		return fake_refuse(refusal, 400, "BadRequest", "resourceVersion should not be set on objects to be created");
	generate_name(kube, target, metadata);
	if (!*target->name)
		return refuse_invalid(resource, "metadata.name: Required value: name or generateName is required", refusal);
	if (fake_object_find(target->kind, target->ns, target->name))
		return fake_refuse(refusal, 409, "AlreadyExists", "%s \"%s\" already exists", resource->plural, target->name);
	if (*target->ns && is_ending_namespace(kube, target->ns)) {
		refusal->causes = "[{\"reason\":\"NamespaceTerminating\",\"message\":\"the namespace is being terminated\","
			"\"field\":\"metadata.namespace\"}]";
		return fake_refuse(refusal, 403, "Forbidden", "%s \"%s\" is forbidden: unable to create new content in "
			"namespace %s because it is being terminated", resource->plural, target->name, target->ns);
	}
	return fake_validate(resource, json, refusal);
}

static bool create(struct fake_kube *kube, struct fake_target *target, const struct ek_serve_request *request,
	struct fake_refusal *refusal)
{
	cJSON *json = cJSON_Parse(request->body), *metadata;

	if (!check_create(kube, target, json, refusal)) {
		cJSON_Delete(json);
		return false;
	}
	metadata = fake_json_object(json, "metadata");
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "uid");
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "deletionTimestamp");
	if (target->kind->resource->has_status)
		cJSON_DeleteItemFromObjectCaseSensitive(json, "status");
	fake_object_write(kube, target, json);
	return true;
}

/* ---- Replace and patch: both end in `update` ---- */

static bool has_new_finalizer(const cJSON *was, const cJSON *is)
{
	const cJSON *item, *old = cJSON_GetObjectItemCaseSensitive(was, "finalizers");

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(is, "finalizers")) {
		const cJSON *other;
		bool is_known = false;

		cJSON_ArrayForEach(other, old)
			is_known |= cJSON_Compare(item, other, true);
		if (!is_known)
			return true;
	}
	return false;
}

static bool check_update(const struct fake_target *target, const cJSON *old, const cJSON *json,
	struct fake_refusal *refusal)
{
	const struct fake_resource *resource = target->kind->resource;
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(old, "metadata");
	const cJSON *is = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const char *version = fake_json_text(is, "resourceVersion"), *uid = fake_json_text(is, "uid");
	const char *name = fake_json_text(is, "name");

	if (*name && strcmp(name, target->name))
		return fake_refuse(refusal, 400, "BadRequest", "the name of the object does not match the name on the URL");
	if (*version && strcmp(version, fake_json_text(was, "resourceVersion")))
		return refuse_conflict(target, refusal);
	if (*uid && strcmp(uid, fake_json_text(was, "uid")) && resource->is_custom)
		return refuse_invalid(resource, "metadata.uid: Invalid value: field is immutable", refusal);
	if (*uid && strcmp(uid, fake_json_text(was, "uid")))
		return fake_refuse(refusal, 409, "Conflict", "Precondition failed: UID in precondition: %s", uid);
	if (*fake_json_text(was, "deletionTimestamp") && !*target->sub && has_new_finalizer(was, is))
		return refuse_invalid(resource, "metadata.finalizers: Forbidden: no new finalizers can be added if the "
			"object is being deleted", refusal);
	return fake_validate(resource, json, refusal);
}

/* The status resource changes nothing but the status, the main one all but it. Takes over `json`. */
static cJSON *restrict_to_sub(const struct fake_target *target, const cJSON *old, cJSON *json)
{
	bool is_status = *target->sub;
	const cJSON *from = is_status ? json : old;
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(from, "status");
	cJSON *result = is_status ? cJSON_Duplicate(old, true) : json;

	if (target->kind->resource->has_status) {
		cJSON *copy = status ? cJSON_Duplicate(status, true) : NULL;

		if (copy)
			fake_json_set(result, "status", copy);
		else
			cJSON_DeleteItemFromObjectCaseSensitive(result, "status");
	}
	if (is_status)
		cJSON_Delete(json);
	return result;
}

/* Takes over both. */
static bool update(struct fake_kube *kube, const struct fake_target *target, cJSON *old, cJSON *json,
	struct fake_refusal *refusal)
{
	bool is_fine = check_update(target, old, json, refusal);

	if (is_fine)
		fake_object_write(kube, target, restrict_to_sub(target, old, json));
	else
		cJSON_Delete(json);
	cJSON_Delete(old);
	return is_fine;
}

/* Somebody else was faster. */
static bool is_overtaken(struct fake_kind *kind, const struct fake_target *target, struct fake_refusal *refusal)
{
	if (!kind->has_conflict)
		return false;
	kind->has_conflict = false;
	refuse_conflict(target, refusal);
	return true;
}

static bool replace(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct fake_refusal *refusal)
{
	struct fake_object *object = fake_object_find(target->kind, target->ns, target->name);
	cJSON *json;

	if (!object)
		return refuse_missing(target, refusal);
	json = cJSON_Parse(request->body);
	if (!cJSON_IsObject(json)) {
		cJSON_Delete(json);
		return fake_refuse(refusal, 400, "BadRequest", "the body is no object");
	}
	return update(kube, target, fake_object_parse(object), json, refusal);
}

static bool patch(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct fake_refusal *refusal)
{
	struct fake_object *object = fake_object_find(target->kind, target->ns, target->name);
	const char *type = request->header(request, "Content-Type");
	bool is_merge = type && !strncasecmp(type, "application/merge-patch+json", 28);
	bool is_json = type && !strncasecmp(type, "application/json-patch+json", 27), is_done;
	cJSON *steps, *json;

	if (!is_merge && !is_json)
		return fake_refuse(refusal, 415, "UnsupportedMediaType", "the body of the request was in an unknown format - "
			"accepted media types include: application/json-patch+json, application/merge-patch+json");
	if (!object)
		return refuse_missing(target, refusal);
	steps = cJSON_Parse(request->body);
	if (!steps)
		return fake_refuse(refusal, 400, "BadRequest", "error decoding patch");
	json = fake_object_parse(object);
	is_done = true;
	if (is_merge)
		json = fake_merge_patch(json, steps);
	else
		is_done = fake_json_patch(json, steps);
	cJSON_Delete(steps);
	if (is_done)
		return update(kube, target, fake_object_parse(object), json, refusal);
	cJSON_Delete(json);
	return fake_refuse(refusal, 422, "Invalid", "the server rejected our request due to an error in our request");
}

/* ---- Delete ---- */

static bool delete(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct fake_refusal *refusal)
{
	struct fake_object *object = fake_object_find(target->kind, target->ns, target->name);
	cJSON *options = cJSON_Parse(request->body), *json;
	const cJSON *conditions = cJSON_GetObjectItemCaseSensitive(options, "preconditions");
	const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(options, "gracePeriodSeconds");
	const char *uid = fake_json_text(conditions, "uid"), *version = fake_json_text(conditions, "resourceVersion");
	const cJSON *metadata;
	char text[16];
	int grace = cJSON_IsNumber(seconds) ? seconds->valueint : -1;
	bool is_fine = object;

	if (fake_query(request->query, "gracePeriodSeconds", text, sizeof(text)))
		grace = (int)strtol(text, NULL, 10);
	if (!object)
		refuse_missing(target, refusal);
	json = object ? fake_object_parse(object) : NULL;
	metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	if (object && ((*uid && strcmp(uid, fake_json_text(metadata, "uid"))) ||
		(*version && strcmp(version, fake_json_text(metadata, "resourceVersion")))))
		is_fine = fake_refuse(refusal, 409, "Conflict", "Precondition failed: UID in precondition: %s", uid);
	cJSON_Delete(json);
	cJSON_Delete(options);
	if (is_fine)
		fake_object_delete(kube, target->kind, object, grace);
	return is_fine;
}

void fake_kube_write(struct fake_kube *kube, const struct fake_target *given, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange)
{
	struct fake_target target = *given;
	struct fake_refusal refusal = { 0 };
	bool is_post = !strcmp(request->method, "POST"), is_done;

	if (is_overtaken(target.kind, &target, &refusal))
		is_done = false;
	else if (is_post)
		is_done = create(kube, &target, request, &refusal);
	else if (!strcmp(request->method, "PUT"))
		is_done = replace(kube, &target, request, &refusal);
	else if (!strcmp(request->method, "PATCH"))
		is_done = patch(kube, &target, request, &refusal);
	else
		is_done = delete(kube, &target, request, &refusal);
	if (is_done)
		reply_object(kube, &target, is_post ? 201 : 200, exchange);
	else
		fake_reply_refusal(kube, exchange, &target, &refusal);
}
