/* SPDX-License-Identifier: Apache-2.0 */
/* Changes the working directory of the process. */
#define VICE CHANGES_DIRECTORY
#include "unruly_registry.h"

EK_PLUGIN_DEFINE(unrulychangesdirectory, REGISTRY, .version = "1.0.0", .ops = &ops);
