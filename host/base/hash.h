/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes. ek_hash64 is FNV-1a-64 with a final mix (MurmurHash3's fmix64); its values are written into registries (digest marks, cut ids) and into
 * phases and percentages, so it is frozen by a golden test. Not for adversarial input; tables that hold foreign keys use uthash.
 */
#ifndef EK_BASE_HASH_H
#define EK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define EK_HASH_SEED 0xcbf29ce484222325ull

uint64_t ek_hash64(uint64_t seed, const void *bytes, size_t n);     /* seed: EK_HASH_SEED or an earlier result */
uint64_t ek_hash64_number(uint64_t seed, int64_t number);           /* of its eight bytes; small numbers cost little */
uint64_t ek_hash64_text(uint64_t seed, const char *text);           /* with its NUL, so that ("ab","c") differs from ("a","bc"); NULL hashes as byte 0xff */

#endif
