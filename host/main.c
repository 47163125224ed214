/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: picks the subcommand. Everything else is in app/, one file per subcommand. Read app/cmd_run.c next.
 */
#include <stdio.h>
#include <string.h>

#include "app/cmd_config.h"
#include "app/cmd_plugin.h"
#include "app/run.h"

static const char help[] =
	"Usage: eurekube COMMAND [options]\n"
	"\n"
	"Makes workloads that run in Kubernetes appear in Eureka and other service registries.\n"
	"\n"
	"  run             the operator\n"
	"  config check    whether a configuration file is good\n"
	"  plugin          what is loaded; whether a plugin file would load, and its digest\n"
	"  version         the version and the plugin ABI it speaks\n"
	"  help            this text\n"
	"\n"
	"Example:\n"
	"  eurekube run --help\n";

static int print_version(void)
{
	printf("eurekube %s, plugin ABI %d.%d\n", EK_VERSION, EK_ABI_MAJOR, EK_ABI_MINOR);
	return 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "run") == 0)
		return ek_cmd_run(argc - 1, argv + 1);
	if (strcmp(command, "config") == 0)
		return ek_cmd_config(argc - 1, argv + 1);
	if (strcmp(command, "plugin") == 0)
		return ek_cmd_plugin(argc - 1, argv + 1);
	if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0)
		return print_version();
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	fprintf(stderr, "eurekube: \"%s\" is not a command\n\n%s", command, help);
	return 2;
}
