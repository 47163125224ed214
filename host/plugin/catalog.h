/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All plugins of this process, by digest: one digest is mapped at most once, at most 32 in all, none is ever unmapped. Statically linked plugins
 * (tests, sanitizers) are added by ek_catalog_add_static under a file name and then found like files.
 */
#ifndef EK_PLUGIN_CATALOG_H
#define EK_PLUGIN_CATALOG_H

#include "plugin/loader.h"

struct ek_catalog;

/* The section `plugins` of the configuration: which files may become plugins. */
struct ek_plugin_rules {
	const char *directory;
	bool require_digest;           /* each with its sha256 in the configuration */
	bool read_only_directory;      /* mapped where they lie, which must be mounted read-only, instead of from memory files */
};

struct ek_library {
	const struct ek_plugin *plugin;
	char digest[EK_DIGEST_MAX];    /* "static" for static ones */
	char file[256];                /* the name it was first loaded by */
	char label[80];                /* "eureka/0.1.0" */
};

struct ek_catalog *ek_catalog_new(const struct ek_plugin_rules *rules);
void ek_catalog_free(struct ek_catalog *catalog);          /* forgets; mappings stay */
void ek_catalog_set_rules(struct ek_catalog *catalog, const struct ek_plugin_rules *rules); /* for what is loaded from now on */
void ek_catalog_add_static(struct ek_catalog *catalog, const char *file, const struct ek_plugin *plugin);

/* Finds or loads. The library lives as long as the catalog. */
const struct ek_library *ek_catalog_load(struct ek_catalog *catalog, const char *file, const char *sha256, enum ek_plugin_kind kind, struct ek_error *err);
unsigned ek_catalog_count(const struct ek_catalog *catalog);
const struct ek_library *ek_catalog_at(const struct ek_catalog *catalog, unsigned i);

#endif
