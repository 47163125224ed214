/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated world: what a test may do to it. The doubles of io/loop, http, serve and file implement the ordinary headers of
 * host/io; a program linked with them instead of the real ones runs in virtual time, on one thread, and repeats exactly for
 * the same seed. All state hangs on the loop; only files are process-wide, since ek_file_read has no loop.
 *
 * Servers are ordinary users of io/serve.h: ek_serve_new on a simulated loop listens on host:port inside that loop (host ""
 * answers for every name), and requests whose URL names that host and port reach it, http and https alike. Requests, replies and
 * stream bytes travel for the latency of their origin plus a part of a millisecond by the seed, so that the order of things that
 * happen at once changes with it; bytes of one exchange stay in order, and are split at random places.
 *
 * Time moves only in sim_run_until, sim_advance and ek_loop_run, from one event to the next.
 */
#ifndef EK_KIT_SIM_H
#define EK_KIT_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"

struct ek_loop *sim_loop_new(uint64_t seed);      /* ek_loop_new() is sim_loop_new(1); ek_loop_free ends both */

/* Runs until the condition holds, which is asked before the first and after each turn; false when within_ms have passed. */
bool sim_run_until(struct ek_loop *loop, bool (*condition)(void *arg), void *arg, int64_t within_ms);
void sim_advance(struct ek_loop *loop, int64_t ms);
void sim_jump_wall(struct ek_loop *loop, int64_t ms);   /* moves the wall clock alone, back or forth */
void sim_raise(struct ek_loop *loop, int signo);        /* calls what ek_loop_on_signal registered, on the next turn */
uint64_t sim_random(struct ek_loop *loop);              /* the scheduler's stream, apart from ek_loop_random's */

/* What is still going on. ek_loop_free aborts if there are calls, clients, streams, servers, descriptors or watched files left. */
size_t sim_armed_timers(struct ek_loop *loop);
size_t sim_open_calls(struct ek_loop *loop);
size_t sim_open_streams(struct ek_loop *loop);

enum sim_fault {
	SIM_OK,
	SIM_REFUSE,        /* new connections are refused: EK_RETRY */
	SIM_BLACKHOLE,     /* new connections never come about: EK_RETRY after the connect timeout; old ones are silent */
	SIM_HANG,          /* connections are accepted and then silent, old ones too; what was sent is handled when this ends,
	                      even if the client has given up by then */
	SIM_CUT,           /* open streams and replies under way are cut at once, later ones in the middle of the body: EK_UNKNOWN */
	SIM_LOSE_REPLY,    /* requests are handled and their replies lost: EK_UNKNOWN */
};

/* `origin` is "host:port" as in the URLs, with the port always there; NULL: every origin without a setting of its own. */
void sim_fault(struct ek_loop *loop, const char *origin, enum sim_fault fault);
void sim_latency(struct ek_loop *loop, const char *origin, int64_t one_way_ms);
void sim_split(struct ek_loop *loop, bool is_on);       /* cut stream bytes at random; on by default */

/* Tells of each request that was answered (its status) or failed (0); streams at their head. NULL: nobody. */
void sim_on_request(struct ek_loop *loop, void (*fn)(void *arg, const char *method, const char *url, int status), void *arg);

/* Files in memory, seen by ek_file_read before the real ones. Changes reach the watches of every simulated loop a turn later.
   bytes NULL: the path does not exist, not even really. */
void sim_file_write(const char *path, const void *bytes, size_t n);
void sim_file_clear(void);                              /* forgets all of them */

#endif
