/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves a timer behind. */
#define VICE LEAVES_A_TIMER
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyleavesatimer, REGISTRY, .version = "1.0.0", .ops = &ops);
