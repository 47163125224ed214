/* SPDX-License-Identifier: Apache-2.0 */
/* Takes four thousand entries and no more. */
#define VICE FULL_AT_THOUSANDS
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulyfullatthousands, REGISTRY, .version = "1.0.0", .ops = &ops);
