/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommand `run`: options, configuration file, credentials, the real loop and signals around an app. It holds no logic of the operator. Read run.c next.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/options.h"
#include "app/run.h"
#include "io/file.h"

#define CONFIG_MAX (1u << 20)

struct process {
	struct ek_loop *loop;
	struct ek_app *app;
	unsigned n_signals;
};

static int read_config(const char *path, struct ek_config **out, struct ek_error *err)
{
	struct ek_buf bytes;
	int code;

	ek_buf_init(&bytes, CONFIG_MAX);
	code = ek_file_read(path, &bytes, err);
	if (code == EK_OK)
		code = ek_config_read(bytes.at, bytes.n, out, err);
	if (code != EK_OK)
		ek_error_wrap(err, "%.100s", path);
	ek_buf_clear(&bytes);
	if (code == EK_OK && (*out)->n_namespaces) {
		ek_config_free(*out);
		return ek_fail(err, EK_INVALID, "%.100s: watchNamespaces is not supported by this version; leave it out", path);
	}
	return code;
}

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

static int run_app(const struct ek_run_options *options, const struct ek_config *config, const struct ek_kube_config *kube, struct ek_error *err)
{
	struct process process = { .loop = ek_loop_new() };
	struct ek_catalog *catalog = ek_catalog_new(config->plugin_directory, config->require_digest);
	struct ek_app_config with = {
		.loop = process.loop, .catalog = catalog, .config = config, .kube = kube,
		.listen_host = options->listen_host, .listen_port = options->listen_port,
		.debug_host = options->debug_host, .debug_port = options->debug_port,
		.on_stopped = on_stopped, .arg = &process,
	};
	int code = EK_INVALID;

	process.app = ek_app_new(&with, err);
	if (process.app) {
		ek_loop_on_signal(process.loop, SIGTERM, on_signal, &process);
		ek_loop_on_signal(process.loop, SIGINT, on_signal, &process);
		ek_loop_run(process.loop);
		ek_app_free(process.app);
		code = EK_OK;
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
	struct ek_config *config;
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
	if (read_config(options.config_file, &config, &err) != EK_OK)
		return fail(&err, 1);
	memset(&kube, 0, sizeof(kube));
	code = ek_kube_config_load(options.kubeconfig, options.context, &kube, &err);
	if (code == EK_OK)
		code = run_app(&options, config, &kube, &err);
	ek_kube_config_clear(&kube);
	ek_config_free(config);
	return code == EK_OK ? 0 : fail(&err, 1);
}
