/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One counted copy of each text, in a chained table that doubles.
 * It never shrinks the table and never moves a text: its users compare pointers.
 * Next: hash.c, for the hash below it.
 */
#include "base/intern.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 64

struct entry {
	struct entry *next;
	uint32_t hash;
	uint32_t n;
	uint64_t n_refs;
	char text[];
};

struct ek_intern {
	struct entry **slots;
	size_t n_slots;          /* a power of two */
	size_t n, bytes;
	uint64_t seed;           /* the texts come from outside: collisions must not be computable */
};

struct ek_intern *ek_intern_new(void)
{
	struct ek_intern *pool = ek_xcalloc(1, sizeof(*pool));

	pool->n_slots = FIRST_SLOTS;
	pool->slots = ek_xcalloc(pool->n_slots, sizeof(struct entry *));
	if (getrandom(&pool->seed, sizeof(pool->seed), GRND_NONBLOCK) != sizeof(pool->seed))
		pool->seed = (uint64_t)(uintptr_t)pool ^ EK_HASH_SEED;
	return pool;
}

void ek_intern_free(struct ek_intern *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->n_slots; i++) {
		struct entry *entry = pool->slots[i];

		while (entry) {
			struct entry *next = entry->next;

			free(entry);
			entry = next;
		}
	}
	free(pool->slots);
	free(pool);
}

static void double_slots(struct ek_intern *pool)
{
	size_t n_slots = pool->n_slots * 2;
	struct entry **slots = ek_xcalloc(n_slots, sizeof(struct entry *));

	for (size_t i = 0; i < pool->n_slots; i++) {
		struct entry *entry = pool->slots[i];

		while (entry) {
			struct entry *next = entry->next;

			entry->next = slots[entry->hash & (n_slots - 1)];
			slots[entry->hash & (n_slots - 1)] = entry;
			entry = next;
		}
	}
	free(pool->slots);
	pool->slots = slots;
	pool->n_slots = n_slots;
}

static struct entry *add_entry(struct ek_intern *pool, const char *text, size_t n, uint32_t hash)
{
	struct entry *entry = ek_xmalloc(sizeof(*entry) + n + 1), **slot;

	if (pool->n >= pool->n_slots && pool->n_slots < (size_t)1 << 31)
		double_slots(pool);
	slot = &pool->slots[hash & (pool->n_slots - 1)];
	entry->next = *slot;
	entry->hash = hash;
	entry->n = (uint32_t)n;
	entry->n_refs = 0;
	memcpy(entry->text, text, n);
	entry->text[n] = '\0';
	*slot = entry;
	pool->n++;
	pool->bytes += n + 1;
	return entry;
}

const char *ek_intern_ref(struct ek_intern *pool, const char *text, size_t n)
{
	uint32_t hash = (uint32_t)ek_hash64(pool->seed, text, n);
	struct entry *entry;

	if (n >= UINT32_MAX)
		EK_BUG("a text of %zu bytes is interned", n);
	for (entry = pool->slots[hash & (pool->n_slots - 1)]; entry; entry = entry->next)
		if (entry->hash == hash && entry->n == n && !memcmp(entry->text, text, n))
			break;
	if (!entry)
		entry = add_entry(pool, text, n, hash);
	entry->n_refs++;
	return entry->text;
}

void ek_intern_unref(struct ek_intern *pool, const char *interned)
{
	struct entry *entry, **at;

	if (!interned)
		return;
	entry = (struct entry *)(uintptr_t)(interned - offsetof(struct entry, text));
	if (--entry->n_refs)
		return;
	at = &pool->slots[entry->hash & (pool->n_slots - 1)];
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	pool->n--;
	pool->bytes -= entry->n + 1u;
	free(entry);
}

size_t ek_intern_count(const struct ek_intern *pool)
{
	return pool->n;
}

size_t ek_intern_bytes(const struct ek_intern *pool)
{
	return pool->bytes;
}
