/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names who ran when the process dies of a fault: a plugin's crash cannot be contained, but it must not be anonymous. It writes one line and lets the signal do
 * what it does; it cleans nothing up, since nothing can be trusted any more. Next: watchdog.c, for those that do not crash but never return.
 */
#include "io/crash.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES 65536 /* a handler of its own stack: the fault may be that the other one is full */

static const char *running;
static char stack[STACK_BYTES];

static const char *name_of(int signo)
{
	switch (signo) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGILL:
		return "SIGILL";
	default:
		return "SIGABRT";
	}
}

static void add(char *line, size_t size, size_t *n, const char *text)
{
	while (*text && *n + 1 < size)
		line[(*n)++] = *text++;
}

/* Only what may be called in a signal handler. The action is the default one again by now. */
static void on_signal(int signo)
{
	char line[300];
	size_t n = 0;

	add(line, sizeof(line), &n, "{\"level\":\"error\",\"message\":\"the process crashes\",\"signal\":\"");
	add(line, sizeof(line), &n, name_of(signo));
	add(line, sizeof(line), &n, "\",\"who\":\"");
	add(line, sizeof(line), &n, running);
	add(line, sizeof(line), &n, "\"}\n");
	if (write(STDERR_FILENO, line, n) < 0)
		line[0] = '\0'; /* nobody reads; die all the same */
	raise(signo);
}

void ek_crash_install(const char *who)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER) }, present;
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };

	running = who;
	if (sigaltstack(&own, NULL))
		return;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &present) && present.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
}
