/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a rollout chooses: the entries of `select` are ORed, the fields of one are ANDed. Pure; what choosing means is rollout.c's. Read rollout.c next.
 */
#include "sync/rollout_select.h"

#include <string.h>

#include "base/hash.h"

/*
 * Multiples of an irrational number, modulo 1, fill the unit interval evenly (Weyl's equidistribution theorem; of all numbers the golden ratio does it best): among
 * 50 in a row the share below any bound is at most 4 points off, where independent hashes are off by more than 6 in two of five cases. The fractions, as 64
 * binary digits, of the golden ratio and of the square roots of 2, 3 and 11: one for each number in a name.
 */
static const uint64_t steps[] = { 0x9e3779b97f4a7c15u, 0x6a09e667f3bcc909u, 0xbb67ae8584caa73bu, 0x510e527fade682d1u };
#define N_STEPS (sizeof(steps) / sizeof(steps[0]))
#define DIGITS_MAX 18

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

uint64_t ek_rollout_position(const char *key)
{
	uint64_t hash = EK_HASH_SEED, offset = 0;
	size_t n_numbers = 0;

	while (*key) {
		size_t n = 0;
		bool is_number = is_digit(*key);

		while (key[n] && is_digit(key[n]) == is_number)
			n++;
		if (is_number && n <= DIGITS_MAX && n_numbers < N_STEPS) {
			uint64_t number = 0;

			for (size_t i = 0; i < n; i++)
				number = number * 10 + (uint64_t)(key[i] - '0');
			offset += number * steps[n_numbers++];
			hash = ek_hash64(hash, "#", 1);
		} else {
			hash = ek_hash64(hash, key, n);
		}
		key += n;
	}
	return hash + offset;
}

static bool is_below(uint64_t position, int64_t percent)
{
	return percent >= 100 || position / 100 < UINT64_MAX / 100 / 100 * (uint64_t)percent;
}

static bool has_namespace(const struct ek_config_selection *selection, const char *namespace_)
{
	for (unsigned i = 0; i < selection->n_namespaces; i++)
		if (strcmp(selection->namespaces[i], namespace_) == 0)
			return true;
	return selection->n_namespaces == 0;
}

static bool has_label(const struct ek_syncer_object *object, const struct ek_config_label *label)
{
	for (unsigned i = 0; i < object->n_labels; i++)
		if (strcmp(object->labels[i].key, label->key) == 0)
			return strcmp(object->labels[i].value, label->value) == 0;
	return false;
}

static bool fits(const struct ek_config_selection *selection, const struct ek_syncer_object *object, const char *key)
{
	if (selection->percent >= 0 && !is_below(ek_rollout_position(key), selection->percent))
		return false;
	for (unsigned i = 0; i < selection->n_labels; i++)
		if (!has_label(object, &selection->labels[i]))
			return false;
	return has_namespace(selection, object->namespace_);
}

bool ek_rollout_selects(const struct ek_config_rollout *rollout, const struct ek_syncer_object *object, const char *key)
{
	for (unsigned i = 0; i < rollout->n_selections; i++)
		if (fits(&rollout->selections[i], object, key))
			return true;
	return false;
}
