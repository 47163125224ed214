/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of the tests of services: one instance, its owner, a server to ask, in simulated time. Every test has one of its own.
 */
#ifndef EK_TESTS_SCENARIO_SERVICES_WORLD_H
#define EK_TESTS_SCENARIO_SERVICES_WORLD_H

#include "plugin/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/serve.h"
#include "kit/sim.h"

#define URL "http://registry:8761"

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_http *http;
	struct ek_services *services;
	const struct ek_host *host;
	/* the registry's server */
	unsigned n_asked;
	char method[16], path[128], body[128], authorization[512], custom[64];
	/* the plugin */
	unsigned n_fired, n_done, n_pieces;
	struct ek_http_response response;
	char text[256], message[256];
	int stop_with;
	/* the owner */
	unsigned n_completed, n_entries, n_lost, n_changed, n_closed;
	uint64_t token;
	int32_t code;
	char seen[256];
	bool frees_when_closed;
};

/* ---- The server ---- */

static void on_request(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;
	const char *value;

	w->n_asked++;
	snprintf(w->method, sizeof(w->method), "%s", request->method);
	snprintf(w->path, sizeof(w->path), "%s", request->path);
	snprintf(w->body, sizeof(w->body), "%s", request->body);
	value = request->header(request, "Authorization");
	snprintf(w->authorization, sizeof(w->authorization), "%s", value ? value : "");
	value = request->header(request, "X-Custom");
	snprintf(w->custom, sizeof(w->custom), "%s", value ? value : "");
	ek_serve_reply(exchange, 202, "Application/JSON; charset=utf-8", "Retry-After: 3\n", "{\"a\":1}", 7);
}

/* ---- The owner ---- */

static void on_op_done(void *arg, uint64_t token, const struct ek_result *result)
{
	struct world *w = arg;

	w->n_completed++;
	w->token = token;
	w->code = result->code;
	snprintf(w->seen, sizeof(w->seen), "%s %s %s %s %s", result->message ? result->message : "-",
		result->entry ? result->entry->application : "-", result->entry ? result->entry->id : "-",
		result->entry ? result->entry->instance->address : "-", result->entry ? result->entry->instance->metadata[0]->value : "-");
}

static int on_list_entry(void *arg, uint64_t token, const struct ek_entry *entry)
{
	return ++((struct world *)arg)->n_entries >= 2;
}

static void on_lost(void *arg, const char *why)
{
	struct world *w = arg;

	w->n_lost++;
	snprintf(w->seen, sizeof(w->seen), "%s", why);
}

static void on_changed(void *arg, const char *application, const char *id)
{
	struct world *w = arg;

	w->n_changed++;
	snprintf(w->seen, sizeof(w->seen), "%s/%s", application, id);
}

static void on_closed(void *arg)
{
	struct world *w = arg;

	w->n_closed++;
	if (w->frees_when_closed) {
		ek_services_free(w->services);
		w->services = NULL;
	}
}

/* ---- The world ---- */

static const struct ek_plugin plugin = { .size = sizeof(plugin), .name = "test", .version = "1" };
static const struct ek_library library = { .plugin = &plugin, .digest = "static", .label = "test/1" };
static const struct ek_option_value renew = { .size = sizeof(renew), .type = EK_OPTION_INTEGER, .name = "renew", .integer = 27 };
static const struct ek_option_value *const options[] = { &renew };

static struct ek_services_config config_of(struct world *w)
{
	return (struct ek_services_config){
		.name = "registry main",
		.library = &library,
		.options = options,
		.n_options = 1,
		.owner = { on_op_done, on_list_entry, on_lost, on_changed, on_closed, w },
	};
}

static void start_services(struct world *w, const struct ek_services_config *config)
{
	ek_services_free(w->services);
	w->services = ek_services_new(w->loop, w->http, config);
	w->host = ek_services_host(w->services);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ek_error err = EK_ERROR_INIT;
	struct ek_serve_config serve = { .host = "registry", .port = 8761, .handle = on_request, .arg = w };
	struct ek_services_config config = config_of(w);

	ek_log_set_level(EK_LOG_ERROR);
	w->loop = sim_loop_new(1);
	w->serve = ek_serve_new(w->loop, &serve, &err);
	w->http = ek_http_new(w->loop);
	start_services(w, &config);
	*state = w;
	return w->serve ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	ek_services_free(w->services);
	assert_int_equal(sim_armed_timers(w->loop), 0);
	assert_int_equal(sim_open_calls(w->loop), 0);
	ek_http_free(w->http);
	ek_serve_free(w->serve);
	ek_loop_free(w->loop);
	sim_file_clear();
	free(w);
	return 0;
}

/* ---- Asking the server ---- */

static void on_done(void *arg, const struct ek_http_response *response)
{
	struct world *w = arg;

	w->n_done++;
	w->response = *response;
	snprintf(w->text, sizeof(w->text), "%s %s", response->content_type, response->body);
	snprintf(w->message, sizeof(w->message), "%s", response->message);
}

static struct ek_http_request request_of(struct world *w)
{
	return (struct ek_http_request){ .size = sizeof(struct ek_http_request), .method = "GET", .url = URL "/apps", .arg = w, .on_done = on_done };
}

static struct ek_http_handle *ask(struct world *w)
{
	struct ek_http_request request = request_of(w);
	struct ek_error err = EK_ERROR_INIT;

	return w->host->http(w->host, &request, &err);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
