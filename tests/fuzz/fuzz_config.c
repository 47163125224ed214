/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: any bytes are taken or refused with a place and a reason. */
#include "fuzz/fuzz.h"

#include <stdio.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_config *config = NULL;

	if (ek_config_read((const char *)data, size, &config, &err) == EK_OK)
		ek_config_free(config);
	else
		FUZZ_ASSERT(err.message[0]);
	return 0;
}
