/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own listeners (health, metrics, debug state; in tests the stand-in servers), on libmicrohttpd driven by the loop.
 * serve.c is the only file that includes microhttpd.h. Bounded: connections (64 by default), header and body size, 10 s for a
 * request to arrive. Running out of descriptors turns callers away and does not stop it.
 *
 * The handler gets a complete request and answers at once by ek_serve_reply, or opens a stream by ek_serve_stream and writes to it
 * until ek_serve_stream_end or until on_gone says that the peer has left.
 */
#ifndef EK_IO_SERVE_H
#define EK_IO_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "io/loop.h"

struct ek_serve;
struct ek_serve_exchange;   /* one request being answered; valid within the handler */
struct ek_serve_stream;

struct ek_serve_request {
	const char *method;
	const char *path;          /* raw as sent: still percent-encoded, without the query */
	const char *query;         /* raw, without '?'; "" none */
	const char *body;          /* NUL-terminated */
	size_t body_bytes;
	const char *(*header)(const struct ek_serve_request *request, const char *name); /* NULL if absent */
};

struct ek_serve_config {
	const char *host;              /* an IP address; "" for all */
	uint16_t port;                 /* 0: any; see ek_serve_port */
	uint32_t max_connections;      /* 0: 64 */
	uint32_t max_body_bytes;       /* 0: 64 KiB */
	int64_t request_timeout_ms;    /* for a request to be whole, and for a peer that neither reads nor writes; 0: 10 s */
	bool only_localhost_names;     /* refuse a Host header that is not localhost or a loopback address (DNS rebinding) */
	void (*handle)(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange);
	void *arg;
};

struct ek_serve *ek_serve_new(struct ek_loop *loop, const struct ek_serve_config *config, struct ek_error *err);
void ek_serve_free(struct ek_serve *serve);        /* closes everything; streams get no on_gone */
uint16_t ek_serve_port(const struct ek_serve *serve);

/* Answers; the body is copied. `headers`: "Name: value\n" lines or NULL. Call exactly one of reply and stream per exchange. */
void ek_serve_reply(struct ek_serve_exchange *exchange, int status, const char *content_type, const char *headers, const void *body, size_t n);
struct ek_serve_stream *ek_serve_stream(struct ek_serve_exchange *exchange, int status, const char *content_type, void (*on_gone)(void *arg), void *arg);
int ek_serve_stream_write(struct ek_serve_stream *stream, const void *bytes, size_t n);   /* EK_TOO_BIG when the peer does not read (16 MiB waiting) */
void ek_serve_stream_end(struct ek_serve_stream *stream, bool abruptly);                  /* abruptly: cut without the final chunk */

#endif
