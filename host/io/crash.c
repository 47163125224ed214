/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names who ran when the process dies of a fault, or when a plugin ends it: neither can be contained, but it must not be anonymous. It writes one line and lets the
 * signal do what it does; it cleans nothing up, since nothing can be trusted any more. Next: watchdog.c, for those that do not crash but never return.
 */
#include "io/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES 65536 /* a handler of its own stack: the fault may be that the other one is full */

static const char *running;       /* NULL: nobody is to be named any more */
static pthread_t loop_thread;
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

static void tell(const char *message, const char *signal_name, const char *who)
{
	char line[400];
	size_t n = 0;

	add(line, sizeof(line), &n, "{\"level\":\"error\",\"message\":\"");
	add(line, sizeof(line), &n, message);
	if (signal_name)
		add(line, sizeof(line), &n, "\",\"signal\":\"");
	add(line, sizeof(line), &n, signal_name ? signal_name : "");
	add(line, sizeof(line), &n, "\",\"who\":\"");
	add(line, sizeof(line), &n, who);
	add(line, sizeof(line), &n, "\"}\n");
	if (write(STDERR_FILENO, line, n) < 0)
		line[0] = '\0'; /* nobody reads; die all the same */
}

/* A fault of another thread is not that of whoever runs on the loop; an abort is the watchdog's, and means whom it named. */
static const char *culprit_of(int signo)
{
	if (signo != SIGABRT && !pthread_equal(pthread_self(), loop_thread))
		return "a thread beside the loop";
	return running ? running : EK_CRASH_HOST;
}

/* Only what may be called in a signal handler. The action is the default one again by now. */
static void on_signal(int signo)
{
	tell("the process crashes", name_of(signo), culprit_of(signo));
	raise(signo);
}

/* The operator ends with nobody running on its loop. Whoever calls exit in a plugin's call gets no more than its line, and no clean end. */
static void on_exit_call(void)
{
	if (!running || strcmp(running, EK_CRASH_HOST) == 0)
		return;
	tell("a plugin has ended the process", NULL, running);
	_exit(EXIT_FAILURE);
}

void ek_crash_install(const char *who)
{
	static bool is_registered;
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER) }, present;
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (!is_registered && atexit(on_exit_call) == 0)
		is_registered = true;
	running = who;
	loop_thread = pthread_self();
	if (sigaltstack(&own, NULL))
		return;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &present) && present.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
}

void ek_crash_forget(const char *who)
{
	if (running == who)
		running = NULL;
}
