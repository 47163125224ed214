/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator watches: Services, EndpointSlices and EurekaSyncers, of the whole cluster or of each namespace in watchNamespaces. A watch that is not allowed or
 * broken does not hold the others up.
 */
#ifndef EK_APP_WATCHES_H
#define EK_APP_WATCHES_H

#include "kube/reflector.h"
#include "sync/engine.h"

struct ek_watch {
	const char *resource;            /* "services"; static */
	const char *namespace_;          /* of the configuration; NULL: all */
	struct ek_reflector *reflector;
};

struct ek_watches {
	struct ek_watch *at;
	unsigned n;
	void (*on_synced)(void *arg);    /* a list was committed */
	void *arg;
};

/* Starts all that the configuration asks for; `namespaces` must live as long as they do. */
void ek_watches_start(struct ek_watches *watches, struct ek_loop *loop, struct ek_kube *kube, struct ek_engine *engine, const struct ek_config *config);
void ek_watches_stop(struct ek_watches *watches);
bool ek_watches_are_synced(const struct ek_watches *watches);                     /* each was listed once */
bool ek_watches_have_whole_namespace(const struct ek_watches *watches);           /* all resources of one of them were */
void ek_watches_relist(struct ek_watches *watches, enum ek_store_kind kind);

#endif
