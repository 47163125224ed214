/* SPDX-License-Identifier: Apache-2.0 */
/* Completes every operation twice. */
#define VICE COMPLETES_TWICE
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulycompletestwice, REGISTRY, .version = "1.0.0", .ops = &ops);
