/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a running operator on its localhost port which plugins it has loaded, and prints them with those who use them. It loads nothing itself,
 * and shows only what /debug/plugins says. Read state.c next for who answers.
 */
#include "app/cmd_plugin.h"

#include <stdio.h>
#include <string.h>

#include <eurekube/json.h>

#include "base/buf.h"
#include "io/http.h"
#include "io/loop.h"

#define ANSWER_MAX (2u << 20)
#define TIMEOUT_MS 10000
#define TEXT_MAX   256
#define USERS_MAX  4096

/* ---- Asking ---- */

struct question {
	struct ek_loop *loop;
	struct ek_buf *answer;
	struct ek_error *err;
	const char *url;
	int code;
};

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct question *question = arg;

	ek_loop_stop(question->loop);
	if (result->code != EK_OK)
		question->code = ek_fail(question->err, EK_RETRY,
		                         "no operator answers (%.120s); run this where it runs, and name its --debug-listen by --debug",
		                         result->message);
	else if (result->status != 200)
		question->code = ek_fail(question->err, EK_INVALID, "%.100s answers with status %d; is that the --debug-listen of an operator?",
		                         question->url, result->status);
	else
		question->code = ek_buf_add(question->answer, result->body, result->body_bytes);
}

static int ask(const char *url, struct ek_buf *answer, struct ek_error *err)
{
	struct question question = { .loop = ek_loop_new(), .answer = answer, .err = err, .url = url };
	struct ek_http *http = ek_http_new(question.loop);
	struct ek_http_client *client = ek_http_client_new(http, &(struct ek_http_client_config){ .name = "operator" });
	struct ek_http_req request = {
		.method = "GET", .url = url, .connect_timeout_ms = TIMEOUT_MS, .timeout_ms = TIMEOUT_MS, .max_body_bytes = ANSWER_MAX,
		.arg = &question, .on_done = on_done,
	};

	if (ek_http_start(client, &request, err))
		ek_loop_run(question.loop);
	else
		question.code = EK_INVALID;
	ek_http_client_free(client);
	ek_http_free(http);
	ek_loop_free(question.loop);
	return question.code;
}

/* ---- Reading ---- */

/* One row; what the operator does not say is "". */
struct row {
	char name[TEXT_MAX], kind[TEXT_MAX], version[TEXT_MAX], abi[TEXT_MAX], file[TEXT_MAX], digest[TEXT_MAX];
	struct ek_buf users;         /* "mode pod (stable), registry main" */
};

static void add_user(struct row *row, const char *mode, const char *channel, const char *registry)
{
	const char *comma = row->users.n ? ", " : "";

	if (mode[0])
		ek_buf_addf(&row->users, "%smode %s (%s)", comma, mode, channel);
	else
		ek_buf_addf(&row->users, "%sregistry %s", comma, registry);
}

static void read_user(struct ek_json *json, struct row *row)
{
	char mode[TEXT_MAX] = "", channel[TEXT_MAX] = "", registry[TEXT_MAX] = "";
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "mode"))
			ek_json_text(json, mode, sizeof(mode));
		else if (ek_slice_equals(key, "channel"))
			ek_json_text(json, channel, sizeof(channel));
		else if (ek_slice_equals(key, "registry"))
			ek_json_text(json, registry, sizeof(registry));
		else
			ek_json_skip(json);
	}
	add_user(row, mode, channel, registry);
}

static char *field_of(struct row *row, struct ek_slice key)
{
	const struct {
		const char *key;
		char *at;
	} fields[] = {
		{ "name", row->name }, { "kind", row->kind }, { "version", row->version },
		{ "abi", row->abi }, { "file", row->file }, { "digest", row->digest },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (ek_slice_equals(key, fields[i].key))
			return fields[i].at;
	return NULL;
}

static void read_row(struct ek_json *json, struct row *row)
{
	struct ek_slice key;

	*row = (struct row){ 0 };
	ek_buf_init(&row->users, USERS_MAX);
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		char *at = field_of(row, key);

		if (at)
			ek_json_text(json, at, TEXT_MAX);
		else if (!ek_slice_equals(key, "usedBy"))
			ek_json_skip(json);
		else
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				read_user(json, row);
	}
}

/* The value of "plugins" in the answer; at NULL: there is none. */
static struct ek_slice find_plugins(const struct ek_buf *answer)
{
	struct ek_slice key, plugins = { NULL, 0 };
	struct ek_json json;

	ek_json_init(&json, answer->at, answer->n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "plugins"))
			plugins = ek_json_raw(&json);
		else
			ek_json_skip(&json);
	}
	return ek_json_finish(&json, NULL) == EK_OK ? plugins : (struct ek_slice){ NULL, 0 };
}

/* ---- Printing ---- */

#define ROW_FORMAT "%-16.31s %-9.9s %-12.31s %-5.8s %-24.255s %-19.19s %s\n"

static void print_table(struct ek_slice plugins)
{
	struct ek_json json;
	struct row row;

	printf(ROW_FORMAT, "NAME", "KIND", "VERSION", "ABI", "FILE", "DIGEST", "USED BY");
	ek_json_init(&json, plugins.at, plugins.n);
	for (ek_json_enter_array(&json); ek_json_next_item(&json);) {
		read_row(&json, &row);
		printf(ROW_FORMAT, row.name, row.kind, row.version, row.abi, row.file, row.digest, row.users.n ? row.users.at : "-");
		ek_buf_clear(&row.users);
	}
}

int ek_plugin_list(const char *host, uint16_t port, bool is_json)
{
	bool is_v6 = strchr(host, ':') != NULL;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_slice plugins = { NULL, 0 };
	struct ek_buf answer;
	char url[128];

	snprintf(url, sizeof(url), "http://%s%s%s:%u/debug/plugins", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
	ek_buf_init(&answer, ANSWER_MAX);
	if (ask(url, &answer, &err) == EK_OK)
		plugins = find_plugins(&answer);
	if (plugins.at && is_json)
		printf("{\"plugins\":%.*s}\n", (int)plugins.n, plugins.at);
	else if (plugins.at)
		print_table(plugins);
	else
		fprintf(stderr, "eurekube plugin list: %s%s\n", err.code == EK_OK ? url : err.message,
		        err.code == EK_OK ? " does not list plugins; is that an operator of this version?" : "");
	ek_buf_clear(&answer);
	return plugins.at ? 0 : 1;
}
