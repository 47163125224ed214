/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a descriptor: sizes, versions, names, options, and that every mandatory operation is there.
 * It calls nothing that the descriptor points to; what the operations do is for eurekube-plugin-check to find out.
 * Read next: eurekube/plugin.h, then mode.h and registry.h for what is mandatory.
 */
#include "plugin/descriptor.h"

#include <eurekube/mode.h>
#include <eurekube/registry.h>

#include "plugin/loader.h"
#include "plugin/options.h"
#include "plugin/refuse.h"

#include <stdbool.h>
#include <string.h>

#define NAME_MAX_BYTES    32
#define VERSION_MAX_BYTES 31

/* ---- Kind ---- */

static const char *kind_name(uint32_t kind)
{
	if (kind == EK_PLUGIN_MODE)
		return "mode";
	return kind == EK_PLUGIN_REGISTRY ? "registry" : "unknown kind of";
}

int ek_plugin_kind_check(uint32_t is, enum ek_plugin_kind wanted, const char *name, struct ek_error *err)
{
	if (is != EK_PLUGIN_MODE && is != EK_PLUGIN_REGISTRY)
		return ek_refuse(err, name, "says it is of kind %u; a plugin is a MODE or a REGISTRY", is);
	if (wanted && is != (uint32_t)wanted)
		return ek_refuse(err, name, "is a %s plugin, but a %s plugin is needed here", kind_name(is), kind_name(wanted));
	return EK_OK;
}

/* ---- Operations ---- */

struct slot {
	const char *name;
	bool is_missing;
};

/* "create, traits and list" */
static void name_missing(const struct slot *slots, unsigned n, char *text, size_t size)
{
	unsigned n_missing = 0, n_named = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		n_missing += slots[i].is_missing;
	for (unsigned i = 0; i < n; i++) {
		size_t at = strlen(text);

		if (!slots[i].is_missing)
			continue;
		snprintf(text + at, size - at, "%s%s", n_named == 0 ? "" : n_named + 1 == n_missing ? " and " : ", ", slots[i].name);
		n_named++;
	}
}

static int check_slots(const struct slot *slots, unsigned n, const char *kind, const char *name, struct ek_error *err)
{
	char missing[160];

	name_missing(slots, n, missing, sizeof(missing));
	if (!missing[0])
		return EK_OK;
	return ek_refuse(err, name, "lacks %s in its %s operations; they are mandatory", missing, kind);
}

static int check_ops_size(uint32_t is, size_t wanted, const char *kind, const char *name, struct ek_error *err)
{
	if (is >= wanted)
		return EK_OK;
	return ek_refuse(err, name, "has %s operations of %u bytes, but ABI %d.%d has %zu; set .size to sizeof", kind, is,
		EK_ABI_MAJOR, EK_ABI_MINOR, wanted);
}

static int check_mode(const struct ek_mode_ops *ops, const char *name, struct ek_error *err)
{
	int code = check_ops_size(ops->size, sizeof(*ops), "mode", name, err);
	const struct slot slots[] = {
		{ "destroy", code == EK_OK && ops->create && !ops->destroy },
		{ "create (there is a destroy)", code == EK_OK && ops->destroy && !ops->create },
		{ "desired", code == EK_OK && !ops->desired },
	};

	return code != EK_OK ? code : check_slots(slots, sizeof(slots) / sizeof(slots[0]), "mode", name, err);
}

static int check_registry(const struct ek_registry_ops *ops, const char *name, struct ek_error *err)
{
	int code = check_ops_size(ops->size, sizeof(*ops), "registry", name, err);
	const struct slot slots[] = {
		{ "create", code == EK_OK && !ops->create },
		{ "close", code == EK_OK && !ops->close },
		{ "traits", code == EK_OK && !ops->traits },
		{ "apply", code == EK_OK && !ops->apply },
		{ "list", code == EK_OK && !ops->list },
	};

	return code != EK_OK ? code : check_slots(slots, sizeof(slots) / sizeof(slots[0]), "registry", name, err);
}

static int check_ops(const struct ek_plugin *plugin, const char *name, struct ek_error *err)
{
	if (!plugin->ops)
		return ek_refuse(err, name, "has no operations; set .ops");
	return plugin->kind == EK_PLUGIN_MODE ? check_mode(plugin->ops, name, err) : check_registry(plugin->ops, name, err);
}

/* ---- Names and options ---- */

static bool is_plugin_name(const char *name)
{
	size_t n;

	if (!name || name[0] < 'a' || name[0] > 'z')
		return false;
	n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return name[n] == '\0' && n <= NAME_MAX_BYTES;
}

static bool is_version(const char *version)
{
	size_t n = 0;

	while (version && version[n] > 0x20 && version[n] < 0x7f)
		n++;
	return n && n <= VERSION_MAX_BYTES && version[n] == '\0';
}

static int check_texts(const struct ek_plugin *plugin, const char *name, struct ek_error *err)
{
	if (!is_plugin_name(plugin->name))
		return ek_refuse(err, name, "calls itself \"%.40s\"; a plugin's name is [a-z][a-z0-9-]{0,31}",
			plugin->name ? plugin->name : "");
	if (!is_version(plugin->version))
		return ek_refuse(err, name, "has no proper version; set .version to 1 to 31 printable characters without spaces");
	return EK_OK;
}

static int check_options(const struct ek_plugin *plugin, const char *name, struct ek_error *err)
{
	struct ek_error why = EK_ERROR_INIT;

	if (ek_options_check(plugin->options, &why) != EK_OK)
		return ek_refuse(err, name, "declares options that cannot be used: %s", why.message);
	if (ek_options_check(plugin->instance_options, &why) != EK_OK)
		return ek_refuse(err, name, "declares instance options that cannot be used: %s", why.message);
	return EK_OK;
}

int ek_descriptor_check_as(const struct ek_plugin *plugin, enum ek_plugin_kind kind, const char *name, struct ek_error *err)
{
	int code;

	if (plugin->size < sizeof(*plugin))
		return ek_refuse(err, name, "has a descriptor of %u bytes, but ABI %d.%d has %zu; define it by EK_PLUGIN_DEFINE",
			plugin->size, EK_ABI_MAJOR, EK_ABI_MINOR, sizeof(*plugin));
	if (plugin->abi_major != EK_ABI_MAJOR || plugin->abi_minor != EK_ABI_MINOR)
		return ek_refuse(err, name, "host speaks ABI %d.%d, the descriptor says %u.%u; define it by EK_PLUGIN_DEFINE", EK_ABI_MAJOR,
			EK_ABI_MINOR, plugin->abi_major, plugin->abi_minor);
	code = ek_plugin_kind_check(plugin->kind, kind, name, err);
	if (code == EK_OK)
		code = check_texts(plugin, name, err);
	if (code == EK_OK)
		code = check_ops(plugin, name, err);
	if (code == EK_OK)
		code = check_options(plugin, name, err);
	return code;
}

int ek_descriptor_check(const struct ek_plugin *plugin, enum ek_plugin_kind kind, struct ek_error *err)
{
	return ek_descriptor_check_as(plugin, kind, plugin->size >= sizeof(*plugin) && plugin->name ? plugin->name : "plugin", err);
}
