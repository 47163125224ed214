/* SPDX-License-Identifier: Apache-2.0 */
/* Frees no instance. */
#define VICE LEAKS
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyleaks, REGISTRY, .version = "1.0.0", .ops = &ops);
