/* SPDX-License-Identifier: Apache-2.0 */
/* Says that it has set a status, and has not. */
#define VICE IGNORES_STATUS
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulyignoresstatus, REGISTRY, .version = "1.0.0", .ops = &ops);
