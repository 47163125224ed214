/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: the one thread on which everything happens. The only file that includes uv.h is loop.c (and file.c);
 * tests/kit/sim_loop.c is its double with virtual time.
 *
 * Timers are base/timers. Deferred calls run on the next turn, after I/O, in order. Nothing here calls back before it returns.
 * A watchdog thread logs a callback that blocks the loop for 5 s with the name last given to ek_loop_enter, and
 * aborts the process at 8 s (design I8).
 */
#ifndef EK_IO_LOOP_H
#define EK_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "base/histogram.h"
#include "base/timers.h"

struct ek_loop;
struct ek_fd;

struct ek_loop *ek_loop_new(void);
void ek_loop_free(struct ek_loop *loop);            /* after ek_loop_run has returned; everything must be stopped */
void ek_loop_run(struct ek_loop *loop);             /* until ek_loop_stop */
void ek_loop_stop(struct ek_loop *loop);

int64_t ek_loop_now_ms(struct ek_loop *loop);       /* CLOCK_BOOTTIME, fresh at each call */
int64_t ek_loop_now_us(struct ek_loop *loop);
int64_t ek_loop_wall_ms(struct ek_loop *loop);
uint64_t ek_loop_random(struct ek_loop *loop);      /* for jitter and names, not for secrets; seeded in the simulation */

void ek_loop_arm(struct ek_loop *loop, struct ek_timer *timer, int64_t delay_ms);
void ek_loop_disarm(struct ek_loop *loop, struct ek_timer *timer);
void ek_loop_defer(struct ek_loop *loop, void (*fn)(void *arg), void *arg);  /* next turn; cannot be cancelled */
void ek_loop_post(struct ek_loop *loop, void (*fn)(void *arg), void *arg);   /* as defer, from any thread */

/* Level-triggered descriptor watch. `events` is a mask of EK_FD_READABLE / EK_FD_WRITABLE (eurekube/host.h). */
struct ek_fd *ek_loop_watch_fd(struct ek_loop *loop, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events), void *arg, struct ek_error *err);
void ek_loop_update_fd(struct ek_fd *watch, uint32_t events);
void ek_loop_unwatch_fd(struct ek_fd *watch);

void ek_loop_on_signal(struct ek_loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg);

/*
 * Names what runs now, for the watchdog and for slow-call counting: enter("plugin eureka/0.1.0 registry main") ... leave.
 * `who` must stay valid until leave. leave returns the duration in microseconds. Nested calls are not allowed.
 */
void ek_loop_enter(struct ek_loop *loop, const char *who);
int64_t ek_loop_leave(struct ek_loop *loop);

/* How long the turns were: from waking up to sleeping again. Meanwhile nothing is read, so the longest is the longest stall of any reader. */
const struct ek_histogram *ek_loop_turns(const struct ek_loop *loop);

/* From now on a crash of the process leaves a line that names who ran. */
void ek_loop_tell_crashes(struct ek_loop *loop);

/* Other bounds for the watchdog (tests); 0: never. Before ek_loop_run. */
void ek_loop_set_watchdog(struct ek_loop *loop, int64_t log_after_ms, int64_t abort_after_ms);

#endif
