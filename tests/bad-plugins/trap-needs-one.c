/* SPDX-License-Identifier: Apache-2.0 */
/* It brings version one of its library, by a search path of its own. */
#include "trap_needs.h"

EK_PLUGIN_DEFINE(needsone, MODE, .version = "1.0.0", .ops = &ops);
