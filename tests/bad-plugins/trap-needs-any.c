/* SPDX-License-Identifier: Apache-2.0 */
/* It takes its library from wherever the system, or the process, has it. */
#include "trap_needs.h"

EK_PLUGIN_DEFINE(needsany, MODE, .version = "1.0.0", .ops = &ops);
