/* SPDX-License-Identifier: Apache-2.0 */
/* It brings version two of its library, by a search path of its own. */
#include "trap_needs.h"

EK_PLUGIN_DEFINE(needstwo, MODE, .version = "1.0.0", .ops = &ops);
