/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: a resolver that knows one more name, $SLOW_NAME, as 127.0.0.1, and takes $SLOW_SECONDS for it while the file
 * $SLOW_WHILE exists; it leaves a byte there for each time. All other names go to the real one.
 * Built and used by test_slow_resolver.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
	int log;

	if (!name || strcmp(name, getenv("SLOW_NAME")) != 0)
		return real(name, service, hints, found);
	log = open(getenv("SLOW_WHILE"), O_WRONLY | O_APPEND | O_CLOEXEC);
	if (log >= 0 && write(log, ".", 1) == 1)
		sleep((unsigned)atoi(getenv("SLOW_SECONDS")));
	if (log >= 0)
		close(log);
	return real("127.0.0.1", service, hints, found);
}
