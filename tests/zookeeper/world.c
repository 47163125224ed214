/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens, asks and closes an instance of the plugin. It asserts only that operations come to an end. Read test_zookeeper.c next.
 */
#include "zookeeper/world.h"

char zoo_refusal[256];

/* ---- What the owner hears ---- */

static const char *mark(const struct ek_instance *instance, const char *key)
{
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		if (strcmp(instance->metadata[i]->key, key) == 0)
			return instance->metadata[i]->value;
	return "";
}

static struct seen_entry see(const struct ek_entry *entry)
{
	const struct ek_instance *instance = entry->instance;
	struct seen_entry seen = {
		.flags = entry->flags, .n_metadata = instance->n_metadata, .status = entry->status, .port = instance->port,
		.secure_port = instance->secure_port, .revision = entry->revision,
	};

	snprintf(seen.id, sizeof(seen.id), "%s", entry->id);
	snprintf(seen.application, sizeof(seen.application), "%s", entry->application);
	snprintf(seen.address, sizeof(seen.address), "%s", instance->address);
	snprintf(seen.owner, sizeof(seen.owner), "%s", mark(instance, EK_MARK_OWNER));
	snprintf(seen.version, sizeof(seen.version), "%s", mark(instance, "version"));
	return seen;
}

static void on_op_done(void *arg, uint64_t token, const struct ek_result *result)
{
	struct zoo *zoo = arg;

	if (token != zoo->token)
		return;
	assert_false(zoo->is_done);
	zoo->is_done = true;
	zoo->code = result->code;
	zoo->revision = result->revision;
	zoo->has_entry = result->entry != NULL;
	if (result->entry)
		zoo->entry = see(result->entry);
	snprintf(zoo->message, sizeof(zoo->message), "%s", result->message ? result->message : "");
	ek_loop_stop(zoo->loop);
}

static int on_list_entry(void *arg, uint64_t token, const struct ek_entry *entry)
{
	struct zoo *zoo = arg;

	assert_true(token == zoo->token && zoo->n_entries < MAX_SEEN);
	zoo->entries[zoo->n_entries++] = see(entry);
	return zoo->n_entries == zoo->stop_after;
}

static void on_lost(void *arg, const char *why)
{
	((struct zoo *)arg)->n_lost++;
}

static void on_closed(void *arg)
{
	struct zoo *zoo = arg;

	zoo->is_closed = true;
	ek_loop_stop(zoo->loop);
}

static void on_limit(void *arg)
{
	struct zoo *zoo = arg;

	zoo->is_late = true;
	ek_loop_stop(zoo->loop);
}

static void run(struct zoo *zoo)
{
	ek_loop_arm(zoo->loop, &zoo->limit, LIMIT_MS);
	ek_loop_run(zoo->loop);
	ek_loop_disarm(zoo->loop, &zoo->limit);
	if (zoo->is_late)
		fail_msg("nothing happened for %d ms", LIMIT_MS);
}

/* ---- Life ---- */

static const struct ek_library *load(struct zoo *zoo)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_library *library;

	zoo->catalog = ek_catalog_new(&(struct ek_plugin_rules){ .directory = getenv("EK_ZOOKEEPER_PLUGINS") });
	library = ek_catalog_load(zoo->catalog, "zookeeper.so", NULL, EK_PLUGIN_REGISTRY, &err);
	if (!library)
		fail_msg("%s", err.message);
	zoo->ops = library->plugin->ops;
	return library;
}

static void dispose(struct zoo *zoo)
{
	ek_services_free(zoo->services);
	ek_http_free(zoo->http);
	ek_loop_free(zoo->loop);
	ek_catalog_free(zoo->catalog);
	ek_arena_clear(&zoo->arena);
	free(zoo->entries);
	free(zoo);
}

struct zoo *zoo_open(const char *options)
{
	struct ek_error err = EK_ERROR_INIT;
	struct zoo *zoo = calloc(1, sizeof(*zoo));
	struct ek_services_config config = {
		.name = "registry zoo",
		.owner = { .on_op_done = on_op_done, .on_list_entry = on_list_entry, .on_lost = on_lost, .on_closed = on_closed, .arg = zoo },
	};
	const struct ek_value *given;
	int code;

	ek_arena_init(&zoo->arena);
	zoo->entries = calloc(MAX_SEEN, sizeof(*zoo->entries));
	zoo->loop = ek_loop_new();
	zoo->http = ek_http_new(zoo->loop);
	ek_timer_init(&zoo->limit, on_limit, zoo);
	config.library = load(zoo);
	assert_int_equal(ek_yaml_read(options, strlen(options), 100, &zoo->arena, &given, &err), EK_OK);
	code = ek_options_resolve(config.library->plugin->options, given, "options", &zoo->arena, &config.options, &config.n_options, &err);
	zoo->services = ek_services_new(zoo->loop, zoo->http, &config);
	if (code == EK_OK) {
		ek_services_enter(zoo->services);
		code = zoo->ops->create(ek_services_host(zoo->services), &zoo->self, &err);
		ek_services_leave(zoo->services);
	}
	if (code == EK_OK)
		return zoo;
	snprintf(zoo_refusal, sizeof(zoo_refusal), "%s", err.message);
	dispose(zoo);
	return NULL;
}

struct zoo *zoo_at(const char *root)
{
	char options[256];
	struct zoo *zoo;

	snprintf(options, sizeof(options), "{connect: [\"%s\"], sessionTimeout: 1s, root: %s}", getenv("EK_ZOOKEEPER"), root);
	zoo = zoo_open(options);
	if (!zoo)
		fail_msg("%s", zoo_refusal);
	return zoo;
}

void zoo_close(struct zoo *zoo)
{
	struct ek_services_stats stats;

	ek_services_enter_closing(zoo->services);
	zoo->ops->close(zoo->self);
	ek_services_leave(zoo->services);
	if (!zoo->is_closed)
		run(zoo);
	ek_services_stats(zoo->services, &stats);
	assert_int_equal(stats.misbehaviours[EK_MISBEHAVIOUR_EARLY], 0);
	assert_int_equal(stats.timers, 0);
	assert_int_equal(stats.watches, 0);
	dispose(zoo);
}

/* ---- Asking ---- */

static void begin(struct zoo *zoo)
{
	zoo->token++;
	zoo->is_done = false;
	zoo->n_entries = 0;
}

void zoo_start(struct zoo *zoo, enum ek_op_kind kind, const struct ek_instance *instance, int64_t revision, int32_t timeout_ms)
{
	struct ek_op op;
	const struct ek_op *ops[] = { &op };

	begin(zoo);
	op = sample_op(kind, zoo->token, instance);
	op.application = instance->application;
	op.revision = revision;
	op.timeout_ms = timeout_ms;
	ek_services_enter(zoo->services);
	zoo->ops->apply(zoo->self, ops, 1);
	ek_services_leave(zoo->services);
}

void zoo_cancel(struct zoo *zoo)
{
	ek_services_enter_ending(zoo->services);
	zoo->ops->cancel(zoo->self, zoo->token);
	ek_services_leave(zoo->services);
}

void zoo_wait(struct zoo *zoo)
{
	while (!zoo->is_done)
		run(zoo);
}

int32_t zoo_do(struct zoo *zoo, enum ek_op_kind kind, const struct ek_instance *instance, int64_t revision)
{
	zoo_start(zoo, kind, instance, revision, 10000);
	zoo_wait(zoo);
	return zoo->code;
}

int32_t zoo_list(struct zoo *zoo)
{
	struct ek_scope scope = { .size = sizeof(scope), .owner_prefix = "seoul-1/" };

	begin(zoo);
	ek_services_enter(zoo->services);
	zoo->ops->list(zoo->self, &scope, zoo->token);
	ek_services_leave(zoo->services);
	zoo_wait(zoo);
	return zoo->code;
}

int32_t zoo_probe(struct zoo *zoo)
{
	begin(zoo);
	ek_services_enter(zoo->services);
	zoo->ops->probe(zoo->self, zoo->token);
	ek_services_leave(zoo->services);
	zoo_wait(zoo);
	return zoo->code;
}
