/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests of a plugin under test: written down, and answered when the test says so. No byte is sent. Read fake_host.c next.
 */
#include "kit/fake_host_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 10000 /* as host.h says */

static void check_request(struct fake_host *fake, const struct ek_http_request *request)
{
	if (request->size < sizeof(*request))
		fake_host_breach(fake, "a request does not know its size");
	if (!request->on_done || !request->method || !request->url)
		fake_host_breach(fake, "a request lacks method, url or on_done");
	if (request->timeout_ms < 0)
		fake_host_breach(fake, "a request has a deadline in the past");
	if (!request->body && request->body_bytes)
		fake_host_breach(fake, "a request has bytes but no body");
}

static char *join_headers(const struct ek_http_request *request)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	for (uint32_t i = 0; i < request->n_headers; i++)
		fprintf(out, "%s: %s\n", request->headers[i]->key, request->headers[i]->value);
	fclose(out);
	return text;
}

struct ek_http_handle *fake_host_http(const struct ek_host *host, const struct ek_http_request *request, struct ek_error *err)
{
	struct fake_host *fake = fake_host_use(host);
	struct fake_request *made;
	uint32_t n = ++fake->n_http;

	check_request(fake, request);
	if (fake->http_fails_from && n >= fake->http_fails_from && n - fake->http_fails_from < fake->http_fails_for) {
		ek_fail(err, EK_RETRY, "too many requests are waiting");
		return NULL;
	}
	made = calloc(1, sizeof(*made));
	made->asked = *request;
	made->at_ms = fake->now_ms;
	made->method = fake_host_copy(request->method);
	made->url = fake_host_copy(request->url);
	made->headers = join_headers(request);
	made->body = calloc(1, request->body_bytes + 1);
	if (request->body)
		memcpy(made->body, request->body, request->body_bytes);
	fake->requests = fake_host_grow(fake->requests, fake->n_requests, sizeof(struct fake_request *));
	fake->requests[fake->n_requests++] = made;
	return (struct ek_http_handle *)made;
}

void fake_host_http_cancel(const struct ek_host *host, struct ek_http_handle *handle)
{
	struct fake_request *request = (struct fake_request *)handle;
	struct fake_host *fake = fake_host_use(host);

	if (!request)
		return;
	if (request->is_ended)
		fake_host_breach(fake, "the plugin cancelled a request that had ended");
	request->is_ended = true;
}

struct fake_request *fake_host_request(struct fake_host *fake)
{
	for (uint32_t i = 0; i < fake->n_requests; i++) {
		if (!fake->requests[i]->is_taken && !fake->requests[i]->is_ended) {
			fake->requests[i]->is_taken = true;
			return fake->requests[i];
		}
	}
	return NULL;
}

uint32_t fake_host_open_requests(const struct fake_host *fake)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < fake->n_requests; i++)
		n += !fake->requests[i]->is_ended;
	return n;
}

/* Each piece in memory of its own size, so that a sanitizer sees who reads on. False: the plugin has had enough. */
static bool give_body(struct fake_request *request, const char *body, uint32_t piece_bytes)
{
	uint32_t n = (uint32_t)strlen(body), at = 0;

	while (at < n) {
		uint32_t piece = piece_bytes && piece_bytes < n - at ? piece_bytes : n - at;
		char *copy = malloc(piece);
		int stop;

		memcpy(copy, body + at, piece);
		stop = request->asked.on_body(request->asked.arg, copy, piece);
		free(copy);
		if (stop)
			return false;
		at += piece;
	}
	return true;
}

void fake_host_answer(struct fake_host *fake, struct fake_request *request, const struct fake_answer *answer)
{
	const char *body = answer->body ? answer->body : "";
	struct ek_http_response response = {
		.size = sizeof(response), .code = answer->code, .http_status = answer->status, .retry_after_ms = answer->retry_after_ms, .body = "",
		.content_type = answer->content_type ? answer->content_type : answer->status ? "application/json" : "",
		.message = answer->code == EK_OK ? "" : "the connection failed",
	};

	if (request->is_ended) {
		fake_host_breach(fake, "the test answered a request that had ended");
		return;
	}
	if (request->asked.on_body && !give_body(request, body, answer->piece_bytes)) {
		response.code = EK_CANCELLED;
		response.http_status = 0;
	} else if (!request->asked.on_body) {
		response.body = body;
		response.body_bytes = (uint32_t)strlen(body);
	}
	request->is_ended = true; /* its handle is dead once its callback has started */
	request->asked.on_done(request->asked.arg, &response);
}

void fake_host_time_out(struct fake_host *fake)
{
	static const struct fake_answer silence = { .code = EK_UNKNOWN };

	for (uint32_t i = 0; i < fake->n_requests; i++) {
		struct fake_request *request = fake->requests[i];
		int64_t timeout_ms = request->asked.timeout_ms ? request->asked.timeout_ms : DEFAULT_TIMEOUT_MS;

		if (!request->is_ended && fake->now_ms - request->at_ms >= timeout_ms)
			fake_host_answer(fake, request, &silence);
	}
}

void fake_host_free_requests(struct fake_host *fake)
{
	for (uint32_t i = 0; i < fake->n_requests; i++) {
		free(fake->requests[i]->method);
		free(fake->requests[i]->url);
		free(fake->requests[i]->headers);
		free(fake->requests[i]->body);
		free(fake->requests[i]);
	}
	free(fake->requests);
}
