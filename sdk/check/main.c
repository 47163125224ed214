/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eurekube-plugin-check: loads one plugin as the host would, then holds it against the rules of its kind.
 * It talks to no registry and no cluster; a plugin that passes keeps to the border, whether it speaks its protocol well is for its own tests.
 * Read next: check.h.
 */
#include "check.h"

#include "plugin/loader.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GIVEN_MAX 64

struct arguments {
	const char *file;
	const char *options[GIVEN_MAX + 1], *instance_options[GIVEN_MAX + 1];
	unsigned n_options, n_instance_options;
};

static void print_help(FILE *out)
{
	fputs("usage: eurekube-plugin-check [--option NAME=VALUE]... [--instance-option NAME=VALUE]... FILE.so\n"
	      "\n"
	      "Holds a EureKube plugin against the rules of mode.h or registry.h: one line for each rule.\n"
	      "\n"
	      "  --option NAME=VALUE           an option of the configuration (modes.X.options, registries.X.options)\n"
	      "  --instance-option NAME=VALUE  an option of a syncer (spec.modeOptions, spec.registryOptions)\n"
	      "  --help                        this text\n"
	      "\n"
	      "Values are written as in YAML. Required options that are not given get samples.\n"
	      "Exit status: 0 all rules are kept, 1 some are not, 2 the file cannot be checked.\n"
	      "\n"
	      "example: eurekube-plugin-check --option 'serviceUrls=[http://eureka:8761/eureka/]' ./eureka.so\n",
		out);
}

static const char **room_for(struct arguments *arguments, const char *name)
{
	if (!strcmp(name, "--option") && arguments->n_options < GIVEN_MAX)
		return &arguments->options[arguments->n_options++];
	if (!strcmp(name, "--instance-option") && arguments->n_instance_options < GIVEN_MAX)
		return &arguments->instance_options[arguments->n_instance_options++];
	return NULL;
}

/* False: the usage was wrong. */
static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
	*arguments = (struct arguments){ 0 };
	for (int i = 1; i < argc; i++) {
		const char **room;

		if (argv[i][0] != '-') {
			if (arguments->file)
				return false;
			arguments->file = argv[i];
			continue;
		}
		room = i + 1 < argc && strchr(argv[i + 1], '=') ? room_for(arguments, argv[i]) : NULL;
		if (!room)
			return false;
		*room = argv[++i];
	}
	return arguments->file != NULL;
}

/* The author's own build: pinned by its own bytes, so that modes and owners of a work directory do not matter. */
static bool hash_file(const char *path, char *hex, size_t size)
{
	FILE *file = fopen(path, "re");
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char piece[16384], sum[EVP_MAX_MD_SIZE];
	unsigned n_sum = 0;
	size_t n;

	if (file && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
		while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
			EVP_DigestUpdate(context, piece, n);
		if (!ferror(file))
			EVP_DigestFinal_ex(context, sum, &n_sum);
	}
	for (unsigned i = 0; i < n_sum; i++)
		snprintf(hex + (size_t)2 * i, size - (size_t)2 * i, "%02x", sum[i]);
	EVP_MD_CTX_free(context);
	if (file)
		fclose(file);
	return n_sum != 0;
}

static int load(const char *path, const struct ek_plugin **plugin, struct ek_error *err)
{
	struct ek_image image;
	char hex[EK_DIGEST_MAX] = "";
	int code;

	if (!hash_file(path, hex, sizeof(hex)))
		return ek_fail(err, EK_GONE, "%.120s cannot be read: %s", path, strerror(errno));
	code = ek_image_open(NULL, path, hex, &image, err);
	if (code == EK_OK)
		code = ek_image_map(&image, (enum ek_plugin_kind)0, plugin, err);
	return code;
}

static int resolve(struct ek_check *check, const struct arguments *arguments, struct ek_error *err)
{
	int code = ek_check_resolve(check, check->plugin->options, arguments->options, "option", &check->options, &check->n_options, err);

	if (code != EK_OK)
		return code;
	return ek_check_resolve(check, check->plugin->instance_options, arguments->instance_options, "instance option",
		&check->instance_options, &check->n_instance_options, err);
}

static int check_plugin(const struct ek_plugin *plugin, const struct arguments *arguments)
{
	struct ek_check check = { .plugin = plugin };
	struct ek_error err = EK_ERROR_INIT;
	bool is_mode = plugin->kind == EK_PLUGIN_MODE;

	ek_arena_init(&check.arena);
	printf("ok   load: %s/%s is a %s plugin for ABI %d.%d\n", plugin->name, plugin->version, is_mode ? "mode" : "registry",
		EK_ABI_MAJOR, EK_ABI_MINOR);
	if (resolve(&check, arguments, &err) != EK_OK) {
		fprintf(stderr, "eurekube-plugin-check: %s\n", err.message);
		ek_arena_clear(&check.arena);
		return 2;
	}
	if (is_mode)
		ek_check_mode(&check);
	else
		ek_check_registry(&check);
	ek_arena_clear(&check.arena);
	return check.n_failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct ek_plugin *plugin;
	struct arguments arguments;
	struct ek_error err = EK_ERROR_INIT;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_help(stdout);
		return 0;
	}
	if (!read_arguments(argc, argv, &arguments)) {
		print_help(stderr);
		return 2;
	}
	if (load(arguments.file, &plugin, &err) != EK_OK) {
		printf("FAIL load: %s\n", err.message);
		return err.reason[0] ? 1 : 2;
	}
	return check_plugin(plugin, &arguments);
}
