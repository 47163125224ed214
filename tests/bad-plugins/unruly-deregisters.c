/* SPDX-License-Identifier: Apache-2.0 */
/* Empties its registry when one of its instances is closed. */
#define VICE DEREGISTERS
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulyderegisters, REGISTRY, .version = "1.0.0", .ops = &ops);
