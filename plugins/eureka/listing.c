/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and probes. A list reads all applications, or the few that the host asks for one after another, and gives each instance to the host as soon as it has
 * arrived. It judges no owner, and one unreadable entry of somebody else does not spoil the rest. Read eureka.c next.
 */
#include "eureka.h"

#include <stdlib.h>

/* More applications than this are read at once with everything else. */
#define FEW_APPLICATIONS 16
#define LIST_TIMEOUT_MS 60000
#define DELTA_BEGINS "{\"applications\""

struct ek_eureka_list {
	struct ek_eureka_scanner scanner;
	struct ek_eureka_call *call;
	uint32_t n_given, n_unreadable;
	bool is_one_missing;
	uint32_t n_names;
	const char *next_name;
	char names[]; /* n_names, each with its NUL, beginning at next_name */
};

void ek_eureka_list_free(struct ek_eureka_list *list)
{
	if (!list)
		return;
	ek_eureka_scanner_clear(&list->scanner);
	free(list);
}

/* ---- Pieces ------------------------------------------------------------------------------------------------------------------------------------------------- */

static bool is_marked(struct ek_slice json)
{
	return memmem(json.at, json.n, EK_MARK_OWNER, sizeof(EK_MARK_OWNER) - 1) != NULL;
}

static int on_instance(void *arg, struct ek_slice json)
{
	struct ek_eureka_list *list = arg;
	struct ek_eureka_call *call = list->call;
	const struct ek_host *host = call->eureka->host;
	struct ek_error err = EK_ERROR_INIT;
	int code = ek_eureka_read_instance(&call->eureka->reading, json, &err);

	if (code == EK_OK) {
		list->n_given++;
		return host->list_entry(host, call->token, &call->eureka->reading.entry) ? EK_CANCELLED : EK_OK;
	}
	if (code == EK_PLUGIN && !is_marked(json)) {
		list->n_unreadable++;
		return EK_OK;
	}
	list->scanner.fault = "an instance of ours cannot be read";
	return code;
}

static int take_beginning(struct ek_eureka_call *call, const char *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n && call->n_seen < sizeof(DELTA_BEGINS) - 1; i++)
		if ((unsigned char)bytes[i] > ' ')
			call->seen[call->n_seen++] = bytes[i];
	call->is_satisfied = call->n_seen == sizeof(DELTA_BEGINS) - 1 && memcmp(call->seen, DELTA_BEGINS, call->n_seen) == 0;
	return call->is_satisfied;
}

/* What a listing's body means is clear only when the status is: after a fault the rest is let pass. */
int ek_eureka_on_piece(void *arg, const char *bytes, uint32_t n)
{
	struct ek_eureka_call *call = arg;

	if (call->kind == EK_EUREKA_PROBE || call->kind == EK_EUREKA_LIST_CHECK)
		return take_beginning(call, bytes, n);
	ek_eureka_scanner_feed(&call->list->scanner, bytes, n);
	return call->list->scanner.code == EK_CANCELLED;
}

/* ---- Steps -------------------------------------------------------------------------------------------------------------------------------------------------- */

static void start_step(struct ek_eureka_call *call, uint32_t kind, const char *path)
{
	const struct ek_host *host = call->eureka->host;

	call->kind = kind;
	call->method = "GET";
	call->is_satisfied = false;
	call->n_seen = 0;
	call->deadline_ms = host->now_ms(host) + LIST_TIMEOUT_MS;
	snprintf(call->path, sizeof(call->path), "%s", path);
}

static bool next_application(struct ek_eureka_call *call)
{
	struct ek_eureka_list *list = call->list;
	char path[EK_EUREKA_PATH_MAX];

	if (!list->n_names || !ek_eureka_path_of_application(list->next_name, path))
		return false;
	list->n_names--;
	list->next_name += strlen(list->next_name) + 1;
	ek_eureka_scanner_restart(&list->scanner);
	start_step(call, EK_EUREKA_LIST_APPLICATION, path);
	return true;
}

static void fail(struct ek_eureka_call *call, int32_t code, const char *why)
{
	snprintf(call->message, sizeof(call->message), "%.90s%.80s: %.80s", call->eureka->servers.at[call->server].url, call->path, why);
	ek_eureka_complete(call, code, call->message);
}

static void tell_unreadable(const struct ek_eureka_call *call)
{
	const struct ek_host *host = call->eureka->host;
	char count[16];
	const struct ek_pair pair = { .size = sizeof(pair), .key = "count", .value = count };
	const struct ek_pair *const pairs[] = { &pair };

	snprintf(count, sizeof(count), "%u", call->list->n_unreadable);
	if (call->list->n_unreadable)
		host->log(host, EK_LOG_WARN, "instances of others cannot be read and were passed over", pairs, 1);
}

/* False: it was no listing, and the call has been completed. */
static bool check_listing(struct ek_eureka_call *call)
{
	const struct ek_eureka_scanner *scanner = &call->list->scanner;

	if (scanner->code)
		fail(call, scanner->code, scanner->fault ? scanner->fault : "given up");
	else if (!scanner->is_complete)
		fail(call, EK_PLUGIN, "the listing ends too early");
	else if (!scanner->is_listing)
		fail(call, EK_PLUGIN, "this is no listing of a Eureka; do its serviceUrls end in /eureka/ or /eureka/v2/?");
	else
		return true;
	return false;
}

/* A 404 for an application proves its absence only if it comes from a Eureka. */
static void go_on_listing(struct ek_eureka_call *call, int32_t http_status)
{
	if (http_status == 404)
		call->list->is_one_missing = true;
	else if (!check_listing(call))
		return;
	if (next_application(call)) {
		ek_eureka_send(call);
		return;
	}
	if (call->list->is_one_missing) {
		start_step(call, EK_EUREKA_LIST_CHECK, "apps/delta");
		ek_eureka_send(call);
		return;
	}
	tell_unreadable(call);
	ek_eureka_complete(call, EK_OK, NULL);
}

void ek_eureka_list_go_on(struct ek_eureka_call *call, int32_t http_status)
{
	if (call->kind == EK_EUREKA_LIST || call->kind == EK_EUREKA_LIST_APPLICATION)
		go_on_listing(call, http_status);
	else if (call->is_satisfied || http_status == 403)
		ek_eureka_complete(call, EK_OK, NULL);
	else
		fail(call, EK_PLUGIN, "this is no Eureka; do its serviceUrls end in /eureka/ or /eureka/v2/?");
}

bool ek_eureka_list_restart(struct ek_eureka_call *call)
{
	if (call->list->n_given || call->kind == EK_EUREKA_LIST_CHECK)
		return false;
	ek_eureka_scanner_restart(&call->list->scanner);
	return true;
}

/* ---- Beginnings --------------------------------------------------------------------------------------------------------------------------------------------- */

static struct ek_eureka_list *new_list(struct ek_eureka_call *call, const struct ek_scope *scope)
{
	uint32_t n = scope->n_applications <= FEW_APPLICATIONS ? scope->n_applications : 0;
	size_t bytes = 0;
	struct ek_eureka_list *list;
	char *at;

	for (uint32_t i = 0; i < n; i++)
		bytes += strlen(scope->applications[i]) + 1;
	list = calloc(1, sizeof(*list) + bytes);
	if (!list)
		return NULL;
	at = list->names;
	for (uint32_t i = 0; i < n; i++)
		at = stpcpy(at, scope->applications[i]) + 1;
	list->n_names = n;
	list->next_name = list->names;
	list->call = call;
	list->scanner.on_instance = on_instance;
	list->scanner.arg = list;
	return list;
}

void ek_eureka_list(void *self, const struct ek_scope *scope, uint64_t token)
{
	struct ek_eureka_call *call = ek_eureka_call_new(self, EK_EUREKA_LIST, token, LIST_TIMEOUT_MS);

	if (!call)
		return;
	call->list = new_list(call, scope);
	if (!call->list) {
		ek_eureka_fail_later(call, EK_RETRY, "out of memory");
		return;
	}
	if (!next_application(call))
		start_step(call, EK_EUREKA_LIST, "apps");
	ek_eureka_start(call);
}

void ek_eureka_probe(void *self, uint64_t token)
{
	struct ek_eureka *eureka = self;
	struct ek_eureka_call *call = ek_eureka_call_new(eureka, EK_EUREKA_PROBE, token, eureka->request_timeout_ms);

	if (!call)
		return;
	start_step(call, EK_EUREKA_PROBE, "apps/delta");
	ek_eureka_start(call);
}
