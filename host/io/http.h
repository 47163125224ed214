/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests. A *client* is one peer group with its TLS settings, credentials and connection budget (the API server; one registry).
 * http.c is the only file that includes curl/curl.h; tests/kit/sim_http.c is its double: simulated servers take the
 * requests of registered origins.
 *
 * Every handle: NOSIGNAL, QUICK_EXIT, no Expect, no environment proxy, no .netrc, no redirects, protocols http and https only,
 * TCP_NODELAY, keepalive 30/10/3 and TCP_USER_TIMEOUT 30 s, connections not reused after 70 s idle, TLS 1.2 at least.
 * A request that fails on a reused connection before any response byte is retried once at once on a fresh one if it is
 * GET, HEAD, PUT or DELETE (servers close idle connections; that is no failure).
 * Resolved addresses: the last good ones are used when resolving fails.
 */
#ifndef EK_IO_HTTP_H
#define EK_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "io/loop.h"

struct ek_http;         /* the engine, one per loop */
struct ek_http_client;
struct ek_http_call;
struct ek_http_result;

struct ek_http_tls {
	const char *ca_file;           /* PEM; NULL: the system's */
	const char *ca_pem;            /* the same from memory; wins */
	size_t ca_pem_bytes;
	const char *cert_file, *key_file;       /* client certificate; NULL none */
	const char *cert_pem, *key_pem;         /* the same from memory; win */
	size_t cert_pem_bytes, key_pem_bytes;
	const char *server_name;       /* verify and send this name instead of the URL's host; NULL none */
	bool insecure_skip_verify;
};

struct ek_http_client_config {
	const char *name;              /* for logs */
	struct ek_http_tls tls;        /* copied */
	const char *proxy_url;         /* NULL: none at all */
	uint32_t max_connections;      /* per lane; 0: 16 */
	uint32_t max_waiting;          /* requests queued for a connection; 0: 100000 */
	/* Adds credentials to each request when it is sent: writes one header value ("Bearer ...", "Basic ...") or nothing. NULL none.
	   The buffer is wiped after use. Returns EK_OK, EK_GONE for none, or a code with err. */
	int (*authorize)(void *arg, char *value, size_t size, struct ek_error *err);
	void *authorize_arg;
};

struct ek_http_header {
	const char *name, *value;
};

/* All strings are copied by ek_http_start. */
struct ek_http_req {
	const char *method;
	const char *url;
	const struct ek_http_header *headers;
	unsigned n_headers;
	const void *body;
	size_t body_bytes;
	int64_t connect_timeout_ms;    /* 0: 10000 */
	int64_t timeout_ms;            /* 0: none (watches) */
	size_t max_body_bytes;         /* collected bodies; 0: 1 MiB. With on_body: total that may flow, 0: no bound */
	uint32_t lane;                 /* 0 or 1: separate connection budgets */
	bool accept_gzip;
	bool own_connection;           /* watches: outside the budget, never queued */
	void *arg;
	/* All optional but on_done. on_head comes once when the final response's status is known; on_body streams (not 0: stop with EK_CANCELLED). */
	void (*on_head)(void *arg, int status, const char *content_type);
	int (*on_body)(void *arg, const char *bytes, size_t n);
	void (*on_done)(void *arg, const struct ek_http_result *result);
};

struct ek_http_result {
	int code;                      /* EK_OK: a whole response, whatever its status. EK_RETRY, EK_UNKNOWN, EK_TOO_BIG, EK_AUTH (TLS), EK_CANCELLED as in eurekube/host.h */
	int status;                    /* 0 without one */
	int curl_code;
	const char *body;              /* collected body, NUL-terminated; "" with on_body */
	size_t body_bytes;
	const char *content_type;      /* lower case, without parameters; "" none */
	int64_t retry_after_ms;        /* 0 none */
	const char *message;           /* for a person when code is not EK_OK; never NULL */
};

struct ek_http *ek_http_new(struct ek_loop *loop);
void ek_http_free(struct ek_http *http);

struct ek_http_client *ek_http_client_new(struct ek_http *http, const struct ek_http_client_config *config);
void ek_http_client_free(struct ek_http_client *client);      /* cancels what is in flight, without callbacks */
/* Replaces the TLS material (rotation); open connections finish, new requests use new ones. */
void ek_http_client_set_tls(struct ek_http_client *client, const struct ek_http_tls *tls);

/* NULL with err when it cannot be tried. Callbacks come on later turns; after cancel none. */
struct ek_http_call *ek_http_start(struct ek_http_client *client, const struct ek_http_req *req, struct ek_error *err);
void ek_http_cancel(struct ek_http_call *call);
/* Stops and resumes delivery to on_body (a full queue). */
void ek_http_pause(struct ek_http_call *call, bool is_paused);

#endif
