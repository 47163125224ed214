/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes URLs and content types apart.
 * It neither decodes percent signs nor resolves relative references: nobody here needs either.
 * Next: io/http.h, whose requests carry the URLs.
 */
#include "base/http_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int split_port(const char *at, const char *end, struct ek_url *split, struct ek_error *err)
{
	unsigned port = 0;

	split->port = split->is_https ? 443 : 80;
	if (at == end)
		return EK_OK;
	if (*at++ != ':' || at == end || end - at > 5)
		return ek_fail(err, EK_INVALID, "the URL has no valid port");
	for (; at < end; at++) {
		if (!isdigit((unsigned char)*at))
			return ek_fail(err, EK_INVALID, "the URL has no valid port");
		port = port * 10 + (unsigned)(*at - '0');
	}
	if (!port || port > 65535)
		return ek_fail(err, EK_INVALID, "the URL has no valid port");
	split->port = (uint16_t)port;
	return EK_OK;
}

static int split_host(const char *at, const char *end, struct ek_url *split, struct ek_error *err)
{
	const char *host_end;

	split->is_ipv6 = *at == '[';
	if (split->is_ipv6) {
		host_end = memchr(at, ']', (size_t)(end - at));
		split->host = at + 1;
	} else {
		host_end = memchr(at, ':', (size_t)(end - at));
		host_end = host_end ? host_end : end;
		split->host = at;
	}
	if (!host_end || host_end == split->host)
		return ek_fail(err, EK_INVALID, "the URL has no valid host");
	split->host_bytes = (size_t)(host_end - split->host);
	return split_port(host_end + split->is_ipv6, end, split, err);
}

int ek_url_split(const char *url, struct ek_url *split, struct ek_error *err)
{
	const char *at, *end;

	*split = (struct ek_url){ 0 };
	if (!strncasecmp(url, "https://", 8))
		split->is_https = true;
	else if (strncasecmp(url, "http://", 7))
		return ek_fail(err, EK_INVALID, "the URL is not absolute, or neither http nor https");
	for (at = url; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '#')
			return ek_fail(err, EK_INVALID,
				"the URL contains a space, a control character or a fragment");
	at = url + 7 + split->is_https;
	end = at + strcspn(at, "/?");
	if (memchr(at, '@', (size_t)(end - at)))
		return ek_fail(err, EK_INVALID, "the URL contains credentials");
	split->target = end;
	return split_host(at, end, split, err);
}

void ek_content_type_bare(const char *value, char *bare, size_t size)
{
	size_t n = 0;

	while (value && (*value == ' ' || *value == '\t'))
		value++;
	for (; value && *value && !strchr("; \t", *value) && n + 1 < size; value++)
		bare[n++] = (char)tolower((unsigned char)*value);
	if (size)
		bare[n] = '\0';
}
