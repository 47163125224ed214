/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's own HTTP client in the simulation: asks a server and waits in virtual time.
 * It judges nothing.
 * Next: tests/scenario/test_fake_kube.c, which speaks through it.
 */
#include "kit/ask.h"

#include "base/alloc.h"
#include "kit/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ask_init(struct ask *ask, struct ek_loop *loop, const char *origin)
{
	memset(ask, 0, sizeof(*ask));
	ask->loop = loop;
	ask->origin = origin;
	ask->http = ek_http_new(loop);
	ask->client = ek_http_client_new(ask->http, &(struct ek_http_client_config){ .name = "test" });
}

void ask_clear(struct ask *ask)
{
	ek_http_client_free(ask->client);
	ek_http_free(ask->http);
	free(ask->body);
}

static bool is_done(void *arg)
{
	return *(bool *)arg;
}

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct ask *ask = arg;

	ask->is_done = true;
	ask->code = result->code;
	ask->status = result->status;
	free(ask->body);
	ask->body = ek_xstrndup(result->body, result->body_bytes);
}

int ask_send(struct ask *ask, const char *method, const char *path, const char *type, const char *body)
{
	struct ek_http_header headers[3] = {
		{ "Accept", ask->accept ? ask->accept : "application/json" },
		{ "Content-Type", type ? type : "application/json" },
		{ ask->more_name, ask->more_value },
	};
	char url[4096];

	snprintf(url, sizeof(url), "%s%s", ask->origin, path);
	ask->is_done = false;
	ask->status = 0;
	if (!ek_http_start(ask->client, &(struct ek_http_req){ .method = method, .url = url, .headers = headers,
		.n_headers = ask->more_name ? 3 : 2, .body = body, .body_bytes = body ? strlen(body) : 0,
		.timeout_ms = 5000, .max_body_bytes = 64u << 20, .arg = ask, .on_done = on_done }, NULL))
		EK_BUG("cannot ask %s", url);
	if (!sim_run_until(ask->loop, is_done, &ask->is_done, 10000))
		EK_BUG("no end of %s %s", method, url);
	return ask->code == EK_OK ? ask->status : 0;
}

int ask_get(struct ask *ask, const char *path)
{
	return ask_send(ask, "GET", path, NULL, NULL);
}

bool ask_has(const struct ask *ask, const char *text)
{
	return strstr(ask->body, text);
}

/* ---- Streams ---- */

static int on_bytes(void *arg, const char *bytes, size_t n)
{
	struct ask_stream *stream = arg;

	stream->text = ek_xrealloc(stream->text, stream->n + n + 1, 1);
	memcpy(stream->text + stream->n, bytes, n);
	stream->n += n;
	stream->text[stream->n] = '\0';
	return 0;
}

static void on_head(void *arg, int status, const char *content_type)
{
	((struct ask_stream *)arg)->status = status;
}

static void on_end(void *arg, const struct ek_http_result *result)
{
	struct ask_stream *stream = arg;

	stream->is_done = true;
	stream->code = result->code;
	stream->status = result->status;
	stream->call = NULL;
}

void ask_open(struct ask *ask, struct ask_stream *stream, const char *path)
{
	char url[4096];

	memset(stream, 0, sizeof(*stream));
	stream->ask = ask;
	stream->text = ek_xstrdup("");
	snprintf(url, sizeof(url), "%s%s", ask->origin, path);
	stream->call = ek_http_start(ask->client, &(struct ek_http_req){ .method = "GET", .url = url,
		.own_connection = true, .arg = stream, .on_body = on_bytes, .on_head = on_head, .on_done = on_end }, NULL);
}

void ask_close(struct ask_stream *stream)
{
	if (stream->call)
		ek_http_cancel(stream->call);
	free(stream->text);
	memset(stream, 0, sizeof(*stream));
}

static bool has_line(void *arg)
{
	const struct ask_stream *stream = arg;

	return strchr(stream->text + stream->at, '\n');
}

const char *ask_line(struct ask_stream *stream)
{
	char *line, *end;

	if (!sim_run_until(stream->ask->loop, has_line, stream, 5000))
		return NULL;
	line = stream->text + stream->at;
	end = strchr(line, '\n');
	*end = '\0';
	stream->at = (size_t)(end - stream->text) + 1;
	return line;
}

bool ask_is_silent(struct ask_stream *stream)
{
	sim_advance(stream->ask->loop, 200);
	return stream->n == stream->at && !stream->is_done;
}

bool ask_ends(struct ask_stream *stream)
{
	return sim_run_until(stream->ask->loop, is_done, &stream->is_done, 5000);
}
