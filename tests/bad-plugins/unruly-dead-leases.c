/* SPDX-License-Identifier: Apache-2.0 */
/* Wants leases renewed when they are over. */
#define VICE DEAD_LEASES
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulydeadleases, REGISTRY, .version = "1.0.0", .ops = &ops);
