/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer means for the operation that asked, decided by the status alone: bodies differ between servers and proxies, and are only quoted. It retries
 * nothing and chooses no server. Read calls.c next.
 */
#include "eureka.h"

static bool is_write(uint32_t kind)
{
	return kind == EK_OP_PUT || kind == EK_OP_REMOVE || kind == EK_OP_SET_STATUS;
}

static int32_t judge_not_found(uint32_t kind)
{
	switch (kind) {
	case EK_OP_REMOVE:
	case EK_OP_RENEW:
	case EK_OP_SET_STATUS:
	case EK_OP_GET:
		return EK_GONE;
	case EK_EUREKA_LIST_APPLICATION: /* nobody is registered under that name */
		return EK_OK;
	default: /* where to register, all applications, the delta: Eureka always has those */
		return EK_PLUGIN;
	}
}

static bool is_listing(uint32_t kind)
{
	return kind == EK_EUREKA_LIST || kind == EK_EUREKA_LIST_APPLICATION;
}

/* A server that starts answers so to all reads but those of one instance; it is a Eureka nevertheless. */
static int32_t judge_forbidden(uint32_t kind)
{
	return kind == EK_EUREKA_PROBE || kind == EK_EUREKA_LIST_CHECK ? EK_OK : is_listing(kind) ? EK_RETRY : EK_AUTH;
}

/* A gateway that lost the server behind it does not know what became of the request; a server that fails says that nothing did. */
static int32_t judge_failure(uint32_t kind, int32_t status, int64_t retry_after_ms)
{
	if (status == 503 && retry_after_ms > 0)
		return EK_THROTTLED;
	return (status == 502 || status == 504) && is_write(kind) ? EK_UNKNOWN : EK_RETRY;
}

static int32_t judge_status(uint32_t kind, int32_t status, int64_t retry_after_ms)
{
	switch (status) {
	case 307: /* a Netflix server whose own status is not UP */
	case 408:
		return EK_RETRY;
	case 400:
	case 405:
	case 415:
		return EK_INVALID;
	case 401:
	case 407:
		return EK_AUTH;
	case 403:
		return judge_forbidden(kind);
	case 404:
		return judge_not_found(kind);
	case 409:
		return EK_CONFLICT;
	case 413:
	case 414:
	case 431:
		return EK_TOO_BIG;
	case 429:
		return EK_THROTTLED;
	default:
		if (status >= 200 && status <= 299)
			return EK_OK;
		return status >= 500 && status <= 599 ? judge_failure(kind, status, retry_after_ms) : EK_PLUGIN;
	}
}

static const char *hint(uint32_t kind, int32_t status)
{
	switch (status) {
	case 401:
		return "the credentials under `auth` are missing or wrong";
	case 403:
		return is_listing(kind) ? "the server is still starting, or may not be read with these credentials" :
		       is_write(kind) || kind == EK_OP_RENEW ? "if reads work with the same credentials, the server's CSRF protection must exempt /eureka/**" :
							       "these credentials may not read";
	case 404:
		return judge_not_found(kind) == EK_GONE ? "it is not registered there" : "this is no Eureka; do its serviceUrls end in /eureka/ or /eureka/v2/?";
	case 301:
	case 302:
	case 303:
	case 308:
		return "redirects are not followed; give the final address in serviceUrls";
	case 307:
		return "the server is not up yet";
	default:
		return "";
	}
}

/* The beginning of a body, fit for a message: one line, printable. */
static void quote(const struct ek_http_response *response, char out[120])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < response->body_bytes && n < 119; i++) {
		unsigned char c = (unsigned char)response->body[i];

		if (c > ' ' && c < 0x7f)
			out[n++] = (char)c;
		else if (n && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	out[n] = '\0';
}

static void describe(const struct ek_eureka_call *call, const struct ek_http_response *response, char message[EK_EUREKA_MESSAGE_MAX])
{
	const char *url = call->eureka->servers.at[call->server].url;
	const char *advice = hint(call->kind, response->http_status);
	char body[120];

	quote(response, body);
	if (!*advice && strcmp(response->content_type, "text/html") != 0)
		advice = body;
	snprintf(message, EK_EUREKA_MESSAGE_MAX, "HTTP %d from %.90s%s%.130s", response->http_status, url, *advice ? ": " : "", advice);
}

int32_t ek_eureka_judge(const struct ek_eureka_call *call, const struct ek_http_response *response, char message[EK_EUREKA_MESSAGE_MAX])
{
	int32_t code = response->code;

	message[0] = '\0';
	if (code != EK_OK) {
		snprintf(message, EK_EUREKA_MESSAGE_MAX, "%.90s: %.150s", call->eureka->servers.at[call->server].url, response->message);
		return code;
	}
	code = judge_status(call->kind, response->http_status, response->retry_after_ms);
	if (code != EK_OK)
		describe(call, response, message);
	return code;
}
