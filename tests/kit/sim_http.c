/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client side of simulated HTTP: clients with their queues and budgets, and requests on their way.
 * There are no connections to reuse here, no TLS and no compression; faults are whole and named.
 * Next: sim_call.c, what becomes of a request.
 */
#include "kit/sim_call.h"

#include "base/alloc.h"
#include "base/http_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECTIONS 16
#define DEFAULT_WAITING     100000
#define DEFAULT_CONNECT_MS  10000

/* ---- Engine and clients ---- */

struct ek_http *ek_http_new(struct ek_loop *loop)
{
	struct ek_http *http = ek_xcalloc(1, sizeof(*http));

	http->loop = loop;
	loop->n_engines++;
	return http;
}

void ek_http_free(struct ek_http *http)
{
	struct ek_http_client *client, *next;

	if (!http)
		return;
	for (client = http->loop->clients; client; client = next) {
		next = client->next;
		if (client->http == http)
			ek_http_client_free(client);
	}
	http->loop->n_engines--;
	free(http);
}

struct ek_http_client *ek_http_client_new(struct ek_http *http, const struct ek_http_client_config *config)
{
	struct ek_http_client *client = ek_xcalloc(1, sizeof(*client));

	client->http = http;
	client->config = *config;
	client->config.name = NULL;
	client->config.proxy_url = NULL;
	client->config.tls = (struct ek_http_tls){ 0 };
	if (!client->config.max_connections)
		client->config.max_connections = DEFAULT_CONNECTIONS;
	if (!client->config.max_waiting)
		client->config.max_waiting = DEFAULT_WAITING;
	for (unsigned i = 0; i < 2; i++)
		client->lanes[i].tail = &client->lanes[i].first;
	client->next = http->loop->clients;
	http->loop->clients = client;
	return client;
}

void ek_http_client_free(struct ek_http_client *client)
{
	struct ek_http_client **at;

	if (!client)
		return;
	at = &client->http->loop->clients;
	client->config.max_connections = 0;     /* so that nothing waiting is started */
	while (client->calls)
		ek_http_cancel(client->calls);
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	free(client);
}

void ek_http_client_set_tls(struct ek_http_client *client, const struct ek_http_tls *tls)
{
}

size_t sim_open_calls(struct ek_loop *loop)
{
	size_t n = 0;

	for (struct ek_http_client *client = loop->clients; client; client = client->next)
		for (struct ek_http_call *call = client->calls; call; call = call->next)
			n++;
	return n;
}

/* ---- Messages ---- */

void sim_message_free(struct sim_message *message)
{
	if (!message)
		return;
	for (unsigned i = 0; i < message->n_headers; i++) {
		free((char *)message->headers[i].name);
		free((char *)message->headers[i].value);
	}
	free(message->headers);
	free(message->method);
	free(message->url);
	free(message->origin);
	free(message->path);
	free(message->query);
	free(message->body);
	free(message);
}

static void add_header(struct sim_message *message, const char *name, const char *value)
{
	struct ek_http_header *header = &message->headers[message->n_headers++];

	header->name = ek_xstrdup(name);
	header->value = ek_xstrdup(value);
}

static struct sim_message *copy_message(const struct ek_http_req *req, const struct ek_url *url)
{
	struct sim_message *message = ek_xcalloc(1, sizeof(*message));
	const char *query = strchr(url->target, '?');
	char origin[300];

	snprintf(origin, sizeof(origin), url->is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", (int)url->host_bytes,
		url->host, url->port);
	message->origin = ek_xstrdup(origin);
	message->method = ek_xstrdup(req->method);
	message->url = ek_xstrdup(req->url);
	message->path = query ? ek_xstrndup(url->target, (size_t)(query - url->target)) :
		ek_xstrdup(*url->target ? url->target : "/");
	message->query = ek_xstrdup(query ? query + 1 : "");
	message->body = ek_xmalloc(req->body_bytes + 1);
	if (req->body_bytes)
		memcpy(message->body, req->body, req->body_bytes);
	message->body[req->body_bytes] = '\0';
	message->body_bytes = req->body_bytes;
	message->headers = ek_xcalloc(req->n_headers + 2, sizeof(*message->headers));
	add_header(message, "Host", origin);
	for (unsigned i = 0; i < req->n_headers; i++)
		add_header(message, req->headers[i].name, req->headers[i].value);
	return message;
}

/* ---- Starting ---- */

static int authorize(struct ek_http_call *call, struct ek_error *err)
{
	const struct ek_http_client_config *config = &call->client->config;
	char value[16384] = "";
	int code;

	if (!config->authorize)
		return EK_OK;
	code = config->authorize(config->authorize_arg, value, sizeof(value), err);
	if (code == EK_OK)
		add_header(call->message, "Authorization", value);
	return code == EK_GONE ? EK_OK : code;
}

static int fly(struct ek_http_call *call, struct ek_error *err)
{
	struct ek_loop *loop = sim_call_loop(call);
	int64_t connect_ms = call->req.connect_timeout_ms;
	int code = authorize(call, err);

	call->is_flying = true;
	if (!call->req.own_connection)
		call->client->lanes[call->req.lane].n_flying++;
	if (code)
		return code;
	connect_ms = connect_ms ? connect_ms : DEFAULT_CONNECT_MS;
	sim_io_arm(loop, &call->connect_deadline, connect_ms * 1000);
	sim_call_add(call, SIM_PIECE_ARRIVE, NULL, 0);
	return EK_OK;
}

void sim_client_start_waiting(struct ek_http_client *client)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sim_lane *lane = &client->lanes[i];

		while (lane->first && lane->n_flying < client->config.max_connections) {
			struct ek_http_call *call = lane->first;
			struct ek_error err = EK_ERROR_INIT;

			sim_call_leave_lane(call);
			if (fly(call, &err))
				sim_call_add(call, SIM_PIECE_FAIL, err.message, strlen(err.message))->status =
					err.code;
		}
	}
}

static void link_call(struct ek_http_client *client, struct ek_http_call *call)
{
	call->next = client->calls;
	call->prev = &client->calls;
	if (call->next)
		call->next->prev = &call->next;
	client->calls = call;
}

struct ek_http_call *ek_http_start(struct ek_http_client *client, const struct ek_http_req *req,
	struct ek_error *err)
{
	struct sim_lane *lane = &client->lanes[req->lane & 1];
	struct ek_http_call *call;
	struct ek_url url;

	if (ek_url_split(req->url, &url, err))
		return NULL;
	if (!req->own_connection && lane->n_waiting >= client->config.max_waiting) {
		ek_fail(err, EK_RETRY, "too many requests are waiting");
		return NULL;
	}
	call = ek_xcalloc(1, sizeof(*call));
	call->client = client;
	call->req = *req;
	call->req.lane &= 1;
	call->message = copy_message(req, &url);
	call->tail = &call->pieces;
	ek_buf_init(&call->body, req->max_body_bytes ? req->max_body_bytes : SIM_DEFAULT_BODY);
	ek_timer_init(&call->step, sim_call_step, call);
	ek_timer_init(&call->deadline, sim_call_expire, call);
	ek_timer_init(&call->connect_deadline, sim_call_expire_connect, call);
	link_call(client, call);
	if (req->timeout_ms > 0)
		sim_io_arm(sim_call_loop(call), &call->deadline, req->timeout_ms * 1000);
	if (!req->own_connection && lane->n_flying >= client->config.max_connections) {
		call->is_waiting = true;
		*lane->tail = call;
		lane->tail = &call->next_waiting;
		lane->n_waiting++;
	} else if (fly(call, err)) {
		sim_call_detach(call);
		sim_call_free(call);
		return NULL;
	}
	return call;
}
