/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes each new text of the configuration through reading and swapping, and tells what became of it: a log line, eurekube_config_valid, and an Event on the
 * ConfigMap. What a swap does is in sync/reconfigure.c. Read run.c next.
 */
#include "app/configure.h"

#include <stdio.h>
#include <string.h>

#include "app/config_map.h"
#include "io/file.h"

int ek_configure_read_file(const char *path, struct ek_config **out, struct ek_error *err)
{
	struct ek_buf bytes;
	int code;

	ek_buf_init(&bytes, EK_CONFIG_MAX);
	code = ek_file_read(path, &bytes, err);
	if (code == EK_OK)
		code = ek_config_read(bytes.at, bytes.n, out, err);
	if (code != EK_OK)
		ek_error_wrap(err, "%.100s", path);
	ek_buf_clear(&bytes);
	return code;
}

/* ---- what became of it ---- */

static void tell_refused(struct ek_app *app, const struct ek_error *err)
{
	struct ek_event_object regarding = {
		.api_version = "v1", .kind = "ConfigMap", .namespace_ = app->with.config_map_namespace, .name = app->with.config_map_name,
	};
	char note[512];

	app->is_config_valid = false;
	EK_ERROR(&app->log, "configuration refused; the one before stays in force", EK_E(err));
	if (!app->config_map || !app->recorder)
		return;
	regarding.uid = ek_config_map_uid(app->config_map);
	snprintf(note, sizeof(note), "%s; the configuration before it stays in force", err->message);
	ek_recorder_emit(app->recorder, &regarding, "Warning", "ConfigurationRefused", "Configure", note);
}

static void take(struct ek_app *app, struct ek_config *config)
{
	struct ek_error err = EK_ERROR_INIT;
	int code;

	if (app->engine->with.config->hash == config->hash) {
		ek_config_free(config);
		app->is_config_valid = true;
		return;
	}
	code = ek_engine_reconfigure(app->engine, config, &err);
	ek_watches_update(&app->watches);
	if (code != EK_OK) {
		ek_config_free(config);
		tell_refused(app, &err);
		return;
	}
	app->is_config_valid = true;
	EK_INFO(&app->log, "configuration in force", EK_I("modes", config->n_modes), EK_I("registries", config->n_registries));
}

static void take_text(struct ek_app *app, const char *text, size_t n)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_config *config = NULL;

	if (ek_config_read(text, n, &config, &err) != EK_OK) {
		if (app->with.config)
			tell_refused(app, &err);
		else
			ek_app_fail(app, &err);
		return;
	}
	if (!app->with.config)
		ek_app_begin(app, config);
	else if (app->engine)
		take(app, config);
	else
		ek_config_free(config); /* not even started with the first one; the next text will do */
}

/* ---- where it comes from ---- */

static void on_file(void *arg)
{
	struct ek_app *app = arg;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_buf bytes;

	ek_buf_init(&bytes, EK_CONFIG_MAX);
	if (ek_file_read(app->with.config_file, &bytes, &err) == EK_OK) {
		take_text(app, bytes.at, bytes.n);
	} else {
		ek_error_wrap(&err, "%.100s", app->with.config_file);
		tell_refused(app, &err);
	}
	ek_buf_clear(&bytes);
}

static void on_text(void *arg, const char *text, size_t n)
{
	take_text(arg, text, n);
}

static void on_missing(void *arg, const char *problem)
{
	struct ek_app *app = arg;

	app->is_config_valid = false;
	EK_WARN(&app->log, "no configuration", EK_S("namespace", app->with.config_map_namespace), EK_S("configMap", app->with.config_map_name),
	        EK_S("problem", problem));
}

void ek_configure_watch(struct ek_app *app)
{
	if (app->with.config_file)
		app->file_watch = ek_file_watch(app->with.loop, app->with.config_file, on_file, app);
	if (app->with.config_map_name)
		app->config_map = ek_config_map_watch(&(struct ek_config_map_config){
			.loop = app->with.loop, .kube = app->kube, .namespace_ = app->with.config_map_namespace,
			.name = app->with.config_map_name, .on_text = on_text, .on_missing = on_missing, .arg = app });
}

void ek_configure_end(struct ek_app *app)
{
	if (app->file_watch)
		ek_file_unwatch(app->file_watch);
	ek_config_map_free(app->config_map);
	app->file_watch = NULL;
	app->config_map = NULL;
}
