/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks the host while it begins a list. */
#define VICE SLEEPS
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulysleeps, REGISTRY, .version = "1.0.0", .ops = &ops);
