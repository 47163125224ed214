/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of HTTP calls that needs no libcurl: requests copied into one block, lanes with a budget and
 * a queue. It starts nothing and calls nobody back.
 * Next: http.c, which does both.
 */
#include "io/http_call.h"

#include "base/alloc.h"
#include "base/http_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_token(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *text))
			return false;
	return true;
}

static bool is_header_value(const char *text)
{
	for (; *text; text++)
		if ((*text >= 0 && *text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static int check(const struct ek_http_req *req, const struct ek_url *url, struct ek_error *err)
{
	if (url->host_bytes > 255)
		return ek_fail(err, EK_INVALID, "the URL's host is too long");
	if (!*req->method || !is_token(req->method))
		return ek_fail(err, EK_INVALID, "\"%s\" is no HTTP method", req->method);
	for (unsigned i = 0; i < req->n_headers; i++)
		if (!*req->headers[i].name || !is_token(req->headers[i].name) ||
			!is_header_value(req->headers[i].value))
			return ek_fail(err, EK_INVALID, "the header %s cannot be sent", req->headers[i].name);
	return EK_OK;
}

/* A call and its texts are one block: what is laid out is first counted (at NULL), then written. */
struct layout {
	char *at;
	size_t n;
};

static char *put(struct layout *layout, const void *bytes, size_t n)
{
	char *copy = layout->at ? layout->at + layout->n : NULL;

	layout->n += n + 1;
	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, bytes, n);
	copy[n] = '\0';
	return copy;
}

static char *puts_copy(struct layout *layout, const char *text)
{
	return put(layout, text, strlen(text));
}

static char *put_line(struct layout *layout, const struct ek_http_header *header)
{
	size_t n = strlen(header->name);
	char *line = put(layout, header->name, n);

	/* "Name;" is libcurl's way to send a header without a value. */
	layout->n--;
	put(layout, *header->value ? ": " : ";", *header->value ? 2 : 1);
	layout->n--;
	puts_copy(layout, header->value);
	return line;
}

static void lay_out(struct ek_http_call *call, struct layout *layout, const struct ek_http_req *req)
{
	call->req.method = puts_copy(layout, req->method);
	call->req.body = put(layout, req->body, req->body_bytes);
	for (unsigned i = 0; i < req->n_headers; i++) {
		char *line = put_line(layout, &req->headers[i]);

		if (layout->at)
			call->lines[i] = line;
	}
}

/* With tls.server_name the URL names that; the connection and the Host header go to where the original points. */
static void lay_out_url(struct ek_http_call *call, struct layout *layout, const char *url_text,
	const struct ek_url *url)
{
	const char *name = call->client->tls.server_name;
	char origin[300], connect_to[600], host[320], head[300];

	snprintf(origin, sizeof(origin), url->is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", (int)url->host_bytes,
		url->host, url->port);
	call->origin = puts_copy(layout, origin);
	if (!name || !url->is_https) {
		call->req.url = puts_copy(layout, url_text);
		return;
	}
	snprintf(connect_to, sizeof(connect_to), "%s:%u:%s", name, url->port, origin);
	snprintf(host, sizeof(host), "Host: %s", origin);
	snprintf(head, sizeof(head), "https://%s:%u", name, url->port);
	call->connect_to = puts_copy(layout, connect_to);
	call->host_line = puts_copy(layout, host);
	call->req.url = puts_copy(layout, head);
	layout->n--;
	puts_copy(layout, url->target);
}

static void note_headers(struct ek_http_call *call, const struct ek_http_req *req)
{
	call->n_lines = req->n_headers;
	for (unsigned i = 0; i < req->n_headers; i++)
		call->has_content_type |= !strcasecmp(req->headers[i].name, "Content-Type");
}

static void link_call(struct ek_http_client *client, struct ek_http_call *call)
{
	call->next = client->calls;
	call->prev = &client->calls;
	if (call->next)
		call->next->prev = &call->next;
	client->calls = call;
}

int ek_http_call_new(struct ek_http_client *client, const struct ek_http_req *req,
	struct ek_http_call **made, struct ek_error *err)
{
	struct ek_http_call draft = { .client = client, .req = *req };
	size_t lines_bytes = req->n_headers * sizeof(char *);
	struct layout layout = { 0 };
	struct ek_http_call *call;
	struct ek_url url;
	int code = ek_url_split(req->url, &url, err);

	code = code ? code : check(req, &url, err);
	if (code)
		return code;
	lay_out(&draft, &layout, req);
	lay_out_url(&draft, &layout, req->url, &url);
	call = ek_xmalloc(sizeof(*call) + lines_bytes + layout.n);
	*call = draft;
	call->req.lane &= 1;
	call->req.headers = NULL;
	call->is_https = url.is_https;
	call->lines = (char **)(call + 1);
	layout = (struct layout){ .at = (char *)(call + 1) + lines_bytes };
	lay_out(call, &layout, req);
	lay_out_url(call, &layout, req->url, &url);
	note_headers(call, req);
	ek_buf_init(&call->body, req->max_body_bytes ? req->max_body_bytes : EK_HTTP_DEFAULT_BODY);
	link_call(client, call);
	*made = call;
	return EK_OK;
}

void ek_http_call_free(struct ek_http_call *call)
{
	if (call->authorization)
		explicit_bzero(call->authorization, strlen(call->authorization));
	free(call->authorization);
	free(call->nodes);
	ek_buf_clear(&call->body);
	free(call);
}

void ek_http_call_unlink(struct ek_http_call *call)
{
	if (!call->prev)
		return;
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
	call->prev = NULL;
}

/* ---- Lanes ---- */

static struct ek_http_queue *lane_of(const struct ek_http_call *call)
{
	return &call->client->lanes[call->req.lane];
}

bool ek_http_lane_has_room(const struct ek_http_call *call)
{
	const struct ek_http_queue *lane = lane_of(call);

	return call->req.own_connection ||
		(!lane->first && lane->n_flying < call->client->config.max_connections);
}

void ek_http_lane_grant(struct ek_http_call *call)
{
	if (call->req.own_connection)
		return;
	call->is_granted = true;
	lane_of(call)->n_flying++;
}

void ek_http_lane_wait(struct ek_http_call *call)
{
	struct ek_http_queue *lane = lane_of(call);

	call->is_waiting = true;
	call->next_waiting = NULL;
	*lane->tail = call;
	lane->tail = &call->next_waiting;
	lane->n_waiting++;
}

static void stop_waiting(struct ek_http_call *call)
{
	struct ek_http_queue *lane = lane_of(call);
	struct ek_http_call **at;

	for (at = &lane->first; *at != call; at = &(*at)->next_waiting)
		;
	*at = call->next_waiting;
	if (lane->tail == &call->next_waiting)
		lane->tail = at;
	lane->n_waiting--;
	call->is_waiting = false;
}

void ek_http_lane_leave(struct ek_http_call *call)
{
	if (call->is_waiting)
		stop_waiting(call);
	if (call->is_granted)
		lane_of(call)->n_flying--;
	call->is_granted = false;
}

struct ek_http_call *ek_http_lane_next(struct ek_http_queue *lane, uint32_t max_connections)
{
	struct ek_http_call *call = lane->n_flying < max_connections ? lane->first : NULL;

	if (call) {
		stop_waiting(call);
		ek_http_lane_grant(call);
	}
	return call;
}

bool ek_http_is_idempotent(const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "PUT") ||
		!strcmp(method, "DELETE");
}
