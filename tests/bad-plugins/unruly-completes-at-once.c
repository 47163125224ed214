/* SPDX-License-Identifier: Apache-2.0 */
/* Completes an operation inside apply. */
#define VICE COMPLETES_AT_ONCE
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulycompletesatonce, REGISTRY, .version = "1.0.0", .ops = &ops);
