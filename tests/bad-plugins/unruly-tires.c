/* SPDX-License-Identifier: Apache-2.0 */
/* Loses every operation after the first five thousand. */
#define VICE TIRES
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulytires, REGISTRY, .version = "1.0.0", .ops = &ops);
