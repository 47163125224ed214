/* SPDX-License-Identifier: Apache-2.0 */
/* Asks its registry while it is created. */
#define VICE NEEDS_THE_REGISTRY
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyneedstheregistry, REGISTRY, .version = "1.0.0", .ops = &ops);
