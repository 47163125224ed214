/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of descriptors and what is wanted of them, next to what the loop is told.
 * It opens and closes nothing and reads no bytes.
 * Next: http.c, for which libcurl decides what is wanted.
 */
#include "io/http_sockets.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct ek_http_socket {
	struct ek_http_sockets *sockets;
	struct ek_fd *watch;
	int fd;
	uint32_t wanted, armed;
	bool is_connection;
};

void ek_http_sockets_init(struct ek_http_sockets *sockets, struct ek_loop *loop,
	void (*on_ready)(void *arg, int fd, uint32_t events), void *arg)
{
	*sockets = (struct ek_http_sockets){ .loop = loop, .on_ready = on_ready, .arg = arg };
}

static void unwatch(struct ek_http_socket *socket)
{
	ek_loop_unwatch_fd(socket->watch);
	socket->watch = NULL;
	socket->wanted = socket->armed = 0;
}

void ek_http_sockets_clear(struct ek_http_sockets *sockets)
{
	for (size_t fd = 0; fd < sockets->n; fd++) {
		if (sockets->by_fd[fd])
			unwatch(sockets->by_fd[fd]);
		free(sockets->by_fd[fd]);
	}
	free(sockets->by_fd);
	sockets->by_fd = NULL;
	sockets->n = 0;
}

static struct ek_http_socket *socket_of(struct ek_http_sockets *sockets, int fd)
{
	size_t n = sockets->n;

	if ((size_t)fd >= n) {
		sockets->n = (size_t)fd + 32;
		sockets->by_fd = ek_xrealloc(sockets->by_fd, sockets->n, sizeof(struct ek_http_socket *));
		memset(sockets->by_fd + n, 0, (sockets->n - n) * sizeof(struct ek_http_socket *));
	}
	if (!sockets->by_fd[fd]) {
		sockets->by_fd[fd] = ek_xcalloc(1, sizeof(struct ek_http_socket));
		sockets->by_fd[fd]->sockets = sockets;
		sockets->by_fd[fd]->fd = fd;
	}
	return sockets->by_fd[fd];
}

static void on_ready(void *arg, uint32_t events)
{
	struct ek_http_socket *socket = arg;

	if (socket->wanted) {
		socket->sockets->on_ready(socket->sockets->arg, socket->fd, events);
		return;
	}
	socket->armed = 0;
	ek_loop_update_fd(socket->watch, 0);
}

bool ek_http_sockets_want(struct ek_http_sockets *sockets, int fd, uint32_t events)
{
	struct ek_http_socket *socket = socket_of(sockets, fd);

	socket->wanted = events;
	if (!events && !socket->is_connection)
		unwatch(socket);
	if (!events || events == socket->armed)
		return true;
	socket->armed = events;
	if (socket->watch)
		ek_loop_update_fd(socket->watch, events);
	else
		socket->watch = ek_loop_watch_fd(sockets->loop, fd, events, on_ready, socket, NULL);
	return socket->watch;
}

void ek_http_sockets_opened(struct ek_http_sockets *sockets, int fd)
{
	socket_of(sockets, fd)->is_connection = true;
}

void ek_http_sockets_closing(struct ek_http_sockets *sockets, int fd)
{
	struct ek_http_socket *socket = socket_of(sockets, fd);

	unwatch(socket);
	socket->is_connection = false;
}
