/* SPDX-License-Identifier: Apache-2.0 */
/* Gives back what was put without its metadata. */
#define VICE FORGETS_MARKS
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulyforgetsmarks, REGISTRY, .version = "1.0.0", .ops = &ops);
