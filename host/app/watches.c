/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a reflector for each resource in each namespace and joins it with the store or the engine. It judges nothing that comes; report.c says how they are. Read
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

static void on_synced(void *arg)
{
	struct ek_watches *watches = arg;

	watches->on_synced(watches->arg);
}

static void make_watch(struct ek_watches *watches, int resource, const char *namespace_, struct ek_loop *loop, struct ek_kube *kube, struct ek_engine *engine,
                       int64_t audit_ms)
{
	struct ek_watch *watch = &watches->at[watches->n++];
	char path[256];
	struct ek_reflector_config config = { .name = resources[resource].name, .path = path, .on_synced = on_synced, .arg = watches, .audit_ms = audit_ms };

	snprintf(path, sizeof(path), "%s%s%s/%s", resources[resource].group, namespace_ ? "/namespaces/" : "", namespace_ ? namespace_ : "",
	         resources[resource].name);
	if (resource == SYNCERS) {
		config.sink = &ek_engine_syncer_sink;
		config.sink_arg = ek_engine_syncer_feed(engine, namespace_);
	} else {
		enum ek_store_kind kind = resource == SERVICES ? EK_STORE_SERVICES : EK_STORE_SLICES;

		config.sink = ek_store_sink(kind);
		config.sink_arg = ek_store_feed(engine->store, kind, namespace_);
	}
	*watch = (struct ek_watch){ .resource = resources[resource].name, .namespace_ = namespace_, .reflector = ek_reflector_new(loop, kube, &config) };
}

void ek_watches_start(struct ek_watches *watches, struct ek_loop *loop, struct ek_kube *kube, struct ek_engine *engine, const struct ek_config *config)
{
	unsigned n = config->n_namespaces ? config->n_namespaces : 1;

	watches->at = ek_xcalloc((size_t)n * N_RESOURCES, sizeof(*watches->at));
	for (unsigned i = 0; i < n; i++)
		for (int resource = 0; resource < N_RESOURCES; resource++)
			make_watch(watches, resource, config->n_namespaces ? config->watch_namespaces[i] : NULL, loop, kube, engine,
			           config->audit_seconds * 1000);
	for (unsigned i = 0; i < watches->n; i++)
		ek_reflector_start(watches->at[i].reflector);
}

void ek_watches_stop(struct ek_watches *watches)
{
	for (unsigned i = 0; i < watches->n; i++)
		ek_reflector_free(watches->at[i].reflector);
	free(watches->at);
	watches->at = NULL;
	watches->n = 0;
}

bool ek_watches_are_synced(const struct ek_watches *watches)
{
	for (unsigned i = 0; i < watches->n; i++)
		if (!ek_reflector_stats(watches->at[i].reflector)->is_synced)
			return false;
	return watches->n != 0;
}

bool ek_watches_have_whole_namespace(const struct ek_watches *watches)
{
	for (unsigned i = 0; i + N_RESOURCES <= watches->n; i += N_RESOURCES) {
		struct ek_watches one = { .at = watches->at + i, .n = N_RESOURCES };

		if (ek_watches_are_synced(&one))
			return true;
	}
	return false;
}

void ek_watches_relist(struct ek_watches *watches, enum ek_store_kind kind)
{
	const char *name = resources[kind == EK_STORE_SERVICES ? SERVICES : SLICES].name;

	for (unsigned i = 0; i < watches->n; i++)
		if (strcmp(watches->at[i].resource, name) == 0)
			ek_reflector_relist(watches->at[i].reflector);
}
