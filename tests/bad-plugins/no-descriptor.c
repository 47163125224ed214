/* SPDX-License-Identifier: Apache-2.0 */
/* The entry returns nothing. */
#include <eurekube/plugin.h>

__attribute__((section(".note.eurekube"), used, aligned(4))) static const struct ek_plugin_note note = {
	sizeof(EK_NOTE_NAME), 8, EK_NOTE_TYPE, EK_NOTE_NAME, EK_ABI_MAJOR, EK_ABI_MINOR, EK_PLUGIN_MODE
};
__attribute__((visibility("default"))) const struct ek_plugin *ek_plugin_entry_v0(void);
const struct ek_plugin *ek_plugin_entry_v0(void)
{
	return NULL;
}
