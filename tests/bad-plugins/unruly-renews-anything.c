/* SPDX-License-Identifier: Apache-2.0 */
/* Renews what is not there. */
#define VICE RENEWS_ANYTHING
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulyrenewsanything, REGISTRY, .version = "1.0.0", .ops = &ops);
