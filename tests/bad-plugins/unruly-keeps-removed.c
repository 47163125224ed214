/* SPDX-License-Identifier: Apache-2.0 */
/* Lists what was removed. */
#define VICE KEEPS_REMOVED
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulykeepsremoved, REGISTRY, .version = "1.0.0", .ops = &ops);
