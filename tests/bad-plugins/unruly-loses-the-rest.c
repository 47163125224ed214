/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out the first operation of a batch and forgets the others. */
#define VICE LOSES_THE_REST
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulylosestherest, REGISTRY, .version = "1.0.0", .ops = &ops);
