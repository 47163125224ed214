/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses a value of an option that it declares, and does not say why. */
#define VICE REFUSES_SILENTLY
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyrefusessilently, REGISTRY, .version = "1.0.0", .options = options, .ops = &ops);
