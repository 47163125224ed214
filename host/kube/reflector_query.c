/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the request line of a list, a streaming list or a watch.
 * It does not choose between them; reflector.c does.
 * Read next: reflector.c.
 */
#include "kube/reflector_query.h"

#include <eurekube/json.h>

#include <stdlib.h>
#include <string.h>

static int add_version(const struct ek_list_query *query, struct ek_buf *out)
{
	if (!query->version[0])
		return EK_OK;
	ek_buf_adds(out, "&resourceVersion=");
	return ek_buf_adds(out, query->version);
}

/* A follow-up page repeats limit and selectors, and may not name a version: the token holds it. */
static int add_continue(const struct ek_list_query *query, struct ek_buf *out)
{
	size_t n = strlen(query->continue_token), size = 3 * n + 1;
	char *escaped = malloc(size);
	int code = EK_TOO_BIG;

	if (escaped && ek_url_escape(query->continue_token, escaped, size)) {
		ek_buf_adds(out, "&continue=");
		code = ek_buf_adds(out, escaped);
	}
	free(escaped);
	return code;
}

static int add_pages(const struct ek_list_query *query, struct ek_buf *out)
{
	/* With a version and a limit older servers read exactly that version, from etcd; without a limit their cache serves it. */
	if (!query->in_one_piece && !query->version[0])
		ek_buf_addf(out, "&limit=%d", EK_REFLECTOR_PAGE);
	if (query->continue_token[0])
		return add_continue(query, out);
	if (query->version[0])
		ek_buf_adds(out, "&resourceVersionMatch=NotOlderThan");
	return add_version(query, out);
}

static int add_stream(const struct ek_list_query *query, struct ek_buf *out)
{
	ek_buf_addf(out, "&watch=1&allowWatchBookmarks=true&timeoutSeconds=%d", query->timeout_seconds);
	if (query->activity == EK_READING_STREAM)
		ek_buf_adds(out, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	return add_version(query, out);
}

int ek_list_query_write(const struct ek_list_query *query, struct ek_buf *out)
{
	size_t at;
	int code;

	ek_buf_reset(out);
	ek_buf_adds(out, query->path);
	at = out->n;
	if (query->selectors && query->selectors[0]) {
		ek_buf_adds(out, "&");
		ek_buf_adds(out, query->selectors);
	}
	code = query->activity == EK_READING_PAGES ? add_pages(query, out) : add_stream(query, out);
	if (out->is_over)
		return EK_TOO_BIG;
	if (out->n > at)
		out->at[at] = '?';
	return code;
}
