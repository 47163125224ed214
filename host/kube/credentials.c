/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the bearer token and the PEM texts for the API server and reads their files again when told to.
 * When to look is the client's decision; and it never logs or passes on what it holds, but to the HTTP client.
 * Read next: exec_credential.c, for what a plugin gives, then client.c.
 */
#include "kube/credentials.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "io/file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKEN_BYTES (64u << 10)
#define MAX_PEM_BYTES   (4u << 20)

/* Something given inline, or by a file that may change. */
struct material {
	char *file; /* NULL: inline or absent */
	char *text; /* NULL: absent */
	size_t n;
};

struct ek_credentials {
	struct material token, ca, cert, key;
	char *server_name;
	bool insecure_skip_verify;
	struct ek_exec *exec; /* NULL none */
	void (*on_run_end)(void *arg, unsigned changed);
	void *arg;
};

static void replace(struct material *material, const char *bytes, size_t n)
{
	if (material->text)
		explicit_bzero(material->text, material->n);
	free(material->text);
	material->text = ek_xstrndup(bytes, n);
	material->n = n;
}

static void clear_material(struct material *material)
{
	if (material->text)
		explicit_bzero(material->text, material->n);
	free(material->text);
	free(material->file);
	memset(material, 0, sizeof(*material));
}

static void set_material(struct material *material, const char *file, const char *text)
{
	material->file = ek_xstrdup(file);
	if (text)
		replace(material, text, strlen(text));
}

static void trim(struct ek_buf *buf)
{
	size_t front = 0;

	while (buf->n > 0 && isspace((unsigned char)buf->at[buf->n - 1]))
		buf->at[--buf->n] = '\0';
	while (front < buf->n && isspace((unsigned char)buf->at[front]))
		front++;
	ek_buf_drop_front(buf, front);
}

/* A file caught empty, in the middle of being written, is no news. */
static int read_material(struct material *material, size_t limit, bool *is_changed, struct ek_error *err)
{
	struct ek_buf buf;
	int code;

	if (!material->file)
		return EK_OK;
	ek_buf_init(&buf, limit);
	code = ek_file_read(material->file, &buf, err);
	if (code == EK_OK) {
		trim(&buf);
		if (buf.n == 0)
			code = ek_fail(err, EK_INVALID, "%s is empty", material->file);
		else if (!material->text || material->n != buf.n || memcmp(material->text, buf.at, buf.n) != 0) {
			replace(material, buf.at, buf.n);
			*is_changed = true;
		}
	}
	explicit_bzero(buf.at, buf.n);
	ek_buf_clear(&buf);
	return code;
}

/* The last good content stays in force. */
static void refresh_material(struct material *material, size_t limit, bool *is_changed)
{
	struct ek_error err = EK_ERROR_INIT;

	if (read_material(material, limit, is_changed, &err) != EK_OK)
		EK_WARN(NULL, "credential file cannot be read, keeping what it held", EK_S("file", material->file), EK_E(&err));
}

static int read_first(struct material *material, size_t limit, struct ek_error *err)
{
	bool is_changed = false;
	int code = read_material(material, limit, &is_changed, err);

	/* A token beside a token file serves until the file can be read. */
	return code != EK_OK && material->text ? EK_OK : code;
}

/* Takes over what a plugin gave; NULL: nothing of this kind. */
static bool take_text(struct material *material, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	bool is_changed = n != material->n || (text && material->text && memcmp(text, material->text, n) != 0);

	if (is_changed && text)
		replace(material, text, n);
	else if (is_changed)
		clear_material(material);
	return is_changed;
}

static void on_exec_end(void *arg)
{
	struct ek_credentials *credentials = arg;
	const struct ek_exec_credential *current = ek_exec_current(credentials->exec);
	bool is_cert_new = false;

	if (current) {
		take_text(&credentials->token, current->token);
		is_cert_new = take_text(&credentials->cert, current->cert_pem);
		is_cert_new = take_text(&credentials->key, current->key_pem) || is_cert_new;
	}
	credentials->on_run_end(credentials->arg, is_cert_new ? EK_CREDENTIALS_CERTIFICATE : 0);
}

struct ek_credentials *ek_credentials_new(struct ek_loop *loop, const struct ek_kube_config *config,
	void (*on_run_end)(void *arg, unsigned changed), void *arg, struct ek_error *err)
{
	struct ek_credentials *credentials = ek_xcalloc(1, sizeof(*credentials));

	credentials->on_run_end = on_run_end;
	credentials->arg = arg;
	if (config->exec)
		credentials->exec = ek_exec_new(loop, config, on_exec_end, credentials);
	set_material(&credentials->token, config->token_file, config->token);
	set_material(&credentials->ca, config->ca_file, config->ca_pem);
	set_material(&credentials->cert, config->cert_file, config->cert_pem);
	set_material(&credentials->key, config->key_file, config->key_pem);
	credentials->server_name = ek_xstrdup(config->tls_server_name);
	credentials->insecure_skip_verify = config->insecure_skip_tls_verify;
	if (read_first(&credentials->token, MAX_TOKEN_BYTES, err) == EK_OK &&
		read_first(&credentials->ca, MAX_PEM_BYTES, err) == EK_OK &&
		read_first(&credentials->cert, MAX_PEM_BYTES, err) == EK_OK &&
		read_first(&credentials->key, MAX_PEM_BYTES, err) == EK_OK)
		return credentials;
	ek_credentials_free(credentials);
	return NULL;
}

void ek_credentials_free(struct ek_credentials *credentials)
{
	if (!credentials)
		return;
	ek_exec_free(credentials->exec);
	clear_material(&credentials->token);
	clear_material(&credentials->ca);
	clear_material(&credentials->cert);
	clear_material(&credentials->key);
	free(credentials->server_name);
	free(credentials);
}

unsigned ek_credentials_refresh(struct ek_credentials *credentials)
{
	bool is_token_new = false, is_ca_new = false, is_cert_new = false;

	refresh_material(&credentials->token, MAX_TOKEN_BYTES, &is_token_new);
	refresh_material(&credentials->ca, MAX_PEM_BYTES, &is_ca_new);
	refresh_material(&credentials->cert, MAX_PEM_BYTES, &is_cert_new);
	refresh_material(&credentials->key, MAX_PEM_BYTES, &is_cert_new);
	return (is_ca_new ? EK_CREDENTIALS_CA : 0) | (is_cert_new ? EK_CREDENTIALS_CERTIFICATE : 0);
}

enum ek_exec_state ek_credentials_prepare(struct ek_credentials *credentials)
{
	if (!credentials->exec)
		return EK_EXEC_READY;
	return ek_exec_prepare(credentials->exec, credentials->ca.text, credentials->ca.n);
}

const char *ek_credentials_failure(const struct ek_credentials *credentials)
{
	return credentials->exec ? ek_exec_failure(credentials->exec) : "";
}

bool ek_credentials_can_change(const struct ek_credentials *credentials)
{
	return credentials->exec || credentials->token.file || credentials->cert.file || credentials->key.file;
}

uint64_t ek_credentials_generation(const struct ek_credentials *credentials)
{
	return credentials->exec ? ek_exec_generation(credentials->exec) : 0;
}

void ek_credentials_answered(struct ek_credentials *credentials, uint64_t generation, bool is_refused)
{
	if (credentials->exec && is_refused)
		ek_exec_refused(credentials->exec, generation);
	else if (credentials->exec)
		ek_exec_accepted(credentials->exec, generation);
}

void ek_credentials_tls(const struct ek_credentials *credentials, struct ek_http_tls *out)
{
	*out = (struct ek_http_tls){
		.ca_pem = credentials->ca.text,
		.ca_pem_bytes = credentials->ca.n,
		.cert_pem = credentials->cert.text,
		.cert_pem_bytes = credentials->cert.n,
		.key_pem = credentials->key.text,
		.key_pem_bytes = credentials->key.n,
		.server_name = credentials->server_name,
		.insecure_skip_verify = credentials->insecure_skip_verify,
	};
}

int ek_credentials_authorize(void *arg, char *value, size_t size, struct ek_error *err)
{
	const struct material *token = &((const struct ek_credentials *)arg)->token;
	int n;

	if (!token->text)
		return EK_GONE;
	n = snprintf(value, size, "Bearer %s", token->text);
	return n > 0 && (size_t)n < size ? EK_OK : ek_fail(err, EK_TOO_BIG, "the token for the API server is too long");
}
