/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry "memory": keeps entries in this process, for trying things out and as the smallest complete example of a registry plugin. It talks to nobody,
 * and forgets everything with the process; what is registered and for how long is the host's to decide. Read sdk-headers/eurekube/registry.h next.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* twalk_r, tdestroy */
#endif

#include <eurekube/registry.h>

#include <search.h>
#include <stdbool.h>
#include <stdlib.h>

struct stored {
	const char *id; /* the key of the tree */
	struct memory *memory;
	struct ek_timer_handle *expiry; /* NULL without leases */
	struct ek_entry seen;
	struct ek_instance instance;
	const struct ek_pair *metadata[]; /* then the pairs themselves, then all texts */
};

/* An operation that has been carried out and is still to be reported. */
struct answer {
	struct answer *next;
	uint64_t token;
	int64_t revision;
	struct stored *entry; /* GET: a copy */
	int32_t code;
	bool is_list;
};

struct memory {
	const struct ek_host *host;
	struct ek_registry_traits traits;
	void *tree; /* of entries, see tsearch(3) */
	int64_t n_entries, max_entries, last_revision;
	struct answer *answers, **last_answer;
	struct ek_timer_handle *answering;
};

/* ---- Entries ------------------------------------------------------------------------------------------------------------------------------------------------ */

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->id, ((const struct stored *)b)->id);
}

static struct stored *find_entry(struct memory *memory, const char *id)
{
	struct stored key = { .id = id }, **found = tfind(&key, &memory->tree, compare_ids);

	return found ? *found : NULL;
}

/* Where an instance has its texts. */
static const size_t texts[] = {
	offsetof(struct ek_instance, id), offsetof(struct ek_instance, owner), offsetof(struct ek_instance, application),
	offsetof(struct ek_instance, name), offsetof(struct ek_instance, address), offsetof(struct ek_instance, vip_address),
	offsetof(struct ek_instance, secure_vip_address), offsetof(struct ek_instance, home_page_path),
	offsetof(struct ek_instance, status_page_path), offsetof(struct ek_instance, health_check_path),
	offsetof(struct ek_instance, zone), offsetof(struct ek_instance, node_name),
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

static const char **text_of(const struct ek_instance *instance, size_t i)
{
	return (const char **)((char *)instance + texts[i]);
}

static size_t entry_bytes(const struct ek_instance *instance)
{
	size_t bytes = sizeof(struct stored) + instance->n_metadata * (sizeof(struct ek_pair *) + sizeof(struct ek_pair));

	for (size_t i = 0; i < N_TEXTS; i++)
		if (*text_of(instance, i))
			bytes += strlen(*text_of(instance, i)) + 1;
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		bytes += strlen(instance->metadata[i]->key) + strlen(instance->metadata[i]->value) + 2;
	return bytes;
}

static const char *copy_text(char **room, const char *text)
{
	char *copy = *room;

	*room = stpcpy(copy, text) + 1;
	return copy;
}

/* An entry of its own for an instance that is borrowed; NULL without memory. */
static struct stored *copy_entry(struct memory *memory, const struct ek_instance *instance, int32_t status, int64_t revision)
{
	uint32_t n = instance->n_metadata;
	struct stored *entry = calloc(1, entry_bytes(instance));
	struct ek_pair *pairs;
	char *room;

	if (!entry)
		return NULL;
	pairs = (struct ek_pair *)(entry->metadata + n);
	room = (char *)(pairs + n);
	entry->memory = memory;
	entry->instance = *instance;
	entry->instance.size = sizeof(entry->instance);
	for (size_t i = 0; i < N_TEXTS; i++)
		if (*text_of(instance, i))
			*text_of(&entry->instance, i) = copy_text(&room, *text_of(instance, i));
	for (uint32_t i = 0; i < n; i++) {
		pairs[i] = (struct ek_pair){ .size = sizeof(pairs[i]), .key = copy_text(&room, instance->metadata[i]->key) };
		pairs[i].value = copy_text(&room, instance->metadata[i]->value);
		entry->metadata[i] = &pairs[i];
	}
	entry->instance.metadata = entry->metadata;
	entry->instance.n_options = 0; /* the syncer's, and only lent */
	entry->instance.options = NULL;
	entry->id = entry->instance.id;
	entry->seen = (struct ek_entry){
		.size = sizeof(entry->seen), .flags = EK_ENTRY_RENEWABLE, .application = entry->instance.application, .id = entry->id,
		.instance = &entry->instance, .revision = revision, .status = status,
	};
	return entry;
}

static void free_entry(void *arg)
{
	struct stored *entry = arg;

	entry->memory->host->timer_stop(entry->memory->host, entry->expiry);
	free(entry);
}

static void drop_entry(struct stored *entry)
{
	entry->memory->n_entries--;
	tdelete(entry, &entry->memory->tree, compare_ids);
	free_entry(entry);
}

static void on_expiry(void *arg)
{
	struct stored *entry = arg;

	entry->expiry = NULL;
	drop_entry(entry);
}

static void extend_lease(struct stored *entry)
{
	const struct ek_host *host = entry->memory->host;

	if (!entry->memory->traits.lease_ms)
		return;
	host->timer_stop(host, entry->expiry);
	entry->expiry = host->timer_start(host, entry->memory->traits.lease_ms, on_expiry, entry);
}

/* ---- Operations --------------------------------------------------------------------------------------------------------------------------------------------- */

static int32_t put(struct memory *memory, const struct ek_op *op, struct answer *answer)
{
	struct stored *old = find_entry(memory, op->id), *entry;

	if (old && op->revision && op->revision != old->seen.revision)
		return EK_CONFLICT;
	if (!old && memory->n_entries >= memory->max_entries)
		return EK_TOO_BIG;
	entry = copy_entry(memory, op->instance, op->instance->status, memory->last_revision + 1);
	if (!entry)
		return EK_RETRY;
	if (old)
		drop_entry(old);
	if (!tsearch(entry, &memory->tree, compare_ids)) {
		free(entry);
		return EK_RETRY;
	}
	memory->n_entries++;
	extend_lease(entry);
	answer->revision = ++memory->last_revision;
	return EK_OK;
}

static int32_t carry_out(struct memory *memory, const struct ek_op *op, struct answer *answer)
{
	struct stored *entry = find_entry(memory, op->id);

	if (op->kind == EK_OP_PUT)
		return put(memory, op, answer);
	if (!entry)
		return EK_GONE;
	answer->revision = entry->seen.revision;
	switch (op->kind) {
	case EK_OP_REMOVE:
		drop_entry(entry);
		return EK_OK;
	case EK_OP_RENEW:
		extend_lease(entry);
		return EK_OK;
	case EK_OP_SET_STATUS:
		entry->seen.status = op->status;
		entry->instance.status = op->status;
		entry->seen.revision = answer->revision = ++memory->last_revision;
		return EK_OK;
	default: /* GET */
		answer->entry = copy_entry(memory, &entry->instance, entry->seen.status, entry->seen.revision);
		return answer->entry ? EK_OK : EK_RETRY;
	}
}

struct listing {
	const struct ek_host *host;
	uint64_t token;
	int stopped;
};

static void give_entry(const void *node, VISIT visit, void *arg)
{
	struct listing *listing = arg;

	if ((visit == postorder || visit == leaf) && !listing->stopped)
		listing->stopped = listing->host->list_entry(listing->host, listing->token, &(*(struct stored *const *)node)->seen);
}

static void report(const struct memory *memory, const struct answer *answer)
{
	const struct ek_host *host = memory->host;
	struct ek_result result = {
		.size = sizeof(result), .code = answer->code, .revision = answer->revision, .entry = answer->entry ? &answer->entry->seen : NULL,
		.message = answer->code == EK_TOO_BIG ? "the registry is full; raise its option maxEntries" : NULL,
	};

	if (answer->is_list) {
		struct listing listing = { .host = host, .token = answer->token };

		twalk_r(memory->tree, give_entry, &listing);
		result.code = listing.stopped ? EK_CANCELLED : EK_OK;
	}
	host->op_done(host, answer->token, &result);
}

static void on_answers(void *arg)
{
	struct memory *memory = arg;
	struct answer *answer = memory->answers;

	memory->answering = NULL;
	memory->answers = NULL;
	memory->last_answer = &memory->answers;
	while (answer) {
		struct answer *next = answer->next;

		report(memory, answer);
		free(answer->entry);
		free(answer);
		answer = next;
	}
}

/* NULL without memory: the host then hears nothing, and its deadline does the rest. */
static struct answer *add_answer(struct memory *memory, uint64_t token)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->token = token;
	*memory->last_answer = answer;
	memory->last_answer = &answer->next;
	if (!memory->answering)
		memory->answering = memory->host->timer_start(memory->host, 0, on_answers, memory);
	return answer;
}

static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	for (uint32_t i = 0; i < n_ops; i++) {
		struct answer *answer = add_answer(self, ops[i]->token);

		if (answer)
			answer->code = carry_out(self, ops[i], answer);
	}
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	struct answer *answer = add_answer(self, token);

	if (answer)
		answer->is_list = true;
}

/* ---- Life --------------------------------------------------------------------------------------------------------------------------------------------------- */

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	int64_t lease_ms = host->option(host, "leaseSeconds")->integer * 1000;
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return ek_fail(err, EK_RETRY, "out of memory");
	memory->host = host;
	memory->max_entries = host->option(host, "maxEntries")->integer;
	memory->last_answer = &memory->answers;
	memory->traits = (struct ek_registry_traits){
		.size = sizeof(memory->traits), .flags = EK_REGISTRY_SETS_STATUS, .max_batch = 64,
		.lease_kind = lease_ms ? EK_LEASE_INSTANCE : EK_LEASE_NONE, .lease_ms = lease_ms, .renew_ms = lease_ms / 3,
	};
	*self = memory;
	return EK_OK;
}

static void close_registry(void *self)
{
	struct memory *memory = self;
	const struct ek_host *host = memory->host;

	host->timer_stop(host, memory->answering);
	while (memory->answers) {
		struct answer *answer = memory->answers;

		memory->answers = answer->next;
		free(answer->entry);
		free(answer);
	}
	tdestroy(memory->tree, free_entry);
	free(memory);
	host->closed(host);
}

static const struct ek_registry_traits *traits(void *self)
{
	return &((struct memory *)self)->traits;
}

static const struct ek_option max_entries = {
	.size = sizeof(max_entries), .type = EK_OPTION_INTEGER, .name = "maxEntries", .default_value = "100000", .minimum = 1, .maximum = 10000000,
	.help = "How many entries it takes; further registrations are refused.",
};
static const struct ek_option lease_seconds = {
	.size = sizeof(lease_seconds), .type = EK_OPTION_INTEGER, .name = "leaseSeconds", .default_value = "0", .minimum = 0, .maximum = 86400,
	.help = "How long an entry lives without a renewal; 0: until it is removed.",
};
static const struct ek_option *const options[] = { &max_entries, &lease_seconds, NULL };

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list,
};

EK_PLUGIN_DEFINE(memory, REGISTRY, .version = "0.1.0", .options = options, .ops = &ops);
