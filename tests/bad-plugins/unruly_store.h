/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry that really keeps what is put, in memory, and keeps to all rules but one: the file that includes this defines VICE before it. eurekube-plugin-check has to
 * find it.
 */
#ifndef EK_TESTS_BAD_PLUGINS_UNRULY_STORE_H
#define EK_TESTS_BAD_PLUGINS_UNRULY_STORE_H

#include <eurekube/registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum vice {
	FORGETS_MARKS,         /* gives back no metadata */
	KEEPS_DOUBLES,         /* a second PUT makes a second entry */
	RENEWS_ANYTHING,       /* says OK to a renewal of what is not there */
	FAILS_TOGETHER,        /* one failure fails its batch */
	FULL_AT_THOUSANDS,     /* says that it has put what it has not, once there are many */
	KEEPS_REMOVED,         /* lists what was removed */
	LISTS_ONE_APPLICATION, /* the first in scope */
	LISTS_ON,              /* whatever the host says */
	IGNORES_STATUS,        /* says OK to a status that it does not set */
	DEREGISTERS,           /* removes everything when it closes */
};

#define ENTRIES_MAX 12000
#define BUCKETS 4096

struct entry {
	char id[64], application[32], address[48], texts[3][2][64];
	int32_t port, status;
	uint32_t n_metadata;
	int is_removed;
	struct entry *next;            /* in its bucket */
};

struct later {
	struct registry *registry;
	struct later *next;
	struct ek_timer_handle *timer;
	uint64_t token;
	int32_t code;
	struct entry *found;
};

struct store {
	struct entry *entries[ENTRIES_MAX], *buckets[BUCKETS];
	uint32_t n;
};

struct registry {
	const struct ek_host *host;
	struct later *laters;
	struct store *store;           /* of its own, or of all */
};

static struct store everybodys;

static struct entry **bucket_of(struct registry *registry, const char *id)
{
	uint32_t hash = 2166136261u;

	while (*id)
		hash = (hash ^ (unsigned char)*id++) * 16777619u;
	return &registry->store->buckets[hash % BUCKETS];
}

static struct entry *find(struct registry *registry, const char *id)
{
	for (struct entry *entry = *bucket_of(registry, id); entry; entry = entry->next)
		if (!entry->is_removed && strcmp(entry->id, id) == 0)
			return entry;
	return NULL;
}

static void fill(struct entry *entry, const struct ek_instance *from)
{
	snprintf(entry->id, sizeof(entry->id), "%s", from->id);
	snprintf(entry->application, sizeof(entry->application), "%s", from->application);
	snprintf(entry->address, sizeof(entry->address), "%s", from->address);
	entry->port = from->port;
	entry->status = from->status;
	entry->n_metadata = 0;
	for (uint32_t i = 0; i < from->n_metadata && i < 3; i++, entry->n_metadata++) {
		snprintf(entry->texts[i][0], 64, "%s", from->metadata[i]->key);
		snprintf(entry->texts[i][1], 64, "%s", from->metadata[i]->value);
	}
	if (VICE == FORGETS_MARKS)
		entry->n_metadata = 0;
}

static int put(struct registry *registry, const struct ek_instance *instance)
{
	struct entry *entry = VICE == KEEPS_DOUBLES ? NULL : find(registry, instance->id);

	if (VICE == FULL_AT_THOUSANDS && registry->store->n >= 4000)
		return EK_TOO_BIG;
	if (!entry && registry->store->n == ENTRIES_MAX)
		return EK_TOO_BIG;
	if (!entry) {
		entry = registry->store->entries[registry->store->n++] = calloc(1, sizeof(*entry));
		entry->next = *bucket_of(registry, instance->id);
		*bucket_of(registry, instance->id) = entry;
	}
	fill(entry, instance);
	return EK_OK;
}

static int carry_out(struct registry *registry, const struct ek_op *op, struct entry **found)
{
	struct entry *entry = find(registry, op->id);

	*found = NULL;
	switch (op->kind) {
	case EK_OP_PUT:
		return put(registry, op->instance);
	case EK_OP_RENEW:
		return entry || VICE == RENEWS_ANYTHING ? EK_OK : EK_GONE;
	case EK_OP_SET_STATUS:
		if (entry && VICE != IGNORES_STATUS)
			entry->status = op->status;
		return entry ? EK_OK : EK_GONE;
	case EK_OP_GET:
		*found = entry;
		return entry ? EK_OK : EK_GONE;
	default:
		if (entry)
			entry->is_removed = 1;
		return entry ? EK_OK : EK_GONE;
	}
}

/* ---- telling ---- */

typedef int (*tell_fn)(const struct registry *registry, uint64_t token, const struct ek_entry *entry);

static int tell(const struct registry *registry, const struct entry *entry, tell_fn to, uint64_t token)
{
	struct ek_pair pairs[3];
	const struct ek_pair *metadata[3];
	struct ek_instance instance = { .size = sizeof(instance), .id = entry->id, .application = entry->application, .address = entry->address,
		                        .port = entry->port, .status = entry->status, .metadata = metadata, .n_metadata = entry->n_metadata };
	struct ek_entry told = { .size = sizeof(told), .flags = EK_ENTRY_RENEWABLE, .application = entry->application, .id = entry->id,
		                 .instance = &instance, .status = entry->status, .revision = 1 };

	for (uint32_t i = 0; i < entry->n_metadata; i++) {
		pairs[i] = (struct ek_pair){ .size = sizeof(pairs[i]), .key = entry->texts[i][0], .value = entry->texts[i][1] };
		metadata[i] = &pairs[i];
	}
	return to(registry, token, &told);
}

static int to_result(const struct registry *registry, uint64_t token, const struct ek_entry *entry)
{
	registry->host->op_done(registry->host, token, &(struct ek_result){ .size = sizeof(struct ek_result), .revision = 1, .entry = entry });
	return 0;
}

static int to_list(const struct registry *registry, uint64_t token, const struct ek_entry *entry)
{
	return registry->host->list_entry(registry->host, token, entry) && VICE != LISTS_ON;
}

static void drop(struct later *later)
{
	struct later **at = &later->registry->laters;

	while (*at != later)
		at = &(*at)->next;
	*at = later->next;
	free(later);
}

static void complete(void *arg)
{
	struct later *later = arg;
	const struct ek_host *host = later->registry->host;

	if (later->found)
		tell(later->registry, later->found, to_result, later->token);
	else
		host->op_done(host, later->token, &(struct ek_result){ .size = sizeof(struct ek_result), .code = later->code });
	drop(later);
}

static void complete_later(struct registry *registry, uint64_t token, int32_t code, struct entry *found)
{
	struct later *later = calloc(1, sizeof(*later));

	*later = (struct later){ .registry = registry, .next = registry->laters, .token = token, .code = code, .found = found };
	registry->laters = later;
	later->timer = registry->host->timer_start(registry->host, 0, complete, later);
}

/* ---- the slots ---- */

static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	struct entry *found[64];
	int32_t codes[64], worst = EK_OK;

	for (uint32_t i = 0; i < n_ops && i < 64; i++) {
		codes[i] = carry_out(self, ops[i], &found[i]);
		if (codes[i] != EK_OK)
			worst = codes[i];
	}
	for (uint32_t i = 0; i < n_ops && i < 64; i++)
		complete_later(self, ops[i]->token, VICE == FAILS_TOGETHER ? worst : codes[i], VICE == FAILS_TOGETHER && worst != EK_OK ? NULL : found[i]);
}

static int is_told_of(const struct entry *entry, const struct ek_scope *scope)
{
	return VICE != LISTS_ONE_APPLICATION || !scope->n_applications || strcmp(entry->application, scope->applications[0]) == 0;
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	struct registry *registry = self;
	int is_over = 0;

	for (uint32_t i = 0; i < registry->store->n && !is_over; i++) {
		const struct entry *entry = registry->store->entries[i];

		if ((!entry->is_removed || VICE == KEEPS_REMOVED) && is_told_of(entry, scope))
			is_over = tell(registry, entry, to_list, token);
	}
	complete_later(registry, token, is_over ? EK_CANCELLED : EK_OK, NULL);
}

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return ek_fail(err, EK_RETRY, "out of memory");
	registry->host = host;
	registry->store = VICE == DEREGISTERS ? &everybodys : calloc(1, sizeof(*registry->store));
	*self = registry;
	return EK_OK;
}

static void clear(struct store *store)
{
	for (uint32_t i = 0; i < store->n; i++)
		free(store->entries[i]);
	memset(store, 0, sizeof(*store));
}

static void close_registry(void *self)
{
	struct registry *registry = self;
	const struct ek_host *host = registry->host;

	while (registry->laters) {
		host->timer_stop(host, registry->laters->timer);
		drop(registry->laters);
	}
	clear(registry->store);
	if (registry->store != &everybodys)
		free(registry->store);
	free(registry);
	host->closed(host);
}

static const struct ek_registry_traits *traits(void *self)
{
	static const struct ek_registry_traits sane = {
		.size = sizeof(sane), .flags = EK_REGISTRY_SETS_STATUS, .lease_kind = EK_LEASE_INSTANCE, .max_batch = 64, .renew_ms = 27000, .lease_ms = 90000,
	};

	(void)self;
	return &sane;
}

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list
};

#endif
