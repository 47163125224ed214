/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What io/http keeps: clients with their lanes, and calls with a copy of their request. http_call.c has the part that needs no
 * libcurl: copying, queueing, bookkeeping. Part of io/http.
 */
#ifndef EK_IO_HTTP_CALL_H
#define EK_IO_HTTP_CALL_H

#include "base/buf.h"
#include "base/timers.h"
#include "io/http.h"
#include "io/http_tls.h"

#define EK_HTTP_DEFAULT_BODY (1024u * 1024)

struct curl_slist;
struct ek_http_handle;           /* a reusable libcurl handle */

struct ek_http_queue {
	uint32_t n_flying, n_waiting;
	struct ek_http_call *first, **tail;      /* those that wait for a connection */
};

struct ek_http_client {
	struct ek_http *http;
	struct ek_http_client *next;
	struct ek_http_client_config config;     /* name and proxy_url are copies, tls is not used */
	struct ek_tls_material tls;
	uint64_t generation;                     /* of the TLS material; older handles are not reused */
	struct ek_http_queue lanes[2];
	struct ek_http_call *calls;
	struct ek_http_handle *idle;
	unsigned n_idle;
	bool is_closing;                         /* freed as soon as libcurl is not on the stack */
};

enum ek_http_state { EK_HTTP_WAITING, EK_HTTP_FLYING, EK_HTTP_OVER };

struct ek_http_call {
	struct ek_http_client *client;
	struct ek_http_call *next, **prev;       /* of the client */
	struct ek_http_call *next_waiting;       /* of the lane */
	struct ek_http_call *next_todo;          /* of the engine */
	struct ek_http_req req;                  /* method, url and body point behind this struct; headers are in lines */
	char **lines;
	unsigned n_lines;
	bool is_https, has_content_type;
	const char *origin;                      /* "host:port" as asked for: for messages and the address book */
	const char *connect_to;                  /* with tls.server_name: libcurl's "name:port:host:port"; NULL none */
	const char *host_line;                   /* and the header that names the host as asked for */
	char *authorization;                     /* a header line; wiped */
	int64_t deadline_ms;                     /* 0 none */
	struct ek_timer waited;                  /* armed while waiting, when there is a deadline */

	enum ek_http_state state;
	bool is_granted, is_waiting;             /* counts in its lane's budget, or in its queue */
	bool is_todo, is_cancelled;
	bool is_paused, is_stalled;              /* wanted by the user; told to libcurl */
	bool has_head;
	uint32_t n_sends;                        /* how often the request began to be sent */
	bool is_by_address;                      /* second try, with the last good address */
	int stop_code;                           /* why we stopped the transfer ourselves; 0 we did not */
	size_t n_flowed;
	struct ek_buf body;
	struct ek_http_handle *handle;
	struct curl_slist *nodes;                /* the list that libcurl sends, made anew for each flight */
};

/* EK_OK, or EK_INVALID when the request could never be sent. */
int ek_http_call_new(struct ek_http_client *client, const struct ek_http_req *req, struct ek_http_call **call,
	struct ek_error *err);
void ek_http_call_free(struct ek_http_call *call);

bool ek_http_lane_has_room(const struct ek_http_call *call);
void ek_http_lane_grant(struct ek_http_call *call);         /* takes a place; own connections need none */
void ek_http_lane_wait(struct ek_http_call *call);
void ek_http_lane_leave(struct ek_http_call *call);         /* whichever of the two it was in */
void ek_http_call_unlink(struct ek_http_call *call);        /* from its client */
struct ek_http_call *ek_http_lane_next(struct ek_http_queue *lane, uint32_t max_connections);   /* NULL none may start */

bool ek_http_is_idempotent(const char *method);              /* GET, HEAD, PUT, DELETE */

#endif
