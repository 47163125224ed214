/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: a resolver that knows one more name, $SLOW_NAME, as 127.0.0.1, and takes $SLOW_SECONDS for it while the file
 * $SLOW_WHILE exists. All other names go to the real one.
 * Built and used by test_slow_resolver.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

	if (!name || strcmp(name, getenv("SLOW_NAME")) != 0)
		return real(name, service, hints, found);
	if (access(getenv("SLOW_WHILE"), F_OK) == 0)
		sleep((unsigned)atoi(getenv("SLOW_SECONDS")));
	return real("127.0.0.1", service, hints, found);
}
