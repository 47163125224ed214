/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of one instance, read from their files whenever they are needed, so that rotation needs no restart.
 * It keeps no secret: every buffer is wiped before it is given back, and no message holds more than a file's path.
 * Read next: services_http.c for who asks, eurekube/host.h for the slot `secret`.
 */
#include "plugin/services_inside.h"

#include "base/buf.h"
#include "base/text.h"

#include <openssl/evp.h>

#include <string.h>

#define SECRET_MAX      8192
#define SECRET_NAME_MAX 64

/* A secret and its NUL; wiped by whoever read it. */
struct secret {
	char text[SECRET_MAX + 1];
	size_t n;
};

/* One line end at the end is the editor's, not the secret's. */
static void trim_line_end(struct ek_buf *buf)
{
	if (buf->n && buf->at[buf->n - 1] == '\n')
		buf->n--;
	if (buf->n && buf->at[buf->n - 1] == '\r')
		buf->n--;
}

static int take_secret(const char *what, const char *path, const struct ek_buf *buf, struct secret *secret, struct ek_error *err)
{
	if (buf->n > SECRET_MAX)
		return ek_fail(err, EK_AUTH, "the %s file %s is longer than %d bytes", what, path, SECRET_MAX);
	if (buf->n == 0)
		return ek_fail(err, EK_AUTH, "the %s file %s is empty", what, path);
	for (size_t i = 0; i < buf->n; i++)
		if ((unsigned char)buf->at[i] < 0x20 || buf->at[i] == 0x7f)
			return ek_fail(err, EK_AUTH, "the %s file %s holds a line break or another control character", what, path);
	memcpy(secret->text, buf->at, buf->n);
	secret->text[buf->n] = '\0';
	secret->n = buf->n;
	return EK_OK;
}

static int read_secret(const char *what, const char *path, struct secret *secret, struct ek_error *err)
{
	struct ek_buf buf;
	int code;

	if (!path)
		return ek_fail(err, EK_GONE, "no %s is configured", what);
	ek_buf_init(&buf, SECRET_MAX + 2);
	/* Room for all of it at once: a buffer that grows leaves copies behind. */
	ek_buf_add(&buf, secret->text, SECRET_MAX + 2 < sizeof(secret->text) ? SECRET_MAX + 2 : sizeof(secret->text));
	code = ek_file_read(path, &buf, err);
	if (code == EK_OK) {
		trim_line_end(&buf);
		code = take_secret(what, path, &buf, secret, err);
	} else if (code == EK_TOO_BIG) {
		code = ek_fail(err, EK_AUTH, "the %s file %s is longer than %d bytes", what, path, SECRET_MAX);
	} else {
		code = ek_fail(err, EK_AUTH, "the %s file %s cannot be read; is it mounted?", what, path);
	}
	explicit_bzero(buf.at, buf.room);
	ek_buf_clear(&buf);
	return code;
}

/* ---- For plugins ---- */

static const char *path_of(const struct ek_services *services, const char *name)
{
	const struct ek_services_config *config = &services->config;

	if (config->auth == EK_AUTH_BASIC && !strcmp(name, "username"))
		return config->username_file;
	if (config->auth == EK_AUTH_BASIC && !strcmp(name, "password"))
		return config->password_file;
	if (config->auth == EK_AUTH_BEARER && !strcmp(name, "token"))
		return config->token_file;
	return NULL;
}

int ek_services_secret(const struct ek_host *host, const char *name, char *buffer, uint32_t buffer_bytes, struct ek_error *err)
{
	struct ek_services *services = ek_services_of(host);
	struct secret secret = { .n = 0 };
	int code;

	if (!ek_services_is_welcome(services, "secret"))
		return ek_fail(err, EK_INVALID, "this instance may not ask for secrets now");
	if (!ek_text_is_good(name, SECRET_NAME_MAX) || !buffer || !buffer_bytes) {
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "asks for a secret without a name or a buffer");
		return ek_fail(err, EK_INVALID, "a secret needs a name and a buffer");
	}
	code = read_secret(name, path_of(services, name), &secret, err);
	if (code == EK_OK && secret.n >= buffer_bytes)
		code = ek_fail(err, EK_TOO_BIG, "the %s does not fit into the plugin's buffer of %u bytes", name, buffer_bytes);
	else if (code == EK_OK)
		memcpy(buffer, secret.text, secret.n + 1);
	explicit_bzero(&secret, sizeof(secret));
	return code;
}

/* ---- For HTTP ---- */

static int write_value(const char *scheme, const char *text, char *value, size_t size, struct ek_error *err)
{
	int n = snprintf(value, size, "%s %s", scheme, text);

	if (n < 0 || (size_t)n >= size)
		return ek_fail(err, EK_AUTH, "the credentials are too long for a header");
	return EK_OK;
}

static int write_basic(const struct secret *username, const struct secret *password, char *value, size_t size, struct ek_error *err)
{
	unsigned char plain[2 * SECRET_MAX + 2], coded[(2 * SECRET_MAX + 4) / 3 * 4 + 4];
	int code;

	if (memchr(username->text, ':', username->n))
		return ek_fail(err, EK_AUTH, "the username holds a colon, which HTTP's basic authentication cannot carry");
	memcpy(plain, username->text, username->n);
	plain[username->n] = ':';
	memcpy(plain + username->n + 1, password->text, password->n);
	EVP_EncodeBlock(coded, plain, (int)(username->n + 1 + password->n));
	code = write_value("Basic", (const char *)coded, value, size, err);
	explicit_bzero(plain, sizeof(plain));
	explicit_bzero(coded, sizeof(coded));
	return code;
}

static int authorize_basic(const struct ek_services_config *config, char *value, size_t size, struct ek_error *err)
{
	struct secret username = { .n = 0 }, password = { .n = 0 };
	int code = read_secret("username", config->username_file, &username, err);

	if (code == EK_OK)
		code = read_secret("password", config->password_file, &password, err);
	if (code == EK_OK)
		code = write_basic(&username, &password, value, size, err);
	explicit_bzero(&username, sizeof(username));
	explicit_bzero(&password, sizeof(password));
	return code;
}

static int authorize_bearer(const struct ek_services_config *config, char *value, size_t size, struct ek_error *err)
{
	struct secret token = { .n = 0 };
	int code = read_secret("token", config->token_file, &token, err);

	if (code == EK_OK)
		code = write_value("Bearer", token.text, value, size, err);
	explicit_bzero(&token, sizeof(token));
	return code;
}

int ek_services_authorize(void *arg, char *value, size_t size, struct ek_error *err)
{
	const struct ek_services_config *config = &((struct ek_services *)arg)->config;

	if (config->auth == EK_AUTH_BASIC)
		return authorize_basic(config, value, size, err);
	if (config->auth == EK_AUTH_BEARER)
		return authorize_bearer(config, value, size, err);
	return EK_GONE;
}
