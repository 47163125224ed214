/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of the simulation: none is started, they take virtual time and end as the test says.
 * There is one program, whatever its name.
 * Next: kit/sim_process.h.
 */
#include "kit/sim_process.h"

#include "base/alloc.h"
#include "io/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_program sim_program;

struct ek_process {
	struct ek_loop *loop;
	struct ek_process_config config;
	struct ek_timer end;
};

static void forget(struct ek_process *process)
{
	ek_loop_disarm(process->loop, &process->end);
	sim_program.n_running--;
	free(process);
}

static void on_end(void *arg)
{
	struct ek_process *process = arg;
	const char *output = sim_program.output ? sim_program.output : "";
	struct ek_process_result result = {
		.end = sim_program.hangs ? EK_PROCESS_TIMED_OUT :
			strlen(output) > process->config.max_output_bytes ? EK_PROCESS_TOO_MUCH : EK_PROCESS_EXITED,
		.number = sim_program.exit_status,
		.output = output,
		.output_bytes = strlen(output),
		.complaint = sim_program.complaint ? sim_program.complaint : "",
	};

	process->config.on_done(process->config.arg, &result);
	forget(process);
}

static void keep_what_was_given(const struct ek_process_config *config)
{
	static const char name[] = "KUBERNETES_EXEC_INFO=";

	snprintf(sim_program.command, sizeof(sim_program.command), "%s", config->argv[0]);
	snprintf(sim_program.argument, sizeof(sim_program.argument), "%s", config->argv[1] ? config->argv[1] : "");
	for (char *const *entry = config->environment; *entry; entry++)
		if (strncmp(*entry, name, sizeof(name) - 1) == 0)
			snprintf(sim_program.info, sizeof(sim_program.info), "%s", *entry + sizeof(name) - 1);
}

struct ek_process *ek_process_start(struct ek_loop *loop, const struct ek_process_config *config, struct ek_error *err)
{
	struct ek_process *process;

	sim_program.n_runs++;
	if (sim_program.is_missing) {
		ek_fail(err, EK_INVALID, "cannot run %s: No such file or directory", config->argv[0]);
		return NULL;
	}
	if (++sim_program.n_running > sim_program.n_running_most)
		sim_program.n_running_most = sim_program.n_running;
	keep_what_was_given(config);
	process = ek_xcalloc(1, sizeof(*process));
	process->loop = loop;
	process->config = *config;
	ek_timer_init(&process->end, on_end, process);
	ek_loop_arm(loop, &process->end, sim_program.hangs ? config->timeout_ms : sim_program.takes_ms);
	return process;
}

void ek_process_cancel(struct ek_process *process)
{
	if (process)
		forget(process);
}
