/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry "zookeeper": keeps instances as ephemeral nodes in the layout that Spring Cloud Zookeeper reads. This file holds what the host calls, and the options; it
 * sends nothing itself, and what is registered and when is the host's to decide. Read zk.h, then session.c.
 */
#include "zk.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BATCH 64
#define DEFAULT_PORT "2181"

/* ---- Options ------------------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 5 && text[n] == '\0' && atoi(text) > 0 && atoi(text) <= 65535;
}

/* "10.0.0.1:2181", "zoo.example:2181", "[2001:db8::1]:2181"; the port may be left out. */
static bool read_server(const char *text, struct zk_server *server)
{
	const char *end, *port = DEFAULT_PORT;
	bool is_bracketed = *text == '[';
	size_t n;

	if (is_bracketed) {
		text++;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		if (end[1])
			port = end + 2;
	} else {
		end = strchr(text, ':');
		if (end)
			port = end + 1;
		else
			end = text + strlen(text);
	}
	n = (size_t)(end - text);
	if (n == 0 || n >= sizeof(server->host) || !is_port(port))
		return false;
	memcpy(server->host, text, n);
	server->host[n] = '\0';
	strcpy(server->port, port);
	return !is_bracketed || zk_is_address(server->host);
}

static int read_servers(struct zk *zk, struct ek_error *err)
{
	const struct ek_option_value *connect = zk->host->option(zk->host, "connect");

	for (uint32_t i = 0; i < connect->n_list; i++) {
		struct zk_server *server = &zk->servers[zk->n_servers++];

		if (!read_server(connect->list[i], server))
			return ek_fail(err, EK_INVALID, "connect: \"%.100s\" is not host:port", connect->list[i]);
		zk->has_names = zk->has_names || !zk_is_address(server->host);
	}
	return EK_OK;
}

static bool is_root(const char *root)
{
	size_t n = strlen(root);

	if (root[0] != '/' || n > ZK_ROOT_MAX)
		return false;
	return n == 1 || (root[n - 1] != '/' && !strstr(root, "//") && !strstr(root, "/./") && !strstr(root, "/../") &&
		strcmp(root + n - 2, "/.") != 0 && (n < 3 || strcmp(root + n - 3, "/..") != 0));
}

static int read_root(struct zk *zk, struct ek_error *err)
{
	const char *root = zk->host->option(zk->host, "root")->text;

	if (!is_root(root))
		return ek_fail(err, EK_INVALID, "root: \"%.100s\" is not an absolute path of at most %d bytes without a slash at its end", root, ZK_ROOT_MAX);
	strcpy(zk->root, root[1] ? root : "");
	return EK_OK;
}

static void read_acl(struct zk *zk)
{
	if (strcmp(zk->host->option(zk->host, "acl")->text, "creator") == 0) {
		zk->acls[0] = (struct ACL){ .perms = ZOO_PERM_ALL, .id = ZOO_AUTH_IDS };
		zk->acls[1] = (struct ACL){ .perms = ZOO_PERM_READ, .id = ZOO_ANYONE_ID_UNSAFE };
		zk->acl.count = 2;
	} else {
		zk->acls[0] = (struct ACL){ .perms = ZOO_PERM_ALL, .id = ZOO_ANYONE_ID_UNSAFE };
		zk->acl.count = 1;
	}
	zk->acl.data = zk->acls;
}

static int read_options(struct zk *zk, struct ek_error *err)
{
	const struct ek_host *host = zk->host;
	int code = read_servers(zk, err);

	if (code == EK_OK)
		code = read_root(zk, err);
	read_acl(zk);
	zk->is_upper = strcmp(host->option(host, "case")->text, "upper") == 0;
	zk->traits = (struct ek_registry_traits){
		.size = sizeof(zk->traits), .lease_kind = EK_LEASE_SESSION, .lease_ms = host->option(host, "sessionTimeout")->integer,
		.max_batch = MAX_BATCH,
	};
	return code;
}

/* ---- What the host calls ------------------------------------------------------------------------------------------------------------------------------------ */

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	struct zk *zk = calloc(1, sizeof(*zk));
	int code;

	if (!zk)
		return ek_fail(err, EK_RETRY, "out of memory");
	zk->host = host;
	zk->fd = -1;
	TAILQ_INIT(&zk->waiting);
	TAILQ_INIT(&zk->flying);
	code = read_options(zk, err);
	if (code != EK_OK)
		free(zk);
	else
		*self = zk;
	return code;
}

void zk_free(struct zk *zk)
{
	const struct ek_host *host = zk->host;

	free(zk);
	host->closed(host);
}

static void close_registry(void *self)
{
	struct zk *zk = self;

	zk->is_closing = true;
	zk->host->timer_stop(zk->host, zk->timer);
	zk_session_drop(zk);
	zk_calls_drop(zk);
	if (!zk->resolver) /* else it frees when its thread is back */
		zk_free(zk);
}

static const struct ek_registry_traits *traits(void *self)
{
	return &((struct zk *)self)->traits;
}

/* Without memory the host hears nothing, and its deadline does the rest. */
static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	for (uint32_t i = 0; i < n_ops; i++) {
		struct zk_call *call = zk_call_new(self, ops[i]->kind, ops[i]->token, ops[i]->timeout_ms);

		if (call)
			zk_operation_init(call, ops[i]);
	}
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	zk_call_new(self, ZK_LIST, token, ZK_PATIENCE_MS);
}

static void probe(void *self, uint64_t token)
{
	zk_call_new(self, ZK_PROBE, token, ZK_PATIENCE_MS);
}

static void cancel(void *self, uint64_t token)
{
	zk_calls_cancel(self, token);
}

static const struct ek_option connect_to = {
	.size = sizeof(connect_to), .type = EK_OPTION_LIST, .flags = EK_OPTION_REQUIRED, .name = "connect", .minimum = 1, .maximum = ZK_SERVERS_MAX,
	.help = "The ZooKeeper servers, each host:port; the port is 2181 where it is left out.",
};
static const struct ek_option session_timeout = {
	.size = sizeof(session_timeout), .type = EK_OPTION_DURATION, .name = "sessionTimeout", .default_value = "30s", .minimum = 1000, .maximum = 600000,
	.help = "How long instances stay after the operator has gone; the server bounds it (2 to 20 of its ticks).",
};
static const struct ek_option root = {
	.size = sizeof(root), .type = EK_OPTION_STRING, .name = "root", .default_value = "/services",
	.help = "The node below which applications are, as spring.cloud.zookeeper.discovery.root of the callers.",
};
static const struct ek_option letter_case = {
	.size = sizeof(letter_case), .type = EK_OPTION_ENUM, .name = "case", .default_value = "lower", .choices = "lower|upper",
	.help = "How the name of an application is written; callers look it up letter by letter.",
};
static const struct ek_option acl = {
	.size = sizeof(acl), .type = EK_OPTION_ENUM, .name = "acl", .default_value = "open", .choices = "open|creator",
	.help = "Who may change the nodes: anybody, or only whoever has the credentials of `auth`; everybody may read them.",
};
static const struct ek_option *const options[] = { &connect_to, &session_timeout, &root, &letter_case, &acl, NULL };

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list, .probe = probe, .cancel = cancel,
};

EK_PLUGIN_DEFINE(zookeeper, REGISTRY, .version = "0.1.0", .options = options, .ops = &ops);
