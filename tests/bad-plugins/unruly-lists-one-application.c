/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the first of the applications that it is asked for. */
#define VICE LISTS_ONE_APPLICATION
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulylistsoneapplication, REGISTRY, .version = "1.0.0", .ops = &ops);
