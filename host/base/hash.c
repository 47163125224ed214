/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frozen hash: FNV-1a-64, then MurmurHash3's fmix64.
 * It resists no attacker, and its values must never change: registries hold them.
 * Next: tests/unit/test_hash.c, which pins them.
 */
#include "base/hash.h"

#include <string.h>

#define FNV_PRIME 0x100000001b3ull

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	h ^= h >> 33;
	return h;
}

uint64_t ek_hash64(uint64_t seed, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t h = seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ at[i]) * FNV_PRIME;
	return mix(h);
}

/* A byte that is zero only multiplies, and so do all the leading ones together. */
uint64_t ek_hash64_number(uint64_t seed, int64_t number)
{
	uint64_t h = seed, rest = (uint64_t)number, power = 1;
	int n = 0;

	for (; rest; n++, rest >>= 8)
		h = (h ^ (rest & 0xff)) * FNV_PRIME;
	for (; n < 8; n++)
		power *= FNV_PRIME; /* does not wait for what is above */
	return mix(h * power);
}

uint64_t ek_hash64_text(uint64_t seed, const char *text)
{
	return text ? ek_hash64(seed, text, strlen(text) + 1) : ek_hash64(seed, "\xff", 1);
}
