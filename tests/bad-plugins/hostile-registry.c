/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile-registry.c - a registry that loads well and then does what it must not, one thing at a time: the option `behaviour` says which. Without one it is a decent
 * registry that forgets everything. tests/scenario/test_hostile_registries.c and tests/e2e/test_hostile_plugins.py say what the host makes of each.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eurekube/error.h>
#include <eurekube/host.h>
#include <eurekube/mode.h>
#include <eurekube/registry.h>

#define ENDLESS (2u << 20)

/* The one entry that is remembered, if any is. */
struct memory {
	char id[256], owner[400], digest[32], pod[64];
	int32_t status;
};

struct registry {
	const struct ek_host *host;
	struct memory memory;
	struct ek_registry_traits traits;
	const char *behaviour;
	uint64_t last_token;
	struct registry *next_unclosed;
};

/* What a decent plugin has not: state that its instances share. */
static const struct ek_host *newest_host, *oldest_host;

/* A completion that comes a turn later. */
struct later {
	struct registry *registry;
	uint64_t token;
	uint32_t kind;
	char id[256], application[64];
};

static int is(const struct registry *registry, const char *behaviour)
{
	return strcmp(registry->behaviour, behaviour) == 0;
}

static void done(const struct registry *registry, uint64_t token, int code)
{
	struct ek_result result = { .size = sizeof(result), .code = code };

	registry->host->op_done(registry->host, token, &result);
}

/* ---- making ---- */

static void set_traits(struct registry *registry)
{
	registry->traits = (struct ek_registry_traits){ .size = sizeof(registry->traits), .lease_kind = EK_LEASE_INSTANCE, .max_batch = 16,
		                                        .renew_ms = 5000, .lease_ms = 15000 };
	if (is(registry, "traits out of range"))
		registry->traits.renew_ms = -1;
	if (is(registry, "no batch"))
		registry->traits.max_batch = 0;
	if (is(registry, "unknown traits"))
		registry->traits.flags = 1u << 31;
	if (is(registry, "renews all the time"))
		registry->traits.renew_ms = 1;
	if (is(registry, "renews too late"))
		registry->traits.lease_ms = registry->traits.renew_ms;
	if (is(registry, "larger structures"))
		registry->traits.size += 64;
}

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	const struct ek_option_value *behaviour = host->option(host, "behaviour");

	(void)err;
	if (!registry)
		return EK_RETRY;
	registry->host = newest_host = host;
	if (!oldest_host)
		oldest_host = host;
	registry->behaviour = behaviour && behaviour->text ? behaviour->text : "";
	set_traits(registry);
	if (is(registry, "says in create that it is closed"))
		host->closed(host);
	if (is(registry, "fails to start silently") || is(registry, "starts without an instance")) {
		int code = is(registry, "fails to start silently") ? EK_INVALID : EK_OK;

		free(registry);
		return code;
	}
	*self = registry;
	return EK_OK;
}

static void *post_late(void *arg)
{
	const struct ek_host *host = arg;

	for (int i = 0; i < 1000; i++)
		host->post(host, free, NULL);
	return NULL;
}

static void post_from_thread(const struct ek_host *host)
{
	pthread_t thread;
	sigset_t all, former;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	failed = pthread_create(&thread, NULL, post_late, (void *)(uintptr_t)host);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	if (!failed)
		pthread_join(thread, NULL);
}

/* So that they are not taken for leaks of the host's. */
static struct registry *volatile never_closed;

static void close_registry(void *self)
{
	struct registry *registry = self;
	const struct ek_host *host = registry->host;

	if (is(registry, "never closes")) {
		registry->next_unclosed = never_closed;
		never_closed = registry;
		return;
	}
	host->closed(host);
	if (is(registry, "goes on after closed")) {
		host->closed(host);
		host->lost(host, "late");
		host->op_done(host, registry->last_token, &(struct ek_result){ .size = sizeof(struct ek_result) });
		host->timer_start(host, 1, free, NULL);
		host->http(host, &(struct ek_http_request){ .size = sizeof(struct ek_http_request) }, NULL);
	}
	if (is(registry, "posts after closed"))
		post_from_thread(host);
	oldest_host = is(registry, "uses the host of a dead sibling") ? oldest_host : NULL;
	free(registry);
}

static const struct ek_registry_traits *traits(void *self)
{
	struct registry *registry = self;

	return is(registry, "no traits") ? NULL : &registry->traits;
}

/* ---- remembering ---- */

static void remember_mark(const struct ek_instance *instance, const char *key, char *copy, size_t size)
{
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		if (strcmp(instance->metadata[i]->key, key) == 0)
			snprintf(copy, size, "%s", instance->metadata[i]->value);
}

static void remember(struct memory *memory, const struct ek_instance *instance)
{
	snprintf(memory->id, sizeof(memory->id), "%s", instance->id);
	remember_mark(instance, EK_MARK_OWNER, memory->owner, sizeof(memory->owner));
	remember_mark(instance, EK_MARK_DIGEST, memory->digest, sizeof(memory->digest));
	remember_mark(instance, EK_MARK_POD, memory->pod, sizeof(memory->pod));
	memory->status = instance->status;
}

static void complete_by_memory(const struct later *later)
{
	const struct memory *memory = &later->registry->memory;
	struct ek_pair owner = { .size = sizeof(owner), .key = EK_MARK_OWNER, .value = memory->owner };
	struct ek_pair digest = { .size = sizeof(digest), .key = EK_MARK_DIGEST, .value = memory->digest };
	struct ek_pair pod = { .size = sizeof(pod), .key = EK_MARK_POD, .value = memory->pod };
	const struct ek_pair *const metadata[] = { &digest, &owner, &pod };
	struct ek_instance instance = { .size = sizeof(instance), .n_metadata = 3, .metadata = metadata };
	struct ek_entry entry = { .size = sizeof(entry), .id = memory->id, .application = later->application, .instance = &instance,
		                  .status = memory->status, .flags = EK_ENTRY_RENEWABLE };
	struct ek_result result = { .size = sizeof(result), .code = EK_OK };

	if (later->kind == EK_OP_GET && memory->id[0])
		result.entry = &entry;
	else if (later->kind == EK_OP_GET)
		result.code = EK_GONE;
	later->registry->host->op_done(later->registry->host, later->token, &result);
}

/* ---- completing ---- */

static char *endless_text(void)
{
	static char text[ENDLESS];

	memset(text, 'a', ENDLESS - 1);
	return text;
}

static void complete_badly(const struct later *later)
{
	const struct registry *registry = later->registry;
	struct ek_instance instance = { .size = sizeof(instance), .n_metadata = 5 };
	struct ek_entry entry = { .size = sizeof(entry), .id = later->id, .application = later->application, .instance = &instance };
	struct ek_result result = { .size = sizeof(result), .code = EK_RETRY, .message = "no" };

	if (is(registry, "loses all the time") || is(registry, "changes all the time")) {
		complete_by_memory(later);
		return;
	}
	if (is(registry, "no result")) {
		registry->host->op_done(registry->host, later->token, NULL);
		return;
	}
	if (is(registry, "result without size"))
		result.size = 4;
	else if (is(registry, "unknown code"))
		result.code = 4711;
	else if (is(registry, "endless message"))
		result.message = endless_text();
	else if (is(registry, "message that is no text"))
		result.message = "caf\xe9\n";
	else if (is(registry, "unclassified"))
		result.code = EK_PLUGIN;
	else if (is(registry, "waits for ever"))
		result.code = EK_THROTTLED, result.retry_after_ms = INT64_MAX;
	else if (is(registry, "absurd revisions"))
		result.code = later->kind == EK_OP_GET ? EK_GONE : EK_OK, result.revision = later->kind == EK_OP_PUT ? INT64_MIN : INT64_MAX;
	else if (is(registry, "larger structures"))
		result.code = later->kind == EK_OP_GET ? EK_GONE : EK_OK, result.size += 64;
	else if (is(registry, "waits for less than nothing"))
		result.code = EK_THROTTLED, result.retry_after_ms = INT64_MIN;
	else if (is(registry, "answers with another entry"))
		result.code = later->kind == EK_OP_GET ? EK_OK : EK_UNKNOWN, entry.id = "somebody-else", instance.n_metadata = 0, result.entry = &entry;
	else if (is(registry, "entry with broken metadata"))
		result.code = later->kind == EK_OP_GET ? EK_OK : EK_UNKNOWN, result.entry = &entry;
	else
		result.code = later->kind == EK_OP_GET && !is(registry, "reads without an entry") ? EK_GONE : EK_OK;
	registry->host->op_done(registry->host, later->token, &result);
}

static void fire(void *arg)
{
	(void)arg;
}

static void on_answer(void *arg, const struct ek_http_response *response)
{
	(void)arg;
	(void)response;
}

static void on_ready(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
}

static void flood_with_requests(const struct ek_host *host)
{
	struct ek_http_request request = { .size = sizeof(request), .method = "GET", .url = "http://nowhere:1/", .on_done = on_answer };

	for (int i = 0; i < 20000; i++)
		host->http(host, &request, NULL);
}

static void flood_with_watches(const struct ek_host *host)
{
	static int ends[2];

	if (!ends[1] && pipe(ends))
		return;
	for (int i = 0; i < 2000; i++)
		host->fd_watch(host, ends[0], EK_FD_READABLE, on_ready, NULL, NULL);
}

static void flood(const struct registry *registry, const struct later *later)
{
	const struct ek_host *host = registry->host;

	if (is(registry, "floods with timers"))
		for (int i = 0; i < 20000; i++)
			host->timer_start(host, 3600000, fire, NULL);
	if (is(registry, "floods with posts"))
		for (int i = 0; i < 200000; i++)
			host->post(host, fire, NULL);
	if (is(registry, "floods with requests"))
		flood_with_requests(host);
	if (is(registry, "floods with watches"))
		flood_with_watches(host);
	if (is(registry, "floods with news"))
		for (int i = 0; i < 20000; i++) {
			host->changed(host, later->application, later->id);
			host->lost(host, "again");
		}
}

/* By a pointer that it should not have kept. */
static void use_sibling(const struct ek_host *host)
{
	host->log(host, EK_LOG_ERROR, "from a sibling", NULL, 0);
	host->timer_stop(host, host->timer_start(host, 1, fire, NULL));
	host->option(host, "behaviour");
	host->count(host, "siblings", 1);
	host->op_done(host, 1, &(struct ek_result){ .size = sizeof(struct ek_result) });
	host->lost(host, "a sibling");
	host->post(host, fire, NULL);
}

static void complete(void *arg)
{
	struct later *later = arg;
	struct registry *registry = later->registry;
	const struct ek_host *host = registry->host;

	registry->last_token = later->token;
	complete_badly(later);
	if (is(registry, "completes twice"))
		done(registry, later->token, EK_OK);
	if (is(registry, "completes what never was"))
		done(registry, 0xffffffff00000001u, EK_OK);
	if (is(registry, "loses all the time"))
		host->lost(host, "again");
	if (is(registry, "changes all the time"))
		host->changed(host, later->application, later->id);
	if (is(registry, "changes that are no names"))
		host->changed(host, NULL, "\xff");
	if (is(registry, "says that it is closed"))
		host->closed(host);
	if (is(registry, "uses the host of a dead sibling") && oldest_host != host)
		use_sibling(oldest_host);
	flood(registry, later);
	free(later);
}

static void start_op(struct registry *registry, const struct ek_op *op)
{
	struct later *later;

	if (is(registry, "never completes") && op->kind == EK_OP_PUT)
		return;
	if (is(registry, "reads without an entry") && op->kind == EK_OP_PUT) {
		done(registry, op->token, EK_UNKNOWN);
		return;
	}
	if (is(registry, "completes at once")) {
		done(registry, op->token, EK_OK);
		return;
	}
	if (is(registry, "answers through its sibling")) {
		newest_host->op_done(newest_host, op->token, &(struct ek_result){ .size = sizeof(struct ek_result) });
		return;
	}
	later = calloc(1, sizeof(*later));
	if (!later)
		return;
	if (op->kind == EK_OP_PUT)
		remember(&registry->memory, op->instance);
	later->registry = registry;
	later->token = op->token;
	later->kind = op->kind;
	strncpy(later->id, op->id, sizeof(later->id) - 1);
	strncpy(later->application, op->application, sizeof(later->application) - 1);
	if (!registry->host->timer_start(registry->host, 1, complete, later)) {
		done(registry, op->token, EK_OK);
		free(later);
	}
}

static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	for (uint32_t i = 0; i < n_ops; i++)
		start_op(self, ops[i]);
}

/* ---- listing ---- */

/* Fifty thousand entries that bear the mark of the syncer shop/bad. */
static void list_inventions(const struct ek_host *host, uint64_t token)
{
	static const struct ek_pair owner = { .size = sizeof(owner), .key = EK_MARK_OWNER, .value = "test/shop/bad" };
	const struct ek_pair *const metadata[] = { &owner };
	struct ek_instance instance = { .size = sizeof(instance), .n_metadata = 1, .metadata = metadata };
	char id[64];
	struct ek_entry entry = { .size = sizeof(entry), .id = id, .application = "WEB", .instance = &instance, .status = EK_STATUS_UP,
		                  .flags = EK_ENTRY_RENEWABLE };

	for (int i = 0; i < 50000; i++) {
		snprintf(id, sizeof(id), "test:shop:WEB:invented-%d:80", i);
		host->list_entry(host, token, &entry);
	}
}

static void list_garbage(struct registry *registry, uint64_t token)
{
	const struct ek_host *host = registry->host;
	struct ek_instance instance = { .size = sizeof(instance) };
	struct ek_entry entry = { .size = sizeof(entry), .id = "a", .application = "A", .instance = &instance };

	if (is(registry, "lists NULL"))
		host->list_entry(host, token, NULL);
	else if (is(registry, "lists entries without size"))
		entry.size = 1, host->list_entry(host, token, &entry);
	else if (is(registry, "lists ids that are no text"))
		entry.id = "\xff\xfe", host->list_entry(host, token, &entry);
	else if (is(registry, "lists a status that there is not"))
		entry.status = -7, host->list_entry(host, token, &entry);
	else if (is(registry, "lists metadata without end"))
		instance.n_metadata = UINT32_MAX, host->list_entry(host, token, &entry);
	else if (is(registry, "lists endlessly"))
		while (host->list_entry(host, token, &entry) == 0)
			;
	else if (is(registry, "lists entries without an instance"))
		entry.instance = NULL, host->list_entry(host, token, &entry);
	else if (is(registry, "larger structures"))
		entry.size += 64, instance.size += 64, host->list_entry(host, token, &entry);
	else if (is(registry, "lists inventions"))
		list_inventions(host, token);
	else if (is(registry, "lists garbage for two lists"))
		host->list_entry(host, token, NULL), host->list_entry(host, token + 7, NULL);
	else if (is(registry, "lists for another list"))
		host->list_entry(host, token + 7, &entry);
}

static void end_list(void *arg)
{
	struct later *later = arg;

	done(later->registry, later->token, EK_OK);
	free(later);
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	struct registry *registry = self;
	struct later *later = calloc(1, sizeof(*later));

	(void)scope;
	if (!later)
		return;
	later->registry = registry;
	later->token = token;
	list_garbage(registry, token);
	if (is(registry, "never ends a list"))
		free(later);
	else if (!registry->host->timer_start(registry->host, 1, end_list, later))
		end_list(later);
}

static const struct ek_option behaviour = { .size = sizeof(behaviour), .type = EK_OPTION_STRING, .name = "behaviour", .help = "What it does that it must not." };
static const struct ek_option note = { .size = sizeof(note), .type = EK_OPTION_STRING, .name = "note", .help = "Makes another instance." };
static const struct ek_option *const options[] = { &behaviour, &note, NULL };

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list,
};
EK_PLUGIN_DEFINE(hostile-registry, REGISTRY, .version = "6.6.6", .options = options, .ops = &ops);
