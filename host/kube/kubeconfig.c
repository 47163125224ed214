/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns kubeconfig documents into one struct ek_kube_config: picks context, cluster and user, merges several files, decodes
 * inline data and refuses by name what is not supported.
 * It opens no file: it works on trees that were already read, and what rotates stays a path.
 * Read next: config.c, which finds the files.
 */
#include "kube/kubeconfig.h"

#include <eurekube/json.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

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

static int read_proxy(const struct found *cluster, struct ek_kube_config *out, struct ek_error *err)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };
	const char *url = text_of(cluster->body, "proxy-url");

	if (!url[0])
		return EK_OK;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) {
			out->proxy_url = ek_xstrdup(url);
			return EK_OK;
		}
	}
	return ek_fail(err, EK_INVALID, "%s: line %u: proxy-url must begin with http://, https:// or socks5://", cluster->file->path,
		ek_value_get(cluster->body, "proxy-url")->line);
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
	return read_proxy(cluster, out, err);
}

/* ---- Impersonation ---- */

/* What stands in the name of a header; anything else is escaped, as client-go does. */
static bool is_header_character(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$&'*+-.^_`|~", c));
}

static char *extra_name(const char *key)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 1 << 16);
	ek_buf_adds(&buf, "Impersonate-Extra-");
	for (; *key; key++) {
		if (is_header_character(*key))
			ek_buf_add(&buf, key, 1);
		else
			ek_buf_addf(&buf, "%%%02X", (unsigned char)*key);
	}
	return ek_buf_take(&buf);
}

/* Takes the name. */
static int add_impersonation(const struct found *user, struct ek_kube_config *out, char *name, const struct ek_value *value,
	struct ek_error *err)
{
	const char *text = ek_value_text(value, "");
	unsigned n = 0;

	while (out->impersonation[n].name)
		n++;
	if (n < EK_KUBE_MAX_IMPERSONATION && text[0] && ek_text_is_good(text, 1024)) {
		out->impersonation[n] = (struct ek_kube_header){ name, ek_xstrdup(text) };
		return EK_OK;
	}
	free(name);
	return ek_fail(err, EK_INVALID, "%s: line %u: what is impersonated must be at most %d texts of 1024 bytes", user->file->path,
		value->line, EK_KUBE_MAX_IMPERSONATION);
}

static int add_impersonations(const struct found *user, struct ek_kube_config *out, const char *name, bool is_extra,
	const struct ek_value *list, struct ek_error *err)
{
	int code = EK_OK;

	if (list && list->kind != EK_VALUE_LIST && list->kind != EK_VALUE_NULL)
		return ek_fail(err, EK_INVALID, "%s: line %u: this must be a list of texts", user->file->path, list->line);
	for (const struct ek_value *item = list ? list->first : NULL; item && code == EK_OK; item = item->next)
		code = add_impersonation(user, out, is_extra ? extra_name(name) : ek_xstrdup(name), item, err);
	return code;
}

static int read_impersonation(const struct found *user, struct ek_kube_config *out, struct ek_error *err)
{
	const struct ek_value *as = ek_value_get(user->body, "as"), *uid = ek_value_get(user->body, "as-uid");
	const struct ek_value *groups = ek_value_get(user->body, "as-groups"), *extra = ek_value_get(user->body, "as-user-extra");
	int code;

	if (!is_set(user->body, "as")) {
		if (is_set(user->body, "as-uid") || is_set(user->body, "as-groups") || is_set(user->body, "as-user-extra"))
			return ek_fail(err, EK_INVALID, "%s: as-uid, as-groups and as-user-extra need a user to impersonate; set \"as\" too",
				user->file->path);
		return EK_OK;
	}
	out->impersonation = ek_xcalloc(EK_KUBE_MAX_IMPERSONATION + 1, sizeof(*out->impersonation));
	code = add_impersonation(user, out, ek_xstrdup("Impersonate-User"), as, err);
	if (code == EK_OK && is_set(user->body, "as-uid"))
		code = add_impersonation(user, out, ek_xstrdup("Impersonate-Uid"), uid, err);
	if (code == EK_OK)
		code = add_impersonations(user, out, "Impersonate-Group", false, groups, err);
	for (const struct ek_value *entry = extra ? extra->first : NULL; entry && entry->key && code == EK_OK; entry = entry->next)
		code = add_impersonations(user, out, entry->key, true, entry, err);
	return code;
}

/* ---- Credential plugins ---- */

#define EXEC_EXTENSION "client.authentication.k8s.io/exec"
#define MAX_WORDS      256

static int check_exec(const struct found *user, const struct ek_value *exec, struct ek_error *err)
{
	const char *version = text_of(exec, "apiVersion"), *mode = text_of(exec, "interactiveMode"), *path = user->file->path;
	bool is_v1 = strcmp(version, "client.authentication.k8s.io/v1") == 0;

	if (!text_of(exec, "command")[0])
		return ek_fail(err, EK_INVALID, "%s: line %u: exec needs a command", path, exec->line);
	if (!is_v1 && strcmp(version, "client.authentication.k8s.io/v1beta1") != 0)
		return ek_fail(err, EK_INVALID,
			"%s: line %u: the apiVersion of exec is \"%s\"; it must be client.authentication.k8s.io/v1 or .../v1beta1",
			path, exec->line, version);
	if (strcmp(mode, "Always") == 0)
		return ek_fail(err, EK_INVALID,
			"%s: line %u: exec has interactiveMode Always, but a daemon has no terminal; use Never or IfAvailable",
			path, exec->line);
	if (strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0 && (mode[0] || is_v1))
		return ek_fail(err, EK_INVALID, "%s: line %u: exec needs interactiveMode Never or IfAvailable, not \"%s\"", path,
			exec->line, mode);
	return EK_OK;
}

static int count_list(const struct found *user, const struct ek_value *exec, const char *key, unsigned *n, struct ek_error *err)
{
	const struct ek_value *list = ek_value_get(exec, key);

	*n = list ? list->n : 0;
	if (!list || list->kind == EK_VALUE_NULL || (list->kind == EK_VALUE_LIST && list->n <= MAX_WORDS))
		return EK_OK;
	return ek_fail(err, EK_INVALID, "%s: line %u: %s of exec must be a list of at most %d entries", user->file->path, list->line, key,
		MAX_WORDS);
}

static int read_words(const struct found *user, const struct ek_value *spec, struct ek_kube_exec *exec, struct ek_error *err)
{
	const struct ek_value *args = ek_value_get(spec, "args"), *env = ek_value_get(spec, "env");
	const char *command = text_of(spec, "command");
	unsigned n_args, n_env, n = 0;
	int code = count_list(user, spec, "args", &n_args, err);

	if (code == EK_OK)
		code = count_list(user, spec, "env", &n_env, err);
	if (code != EK_OK)
		return code;
	exec->argv = ek_xcalloc(n_args + 2, sizeof(*exec->argv));
	exec->argv[n++] = strchr(command, '/') ? resolve_path(user->file, command) : ek_xstrdup(command);
	for (const struct ek_value *item = args ? args->first : NULL; item; item = item->next)
		exec->argv[n++] = ek_xstrdup(ek_value_text(item, ""));
	exec->environment = ek_xcalloc(n_env + 1, sizeof(*exec->environment));
	n = 0;
	for (const struct ek_value *item = env ? env->first : NULL; item; item = item->next) {
		const char *name = text_of(item, "name");

		if (!name[0] || strchr(name, '='))
			return ek_fail(err, EK_INVALID, "%s: line %u: an entry in env of exec needs a name without =", user->file->path,
				item->line);
		if (asprintf(&exec->environment[n++], "%s=%s", name, text_of(item, "value")) < 0)
			EK_BUG("out of memory");
	}
	return EK_OK;
}

static bool is_json_literal(const struct ek_value *value)
{
	struct ek_json json;

	if (value->is_quoted || !value->text[0])
		return false;
	ek_json_init(&json, value->text, strlen(value->text));
	ek_json_skip(&json);
	return ek_json_finish(&json, NULL) == EK_OK;
}

static void write_value(struct ek_json_writer *writer, const struct ek_value *value)
{
	switch (value->kind) {
	case EK_VALUE_NULL:
		ek_json_write_null(writer);
		break;
	case EK_VALUE_SCALAR:
		if (is_json_literal(value))
			ek_json_write_raw(writer, (struct ek_slice){ value->text, strlen(value->text) });
		else
			ek_json_write_string(writer, value->text);
		break;
	case EK_VALUE_LIST:
		ek_json_write_array(writer);
		for (const struct ek_value *item = value->first; item; item = item->next)
			write_value(writer, item);
		ek_json_write_array_end(writer);
		break;
	case EK_VALUE_MAP:
		ek_json_write_object(writer);
		for (const struct ek_value *item = value->first; item; item = item->next) {
			ek_json_write_key(writer, item->key);
			write_value(writer, item);
		}
		ek_json_write_object_end(writer);
		break;
	}
}

/* What the cluster's author has to tell the plugin. */
static int read_cluster_config(const struct found *cluster, struct ek_kube_exec *exec, struct ek_error *err)
{
	const struct ek_value *extensions = ek_value_get(cluster->body, "extensions");
	char buffer[16384];
	struct ek_json_writer writer;

	for (const struct ek_value *item = extensions ? extensions->first : NULL; item; item = item->next) {
		const struct ek_value *extension = ek_value_get(item, "extension");

		if (!extension || strcmp(text_of(item, "name"), EXEC_EXTENSION) != 0)
			continue;
		ek_json_writer_init(&writer, buffer, sizeof(buffer));
		write_value(&writer, extension);
		if (ek_json_writer_finish(&writer) == 0)
			return ek_fail(err, EK_TOO_BIG, "%s: line %u: the extension " EXEC_EXTENSION " is larger than %zu bytes",
				cluster->file->path, item->line, sizeof(buffer));
		exec->cluster_config = ek_xstrdup(buffer);
		explicit_bzero(buffer, sizeof(buffer));
		return EK_OK;
	}
	return EK_OK;
}

static int read_exec(const struct found *user, const struct found *cluster, struct ek_kube_config *out, struct ek_error *err)
{
	const struct ek_value *spec = ek_value_get(user->body, "exec");
	int code = check_exec(user, spec, err);

	if (code != EK_OK)
		return code;
	out->exec = ek_xcalloc(1, sizeof(*out->exec));
	out->exec->api_version = ek_xstrdup(text_of(spec, "apiVersion"));
	if (is_set(spec, "installHint"))
		out->exec->install_hint = ek_xstrdup(text_of(spec, "installHint"));
	code = read_words(user, spec, out->exec, err);
	if (code == EK_OK)
		code = ek_value_boolean(ek_value_get(spec, "provideClusterInfo"), false, &out->exec->provide_cluster_info, err);
	if (code == EK_OK && out->exec->provide_cluster_info)
		code = read_cluster_config(cluster, out->exec, err);
	return code;
}

/* ---- Users ---- */

static bool has_static_credential(const struct found *user)
{
	return is_set(user->body, "token") || is_set(user->body, "tokenFile") || is_set(user->body, "client-certificate") ||
	       is_set(user->body, "client-certificate-data");
}

/* What would silently mean another identity, or none, is refused. */
static int refuse_unsupported(const struct found *user, struct ek_error *err)
{
	static const struct {
		const char *key, *what;
		bool only_alone; /* a token or a certificate beside it is used instead, as in client-go */
	} refused[] = {
		{ "auth-provider", "an auth-provider", true },
		{ "username", "username and password", false },
		{ "password", "username and password", false },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!is_set(user->body, refused[i].key) || (refused[i].only_alone && has_static_credential(user)))
			continue;
		return ek_fail(err, EK_INVALID,
			"%s: line %u: the user relies on %s, which is not supported; use a token, tokenFile, client certificate or exec "
			"(kubectl create token SERVICEACCOUNT makes a token)",
			user->file->path, ek_value_get(user->body, refused[i].key)->line, refused[i].what);
	}
	return EK_OK;
}

static int read_user(const struct found *user, const struct found *cluster, struct ek_kube_config *out, struct ek_error *err)
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
	code = read_impersonation(user, out, err);
	if (code == EK_OK && is_set(user->body, "exec") && !has_static_credential(user))
		code = read_exec(user, cluster, out, err);
	return code;
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
	return read_user(&user, &cluster, out, err);
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
