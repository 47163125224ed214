/* SPDX-License-Identifier: Apache-2.0 */
/* Says that an operation succeeded although nobody answered. */
#define VICE CALLS_IT_DONE
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulycallsitdone, REGISTRY, .version = "1.0.0", .ops = &ops);
