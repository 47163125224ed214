/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns kubeconfig documents into one struct ek_kube_config: picks context, cluster and user, merges several files, decodes
 * inline data and refuses by name what is not supported.
 * It opens no file: it works on trees that were already read, and what rotates stays a path.
 * Read next: config.c, which finds the files.
 */
#include "kube/kubeconfig.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct merge {
	const struct ek_kubeconfig_file *files;
	unsigned n;
};

/* A named entry and the file that it stands in. */
struct found {
	const struct ek_value *body;
	const struct ek_kubeconfig_file *file;
};

static const char *text_of(const struct ek_value *map, const char *key)
{
	return ek_value_text(ek_value_get(map, key), "");
}

static bool is_set(const struct ek_value *map, const char *key)
{
	const struct ek_value *value = ek_value_get(map, key);

	return value && value->kind != EK_VALUE_NULL && (value->kind != EK_VALUE_SCALAR || value->text[0]);
}

static bool find_named(const struct merge *merge, const char *list, const char *member, const char *name,
	struct found *out)
{
	for (unsigned i = 0; i < merge->n; i++) {
		const struct ek_value *entries = ek_value_get(merge->files[i].root, list);
		const struct ek_value *entry = entries && entries->kind == EK_VALUE_LIST ? entries->first : NULL;

		for (; entry; entry = entry->next) {
			if (strcmp(text_of(entry, "name"), name) != 0)
				continue;
			*out = (struct found){ ek_value_get(entry, member), &merge->files[i] };
			return true;
		}
	}
	return false;
}

static const char *find_current_context(const struct merge *merge)
{
	for (unsigned i = 0; i < merge->n; i++) {
		const char *name = text_of(merge->files[i].root, "current-context");

		if (name[0])
			return name;
	}
	return "";
}

/* "a, b, c" for a message; cut when there are many. */
static void list_names(const struct merge *merge, const char *list, char *buffer, size_t size)
{
	size_t n = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; i < merge->n; i++) {
		const struct ek_value *entries = ek_value_get(merge->files[i].root, list);
		const struct ek_value *entry = entries && entries->kind == EK_VALUE_LIST ? entries->first : NULL;

		for (; entry && n + 1 < size; entry = entry->next) {
			int written = snprintf(buffer + n, size - n, "%s%s", n ? ", " : "", text_of(entry, "name"));

			n += written > 0 ? (size_t)written : 0;
		}
	}
	if (!buffer[0])
		snprintf(buffer, size, "none");
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Standard alphabet with padding; white space is skipped. NULL when it is not base64 or holds a NUL. */
static char *decode_base64(const char *text)
{
	char *bytes = ek_xmalloc(strlen(text) / 4 * 3 + 4), *out = bytes;
	uint32_t bits = 0;
	unsigned n_bits = 0, n_digits = 0, n_padding = 0;
	bool is_good = true;

	for (; *text && is_good; text++) {
		int digit = base64_digit(*text);

		if (isspace((unsigned char)*text))
			continue;
		n_digits++;
		if (*text == '=') {
			n_padding++;
			continue;
		}
		is_good = digit >= 0 && !n_padding;
		bits = bits << 6 | (uint32_t)(digit & 63);
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			*out = (char)(bits >> n_bits & 0xff);
			is_good = is_good && *out++;
		}
	}
	*out = '\0';
	if (is_good && n_digits % 4 == 0 && n_padding <= 2)
		return bytes;
	explicit_bzero(bytes, (size_t)(out - bytes));
	free(bytes);
	return NULL;
}

static char *resolve_path(const struct ek_kubeconfig_file *file, const char *path)
{
	struct ek_buf buf;

	if (path[0] == '/' || !file->directory)
		return ek_xstrdup(path);
	ek_buf_init(&buf, 1 << 16);
	ek_buf_addf(&buf, "%s/%s", file->directory, path);
	return ek_buf_take(&buf);
}

/* PEM inline (`key`-data, base64) beats the file of the same name. */
static int read_material(const struct found *from, const char *key, char **path, char **pem, struct ek_error *err)
{
	char data_key[64];

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	if (is_set(from->body, data_key)) {
		*pem = decode_base64(text_of(from->body, data_key));
		if (*pem && strstr(*pem, "-----BEGIN"))
			return EK_OK;
		return ek_fail(err, EK_INVALID, "%s: line %u: %s is not base64 of a PEM text", from->file->path,
			ek_value_get(from->body, data_key)->line, data_key);
	}
	if (is_set(from->body, key))
		*path = resolve_path(from->file, text_of(from->body, key));
	return EK_OK;
}

static int read_server(const struct found *cluster, struct ek_kube_config *out, struct ek_error *err)
{
	const char *server = text_of(cluster->body, "server");
	size_t n = strlen(server);

	if (!server[0])
		return ek_fail(err, EK_INVALID, "%s: the cluster of context \"%s\" has no server", cluster->file->path,
			out->context);
	if (strncasecmp(server, "https://", 8) != 0 && strncasecmp(server, "http://", 7) != 0)
		return ek_fail(err, EK_INVALID, "%s: server \"%s\" must begin with https:// or http://",
			cluster->file->path, server);
	while (n > 0 && server[n - 1] == '/')
		n--;
	out->server = ek_xstrndup(server, n);
	return EK_OK;
}

static int read_cluster(const struct found *cluster, struct ek_kube_config *out, struct ek_error *err)
{
	int code = read_server(cluster, out, err);

	if (code != EK_OK)
		return code;
	code = ek_value_boolean(ek_value_get(cluster->body, "insecure-skip-tls-verify"), false,
		&out->insecure_skip_tls_verify, err);
	if (code == EK_OK)
		code = read_material(cluster, "certificate-authority", &out->ca_file, &out->ca_pem, err);
	if (code != EK_OK)
		return code;
	if (out->insecure_skip_tls_verify && (out->ca_file || out->ca_pem))
		return ek_fail(err, EK_INVALID,
			"%s: insecure-skip-tls-verify and a certificate-authority exclude each other; remove one",
			cluster->file->path);
	if (is_set(cluster->body, "tls-server-name"))
		out->tls_server_name = ek_xstrdup(text_of(cluster->body, "tls-server-name"));
	if (is_set(cluster->body, "proxy-url"))
		out->proxy_url = ek_xstrdup(text_of(cluster->body, "proxy-url"));
	return EK_OK;
}

/* What would silently mean another identity, or none, is refused. */
static int refuse_unsupported(const struct found *user, struct ek_error *err)
{
	static const struct {
		const char *key, *what;
		bool only_alone; /* a token or a certificate beside it is used instead, as in client-go */
	} refused[] = {
		{ "exec", "a credential plugin (exec)", true },
		{ "auth-provider", "an auth-provider", true },
		{ "username", "username and password", false },
		{ "password", "username and password", false },
		{ "as", "impersonation (as)", false },
		{ "as-uid", "impersonation (as-uid)", false },
		{ "as-groups", "impersonation (as-groups)", false },
		{ "as-user-extra", "impersonation (as-user-extra)", false },
	};
	bool has_other = is_set(user->body, "token") || is_set(user->body, "tokenFile") ||
			 is_set(user->body, "client-certificate") || is_set(user->body, "client-certificate-data");

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!is_set(user->body, refused[i].key) || (refused[i].only_alone && has_other))
			continue;
		return ek_fail(err, EK_INVALID,
			"%s: line %u: the user relies on %s, which is not supported; use a token, tokenFile or client certificate "
			"(kubectl create token SERVICEACCOUNT makes a token)",
			user->file->path, ek_value_get(user->body, refused[i].key)->line, refused[i].what);
	}
	return EK_OK;
}

static int read_user(const struct found *user, struct ek_kube_config *out, struct ek_error *err)
{
	int code = refuse_unsupported(user, err);

	if (code == EK_OK)
		code = read_material(user, "client-certificate", &out->cert_file, &out->cert_pem, err);
	if (code == EK_OK)
		code = read_material(user, "client-key", &out->key_file, &out->key_pem, err);
	if (code != EK_OK)
		return code;
	if (!(out->cert_file || out->cert_pem) != !(out->key_file || out->key_pem))
		return ek_fail(err, EK_INVALID, "%s: client-certificate and client-key go together; one is missing",
			user->file->path);
	if (is_set(user->body, "token"))
		out->token = ek_xstrdup(text_of(user->body, "token"));
	if (is_set(user->body, "tokenFile"))
		out->token_file = resolve_path(user->file, text_of(user->body, "tokenFile"));
	return EK_OK;
}

/* client-go reads credentials for https servers only; sending a token in the clear would give it away. */
static bool is_secure(const struct ek_kube_config *config)
{
	return strncasecmp(config->server, "https://", 8) == 0;
}

static int read_context(const struct merge *merge, const char *name, struct ek_kube_config *out, struct ek_error *err)
{
	struct found context, cluster, user;
	const char *cluster_name, *user_name, *space;
	char names[160];
	int code;

	list_names(merge, "contexts", names, sizeof(names));
	if (!find_named(merge, "contexts", "context", name, &context))
		return ek_fail(err, EK_INVALID, "%s: there is no context \"%s\" (it has: %s)", merge->files[0].path, name, names);
	out->source = ek_xstrdup(context.file->path);
	out->context = ek_xstrdup(name);
	space = text_of(context.body, "namespace");
	out->namespace_ = ek_xstrdup(space[0] ? space : "default");

	cluster_name = text_of(context.body, "cluster");
	if (!find_named(merge, "clusters", "cluster", cluster_name, &cluster))
		return ek_fail(err, EK_INVALID, "%s: context \"%s\" names the cluster \"%s\", which is not defined",
			context.file->path, name, cluster_name);
	code = read_cluster(&cluster, out, err);
	user_name = text_of(context.body, "user");
	if (code != EK_OK || !user_name[0] || !is_secure(out))
		return code;
	if (!find_named(merge, "users", "user", user_name, &user))
		return ek_fail(err, EK_INVALID, "%s: context \"%s\" names the user \"%s\", which is not defined",
			context.file->path, name, user_name);
	return read_user(&user, out, err);
}

int ek_kubeconfig_resolve(const struct ek_kubeconfig_file *files, unsigned n, const char *context,
	struct ek_kube_config *out, struct ek_error *err)
{
	struct merge merge = { files, n };
	const char *name = context && context[0] ? context : find_current_context(&merge);
	char names[160];
	int code;

	memset(out, 0, sizeof(*out));
	if (!name[0]) {
		list_names(&merge, "contexts", names, sizeof(names));
		return ek_fail(err, EK_INVALID, "%s: no current-context is set; name one with --context (it has: %s)",
			n ? files[0].path : "kubeconfig", names);
	}
	code = read_context(&merge, name, out, err);
	if (code != EK_OK)
		ek_kube_config_clear(out);
	return code;
}
