/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a registry that it cannot reach for an empty one. */
#define VICE LISTS_NOTHING
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulylistsnothing, REGISTRY, .version = "1.0.0", .ops = &ops);
