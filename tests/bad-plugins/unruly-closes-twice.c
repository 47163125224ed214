/* SPDX-License-Identifier: Apache-2.0 */
/* Says twice that it is closed. */
#define VICE CLOSES_TWICE
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyclosestwice, REGISTRY, .version = "1.0.0", .ops = &ops);
