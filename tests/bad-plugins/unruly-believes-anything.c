/* SPDX-License-Identifier: Apache-2.0 */
/* Takes an error for a success and a web page for an empty registry. */
#define VICE BELIEVES_ANYTHING
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulybelievesanything, REGISTRY, .version = "1.0.0", .ops = &ops);
