/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptors of an HTTP engine on the loop. Connections keep their registration while they are idle, until something happens
 * on them: registering with epoll at every request costs more than the request. Part of io/http.
 */
#ifndef EK_IO_HTTP_SOCKETS_H
#define EK_IO_HTTP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"

struct ek_http_socket;
struct ek_http_sockets {
	struct ek_loop *loop;
	void (*on_ready)(void *arg, int fd, uint32_t events);
	void *arg;
	struct ek_http_socket **by_fd;
	size_t n;
};

void ek_http_sockets_init(struct ek_http_sockets *sockets, struct ek_loop *loop,
	void (*on_ready)(void *arg, int fd, uint32_t events), void *arg);
void ek_http_sockets_clear(struct ek_http_sockets *sockets);

/* events: EK_FD_READABLE and EK_FD_WRITABLE, 0 none for now. false: the descriptor cannot be watched. */
bool ek_http_sockets_want(struct ek_http_sockets *sockets, int fd, uint32_t events);
/* A connection, whose end is sure to be told; other descriptors lose their registration whenever nothing is wanted. */
void ek_http_sockets_opened(struct ek_http_sockets *sockets, int fd);
void ek_http_sockets_closing(struct ek_http_sockets *sockets, int fd);

#endif
