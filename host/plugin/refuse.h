/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse.h - how this folder says no to a plugin: "NAME: why; what to do", with the reason PluginUnavailable. What stands in a file is not to be trusted, so
 * control characters become '?'.
 */
#ifndef EK_PLUGIN_REFUSE_H
#define EK_PLUGIN_REFUSE_H

#include <eurekube/error.h>

/* Fills `err` and returns EK_INVALID. */
EK_PRINTF(3, 4) int ek_refuse(struct ek_error *err, const char *name, const char *format, ...);

/* The same for a message that a deeper call has written without a name. */
int ek_refuse_because(struct ek_error *err, const char *name, const struct ek_error *why);

#endif
