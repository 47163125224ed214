/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a call: it waits for a session, flies through one or more requests, and ends exactly once. What the requests are is in operations.c and listing.c; this
 * file only says what an answer of the client library means for the host. Read session.c next.
 */
#include "zk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct zk_call *zk_call_new(struct zk *zk, uint32_t kind, uint64_t token, int64_t patience_ms)
{
	struct zk_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->zk = zk;
	call->kind = kind;
	call->token = token;
	call->deadline_ms = zk->host->now_ms(zk->host) + patience_ms;
	TAILQ_INSERT_TAIL(&zk->waiting, call, link);
	if (++zk->n_calls > ZK_CALLS_MAX)
		zk_call_preset(call, EK_THROTTLED, "too many operations wait for ZooKeeper");
	zk_turn_soon(zk);
	return call;
}

static void free_call(struct zk_call *call)
{
	struct zk *zk = call->zk;

	TAILQ_REMOVE(call->is_sent ? &zk->flying : &zk->waiting, call, link);
	zk->n_calls--;
	zk_listing_free(call->listing);
	free(call->document);
	free(call->owner);
	free(call);
}

void zk_call_preset(struct zk_call *call, int32_t code, const char *message)
{
	if (call->preset != EK_OK)
		return;
	call->preset = code;
	call->preset_message = message;
}

/* ---- Ending ------------------------------------------------------------------------------------------------------------------------------------------------- */

void zk_call_end_with(struct zk_call *call, const struct ek_result *result)
{
	const struct ek_host *host = call->zk->host;

	if (!call->zk->is_closing)
		host->op_done(host, call->token, result);
	free_call(call);
}

void zk_call_end(struct zk_call *call, int32_t code, const char *message)
{
	struct ek_result result = {
		.size = sizeof(result), .code = code, .message = message, .retry_after_ms = code == EK_THROTTLED ? 200 : 0,
	};

	zk_call_end_with(call, &result);
}

static int32_t code_of(int rc, bool is_write)
{
	switch (rc) {
	case ZOK:
		return EK_OK;
	case ZNONODE:
		return EK_GONE;
	case ZBADVERSION:
	case ZNODEEXISTS:
		return EK_CONFLICT;
	case ZNOAUTH:
	case ZAUTHFAILED:
		return EK_AUTH;
	case ZBADARGUMENTS:
	case ZINVALIDACL:
	case ZUNIMPLEMENTED:
	case ZNOCHILDRENFOREPHEMERALS:
		return EK_INVALID;
	case ZINVALIDSTATE: /* the library refused to send it */
		return EK_RETRY;
	case ZCONNECTIONLOSS:
	case ZOPERATIONTIMEOUT:
	case ZSESSIONEXPIRED:
	case ZSESSIONMOVED:
	case ZCLOSING:
		return is_write ? EK_UNKNOWN : EK_RETRY;
	default:
		return EK_PLUGIN;
	}
}

void zk_call_end_rc(struct zk_call *call, int rc, bool is_write)
{
	int32_t code = code_of(rc, is_write);
	char message[256];

	if (code == EK_AUTH)
		zk_read_secret_again(call->zk);
	snprintf(message, sizeof(message), "ZooKeeper says \"%s\" to %.*s", zerror(rc), 190, call->path);
	zk_call_end(call, code, code == EK_OK ? NULL : message);
}

bool zk_call_may_go_on(struct zk_call *call)
{
	if (!call->is_cancelled && !call->zk->is_closing)
		return true;
	zk_call_end(call, EK_CANCELLED, NULL);
	return false;
}

void zk_call_started(struct zk_call *call, int rc)
{
	if (rc != ZOK)
		zk_call_end_rc(call, rc, false);
}

/* ---- All of them -------------------------------------------------------------------------------------------------------------------------------------------- */

static void send_call(struct zk_call *call)
{
	TAILQ_REMOVE(&call->zk->waiting, call, link);
	TAILQ_INSERT_TAIL(&call->zk->flying, call, link);
	call->is_sent = true;
	if (call->kind == ZK_LIST || call->kind == ZK_PROBE)
		zk_listing_send(call);
	else
		zk_operation_send(call);
}

void zk_calls_send(struct zk *zk)
{
	int64_t now_ms = zk->host->now_ms(zk->host);
	struct zk_call *call, *next;

	for (call = TAILQ_FIRST(&zk->waiting); call; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->preset != EK_OK)
			zk_call_end(call, call->preset, call->preset_message);
		else if (zk->is_connected)
			send_call(call);
		else if (call->deadline_ms <= now_ms)
			zk_call_end(call, EK_RETRY, "there was no connection to ZooKeeper in time");
	}
}

int64_t zk_calls_deadline_ms(const struct zk *zk)
{
	const struct zk_call *call;
	int64_t first_ms = INT64_MAX;

	TAILQ_FOREACH(call, &zk->waiting, link)
		if (call->deadline_ms < first_ms)
			first_ms = call->deadline_ms;
	return first_ms;
}

void zk_calls_fail_waiting(struct zk *zk, int32_t code, const char *message)
{
	struct zk_call *call;

	while ((call = TAILQ_FIRST(&zk->waiting)))
		zk_call_end(call, call->preset != EK_OK ? call->preset : code, call->preset != EK_OK ? call->preset_message : message);
}

void zk_calls_drop(struct zk *zk)
{
	while (!TAILQ_EMPTY(&zk->waiting))
		free_call(TAILQ_FIRST(&zk->waiting));
	while (!TAILQ_EMPTY(&zk->flying))
		free_call(TAILQ_FIRST(&zk->flying));
}

/* What has been sent cannot be called back; it takes no further step. */
void zk_calls_cancel(struct zk *zk, uint64_t token)
{
	struct zk_call *call;

	TAILQ_FOREACH(call, &zk->flying, link)
		if (call->token == token)
			call->is_cancelled = true;
	TAILQ_FOREACH(call, &zk->waiting, link)
		if (call->token == token)
			zk_call_preset(call, EK_CANCELLED, NULL);
	zk_turn_soon(zk);
}
