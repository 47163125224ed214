/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h - the parts of the loader's checks that loader and catalog share. Whether a descriptor is what plugin.h, mode.h and registry.h say. Pure.
 */
#ifndef EK_PLUGIN_DESCRIPTOR_H
#define EK_PLUGIN_DESCRIPTOR_H

#include <stdint.h>

#include <eurekube/error.h>
#include <eurekube/plugin.h>

/* `name` begins the message. wanted 0: any. EK_OK or EK_INVALID. */
int ek_plugin_kind_check(uint32_t is, enum ek_plugin_kind wanted, const char *name, struct ek_error *err);
int ek_descriptor_check_as(const struct ek_plugin *plugin, enum ek_plugin_kind kind, const char *name, struct ek_error *err);

#endif
