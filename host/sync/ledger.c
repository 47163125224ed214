/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chained hash table of entries. They are filed by the namespace and the name in their ids, so that what belongs to one pod lies together and is found without
 * knowing application and port. It does not know what the fields mean (plan.c does) nor who links the entries elsewhere. Read plan.c next.
 */
#include "sync/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sync/identity.h"

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

static struct ek_ledger_entry **bucket_of(const struct ek_ledger *ledger, uint32_t place)
{
	return &ledger->buckets[place & (ledger->n_buckets - 1)];
}

static uint32_t place_of(const char *namespace_, size_t n, uint32_t key)
{
	return key ^ (uint32_t)ek_hash64(EK_HASH_SEED, namespace_, n);
}

/* clusterId:namespace:... */
static uint32_t place_of_id(const char *id, uint32_t key)
{
	const char *from = strchr(id, ':'), *to = from ? strchr(from + 1, ':') : NULL;

	return to ? place_of(from + 1, (size_t)(to - from) - 1, key) : key;
}

struct ek_ledger_entry *ek_ledger_find(const struct ek_ledger *ledger, const char *id)
{
	uint32_t place = place_of_id(id, (uint32_t)ek_id_name_hash(id));

	for (struct ek_ledger_entry *entry = *bucket_of(ledger, place); entry; entry = entry->bucket_next)
		if (entry->place == place && strcmp(entry->id, id) == 0)
			return entry;
	return NULL;
}

struct ek_ledger_entry *ek_ledger_find_named(const struct ek_ledger *ledger, const char *namespace_, uint32_t key, const char *id)
{
	struct ek_ledger_entry *entry = NULL;

	while ((entry = ek_ledger_next_named(ledger, namespace_, key, entry)))
		if (strcmp(entry->id, id) == 0)
			return entry;
	return NULL;
}

struct ek_ledger_entry *ek_ledger_next_named(const struct ek_ledger *ledger, const char *namespace_, uint32_t key, const struct ek_ledger_entry *previous)
{
	uint32_t place = place_of(namespace_, strlen(namespace_), key);
	struct ek_ledger_entry *entry = previous ? previous->bucket_next : *bucket_of(ledger, place);

	while (entry && (entry->place != place || (uint32_t)entry->name_hash != key))
		entry = entry->bucket_next;
	return entry;
}

static void grow(struct ek_ledger *ledger)
{
	struct ek_ledger bigger = { .n_buckets = ledger->n_buckets * 2, .n = ledger->n };

	bigger.buckets = ek_xcalloc(bigger.n_buckets, sizeof(*bigger.buckets));
	for (size_t i = 0; i < ledger->n_buckets; i++) {
		struct ek_ledger_entry *next;

		for (struct ek_ledger_entry *entry = ledger->buckets[i]; entry; entry = next) {
			struct ek_ledger_entry **bucket = bucket_of(&bigger, entry->place);

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
	entry->name_hash = ek_id_name_hash(id);
	entry->place = place_of_id(id, (uint32_t)entry->name_hash);
	bucket = bucket_of(ledger, entry->place);
	entry->bucket_next = *bucket;
	*bucket = entry;
	ledger->n++;
	return entry;
}

void ek_ledger_drop(struct ek_ledger *ledger, struct ek_ledger_entry *entry)
{
	struct ek_ledger_entry **at = bucket_of(ledger, entry->place);

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
