/* SPDX-License-Identifier: Apache-2.0 */
/* It needs a library that is called like a sanitizer's run time: the real one would end the process. */
#include "trap_needs.h"

EK_PLUGIN_DEFINE(sanitized, MODE, .version = "1.0.0", .ops = &ops);
