/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves a thread behind. */
#define VICE LEAVES_THREADS
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulyleavesthreads, REGISTRY, .version = "1.0.0", .ops = &ops);
