/* SPDX-License-Identifier: Apache-2.0 */
/* A registry that lacks most of what is mandatory. */
#include <eurekube/registry.h>

static void apply(void *self, const struct ek_op *const *operations, uint32_t n_operations)
{
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
}

static const struct ek_registry_ops ops = { .size = sizeof(ops), .apply = apply, .list = list };

EK_PLUGIN_DEFINE(missingslots, REGISTRY, .version = "1.0.0", .ops = &ops);
