/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a reflector for each resource in each namespace and joins it with the store, the engine, or what modes read. It judges nothing that comes; report.c says how they are. Read
 * kube/reflector.h next.
 */
#include "app/watches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SERVICES, SLICES, SYNCERS, N_RESOURCES };

static const struct {
	const char *name, *group;
} resources[N_RESOURCES] = {
	{ "services", "/api/v1" },
	{ "endpointslices", "/apis/discovery.k8s.io/v1" },
	{ "eurekasyncers", "/apis/eurekube.io/v1alpha1" },
};

#define CONFIRM_MS 5000

static bool is_unconfirmed(const struct ek_watch *watch)
{
	return watch->read && ek_objects_state(watch->read->objects, watch->namespace_) == EK_OBJECTS_UNCONFIRMED;
}

static void on_synced(void *arg)
{
	struct ek_watches *watches = arg;

	for (unsigned i = watches->n_needed; i < watches->n; i++)
		if (is_unconfirmed(&watches->at[i]) && !ek_timer_is_armed(&watches->confirm_timer))
			ek_loop_arm(watches->loop, &watches->confirm_timer, CONFIRM_MS);
	watches->on_synced(watches->arg);
}

static void confirm(void *arg)
{
	struct ek_watches *watches = arg;

	for (unsigned i = watches->n_needed; i < watches->n; i++)
		if (is_unconfirmed(&watches->at[i]))
			ek_reflector_relist(watches->at[i].reflector);
}

/* Where a collection is served, and what its objects are fed into. */
struct source {
	const char *name, *group, *plural, *namespace_;
	const struct ek_reflector_sink *sink;
	void *feed;
	const struct ek_read *read;
};

static void add_watch(struct ek_watches *watches, const struct source *source)
{
	const char *namespace_ = source->namespace_;
	char path[640];
	struct ek_reflector_config config = { .name = source->name, .path = path, .sink = source->sink, .sink_arg = source->feed, .on_synced = on_synced,
		                              .arg = watches, .audit_ms = watches->config->audit_seconds * 1000 };

	snprintf(path, sizeof(path), "%s%s%s/%s", source->group, namespace_ ? "/namespaces/" : "", namespace_ ? namespace_ : "", source->plural);
	watches->at = ek_xrealloc(watches->at, watches->n + 1, sizeof(*watches->at));
	watches->at[watches->n++] = (struct ek_watch){ .resource = source->name, .namespace_ = namespace_, .read = source->read,
		.reflector = ek_reflector_new(watches->loop, watches->kube, &config) };
}

static void add_needed(struct ek_watches *watches, int resource, const char *namespace_)
{
	struct ek_engine *engine = watches->engine;
	struct source source = { .name = resources[resource].name, .group = resources[resource].group, .plural = resources[resource].name,
		                 .namespace_ = namespace_ };

	if (resource == SYNCERS) {
		source.sink = &ek_engine_syncer_sink;
		source.feed = ek_engine_syncer_feed(engine, namespace_);
	} else {
		enum ek_store_kind kind = resource == SERVICES ? EK_STORE_SERVICES : EK_STORE_SLICES;

		source.sink = ek_store_sink(kind);
		source.feed = ek_store_feed(engine->store, kind, namespace_);
	}
	add_watch(watches, &source);
}

void ek_watches_start(struct ek_watches *watches)
{
	const struct ek_config *config = watches->config;
	unsigned n = config->n_namespaces ? config->n_namespaces : 1;

	ek_timer_init(&watches->confirm_timer, confirm, watches);
	for (unsigned i = 0; i < n; i++)
		for (int resource = 0; resource < N_RESOURCES; resource++)
			add_needed(watches, resource, config->n_namespaces ? config->watch_namespaces[i] : NULL);
	watches->n_needed = watches->n;
	for (unsigned i = 0; i < watches->n; i++)
		ek_reflector_start(watches->at[i].reflector);
	ek_watches_update(watches);
}

/* ---- what only some modes read ---- */

static bool is_watched(const struct ek_watches *watches, const struct ek_read *read)
{
	for (unsigned i = watches->n_needed; i < watches->n; i++)
		if (watches->at[i].read == read)
			return true;
	return false;
}

static void watch_read(struct ek_watches *watches, struct ek_read *read)
{
	const struct ek_config *config = watches->config;
	bool is_split = read->is_namespaced && config->n_namespaces;
	unsigned n = is_split ? config->n_namespaces : 1;

	for (unsigned i = 0; i < n; i++) {
		const char *namespace_ = is_split ? config->watch_namespaces[i] : NULL;

		add_watch(watches, &(struct source){ .name = read->name, .group = read->group, .plural = read->plural, .namespace_ = namespace_,
			.sink = &ek_objects_sink, .feed = ek_objects_feed(read->objects, namespace_), .read = read });
		ek_reflector_start(watches->at[watches->n - 1].reflector);
	}
}

static void end_unread(struct ek_watches *watches)
{
	unsigned n = watches->n_needed;

	for (unsigned i = n; i < watches->n; i++)
		if (watches->at[i].read->n_users)
			watches->at[n++] = watches->at[i];
		else
			ek_reflector_free(watches->at[i].reflector);
	watches->n = n;
}

void ek_watches_update(struct ek_watches *watches)
{
	end_unread(watches);
	ek_reads_sweep(watches->engine);
	for (struct ek_read *read = watches->engine->reads; read; read = read->next)
		if (!is_watched(watches, read))
			watch_read(watches, read);
}

void ek_watches_explain(void *arg, const struct ek_read *read, const char *namespace_, struct ek_read_problem *out)
{
	const struct ek_watches *watches = arg;

	for (unsigned i = watches->n_needed; i < watches->n; i++) {
		const struct ek_watch *watch = &watches->at[i];
		const struct ek_reflector_stats *stats;

		if (watch->read != read || (watch->namespace_ && namespace_ && strcmp(watch->namespace_, namespace_) != 0))
			continue;
		stats = ek_reflector_stats(watch->reflector);
		out->status = stats->status;
		memcpy(out->problem, stats->problem, sizeof(out->problem));
		return;
	}
}

/* ---- all of them ---- */

void ek_watches_stop(struct ek_watches *watches)
{
	if (watches->loop)
		ek_loop_disarm(watches->loop, &watches->confirm_timer);
	for (unsigned i = 0; i < watches->n; i++)
		ek_reflector_free(watches->at[i].reflector);
	free(watches->at);
	watches->at = NULL;
	watches->n = watches->n_needed = 0;
}

bool ek_watches_are_synced(const struct ek_watches *watches)
{
	for (unsigned i = 0; i < watches->n_needed; i++)
		if (!ek_reflector_stats(watches->at[i].reflector)->is_synced)
			return false;
	return watches->n_needed != 0;
}

bool ek_watches_have_whole_namespace(const struct ek_watches *watches)
{
	for (unsigned i = 0; i + N_RESOURCES <= watches->n_needed; i += N_RESOURCES) {
		struct ek_watches one = { .at = watches->at + i, .n_needed = N_RESOURCES };

		if (ek_watches_are_synced(&one))
			return true;
	}
	return false;
}

void ek_watches_relist(struct ek_watches *watches, enum ek_store_kind kind)
{
	const char *name = resources[kind == EK_STORE_SERVICES ? SERVICES : SLICES].name;

	for (unsigned i = 0; i < watches->n_needed; i++)
		if (strcmp(watches->at[i].resource, name) == 0)
			ek_reflector_relist(watches->at[i].reflector);
}

void ek_watches_relist_read(struct ek_watches *watches, const struct ek_read *read)
{
	for (unsigned i = watches->n_needed; i < watches->n; i++)
		if (watches->at[i].read == read)
			ek_reflector_relist(watches->at[i].reflector);
}
