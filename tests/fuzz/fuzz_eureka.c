/* SPDX-License-Identifier: Apache-2.0 */
/* Eureka's answers to a single read: whatever is taken has an id, an application, and metadata that are texts. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "plugins/eureka/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ek_eureka_reading reading; /* its memory is used again, as in the plugin */
	struct ek_error err = EK_ERROR_INIT;
	size_t n = 0;

	if (ek_eureka_read_single(&reading, (const char *)data, size, &err) == EK_OK) {
		const struct ek_instance *instance = reading.entry.instance;

		FUZZ_ASSERT(reading.entry.id && reading.entry.application && instance);
		for (uint32_t i = 0; i < instance->n_metadata; i++)
			n += strlen(instance->metadata[i]->key) + strlen(instance->metadata[i]->value);
		FUZZ_ASSERT(n <= 4 * size + 64);
	}
	return 0;
}
