/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the names of servers into addresses, in a thread that lives for one round of questions and comes back through the host's `post`. It does not decide when to ask,
 * and caches nothing. Read session.c next.
 */
#include "zk.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (256 * 1024)
#define ADDRESSES_PER_NAME 8

struct zk_resolver {
	const struct ek_host *host;
	void (*fn)(void *arg, const char *addresses, uint32_t n_addresses);
	void *arg;
	pthread_t thread;
	uint32_t n_servers, n_addresses;
	char addresses[ZK_ADDRESSES_BYTES];
	struct zk_server servers[];
};

bool zk_is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* The client library takes what is behind the last colon for the port, and wants no brackets. */
bool zk_append_address(char *list, const char *address, const char *port)
{
	size_t n = strlen(list);

	if (n + 1 + strlen(address) + 1 + strlen(port) >= ZK_ADDRESSES_BYTES)
		return false;
	sprintf(list + n, "%s%s:%s", n ? "," : "", address, port);
	return true;
}

static void resolve_one(struct zk_resolver *resolver, const struct zk_server *server)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
	char address[INET6_ADDRSTRLEN];
	int n = 0;

	if (zk_is_address(server->host)) {
		resolver->n_addresses += zk_append_address(resolver->addresses, server->host, server->port);
		return;
	}
	if (getaddrinfo(server->host, server->port, &hints, &found) != 0)
		return;
	for (const struct addrinfo *at = found; at && n < ADDRESSES_PER_NAME; at = at->ai_next, n++) {
		const void *raw = at->ai_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)at->ai_addr)->sin6_addr :
		                                              (const void *)&((const struct sockaddr_in *)(const void *)at->ai_addr)->sin_addr;

		if (inet_ntop(at->ai_family, raw, address, sizeof(address)))
			resolver->n_addresses += zk_append_address(resolver->addresses, address, server->port);
	}
	freeaddrinfo(found);
}

static void on_done(void *arg)
{
	struct zk_resolver *resolver = arg;

	pthread_join(resolver->thread, NULL); /* it has nothing left to do */
	resolver->fn(resolver->arg, resolver->addresses, resolver->n_addresses);
	free(resolver);
}

static void *run(void *arg)
{
	struct zk_resolver *resolver = arg;

	for (uint32_t i = 0; i < resolver->n_servers; i++)
		resolve_one(resolver, &resolver->servers[i]);
	resolver->host->post(resolver->host, on_done, resolver);
	return NULL;
}

/* With all signals blocked: they are the host's. */
static int start_thread(struct zk_resolver *resolver)
{
	pthread_attr_t attributes;
	sigset_t all, former;
	int failed;

	if (pthread_attr_init(&attributes) != 0)
		return -1;
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	failed = pthread_create(&resolver->thread, &attributes, run, resolver);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	pthread_attr_destroy(&attributes);
	return failed;
}

struct zk_resolver *zk_resolver_start(const struct ek_host *host, const struct zk_server *servers, uint32_t n_servers,
	void (*fn)(void *arg, const char *addresses, uint32_t n_addresses), void *arg)
{
	struct zk_resolver *resolver = calloc(1, sizeof(*resolver) + n_servers * sizeof(*servers));

	if (!resolver)
		return NULL;
	resolver->host = host;
	resolver->fn = fn;
	resolver->arg = arg;
	resolver->n_servers = n_servers;
	memcpy(resolver->servers, servers, n_servers * sizeof(*servers));
	if (start_thread(resolver) == 0)
		return resolver;
	free(resolver);
	return NULL;
}
