/* SPDX-License-Identifier: Apache-2.0 */
/* Finds every registry well. */
#define VICE PROBES_BLINDLY
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyprobesblindly, REGISTRY, .version = "1.0.0", .ops = &ops);
