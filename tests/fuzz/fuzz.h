/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - a target takes any bytes at all and aborts when what must hold for them does not. `make fuzz` lets libFuzzer invent the bytes; `make check` replays the
 * files of tests/fuzz/corpus/TARGET with replay.c, which is also how a finding is kept: its file goes there.
 */
#ifndef EK_TESTS_FUZZ_FUZZ_H
#define EK_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, so that the input is kept. */
#define FUZZ_ASSERT(condition)                                                  \
	do {                                                                    \
		if (!(condition)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                \
		}                                                               \
	} while (0)

#endif
