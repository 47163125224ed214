/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that knows no HTTP but the end of a header: it answers what it is told to, byte by byte, and so can break every
 * rule. For the tests of io/http.
 */
#ifndef EK_UNIT_RAW_SERVER_H
#define EK_UNIT_RAW_SERVER_H

#include <eurekube/host.h>

#include "base/alloc.h"
#include "io/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW_MAX 64

struct raw_server;

struct raw_connection {
	struct raw_server *server;
	int fd;
	struct ek_fd *watch;
	unsigned number, n_requests;
	char request[8192];
	size_t n;
};

struct raw_server {
	struct ek_loop *loop;
	int fd;
	uint16_t port;
	struct ek_fd *watch;
	struct raw_connection *connections[RAW_MAX];
	unsigned n_accepted, n_requests;
	char last_request[8192];
	/* What to send after a request's header; NULL: nothing. A first '!' : then close. */
	const char *(*answer)(const struct raw_connection *connection);
	const void *bytes;              /* when set: sent after the answer */
	size_t n_bytes;
};

static inline void raw_close(struct raw_connection *connection)
{
	ek_loop_unwatch_fd(connection->watch);
	close(connection->fd);
	connection->server->connections[connection->number] = NULL;
	free(connection);
}

static inline void raw_answer(struct raw_connection *connection)
{
	struct raw_server *server = connection->server;
	const char *text;
	bool closes;

	server->n_requests++;
	memcpy(server->last_request, connection->request, sizeof(server->last_request));
	text = server->answer(connection);
	connection->n_requests++;
	connection->n = 0;
	closes = text && *text == '!';
	text = text && closes ? text + 1 : text;
	if (text && *text && send(connection->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		closes = true;
	if (text && server->bytes && send(connection->fd, server->bytes, server->n_bytes, MSG_NOSIGNAL) < 0)
		closes = true;
	if (closes)
		raw_close(connection);
}

static inline void raw_on_readable(void *arg, uint32_t events)
{
	struct raw_connection *connection = arg;
	ssize_t n = recv(connection->fd, connection->request + connection->n,
		sizeof(connection->request) - 1 - connection->n, 0);

	if (n <= 0) {
		raw_close(connection);
		return;
	}
	connection->n += (size_t)n;
	connection->request[connection->n] = '\0';
	if (strstr(connection->request, "\r\n\r\n"))
		raw_answer(connection);
}

static inline void raw_on_listen(void *arg, uint32_t events)
{
	struct raw_server *server = arg;
	struct raw_connection *connection = ek_xcalloc(1, sizeof(*connection));

	connection->server = server;
	connection->fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	connection->number = server->n_accepted++ % RAW_MAX;
	server->connections[connection->number] = connection;
	connection->watch = ek_loop_watch_fd(server->loop, connection->fd, EK_FD_READABLE, raw_on_readable,
		connection, NULL);
}

static inline void raw_start(struct raw_server *server, struct ek_loop *loop,
	const char *(*answer)(const struct raw_connection *connection))
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);

	memset(server, 0, sizeof(*server));
	server->loop = loop;
	server->answer = answer;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(server->fd, (struct sockaddr *)&address, n) || listen(server->fd, 64) ||
		getsockname(server->fd, (struct sockaddr *)&address, &n))
		EK_BUG("the test cannot listen on loopback");
	server->port = ntohs(address.sin_port);
	server->watch = ek_loop_watch_fd(loop, server->fd, EK_FD_READABLE, raw_on_listen, server, NULL);
}

static inline void raw_stop(struct raw_server *server)
{
	for (unsigned i = 0; i < RAW_MAX; i++)
		if (server->connections[i])
			raw_close(server->connections[i]);
	ek_loop_unwatch_fd(server->watch);
	close(server->fd);
}

#endif
