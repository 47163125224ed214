/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modes of the configuration: loads each one's plugin, resolves its options, makes its instance. A mode that cannot be used keeps the reason, and only the
 * syncers that name it are affected. Read evaluate.c next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plugin/options.h"
#include "sync/engine.h"

static int create_mode(struct ek_engine *engine, struct ek_sync_mode *mode, struct ek_error *err)
{
	const struct ek_option_value *const *options;
	uint32_t n_options;
	char what[128];
	int code = EK_OK;

	if (mode->config->has_rollout)
		return ek_fail_reason(err, EK_INVALID, "NotYetSupported", "modes.%.60s.rollout: this version serves only stage Off", mode->config->name);
	mode->library = ek_catalog_load(engine->with.catalog, mode->config->plugin, mode->config->sha256, EK_PLUGIN_MODE, err);
	if (!mode->library)
		return EK_INVALID;
	mode->ops = mode->library->plugin->ops;
	snprintf(what, sizeof(what), "modes.%.60s.options", mode->config->name);
	code = ek_options_resolve(mode->library->plugin->options, mode->config->options, what, &mode->arena, &options, &n_options, err);
	if (code != EK_OK)
		return code;
	mode->services = ek_services_new(engine->loop, engine->with.http,
	                                 &(struct ek_services_config){ .name = mode->name, .library = mode->library,
	                                                               .options = options, .n_options = n_options });
	ek_services_enter(mode->services);
	if (mode->ops->create)
		code = mode->ops->create(ek_services_host(mode->services), options, n_options, &mode->self, err);
	mode->reads = mode->ops->reads;
	if (code == EK_OK && mode->ops->reads_of)
		mode->reads = mode->ops->reads_of(mode->self);
	ek_services_leave(mode->services);
	if (code == EK_OK && (mode->reads & (EK_READS_PODS | EK_READS_NODES)))
		return ek_fail_reason(err, EK_INVALID, "NotYetSupported", "mode %.60s reads pods or nodes, which this version does not watch", mode->config->name);
	return code;
}

struct ek_sync_mode *ek_mode_new(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_mode *entry)
{
	struct ek_sync_mode *mode = ek_xcalloc(1, sizeof(*mode));

	mode->config = entry;
	mode->origin = config;
	ek_arena_init(&mode->arena);
	snprintf(mode->name, sizeof(mode->name), "mode %.60s", entry->name);
	if (create_mode(engine, mode, &mode->problem) != EK_OK)
		mode->library = NULL;
	return mode;
}

void ek_mode_free(struct ek_sync_mode *mode)
{
	if (!mode)
		return;
	if (mode->self && mode->ops->destroy)
		mode->ops->destroy(mode->self);
	if (mode->services)
		ek_services_free(mode->services);
	ek_arena_clear(&mode->arena);
	free(mode);
}

void ek_modes_create(struct ek_engine *engine)
{
	const struct ek_config *config = engine->with.config;

	engine->modes = ek_xcalloc(config->n_modes + 1, sizeof(struct ek_sync_mode *));
	engine->n_modes = config->n_modes;
	for (unsigned i = 0; i < config->n_modes; i++) {
		engine->modes[i] = ek_mode_new(engine, config, &config->modes[i]);
		if (!engine->modes[i]->library)
			EK_ERROR(&engine->log, "mode cannot be used", EK_S("mode", config->modes[i].name), EK_E(&engine->modes[i]->problem));
	}
}

void ek_modes_destroy(struct ek_engine *engine)
{
	for (unsigned i = 0; i < engine->n_modes; i++)
		ek_mode_free(engine->modes[i]);
	free(engine->modes);
	engine->modes = NULL;
	engine->n_modes = 0;
}
