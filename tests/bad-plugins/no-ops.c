/* SPDX-License-Identifier: Apache-2.0 */
/* No operations at all. */
#include <eurekube/plugin.h>

EK_PLUGIN_DEFINE(noops, REGISTRY, .version = "1.0.0");
