/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short list of last good addresses.
 * It resolves nothing and forgets nothing by itself: an old address is tried only when there is no other.
 * Next: http.c, which tries.
 */
#include "io/http_addresses.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ADDRESSES 64

struct ek_http_address {
	struct ek_http_address *next;
	char *origin;
	char ip[64];
};

static struct ek_http_address *find(const struct ek_http_addresses *addresses, const char *origin)
{
	struct ek_http_address *address = addresses->first;

	while (address && strcmp(address->origin, origin))
		address = address->next;
	return address;
}

void ek_http_addresses_keep(struct ek_http_addresses *addresses, const char *origin, const char *ip)
{
	struct ek_http_address *address = find(addresses, origin);

	if (!address) {
		if (addresses->n == MAX_ADDRESSES)
			return;
		address = ek_xcalloc(1, sizeof(*address));
		address->origin = ek_xstrdup(origin);
		address->next = addresses->first;
		addresses->first = address;
		addresses->n++;
	}
	snprintf(address->ip, sizeof(address->ip), strchr(ip, ':') ? "[%s]" : "%s", ip);
}

const char *ek_http_addresses_find(const struct ek_http_addresses *addresses, const char *origin)
{
	const struct ek_http_address *address = find(addresses, origin);

	return address ? address->ip : NULL;
}

void ek_http_addresses_clear(struct ek_http_addresses *addresses)
{
	while (addresses->first) {
		struct ek_http_address *next = addresses->first->next;

		free(addresses->first->origin);
		free(addresses->first);
		addresses->first = next;
	}
	addresses->n = 0;
}
