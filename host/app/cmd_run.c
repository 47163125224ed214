/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommand `run`: options, configuration file, credentials, the real loop and signals around an app. It holds no logic of the operator. Read run.c next.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/configure.h"
#include "app/options.h"
#include "app/run.h"

struct process {
	struct ek_loop *loop;
	struct ek_app *app;
	unsigned n_signals;
	struct ek_error failure;       /* why it ends by itself; code EK_OK: it does not */
};

static void on_signal(void *arg, int signo)
{
	struct process *process = arg;

	(void)signo;
	if (process->n_signals++)
		_exit(1);
	ek_app_stop(process->app);
}

static void on_stopped(void *arg)
{
	struct process *process = arg;

	ek_loop_stop(process->loop);
}

static void on_failed(void *arg, const struct ek_error *err)
{
	struct process *process = arg;

	process->failure = *err;
	ek_loop_stop(process->loop);
}

static int run_app(const struct ek_run_options *options, const struct ek_config *config, const struct ek_kube_config *kube, struct ek_error *err)
{
	struct process process = { .loop = ek_loop_new() };
	struct ek_catalog *catalog = ek_catalog_new(config ? &config->plugins : &(struct ek_plugin_rules){ .directory = "" });
	struct ek_app_config with = {
		.loop = process.loop, .catalog = catalog, .config = config, .kube = kube,
		.listen_host = options->listen_host, .listen_port = options->listen_port,
		.debug_host = options->debug_host, .debug_port = options->debug_port,
		.config_file = options->config_file,
		.config_map_namespace = options->config_map_namespace, .config_map_name = options->config_map[0] ? options->config_map : NULL,
		.on_stopped = on_stopped, .on_failed = on_failed, .arg = &process,
	};
	int code = EK_INVALID;

	ek_loop_tell_crashes(process.loop);
	process.app = ek_app_new(&with, err);
	if (process.app) {
		ek_loop_on_signal(process.loop, SIGTERM, on_signal, &process);
		ek_loop_on_signal(process.loop, SIGINT, on_signal, &process);
		ek_loop_run(process.loop);
		ek_app_free(process.app);
		code = process.failure.code;
		if (code != EK_OK)
			*err = process.failure;
	}
	ek_catalog_free(catalog);
	ek_loop_free(process.loop);
	return code;
}

static int fail(const struct ek_error *err, int status)
{
	fprintf(stderr, "eurekube run: %s\n", err->message);
	return status;
}

int ek_cmd_run(int argc, char **argv)
{
	struct ek_run_options options;
	struct ek_error err = EK_ERROR_INIT;
	struct ek_config *config = NULL;
	struct ek_kube_config kube;
	int code;

	if (ek_run_options_read(argc, argv, &options, &err) != EK_OK)
		return fail(&err, 2);
	if (options.is_help) {
		fputs(ek_run_help, stdout);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	ek_log_configure(options.log_level, options.log_format, STDERR_FILENO);
	if (options.config_file && ek_configure_read_file(options.config_file, &config, &err) != EK_OK)
		return fail(&err, 1);
	memset(&kube, 0, sizeof(kube));
	code = ek_kube_config_load(options.kubeconfig, options.context, &kube, &err);
	if (code == EK_OK && !options.config_file && !options.config_map[0]) {
		snprintf(options.config_map, sizeof(options.config_map), "eurekube");
		snprintf(options.config_map_namespace, sizeof(options.config_map_namespace), "%.63s", kube.namespace_);
	}
	if (code == EK_OK)
		code = run_app(&options, config, &kube, &err);
	ek_kube_config_clear(&kube);
	if (config)
		ek_config_free(config);
	return code == EK_OK ? 0 : fail(&err, 1);
}
