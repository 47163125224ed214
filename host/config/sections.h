/* SPDX-License-Identifier: Apache-2.0 */
/* sections.h - the readers of the document's parts; each takes the value under one key of the root into the struct ek_config that is its target. */
#ifndef EK_CONFIG_SECTIONS_H
#define EK_CONFIG_SECTIONS_H

#include "config/config.h"
#include "config/fields.h"

/* read_plugins.c */
int ek_config_read_modes(const struct ek_place *place, void *target);
int ek_config_read_registries(const struct ek_place *place, void *target);

/* read_rules.c */
int ek_config_read_endpoints(const struct ek_place *place, void *target);
int ek_config_read_grants(const struct ek_place *place, void *target);
int ek_config_read_names(const struct ek_place *place, void *target);
int ek_config_read_guard(const struct ek_place *place, void *target);

#endif
