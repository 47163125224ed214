/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a credential plugin when its credential is needed, reads what it hands out, and keeps that until it expires or is refused.
 * It sends no request and holds none back: who waits for a credential is the client's business.
 * Read next: credentials.c, which puts it beside tokens and files, and io/process.c, which runs it.
 */
#include "kube/exec_credential.h"

#include <eurekube/json.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "io/process.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS       60000
#define MAX_OUTPUT_BYTES (512u << 10)
#define FIRST_PAUSE_MS   1000
#define LAST_PAUSE_MS    30000
#define MAX_EARLY_MS     60000    /* so long before the end a new credential is asked for, or a fifth of its life */
#define MASKED_LENGTH    20       /* words of this length may be secrets */
#define INFO_NAME        "KUBERNETES_EXEC_INFO="

struct ek_exec {
	struct ek_loop *loop;
	void (*on_end)(void *arg);
	void *arg;
	/* what is run */
	char *api_version, *command, *install_hint;
	char **argv, **environment;
	unsigned n_environment;
	/* what it is told */
	bool provide_cluster_info, insecure_skip_tls_verify;
	char *server, *tls_server_name, *proxy_url, *cluster_config;
	/* what it has given */
	struct ek_exec_credential current;
	bool has_credential, is_refused;
	uint64_t generation;
	int64_t refresh_at_ms;     /* wall clock; 0 never */
	/* runs */
	struct ek_process *process;
	unsigned n_failures;
	int64_t not_before_ms;
	struct ek_error failure;
};

/* ---- Its output ---- */

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void ek_exec_credential_clear(struct ek_exec_credential *credential)
{
	wipe(&credential->token);
	wipe(&credential->cert_pem);
	wipe(&credential->key_pem);
	credential->expires_ms = 0;
}

/* RFC 3339 as milliseconds since 1970; 0 for what is no time. Fractions are ignored. */
static int64_t read_time(const char *text)
{
	struct tm tm = { 0 };
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t seconds = at ? (int64_t)timegm(&tm) : 0;
	int hours, minutes, end = 0;

	if (at && *at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	if (at && strcmp(at, "Z") == 0)
		return seconds * 1000;
	if (!at || sscanf(at + (*at != '\0'), "%2d:%2d%n", &hours, &minutes, &end) != 2 || end != 5 || at[6] || (*at != '+' && *at != '-'))
		return 0;
	return (seconds - (*at == '-' ? -60 : 60) * (hours * 60 + minutes)) * 1000;
}

/* Room for every text of the document, wiped by its owner. */
struct reader {
	struct ek_json json;
	char *scratch;
	size_t room;
};

static void read_text(struct reader *reader, char **out)
{
	struct ek_slice text = ek_json_slice(&reader->json, reader->scratch, reader->room);

	if (ek_json_failed(&reader->json) || text.n == 0)
		return;
	if (memchr(text.at, '\0', text.n)) {
		ek_json_fail(&reader->json, "a text holds U+0000");
		return;
	}
	wipe(out);
	*out = ek_xstrndup(text.at, text.n);
}

static void read_expiry(struct reader *reader, struct ek_exec_credential *out)
{
	char text[64];

	if (ek_json_text(&reader->json, text, sizeof(text)) == 0)
		return;
	out->expires_ms = read_time(text);
	if (!out->expires_ms)
		ek_json_fail(&reader->json, "expirationTimestamp is no RFC 3339 time");
}

static void read_status(struct reader *reader, struct ek_exec_credential *out)
{
	struct ek_slice key;

	if (ek_json_peek(&reader->json) != EK_JSON_OBJECT) {
		ek_json_skip(&reader->json);
		return;
	}
	for (ek_json_enter_object(&reader->json); ek_json_next_key(&reader->json, &key);) {
		if (ek_slice_equals(key, "token"))
			read_text(reader, &out->token);
		else if (ek_slice_equals(key, "clientCertificateData"))
			read_text(reader, &out->cert_pem);
		else if (ek_slice_equals(key, "clientKeyData"))
			read_text(reader, &out->key_pem);
		else if (ek_slice_equals(key, "expirationTimestamp"))
			read_expiry(reader, out);
		else
			ek_json_skip(&reader->json);
	}
}

static void read_document(struct reader *reader, const char *api_version, struct ek_exec_credential *out, bool *is_right_kind)
{
	bool is_kind = false, is_version = false;
	char text[128];
	struct ek_slice key;

	for (ek_json_enter_object(&reader->json); ek_json_next_key(&reader->json, &key);) {
		if (ek_slice_equals(key, "kind")) {
			ek_json_text(&reader->json, text, sizeof(text));
			is_kind = strcmp(text, "ExecCredential") == 0;
		} else if (ek_slice_equals(key, "apiVersion")) {
			ek_json_text(&reader->json, text, sizeof(text));
			is_version = strcmp(text, api_version) == 0;
		} else if (ek_slice_equals(key, "status")) {
			read_status(reader, out);
		} else {
			ek_json_skip(&reader->json);
		}
	}
	*is_right_kind = is_kind && is_version;
}

/* It becomes a header: no space, nothing that ends a line. */
static bool is_token(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static int check_credential(const struct ek_exec_credential *credential, struct ek_error *err)
{
	if (!credential->token && !credential->cert_pem && !credential->key_pem)
		return ek_fail(err, EK_INVALID, "its status holds neither a token nor a client certificate");
	if (!credential->cert_pem != !credential->key_pem)
		return ek_fail(err, EK_INVALID, "clientCertificateData and clientKeyData go together; one is missing");
	if (credential->token && !is_token(credential->token))
		return ek_fail(err, EK_INVALID, "its token holds a space or a control character");
	if (credential->cert_pem && (!strstr(credential->cert_pem, "-----BEGIN") || !strstr(credential->key_pem, "-----BEGIN")))
		return ek_fail(err, EK_INVALID, "clientCertificateData and clientKeyData must be PEM texts");
	return EK_OK;
}

int ek_exec_credential_read(const char *bytes, size_t n, const char *api_version, struct ek_exec_credential *out, struct ek_error *err)
{
	struct reader reader = { .scratch = ek_xmalloc(n + 1), .room = n + 1 };
	struct ek_error fault = EK_ERROR_INIT;
	bool is_right_kind = false;
	int code;

	memset(out, 0, sizeof(*out));
	ek_json_init(&reader.json, bytes, n);
	read_document(&reader, api_version, out, &is_right_kind);
	if (ek_json_finish(&reader.json, &fault) != EK_OK)
		code = ek_fail(err, EK_INVALID, "its output cannot be read: %s", fault.message);
	else if (!is_right_kind)
		code = ek_fail(err, EK_INVALID, "its output is no ExecCredential of %s", api_version);
	else
		code = check_credential(out, err);
	explicit_bzero(reader.scratch, reader.room);
	free(reader.scratch);
	if (code != EK_OK)
		ek_exec_credential_clear(out);
	return code;
}

/* ---- What it is told ---- */

static char *encode_base64(const char *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = ek_xmalloc((n + 2) / 3 * 4 + 1), *out = text;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)(uint8_t)bytes[i] << 16 | (i + 1 < n ? (uint32_t)(uint8_t)bytes[i + 1] << 8 : 0) |
			(i + 2 < n ? (uint8_t)bytes[i + 2] : 0);

		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = i + 1 < n ? digits[bits >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[bits & 63] : '=';
	}
	*out = '\0';
	return text;
}

static void write_text(struct ek_json_writer *writer, const char *key, const char *text)
{
	if (!text)
		return;
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text);
}

static void write_cluster(const struct ek_exec *exec, struct ek_json_writer *writer, const char *ca_base64)
{
	ek_json_write_key(writer, "cluster");
	ek_json_write_object(writer);
	write_text(writer, "server", exec->server);
	write_text(writer, "tls-server-name", exec->tls_server_name);
	if (exec->insecure_skip_tls_verify) {
		ek_json_write_key(writer, "insecure-skip-tls-verify");
		ek_json_write_boolean(writer, true);
	}
	write_text(writer, "certificate-authority-data", ca_base64);
	write_text(writer, "proxy-url", exec->proxy_url);
	if (exec->cluster_config) {
		ek_json_write_key(writer, "config");
		ek_json_write_raw(writer, (struct ek_slice){ exec->cluster_config, strlen(exec->cluster_config) });
	}
	ek_json_write_object_end(writer);
}

/* NAME=JSON; NULL when it is too large. */
static char *make_info(const struct ek_exec *exec, const char *ca_pem, size_t n)
{
	size_t size = (64u << 10) + n * 2;
	char *info = ek_xmalloc(size), *ca_base64 = ca_pem ? encode_base64(ca_pem, n) : NULL;
	struct ek_json_writer writer;

	memcpy(info, INFO_NAME, sizeof(INFO_NAME));
	ek_json_writer_init(&writer, info + sizeof(INFO_NAME) - 1, size - sizeof(INFO_NAME) + 1);
	ek_json_write_object(&writer);
	write_text(&writer, "kind", "ExecCredential");
	write_text(&writer, "apiVersion", exec->api_version);
	ek_json_write_key(&writer, "spec");
	ek_json_write_object(&writer);
	if (exec->provide_cluster_info)
		write_cluster(exec, &writer, ca_base64);
	ek_json_write_key(&writer, "interactive");
	ek_json_write_boolean(&writer, false);
	ek_json_write_object_end(&writer);
	ek_json_write_object_end(&writer);
	free(ca_base64);
	if (ek_json_writer_finish(&writer))
		return info;
	free(info);
	return NULL;
}

/* ---- Runs ---- */

static void pause_runs(struct ek_exec *exec)
{
	int64_t pause_ms = exec->n_failures < 5 ? FIRST_PAUSE_MS << exec->n_failures : LAST_PAUSE_MS;

	exec->not_before_ms = ek_loop_now_ms(exec->loop) + pause_ms;
	exec->n_failures++;
}

/* Long words may be secrets, unless they are paths. Makes the rest printable, and one line. */
static void mask(const char *text, char *out, size_t size)
{
	size_t n = 0;

	ek_text_copy(out, size, text);
	for (char *at = out; *at; at++)
		if (*at == '?' || (unsigned char)*at < ' ')
			*at = ' ';
	for (char *word = out; *word; word += n ? n : 1) {
		for (n = 0; isalnum((unsigned char)word[n]) || (word[n] && strchr("+/=_.-", word[n])); n++)
			;
		if (n >= MASKED_LENGTH && word[0] != '/' && word[0] != '.')
			memset(word, '*', n);
	}
}

/* err: why. The first thing that a person reads, so it says what to do. */
static void fail_run(struct ek_exec *exec, const struct ek_error *err, const char *complaint)
{
	char masked[EK_PROCESS_MAX_COMPLAINT + 1];

	mask(complaint, masked, sizeof(masked));
	pause_runs(exec);
	ek_fail(&exec->failure, EK_AUTH, "the credential plugin %.60s: %.150s", exec->command, err->message);
	EK_WARN(NULL, "credential plugin gives nothing; trying again", EK_S("command", exec->command), EK_E(&exec->failure),
		EK_S("stderr", masked), EK_S("hint", exec->install_hint), EK_I("again_in_ms", exec->not_before_ms - ek_loop_now_ms(exec->loop)));
}

static void adopt(struct ek_exec *exec, struct ek_exec_credential *fresh)
{
	int64_t now_ms = ek_loop_wall_ms(exec->loop), early_ms = (fresh->expires_ms - now_ms) / 5;

	ek_exec_credential_clear(&exec->current);
	exec->current = *fresh;
	exec->has_credential = true;
	exec->generation++;
	exec->is_refused = false;
	exec->refresh_at_ms = fresh->expires_ms ? fresh->expires_ms - (early_ms < MAX_EARLY_MS ? early_ms : MAX_EARLY_MS) : 0;
	EK_DEBUG(NULL, "credential plugin gave a credential", EK_S("command", exec->command), EK_I("expires_ms", fresh->expires_ms));
}

static int judge(const struct ek_process_result *result, struct ek_error *err)
{
	switch (result->end) {
	case EK_PROCESS_TIMED_OUT:
		return ek_fail(err, EK_AUTH, "it did not end within %d s and was killed", TIMEOUT_MS / 1000);
	case EK_PROCESS_TOO_MUCH:
		return ek_fail(err, EK_AUTH, "it wrote more than %u bytes and was killed", MAX_OUTPUT_BYTES);
	case EK_PROCESS_SIGNALLED:
		return ek_fail(err, EK_AUTH, "it was ended by signal %d", result->number);
	case EK_PROCESS_EXITED:
		break;
	}
	return result->number == 0 ? EK_OK : ek_fail(err, EK_AUTH, "it ended with status %d; its standard error is in the log", result->number);
}

static void on_process_done(void *arg, const struct ek_process_result *result)
{
	struct ek_exec *exec = arg;
	struct ek_exec_credential fresh = { 0 };
	struct ek_error err = EK_ERROR_INIT;
	int code = judge(result, &err);

	exec->process = NULL;
	if (code == EK_OK)
		code = ek_exec_credential_read(result->output, result->output_bytes, exec->api_version, &fresh, &err);
	if (code == EK_OK && fresh.expires_ms && fresh.expires_ms <= ek_loop_wall_ms(exec->loop)) {
		ek_exec_credential_clear(&fresh);
		code = ek_fail(&err, EK_AUTH, "what it gave has expired already; compare the clocks");
	}
	if (code == EK_OK)
		adopt(exec, &fresh);
	else
		fail_run(exec, &err, result->complaint);
	exec->on_end(exec->arg);
}

static void start(struct ek_exec *exec, const char *ca_pem, size_t n)
{
	const struct ek_process_config config = {
		.argv = exec->argv, .environment = exec->environment, .timeout_ms = TIMEOUT_MS, .max_output_bytes = MAX_OUTPUT_BYTES,
		.on_done = on_process_done, .arg = exec,
	};
	struct ek_error err = EK_ERROR_INIT;
	char *info = make_info(exec, ca_pem, n);

	if (info) {
		exec->environment[exec->n_environment] = info;
		exec->process = ek_process_start(exec->loop, &config, &err);
		exec->environment[exec->n_environment] = NULL;
		free(info);
	} else {
		ek_fail(&err, EK_TOO_BIG, "the description of the cluster is too large for it");
	}
	if (!exec->process)
		fail_run(exec, &err, exec->install_hint ? exec->install_hint : "");
}

enum ek_exec_state ek_exec_prepare(struct ek_exec *exec, const char *ca_pem, size_t n)
{
	int64_t wall_ms = ek_loop_wall_ms(exec->loop);
	bool is_over = exec->current.expires_ms && wall_ms >= exec->current.expires_ms;
	bool is_needed = !exec->has_credential || exec->is_refused || is_over;

	if ((is_needed || (exec->refresh_at_ms && wall_ms >= exec->refresh_at_ms)) && !exec->process &&
		ek_loop_now_ms(exec->loop) >= exec->not_before_ms)
		start(exec, ca_pem, n);
	if (!is_needed)
		return EK_EXEC_READY;
	return exec->process ? EK_EXEC_WAITING : EK_EXEC_FAILED;
}

const struct ek_exec_credential *ek_exec_current(const struct ek_exec *exec)
{
	return exec->has_credential ? &exec->current : NULL;
}

const char *ek_exec_failure(const struct ek_exec *exec)
{
	return exec->failure.message;
}

uint64_t ek_exec_generation(const struct ek_exec *exec)
{
	return exec->generation;
}

void ek_exec_accepted(struct ek_exec *exec, uint64_t generation)
{
	if (generation == exec->generation && !exec->is_refused)
		exec->n_failures = 0;
}

/* The first refusal is answered at once; if the next credential is refused too, more of them are not worth the haste. */
void ek_exec_refused(struct ek_exec *exec, uint64_t generation)
{
	if (generation != exec->generation || exec->is_refused || !exec->has_credential)
		return;
	exec->is_refused = true;
	ek_fail(&exec->failure, EK_AUTH, "the API server refuses what the credential plugin %.100s gave; it is run again", exec->command);
	if (exec->n_failures)
		pause_runs(exec);
	else
		exec->n_failures = 1;
}

/* ---- Life ---- */

static char **copy_list(char *const *list, unsigned *n)
{
	char **copy;

	for (*n = 0; list && list[*n]; ++*n)
		;
	copy = ek_xcalloc(*n + 2, sizeof(*copy));     /* room for one more */
	for (unsigned i = 0; i < *n; i++)
		copy[i] = ek_xstrdup(list[i]);
	return copy;
}

static void free_list(char **list)
{
	for (char **at = list; *at; at++)
		wipe(at);
	free(list);
}

struct ek_exec *ek_exec_new(struct ek_loop *loop, const struct ek_kube_config *config, void (*on_end)(void *arg), void *arg)
{
	struct ek_exec *exec = ek_xcalloc(1, sizeof(*exec));
	unsigned n_words;

	exec->loop = loop;
	exec->on_end = on_end;
	exec->arg = arg;
	exec->api_version = ek_xstrdup(config->exec->api_version);
	exec->argv = copy_list(config->exec->argv, &n_words);
	exec->command = exec->argv[0];
	exec->environment = copy_list(config->exec->environment, &exec->n_environment);
	exec->install_hint = ek_xstrdup(config->exec->install_hint);
	exec->provide_cluster_info = config->exec->provide_cluster_info;
	exec->cluster_config = ek_xstrdup(config->exec->cluster_config);
	exec->insecure_skip_tls_verify = config->insecure_skip_tls_verify;
	exec->server = ek_xstrdup(config->server);
	exec->tls_server_name = ek_xstrdup(config->tls_server_name);
	exec->proxy_url = ek_xstrdup(config->proxy_url);
	return exec;
}

void ek_exec_free(struct ek_exec *exec)
{
	if (!exec)
		return;
	ek_process_cancel(exec->process);
	ek_exec_credential_clear(&exec->current);
	free_list(exec->argv);
	free_list(exec->environment);
	free(exec->api_version);
	free(exec->install_hint);
	free(exec->server);
	free(exec->tls_server_name);
	wipe(&exec->proxy_url);
	wipe(&exec->cluster_config);
	free(exec);
}
