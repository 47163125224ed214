/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of EurekaSyncers, fed by their reflector: adds, replaces and retires them, and decides which changes are worth a turn. A syncer that a LIST does not
 * show is not believed to be gone before a read has said so. Read engine.c next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "kube/resources.h"
#include "kube/watch.h"
#include "sync/claims.h"
#include "sync/identity.h"
#include "sync/quorum.h"
#include "sync/reconcile.h"
#include "sync/rollout.h"
#include "sync/status.h"

#define OWN_WRITE_MS 60000

struct ek_sync_syncer *ek_engine_find_syncer(struct ek_engine *engine, const char *namespace_, const char *name)
{
	struct ek_sync_syncer *syncer;
	char key[320];

	snprintf(key, sizeof(key), "%.63s/%.253s", namespace_, name);
	HASH_FIND_STR(engine->syncers, key, syncer);
	return syncer;
}

static void on_confirm_due(void *arg)
{
	ek_confirm_absence(arg);
}

static struct ek_sync_syncer *add_syncer(struct ek_engine *engine, struct ek_syncer_object *object)
{
	struct ek_sync_syncer *syncer = ek_xcalloc(1, sizeof(*syncer));

	syncer->engine = engine;
	syncer->object = object;
	snprintf(syncer->key, sizeof(syncer->key), "%.63s/%.253s", object->namespace_, object->name);
	ek_owner_format(engine->with.cluster_id, object->namespace_, object->name, syncer->owner);
	ek_queue_item_init(&engine->queue, &syncer->item);
	ek_part_init(syncer);
	ek_timer_init(&syncer->confirm_timer, on_confirm_due, syncer);
	ek_status_init(syncer);
	HASH_ADD_STR(engine->syncers, key, syncer);
	return syncer;
}

static void stop_waiting(struct ek_sync_syncer *syncer)
{
	for (unsigned i = 0; i < syncer->engine->n_registries && syncer->is_waiting; i++)
		for (struct ek_sync_syncer **at = &syncer->engine->registries[i]->waiters; *at; at = &(*at)->wait_next)
			if (*at == syncer) {
				*at = syncer->wait_next;
				syncer->is_waiting = false;
				break;
			}
}

void ek_engine_drop_syncer(struct ek_engine *engine, struct ek_sync_syncer *syncer)
{
	ek_claims_release(syncer);
	stop_waiting(syncer);
	ek_queue_item_clear(&syncer->item);
	ek_part_clear(syncer);
	ek_status_clear(syncer);
	ek_rollout_clear(syncer);
	ek_quorum_clear(syncer);
	ek_loop_disarm(engine->loop, &syncer->confirm_timer);
	ek_kube_cancel(syncer->finalizer_call);
	ek_kube_cancel(syncer->confirm_call);
	while (syncer->entries)
		ek_entry_unlink(syncer->entries);
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_ops_wake_waiter(engine->registries[i]); /* it may have been the one whose turn it was */
	HASH_DEL(engine->syncers, syncer);
	ek_syncer_object_free(syncer->object);
	free(syncer);
}

/* ---- feeds ---- */

/* What one reflector brings: the syncers of one namespace, or of all. */
struct ek_syncer_feed {
	struct ek_syncer_feed *next;
	struct ek_engine *engine;
	char *namespace_;                        /* NULL: all */
	struct ek_syncer_object **staged;        /* what the list under way has brought so far */
	size_t n_staged, staged_room;
	uint32_t round;                          /* of its lists */
};

struct ek_syncer_feed *ek_engine_syncer_feed(struct ek_engine *engine, const char *namespace_)
{
	struct ek_syncer_feed *feed = ek_xcalloc(1, sizeof(*feed));

	feed->engine = engine;
	feed->namespace_ = ek_xstrdup(namespace_);
	feed->next = engine->feeds;
	engine->feeds = feed;
	return feed;
}

static void forget_staged(struct ek_syncer_feed *feed)
{
	for (size_t i = 0; i < feed->n_staged; i++)
		ek_syncer_object_free(feed->staged[i]);
	feed->n_staged = 0;
}

static void free_feeds(struct ek_engine *engine)
{
	struct ek_syncer_feed *feed;

	while ((feed = engine->feeds)) {
		engine->feeds = feed->next;
		forget_staged(feed);
		free(feed->staged);
		free(feed->namespace_);
		free(feed);
	}
}

void ek_syncers_clear(struct ek_engine *engine)
{
	struct ek_sync_syncer *syncer, *next;

	HASH_ITER(hh, engine->syncers, syncer, next)
		ek_engine_drop_syncer(engine, syncer);
	free_feeds(engine);
}

static bool has_same_labels(const struct ek_syncer_object *a, const struct ek_syncer_object *b)
{
	if (a->n_labels != b->n_labels)
		return false;
	for (unsigned i = 0; i < a->n_labels; i++)
		if (strcmp(a->labels[i].key, b->labels[i].key) != 0 || strcmp(a->labels[i].value, b->labels[i].value) != 0)
			return false;
	return true;
}

/* Our own status write comes back as an event; it is not worth a turn. */
static bool is_worth_a_turn(const struct ek_syncer_object *old, const struct ek_syncer_object *new)
{
	return old->generation != new->generation || old->is_deleting != new->is_deleting || old->n_finalizers != new->n_finalizers ||
	       strcmp(old->uid, new->uid) != 0 || !ek_text_same(old->approved, new->approved) ||
	       !has_same_labels(old, new); /* a rollout may select by labels */
}

/* From before our own write, by a watch or a cache that is behind. For a while only: after a restore of etcd every version is an older one. */
static bool is_behind_our_write(const struct ek_sync_syncer *syncer, const struct ek_syncer_object *object)
{
	bool is_known;
	int order;

	if (!syncer || !syncer->wrote_ms || ek_loop_now_ms(syncer->engine->loop) - syncer->wrote_ms > OWN_WRITE_MS || !object->resource_version ||
	    !syncer->object->resource_version ||
	    strcmp(syncer->object->uid, object->uid) != 0)
		return false;
	order = ek_rv_compare(object->resource_version, syncer->object->resource_version, &is_known);
	return is_known && order < 0;
}

/* Takes the object; gives the syncer that it is now part of, or would have been. */
static struct ek_sync_syncer *take_object(struct ek_engine *engine, struct ek_syncer_object *object)
{
	struct ek_sync_syncer *syncer = ek_engine_find_syncer(engine, object->namespace_, object->name);
	bool is_due = true;

	if (is_behind_our_write(syncer, object)) {
		ek_syncer_object_free(object);
		return syncer;
	}
	if (!syncer) {
		syncer = add_syncer(engine, object);
	} else {
		struct ek_syncer_object *old = syncer->object;

		is_due = is_worth_a_turn(old, object) || syncer->is_gone;
		if (old->generation != object->generation)
			syncer->canary_failures = 0;
		if (strcmp(old->uid, object->uid) != 0) {
			syncer->deleting_since_ms = 0;
			syncer->is_abandoned = false;
		}
		syncer->object = object;
		syncer->is_gone = false;
		syncer->is_doubtful = false;
		ek_syncer_object_free(old);
	}
	ek_status_observed(syncer);
	if (is_due)
		ek_queue_add(&syncer->item);
	return syncer;
}

/* ---- the sink ---- */

static void begin(void *arg)
{
	struct ek_syncer_feed *feed = arg;

	forget_staged(feed);
}

/* An object that cannot be read is skipped: a bad resource never delays a good one. */
static int read_object(struct ek_engine *engine, struct ek_slice json, struct ek_syncer_object **out)
{
	struct ek_error err = EK_ERROR_INIT;
	int code = ek_syncer_object_read(json, out, &err);

	if (code != EK_OK)
		EK_WARN(&engine->log, "an EurekaSyncer cannot be read and is ignored", EK_E(&err));
	return code;
}

bool ek_engine_take_syncer(struct ek_engine *engine, struct ek_slice json)
{
	struct ek_syncer_object *object;

	if (read_object(engine, json, &object) != EK_OK)
		return false;
	take_object(engine, object)->is_expected_held = true;
	return true;
}

void ek_engine_take_written(struct ek_sync_syncer *syncer, struct ek_slice json)
{
	struct ek_syncer_object *object;

	if (syncer->is_gone || read_object(syncer->engine, json, &object) != EK_OK)
		return;
	if (strcmp(object->uid, syncer->object->uid) != 0) {
		ek_syncer_object_free(object);
		return;
	}
	take_object(syncer->engine, object);
	syncer->wrote_ms = ek_loop_now_ms(syncer->engine->loop);
}

static int add(void *arg, struct ek_slice json, struct ek_error *err)
{
	struct ek_syncer_feed *feed = arg;
	struct ek_syncer_object *object;

	(void)err;
	if (read_object(feed->engine, json, &object) != EK_OK)
		return EK_OK;
	if (feed->n_staged == feed->staged_room) {
		feed->staged_room = feed->staged_room ? feed->staged_room * 2 : 64;
		feed->staged = ek_xrealloc(feed->staged, feed->staged_room, sizeof(*feed->staged));
	}
	feed->staged[feed->n_staged++] = object;
	return EK_OK;
}

static void doubt_unlisted(const struct ek_syncer_feed *feed)
{
	struct ek_sync_syncer *syncer, *next;

	HASH_ITER(hh, feed->engine->syncers, syncer, next) {
		if (syncer->list_round == feed->round || syncer->is_gone)
			continue;
		if (feed->namespace_ && strcmp(feed->namespace_, syncer->object->namespace_) != 0)
			continue;
		syncer->is_doubtful = true;
		ek_confirm_absence(syncer);
	}
}

static void commit(void *arg)
{
	struct ek_syncer_feed *feed = arg;

	feed->round++;
	for (size_t i = 0; i < feed->n_staged; i++)
		take_object(feed->engine, feed->staged[i])->list_round = feed->round;
	feed->n_staged = 0;
	doubt_unlisted(feed);
}

static int change(void *arg, enum ek_watch_type type, struct ek_slice json, struct ek_error *err)
{
	struct ek_engine *engine = ((struct ek_syncer_feed *)arg)->engine;
	struct ek_syncer_object *object;
	struct ek_sync_syncer *syncer;

	(void)err;
	if (read_object(engine, json, &object) != EK_OK)
		return EK_OK;
	if (type != EK_WATCH_DELETED) {
		take_object(engine, object);
		return EK_OK;
	}
	syncer = ek_engine_find_syncer(engine, object->namespace_, object->name);
	if (syncer && strcmp(syncer->object->uid, object->uid) == 0) {
		syncer->is_gone = true;
		syncer->is_doubtful = false;
		ek_queue_add(&syncer->item);
	}
	ek_syncer_object_free(object);
	return EK_OK;
}

const struct ek_reflector_sink ek_engine_syncer_sink = { .begin = begin, .add = add, .commit = commit, .abort = begin, .change = change };
