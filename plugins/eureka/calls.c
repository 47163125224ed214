/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call from start to completion: sends its request, turns to a second server when the first fails, and tells the host how it ended, exactly once and never
 * at once. It does not know what is asked (requests.c) nor what an answer means (verdicts.c). Read listing.c next.
 */
#include "eureka.h"

#include <stdlib.h>

/* Below this a second server could not answer in time anyhow. */
#define SECOND_TRY_MS 200

/* ---- Calls that wait for use: a heartbeat allocates nothing ------------------------------------------------------------------------------------------------- */

struct ek_eureka_call *ek_eureka_call_new(struct ek_eureka *eureka, uint32_t kind, uint64_t token, int64_t timeout_ms)
{
	struct ek_eureka_call *call = eureka->free;

	if (call)
		eureka->free = call->next;
	else
		call = malloc(sizeof(*call));
	if (!call)
		return NULL;
	memset(call, 0, offsetof(struct ek_eureka_call, path) + 1);
	call->message[0] = '\0';
	call->eureka = eureka;
	call->kind = kind;
	call->token = token;
	call->deadline_ms = eureka->host->now_ms(eureka->host) + timeout_ms;
	call->next = eureka->in_flight;
	if (call->next)
		call->next->previous = call;
	eureka->in_flight = call;
	return call;
}

void ek_eureka_call_free(struct ek_eureka_call *call)
{
	struct ek_eureka *eureka = call->eureka;

	eureka->host->http_cancel(eureka->host, call->request);
	eureka->host->timer_stop(eureka->host, call->late_failure);
	free(call->body);
	free(call->then_path);
	ek_eureka_list_free(call->list);
	if (call->next)
		call->next->previous = call->previous;
	if (call->previous)
		call->previous->next = call->next;
	else
		eureka->in_flight = call->next;
	call->next = eureka->free;
	eureka->free = call;
}

/* ---- Completion --------------------------------------------------------------------------------------------------------------------------------------------- */

static void complete(struct ek_eureka_call *call, struct ek_result *result)
{
	const struct ek_host *host = call->eureka->host;

	result->size = sizeof(*result);
	if (result->code == EK_OK)
		result->message = NULL;
	host->op_done(host, call->token, result);
	ek_eureka_call_free(call);
}

void ek_eureka_complete(struct ek_eureka_call *call, int32_t code, const char *message)
{
	struct ek_result result = { .code = code, .message = message };

	complete(call, &result);
}

static void on_late_failure(void *arg)
{
	struct ek_eureka_call *call = arg;

	call->late_failure = NULL;
	ek_eureka_complete(call, call->failure, call->message);
}

void ek_eureka_fail_later(struct ek_eureka_call *call, int32_t code, const char *message)
{
	const struct ek_host *host = call->eureka->host;

	call->failure = code;
	snprintf(call->message, sizeof(call->message), "%s", message);
	call->late_failure = host->timer_start(host, 0, on_late_failure, call);
}

static void complete_get(struct ek_eureka_call *call, const struct ek_http_response *response, struct ek_result *result)
{
	struct ek_eureka_reading *reading = &call->eureka->reading;
	struct ek_error err = EK_ERROR_INIT;

	result->code = ek_eureka_read_single(reading, response->body, response->body_bytes, &err);
	if (result->code == EK_OK) {
		result->entry = &reading->entry;
		result->revision = reading->entry.revision;
	} else {
		snprintf(call->message, sizeof(call->message), "%.90s: %.150s", call->eureka->servers.at[call->server].url, err.message);
	}
	complete(call, result);
}

static void complete_answered(struct ek_eureka_call *call, int32_t code, const struct ek_http_response *response)
{
	struct ek_result result = {
		.code = code, .http_status = response->http_status, .message = call->message,
		.retry_after_ms = code == EK_THROTTLED ? response->retry_after_ms : 0,
	};

	if (code == EK_OK)
		result.revision = call->revision;
	if (code == EK_OK && call->kind == EK_OP_GET)
		complete_get(call, response, &result);
	else
		complete(call, &result);
}

/* ---- Servers ------------------------------------------------------------------------------------------------------------------------------------------------ */

/* No answer in time, or one that says that the server is not well: others fare no better with it. */
static bool is_server_failing(int32_t code, int32_t http_status)
{
	return (code == EK_RETRY || code == EK_UNKNOWN) && (http_status == 0 || http_status == 307 || http_status >= 500);
}

static void put_aside(struct ek_eureka_call *call, int64_t now_ms)
{
	struct ek_eureka *eureka = call->eureka;
	const struct ek_host *host = eureka->host;
	struct ek_eureka_server *server = &eureka->servers.at[call->server];
	const struct ek_pair url = { .size = sizeof(url), .key = "server", .value = server->url };
	const struct ek_pair why = { .size = sizeof(why), .key = "why", .value = call->message };
	const struct ek_pair *const pairs[] = { &url, &why };
	bool is_news = server->aside_until_ms <= now_ms;

	if (ek_eureka_servers_put_aside(&eureka->servers, call->server, now_ms) && is_news) {
		host->count(host, "server_failures", 1);
		host->log(host, EK_LOG_WARN, "a Eureka server fails; the others are asked for a while", pairs, 2);
	}
}

/* Once, and never where the first server may have done something: only a read can tell then. */
static bool try_another(struct ek_eureka_call *call, int32_t code, int64_t now_ms)
{
	uint32_t other = ek_eureka_servers_pick(&call->eureka->servers, now_ms);

	if (code != EK_RETRY || call->is_second_try || other == call->server || call->deadline_ms - now_ms < SECOND_TRY_MS)
		return false;
	if (call->list && !ek_eureka_list_restart(call))
		return false;
	call->is_second_try = true;
	call->server = other;
	ek_eureka_send(call);
	return true;
}

/* The override follows on the server that took the registration: the others may not know of it yet. */
static void set_override(struct ek_eureka_call *call)
{
	call->kind = EK_OP_SET_STATUS;
	call->method = "PUT";
	snprintf(call->path, sizeof(call->path), "%s", call->then_path);
	free(call->then_path);
	free(call->body);
	call->then_path = call->body = NULL;
	call->body_bytes = 0;
	call->is_second_try = true;
	ek_eureka_send(call);
}

static void on_done(void *arg, const struct ek_http_response *response)
{
	struct ek_eureka_call *call = arg;
	struct ek_eureka *eureka = call->eureka;
	int64_t now_ms = eureka->host->now_ms(eureka->host);
	int32_t code = call->is_satisfied ? EK_OK : ek_eureka_judge(call, response, call->message);

	call->request = NULL;
	if (is_server_failing(code, response->http_status)) {
		put_aside(call, now_ms);
		if (try_another(call, code, now_ms))
			return;
	} else if (code != EK_CANCELLED) {
		ek_eureka_servers_welcome(&eureka->servers, call->server);
	}
	if (code == EK_OK && call->then_path)
		set_override(call);
	else if (code == EK_OK && call->kind >= EK_EUREKA_PROBE)
		ek_eureka_list_go_on(call, response->http_status);
	else
		complete_answered(call, code == EK_GONE && call->revision ? EK_RETRY : code, response); /* gone between registration and override */
}

/* ---- Sending ------------------------------------------------------------------------------------------------------------------------------------------------ */

static const struct ek_pair accept_json = { .size = sizeof(accept_json), .key = "Accept", .value = "application/json" };
static const struct ek_pair content_json = { .size = sizeof(content_json), .key = "Content-Type", .value = "application/json" };
/* Rate limiters of Netflix servers let this client read the registry whenever it wants to. */
static const struct ek_pair identity = { .size = sizeof(identity), .key = "DiscoveryIdentity-Name", .value = "DefaultClient" };
static const struct ek_pair *const read_headers[] = { &accept_json, &identity };
static const struct ek_pair *const write_headers[] = { &accept_json, &content_json };

static int32_t time_left_ms(const struct ek_eureka_call *call)
{
	const struct ek_host *host = call->eureka->host;
	int64_t left_ms = call->deadline_ms - host->now_ms(host);

	if (!call->list && left_ms > call->eureka->request_timeout_ms)
		left_ms = call->eureka->request_timeout_ms;
	return left_ms < 1 ? 1 : left_ms > 60000 ? 60000 : (int32_t)left_ms;
}

void ek_eureka_send(struct ek_eureka_call *call)
{
	struct ek_eureka *eureka = call->eureka;
	bool is_read = strcmp(call->method, "GET") == 0;
	bool is_streamed = call->kind >= EK_EUREKA_PROBE;
	char url[EK_EUREKA_URL_MAX + EK_EUREKA_PATH_MAX + 8];
	struct ek_error err = EK_ERROR_INIT;
	struct ek_http_request request = {
		.size = sizeof(request), .lane = call->kind == EK_OP_RENEW ? EK_HTTP_LANE_RENEW : EK_HTTP_LANE_ORDINARY,
		.method = call->method, .url = url, .headers = is_read ? read_headers : write_headers,
		.n_headers = is_read || call->body ? 2 : 1, .body = call->body, .body_bytes = (uint32_t)call->body_bytes,
		.connect_timeout_ms = eureka->connect_timeout_ms, .timeout_ms = time_left_ms(call), .accept_gzip = is_read,
		.max_body_bytes = is_streamed ? UINT32_MAX : 0, .arg = call, .on_body = is_streamed ? ek_eureka_on_piece : NULL, .on_done = on_done,
	};

	snprintf(url, sizeof(url), "%s%s", eureka->servers.at[call->server].url, call->path);
	call->request = eureka->host->http(eureka->host, &request, &err);
	if (!call->request)
		ek_eureka_fail_later(call, err.code ? err.code : EK_PLUGIN, err.message);
}

void ek_eureka_start(struct ek_eureka_call *call)
{
	struct ek_eureka *eureka = call->eureka;

	call->server = ek_eureka_servers_pick(&eureka->servers, eureka->host->now_ms(eureka->host));
	ek_eureka_send(call);
}
