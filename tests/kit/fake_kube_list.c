/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIST as the API server answers it: the present state, or the exact state of an earlier version rebuilt from the history,
 * whole or in pages that all show the same state. It does not serve from a lagging cache: "0" and "not older than" give the present.
 * Next: fake_kube_watch.c, which goes on from a list's version.
 */
#include "kit/fake_kube_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct query {
	char version[64], match[32], token[1400], labels[2048], fields[512];
	unsigned limit;
};

/* The collection as it was: borrowed keys, referenced texts, sorted. */
struct entry {
	const char *key;
	struct fake_text *text;
};

struct view {
	struct entry *at;
	size_t n;
	uint64_t version;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static struct entry *find_entry(struct view *view, const char *key)
{
	for (size_t i = 0; i < view->n; i++)
		if (!strcmp(view->at[i].key, key))
			return &view->at[i];
	return NULL;
}

static void undo(struct view *view, const struct fake_event *event)
{
	struct entry *entry = find_entry(view, event->key);

	if (!event->before && entry) {
		*entry = view->at[--view->n];
	} else if (entry) {
		entry->text = event->before;
	} else if (event->before) {
		view->at = ek_xrealloc(view->at, view->n + 1, sizeof(*view->at));
		view->at[view->n++] = (struct entry){ event->key, event->before };
	}
}

/* Takes back what happened after `version`, latest first. */
static void rewind_to(struct view *view, const struct fake_kind *kind, uint64_t version)
{
	const struct fake_event **events = ek_xcalloc(kind->n_events + 1, sizeof(*events));
	size_t n = 0;

	for (const struct fake_event *event = kind->oldest; event; event = event->next)
		if (event->version > version)
			events[n++] = event;
	while (n)
		undo(view, events[--n]);
	free(events);
}

static void make_view(struct fake_kube *kube, struct fake_kind *kind, uint64_t version, struct view *view)
{
	struct fake_object *object, *tmp;

	view->version = version;
	view->n = 0;
	view->at = ek_xcalloc(HASH_COUNT(kind->objects) + 1, sizeof(*view->at));
	HASH_ITER(hh, kind->objects, object, tmp)
		view->at[view->n++] = (struct entry){ object->key, object->text };
	if (version < kube->version)
		rewind_to(view, kind, version);
	qsort(view->at, view->n, sizeof(*view->at), by_key);
}

static bool is_selected(const struct fake_target *target, const struct query *query, const struct entry *entry)
{
	size_t n = strlen(target->ns);

	return (!n || (!strncmp(entry->key, target->ns, n) && entry->key[n] == '/')) &&
		fake_select(query->labels, query->fields, entry->text->at);
}

/* ---- Tokens: the version and the last key given, in hex ---- */

static void write_token(uint64_t version, const char *key, char *token, size_t size)
{
	char plain[700];
	size_t n;

	snprintf(plain, sizeof(plain), "%llu %s", (unsigned long long)version, key);
	n = strlen(plain);
	for (size_t i = 0; i < n && 2 * i + 2 < size; i++)
		snprintf(token + 2 * i, 3, "%02x", (unsigned char)plain[i]);
}

static bool read_token(const char *token, uint64_t *version, char key[700])
{
	size_t n = strlen(token) / 2;
	char plain[700], *end;

	if (n >= sizeof(plain))
		return false;
	for (size_t i = 0; i < n; i++) {
		char hex[3] = { token[2 * i], token[2 * i + 1], '\0' };

		plain[i] = (char)strtol(hex, &end, 16);
		if (*end)
			return false;
	}
	plain[n] = '\0';
	*version = strtoull(plain, &end, 10);
	if (*end != ' ')
		return false;
	snprintf(key, 700, "%s", end + 1);
	return true;
}

/* ---- Which state is asked for ---- */

static bool refuse_expired(struct fake_refusal *refusal)
{
	return fake_refuse(refusal, 410, "Expired", "The provided continue parameter is too old to display a "
		"consistent list result. You can start a new list without the continue parameter.");
}

static bool refuse_future(const struct fake_kube *kube, uint64_t version, struct fake_refusal *refusal)
{
	fake_refuse(refusal, 504, "Timeout", "Timeout: Too large resource version: %llu, current: %llu",
		(unsigned long long)version, (unsigned long long)kube->version);
	refusal->causes = "[{\"reason\":\"ResourceVersionTooLarge\",\"message\":\"Too large resource version\"}]";
	refusal->headers = "Retry-After: 1\n";
	return false;
}

static bool check_match(const struct query *query, struct fake_refusal *refusal)
{
	if (!*query->match)
		return true;
	if (*query->token)
		return fake_refuse(refusal, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: "
			"resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided");
	if (!*query->version)
		return fake_refuse(refusal, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: "
			"resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (!strcmp(query->match, "Exact") && !strcmp(query->version, "0"))
		return fake_refuse(refusal, 422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: "
			"resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	return true;
}

static bool choose_version(struct fake_kube *kube, struct fake_kind *kind, struct query *query, char after[700],
	uint64_t *version, struct fake_refusal *refusal)
{
	uint64_t asked = 0;
	bool is_exact = !strcmp(query->match, "Exact");

	*after = '\0';
	*version = kube->version;
	if (!check_match(query, refusal))
		return false;
	if (*query->token) {
		if (!read_token(query->token, version, after))
			return fake_refuse(refusal, 400, "BadRequest", "continue key is not valid");
		return *version >= kind->compacted || refuse_expired(refusal);
	}
	if (!fake_version_read(query->version, &asked))
		return fake_refuse(refusal, 500, "", "strconv.ParseUint: parsing \"%s\": invalid syntax", query->version);
	if (!strcmp(query->version, "0"))
		query->limit = 0;
	if (asked > kube->version)
		return refuse_future(kube, asked, refusal);
	if (asked && (is_exact || (query->limit && !*query->match)))
		*version = asked;
	return *version >= kind->compacted || fake_refuse(refusal, 410, "Expired",
		"The resourceVersion for the provided list is too old.");
}

/* ---- The answer ---- */

static void write_metadata(const struct view *view, const char *token, size_t n_left, struct ek_buf *out)
{
	ek_buf_addf(out, "\"metadata\":{");
	if (*token)
		ek_buf_addf(out, "\"continue\":\"%s\",", token);
	if (n_left)
		ek_buf_addf(out, "\"remainingItemCount\":%zu,", n_left);
	ek_buf_addf(out, "\"resourceVersion\":\"%llu\"}", (unsigned long long)view->version);
}

static size_t write_items(const struct fake_target *target, const struct query *query, const struct view *view,
	const char *after, char *token, size_t size, struct ek_buf *out)
{
	size_t n = 0, n_left = 0;
	const char *last = NULL;

	ek_buf_adds(out, "\"items\":[");
	for (size_t i = 0; i < view->n; i++) {
		const struct fake_text *text = view->at[i].text;

		if ((*after && strcmp(view->at[i].key, after) <= 0) || !is_selected(target, query, &view->at[i]))
			continue;
		if (query->limit && n == query->limit) {
			n_left++;
			continue;
		}
		ek_buf_adds(out, n++ ? ",{" : "{");
		ek_buf_add(out, text->at + 1 + text->n_head, text->n - 1 - text->n_head);
		last = view->at[i].key;
	}
	ek_buf_adds(out, "]");
	*token = '\0';
	if (n_left && last)
		write_token(view->version, last, token, size);
	return *query->labels || *query->fields ? 0 : n_left;
}

static void write_list(const struct fake_target *target, const struct query *query, const struct view *view,
	const char *after, struct ek_buf *out)
{
	const struct fake_resource *resource = target->kind->resource;
	char token[1400], version[64];
	struct ek_buf items;
	size_t n_left;

	ek_buf_init(&items, SIZE_MAX);
	n_left = write_items(target, query, view, after, token, sizeof(token), &items);
	fake_api_version(resource, version, sizeof(version));
	if (resource->is_custom) {
		ek_buf_addf(out, "{\"apiVersion\":\"%s\",%s,\"kind\":\"%sList\",", version, items.at, resource->kind);
		write_metadata(view, token, n_left, out);
	} else {
		ek_buf_addf(out, "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",", resource->kind, version);
		write_metadata(view, token, n_left, out);
		ek_buf_addf(out, ",%s", items.at);
	}
	ek_buf_adds(out, "}\n");
	ek_buf_clear(&items);
}

void fake_kube_list(struct fake_kube *kube, const struct fake_target *target, const struct ek_serve_request *request,
	struct ek_serve_exchange *exchange)
{
	struct fake_refusal refusal = { 0 };
	struct query query;
	struct view view;
	struct ek_buf out;
	char limit[16], after[700];
	uint64_t version;

	fake_query(request->query, "resourceVersion", query.version, sizeof(query.version));
	fake_query(request->query, "resourceVersionMatch", query.match, sizeof(query.match));
	fake_query(request->query, "continue", query.token, sizeof(query.token));
	fake_query(request->query, "labelSelector", query.labels, sizeof(query.labels));
	fake_query(request->query, "fieldSelector", query.fields, sizeof(query.fields));
	fake_query(request->query, "limit", limit, sizeof(limit));
	query.limit = (unsigned)strtoul(limit, NULL, 10);
	if (!choose_version(kube, target->kind, &query, after, &version, &refusal)) {
		fake_reply_refusal(kube, exchange, target, &refusal);
		return;
	}
	make_view(kube, target->kind, version, &view);
	if (fake_http_is_empty(&kube->http))
		view.n = 0;
	ek_buf_init(&out, SIZE_MAX);
	write_list(target, &query, &view, after, &out);
	fake_reply_json(kube, exchange, 200, out.at);
	ek_buf_clear(&out);
	free(view.at);
}
