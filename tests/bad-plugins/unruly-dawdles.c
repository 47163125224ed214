/* SPDX-License-Identifier: Apache-2.0 */
/* Waits longer for its registry than its operations may take. */
#define VICE DAWDLES
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulydawdles, REGISTRY, .version = "1.0.0", .ops = &ops);
