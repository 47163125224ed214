/* SPDX-License-Identifier: Apache-2.0 */
/* Hands over results that do not know their size. */
#define VICE FORGETS_SIZES
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyforgetssizes, REGISTRY, .version = "1.0.0", .ops = &ops);
