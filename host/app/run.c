/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the pieces: API server, watches, engine, listeners; starts the engine when every watch has synced, and takes everything down in order. What the engine does is
 * sync/'s, what the listeners say is in report.c. Read sync/reconcile.c next.
 */
#include "app/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eurekube/json.h>

#include "app/configure.h"
#include "app/report.h"
#include "base/alloc.h"

#define IDENTITY_RETRY_MS 2000

/* ---- watches ---- */

/* Of many namespaces one may be closed to us, or away; the others are served all the same, once it has had the time to be listed. */
#define SYNC_PATIENCE_MS 10000

static void start_when_synced(struct ek_app *app)
{
	bool is_whole = ek_watches_are_synced(&app->watches);

	if (app->engine->is_started || !(is_whole || (app->is_patience_over && ek_watches_have_whole_namespace(&app->watches))))
		return;
	ek_loop_disarm(app->with.loop, &app->patience_timer);
	if (is_whole)
		EK_INFO(&app->log, "view of the cluster complete", EK_I("ms", ek_loop_now_ms(app->with.loop) - app->started_ms));
	else
		EK_WARN(&app->log, "some namespaces cannot be watched; serving the others, and removing nothing in those");
	ek_engine_start(app->engine);
}

static void on_synced(void *arg)
{
	start_when_synced(arg);
}

static void on_patience_over(void *arg)
{
	struct ek_app *app = arg;

	app->is_patience_over = true;
	start_when_synced(app);
}

static void relist(void *arg, enum ek_store_kind kind)
{
	ek_watches_relist(&((struct ek_app *)arg)->watches, kind);
}

static void relist_read(void *arg, const struct ek_read *read)
{
	ek_watches_relist_read(&((struct ek_app *)arg)->watches, read);
}

static void start_engine(struct ek_app *app)
{
	struct ek_engine_config config = {
		.loop = app->with.loop, .http = app->http, .kube = app->kube, .catalog = app->with.catalog,
		.recorder = app->recorder, .config = app->with.config, .cluster_id = app->cluster_id,
		.relist = relist, .relist_read = relist_read, .relist_arg = app, .explain_read = ek_watches_explain, .explain_arg = &app->watches,
	};

	EK_INFO(&app->log, "starting", EK_S("version", EK_VERSION), EK_S("cluster", app->cluster_id), EK_S("server", ek_kube_server(app->kube)));
	app->engine = ek_engine_new(&config);
	app->watches = (struct ek_watches){ .loop = app->with.loop, .kube = app->kube, .engine = app->engine, .config = app->with.config,
		                            .on_synced = on_synced, .arg = app };
	ek_loop_arm(app->with.loop, &app->patience_timer, SYNC_PATIENCE_MS);
	ek_watches_start(&app->watches);
}

/* ---- the cluster's name ---- */

static void ask_identity(void *arg);

static bool read_uid(const char *body, size_t n, char *out, size_t size)
{
	struct ek_json json;
	struct ek_slice key;
	char uid[64] = "";

	ek_json_init(&json, body, n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (!ek_slice_equals(key, "metadata")) {
			ek_json_skip(&json);
			continue;
		}
		for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);)
			if (ek_slice_equals(key, "uid"))
				ek_json_text(&json, uid, sizeof(uid));
			else
				ek_json_skip(&json);
	}
	if (ek_json_finish(&json, NULL) != EK_OK || strlen(uid) < 8)
		return false;
	snprintf(out, size, "%.8s", uid);
	return true;
}

static void on_identity(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_app *app = arg;

	app->identity_call = NULL;
	if (reply->code == EK_OK && read_uid(reply->body, reply->body_bytes, app->cluster_id, sizeof(app->cluster_id))) {
		start_engine(app);
		return;
	}
	EK_WARN(&app->log, "cannot read namespace kube-system for the cluster's name; waiting (or set clusterId)",
	        EK_S("error", reply->code == EK_OK ? "no uid" : reply->message));
	ek_loop_arm(app->with.loop, &app->identity_timer, IDENTITY_RETRY_MS);
}

static void ask_identity(void *arg)
{
	struct ek_app *app = arg;
	struct ek_kube_request request = { .method = "GET", .path = "/api/v1/namespaces/kube-system", .on_done = on_identity, .arg = app };

	app->identity_call = ek_kube_call(app->kube, &request, NULL);
	if (!app->identity_call)
		ek_loop_arm(app->with.loop, &app->identity_timer, IDENTITY_RETRY_MS);
}

/* ---- life ---- */

static void begin(struct ek_app *app)
{
	const char *cluster_id = app->with.config->cluster_id;

	app->is_config_valid = true;
	if (!cluster_id[0]) {
		ask_identity(app);
		return;
	}
	snprintf(app->cluster_id, sizeof(app->cluster_id), "%s", cluster_id);
	start_engine(app);
}

void ek_app_begin(struct ek_app *app, struct ek_config *config)
{
	app->first_config = config;
	app->with.config = config;
	ek_catalog_set_rules(app->with.catalog, &config->plugins);
	begin(app);
}

void ek_app_fail(struct ek_app *app, const struct ek_error *err)
{
	if (app->with.on_failed)
		app->with.on_failed(app->with.arg, err);
}

static int listen_on(struct ek_app *app, bool is_debug, struct ek_serve **out, struct ek_error *err)
{
	struct ek_serve_config config = {
		.host = is_debug ? app->with.debug_host : app->with.listen_host,
		.port = is_debug ? app->with.debug_port : app->with.listen_port,
		.only_localhost_names = is_debug,
		.handle = is_debug ? ek_report_debug : ek_report_public,
		.arg = app,
	};

	if (!config.host)
		return EK_OK;
	*out = ek_serve_new(app->with.loop, &config, err);
	return *out ? EK_OK : EK_INVALID;
}

static const char *instance_name(char *buffer, size_t size)
{
	const char *pod = getenv("POD_NAME");

	if (pod && *pod)
		return pod;
	if (gethostname(buffer, size) != 0)
		return "eurekube";
	buffer[size - 1] = '\0';
	return buffer;
}

struct ek_app *ek_app_new(const struct ek_app_config *config, struct ek_error *err)
{
	struct ek_app *app = ek_xcalloc(1, sizeof(*app));
	char host[128];

	app->with = *config;
	app->started_ms = ek_loop_now_ms(config->loop);
	ek_timer_init(&app->identity_timer, ask_identity, app);
	ek_timer_init(&app->patience_timer, on_patience_over, app);
	app->http = ek_http_new(config->loop);
	app->kube = ek_kube_new(config->loop, app->http, config->kube, err);
	if (!app->kube || listen_on(app, false, &app->listener, err) != EK_OK || listen_on(app, true, &app->debug, err) != EK_OK) {
		ek_app_free(app);
		return NULL;
	}
	app->recorder = ek_recorder_new(config->loop, app->kube, "eurekube.io/operator", instance_name(host, sizeof(host)));
	ek_configure_watch(app);
	if (config->config)
		begin(app);
	return app;
}

static void on_engine_closed(void *arg)
{
	struct ek_app *app = arg;

	app->with.on_stopped(app->with.arg);
}

void ek_app_stop(struct ek_app *app)
{
	if (app->is_stopping)
		return;
	app->is_stopping = true;
	EK_INFO(&app->log, "stopping; leases are left to live");
	ek_loop_disarm(app->with.loop, &app->identity_timer);
	ek_kube_cancel(app->identity_call);
	app->identity_call = NULL;
	ek_configure_end(app);
	ek_loop_disarm(app->with.loop, &app->patience_timer);
	ek_watches_stop(&app->watches);
	if (app->engine)
		ek_engine_close(app->engine, on_engine_closed, app);
	else
		ek_loop_defer(app->with.loop, on_engine_closed, app);
}

void ek_app_free(struct ek_app *app)
{
	if (!app)
		return;
	ek_loop_disarm(app->with.loop, &app->identity_timer);
	ek_loop_disarm(app->with.loop, &app->patience_timer);
	ek_configure_end(app);
	if (app->listener)
		ek_serve_free(app->listener);
	if (app->debug)
		ek_serve_free(app->debug);
	ek_engine_free(app->engine);
	if (app->recorder)
		ek_recorder_free(app->recorder);
	if (app->kube)
		ek_kube_free(app->kube);
	ek_http_free(app->http);
	if (app->first_config)
		ek_config_free(app->first_config);
	free(app);
}
