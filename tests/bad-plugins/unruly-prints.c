/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to standard output. */
#define VICE PRINTS
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyprints, REGISTRY, .version = "1.0.0", .ops = &ops);
