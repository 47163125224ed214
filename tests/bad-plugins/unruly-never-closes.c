/* SPDX-License-Identifier: Apache-2.0 */
/* Never says that it is closed. */
#define VICE NEVER_CLOSES
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulynevercloses, REGISTRY, .version = "1.0.0", .ops = &ops);
