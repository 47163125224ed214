/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry is no code of its own, but a number: an address anywhere. */
#define ek_plugin_entry_v0 unused_entry
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(absolute, MODE, .version = "1.0.0", .ops = &ops);
#undef ek_plugin_entry_v0

__asm__(".globl ek_plugin_entry_v0\n"
	".type ek_plugin_entry_v0, %function\n"
	".set ek_plugin_entry_v0, 0x1000\n");
