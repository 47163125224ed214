/* SPDX-License-Identifier: Apache-2.0 */
/* A mode that creates instances and cannot destroy them. */
#include <eurekube/mode.h>

static int create(const struct ek_host *host, const struct ek_option_value *const *options, uint32_t n_options, void **self,
	struct ek_error *err)
{
	*self = NULL;
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .create = create };

EK_PLUGIN_DEFINE(nodestroy, MODE, .version = "1.0.0", .ops = &ops);
