/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What simulated HTTP keeps of clients and calls. A call's answer travels as *pieces*, each with its time of arrival.
 * sim_http.c starts calls, sim_call.c delivers what becomes of them.
 */
#ifndef EK_KIT_SIM_CALL_H
#define EK_KIT_SIM_CALL_H

#include "base/buf.h"
#include "kit/sim_inside.h"

#define SIM_DEFAULT_BODY (1024u * 1024)

struct ek_http {
	struct ek_loop *loop;
};

struct sim_lane {
	unsigned n_flying;
	struct ek_http_call *first, **tail;     /* those that wait for a connection */
	unsigned n_waiting;
};

struct ek_http_client {
	struct ek_http *http;
	struct ek_http_client *next;
	struct ek_http_client_config config;    /* its texts are not kept */
	struct sim_lane lanes[2];
	struct ek_http_call *calls;
};

enum sim_piece_kind { SIM_PIECE_ARRIVE, SIM_PIECE_FAIL, SIM_PIECE_HEAD, SIM_PIECE_BODY, SIM_PIECE_END, SIM_PIECE_CUT };

struct sim_piece {
	struct sim_piece *next;
	int64_t due_us;
	enum sim_piece_kind kind;
	int status;                             /* of a failure: its code */
	int64_t retry_after_ms;
	size_t n;
	char bytes[];                           /* of a head: the content type; of a failure: the message */
};

struct ek_http_call {
	struct ek_http_client *client;
	struct ek_http_call *next, **prev;      /* of the client */
	struct ek_http_call *next_waiting;
	struct ek_http_req req;                 /* method, url, headers, body are in the message */
	struct sim_message *message;
	bool is_flying, is_waiting, is_accepted, is_stuck, has_arrived, has_head;
	bool is_paused, is_busy, is_over;
	struct sim_piece *pieces, **tail;
	int64_t last_due_us;
	size_t waiting_bytes, n_flowed;
	struct ek_timer step, deadline, connect_deadline;
	struct ek_serve_stream *stream;
	int status;
	char content_type[128];
	int64_t retry_after_ms;
	struct ek_buf body;
};

static inline struct ek_loop *sim_call_loop(const struct ek_http_call *call)
{
	return call->client->http->loop;
}

void sim_call_detach(struct ek_http_call *call);        /* out of everything; its memory stays */
void sim_call_free(struct ek_http_call *call);
void sim_call_leave_lane(struct ek_http_call *call);
struct sim_piece *sim_call_add(struct ek_http_call *call, enum sim_piece_kind kind, const void *bytes, size_t n);
void sim_client_start_waiting(struct ek_http_client *client);

/* What the timers of a call do. */
void sim_call_step(void *arg);
void sim_call_expire(void *arg);
void sim_call_expire_connect(void *arg);

#endif
