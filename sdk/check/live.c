/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the requests that a plugin makes to the host of the kit, so that rules can be seen kept where a registry answers.
 * One request at a time, on a loop that runs only meanwhile; credentials and TLS settings are not its concern.
 * Read next: live_rules.c.
 */
#include "check.h"

#include "base/alloc.h"
#include "io/http.h"
#include "io/loop.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 64
#define BODY_MAX (64u << 20)

struct ek_live {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_http_client *client;
	struct fake_answer answer;   /* to the request under way */
	char *body, content_type[128];
};

struct ek_live *ek_live_new(void)
{
	struct ek_live *live = ek_xcalloc(1, sizeof(*live));

	live->loop = ek_loop_new();
	live->http = ek_http_new(live->loop);
	live->client = ek_http_client_new(live->http, &(struct ek_http_client_config){ .name = "eurekube-plugin-check", .max_connections = 1 });
	return live;
}

void ek_live_free(struct ek_live *live)
{
	if (!live)
		return;
	ek_http_client_free(live->client);
	ek_http_free(live->http);
	ek_loop_free(live->loop);
	free(live->body);
	free(live);
}

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct ek_live *live = arg;

	free(live->body);
	live->body = ek_xcalloc(1, result->body_bytes + 1);
	if (result->body_bytes)
		memcpy(live->body, result->body, result->body_bytes);
	snprintf(live->content_type, sizeof(live->content_type), "%s", result->content_type ? result->content_type : "");
	live->answer = (struct fake_answer){ .status = result->status, .code = result->code, .body = live->body, .content_type = live->content_type,
		.retry_after_ms = result->retry_after_ms };
	ek_loop_stop(live->loop);
}

/* "Name: value\n" for each; the text is cut up. */
static unsigned split_headers(char *text, struct ek_http_header headers[HEADERS_MAX])
{
	char *rest = NULL, *line, *colon;
	unsigned n = 0;

	for (line = strtok_r(text, "\n", &rest); line && n < HEADERS_MAX; line = strtok_r(NULL, "\n", &rest)) {
		colon = strstr(line, ": ");
		if (!colon)
			continue;
		*colon = '\0';
		headers[n++] = (struct ek_http_header){ .name = line, .value = colon + 2 };
	}
	return n;
}

void ek_live_answer(struct ek_live *live, struct fake_host *fake, struct fake_request *request)
{
	struct ek_http_header headers[HEADERS_MAX];
	char *texts = ek_xstrdup(request->headers);
	struct ek_http_req req = {
		.method = request->method, .url = request->url, .headers = headers, .n_headers = split_headers(texts, headers),
		.body = request->asked.body_bytes ? request->body : NULL, .body_bytes = request->asked.body_bytes,
		.connect_timeout_ms = 3000, .timeout_ms = request->asked.timeout_ms > 0 ? request->asked.timeout_ms : 10000,
		.max_body_bytes = BODY_MAX, .on_done = on_done, .arg = live,
	};

	live->answer = (struct fake_answer){ .code = EK_RETRY };
	if (ek_http_start(live->client, &req, NULL))
		ek_loop_run(live->loop);
	free(texts);
	fake_host_answer(fake, request, &live->answer);
}
