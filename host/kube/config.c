/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the way to the API server: the kubeconfig that was named, KUBECONFIG, the pod's service account, or ~/.kube/config.
 * It does not connect, and does not read token or certificate files; what rotates is read by who sends it.
 * Read next: kubeconfig.c, which reads what was found, then client.c, which uses it.
 */
#include "kube/config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "io/file.h"
#include "kube/kubeconfig.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define MAX_FILES       32

/* The files of one KUBECONFIG list, read; strings and trees live in the arena. */
struct loaded {
	struct ek_arena arena;
	struct ek_kubeconfig_file files[MAX_FILES];
	unsigned n;
};

static char *directory_of(struct ek_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ek_arena_strdup(arena, ".");
	return slash == path ? ek_arena_strdup(arena, "/") : ek_arena_strndup(arena, path, (size_t)(slash - path));
}

static int load_file(struct loaded *loaded, const char *path, struct ek_error *err)
{
	struct ek_kubeconfig_file *file = &loaded->files[loaded->n];
	struct ek_buf buf;
	int code;

	if (loaded->n == MAX_FILES)
		return ek_fail(err, EK_TOO_BIG, "KUBECONFIG lists more than %d files", MAX_FILES);
	ek_buf_init(&buf, EK_KUBECONFIG_MAX_BYTES);
	code = ek_file_read(path, &buf, err);
	if (code == EK_OK) {
		file->path = ek_arena_strdup(&loaded->arena, path);
		file->directory = directory_of(&loaded->arena, path);
		code = ek_yaml_read(buf.at, buf.n, EK_KUBECONFIG_MAX_NODES, &loaded->arena, &file->root, err);
		if (code != EK_OK)
			ek_error_wrap(err, "%s", path);
		else
			loaded->n++;
	}
	explicit_bzero(buf.at, buf.n);
	ek_buf_clear(&buf);
	return code;
}

static bool is_loaded(const struct loaded *loaded, const char *path)
{
	for (unsigned i = 0; i < loaded->n; i++)
		if (strcmp(loaded->files[i].path, path) == 0)
			return true;
	return false;
}

/* Missing files of a list are skipped, as kubectl does; EK_GONE when none is there. */
static int load_list(struct loaded *loaded, const char *list, struct ek_error *err)
{
	char *copy = ek_xstrdup(list), *rest = copy, *path;
	int code = EK_OK;

	while (code == EK_OK && (path = strsep(&rest, ":"))) {
		if (!path[0] || is_loaded(loaded, path))
			continue;
		code = load_file(loaded, path, err);
		if (code == EK_GONE)
			code = EK_OK;
	}
	free(copy);
	if (code == EK_OK && loaded->n == 0)
		return ek_fail(err, EK_GONE, "no file of KUBECONFIG=%s exists", list);
	return code;
}

static int resolve(struct loaded *loaded, int code, const char *context, struct ek_kube_config *out,
	struct ek_error *err)
{
	if (code == EK_OK)
		code = ek_kubeconfig_resolve(loaded->files, loaded->n, context, out, err);
	ek_arena_clear(&loaded->arena);
	return code;
}

static int from_file(const char *path, const char *context, struct ek_kube_config *out, struct ek_error *err)
{
	struct loaded loaded = { .n = 0 };

	ek_arena_init(&loaded.arena);
	return resolve(&loaded, load_file(&loaded, path, err), context, out, err);
}

static int from_list(const char *list, const char *context, struct ek_kube_config *out, struct ek_error *err)
{
	struct loaded loaded = { .n = 0 };

	ek_arena_init(&loaded.arena);
	return resolve(&loaded, load_list(&loaded, list, err), context, out, err);
}

static int from_home(const char *context, struct ek_kube_config *out, struct ek_error *err)
{
	const char *home = getenv("HOME");
	char path[4096];

	snprintf(path, sizeof(path), "%s/.kube/config", home ? home : "");
	return from_file(path, context, out, err);
}

static void trim(struct ek_buf *buf)
{
	while (buf->n > 0 && isspace((unsigned char)buf->at[buf->n - 1]))
		buf->at[--buf->n] = '\0';
}

/* POD_NAMESPACE, else the file that the kubelet mounts, else "default". */
static char *pod_namespace(const char *directory)
{
	const char *named = getenv("POD_NAMESPACE");
	char path[4096], *space;
	struct ek_buf buf;

	if (named && named[0])
		return ek_xstrdup(named);
	snprintf(path, sizeof(path), "%s/namespace", directory);
	ek_buf_init(&buf, 4096);
	if (ek_file_read(path, &buf, NULL) == EK_OK)
		trim(&buf);
	space = ek_xstrdup(buf.n ? buf.at : "default");
	ek_buf_clear(&buf);
	return space;
}

static char *join(const char *directory, const char *name)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 1 << 16);
	ek_buf_addf(&buf, "%s/%s", directory, name);
	return ek_buf_take(&buf);
}

static int check_readable(const char *path, struct ek_error *err)
{
	struct ek_buf buf;
	int code;

	ek_buf_init(&buf, 1 << 20);
	code = ek_file_read(path, &buf, err);
	explicit_bzero(buf.at, buf.n);
	ek_buf_clear(&buf);
	return code == EK_GONE ? ek_fail(err, EK_INVALID,
					 "in a pod, but %s is missing; set automountServiceAccountToken: true", path)
			       : code;
}

int ek_kube_config_from_pod(const char *host, const char *port, const char *directory, struct ek_kube_config *out,
	struct ek_error *err)
{
	struct ek_buf server;
	int code;

	memset(out, 0, sizeof(*out));
	if (!host || !host[0] || !port || !port[0])
		return ek_fail(err, EK_GONE,
			"not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set");
	ek_buf_init(&server, 4096);
	ek_buf_addf(&server, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	out->server = ek_buf_take(&server);
	out->source = ek_xstrdup("in-cluster");
	out->namespace_ = pod_namespace(directory);
	out->token_file = join(directory, "token");
	out->ca_file = join(directory, "ca.crt");
	code = check_readable(out->token_file, err);
	if (code == EK_OK)
		code = check_readable(out->ca_file, err);
	if (code != EK_OK)
		ek_kube_config_clear(out);
	return code;
}

int ek_kube_config_in_cluster(struct ek_kube_config *out, struct ek_error *err)
{
	return ek_kube_config_from_pod(getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT"),
		SERVICE_ACCOUNT, out, err);
}

int ek_kube_config_parse(const char *bytes, size_t n, const char *directory, const char *context,
	struct ek_kube_config *out, struct ek_error *err)
{
	struct loaded loaded = { .n = 1, .files = { { .path = "kubeconfig", .directory = directory } } };
	int code;

	memset(out, 0, sizeof(*out));
	ek_arena_init(&loaded.arena);
	code = ek_yaml_read(bytes, n, EK_KUBECONFIG_MAX_NODES, &loaded.arena, &loaded.files[0].root, err);
	if (code != EK_OK)
		ek_error_wrap(err, "kubeconfig");
	return resolve(&loaded, code, context, out, err);
}

int ek_kube_config_load(const char *path, const char *context, struct ek_kube_config *out, struct ek_error *err)
{
	const char *list = getenv("KUBECONFIG");
	int code = EK_GONE;

	memset(out, 0, sizeof(*out));
	if (path && path[0]) {
		code = from_file(path, context, out, err);
		return code == EK_GONE ? ek_fail(err, EK_INVALID, "the kubeconfig %s does not exist", path) : code;
	}
	if (list && list[0])
		code = from_list(list, context, out, err);
	if (code == EK_GONE)
		code = ek_kube_config_in_cluster(out, err);
	if (code == EK_GONE && !(list && list[0]))
		code = from_home(context, out, err);
	if (code == EK_GONE)
		return ek_fail(err, EK_INVALID, "no way to a cluster: not in a pod, and %s%s; name a file with --kubeconfig",
			list && list[0] ? "no file exists of KUBECONFIG=" : "there is no ~/.kube/config",
			list && list[0] ? list : "");
	return code;
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void wipe_list(char **list)
{
	for (char **at = list; at && *at; at++)
		wipe(at);
	free(list);
}

static void free_exec(struct ek_kube_exec *exec)
{
	if (!exec)
		return;
	wipe_list(exec->argv);
	wipe_list(exec->environment);
	free(exec->api_version);
	free(exec->install_hint);
	wipe(&exec->cluster_config);
	free(exec);
}

static void free_impersonation(struct ek_kube_header *headers)
{
	for (struct ek_kube_header *header = headers; header && header->name; header++) {
		free(header->name);
		free(header->value);
	}
	free(headers);
}

void ek_kube_config_clear(struct ek_kube_config *config)
{
	char **all[] = { &config->source, &config->context, &config->server, &config->namespace_, &config->ca_file,
		&config->ca_pem, &config->cert_file, &config->cert_pem, &config->key_file, &config->key_pem, &config->token,
		&config->token_file, &config->tls_server_name, &config->proxy_url };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		wipe(all[i]);
	free_exec(config->exec);
	free_impersonation(config->impersonation);
	memset(config, 0, sizeof(*config));
}
