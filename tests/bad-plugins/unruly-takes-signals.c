/* SPDX-License-Identifier: Apache-2.0 */
/* Has a thread that takes the signals of the process. */
#define VICE TAKES_SIGNALS
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulytakessignals, REGISTRY, .version = "1.0.0", .ops = &ops);
