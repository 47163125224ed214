/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens listening sockets and says what is wrong when it cannot.
 * It resolves no names and accepts nothing.
 * Next: serve.c, which accepts.
 */
#include "io/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

static int fail_listen(const char *host, uint16_t port, struct ek_error *err)
{
	int number = errno;

	ek_fail(err, number == EACCES ? EK_AUTH : EK_RETRY, "cannot listen on %s port %u: %s",
		*host ? host : "any address", port, strerror(number));
	if (err)
		err->os_errno = number;
	return -1;
}

static int open_listener(const struct sockaddr *address, socklen_t n)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0, number;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, address, n) && !listen(fd, BACKLOG))
		return fd;
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

int ek_listen(const char *host, uint16_t port, struct ek_error *err)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_any = !*host, is_four = inet_pton(AF_INET, host, &four.sin_addr) == 1;
	int fd = -1;

	if (!is_any && !is_four && inet_pton(AF_INET6, host, &six.sin6_addr) != 1) {
		ek_fail(err, EK_INVALID, "\"%s\" is not an IP address to listen on", host);
		return -1;
	}
	if (!is_four)
		fd = open_listener((struct sockaddr *)&six, sizeof(six));
	if (is_four || (is_any && fd < 0 && errno == EAFNOSUPPORT))
		fd = open_listener((struct sockaddr *)&four, sizeof(four));
	return fd < 0 ? fail_listen(host, port, err) : fd;
}

uint16_t ek_listen_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &n))
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port :
		((struct sockaddr_in *)&address)->sin_port);
}
