/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option declarations against a document: checks names, types, bounds and required ones, fills defaults, and gives the values that a plugin
 * receives. Pure.
 */
#ifndef EK_PLUGIN_OPTIONS_H
#define EK_PLUGIN_OPTIONS_H

#include <eurekube/plugin.h>

#include "base/value.h"

/*
 * `declared` NULL-ended or NULL; `given` a map, NULL or null for none. Values are made in `arena` (one per declaration, in order). EK_INVALID names the option,
 * where it stands (line and column when known), what was expected, and which options there are for an unknown one. `what` begins messages ("registries.main.options").
 */
int ek_options_resolve(const struct ek_option *const *declared, const struct ek_value *given, const char *what, struct ek_arena *arena,
                       const struct ek_option_value *const **values, uint32_t *n_values, struct ek_error *err);

/* Whether the declarations themselves make sense (used when a descriptor is checked). */
int ek_options_check(const struct ek_option *const *declared, struct ek_error *err);

#endif
