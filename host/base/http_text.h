/* SPDX-License-Identifier: Apache-2.0 */
/* The small texts of HTTP that more than one file reads: absolute URLs and content types. Nothing here allocates. */
#ifndef EK_BASE_HTTP_TEXT_H
#define EK_BASE_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

/* Points into the URL. */
struct ek_url {
	bool is_https;
	const char *host;        /* an IPv6 address without its brackets */
	size_t host_bytes;
	bool is_ipv6;
	uint16_t port;           /* the scheme's where the URL has none */
	const char *target;      /* path and query, "" for a bare origin */
};

/* http and https only; refuses credentials, fragments, spaces and control characters. EK_OK or EK_INVALID. */
int ek_url_split(const char *url, struct ek_url *split, struct ek_error *err);

/* "application/JSON; charset=utf-8" -> "application/json"; NULL gives "". Cut to size. */
void ek_content_type_bare(const char *value, char *bare, size_t size);

#endif
