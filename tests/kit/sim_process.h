/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program behind each ek_process_start of a simulation: how it behaves, and what it was given. Process-wide, as simulated files
 * are; a test sets it, and clears it by sim_program = (struct sim_program){ 0 }.
 */
#ifndef EK_KIT_SIM_PROCESS_H
#define EK_KIT_SIM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct sim_program {
	bool is_missing;            /* it cannot be started */
	bool hangs;                 /* until it is killed */
	int64_t takes_ms;
	int exit_status;
	const char *output, *complaint;     /* NULL: nothing */
	unsigned n_runs, n_running, n_running_most;
	char command[64], argument[64];     /* argv[0] and argv[1] of the last run */
	char info[4096];                    /* KUBERNETES_EXEC_INFO of the last run */
};

extern struct sim_program sim_program;

#endif
