/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake API server's front: which object or collection a request is about, scripted answers, Status documents, and the
 * functions by which tests look at it and change it. What it does with a request is in the files beside it.
 * Next: fake_kube_list.c, fake_kube_watch.c, fake_kube_write.c.
 */
#include "kit/fake_kube_inside.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER_UID "8a5f0c3e-52d4-4b7e-9d1c-2f6b7c8d9e10"

static const char *const verbs[FAKE_N_VERBS] = { "get", "list", "watch", "create", "update", "patch", "delete" };

/* ---- Answers ---- */

bool fake_refuse(struct fake_refusal *refusal, int status, const char *reason, const char *format, ...)
{
	va_list args;

	refusal->status = status;
	refusal->reason = reason;
	va_start(args, format);
	vsnprintf(refusal->message, sizeof(refusal->message), format, args);
	va_end(args);
	return false;
}

void fake_reply_json(struct fake_kube *kube, struct ek_serve_exchange *exchange, int status, const char *json)
{
	fake_http_reply(&kube->http, exchange, status, "application/json", NULL, json);
}

/* The reason that goes with a status, where a test has scripted only the number. */
static const char *usual_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} known[] = {
		{ 400, "BadRequest" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "NotFound" },
		{ 409, "Conflict" }, { 410, "Expired" }, { 422, "Invalid" }, { 429, "TooManyRequests" },
		{ 500, "InternalError" }, { 503, "ServiceUnavailable" }, { 504, "Timeout" },
	};

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].reason;
	return "";
}

static char *write_status(int status, const char *reason, const char *message, const char *details)
{
	cJSON *json = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(json, "kind", "Status");
	cJSON_AddStringToObject(json, "apiVersion", "v1");
	cJSON_AddObjectToObject(json, "metadata");
	cJSON_AddStringToObject(json, "status", "Failure");
	cJSON_AddStringToObject(json, "message", message);
	if (*reason)
		cJSON_AddStringToObject(json, "reason", reason);
	if (*details)
		cJSON_AddRawToObject(json, "details", details);
	cJSON_AddNumberToObject(json, "code", status);
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	return text;
}

static char *default_body(int status)
{
	return write_status(status, usual_reason(status), "scripted by the test", "");
}

void fake_reply_refusal(struct fake_kube *kube, struct ek_serve_exchange *exchange, const struct fake_target *target,
	const struct fake_refusal *refusal)
{
	char details[1024] = "", *text;

	if (target && target->kind && *refusal->reason)
		snprintf(details, sizeof(details), "{\"name\":\"%s\",\"group\":\"%s\",\"kind\":\"%s\"%s%s}", target->name,
			target->kind->resource->group, target->kind->resource->plural,
			refusal->causes ? ",\"causes\":" : "", refusal->causes ? refusal->causes : "");
	if (refusal->status == 422 && !strncmp(refusal->message, "the server rejected", 19))
		snprintf(details, sizeof(details), "{}");
	text = write_status(refusal->status, refusal->reason, refusal->message, details);
	fake_http_reply(&kube->http, exchange, refusal->status, "application/json", refusal->headers, text);
	free(text);
}

bool fake_version_read(const char *text, uint64_t *version)
{
	char *end;

	*version = strtoull(text, &end, 10);
	return !*end && *text != '-' && *text != '+';
}

/* ---- Which object ---- */

#define MAX_PARTS 9

static unsigned split(char *path, char *parts[MAX_PARTS])
{
	unsigned n = 0;
	char *save = NULL;

	for (char *part = strtok_r(path, "/", &save); part && n < MAX_PARTS; part = strtok_r(NULL, "/", &save))
		parts[n++] = part;
	return n;
}

static struct fake_kind *find_served(struct fake_kube *kube, const char *group, const char *version, const char *plural)
{
	for (unsigned i = 0; i < FAKE_N_KINDS; i++) {
		const struct fake_resource *resource = kube->kinds[i].resource;

		if (!strcmp(resource->group, group) && !strcmp(resource->version, version) &&
			!strcmp(resource->plural, plural) && !kube->kinds[i].is_unserved)
			return &kube->kinds[i];
	}
	return NULL;
}

/* parts: what follows the version. */
static bool read_place(struct fake_kube *kube, const char *group, const char *version, char **parts, unsigned n,
	struct fake_target *target)
{
	if (n >= 3 && !strcmp(parts[0], "namespaces") && strcmp(parts[2], "status") && strcmp(parts[2], "finalize")) {
		if (!fake_decode(parts[1], strlen(parts[1]), target->ns, sizeof(target->ns)))
			return false;
		parts += 2;
		n -= 2;
	}
	if (!n || n > 3)
		return false;
	target->kind = find_served(kube, group, version, parts[0]);
	if (n > 1 && !fake_decode(parts[1], strlen(parts[1]), target->name, sizeof(target->name)))
		return false;
	if (n > 2)
		snprintf(target->sub, sizeof(target->sub), "%s", parts[2]);
	return target->kind && (!*target->sub || (target->kind->resource->has_status && !strcmp(target->sub, "status"))) &&
		(!*target->name || !target->kind->resource->is_namespaced || *target->ns);
}

static bool read_target(struct fake_kube *kube, const char *raw_path, struct fake_target *target)
{
	char *path = ek_xstrdup(raw_path), *parts[MAX_PARTS];
	unsigned n = split(path, parts);
	bool is_found = false;

	memset(target, 0, sizeof(*target));
	if (n >= 3 && !strcmp(parts[0], "api"))
		is_found = read_place(kube, "", parts[1], parts + 2, n - 2, target);
	else if (n >= 4 && !strcmp(parts[0], "apis"))
		is_found = read_place(kube, parts[1], parts[2], parts + 3, n - 3, target);
	free(path);
	return is_found;
}

static enum fake_verb verb_of(const struct ek_serve_request *request, const struct fake_target *target)
{
	char watch[8];

	if (!strcmp(request->method, "POST"))
		return FAKE_CREATE;
	if (!strcmp(request->method, "PUT"))
		return FAKE_UPDATE;
	if (!strcmp(request->method, "PATCH"))
		return FAKE_PATCH;
	if (!strcmp(request->method, "DELETE"))
		return FAKE_DELETE;
	if (*target->name)
		return FAKE_GET;
	fake_query(request->query, "watch", watch, sizeof(watch));
	return !strcmp(watch, "1") || !strcmp(watch, "true") ? FAKE_WATCH : FAKE_LIST;
}

/* ---- Requests ---- */

static void get(struct fake_kube *kube, const struct fake_target *target, struct ek_serve_exchange *exchange)
{
	const struct fake_object *object = fake_object_find(target->kind, target->ns, target->name);
	const struct fake_resource *resource = target->kind->resource;
	struct fake_refusal refusal = { 0 };

	if (object) {
		fake_reply_json(kube, exchange, 200, object->text->at);
		return;
	}
	fake_refuse(&refusal, 404, "NotFound", "%s%s%s \"%s\" not found", resource->plural, *resource->group ? "." : "",
		resource->group, target->name);
	fake_reply_refusal(kube, exchange, target, &refusal);
}

/* What is no object. */
static bool answer_other(struct fake_kube *kube, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	if (!strcmp(request->path, "/version")) {
		fake_reply_json(kube, exchange, 200, "{\"major\":\"1\",\"minor\":\"34\",\"gitVersion\":\"v1.34.0-fake\","
			"\"platform\":\"linux/amd64\"}");
	} else if (!strcmp(request->path, "/healthz") || !strcmp(request->path, "/livez") ||
		!strcmp(request->path, "/readyz")) {
		fake_http_reply(&kube->http, exchange, 200, "text/plain", NULL, "ok");
	} else if (!strcmp(request->path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")) {
		fake_reply_json(kube, exchange, 201, "{\"kind\":\"SelfSubjectAccessReview\",\"apiVersion\":"
			"\"authorization.k8s.io/v1\",\"status\":{\"allowed\":true}}");
	} else {
		return false;
	}
	return true;
}

static void answer_unknown(struct fake_kube *kube, struct ek_serve_exchange *exchange)
{
	struct fake_refusal refusal = { 0 };

	fake_refuse(&refusal, 404, "NotFound", "the server could not find the requested resource");
	fake_reply_refusal(kube, exchange, NULL, &refusal);
}

/* A name or namespace where none belongs, or none where one does. */
static bool is_misplaced(enum fake_verb verb, const struct fake_target *target)
{
	if (verb == FAKE_CREATE)
		return *target->name || (target->kind->resource->is_namespaced && !*target->ns);
	return (verb == FAKE_UPDATE || verb == FAKE_PATCH || verb == FAKE_DELETE) && !*target->name;
}

void fake_kube_handle(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct fake_kube *kube = arg;
	struct fake_target target;
	bool is_known = read_target(kube, request->path, &target);
	enum fake_verb verb = verb_of(request, &target);

	if (is_known)
		target.kind->n_requests[verb][*target.sub != '\0']++;
	if (fake_http_begin(&kube->http, request, exchange) || answer_other(kube, request, exchange))
		return;
	if (!is_known || is_misplaced(verb, &target))
		answer_unknown(kube, exchange);
	else if (verb == FAKE_GET)
		get(kube, &target, exchange);
	else if (verb == FAKE_LIST)
		fake_kube_list(kube, &target, request, exchange);
	else if (verb == FAKE_WATCH)
		fake_kube_watch(kube, &target, request, exchange);
	else
		fake_kube_write(kube, &target, request, exchange);
}

/* ---- For tests ---- */

struct fake_kube *fake_kube_new(struct ek_loop *loop)
{
	struct fake_kube *kube = ek_xcalloc(1, sizeof(*kube));

	kube->loop = loop;
	kube->version = 1000;
	kube->max_events = 1000;
	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		kube->kinds[i].resource = &fake_resources[i];
	fake_http_init(&kube->http, loop);
	kube->http.default_body = default_body;
	fake_kube_applyf(kube, "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-system\",\"uid\":\"%s\"}}", CLUSTER_UID);
	fake_kube_namespace(kube, "default");
	return kube;
}

void fake_kube_free(struct fake_kube *kube)
{
	if (!kube)
		return;
	kube->on_change = NULL;
	fake_watches_forget(kube);
	fake_http_clear(&kube->http);
	for (unsigned i = 0; i < FAKE_N_KINDS; i++) {
		struct fake_object *object, *tmp;

		HASH_ITER(hh, kube->kinds[i].objects, object, tmp) {
			HASH_DEL(kube->kinds[i].objects, object);
			fake_text_unref(object->text);
			free(object);
		}
	}
	fake_kube_compact(kube);
	free(kube->scratch);
	free(kube);
}

static struct fake_kind *kind_of(struct fake_kube *kube, const cJSON *json)
{
	const char *kind = fake_json_text(json, "kind");

	for (unsigned i = 0; i < FAKE_N_KINDS; i++)
		if (!strcmp(kube->kinds[i].resource->kind, kind))
			return &kube->kinds[i];
	EK_BUG("the fake API server does not know the kind %s", kind);
}

void fake_kube_apply(struct fake_kube *kube, const char *text)
{
	cJSON *json = cJSON_Parse(text);
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	struct fake_target target = { 0 };
	const char *ns = fake_json_text(metadata, "namespace");

	if (!json)
		EK_BUG("this is no JSON: %s", text);
	target.kind = kind_of(kube, json);
	snprintf(target.name, sizeof(target.name), "%s", fake_json_text(metadata, "name"));
	if (target.kind->resource->is_namespaced)
		snprintf(target.ns, sizeof(target.ns), "%s", *ns ? ns : "default");
	fake_object_write(kube, &target, json);
}

void fake_kube_applyf(struct fake_kube *kube, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		EK_BUG("out of memory");
	va_end(args);
	fake_kube_apply(kube, text);
	free(text);
}

bool fake_kube_patch(struct fake_kube *kube, const char *plural, const char *ns, const char *name, const char *sub,
	const char *merge_json)
{
	struct fake_target target = { .kind = fake_kind_find(kube, plural) };
	struct fake_object *object = fake_object_find(target.kind, ns, name);
	cJSON *steps = cJSON_Parse(merge_json);

	if (!steps)
		EK_BUG("this is no JSON: %s", merge_json);
	if (object && sub && *sub)
		cJSON_DeleteItemFromObjectCaseSensitive(steps, "metadata");
	if (object) {
		snprintf(target.ns, sizeof(target.ns), "%s", ns);
		snprintf(target.name, sizeof(target.name), "%s", name);
		fake_object_write(kube, &target, fake_merge_patch(fake_object_parse(object), steps));
	}
	cJSON_Delete(steps);
	return object;
}

const char *fake_kube_get(struct fake_kube *kube, const char *plural, const char *ns, const char *name)
{
	const struct fake_object *object = fake_object_find(fake_kind_find(kube, plural), ns, name);

	return object ? object->text->at : NULL;
}

void fake_kube_each(struct fake_kube *kube, const char *plural,
	void (*fn)(void *arg, const char *ns, const char *name, const char *json), void *arg)
{
	struct fake_kind *kind = fake_kind_find(kube, plural);
	struct fake_object *object, *tmp;
	char ns[256];

	fake_objects_sort(kind);
	HASH_ITER(hh, kind->objects, object, tmp) {
		fake_object_ns(object, ns, sizeof(ns));
		fn(arg, ns, object->name, object->text->at);
	}
}

size_t fake_kube_n(struct fake_kube *kube, const char *plural)
{
	return HASH_COUNT(fake_kind_find(kube, plural)->objects);
}

uint64_t fake_kube_version(const struct fake_kube *kube)
{
	return kube->version;
}

void fake_kube_on_change(struct fake_kube *kube, void (*fn)(void *arg, const char *plural, const char *ns, const char *name),
	void *arg)
{
	kube->on_change = fn;
	kube->on_change_arg = arg;
}

void fake_kube_rule(struct fake_kube *kube, const struct fake_rule *rule)
{
	fake_http_add_rule(&kube->http, rule);
}

void fake_kube_drop_rules(struct fake_kube *kube)
{
	fake_http_drop_rules(&kube->http);
}

void fake_kube_drop_events(struct fake_kube *kube, const char *plural, unsigned n)
{
	fake_kind_find(kube, plural)->n_drop += n;
}

void fake_kube_repeat_events(struct fake_kube *kube, const char *plural, unsigned n)
{
	fake_kind_find(kube, plural)->n_repeat += n;
}

void fake_kube_swap_events(struct fake_kube *kube, const char *plural, unsigned n)
{
	fake_kind_find(kube, plural)->n_swap += n;
}

void fake_kube_spare_events(struct fake_kube *kube, const char *plural, unsigned n)
{
	fake_kind_find(kube, plural)->n_spare += n;
}

void fake_kube_restart(struct fake_kube *kube)
{
	fake_kube_cut_watches(kube, NULL, true);
	fake_kube_compact(kube);
}

void fake_kube_set_streaming(struct fake_kube *kube, bool is_on)
{
	kube->has_no_streaming = !is_on;
}

void fake_kube_set_served(struct fake_kube *kube, const char *plural, bool is_served)
{
	fake_kind_find(kube, plural)->is_unserved = !is_served;
	if (!is_served)
		fake_kube_cut_watches(kube, plural, false);
}

void fake_kube_conflict(struct fake_kube *kube, const char *plural)
{
	fake_kind_find(kube, plural)->has_conflict = true;
}

unsigned fake_kube_count(struct fake_kube *kube, const char *verb, const char *resource)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAKE_N_KINDS; i++) {
		const char *plural = kube->kinds[i].resource->plural;
		size_t n_plural = strlen(plural);

		if (resource && (strncmp(resource, plural, n_plural) || (resource[n_plural] && resource[n_plural] != '/')))
			continue;
		for (unsigned v = 0; v < FAKE_N_VERBS; v++)
			for (unsigned sub = 0; sub < 2; sub++)
				if ((!verb || !strcmp(verb, verbs[v])) && (!resource || (resource[n_plural] == '/') == sub))
					n += kube->kinds[i].n_requests[v][sub];
	}
	return n;
}
