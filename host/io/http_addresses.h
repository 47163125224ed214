/* SPDX-License-Identifier: Apache-2.0 */
/* The address that each origin had when it was last reached, for when its name cannot be resolved. Part of io/http. */
#ifndef EK_IO_HTTP_ADDRESSES_H
#define EK_IO_HTTP_ADDRESSES_H

struct ek_http_address;
struct ek_http_addresses {
	struct ek_http_address *first;
	unsigned n;                      /* at most 64; later origins are not kept */
};

/* origin: "host:port". A kept IPv6 address is in brackets. */
void ek_http_addresses_keep(struct ek_http_addresses *addresses, const char *origin, const char *ip);
const char *ek_http_addresses_find(const struct ek_http_addresses *addresses, const char *origin);   /* NULL unknown */
void ek_http_addresses_clear(struct ek_http_addresses *addresses);

#endif
