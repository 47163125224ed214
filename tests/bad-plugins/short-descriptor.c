/* build: -Wno-override-init */
/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor of an age in which it had fewer fields. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(shortone, MODE, .version = "1.0.0", .ops = &ops, .size = 24);
