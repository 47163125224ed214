/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a file in every create and closes none. */
#define VICE KEEPS_DESCRIPTORS
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulykeepsdescriptors, REGISTRY, .version = "1.0.0", .ops = &ops);
