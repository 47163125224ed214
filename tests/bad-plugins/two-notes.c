/* SPDX-License-Identifier: Apache-2.0 */
/* Two notes that contradict each other. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

__attribute__((section(".note.eurekube"), used, aligned(4))) static const struct ek_plugin_note second = {
	sizeof(EK_NOTE_NAME), 8, EK_NOTE_TYPE, EK_NOTE_NAME, EK_ABI_MAJOR, EK_ABI_MINOR, EK_PLUGIN_REGISTRY
};
EK_PLUGIN_DEFINE(twice, MODE, .version = "1.0.0", .ops = &ops);
