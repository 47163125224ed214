/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the records and finds out what changed, between two lists or by an event. Of a list that is under way only what differs from the
 * present view is kept aside, so a relist of an unchanged cluster needs no second copy.
 * It does not judge changes; it only says how they were learnt. Next: store_view.c, which gives a Service with its endpoints.
 */
#include "kube/store.h"

#include "kube/store_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define KEY_BYTES 640

struct key {
	char text[KEY_BYTES];
	unsigned n;
};

/* ---- What differs between Services and slices ---- */

static int read_record(const struct table *table, struct ek_slice json, void **record, struct ek_error *err)
{
	struct ek_record_service *service = NULL;
	struct ek_record_slice *slice = NULL;
	int code;

	if (table->kind == EK_STORE_SERVICES) {
		code = ek_read_service(json, table->store->pool, &service, err);
		*record = service;
	} else {
		code = ek_read_slice(json, table->store->pool, &slice, err);
		*record = slice;
	}
	return code;
}

static void free_record(const struct table *table, void *record)
{
	if (table->kind == EK_STORE_SERVICES)
		ek_record_service_free(record, table->store->pool);
	else
		ek_record_slice_free(record, table->store->pool);
}

static bool same_record(const struct table *table, const void *a, const void *b)
{
	return table->kind == EK_STORE_SERVICES ? ek_record_service_equals(a, b) : ek_record_slice_equals(a, b);
}

static const char *namespace_of(const struct table *table, const void *record)
{
	return table->kind == EK_STORE_SERVICES ? ((const struct ek_record_service *)record)->namespace_ :
						  ((const struct ek_record_slice *)record)->namespace_;
}

static const char *name_of(const struct table *table, const void *record)
{
	return table->kind == EK_STORE_SERVICES ? ((const struct ek_record_service *)record)->name : ((const struct ek_record_slice *)record)->name;
}

/* The Service that the record belongs to; NULL for a slice without one. */
static const char *service_of(const struct table *table, const void *record)
{
	return table->kind == EK_STORE_SERVICES ? ((const struct ek_record_service *)record)->name : ((const struct ek_record_slice *)record)->service;
}

static int64_t trigger_of(const struct table *table, const void *record)
{
	return table->kind == EK_STORE_SERVICES ? 0 : ((const struct ek_record_slice *)record)->trigger_wall_ms;
}

/* The records are equal but for the time, which the older one takes from the newer. */
static void renew_trigger(const struct table *table, void *record, const void *newer)
{
	if (table->kind == EK_STORE_SLICES)
		((struct ek_record_slice *)record)->trigger_wall_ms = ((const struct ek_record_slice *)newer)->trigger_wall_ms;
}

/* ---- Telling ---- */

static void touch(struct ek_store *store, struct group *group)
{
	if (group->is_touched)
		return;
	group->is_touched = true;
	group->next_touched = NULL;
	*store->touched_end = group;
	store->touched_end = &group->next_touched;
}

/* keys: what changed of the one Service that an event has touched; NULL anything. */
static void tell(struct ek_store *store, enum ek_evidence evidence, int64_t trigger_wall_ms, const struct ek_keys *keys)
{
	const struct ek_store_listener *listener = &store->listener;
	struct group *group;

	for (group = store->touched; group && listener->on_service; group = group->next_touched) {
		struct ek_store_change change = { group->home->name, group->name, evidence, trigger_wall_ms, keys && !keys->is_all ? keys : NULL };

		listener->on_service(listener->arg, &change);
	}
	while ((group = store->touched)) {
		store->touched = group->next_touched;
		group->is_touched = false;
		ek_store_drop_group(store, group);
	}
	store->touched_end = &store->touched;
}

/* ---- Objects ---- */

static bool make_key(struct key *key, const char *namespace_, const char *name)
{
	size_t n_namespace = strlen(namespace_) + 1, n_name = strlen(name) + 1;

	if (n_namespace + n_name > sizeof(key->text))
		return false;
	memcpy(key->text, namespace_, n_namespace);
	memcpy(key->text + n_namespace, name, n_name);
	key->n = (unsigned)(n_namespace + n_name);
	return true;
}

static struct object *find(struct object *objects, const struct key *key)
{
	struct object *object;

	HASH_FIND(hh, objects, key->text, key->n, object);
	return object;
}

static struct object *new_object(struct object **objects, const struct key *key)
{
	struct object *object = ek_xmalloc(sizeof(*object) + key->n);

	*object = (struct object){ .record = NULL };
	memcpy(object->key, key->text, key->n);
	HASH_ADD_KEYPTR(hh, *objects, object->key, key->n, object);
	return object;
}

/* Forgets an object that hangs on no group. */
static void free_object(struct table *table, struct object **objects, struct object *object)
{
	HASH_DEL(*objects, object);
	free_record(table, object->record);
	free(object->keys);
	free(object);
}

static void attach(struct table *table, struct object *object)
{
	struct ek_store *store = table->store;
	struct group *group = ek_store_need_group(store, namespace_of(table, object->record), service_of(table, object->record));

	object->group = group;
	touch(store, group);
	if (table->kind == EK_STORE_SERVICES) {
		group->service = object;
		return;
	}
	if (!store->is_followed)
		ek_index_forget(group);
	object->next = group->slices;
	group->slices = object;
	store->n_endpoints += ek_store_slice_of(object)->n_endpoints;
}

static void detach(struct table *table, struct object *object)
{
	struct object **at = &object->group->slices;

	touch(table->store, object->group);
	if (table->kind == EK_STORE_SERVICES) {
		object->group->service = NULL;
	} else {
		if (!table->store->is_followed)
			ek_index_forget(object->group);
		while (*at != object)
			at = &(*at)->next;
		*at = object->next;
		table->store->n_endpoints -= ek_store_slice_of(object)->n_endpoints;
	}
	object->group = NULL;
	object->next = NULL;
}

static void remove_live(struct table *table, struct object *object)
{
	detach(table, object);
	free_object(table, &table->live, object);
}

/* Takes the record. */
static void replace_live(struct table *table, struct object *object, void *record, uint32_t seen)
{
	detach(table, object);
	free_record(table, object->record);
	object->record = record;
	object->seen = seen;
	attach(table, object);
}

static struct object *add_live(struct table *table, const struct key *key, void *record)
{
	struct object *object = new_object(&table->live, key);

	object->record = record;
	attach(table, object);
	return object;
}

/* The record and its key; a record of NULL with EK_OK belongs to no Service. */
static int read_one(const struct table *table, struct ek_slice json, void **record, struct key *key, struct ek_error *err)
{
	int code = read_record(table, json, record, err);

	if (code != EK_OK)
		return code;
	if (!make_key(key, namespace_of(table, *record), name_of(table, *record))) {
		free_record(table, *record);
		return ek_fail(err, EK_INVALID, "an object with a name that is too long");
	}
	if (!service_of(table, *record)) {
		free_record(table, *record);
		*record = NULL;
	}
	return EK_OK;
}

/* ---- Lists ---- */

static void forget_staged(struct ek_store_feed *feed)
{
	struct object *object, *next;

	HASH_ITER(hh, feed->staged, object, next)
		free_object(feed->table, &feed->staged, object);
	feed->is_staging = false;
}

static void on_begin(void *arg)
{
	struct ek_store_feed *feed = arg;

	forget_staged(feed);
	feed->is_staging = true;
	feed->list++;
}

/* Another time alone is no change, unless other slices may hold the same addresses: then it decides between them. */
static bool same_in_list(const struct table *table, const struct object *live, const void *record)
{
	bool is_alone = table->kind == EK_STORE_SERVICES || !live->group->slices->next;

	return same_record(table, live->record, record) && (is_alone || trigger_of(table, live->record) == trigger_of(table, record));
}

/* Marks what the view has already, and keeps the rest aside. An object that comes twice is what it was the last time. */
static int on_add(void *arg, struct ek_slice json, struct ek_error *err)
{
	struct ek_store_feed *feed = arg;
	struct table *table = feed->table;
	struct object *live, *staged;
	struct key key;
	void *record;
	int code;

	if (!feed->is_staging)
		EK_BUG("an object of no list");
	code = read_one(table, json, &record, &key, err);
	if (code != EK_OK)
		return code;
	live = find(table->live, &key);
	staged = find(feed->staged, &key);
	if (live)
		live->seen = record ? feed->list : feed->list - 1;
	if (staged && (!record || (live && same_in_list(table, live, record)))) {
		free_object(table, &feed->staged, staged);
		staged = NULL;
	}
	if (!record)
		return EK_OK;
	if (live && same_in_list(table, live, record)) {
		renew_trigger(table, live->record, record);
		free_record(table, record);
		return EK_OK;
	}
	if (!staged)
		staged = new_object(&feed->staged, &key);
	else
		free_record(table, staged->record);
	staged->record = record;
	return EK_OK;
}

static void go_live(struct ek_store_feed *feed, struct object *staged)
{
	struct table *table = feed->table;
	struct object *live;

	HASH_FIND(hh, table->live, staged->key, staged->hh.keylen, live);
	HASH_DEL(feed->staged, staged);
	if (live) {
		replace_live(table, live, staged->record, feed->list);
		free(staged);
		return;
	}
	staged->seen = feed->list;
	HASH_ADD_KEYPTR(hh, table->live, staged->key, staged->hh.keylen, staged);
	attach(table, staged);
}

static bool is_fed(const struct ek_store_feed *feed, const struct object *object)
{
	return !feed->namespace_ || strcmp(object->key, feed->namespace_) == 0;
}

static size_t count_fed(const struct ek_store_feed *feed)
{
	size_t n = 0;

	if (!feed->namespace_)
		return HASH_COUNT(feed->table->live);
	for (const struct object *object = feed->table->live; object; object = object->hh.next)
		n += is_fed(feed, object);
	return n;
}

static void on_commit(void *arg)
{
	struct ek_store_feed *feed = arg;
	struct table *table = feed->table;
	struct ek_store *store = table->store;
	size_t before = count_fed(feed);
	struct object *object, *next;

	if (!feed->is_staging)
		EK_BUG("the end of no list");
	HASH_ITER(hh, table->live, object, next)
		if (is_fed(feed, object) && object->seen != feed->list)
			remove_live(table, object);
	HASH_ITER(hh, feed->staged, object, next)
		go_live(feed, object);
	feed->is_staging = false;
	feed->is_listed = true;
	if (store->listener.on_commit)
		store->listener.on_commit(store->listener.arg, table->kind, feed->namespace_, before, count_fed(feed));
	tell(store, EK_EVIDENCE_LIST, 0, NULL);
}

static void on_abort(void *arg)
{
	forget_staged(arg);
}

/* ---- Events ---- */

static void remove_by_event(struct table *table, struct object *object, struct ek_keys *keys)
{
	if (table->kind == EK_STORE_SLICES)
		ek_delta_remove(keys, object);
	else
		ek_keys_set_all(keys);
	remove_live(table, object);
}

static int on_deletion(struct table *table, struct ek_slice json, struct ek_error *err)
{
	struct ek_object_meta meta;
	struct ek_keys keys = { .n = 0 };
	struct object *object;
	struct key key;
	int code = ek_read_object_meta(json, &meta, err);

	if (code != EK_OK)
		return code;
	make_key(&key, meta.namespace_, meta.name);
	object = find(table->live, &key);
	table->store->is_followed = true;
	if (object)
		remove_by_event(table, object, &keys);
	table->store->is_followed = false;
	tell(table->store, EK_EVIDENCE_EVENT, 0, &keys);
	ek_keys_clear(&keys);
	return EK_OK;
}

/* The record is what it was but for its time. That may change which of two slices counts for an address. */
static void renew_by_event(struct table *table, struct object *object, const void *record, struct ek_keys *keys)
{
	if (trigger_of(table, object->record) == trigger_of(table, record))
		return;
	ek_delta_renew(keys, object);
	renew_trigger(table, object->record, record);
	if (keys->n || keys->is_all)
		touch(table->store, object->group);
}

/* Takes the record; object: the one that it replaces, NULL none. */
static struct object *put_by_event(struct table *table, struct object *object, const struct key *key, void *record, struct ek_keys *keys)
{
	struct ek_store *store = table->store;
	bool is_slice = table->kind == EK_STORE_SLICES, is_moving = object && service_of(table, object->record) != service_of(table, record);

	store->is_followed = is_slice && !is_moving;
	if (!store->is_followed)
		ek_keys_set_all(keys);
	else if (object)
		ek_delta_replace(keys, object, record);
	if (object)
		replace_live(table, object, record, object->seen);
	else
		object = add_live(table, key, record);
	if (store->is_followed && !object->keys)
		ek_delta_add(keys, object);
	store->is_followed = false;
	return object;
}

static int on_change(void *arg, enum ek_watch_type type, struct ek_slice json, struct ek_error *err)
{
	struct ek_store_feed *feed = arg;
	struct table *table = feed->table;
	struct ek_keys keys = { .n = 0 };
	struct object *object;
	int64_t trigger = 0;
	struct key key;
	void *record;
	int code;

	if (type == EK_WATCH_DELETED)
		return on_deletion(table, json, err);
	code = read_one(table, json, &record, &key, err);
	if (code != EK_OK)
		return code;
	object = find(table->live, &key);
	if (record && (!object || trigger_of(table, object->record) != trigger_of(table, record)))
		trigger = trigger_of(table, record); /* a time that was told before is not that of this change */
	if (record && object && same_record(table, object->record, record)) {
		renew_by_event(table, object, record, &keys);
		free_record(table, record);
	} else if (record) {
		put_by_event(table, object, &key, record, &keys)->seen = feed->list;
	} else if (object) {
		table->store->is_followed = true;
		remove_by_event(table, object, &keys);
		table->store->is_followed = false;
	}
	tell(table->store, EK_EVIDENCE_EVENT, trigger, &keys);
	ek_keys_clear(&keys);
	return EK_OK;
}

/* ---- The store ---- */

const struct ek_reflector_sink *ek_store_sink(enum ek_store_kind kind)
{
	static const struct ek_reflector_sink sink = {
		.begin = on_begin, .add = on_add, .commit = on_commit, .abort = on_abort, .change = on_change
	};

	(void)kind;
	return &sink;
}

struct ek_store_feed *ek_store_feed(struct ek_store *store, enum ek_store_kind kind, const char *namespace_)
{
	struct ek_store_feed *feed;

	for (feed = store->feeds; feed; feed = feed->next)
		if (feed->table == &store->tables[kind] && ek_text_same(feed->namespace_, namespace_))
			return feed;
	feed = ek_xcalloc(1, sizeof(*feed));
	feed->table = &store->tables[kind];
	feed->namespace_ = ek_xstrdup(namespace_);
	feed->next = store->feeds;
	store->feeds = feed;
	return feed;
}

struct ek_store *ek_store_new(const struct ek_store_listener *listener)
{
	struct ek_store *store = ek_xcalloc(1, sizeof(*store));

	if (listener)
		store->listener = *listener;
	store->pool = ek_intern_new();
	store->touched_end = &store->touched;
	for (int kind = 0; kind < EK_STORE_N_KINDS; kind++)
		store->tables[kind] = (struct table){ .store = store, .kind = (enum ek_store_kind)kind };
	return store;
}

bool ek_store_is_listed(const struct ek_store *store, const char *namespace_)
{
	bool is_listed[EK_STORE_N_KINDS] = { false };

	for (const struct ek_store_feed *feed = store->feeds; feed; feed = feed->next)
		if (!feed->namespace_ || strcmp(feed->namespace_, namespace_) == 0)
			is_listed[feed->table->kind] = feed->is_listed;
	return is_listed[EK_STORE_SERVICES] && is_listed[EK_STORE_SLICES];
}

static void free_feeds(struct ek_store *store)
{
	struct ek_store_feed *feed;

	while ((feed = store->feeds)) {
		store->feeds = feed->next;
		forget_staged(feed);
		free(feed->namespace_);
		free(feed);
	}
}

void ek_store_free(struct ek_store *store)
{
	struct object *object, *next;

	if (!store)
		return;
	store->listener = (struct ek_store_listener){ .arg = NULL };
	free_feeds(store);
	for (int kind = 0; kind < EK_STORE_N_KINDS; kind++) {
		struct table *table = &store->tables[kind];

		HASH_ITER(hh, table->live, object, next)
			remove_live(table, object);
	}
	tell(store, EK_EVIDENCE_EVENT, 0, NULL);
	ek_intern_free(store->pool);
	free(store);
}

void ek_store_stats(const struct ek_store *store, struct ek_store_stats *out)
{
	*out = (struct ek_store_stats){
		.services = HASH_COUNT(store->tables[EK_STORE_SERVICES].live),
		.slices = HASH_COUNT(store->tables[EK_STORE_SLICES].live),
		.endpoints = store->n_endpoints,
		.interned_bytes = ek_intern_bytes(store->pool),
	};
}
