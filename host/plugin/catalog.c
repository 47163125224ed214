/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers which libraries are there, and maps each digest once for the whole process, however often it is asked for.
 * It neither reads files nor judges them; a library that was mapped and then refused is remembered too, with the refusal.
 * Read next: loader.c for how a file becomes a library.
 */
#include "plugin/catalog.h"

#include "base/alloc.h"
#include "plugin/descriptor.h"
#include "plugin/refuse.h"

#include <stdlib.h>
#include <string.h>

#define MAPPINGS_MAX 32

/* A digest that the process has mapped: for ever, so it belongs to no catalog. */
struct mapping {
	char digest[EK_DIGEST_MAX];
	const struct ek_plugin *plugin;   /* NULL: refused after it was mapped */
	struct ek_error refusal;
	int fd;                           /* of its memory file; never closed */
};

static struct mapping mappings[MAPPINGS_MAX];
static unsigned n_mappings;

struct ek_catalog {
	struct ek_plugin_rules rules;
	char *directory;                  /* that of the rules */
	unsigned n;
	struct ek_library **libraries;
};

struct ek_catalog *ek_catalog_new(const struct ek_plugin_rules *rules)
{
	struct ek_catalog *catalog = ek_xcalloc(1, sizeof(*catalog));

	ek_catalog_set_rules(catalog, rules);
	return catalog;
}

void ek_catalog_free(struct ek_catalog *catalog)
{
	if (!catalog)
		return;
	for (unsigned i = 0; i < catalog->n; i++)
		free(catalog->libraries[i]);
	free(catalog->libraries);
	free(catalog->directory);
	free(catalog);
}

void ek_catalog_set_rules(struct ek_catalog *catalog, const struct ek_plugin_rules *rules)
{
	char *directory = ek_xstrdup(rules->directory);

	free(catalog->directory);
	catalog->directory = directory;
	catalog->rules = *rules;
	catalog->rules.directory = directory;
}

unsigned ek_catalog_count(const struct ek_catalog *catalog)
{
	return catalog->n;
}

const struct ek_library *ek_catalog_at(const struct ek_catalog *catalog, unsigned i)
{
	return i < catalog->n ? catalog->libraries[i] : NULL;
}

static const struct ek_library *add_library(struct ek_catalog *catalog, const char *file, const char *digest,
	const struct ek_plugin *plugin)
{
	struct ek_library *library = ek_xcalloc(1, sizeof(*library));

	library->plugin = plugin;
	snprintf(library->digest, sizeof(library->digest), "%s", digest);
	snprintf(library->file, sizeof(library->file), "%s", file);
	snprintf(library->label, sizeof(library->label), "%s/%s", plugin->name, plugin->version);
	catalog->libraries = ek_xrealloc(catalog->libraries, catalog->n + 1, sizeof(*catalog->libraries));
	catalog->libraries[catalog->n++] = library;
	return library;
}

void ek_catalog_add_static(struct ek_catalog *catalog, const char *file, const struct ek_plugin *plugin)
{
	struct ek_error err = EK_ERROR_INIT;

	if (ek_descriptor_check_as(plugin, (enum ek_plugin_kind)0, file, &err) != EK_OK)
		EK_BUG("%s", err.message);
	add_library(catalog, file, "static", plugin);
}

static const struct ek_library *find_static(const struct ek_catalog *catalog, const char *file)
{
	for (unsigned i = 0; i < catalog->n; i++)
		if (!strcmp(catalog->libraries[i]->digest, "static") && !strcmp(catalog->libraries[i]->file, file))
			return catalog->libraries[i];
	return NULL;
}

static const struct ek_library *find_plugin(const struct ek_catalog *catalog, const struct ek_plugin *plugin)
{
	for (unsigned i = 0; i < catalog->n; i++)
		if (catalog->libraries[i]->plugin == plugin)
			return catalog->libraries[i];
	return NULL;
}

/* ---- Mappings ---- */

static struct mapping *find_mapping(const char *digest)
{
	for (unsigned i = 0; i < n_mappings; i++)
		if (!strcmp(mappings[i].digest, digest))
			return &mappings[i];
	return NULL;
}

/* Takes the image's descriptor. NULL when it was refused before it was mapped. */
static struct mapping *map_once(struct ek_image *image, enum ek_plugin_kind kind, struct ek_error *err)
{
	struct ek_error why = EK_ERROR_INIT;
	const struct ek_plugin *plugin = NULL;
	struct mapping *mapping;

	if (n_mappings == MAPPINGS_MAX) {
		ek_refuse(err, image->name, "is one plugin too many: a process maps %d different ones; restart it", MAPPINGS_MAX);
		return NULL;
	}
	if (ek_image_map(image, kind, &plugin, &why) != EK_OK && image->fd >= 0) {
		if (err)
			*err = why;
		return NULL;
	}
	mapping = &mappings[n_mappings++];
	*mapping = (struct mapping){ .plugin = plugin, .refusal = why, .fd = image->fd };
	snprintf(mapping->digest, sizeof(mapping->digest), "%s", image->digest);
	image->fd = -1;
	return mapping;
}

/* ---- Loading ---- */

static const struct ek_library *load_image(struct ek_catalog *catalog, struct ek_image *image, enum ek_plugin_kind kind,
	struct ek_error *err)
{
	struct mapping *mapping = find_mapping(image->digest);
	const struct ek_library *library;

	if (!mapping)
		mapping = map_once(image, kind, err);
	if (!mapping)
		return NULL;
	if (!mapping->plugin) {
		if (err)
			*err = mapping->refusal;
		return NULL;
	}
	if (ek_plugin_kind_check(mapping->plugin->kind, kind, image->name, err) != EK_OK)
		return NULL;
	library = find_plugin(catalog, mapping->plugin);
	return library ? library : add_library(catalog, image->name, mapping->digest, mapping->plugin);
}

static const struct ek_library *take_static(const struct ek_library *library, const char *sha256, enum ek_plugin_kind kind,
	struct ek_error *err)
{
	if (sha256 && sha256[0]) {
		ek_refuse(err, library->file, "is part of this program and has no sha256; leave it out");
		return NULL;
	}
	return ek_plugin_kind_check(library->plugin->kind, kind, library->file, err) == EK_OK ? library : NULL;
}

static int open_image(const struct ek_plugin_rules *rules, const char *file, const char *sha256, struct ek_image *image, struct ek_error *err)
{
	if (rules->require_digest && (!sha256 || !sha256[0]))
		return ek_refuse(err, file, "has no sha256, and plugins.requireDigest is set; `eurekube plugin digest` prints it");
	if (rules->read_only_directory)
		return ek_image_open_in_place(rules->directory, file, sha256, image, err);
	return ek_image_open(rules->directory, file, sha256, image, err);
}

const struct ek_library *ek_catalog_load(struct ek_catalog *catalog, const char *file, const char *sha256,
	enum ek_plugin_kind kind, struct ek_error *err)
{
	const struct ek_library *library = find_static(catalog, file);
	struct ek_image image;

	if (library)
		return take_static(library, sha256, kind, err);
	if (open_image(&catalog->rules, file, sha256, &image, err) != EK_OK)
		return NULL;
	library = load_image(catalog, &image, kind, err);
	ek_image_close(&image);
	return library;
}
