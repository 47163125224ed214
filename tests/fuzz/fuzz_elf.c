/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a plugin's file before it is mapped: any bytes are taken or refused, and nothing outside of them is looked at. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "plugin/elfnote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_elf_dynamic dynamic;
	struct ek_elf_libraries libraries;
	struct ek_plugin_note note;
	struct ek_elf elf;
	uint8_t *aligned = malloc(size + 1); /* to 16, as a mapping is */

	memcpy(aligned, data, size);
	if (ek_elf_open(aligned, size, &elf, &err) == EK_OK) {
		ek_elf_read_note(&elf, &note, &err);
		memset(&dynamic, 0, sizeof(dynamic));
		if (ek_elf_open_dynamic(&elf, &dynamic, &err) == EK_OK) {
			ek_elf_check_exports(&dynamic, "ek_plugin_entry_v0", &err);
			ek_elf_read_libraries(&dynamic, &libraries, &err);
		}
	}
	free(aligned);
	return 0;
}
