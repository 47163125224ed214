/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the options of `eurekube run`. It opens nothing; defaults that depend on the environment are left to those who use them. Read run.c next.
 */
#include "app/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char ek_run_help[] =
	"Usage: eurekube run [--config FILE | --config-map NS/NAME] [options]\n"
	"\n"
	"Runs the operator: registers what the cluster's EurekaSyncers select, and keeps it registered.\n"
	"\n"
	"  --config FILE              the configuration (YAML), read again when it changes\n"
	"  --config-map NS/NAME       the same from the key eurekube.yaml of a ConfigMap, watched;\n"
	"                             in a cluster the default is eurekube in the pod's namespace\n"
	"  --kubeconfig FILE          how to reach the API server; default: KUBECONFIG, then the pod's\n"
	"                             service account, then ~/.kube/config\n"
	"  --context NAME             a context of the kubeconfig; default: its current one\n"
	"  --listen HOST:PORT         health and metrics (default :8080)\n"
	"  --debug-listen HOST:PORT   state as JSON, for this machine only (default 127.0.0.1:8081)\n"
	"  --log-level LEVEL          debug, info, warn or error (default info)\n"
	"  --log-format FORMAT        json or text (default json)\n"
	"  --help                     this text\n"
	"\n"
	"Example:\n"
	"  eurekube run --config eurekube.yaml --kubeconfig ~/.kube/config --log-format text\n"
	"\n"
	"Exit codes: 0 stopped by a signal, 1 cannot start, 2 wrong usage.\n";

int ek_address_read(const char *text, char *host, size_t size, uint16_t *port, struct ek_error *err)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	char *end = NULL;
	long number = colon ? strtol(colon + 1, &end, 10) : -1;

	if (!colon || end == colon + 1 || *end || number < 0 || number > 65535 || n >= size)
		return ek_fail(err, EK_INVALID, "\"%.80s\" is not HOST:PORT, for example 127.0.0.1:8080 or :8080", text);
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	memcpy(host, text, n);
	host[n] = '\0';
	*port = (uint16_t)number;
	return EK_OK;
}

static int read_format(const char *text, enum ek_log_format *format, struct ek_error *err)
{
	if (strcmp(text, "json") == 0)
		*format = EK_LOG_JSON;
	else if (strcmp(text, "text") == 0)
		*format = EK_LOG_TEXT;
	else
		return ek_fail(err, EK_INVALID, "--log-format %.40s: use json or text", text);
	return EK_OK;
}

enum { OPT_CONFIG = 256, OPT_CONFIG_MAP, OPT_KUBECONFIG, OPT_CONTEXT, OPT_LISTEN, OPT_DEBUG_LISTEN, OPT_LOG_LEVEL, OPT_LOG_FORMAT, OPT_HELP };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "config-map", required_argument, NULL, OPT_CONFIG_MAP },
	{ "kubeconfig", required_argument, NULL, OPT_KUBECONFIG },
	{ "context", required_argument, NULL, OPT_CONTEXT },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "debug-listen", required_argument, NULL, OPT_DEBUG_LISTEN },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "log-format", required_argument, NULL, OPT_LOG_FORMAT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int read_config_map(const char *text, struct ek_run_options *out, struct ek_error *err)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (!n || n >= sizeof(out->config_map_namespace) || !slash[1] || strchr(slash + 1, '/') || strlen(slash + 1) >= sizeof(out->config_map))
		return ek_fail(err, EK_INVALID, "--config-map %.80s: use NAMESPACE/NAME", text);
	memcpy(out->config_map_namespace, text, n);
	out->config_map_namespace[n] = '\0';
	memcpy(out->config_map, slash + 1, strlen(slash + 1) + 1);
	return EK_OK;
}

static int read_option(int option, struct ek_run_options *out, struct ek_error *err)
{
	switch (option) {
	case OPT_CONFIG:
		out->config_file = optarg;
		return EK_OK;
	case OPT_CONFIG_MAP:
		return read_config_map(optarg, out, err);
	case OPT_KUBECONFIG:
		out->kubeconfig = optarg;
		return EK_OK;
	case OPT_CONTEXT:
		out->context = optarg;
		return EK_OK;
	case OPT_LISTEN:
		return ek_address_read(optarg, out->listen_host, sizeof(out->listen_host), &out->listen_port, err);
	case OPT_DEBUG_LISTEN:
		return ek_address_read(optarg, out->debug_host, sizeof(out->debug_host), &out->debug_port, err);
	case OPT_LOG_LEVEL:
		if (ek_log_level_parse(optarg, &out->log_level) != EK_OK)
			return ek_fail(err, EK_INVALID, "--log-level %.40s: use debug, info, warn or error", optarg);
		return EK_OK;
	case OPT_LOG_FORMAT:
		return read_format(optarg, &out->log_format, err);
	case OPT_HELP:
		out->is_help = true;
		return EK_OK;
	default:
		return ek_fail(err, EK_INVALID, "an option is unknown to this version, or lacks its value; see eurekube run --help");
	}
}

int ek_run_options_read(int argc, char **argv, struct ek_run_options *out, struct ek_error *err)
{
	int option, code;

	memset(out, 0, sizeof(*out));
	out->listen_port = 8080;
	snprintf(out->debug_host, sizeof(out->debug_host), "127.0.0.1");
	out->debug_port = 8081;
	out->log_level = EK_LOG_INFO;
	out->log_format = EK_LOG_JSON;
	optind = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		code = read_option(option, out, err);
		if (code != EK_OK || out->is_help)
			return code;
	}
	if (optind < argc)
		return ek_fail(err, EK_INVALID, "\"%.80s\" is one argument too many; see eurekube run --help", argv[optind]);
	if (out->config_file && out->config_map[0])
		return ek_fail(err, EK_INVALID, "--config and --config-map exclude each other; give one of them");
	if (!out->config_file && !out->config_map[0] && !getenv("KUBERNETES_SERVICE_HOST"))
		return ek_fail(err, EK_INVALID, "--config FILE or --config-map NS/NAME is missing; see eurekube run --help");
	return EK_OK;
}
