/* SPDX-License-Identifier: Apache-2.0 */
/* A version with a space in it. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(noversion, MODE, .version = "one point nought", .ops = &ops);
