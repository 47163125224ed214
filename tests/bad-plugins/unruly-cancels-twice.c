/* SPDX-License-Identifier: Apache-2.0 */
/* Completes what is cancelled, and completes it again. */
#define VICE CANCELS_TWICE
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulycancelstwice, REGISTRY, .version = "1.0.0", .ops = &ops);
