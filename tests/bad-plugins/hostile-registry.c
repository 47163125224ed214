/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile-registry.c - a registry that loads well and then does what it must not, one thing at a time: the option `behaviour` says which. Without one it is a decent
 * registry that forgets everything. tests/scenario/test_hostile_registries.c and tests/e2e/test_hostile_plugins.py say what the host makes of each.
 */
#include <stdlib.h>
#include <string.h>

#include <eurekube/error.h>
#include <eurekube/host.h>
#include <eurekube/mode.h>
#include <eurekube/registry.h>

#define ENDLESS (2u << 20)

struct registry {
	const struct ek_host *host;
	struct ek_registry_traits traits;
	const char *behaviour;
	uint64_t last_token;
	int n_puts, n_lists;
};

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
}

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	const struct ek_option_value *behaviour = host->option(host, "behaviour");

	(void)err;
	if (!registry)
		return EK_RETRY;
	registry->host = host;
	registry->behaviour = behaviour && behaviour->text ? behaviour->text : "";
	set_traits(registry);
	if (is(registry, "fails to start silently") || is(registry, "starts without an instance")) {
		int code = is(registry, "fails to start silently") ? EK_INVALID : EK_OK;

		free(registry);
		return code;
	}
	*self = registry;
	return EK_OK;
}

/* So that it is not taken for a leak of the host's. */
struct registry *volatile never_closed;

static void close_registry(void *self)
{
	struct registry *registry = self;
	const struct ek_host *host = registry->host;

	if (is(registry, "never closes")) {
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
	free(registry);
}

static const struct ek_registry_traits *traits(void *self)
{
	struct registry *registry = self;

	return is(registry, "no traits") ? NULL : &registry->traits;
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
	if (is(registry, "floods with news"))
		for (int i = 0; i < 200000; i++) {
			host->changed(host, later->application, later->id);
			host->lost(host, "again");
		}
	if (is(registry, "changes that are no names"))
		host->changed(host, NULL, "\xff");
	free(later);
}

static void fire(void *arg)
{
	(void)arg;
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
	if (is(registry, "floods with timers"))
		for (int i = 0; i < 20000; i++)
			registry->host->timer_start(registry->host, 3600000, fire, NULL);
	later = calloc(1, sizeof(*later));
	if (!later)
		return;
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
static const struct ek_option *const options[] = { &behaviour, NULL };

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list,
};
EK_PLUGIN_DEFINE(hostile-registry, REGISTRY, .version = "6.6.6", .options = options, .ops = &ops);
