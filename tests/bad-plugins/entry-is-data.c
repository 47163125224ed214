/* SPDX-License-Identifier: Apache-2.0 */
/* The entry is there, but it is a variable. */
#include <eurekube/plugin.h>

__attribute__((section(".note.eurekube"), used, aligned(4))) static const struct ek_plugin_note note = {
	sizeof(EK_NOTE_NAME), 8, EK_NOTE_TYPE, EK_NOTE_NAME, EK_ABI_MAJOR, EK_ABI_MINOR, EK_PLUGIN_MODE
};
extern const struct ek_plugin ek_plugin_entry_v0;
__attribute__((visibility("default"))) const struct ek_plugin ek_plugin_entry_v0 = {
	.size = sizeof(ek_plugin_entry_v0), .kind = EK_PLUGIN_MODE, .name = "data", .version = "1.0.0"
};
