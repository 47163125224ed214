/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of the store: namespaces, and in each the groups of its Services in order of name.
 * It owns no records and tells nobody anything.
 * Next: store.c, which hangs records on groups.
 */
#include "kube/store_inside.h"

#include <string.h>

/* The group of that name, or where it would be. */
static size_t place_of(const struct namespace *home, const char *name, bool *is_there)
{
	size_t low = 0, high = home->n;

	*is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(home->groups[middle]->name, name);

		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct namespace *find_namespace(const struct ek_store *store, const char *name)
{
	struct namespace *home;

	HASH_FIND_STR(store->namespaces, name, home);
	return home;
}

static struct namespace *need_namespace(struct ek_store *store, const char *name)
{
	struct namespace *home = find_namespace(store, name);

	if (home)
		return home;
	home = ek_xcalloc(1, sizeof(*home));
	home->name = ek_intern_ref(store->pool, name, strlen(name));
	HASH_ADD_KEYPTR(hh, store->namespaces, home->name, strlen(home->name), home);
	return home;
}

struct group *ek_store_find_group(const struct ek_store *store, const char *namespace_, const char *service)
{
	const struct namespace *home = find_namespace(store, namespace_);
	bool is_there;
	size_t place;

	if (!home)
		return NULL;
	place = place_of(home, service, &is_there);
	return is_there ? home->groups[place] : NULL;
}

struct group *ek_store_need_group(struct ek_store *store, const char *namespace_, const char *service)
{
	struct namespace *home = need_namespace(store, namespace_);
	struct group *group;
	bool is_there;
	size_t place = place_of(home, service, &is_there);

	if (is_there)
		return home->groups[place];
	group = ek_xcalloc(1, sizeof(*group));
	group->home = home;
	group->name = ek_intern_ref(store->pool, service, strlen(service));
	if (home->n == home->room) {
		home->room = home->room ? home->room * 2 : 4;
		home->groups = ek_xrealloc(home->groups, home->room, sizeof(struct group *));
	}
	memmove(home->groups + place + 1, home->groups + place, (home->n - place) * sizeof(struct group *));
	home->groups[place] = group;
	home->n++;
	return group;
}

void ek_store_drop_group(struct ek_store *store, struct group *group)
{
	struct namespace *home = group->home;
	bool is_there;
	size_t place;

	if (group->service || group->slices)
		return;
	place = place_of(home, group->name, &is_there);
	home->n--;
	memmove(home->groups + place, home->groups + place + 1, (home->n - place) * sizeof(struct group *));
	ek_index_forget(group);
	ek_intern_unref(store->pool, group->name);
	free(group);
	if (home->n)
		return;
	HASH_DEL(store->namespaces, home);
	ek_intern_unref(store->pool, home->name);
	free(home->groups);
	free(home);
}

void ek_store_each_service(const struct ek_store *store, const char *namespace_, bool (*fn)(void *arg, const struct ek_record_service *service), void *arg)
{
	const struct namespace *home = find_namespace(store, namespace_);

	for (size_t i = 0; home && i < home->n; i++)
		if (home->groups[i]->service && !fn(arg, home->groups[i]->service->record))
			return;
}

const struct ek_record_service *ek_store_find_service(const struct ek_store *store, const char *namespace_, const char *name)
{
	const struct group *group = ek_store_find_group(store, namespace_, name);

	return group && group->service ? group->service->record : NULL;
}
