/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for an option that it does not declare. */
#define VICE ASKS_FOR_ANY_OPTION
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyasksforanyoption, REGISTRY, .version = "1.0.0", .ops = &ops);
