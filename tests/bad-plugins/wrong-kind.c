/* SPDX-License-Identifier: Apache-2.0 */
/* Says it is of a kind that nobody knows. */
#include <eurekube/mode.h>

#define EK_PLUGIN_WEATHER 7

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(weather, WEATHER, .version = "1.0.0", .ops = &ops);
