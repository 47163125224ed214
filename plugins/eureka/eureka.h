/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this plugin share: the instance, and a *call*, which is one operation, list or probe on its way. A call takes one HTTP request, or a few after
 * one another: a second server when the first cannot be reached, an override after a registration, the next application of a list.
 */
#ifndef EK_PLUGINS_EUREKA_EUREKA_H
#define EK_PLUGINS_EUREKA_EUREKA_H

#include <eurekube/registry.h>

#include <stdbool.h>

#include "replies.h"
#include "scanner.h"
#include "servers.h"

#define EK_EUREKA_PATH_MAX 512
#define EK_EUREKA_BODY_MAX (1u << 20)
#define EK_EUREKA_MESSAGE_MAX 256

/* What a request is for, beside the kinds of operations. */
enum ek_eureka_kind {
	EK_EUREKA_PROBE = 100,
	EK_EUREKA_LIST,             /* all applications */
	EK_EUREKA_LIST_APPLICATION, /* one of them */
	EK_EUREKA_LIST_CHECK,       /* whether it is a Eureka that says that an application does not exist */
};

struct ek_eureka;
struct ek_eureka_list;

struct ek_eureka_call {
	struct ek_eureka_call *next, *previous; /* those in flight; or the free list, by next */
	struct ek_eureka *eureka;
	struct ek_http_handle *request;
	struct ek_timer_handle *late_failure;   /* what failed at once is told on a later turn */
	uint64_t token;
	int64_t deadline_ms;
	int64_t revision;                       /* PUT: the one that is written; otherwise 0 */
	uint32_t kind;                          /* enum ek_op_kind or enum ek_eureka_kind */
	uint32_t server;
	const char *method;
	bool is_second_try;
	bool is_satisfied;                      /* the delta: what was seen of it is enough */
	char *then_path;                        /* PUT of an instance that is out of service: the override that follows */
	char *body;                             /* PUT */
	size_t body_bytes;
	struct ek_eureka_list *list;            /* LIST */
	char seen[24];                          /* the delta: how it begins, without blanks */
	uint32_t n_seen;
	int32_t failure;
	char path[EK_EUREKA_PATH_MAX];
	char message[EK_EUREKA_MESSAGE_MAX];
};

struct ek_eureka {
	const struct ek_host *host;
	struct ek_registry_traits traits;
	struct ek_eureka_servers servers;
	int32_t renew_seconds, lease_seconds, request_timeout_ms, connect_timeout_ms;
	bool adds_zone;
	struct ek_eureka_call *in_flight, *free;
	struct ek_eureka_reading reading;
	char *body;                             /* where bodies are written before their size is known */
	size_t body_room;
};

/* ---- calls.c: one call from start to completion ---- */

struct ek_eureka_call *ek_eureka_call_new(struct ek_eureka *eureka, uint32_t kind, uint64_t token, int64_t timeout_ms); /* NULL without memory */
void ek_eureka_call_free(struct ek_eureka_call *call);       /* gives up what it waits for */
void ek_eureka_start(struct ek_eureka_call *call);           /* method, path and body to the server that is due */
void ek_eureka_send(struct ek_eureka_call *call);            /* the same to call->server */
void ek_eureka_fail_later(struct ek_eureka_call *call, int32_t code, const char *message);
/* Tells the host and frees the call. `message` may be call->message. */
void ek_eureka_complete(struct ek_eureka_call *call, int32_t code, const char *message);

/* ---- requests.c: what is asked ---- */

/* Sets method, path and body for an operation. EK_OK, or a code with err. */
int ek_eureka_describe(struct ek_eureka_call *call, const struct ek_op *op, struct ek_error *err);
/* The path of an application's listing. False if it does not fit. */
bool ek_eureka_path_of_application(const char *application, char path[EK_EUREKA_PATH_MAX]);

/* ---- body.c: what is registered ---- */

int ek_eureka_write_instance(struct ek_eureka_call *call, const struct ek_instance *instance, struct ek_error *err);

/* ---- verdicts.c: what an answer means ---- */

/* The code for a response; unless EK_OK, `message` says for a person what happened where and what helps. */
int32_t ek_eureka_judge(const struct ek_eureka_call *call, const struct ek_http_response *response, char message[EK_EUREKA_MESSAGE_MAX]);

/* ---- listing.c: lists and probes ---- */

void ek_eureka_list(void *self, const struct ek_scope *scope, uint64_t token);
void ek_eureka_probe(void *self, uint64_t token);
void ek_eureka_list_free(struct ek_eureka_list *list);       /* NULL is ignored */
/* Takes a piece of a listing's, or of the delta's, body. `call` is the call. */
int ek_eureka_on_piece(void *call, const char *bytes, uint32_t n);
/* After an answer that was judged good: asks for what is still to be read, or completes. */
void ek_eureka_list_go_on(struct ek_eureka_call *call, int32_t http_status);
/* Whether the request may be sent again, to another server; if so all is ready for that. */
bool ek_eureka_list_restart(struct ek_eureka_call *call);

#endif
