/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin directory of a test's own, and files in it: those that tests/bad-plugins are built into, as they are or changed byte by byte.
 *
 *     plugin_put("decent");
 *     assert_int_equal(plugin_load("decent.so", NULL, EK_PLUGIN_MODE, &plugin, &err), EK_OK);
 */
#ifndef EK_KIT_PLUGIN_DIR_H
#define EK_KIT_PLUGIN_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "plugin/catalog.h"

extern char plugin_dir[64];

/* For cmocka_unit_test_setup_teardown; PLUGIN_CASE(test) is that. */
int plugin_dir_make(void **state);
int plugin_dir_remove(void **state);
#define PLUGIN_CASE(name) cmocka_unit_test_setup_teardown(name, plugin_dir_make, plugin_dir_remove)

const char *plugin_built(const char *name);              /* where NAME.so was built; valid until the next call */
const char *plugin_path(const char *file);               /* inside the directory; valid for two calls */
struct ek_buf *plugin_bytes(const char *name);           /* of the built one; valid, and may be changed, until the next call */
void plugin_put_bytes(const char *file, const void *bytes, size_t n, mode_t mode);
void plugin_put(const char *name);                       /* the built one, as NAME.so */
const char *plugin_digest(const char *file);             /* "sha256:..." of a file in the directory; valid until the next call */

/* Opens and maps a file of the directory, without a catalog. */
int plugin_load(const char *file, const char *sha256, enum ek_plugin_kind kind, const struct ek_plugin **plugin, struct ek_error *err);
struct ek_catalog *plugin_catalog(bool require_digest);  /* of the directory */
const struct ek_library *plugin_catalog_load(struct ek_catalog *catalog, const char *file, enum ek_plugin_kind kind, struct ek_error *err);

/* Whether something has touched the file "marker", which constructors and destructors find by EK_TEST_MARKER. */
bool plugin_is_marked(void);

#endif
