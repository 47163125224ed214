/* SPDX-License-Identifier: Apache-2.0 */
/* Forgets to complete. */
#define VICE NEVER_COMPLETES
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulynevercompletes, REGISTRY, .version = "1.0.0", .ops = &ops);
