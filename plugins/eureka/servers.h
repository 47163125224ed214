/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers of one Eureka: which one is asked next. The first is used until it fails; a server that failed is put aside for a while, and whoever took its
 * place is then kept, so that one instance's writes stay on one server.
 */
#ifndef EK_PLUGINS_EUREKA_SERVERS_H
#define EK_PLUGINS_EUREKA_SERVERS_H

#include <eurekube/error.h>
#include <eurekube/plugin.h>

#include <stdbool.h>

#define EK_EUREKA_SERVERS_MAX 16
#define EK_EUREKA_URL_MAX 400
#define EK_EUREKA_ASIDE_MS 30000

struct ek_eureka_server {
	char *url; /* ends in one '/', has no other double slash behind the host */
	int64_t aside_until_ms;
};

struct ek_eureka_servers {
	struct ek_eureka_server at[EK_EUREKA_SERVERS_MAX];
	uint32_t n, current;
};

/* Takes the option serviceUrls, whose elements may be lists with commas themselves. On failure nothing is left to clear. */
int ek_eureka_servers_init(struct ek_eureka_servers *servers, const struct ek_option_value *urls, struct ek_error *err);
void ek_eureka_servers_clear(struct ek_eureka_servers *servers);

/* The server for the next request. With all of them put aside, the one that comes back first. */
uint32_t ek_eureka_servers_pick(struct ek_eureka_servers *servers, int64_t now_ms);

/* It failed: others are preferred for EK_EUREKA_ASIDE_MS. True if there is another to turn to. */
bool ek_eureka_servers_put_aside(struct ek_eureka_servers *servers, uint32_t server, int64_t now_ms);
/* It answered. */
void ek_eureka_servers_welcome(struct ek_eureka_servers *servers, uint32_t server);

#endif
