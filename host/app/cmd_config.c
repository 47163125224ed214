/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a configuration as `run` would, loads the plugins it names and resolves their options, and says what is wrong. It contacts nobody. Read config/config.c next.
 */
#include "app/cmd_config.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "io/file.h"
#include "plugin/options.h"

static int check_plugin(struct ek_catalog *catalog, const char *what, const char *name, const char *file, const char *sha256, enum ek_plugin_kind kind,
                        const struct ek_value *given, struct ek_arena *arena)
{
	const struct ek_option_value *const *values;
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_library *library = ek_catalog_load(catalog, file, sha256, kind, &err);
	uint32_t n;
	char place[128];

	snprintf(place, sizeof(place), "%s.%.60s.options", what, name);
	if (library && ek_options_resolve(library->plugin->options, given, place, arena, &values, &n, &err) == EK_OK) {
		printf("ok    %s %s: %s %s\n", what, name, library->label, library->digest);
		return 0;
	}
	printf("FAIL  %s %s: %s\n", what, name, err.message);
	return 1;
}

static int check_mode(struct ek_catalog *catalog, const struct ek_config_mode *mode, struct ek_arena *arena)
{
	const struct ek_config_rollout *rollout = mode->rollout;
	int n_failed = check_plugin(catalog, "modes", mode->name, mode->plugin, mode->sha256, EK_PLUGIN_MODE, mode->options, arena);
	char name[80];

	if (!rollout)
		return n_failed;
	snprintf(name, sizeof(name), "%.60s.rollout", mode->name);
	return n_failed + check_plugin(catalog, "modes", name, rollout->plugin, rollout->sha256, EK_PLUGIN_MODE,
	                               rollout->options ? rollout->options : mode->options, arena);
}

static int check(const struct ek_config *config)
{
	struct ek_catalog *catalog = ek_catalog_new(&config->plugins);
	struct ek_arena arena;
	int n_failed = 0;

	ek_arena_init(&arena);
	for (unsigned i = 0; i < config->n_modes; i++)
		n_failed += check_mode(catalog, &config->modes[i], &arena);
	for (unsigned i = 0; i < config->n_registries; i++)
		n_failed += check_plugin(catalog, "registries", config->registries[i].name, config->registries[i].plugin, config->registries[i].sha256,
		                         EK_PLUGIN_REGISTRY, config->registries[i].options, &arena);
	ek_arena_clear(&arena);
	ek_catalog_free(catalog);
	return n_failed ? 1 : 0;
}

int ek_cmd_config(int argc, char **argv)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_config *config;
	struct ek_buf bytes;
	int status = 1;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts("Usage: eurekube config check FILE\n\nSays whether FILE would be taken as configuration; loads the plugins it names.\n\n"
		     "Example:\n  eurekube config check eurekube.yaml\n\nExit codes: 0 good, 1 not, 2 wrong usage.");
		return 0;
	}
	if (argc != 3 || strcmp(argv[1], "check") != 0) {
		fputs("eurekube config: use eurekube config check FILE\n", stderr);
		return 2;
	}
	ek_buf_init(&bytes, 1u << 20);
	if (ek_file_read(argv[2], &bytes, &err) == EK_OK && ek_config_read(bytes.at, bytes.n, &config, &err) == EK_OK) {
		status = check(config);
		ek_config_free(config);
	} else {
		printf("FAIL  %s: %s\n", argv[2], err.message);
	}
	ek_buf_clear(&bytes);
	return status;
}
