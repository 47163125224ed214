/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads EurekaSyncers by name that a registry's entries speak of and no list has shown, a few at a time. What becomes of the entries is adopt.c's, what becomes of
 * the syncer syncers.c's. Read adopt.c next.
 */
#include "sync/owners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/registry.h"

#define READS_MAX 8
#define OWNERS_MAX 10000     /* at once; the others are asked for at the next audit */
#define RETRY_MS 5000

struct ek_unknown_owner {
	UT_hash_handle hh;
	struct ek_engine *engine;
	struct ek_kube_call *call;               /* NULL: waiting */
	char key[320];                           /* namespace/name */
	struct ek_owner owner;
};

static void read_waiting(struct ek_engine *engine);

static void drop(struct ek_unknown_owner *unknown)
{
	HASH_DEL(unknown->engine->owners, unknown);
	free(unknown);
}

static void take_found(struct ek_unknown_owner *unknown, const struct ek_kube_reply *reply)
{
	struct ek_engine *engine = unknown->engine;

	if (!ek_engine_take_syncer(engine, (struct ek_slice){ reply->body, reply->body_bytes }))
		return;
	EK_WARN(&engine->log, "a list did not show an EurekaSyncer that exists; it is served", EK_S("syncer", unknown->key));
	engine->has_found_owner = true;
}

/* Whatever a registry holds for those that were found is looked at again now that they are known. */
static void adopt_their_entries(struct ek_engine *engine)
{
	engine->has_found_owner = false;
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_registry_list_soon(engine->registries[i]);
}

static void on_read(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_unknown_owner *unknown = arg;
	struct ek_engine *engine = unknown->engine;

	unknown->call = NULL;
	engine->n_owner_reads--;
	if (reply->code == EK_OK || reply->code == EK_GONE || reply->code == EK_AUTH) {
		if (reply->code == EK_OK)
			take_found(unknown, reply);
		drop(unknown);
	} else if (!ek_timer_is_armed(&engine->owners_timer)) {
		ek_loop_arm(engine->loop, &engine->owners_timer, RETRY_MS);
	}
	read_waiting(engine);
	if (engine->has_found_owner && !engine->n_owner_reads)
		adopt_their_entries(engine);
}

static void read_one(struct ek_unknown_owner *unknown)
{
	struct ek_engine *engine = unknown->engine;
	char path[512];
	struct ek_kube_request request = { .method = "GET", .path = path, .on_done = on_read, .arg = unknown };

	snprintf(path, sizeof(path), "/apis/eurekube.io/v1alpha1/namespaces/%s/eurekasyncers/%s", unknown->owner.namespace_, unknown->owner.name);
	unknown->call = ek_kube_call(engine->with.kube, &request, NULL);
	if (unknown->call)
		engine->n_owner_reads++;
	else if (!ek_timer_is_armed(&engine->owners_timer))
		ek_loop_arm(engine->loop, &engine->owners_timer, RETRY_MS);
}

static void read_waiting(struct ek_engine *engine)
{
	struct ek_unknown_owner *unknown, *next;

	if (ek_timer_is_armed(&engine->owners_timer))
		return; /* the API server is away */
	HASH_ITER(hh, engine->owners, unknown, next) {
		if (engine->n_owner_reads >= READS_MAX)
			return;
		if (!unknown->call)
			read_one(unknown);
	}
}

static void on_retry(void *arg)
{
	read_waiting(arg);
}

/* Anybody may write a mark into a registry; only what can be a name becomes part of a path. */
static bool is_name(const char *text)
{
	return text[0] && text[0] != '.' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0';
}

static bool may_exist(const struct ek_engine *engine, const struct ek_owner *owner)
{
	return is_name(owner->namespace_) && is_name(owner->name) && ek_config_watches(engine->with.config, owner->namespace_);
}

void ek_owners_init(struct ek_engine *engine)
{
	ek_timer_init(&engine->owners_timer, on_retry, engine);
}

void ek_owners_ask(struct ek_sync_registry *registry, const struct ek_owner *owner)
{
	struct ek_engine *engine = registry->engine;
	struct ek_unknown_owner *unknown;
	char key[320];

	snprintf(key, sizeof(key), "%s/%s", owner->namespace_, owner->name);
	HASH_FIND_STR(engine->owners, key, unknown);
	if (unknown || !may_exist(engine, owner) || HASH_COUNT(engine->owners) >= OWNERS_MAX)
		return;
	unknown = ek_xcalloc(1, sizeof(*unknown));
	unknown->engine = engine;
	unknown->owner = *owner;
	memcpy(unknown->key, key, sizeof(unknown->key));
	HASH_ADD_STR(engine->owners, key, unknown);
	read_waiting(engine);
}

void ek_owners_clear(struct ek_engine *engine)
{
	struct ek_unknown_owner *unknown, *next;

	ek_loop_disarm(engine->loop, &engine->owners_timer);
	HASH_ITER(hh, engine->owners, unknown, next) {
		ek_kube_cancel(unknown->call);
		drop(unknown);
	}
	engine->n_owner_reads = 0;
}
