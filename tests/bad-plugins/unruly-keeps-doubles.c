/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a second entry of a second PUT. */
#define VICE KEEPS_DOUBLES
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulykeepsdoubles, REGISTRY, .version = "1.0.0", .ops = &ops);
