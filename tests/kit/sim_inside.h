/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the simulation share with one another. Tests use kit/sim.h. */
#ifndef EK_KIT_SIM_INSIDE_H
#define EK_KIT_SIM_INSIDE_H

#include <pthread.h>

#include "base/timers.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/serve.h"
#include "kit/sim.h"

struct sim_task {
	void (*fn)(void *arg);
	void *arg;
};

struct sim_tasks {
	struct sim_task *at;
	size_t n, room;
};

/* What is set for one origin. The first of the list, with an empty name, is for all others. */
struct sim_origin {
	struct sim_origin *next;
	enum sim_fault fault;
	int64_t latency_us;
	char name[];
};

/* A request on its way to a server. */
struct sim_message {
	struct sim_message *next;
	char *method, *url, *origin, *path, *query;
	struct ek_http_header *headers;
	unsigned n_headers;
	char *body;
	size_t body_bytes;
};

struct sim_signal {
	int signo;
	void (*fn)(void *arg, int signo);
	void *arg;
};

struct ek_loop {
	int64_t now_us, wall_offset_ms;
	uint64_t random, scheduler;
	struct ek_timers timers;           /* the program's, in ms */
	struct ek_timers io;               /* the simulation's own, in us */
	struct sim_tasks deferred, running, posted;
	pthread_mutex_t posted_lock;
	struct ek_fd *fds;
	struct sim_signal signals[32];
	unsigned n_signals;
	bool is_stopping;
	const char *who;

	struct sim_origin *origins;
	struct sim_message *ghosts;        /* sent into a hanging server by clients that gave up */
	struct ek_timer ghost_timer;
	struct ek_http_client *clients;
	struct ek_serve *servers;
	size_t n_engines, n_streams, n_file_watches;
	uint16_t next_port;
	bool does_split;
	void (*on_request)(void *arg, const char *method, const char *url, int status);
	void *on_request_arg;
	struct ek_file_watch *file_watches;
	struct ek_loop *next_loop;         /* for changes of files */
};

extern struct ek_loop *sim_loops;

/* Arms one of the simulation's own timers after `us`. */
void sim_io_arm(struct ek_loop *loop, struct ek_timer *timer, int64_t us);
void sim_io_disarm(struct ek_loop *loop, struct ek_timer *timer);
uint64_t sim_below(struct ek_loop *loop, uint64_t bound);          /* random, 0 to bound - 1 */

struct sim_origin *sim_origin_of(struct ek_loop *loop, const char *name);   /* never NULL */
int64_t sim_travel_us(struct ek_loop *loop, const char *origin);

/* http -> serve: hands the message to its server. The answer goes to the call; NULL: nobody waits for it. 0: nobody listens. */
int sim_serve_handle(struct ek_loop *loop, const struct sim_message *message, struct ek_http_call *call);
void sim_stream_gone(struct ek_serve_stream *stream);              /* the peer has left */

/* serve -> http: pieces of the answer, in order. */
void sim_call_head(struct ek_http_call *call, int status, const char *content_type, int64_t retry_after_ms,
	struct ek_serve_stream *stream);
void sim_call_bytes(struct ek_http_call *call, const void *bytes, size_t n);
void sim_call_end(struct ek_http_call *call);
void sim_call_cut(struct ek_http_call *call);
size_t sim_call_waiting_bytes(const struct ek_http_call *call);

/* A fault or latency has changed: http looks at what it holds back. */
void sim_http_faults_changed(struct ek_loop *loop, enum sim_fault fault);
void sim_message_free(struct sim_message *message);

#endif
