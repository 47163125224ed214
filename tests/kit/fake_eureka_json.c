/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations as the real server reads them - what it refuses, what it fills in, what it silently takes for something
 * else - and the answers as it writes them. It changes no registration.
 * Next: fake_eureka_lease.c.
 */
#include "kit/fake_eureka_inside.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const fake_status_texts[FAKE_N_STATUSES] = { "UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN" };

bool fake_status_read(const char *text, enum fake_status *status)
{
	for (int i = 0; i < FAKE_N_STATUSES; i++) {
		if (!strcmp(text, fake_status_texts[i])) {
			*status = (enum fake_status)i;
			return true;
		}
	}
	*status = FAKE_UNKNOWN;
	return false;
}

/* ---- Reading ---- */

static const char *const text_keys[] = { "instanceId", "hostName", "app", "ipAddr", "sid", "homePageUrl", "statusPageUrl",
	"healthCheckUrl", "secureHealthCheckUrl", "vipAddress", "secureVipAddress", "appGroupName", "asgName", "status",
	"overriddenStatus", "overriddenstatus", "countryId", "lastUpdatedTimestamp", "lastDirtyTimestamp", "actionType",
	"isCoordinatingDiscoveryServer" };
static const char *const object_keys[] = { "port", "securePort", "dataCenterInfo", "leaseInfo", "metadata" };

static bool is_among(const char *const *keys, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

#define IS_AMONG(keys, key) is_among((keys), sizeof(keys) / sizeof((keys)[0]), (key))

/* A string, or a number or boolean as text; "" otherwise. */
static void text_of(const cJSON *item, char *text, size_t size)
{
	if (cJSON_IsString(item))
		snprintf(text, size, "%s", item->valuestring);
	else if (cJSON_IsNumber(item))
		snprintf(text, size, "%.0f", item->valuedouble);
	else
		snprintf(text, size, "%s", cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "");
}

static void text_at(const cJSON *object, const char *key, char *text, size_t size)
{
	text_of(cJSON_GetObjectItemCaseSensitive(object, key), text, size);
}

/*
 * Only what the server knows. An unknown object is not skipped by the real one: its members are taken for the instance's,
 * and its end for the instance's end.
 */
static cJSON *flatten(const cJSON *instance)
{
	cJSON *flat = cJSON_CreateObject();
	const cJSON *item, *inner;

	cJSON_ArrayForEach(item, instance) {
		if (IS_AMONG(text_keys, item->string) || IS_AMONG(object_keys, item->string)) {
			cJSON_DeleteItemFromObjectCaseSensitive(flat, item->string);
			cJSON_AddItemToObject(flat, item->string, cJSON_Duplicate(item, true));
		} else if (cJSON_IsObject(item)) {
			cJSON_ArrayForEach(inner, item) {
				cJSON_DeleteItemFromObjectCaseSensitive(flat, inner->string);
				cJSON_AddItemToObject(flat, inner->string, cJSON_Duplicate(inner, true));
			}
			break;
		}
	}
	return flat;
}

/* {"$":8080,"@enabled":"true"}, in which everything may be missing. */
static bool read_port(const cJSON *flat, const char *key, int otherwise, bool is_on, cJSON *out)
{
	const cJSON *port = cJSON_GetObjectItemCaseSensitive(flat, key), *item;
	char text[64];
	cJSON *result;

	if (port && !cJSON_IsObject(port))
		return false;
	if (port)
		is_on = true;
	cJSON_ArrayForEach(item, port) {
		text_of(item, text, sizeof(text));
		if (!strcmp(item->string, "$"))
			otherwise = (int)strtol(text, NULL, 10);
		else if (!strcmp(item->string, "@enabled"))
			is_on = !strcasecmp(text, "true");
		else
			return false;
	}
	result = cJSON_AddObjectToObject(out, key);
	cJSON_AddNumberToObject(result, "$", otherwise);
	cJSON_AddStringToObject(result, "@enabled", is_on ? "true" : "false");
	return true;
}

static bool read_data_center(const cJSON *flat, cJSON *out)
{
	const cJSON *center = cJSON_GetObjectItemCaseSensitive(flat, "dataCenterInfo");
	char kind[128], name[64];
	cJSON *result;

	if (!center)
		return true;
	text_at(center, "@class", kind, sizeof(kind));
	text_at(center, "name", name, sizeof(name));
	if (strcmp(kind, "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo") &&
		strcmp(kind, "com.netflix.appinfo.MyDataCenterInfo") && strcmp(kind, "com.netflix.appinfo.AmazonInfo"))
		return false;
	if (*name && strcmp(name, "MyOwn") && strcmp(name, "Amazon") && strcmp(name, "Netflix"))
		return false;
	result = cJSON_AddObjectToObject(out, "dataCenterInfo");
	cJSON_AddStringToObject(result, "@class", strstr(kind, "Amazon") ? kind :
		"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo");
	cJSON_AddStringToObject(result, "name", name);
	return true;
}

static int64_t read_seconds(const cJSON *lease, const char *key, int64_t otherwise)
{
	char text[64];
	int64_t seconds;

	text_at(lease, key, text, sizeof(text));
	seconds = strtoll(text, NULL, 10);
	return seconds > 0 ? seconds : otherwise;
}

static bool read_metadata(const cJSON *flat, cJSON *out)
{
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(flat, "metadata"), *item;
	cJSON *result = cJSON_AddObjectToObject(out, "metadata");
	char text[2048];

	cJSON_ArrayForEach(item, metadata) {
		if (cJSON_IsObject(item) || cJSON_IsArray(item))
			return false;
		text_of(item, text, sizeof(text));
		if (strcmp(item->string, "@class"))
			cJSON_AddStringToObject(result, item->string, cJSON_IsNull(item) ? "null" : text);
	}
	return true;
}

static void copy_text(const cJSON *flat, const char *key, cJSON *out)
{
	char text[2048];

	text_at(flat, key, text, sizeof(text));
	if (*text)
		cJSON_AddStringToObject(out, key, text);
}

static bool normalize(const cJSON *flat, struct fake_registration *read, int64_t now_ms, cJSON *out)
{
	const cJSON *lease = cJSON_GetObjectItemCaseSensitive(flat, "leaseInfo");
	const char *urls[] = { "homePageUrl", "statusPageUrl", "healthCheckUrl", "secureHealthCheckUrl", "vipAddress",
		"secureVipAddress", "appGroupName", "asgName" };
	char text[256], *end;
	cJSON *info;

	cJSON_AddStringToObject(out, "instanceId", read->id);
	copy_text(flat, "hostName", out);
	cJSON_AddStringToObject(out, "app", read->app);
	copy_text(flat, "ipAddr", out);
	if (!read_port(flat, "port", 7001, true, out) || !read_port(flat, "securePort", 7002, false, out))
		return false;
	cJSON_AddNumberToObject(out, "countryId", 1);
	if (!read_data_center(flat, out))
		return false;
	info = cJSON_AddObjectToObject(out, "leaseInfo");
	cJSON_AddNumberToObject(info, "renewalIntervalInSecs", (double)read_seconds(lease, "renewalIntervalInSecs", 30));
	cJSON_AddNumberToObject(info, "durationInSecs", (double)read_seconds(lease, "durationInSecs", 90));
	read->duration_ms = read_seconds(lease, "durationInSecs", 90) * 1000;
	if (!read_metadata(flat, out))
		return false;
	for (unsigned i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		copy_text(flat, urls[i], out);
	text_at(flat, "status", text, sizeof(text));
	fake_status_read(*text ? text : "UP", &read->status);
	text_at(flat, cJSON_HasObjectItem(flat, "overriddenStatus") ? "overriddenStatus" : "overriddenstatus", text, sizeof(text));
	fake_status_read(text, &read->overridden);
	text_at(flat, "lastDirtyTimestamp", text, sizeof(text));
	read->dirty_ms = *text ? strtoll(text, &end, 10) : now_ms;
	if (*text && *end)
		read->dirty_ms = 0;
	return true;
}

static void upper(char *text)
{
	for (; *text; text++)
		*text = (char)toupper((unsigned char)*text);
}

/* In the real server's order; NULL is fine. */
static char *validate(const cJSON *flat, const char *app, const struct fake_registration *read)
{
	char *text;

	if (!*read->id)
		return ek_xstrdup("Missing instanceId");
	if (!cJSON_HasObjectItem(flat, "hostName"))
		return ek_xstrdup("Missing hostname");
	if (!cJSON_HasObjectItem(flat, "ipAddr"))
		return ek_xstrdup("Missing ip address");
	if (!*read->app)
		return ek_xstrdup("Missing appName");
	if (strcasecmp(read->app, app)) {
		if (asprintf(&text, "Mismatched appName, expecting %s but was %s", app, read->app) < 0)
			EK_BUG("out of memory");
		return text;
	}
	if (!cJSON_HasObjectItem(flat, "dataCenterInfo"))
		return ek_xstrdup("Missing dataCenterInfo");
	if (!cJSON_HasObjectItem(cJSON_GetObjectItemCaseSensitive(flat, "dataCenterInfo"), "name"))
		return ek_xstrdup("Missing dataCenterInfo Name");
	return NULL;
}

static char *cannot_parse(void)
{
	return ek_xstrdup("{\"error\": \"cannot parse request body\"}");
}

char *fake_registration_read(const char *body, const char *app, int64_t now_ms, struct fake_registration *read)
{
	cJSON *root = cJSON_Parse(body), *out = cJSON_CreateObject(), *flat;
	const cJSON *instance = cJSON_GetObjectItemCaseSensitive(root, "instance");
	char *problem = NULL, text[1024];

	memset(read, 0, sizeof(*read));
	flat = flatten(instance);
	text_at(flat, "instanceId", text, sizeof(text));
	if (!*text)
		text_at(flat, "hostName", text, sizeof(text));
	read->id = ek_xstrdup(text);
	text_at(flat, "app", text, sizeof(text));
	read->app = ek_xstrdup(text);
	upper(read->app);
	if (!cJSON_IsObject(instance) || cJSON_GetArraySize(root) != 1 || !cJSON_HasObjectItem(flat, "app") ||
		!normalize(flat, read, now_ms, out))
		problem = cannot_parse();
	else
		problem = validate(flat, app, read);
	if (!problem)
		read->json = cJSON_PrintUnformatted(out);
	cJSON_Delete(flat);
	cJSON_Delete(out);
	cJSON_Delete(root);
	if (problem)
		fake_registration_clear(read);
	return problem;
}

void fake_registration_clear(struct fake_registration *read)
{
	free(read->id);
	free(read->app);
	free(read->json);
	memset(read, 0, sizeof(*read));
}

/* ---- Writing ---- */

static void add_time(cJSON *object, const char *key, int64_t ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)ms);
	cJSON_AddStringToObject(object, key, text);
}

void fake_lease_app(const struct fake_lease *lease, char *app, size_t size)
{
	snprintf(app, size, "%.*s", (int)(lease->id - lease->key - 1), lease->key);
}

cJSON *fake_lease_json(const struct fake_lease *lease)
{
	cJSON *json = cJSON_Parse(lease->json);
	cJSON *info = cJSON_GetObjectItemCaseSensitive(json, "leaseInfo");
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");

	if (!cJSON_GetArraySize(metadata))
		cJSON_AddStringToObject(metadata, "@class", "java.util.Collections$EmptyMap");
	cJSON_AddNumberToObject(info, "registrationTimestamp", (double)lease->registered_ms);
	cJSON_AddNumberToObject(info, "lastRenewalTimestamp", (double)lease->lease_ms);
	cJSON_AddNumberToObject(info, "evictionTimestamp", 0);
	cJSON_AddNumberToObject(info, "serviceUpTimestamp", (double)lease->up_ms);
	cJSON_AddStringToObject(json, "status", fake_status_texts[lease->status]);
	cJSON_AddStringToObject(json, "overriddenStatus", fake_status_texts[lease->overridden]);
	cJSON_AddStringToObject(json, "isCoordinatingDiscoveryServer", "false");
	add_time(json, "lastUpdatedTimestamp", lease->updated_ms);
	add_time(json, "lastDirtyTimestamp", lease->dirty_ms);
	cJSON_AddStringToObject(json, "actionType", lease->action);
	return json;
}

/* Applications in the making: a list of {"name","instance":[]}, kept short by old servers. */
struct apps {
	cJSON *list;
	unsigned n[FAKE_N_STATUSES];
};

static void add_to(struct apps *apps, const char *app, cJSON *instance)
{
	cJSON *entry, *last = NULL;
	enum fake_status status;
	const cJSON *text = cJSON_GetObjectItemCaseSensitive(instance, "status");

	cJSON_ArrayForEach(entry, apps->list) {
		if (!strcmp(cJSON_GetObjectItemCaseSensitive(entry, "name")->valuestring, app)) {
			last = entry;
			break;
		}
	}
	if (!last) {
		last = cJSON_CreateObject();
		cJSON_AddStringToObject(last, "name", app);
		cJSON_AddArrayToObject(last, "instance");
		cJSON_AddItemToArray(apps->list, last);
	}
	cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(last, "instance"), instance);
	fake_status_read(text->valuestring, &status);
	apps->n[status]++;
}

static void write_hashcode(const unsigned n[FAKE_N_STATUSES], char *text, size_t size)
{
	const enum fake_status order[] = { FAKE_DOWN, FAKE_OUT_OF_SERVICE, FAKE_STARTING, FAKE_UNKNOWN, FAKE_UP };
	size_t at = 0;

	*text = '\0';
	for (unsigned i = 0; i < FAKE_N_STATUSES; i++)
		if (n[order[i]])
			at += (size_t)snprintf(text + at, size - at, "%s_%u_", fake_status_texts[order[i]], n[order[i]]);
}

static void collapse(cJSON *object, const char *key)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_GetArraySize(list) == 1)
		cJSON_ReplaceItemInObjectCaseSensitive(object, key, cJSON_DetachItemFromArray(list, 0));
}

static cJSON *finish(const struct fake_eureka *eureka, struct apps *apps, const unsigned n[FAKE_N_STATUSES])
{
	cJSON *root = cJSON_CreateObject(), *body = cJSON_AddObjectToObject(root, "applications"), *app;
	char hashcode[160];

	write_hashcode(n, hashcode, sizeof(hashcode));
	cJSON_AddStringToObject(body, "versions__delta", "1");
	cJSON_AddStringToObject(body, "apps__hashcode", hashcode);
	if (eureka->config.collapses_lists)
		cJSON_ArrayForEach(app, apps->list)
			collapse(app, "instance");
	cJSON_AddItemToObject(body, "application", apps->list);
	if (eureka->config.collapses_lists)
		collapse(body, "application");
	return root;
}

static int by_key(struct fake_lease *a, struct fake_lease *b)
{
	return strcmp(a->key, b->key);
}

static cJSON *select_leases(struct fake_eureka *eureka, const char *key, const char *value)
{
	struct apps apps = { .list = cJSON_CreateArray() };
	struct fake_lease *lease, *tmp;

	HASH_SORT(eureka->leases, by_key);
	HASH_ITER(hh, eureka->leases, lease, tmp) {
		cJSON *json;
		char text[512] = "";
		char app[256];

		if (eureka->shows_nothing)
			break;
		json = fake_lease_json(lease);
		if (key)
			text_at(json, key, text, sizeof(text));
		fake_lease_app(lease, app, sizeof(app));
		if (!key || !strcasecmp(text, value))
			add_to(&apps, app, json);
		else
			cJSON_Delete(json);
	}
	return finish(eureka, &apps, apps.n);
}

cJSON *fake_apps_json(struct fake_eureka *eureka)
{
	return select_leases(eureka, NULL, NULL);
}

cJSON *fake_vip_json(struct fake_eureka *eureka, const char *key, const char *vip)
{
	return select_leases(eureka, key, vip);
}

/* The newest word on each changed instance; the hash code is that of the whole registry. */
cJSON *fake_delta_json(struct fake_eureka *eureka)
{
	struct apps apps = { .list = cJSON_CreateArray() };
	unsigned n[FAKE_N_STATUSES] = { 0 };
	struct fake_lease *lease, *tmp;

	fake_eureka_sweep(eureka);
	HASH_ITER(hh, eureka->leases, lease, tmp)
		n[lease->status]++;
	for (struct fake_recent *recent = eureka->recent; recent; recent = recent->next) {
		const char *slash = strchr(recent->key, '/');
		char app[256];
		cJSON *json;

		snprintf(app, sizeof(app), "%.*s", (int)(slash - recent->key), recent->key);
		lease = fake_lease_find(eureka, app, slash + 1);
		json = recent->json ? cJSON_Parse(recent->json) : lease ? fake_lease_json(lease) : NULL;
		if (json)
			add_to(&apps, app, json);
	}
	return finish(eureka, &apps, n);
}

cJSON *fake_app_json(struct fake_eureka *eureka, const char *app)
{
	cJSON *root = fake_vip_json(eureka, "app", app), *wrapped = NULL;
	cJSON *body = cJSON_GetObjectItemCaseSensitive(root, "applications");
	cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "application");
	cJSON *only = cJSON_IsArray(list) ? cJSON_DetachItemFromArray(list, 0) :
		cJSON_DetachItemFromObjectCaseSensitive(body, "application");

	if (only) {
		wrapped = cJSON_CreateObject();
		cJSON_AddItemToObject(wrapped, "application", only);
	}
	cJSON_Delete(root);
	return wrapped;
}
