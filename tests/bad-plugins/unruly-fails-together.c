/* SPDX-License-Identifier: Apache-2.0 */
/* Gives all operations of a batch the outcome of the one that failed. */
#define VICE FAILS_TOGETHER
#include "unruly_store.h"

EK_PLUGIN_DEFINE(unrulyfailstogether, REGISTRY, .version = "1.0.0", .ops = &ops);
