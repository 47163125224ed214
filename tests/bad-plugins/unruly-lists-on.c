/* SPDX-License-Identifier: Apache-2.0 */
/* Goes on listing when the host has enough, and calls the list complete. */
#define VICE LISTS_ON
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulylistson, REGISTRY, .version = "1.0.0", .ops = &ops);
