/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chained hash table of entries keyed by id. It does not know what the fields mean (plan.c does) nor who links the entries elsewhere. Read plan.c next.
 */
#include "sync/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

#define FIRST_BUCKETS 256

void ek_ledger_init(struct ek_ledger *ledger)
{
	ledger->n = 0;
	ledger->n_buckets = FIRST_BUCKETS;
	ledger->buckets = ek_xcalloc(FIRST_BUCKETS, sizeof(*ledger->buckets));
}

static void free_entry(struct ek_ledger_entry *entry)
{
	free(entry->id);
	free(entry->last_message);
	free(entry);
}

void ek_ledger_clear(struct ek_ledger *ledger)
{
	for (size_t i = 0; i < ledger->n_buckets; i++) {
		struct ek_ledger_entry *next;

		for (struct ek_ledger_entry *entry = ledger->buckets[i]; entry; entry = next) {
			next = entry->bucket_next;
			free_entry(entry);
		}
	}
	free(ledger->buckets);
	memset(ledger, 0, sizeof(*ledger));
}

static struct ek_ledger_entry **bucket_of(const struct ek_ledger *ledger, uint64_t hash)
{
	return &ledger->buckets[hash & (ledger->n_buckets - 1)];
}

struct ek_ledger_entry *ek_ledger_find(const struct ek_ledger *ledger, const char *id)
{
	uint64_t hash = ek_hash64_text(EK_HASH_SEED, id);

	for (struct ek_ledger_entry *entry = *bucket_of(ledger, hash); entry; entry = entry->bucket_next)
		if (entry->id_hash == hash && strcmp(entry->id, id) == 0)
			return entry;
	return NULL;
}

static void grow(struct ek_ledger *ledger)
{
	struct ek_ledger bigger = { .n_buckets = ledger->n_buckets * 2, .n = ledger->n };

	bigger.buckets = ek_xcalloc(bigger.n_buckets, sizeof(*bigger.buckets));
	for (size_t i = 0; i < ledger->n_buckets; i++) {
		struct ek_ledger_entry *next;

		for (struct ek_ledger_entry *entry = ledger->buckets[i]; entry; entry = next) {
			struct ek_ledger_entry **bucket = bucket_of(&bigger, entry->id_hash);

			next = entry->bucket_next;
			entry->bucket_next = *bucket;
			*bucket = entry;
		}
	}
	free(ledger->buckets);
	*ledger = bigger;
}

struct ek_ledger_entry *ek_ledger_add(struct ek_ledger *ledger, const char *id)
{
	struct ek_ledger_entry *entry = ek_xcalloc(1, sizeof(*entry)), **bucket;

	if (ledger->n >= ledger->n_buckets)
		grow(ledger);
	entry->id = ek_xstrdup(id);
	entry->id_hash = ek_hash64_text(EK_HASH_SEED, id);
	bucket = bucket_of(ledger, entry->id_hash);
	entry->bucket_next = *bucket;
	*bucket = entry;
	ledger->n++;
	return entry;
}

void ek_ledger_drop(struct ek_ledger *ledger, struct ek_ledger_entry *entry)
{
	struct ek_ledger_entry **at = bucket_of(ledger, entry->id_hash);

	if (entry->op || entry->wheel_prev || entry->syncer_prev)
		EK_BUG("ledger entry %s dropped while in use", entry->id);
	while (*at != entry)
		at = &(*at)->bucket_next;
	*at = entry->bucket_next;
	ledger->n--;
	free_entry(entry);
}

void ek_ledger_each(struct ek_ledger *ledger, void (*fn)(void *arg, struct ek_ledger_entry *entry), void *arg)
{
	for (size_t i = 0; i < ledger->n_buckets; i++) {
		struct ek_ledger_entry *next;

		for (struct ek_ledger_entry *entry = ledger->buckets[i]; entry; entry = next) {
			next = entry->bucket_next;
			fn(arg, entry);
		}
	}
}

void ek_ledger_note_failure(struct ek_ledger_entry *entry, int code, const char *message, int64_t wall_ms)
{
	if (entry->last_code == EK_OK)
		entry->failing_since_wall_ms = wall_ms;
	entry->last_code = code;
	if (entry->last_message && message && strcmp(entry->last_message, message) == 0)
		return;
	free(entry->last_message);
	entry->last_message = message ? ek_xstrndup(message, 255) : NULL;
}

void ek_ledger_note_success(struct ek_ledger_entry *entry)
{
	entry->last_code = EK_OK;
	entry->attempts = 0;
	entry->retry_at_ms = 0;
	entry->failing_since_wall_ms = 0;
	free(entry->last_message);
	entry->last_message = NULL;
}
