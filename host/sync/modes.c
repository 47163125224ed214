/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modes of the configuration: loads the plugin of each version, resolves its options, makes its instance. A version that cannot be used keeps the reason, and
 * only the syncers that need it are affected. Which version serves whom is rollout.c's. Read mode_turn.c next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "plugin/options.h"
#include "sync/complete.h"
#include "sync/conduct.h"
#include "sync/reads.h"

struct ek_mode_source ek_mode_stable_source(const struct ek_config_mode *entry)
{
	return (struct ek_mode_source){ entry->plugin, entry->sha256, entry->options };
}

struct ek_mode_source ek_mode_canary_source(const struct ek_config_mode *entry)
{
	const struct ek_config_rollout *rollout = entry->rollout;

	return (struct ek_mode_source){ rollout->plugin, rollout->sha256, rollout->options ? rollout->options : entry->options };
}

#define EK_READS_KNOWN (EK_READS_SERVICES | EK_READS_ENDPOINTS | EK_READS_PODS | EK_READS_NODES)

/* A create that fails owes a message; a code that there is not counts as EK_PLUGIN. */
static int take_refusal(struct ek_mode_version *version, int code, struct ek_error *err)
{
	char message[sizeof(err->message)];

	version->self = NULL;
	ek_text_copy(message, sizeof(message), err->message);
	if (code < EK_OK || code > EK_CANCELLED || !message[0])
		return ek_completion_blame(version, EK_MISBEHAVIOUR_GARBAGE, err, "failed to start with code %d and did not say why", code);
	return ek_fail(err, code, "%s", message);
}

/* Within the plugin's own calls: what this instance reads. */
static const struct ek_resource_read *const *ask_reads(struct ek_mode_version *version, uint32_t *n)
{
	const struct ek_mode_ops *ops = version->ops;

	*n = 0;
	version->reads = ops->reads_of ? ops->reads_of(version->self) : ops->reads;
	return EK_HAS(ops, resources_of) && ops->resources_of ? ops->resources_of(version->self, n) : NULL;
}

static int create(struct ek_engine *engine, struct ek_mode_version *version, const char *mode, const struct ek_mode_source *source, struct ek_error *err)
{
	const struct ek_resource_read *const *resources = NULL;
	const struct ek_option_value *const *options;
	uint32_t n_options, n_resources = 0;
	char what[128];
	int code = EK_OK;
	bool is_made;

	version->library = ek_engine_load(engine, source->file, source->sha256, EK_PLUGIN_MODE, err);
	if (!version->library)
		return EK_INVALID;
	version->ops = version->library->plugin->ops;
	snprintf(what, sizeof(what), "modes.%.60s.options", mode);
	code = ek_options_resolve(version->library->plugin->options, source->options, what, &version->arena, &options, &n_options, err);
	if (code != EK_OK)
		return code;
	version->services = ek_services_new(engine->loop, engine->with.http,
	                                    &(struct ek_services_config){
		                                    .name = version->name, .library = version->library, .options = options, .n_options = n_options,
		                                    .misbehaviours = ek_conduct_of(engine, version->library->label, version->name) });
	ek_services_enter(version->services);
	if (version->ops->create)
		code = version->ops->create(ek_services_host(version->services), options, n_options, &version->self, err);
	is_made = code == EK_OK && (version->self || !version->ops->create);
	if (is_made)
		resources = ask_reads(version, &n_resources);
	ek_services_leave(version->services);
	if (code != EK_OK)
		return take_refusal(version, code, err);
	if (!is_made)
		return ek_completion_blame(version, EK_MISBEHAVIOUR_GARBAGE, err, "started without an instance");
	if (version->reads & ~(uint32_t)EK_READS_KNOWN)
		return ek_completion_blame(version, EK_MISBEHAVIOUR_GARBAGE, err, "reads what this host does not know (0x%x)", version->reads);
	return ek_reads_begin(engine, version, resources, n_resources, err);
}

struct ek_mode_version *ek_mode_version_new(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_mode *entry,
                                            const struct ek_mode_source *source)
{
	struct ek_mode_version *version = ek_xcalloc(1, sizeof(*version));

	version->origin = config;
	version->given = source->options;
	ek_arena_init(&version->arena);
	snprintf(version->name, sizeof(version->name), "mode %.60s", entry->name);
	if (create(engine, version, entry->name, source, &version->problem) != EK_OK)
		version->library = NULL;
	return version;
}

void ek_mode_version_free(struct ek_mode_version *version)
{
	if (!version)
		return;
	ek_reads_end(version);
	if (version->self && version->ops->destroy) {
		ek_services_enter(version->services);
		version->ops->destroy(version->self);
		ek_services_leave(version->services);
	}
	if (version->services)
		ek_services_free(version->services);
	ek_arena_clear(&version->arena);
	free(version->completion);
	free(version);
}

static struct ek_mode_version *version_at_start(struct ek_engine *engine, const struct ek_config_mode *entry, const struct ek_mode_source *source)
{
	struct ek_mode_version *version = ek_mode_version_new(engine, engine->with.config, entry, source);

	if (!version->library)
		EK_ERROR(&engine->log, "mode cannot be used", EK_S("mode", entry->name), EK_S("plugin", source->file), EK_E(&version->problem));
	return version;
}

void ek_modes_create(struct ek_engine *engine)
{
	const struct ek_config *config = engine->with.config;

	engine->modes = ek_xcalloc(config->n_modes + 1, sizeof(struct ek_sync_mode *));
	engine->n_modes = config->n_modes;
	for (unsigned i = 0; i < config->n_modes; i++) {
		const struct ek_config_mode *entry = &config->modes[i];
		struct ek_sync_mode *mode = engine->modes[i] = ek_xcalloc(1, sizeof(*mode));
		struct ek_mode_source source = ek_mode_stable_source(entry);

		mode->config = entry;
		mode->stable = version_at_start(engine, entry, &source);
		if (!entry->rollout)
			continue;
		source = ek_mode_canary_source(entry);
		mode->canary = version_at_start(engine, entry, &source);
	}
}

void ek_modes_destroy(struct ek_engine *engine)
{
	for (unsigned i = 0; i < engine->n_modes; i++) {
		ek_mode_version_free(engine->modes[i]->stable);
		ek_mode_version_free(engine->modes[i]->canary);
		free(engine->modes[i]);
	}
	free(engine->modes);
	engine->modes = NULL;
	engine->n_modes = 0;
}
