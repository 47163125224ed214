/* SPDX-License-Identifier: Apache-2.0 */
/* Forgets an operation whose request the host refused. */
#define VICE LOSES_REFUSED
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulylosesrefused, REGISTRY, .version = "1.0.0", .ops = &ops);
