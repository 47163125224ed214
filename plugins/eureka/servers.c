/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which Eureka servers are asked, and what their addresses may look like. It sends nothing and does not judge what a failure is. Read calls.c next.
 */
#include "servers.h"

#include <stdlib.h>
#include <strings.h>

/* Behind "http://" or "https://"; NULL for anything else. */
static const char *skip_scheme(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static int check_url(const char *url, struct ek_error *err)
{
	const char *host = skip_scheme(url);

	if (strlen(url) > EK_EUREKA_URL_MAX)
		return ek_fail(err, EK_INVALID, "serviceUrls: an address has more than %d bytes", EK_EUREKA_URL_MAX);
	if (host && host[strcspn(host, "/@")] == '@') /* not shown: a password may be part of it */
		return ek_fail(err, EK_INVALID, "serviceUrls: credentials do not belong in an address; give them as files under `auth`");
	if (!host || !*host || *host == '/' || *host == ':')
		return ek_fail(err, EK_INVALID, "serviceUrls: \"%.100s\" is not an address like http://eureka:8761/eureka/", url);
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("?#\"\\<>", *c))
			return ek_fail(err, EK_INVALID, "serviceUrls: an address holds blanks or characters that have no place there: "
				"http://eureka:8761/eureka/ is one that has none");
	return EK_OK;
}

/* Eureka answers 404 to a path with a double slash, and a base without a slash at its end would lose its last part. */
static void write_base(char *out, const char *url)
{
	const char *path = skip_scheme(url);

	memcpy(out, url, (size_t)(path - url));
	out += path - url;
	for (; *path; path++)
		if (*path != '/' || out[-1] != '/')
			*out++ = *path;
	if (out[-1] != '/')
		*out++ = '/';
	*out = '\0';
}

static int add_url(struct ek_eureka_servers *servers, const char *url, struct ek_error *err)
{
	int code = check_url(url, err);
	char *base;

	if (code != EK_OK)
		return code;
	if (servers->n == EK_EUREKA_SERVERS_MAX)
		return ek_fail(err, EK_INVALID, "serviceUrls: more than %d addresses", EK_EUREKA_SERVERS_MAX);
	base = malloc(strlen(url) + 2);
	if (!base)
		return ek_fail(err, EK_RETRY, "out of memory");
	write_base(base, url);
	for (uint32_t i = 0; i < servers->n; i++) {
		if (strcmp(servers->at[i].url, base) == 0) {
			free(base);
			return EK_OK;
		}
	}
	servers->at[servers->n++].url = base;
	return EK_OK;
}

static int add_urls(struct ek_eureka_servers *servers, const char *text, struct ek_error *err)
{
	char *copy = strdup(text), *rest = NULL;
	int code = EK_OK;

	if (!copy)
		return ek_fail(err, EK_RETRY, "out of memory");
	for (char *url = strtok_r(copy, ", \t\n", &rest); url && code == EK_OK; url = strtok_r(NULL, ", \t\n", &rest))
		code = add_url(servers, url, err);
	free(copy);
	return code;
}

int ek_eureka_servers_init(struct ek_eureka_servers *servers, const struct ek_option_value *urls, struct ek_error *err)
{
	int code = EK_OK;

	*servers = (struct ek_eureka_servers){ 0 };
	for (uint32_t i = 0; i < urls->n_list && code == EK_OK; i++)
		code = add_urls(servers, urls->list[i], err);
	if (code == EK_OK && servers->n == 0)
		code = ek_fail(err, EK_INVALID, "serviceUrls: no address given");
	if (code != EK_OK)
		ek_eureka_servers_clear(servers);
	return code;
}

void ek_eureka_servers_clear(struct ek_eureka_servers *servers)
{
	for (uint32_t i = 0; i < servers->n; i++)
		free(servers->at[i].url);
	*servers = (struct ek_eureka_servers){ 0 };
}

uint32_t ek_eureka_servers_pick(struct ek_eureka_servers *servers, int64_t now_ms)
{
	uint32_t best = servers->current;

	for (uint32_t i = 0; i < servers->n && servers->at[best].aside_until_ms > now_ms; i++) {
		uint32_t next = (servers->current + i) % servers->n;

		if (servers->at[next].aside_until_ms < servers->at[best].aside_until_ms)
			best = next;
	}
	servers->current = best;
	return best;
}

bool ek_eureka_servers_put_aside(struct ek_eureka_servers *servers, uint32_t server, int64_t now_ms)
{
	servers->at[server].aside_until_ms = now_ms + EK_EUREKA_ASIDE_MS;
	return servers->n > 1;
}

void ek_eureka_servers_welcome(struct ek_eureka_servers *servers, uint32_t server)
{
	servers->at[server].aside_until_ms = 0;
}
