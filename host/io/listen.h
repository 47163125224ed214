/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, non-blocking and closed on exec. Part of io/serve. */
#ifndef EK_IO_LISTEN_H
#define EK_IO_LISTEN_H

#include <stdint.h>

#include <eurekube/error.h>

/* host: an IP address, "" for all, IPv4 and IPv6; port 0: any. The descriptor, or -1 with err. */
int ek_listen(const char *host, uint16_t port, struct ek_error *err);
uint16_t ek_listen_port(int fd);

#endif
