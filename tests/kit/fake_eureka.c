/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake Eureka's front: which operation a request is, how it is answered and logged, scripted answers, and the functions by
 * which tests look at the registry and change it. What happens to registrations is decided in fake_eureka_lease.c.
 * Next: fake_eureka_json.c for their JSON.
 */
#include "kit/fake_eureka_inside.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_LOG 100000u

/* One request, taken apart: apps/APP/ID/sub. */
struct place {
	char root[32], app[256], id[1024], sub[32];
	unsigned n;                /* how many of these there are */
};

/* ---- Answers ---- */

static void answer(struct fake_eureka *eureka, struct ek_serve_exchange *exchange, int status, const char *type,
	const char *body)
{
	unsigned every = eureka->config.close_every;

	eureka->n_answers++;
	fake_http_reply(&eureka->http, exchange, status, type,
		every && eureka->n_answers % every == 0 ? "Connection: close\n" : NULL, body);
}

static const char *words_for(int status)
{
	switch (status) {
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 415: return "Unsupported Media Type";
	case 503: return "Service Unavailable";
	default: return "Internal Server Error";
	}
}

static char *default_body(int status)
{
	char text[160];

	snprintf(text, sizeof(text), "{\"timestamp\":\"2026-01-01T00:00:00.000+00:00\",\"status\":%d,\"error\":\"%s\"}", status,
		words_for(status));
	return ek_xstrdup(text);
}

/* As Spring's error page has it. */
static void refuse(struct fake_eureka *eureka, struct ek_serve_exchange *exchange, int status, const char *path)
{
	cJSON *json;
	char *text, when[40];

	if (status == 404 && eureka->config.has_plain_404) {
		answer(eureka, exchange, status, "application/json", "");
		return;
	}
	json = cJSON_CreateObject();
	fake_time(fake_eureka_now(eureka), 3, when);
	cJSON_AddStringToObject(json, "timestamp", when);
	cJSON_AddNumberToObject(json, "status", status);
	cJSON_AddStringToObject(json, "error", words_for(status));
	cJSON_AddStringToObject(json, "path", path);
	text = cJSON_PrintUnformatted(json);
	answer(eureka, exchange, status, "application/json", text);
	free(text);
	cJSON_Delete(json);
}

static void finish(struct fake_eureka *eureka, struct ek_serve_exchange *exchange, int status, const char *path)
{
	if (status >= 400)
		refuse(eureka, exchange, status, path);
	else
		answer(eureka, exchange, status, "application/json", "");
}

/* Who does not ask for JSON gets XML. */
static bool wants_json(const struct ek_serve_request *request)
{
	const char *accept = request->header(request, "Accept");

	return accept && strstr(accept, "json");
}

static void answer_json(struct fake_eureka *eureka, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange, int status, const char *text)
{
	if (wants_json(request))
		answer(eureka, exchange, status, "application/json", text);
	else
		answer(eureka, exchange, status, "application/xml", "<?xml version=\"1.0\"?><applications/>");
}

/* ---- The log ---- */

static void forget_half(struct fake_eureka *eureka)
{
	size_t n = eureka->n_log / 2;

	for (size_t i = 0; i < n; i++)
		free((char *)eureka->log[i].app);
	memmove(eureka->log, eureka->log + n, (eureka->n_log - n) * sizeof(*eureka->log));
	eureka->n_log -= n;
}

static void log_op(struct fake_eureka *eureka, enum fake_op op, const struct place *place, const char *dirty, int status)
{
	struct fake_op_record *record;
	size_t n_app = strlen(place->app) + 1, n_id = strlen(place->id) + 1;
	char *texts = ek_xmalloc(n_app + n_id);

	eureka->n_ops[op]++;
	if (eureka->n_log == MAX_LOG)
		forget_half(eureka);
	if (eureka->n_log == eureka->log_room) {
		eureka->log_room = eureka->log_room ? 2 * eureka->log_room : 64;
		eureka->log = ek_xrealloc(eureka->log, eureka->log_room, sizeof(*eureka->log));
	}
	memcpy(texts, place->app, n_app);
	memcpy(texts + n_app, place->id, n_id);
	record = &eureka->log[eureka->n_log++];
	*record = (struct fake_op_record){ .at_ms = ek_loop_now_ms(eureka->loop), .op = op, .status = status,
		.dirty_ms = strtoll(dirty, NULL, 10), .app = texts, .id = texts + n_app };
}

void fake_eureka_reset_log(struct fake_eureka *eureka)
{
	for (size_t i = 0; i < eureka->n_log; i++)
		free((char *)eureka->log[i].app);
	eureka->n_log = 0;
	memset(eureka->n_ops, 0, sizeof(eureka->n_ops));
}

/* ---- Taking a request apart ---- */

static bool read_part(const char **path, char *part, size_t size)
{
	size_t n;

	*path += **path == '/';
	n = strcspn(*path, "/");
	if (!fake_decode(*path, n, part, size))
		return false;
	*path += n;
	return n;
}

/* Tomcat refuses these whatever the application thinks. */
static bool has_forbidden_bytes(const char *path)
{
	return strcasestr(path, "%2F") || strcasestr(path, "%5C") || strstr(path, "%00");
}

static bool read_place(const char *path, struct place *place)
{
	memset(place, 0, sizeof(*place));
	if (strncmp(path, "/eureka/", 8) || strstr(path, "//"))
		return false;
	path += 7;
	if (!strncmp(path, "/v2/", 4))
		path += 3;
	if (!read_part(&path, place->root, sizeof(place->root)))
		return false;
	place->n = 1;
	if (read_part(&path, place->app, sizeof(place->app)))
		place->n = 2;
	if (place->n == 2 && read_part(&path, place->id, sizeof(place->id)))
		place->n = 3;
	if (place->n == 3 && read_part(&path, place->sub, sizeof(place->sub)))
		place->n = 4;
	return !*path || !strcmp(path, "/");
}

static void upper(char *text)
{
	for (; *text; text++)
		*text = (char)toupper((unsigned char)*text);
}

static enum fake_op op_of(const char *method, const struct place *place)
{
	bool is_put = !strcmp(method, "PUT"), is_delete = !strcmp(method, "DELETE"), is_get = !strcmp(method, "GET");

	if (is_get && (!strcmp(place->root, "vips") || !strcmp(place->root, "svips")))
		return FAKE_OP_LIST;
	if (is_get && !strcmp(place->root, "instances") && place->n == 2)
		return FAKE_OP_GET;
	if (strcmp(place->root, "apps"))
		return FAKE_OP_OTHER;
	if (!strcmp(method, "POST") && place->n == 2)
		return FAKE_OP_REGISTER;
	if (is_get && place->n < 4)
		return place->n == 3 ? FAKE_OP_GET : FAKE_OP_LIST;
	if (place->n == 3)
		return is_put ? FAKE_OP_RENEW : is_delete ? FAKE_OP_CANCEL : FAKE_OP_OTHER;
	if (place->n == 4 && !strcmp(place->sub, "status"))
		return is_put ? FAKE_OP_STATUS : is_delete ? FAKE_OP_UNSTATUS : FAKE_OP_OTHER;
	return place->n == 4 && is_put && !strcmp(place->sub, "metadata") ? FAKE_OP_METADATA : FAKE_OP_OTHER;
}

/* ---- Operations ---- */

static int handle_register(struct fake_eureka *eureka, const struct ek_serve_request *request,
	const struct place *place, struct ek_serve_exchange *exchange)
{
	const char *type = request->header(request, "Content-Type");
	struct fake_registration read;
	char *problem;

	if (!strcmp(place->app, "delta")) {
		refuse(eureka, exchange, 405, request->path);
		return 405;
	}
	if (!type || strncasecmp(type, "application/json", 16)) {
		refuse(eureka, exchange, 415, request->path);
		return 415;
	}
	problem = fake_registration_read(request->body, place->app, fake_eureka_now(eureka), &read);
	if (problem) {
		answer(eureka, exchange, 400, "application/json", problem);
		free(problem);
		return 400;
	}
	fake_lease_register(eureka, read.app, read.id, read.json, read.status, read.overridden, read.dirty_ms,
		read.duration_ms);
	read.json = NULL;
	fake_registration_clear(&read);
	answer(eureka, exchange, 204, "application/json", "");
	return 204;
}

static int handle_renew(struct fake_eureka *eureka, const struct ek_serve_request *request, const struct place *place,
	const char *dirty, struct ek_serve_exchange *exchange)
{
	const char *peer = request->header(request, "x-netflix-discovery-replication");
	int status = fake_lease_renew(eureka, place->app, place->id, dirty, peer && !strcasecmp(peer, "true"));

	if (status == 409) {
		const struct fake_instance *instance = fake_eureka_find(eureka, place->app, place->id);

		answer_json(eureka, request, exchange, 409, instance->json);
	} else {
		finish(eureka, exchange, status, request->path);
	}
	return status;
}

static int handle_status(struct fake_eureka *eureka, const struct ek_serve_request *request, const struct place *place,
	bool is_put, struct ek_serve_exchange *exchange)
{
	enum fake_status status;
	char value[32];
	bool has_value = fake_query(request->query, "value", value, sizeof(value));
	int code;

	if (!fake_lease_find(eureka, place->app, place->id))
		code = 404;
	else if ((is_put || has_value) && !fake_status_read(value, &status))
		code = 500;
	else if (is_put)
		code = fake_lease_set_status(eureka, place->app, place->id, status);
	else
		code = fake_lease_drop_status(eureka, place->app, place->id, has_value ? status : FAKE_UNKNOWN);
	finish(eureka, exchange, code, request->path);
	return code;
}

static int handle_metadata(struct fake_eureka *eureka, const struct ek_serve_request *request, const struct place *place,
	struct ek_serve_exchange *exchange)
{
	struct fake_lease *lease = fake_lease_find(eureka, place->app, place->id);
	const char *query = request->query;
	char key[256], value[1024];

	if (!lease) {
		refuse(eureka, exchange, 404, request->path);
		return 404;
	}
	while (*query) {
		size_t n = strcspn(query, "&"), n_key = strcspn(query, "=&");

		if (fake_decode(query, n_key, key, sizeof(key)) && fake_query(query, key, value, sizeof(value)))
			fake_lease_set_metadata(eureka, lease, key, value);
		query += n + (query[n] == '&');
	}
	fake_lease_reregister(eureka, lease);
	answer(eureka, exchange, 200, "application/json", "");
	return 200;
}

static int handle_get(struct fake_eureka *eureka, const struct ek_serve_request *request, const struct place *place,
	struct ek_serve_exchange *exchange)
{
	const struct fake_instance *instance = NULL;
	struct fake_lease *lease, *tmp;
	char app[256];

	if (!strcmp(place->root, "instances")) {
		HASH_ITER(hh, eureka->leases, lease, tmp) {
			fake_lease_app(lease, app, sizeof(app));
			if (!instance && !strcmp(lease->id, place->app))
				instance = fake_eureka_find(eureka, app, lease->id);
		}
	} else {
		lease = fake_lease_find(eureka, place->app, place->id);
		if (lease && !(fake_eureka_can_expire(eureka) && fake_lease_is_expired(eureka, lease)))
			instance = fake_eureka_find(eureka, place->app, place->id);
	}
	if (instance)
		answer_json(eureka, request, exchange, 200, instance->json);
	else
		refuse(eureka, exchange, 404, request->path);
	return instance ? 200 : 404;
}

static cJSON *make_list(struct fake_eureka *eureka, const struct place *place)
{
	char app[256];

	if (!strcmp(place->root, "vips") || !strcmp(place->root, "svips"))
		return fake_vip_json(eureka, *place->root == 'v' ? "vipAddress" : "secureVipAddress", place->app);
	if (place->n == 1)
		return fake_apps_json(eureka);
	if (!strcmp(place->app, "delta"))
		return fake_delta_json(eureka);
	snprintf(app, sizeof(app), "%s", place->app);
	upper(app);
	return fake_app_json(eureka, app);
}

/* What the read-only cache shows: the state of the first read since the last multiple of cache_ms. */
static struct fake_cached *look_up(struct fake_eureka *eureka, const struct ek_serve_request *request,
	const struct place *place)
{
	int64_t lag = eureka->config.cache_ms, now = fake_eureka_now(eureka);
	struct fake_cached *cached;
	size_t n = strlen(request->path) + 1;
	cJSON *json;

	HASH_FIND_STR(eureka->cache, request->path, cached);
	if (!cached) {
		cached = ek_xcalloc(1, sizeof(*cached) + n);
		memcpy(cached->path, request->path, n);
		HASH_ADD_STR(eureka->cache, path, cached);
	} else if (lag > 0 && cached->bucket == now / lag) {
		return cached;
	}
	json = make_list(eureka, place);
	free(cached->body);
	cached->bucket = lag > 0 ? now / lag : 0;
	cached->status = json ? 200 : 404;
	cached->body = json ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return cached;
}

static int handle_list(struct fake_eureka *eureka, const struct ek_serve_request *request, const struct place *place,
	struct ek_serve_exchange *exchange)
{
	const struct fake_cached *cached;

	if (eureka->is_gated) {
		refuse(eureka, exchange, 403, request->path);
		return 403;
	}
	cached = look_up(eureka, request, place);
	if (cached->body)
		answer_json(eureka, request, exchange, 200, cached->body);
	else
		refuse(eureka, exchange, 404, request->path);
	return cached->status;
}

static int carry_out(struct fake_eureka *eureka, enum fake_op op, const struct ek_serve_request *request,
	const struct place *place, const char *dirty, struct ek_serve_exchange *exchange)
{
	switch (op) {
	case FAKE_OP_REGISTER:
		return handle_register(eureka, request, place, exchange);
	case FAKE_OP_RENEW:
		return handle_renew(eureka, request, place, dirty, exchange);
	case FAKE_OP_STATUS:
	case FAKE_OP_UNSTATUS:
		return handle_status(eureka, request, place, op == FAKE_OP_STATUS, exchange);
	case FAKE_OP_METADATA:
		return handle_metadata(eureka, request, place, exchange);
	case FAKE_OP_GET:
		return handle_get(eureka, request, place, exchange);
	case FAKE_OP_LIST:
		return handle_list(eureka, request, place, exchange);
	case FAKE_OP_CANCEL: {
		int status = fake_lease_cancel(eureka, place->app, place->id) ? 200 : 404;

		finish(eureka, exchange, status, request->path);
		return status;
	}
	default:
		refuse(eureka, exchange, 404, request->path);
		return 404;
	}
}

static void read_dirty(const struct ek_serve_request *request, enum fake_op op, char *dirty, size_t size)
{
	const char *at;

	fake_query(request->query, "lastDirtyTimestamp", dirty, size);
	if (op != FAKE_OP_REGISTER)
		return;
	at = strstr(request->body, "\"lastDirtyTimestamp\"");
	at = at ? strpbrk(at + 20, "0123456789}") : NULL;
	if (at)
		snprintf(dirty, size, "%.*s", (int)strspn(at, "0123456789"), at);
}

/* A registration's path names the application alone. */
static void read_registered_id(const struct ek_serve_request *request, struct place *place)
{
	const char *at = strstr(request->body, "\"instanceId\"");

	at = at ? strchr(at + 12, ':') : NULL;
	at = at ? strchr(at, '"') : NULL;
	if (at)
		snprintf(place->id, sizeof(place->id), "%.*s", (int)strcspn(at + 1, "\""), at + 1);
}

void fake_eureka_handle(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct fake_eureka *eureka = arg;
	const char *authorization = request->header(request, "Authorization");
	struct place place;
	bool is_place = read_place(request->path, &place);
	enum fake_op op = is_place ? op_of(request->method, &place) : FAKE_OP_OTHER;
	char dirty[64];
	int status;

	read_dirty(request, op, dirty, sizeof(dirty));
	if (op != FAKE_OP_LIST && op != FAKE_OP_REGISTER)
		upper(place.app);
	if (op == FAKE_OP_GET && !strcmp(place.root, "instances"))
		read_place(request->path, &place);
	if (fake_http_begin(&eureka->http, request, exchange)) {
		status = 0;
	} else if (eureka->authorization && (!authorization || strcmp(authorization, eureka->authorization))) {
		status = 401;
		refuse(eureka, exchange, status, request->path);
	} else if (has_forbidden_bytes(request->path)) {
		status = 400;
		answer(eureka, exchange, status, "text/html", "<!doctype html><h1>HTTP Status 400</h1>");
	} else {
		status = carry_out(eureka, op, request, &place, dirty, exchange);
	}
	upper(place.app);
	if (op == FAKE_OP_REGISTER)
		read_registered_id(request, &place);
	log_op(eureka, op, &place, dirty, status);
}

/* ---- For tests ---- */

struct fake_eureka *fake_eureka_new(struct ek_loop *loop, const struct fake_eureka_config *config)
{
	struct fake_eureka *eureka = ek_xcalloc(1, sizeof(*eureka));

	eureka->loop = loop;
	if (config)
		eureka->config = *config;
	eureka->authorization = ek_xstrdup(eureka->config.authorization);
	eureka->recent_end = &eureka->recent;
	fake_http_init(&eureka->http, loop);
	eureka->http.default_body = default_body;
	fake_eureka_forget(eureka);
	fake_eureka_start_clock(eureka);
	return eureka;
}

void fake_eureka_free(struct fake_eureka *eureka)
{
	if (!eureka)
		return;
	ek_loop_disarm(eureka->loop, &eureka->eviction);
	ek_loop_disarm(eureka->loop, &eureka->minute);
	fake_eureka_forget(eureka);
	fake_eureka_reset_log(eureka);
	fake_http_clear(&eureka->http);
	cJSON_Delete(eureka->found_root);
	free(eureka->found_json);
	free(eureka->scratch);
	free(eureka->log);
	free(eureka->authorization);
	free(eureka);
}

void fake_eureka_register(struct fake_eureka *eureka, const char *app, const char *json)
{
	struct fake_registration read;
	char *problem = fake_registration_read(json, app, fake_eureka_now(eureka), &read);

	if (problem)
		EK_BUG("the registration would be refused: %s", problem);
	fake_lease_register(eureka, read.app, read.id, read.json, read.status, read.overridden, read.dirty_ms,
		read.duration_ms);
	read.json = NULL;
	fake_registration_clear(&read);
}

void fake_eureka_stranger(struct fake_eureka *eureka, const char *app, const char *id, const char *address,
	const char *metadata)
{
	char *json;

	if (asprintf(&json, "{\"instance\":{\"instanceId\":\"%s\",\"hostName\":\"%s\",\"app\":\"%s\",\"ipAddr\":\"%s\","
		"\"status\":\"UP\",\"port\":{\"$\":8080,\"@enabled\":\"true\"},\"vipAddress\":\"%s\",\"dataCenterInfo\":{"
		"\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"},\"metadata\":{%s}}}", id,
		address, app, address, app, metadata ? metadata : "") < 0)
		EK_BUG("out of memory");
	fake_eureka_register(eureka, app, json);
	free(json);
}

bool fake_eureka_cancel(struct fake_eureka *eureka, const char *app, const char *id)
{
	return fake_lease_cancel(eureka, app, id);
}

bool fake_eureka_override(struct fake_eureka *eureka, const char *app, const char *id, const char *text)
{
	enum fake_status status;

	if (!text)
		return fake_lease_drop_status(eureka, app, id, FAKE_UP) == 200;
	if (!fake_status_read(text, &status))
		EK_BUG("Eureka has no status %s", text);
	return fake_lease_set_status(eureka, app, id, status) == 200;
}

void fake_eureka_rule(struct fake_eureka *eureka, const struct fake_rule *rule)
{
	fake_http_add_rule(&eureka->http, rule);
}

void fake_eureka_drop_rules(struct fake_eureka *eureka)
{
	fake_http_drop_rules(&eureka->http);
}

void fake_eureka_restart(struct fake_eureka *eureka)
{
	fake_eureka_forget(eureka);
}

void fake_eureka_close_gate(struct fake_eureka *eureka, bool is_closed)
{
	eureka->is_gated = is_closed;
}

void fake_eureka_show_nothing(struct fake_eureka *eureka, bool is_empty)
{
	eureka->shows_nothing = is_empty;
}

void fake_eureka_lag(struct fake_eureka *eureka, int64_t cache_ms)
{
	eureka->config.cache_ms = cache_ms;
}

void fake_eureka_authorization(struct fake_eureka *eureka, const char *value)
{
	free(eureka->authorization);
	eureka->authorization = ek_xstrdup(value);
}
