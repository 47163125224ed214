/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes one file through the loader as the operator would, path rules excepted, and says what it is or why it is refused. It makes no instance of it. Read
 * plugin/loader.c next.
 */
#include "app/cmd_plugin.h"

#include <stdio.h>
#include <string.h>

#include "plugin/loader.h"

static const char help[] =
	"Usage: eurekube plugin verify FILE\n"
	"       eurekube plugin digest FILE\n"
	"\n"
	"verify says whether the operator would load FILE, and why not; digest prints its SHA-256 for the\n"
	"key sha256 of a mode or registry in the configuration.\n"
	"\n"
	"Example:\n"
	"  eurekube plugin verify ./mymode.so\n"
	"\n"
	"Exit codes: 0 good, 1 refused, 2 wrong usage.\n";

static const char *kind_name(uint32_t kind)
{
	return kind == EK_PLUGIN_MODE ? "mode" : "registry";
}

static int verify(struct ek_image *image, struct ek_error *err)
{
	const struct ek_plugin *plugin;
	int code = ek_image_check(image, 0, err);

	if (code == EK_OK)
		code = ek_image_map(image, 0, &plugin, err);
	if (code == EK_OK)
		printf("ok    %s: %s %s/%s, ABI %d.%d, %s\n", image->name, kind_name(plugin->kind), plugin->name, plugin->version, plugin->abi_major,
		       plugin->abi_minor, image->digest);
	return code;
}

int ek_cmd_plugin(int argc, char **argv)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_image image;
	bool is_verify = argc == 3 && strcmp(argv[1], "verify") == 0;
	int code;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (!is_verify && (argc != 3 || strcmp(argv[1], "digest") != 0)) {
		fputs(help, stderr);
		return 2;
	}
	code = ek_image_open(NULL, argv[2], NULL, &image, &err);
	if (code == EK_OK && is_verify)
		code = verify(&image, &err);
	else if (code == EK_OK)
		puts(strchr(image.digest, ':') + 1);
	if (code != EK_OK)
		printf("FAIL  %s\n", err.message);
	return code == EK_OK ? 0 : 1;
}
