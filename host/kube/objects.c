/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the records of one resource and finds out in which namespaces they changed, between two lists or by an event.
 * It knows nothing of what the records mean, and judges nothing but a list that came back empty.
 * Next: sync/reads.c, which shows them to modes.
 */
#include "kube/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kube/resources_inside.h"

struct row {
	struct ek_record **at;
	uint32_t n, room;
};

/* What one reflector brings. */
struct ek_objects_feed {
	struct ek_objects_feed *next;
	struct ek_objects *objects;
	char *namespace_;                  /* NULL: all */
	struct row live;                   /* sorted by namespace and name */
	struct staged {
		struct ek_record *record;
		uint32_t order, reserved;
	} *staged;                         /* in the order of the list */
	uint32_t n_staged, staged_room;
	bool is_staging, is_listed, is_doubted, is_unconfirmed;
};

struct ek_objects {
	struct ek_objects_config with;
	struct ek_intern *pool;
	struct ek_objects_feed *feeds;
	size_t n_bytes;                    /* of all records */
};

/* ---- rows ---- */

static int compare_names(const struct ek_record *a, const char *namespace_, const char *name)
{
	int order = strcmp(a->namespace_, namespace_);

	return order ? order : strcmp(a->name, name);
}

static int compare(const struct ek_record *a, const struct ek_record *b)
{
	return compare_names(a, b->namespace_, b->name);
}

/* The first that is not before that name. */
static uint32_t place_of(const struct row *row, const char *namespace_, const char *name)
{
	uint32_t low = 0, high = row->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_names(row->at[middle], namespace_, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct row *row, uint32_t place, const char *namespace_, const char *name)
{
	return place < row->n && compare_names(row->at[place], namespace_, name) == 0;
}

static void add(struct row *row, uint32_t place, struct ek_record *record)
{
	row->at = ek_grow(row->at, row->n, &row->room, sizeof(struct ek_record *));
	memmove(row->at + place + 1, row->at + place, (row->n - place) * sizeof(struct ek_record *));
	row->at[place] = record;
	row->n++;
}

static void drop(struct ek_objects *objects, struct ek_record *record)
{
	if (record->n_refs == 1)
		objects->n_bytes -= record->n_bytes;
	ek_record_drop(objects->with.reader, record, objects->pool);
}

static void take_out(struct ek_objects *objects, struct row *row, uint32_t place)
{
	drop(objects, row->at[place]);
	row->n--;
	memmove(row->at + place, row->at + place + 1, (row->n - place) * sizeof(struct ek_record *));
}

static void clear(struct ek_objects *objects, struct row *row)
{
	for (uint32_t i = 0; i < row->n; i++)
		drop(objects, row->at[i]);
	free(row->at);
	*row = (struct row){ NULL, 0, 0 };
}

static void tell(const struct ek_objects *objects, const char *namespace_)
{
	if (objects->with.on_change)
		objects->with.on_change(objects->with.arg, namespace_ && *namespace_ ? namespace_ : NULL);
}

/* ---- reading ---- */

static int check_size(struct ek_objects *objects, struct ek_record **record, struct ek_error *err)
{
	size_t limit = objects->with.max_bytes;

	if (!limit || objects->n_bytes <= limit)
		return EK_OK;
	drop(objects, *record);
	*record = NULL;
	return ek_fail(err, EK_TOO_BIG, "the objects have more than %zu MiB in the fields that are read", limit >> 20);
}

/* The record, or the live one if nothing differs, with a reference of its own; NULL with EK_OK for what has a namespace against its kind. */
static int read_one(struct ek_objects_feed *feed, struct ek_slice json, struct ek_record **out, struct ek_error *err)
{
	struct ek_objects *objects = feed->objects;
	struct ek_record *record, *live;
	uint32_t place;
	int code = objects->with.reader->read(json, objects->with.reader_arg, objects->pool, &record, err);

	*out = NULL;
	if (code != EK_OK)
		return code;
	objects->n_bytes += record->n_bytes;
	if ((*record->namespace_ != '\0') != objects->with.is_namespaced) {
		drop(objects, record);
		return EK_OK;
	}
	place = place_of(&feed->live, record->namespace_, record->name);
	live = is_at(&feed->live, place, record->namespace_, record->name) ? feed->live.at[place] : NULL;
	if (live && objects->with.reader->equals(live, record)) {
		drop(objects, record);
		record = live;
		record->n_refs++;
	}
	*out = record;
	return check_size(objects, out, err);
}

/* ---- lists ---- */

static void forget_staged(struct ek_objects_feed *feed)
{
	while (feed->n_staged)
		drop(feed->objects, feed->staged[--feed->n_staged].record);
	feed->is_staging = false;
}

static void on_begin(void *arg)
{
	struct ek_objects_feed *feed = arg;

	forget_staged(feed);
	feed->is_staging = true;
}

static int on_add(void *arg, struct ek_slice json, struct ek_error *err)
{
	struct ek_objects_feed *feed = arg;
	struct ek_record *record;
	int code = read_one(feed, json, &record, err);

	if (!feed->is_staging)
		EK_BUG("an object of no list");
	if (code != EK_OK || !record)
		return code;
	feed->staged = ek_grow(feed->staged, feed->n_staged, &feed->staged_room, sizeof(*feed->staged));
	feed->staged[feed->n_staged] = (struct staged){ .record = record, .order = feed->n_staged };
	feed->n_staged++;
	return EK_OK;
}

/* By name, and in the order of the list where names are equal. */
static int compare_staged(const void *one, const void *other)
{
	const struct staged *a = one, *b = other;
	int order = compare(a->record, b->record);

	return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* Sorted, and each once: what came twice is what it was the last time. */
static struct row settle(struct ek_objects_feed *feed)
{
	struct row row = { .at = feed->n_staged ? ek_xcalloc(feed->n_staged, sizeof(struct ek_record *)) : NULL, .room = feed->n_staged };

	if (feed->n_staged)
		qsort(feed->staged, feed->n_staged, sizeof(*feed->staged), compare_staged);
	for (uint32_t i = 0; i < feed->n_staged; i++) {
		struct ek_record *record = feed->staged[i].record;

		if (row.n && compare(row.at[row.n - 1], record) == 0)
			drop(feed->objects, row.at[--row.n]);
		row.at[row.n++] = record;
	}
	free(feed->staged);
	feed->staged = NULL;
	feed->n_staged = feed->staged_room = 0;
	return row;
}

/* A namespace is told once, though many of its objects differ. */
static void tell_once(const struct ek_objects *objects, const char **told, const char *namespace_)
{
	if (*told && strcmp(*told, namespace_) == 0)
		return;
	*told = namespace_;
	tell(objects, namespace_);
}

/* Both are sorted; a record that stayed is in both. */
static void tell_differences(const struct ek_objects *objects, const struct row *old, const struct row *new)
{
	const char *told = NULL;
	uint32_t i = 0, k = 0;

	while (i < old->n || k < new->n) {
		int order = i == old->n ? 1 : k == new->n ? -1 : compare(old->at[i], new->at[k]);

		if (order || old->at[i] != new->at[k])
			tell_once(objects, &told, order <= 0 ? old->at[i]->namespace_ : new->at[k]->namespace_);
		i += order <= 0;
		k += order >= 0;
	}
}

static enum ek_objects_state state_of(const struct ek_objects_feed *feed)
{
	if (!feed || !feed->is_listed)
		return EK_OBJECTS_UNLISTED;
	if (feed->is_doubted)
		return EK_OBJECTS_DOUBTED;
	return feed->is_unconfirmed ? EK_OBJECTS_UNCONFIRMED : EK_OBJECTS_WHOLE;
}

/* An empty list where there were objects is hardly ever the truth. An event shows one of them, but not the others: only another list ends the doubt. */
static bool judge_list(struct ek_objects_feed *feed, size_t before, size_t after)
{
	enum ek_objects_state old = state_of(feed);

	feed->is_unconfirmed = !after && !feed->is_listed;
	feed->is_doubted = !after && (before || feed->is_doubted);
	feed->is_listed = true;
	return state_of(feed) != old;
}

static void on_commit(void *arg)
{
	struct ek_objects_feed *feed = arg;
	struct row old = feed->live;

	if (!feed->is_staging)
		EK_BUG("the end of no list");
	feed->live = settle(feed);
	feed->is_staging = false;
	if (feed->objects->with.on_commit)
		feed->objects->with.on_commit(feed->objects->with.arg, feed->namespace_, old.n, feed->live.n);
	if (judge_list(feed, old.n, feed->live.n))
		tell(feed->objects, feed->namespace_);
	else
		tell_differences(feed->objects, &old, &feed->live);
	clear(feed->objects, &old);
}

static void on_abort(void *arg)
{
	forget_staged(arg);
}

/* ---- events ---- */

static int on_deletion(struct ek_objects_feed *feed, struct ek_slice json, struct ek_error *err)
{
	struct ek_object_meta meta;
	uint32_t place;
	int code = ek_read_object_meta(json, &meta, err);

	if (code != EK_OK)
		return code;
	place = place_of(&feed->live, meta.namespace_, meta.name);
	if (is_at(&feed->live, place, meta.namespace_, meta.name)) {
		take_out(feed->objects, &feed->live, place);
		tell(feed->objects, meta.namespace_);
	}
	return EK_OK;
}

static int on_change(void *arg, enum ek_watch_type type, struct ek_slice json, struct ek_error *err)
{
	struct ek_objects_feed *feed = arg;
	struct ek_record *record;
	uint32_t place;
	int code;

	if (type == EK_WATCH_DELETED)
		return on_deletion(feed, json, err);
	code = read_one(feed, json, &record, err);
	if (code != EK_OK || !record)
		return code;
	place = place_of(&feed->live, record->namespace_, record->name);
	if (!is_at(&feed->live, place, record->namespace_, record->name)) {
		add(&feed->live, place, record);
		tell(feed->objects, record->namespace_);
	} else if (feed->live.at[place] != record) {
		drop(feed->objects, feed->live.at[place]);
		feed->live.at[place] = record;
		tell(feed->objects, record->namespace_);
	} else {
		drop(feed->objects, record); /* the reference */
	}
	return EK_OK;
}

const struct ek_reflector_sink ek_objects_sink = {
	.begin = on_begin, .add = on_add, .commit = on_commit, .abort = on_abort, .change = on_change
};

/* ---- life ---- */

struct ek_objects *ek_objects_new(const struct ek_objects_config *config)
{
	struct ek_objects *objects = ek_xcalloc(1, sizeof(*objects));

	objects->with = *config;
	objects->pool = ek_intern_new();
	return objects;
}

struct ek_objects_feed *ek_objects_feed(struct ek_objects *objects, const char *namespace_)
{
	struct ek_objects_feed *feed = ek_xcalloc(1, sizeof(*feed));

	feed->objects = objects;
	feed->namespace_ = ek_xstrdup(namespace_);
	feed->next = objects->feeds;
	objects->feeds = feed;
	return feed;
}

void ek_objects_free(struct ek_objects *objects)
{
	struct ek_objects_feed *feed;

	if (!objects)
		return;
	while ((feed = objects->feeds)) {
		objects->feeds = feed->next;
		forget_staged(feed);
		free(feed->staged);
		clear(objects, &feed->live);
		free(feed->namespace_);
		free(feed);
	}
	ek_intern_free(objects->pool);
	free(objects);
}

/* ---- asking ---- */

static const struct ek_objects_feed *find_feed(const struct ek_objects *objects, const char *namespace_)
{
	const struct ek_objects_feed *feed = objects->feeds;

	while (feed && feed->namespace_ && (!namespace_ || strcmp(feed->namespace_, namespace_) != 0))
		feed = feed->next;
	return feed;
}

enum ek_objects_state ek_objects_state(const struct ek_objects *objects, const char *namespace_)
{
	return state_of(find_feed(objects, namespace_));
}

const struct ek_record *ek_objects_find(const struct ek_objects *objects, const char *namespace_, const char *name)
{
	const struct ek_objects_feed *feed = find_feed(objects, namespace_);
	uint32_t place;

	if (!feed)
		return NULL;
	place = place_of(&feed->live, namespace_, name);
	return is_at(&feed->live, place, namespace_, name) ? feed->live.at[place] : NULL;
}

struct ek_record *const *ek_objects_in(const struct ek_objects *objects, const char *namespace_, size_t *n)
{
	const struct ek_objects_feed *feed = find_feed(objects, namespace_);
	uint32_t first, end;

	*n = 0;
	if (!feed || !feed->live.n)
		return NULL;
	first = end = place_of(&feed->live, namespace_ ? namespace_ : "", "");
	while (end < feed->live.n && strcmp(feed->live.at[end]->namespace_, namespace_ ? namespace_ : "") == 0)
		end++;
	*n = end - first;
	return feed->live.at + first;
}

void ek_objects_stats(const struct ek_objects *objects, struct ek_objects_stats *out)
{
	*out = (struct ek_objects_stats){ .n_bytes = objects->n_bytes, .interned_bytes = ek_intern_bytes(objects->pool) };
	for (const struct ek_objects_feed *feed = objects->feeds; feed; feed = feed->next)
		out->n += feed->live.n;
}
