/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What benchmarks of the whole operator share: a loop for their stand-in servers, the operator as a process of its own with its plugins, and what the
 * kernel says that it costs. Everything that fails ends the program.
 *
 *     rig_set_up(&rig);
 *     ... listeners on rig.loop, their ports into the rig ...
 *     rig_start(&rig, &(struct rig_start){ .renew_seconds = 27, .log_fd = -1 });
 *     rig_wait(&rig, "the first list");          a handler calls ek_loop_stop
 *     rig_stop(&rig, SIGTERM);
 *     rig_tear_down(&rig);
 */
#ifndef EK_BENCH_RIG_RIG_H
#define EK_BENCH_RIG_RIG_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/loop.h"

struct rig {
	struct ek_loop *loop;
	uint16_t kube_port, eureka_port;
	char directory[64], build[PATH_MAX];   /* build: $EK_TEST_BUILD, or build/release */
	pid_t child;                           /* 0: no operator runs */
	struct ek_timer limit;
	const char *waiting_for;
};

void rig_set_up(struct rig *rig);
void rig_tear_down(struct rig *rig);                            /* after the listeners are gone; frees the loop */

struct rig_start {
	int renew_seconds;
	const char *log_level;                 /* NULL: warn */
	int log_fd;                            /* where its log goes; -1: a file in the directory */
};
void rig_start(struct rig *rig, const struct rig_start *how);
void rig_stop(struct rig *rig, int signo);

void rig_wait(struct rig *rig, const char *what);               /* until ek_loop_stop, for a minute */
void rig_run_for(struct rig *rig, int64_t ms);

struct rig_usage {
	long rss_kb, anon_kb, peak_kb;
	double cpu_seconds;
};
struct rig_usage rig_usage(const struct rig *rig);
void rig_reset_peak(const struct rig *rig);
void rig_settle(struct rig *rig);                               /* until it has used no CPU for half a second */

#endif
