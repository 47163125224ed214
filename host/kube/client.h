/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the API server: base URL, credentials (token file re-read at most every 50 s and on 401), User-Agent, deadlines, and the meaning
 * of answers. One short call in, one reply out; watches are streams on connections of their own. No caching, no retry
 * except one repeat of a GET after 401 with re-read credentials; the caller has the policy.
 * With a credential plugin, calls that need a credential wait for it within their deadline, and fail with EK_AUTH and its message when it gives none.
 * When our certificate changes, open streams end with EK_UNKNOWN, so that nothing goes on in the old name.
 */
#ifndef EK_KUBE_CLIENT_H
#define EK_KUBE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "io/http.h"
#include "kube/config.h"

struct ek_kube;
struct ek_kube_call;

struct ek_kube_reply {
	int code;                  /* EK_OK: 2xx. 404 EK_GONE, 409 EK_CONFLICT, 410 EK_EXPIRED, 400/415/422 EK_INVALID, 401/403 EK_AUTH, 429 EK_THROTTLED, 413 EK_TOO_BIG, 5xx EK_RETRY, transport as io/http */
	int status;
	const char *body;
	size_t body_bytes;
	const char *reason;        /* Status.reason of an error body; "" */
	const char *message;       /* for a person: Status.message or the transport's; "" on success */
	int64_t retry_after_ms;
};

struct ek_kube_request {
	const char *method;        /* GET POST PUT PATCH DELETE */
	const char *path;          /* begins with /api or /apis, with query if any */
	const char *content_type;  /* with a body: application/json, application/merge-patch+json, application/json-patch+json */
	const void *body;
	size_t body_bytes;
	int64_t timeout_ms;        /* 0: 30000 */
	size_t max_body_bytes;     /* 0: 4 MiB */
	void (*on_done)(void *arg, const struct ek_kube_reply *reply);
	void *arg;
};

struct ek_kube *ek_kube_new(struct ek_loop *loop, struct ek_http *http, const struct ek_kube_config *config, struct ek_error *err);
void ek_kube_free(struct ek_kube *kube);     /* gives up what is in flight, without callbacks */
const char *ek_kube_server(const struct ek_kube *kube);

/* NULL with err only when it cannot be tried at all. */
struct ek_kube_call *ek_kube_call(struct ek_kube *kube, const struct ek_kube_request *request, struct ek_error *err);
void ek_kube_cancel(struct ek_kube_call *call);   /* NULL is ignored; callbacks do not come any more */

/*
 * A streamed GET on a connection of its own (LIST bodies and watches): on_head tells that it works, then bytes flow to on_body; on_done ends it with a
 * reply whose body is the error body (bounded) if status was not 2xx, else empty. deadline_ms 0: none.
 */
struct ek_kube_stream_request {
	const char *path;
	int64_t deadline_ms;
	bool accept_gzip;
	void (*on_head)(void *arg);  /* a 2xx answer began; may be NULL */
	int (*on_body)(void *arg, const char *bytes, size_t n);  /* only for 2xx; not 0 stops with EK_CANCELLED */
	void (*on_done)(void *arg, const struct ek_kube_reply *reply);
	void *arg;
};
struct ek_kube_call *ek_kube_stream(struct ek_kube *kube, const struct ek_kube_stream_request *request, struct ek_error *err);

#endif
