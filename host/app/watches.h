/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator watches: Services, EndpointSlices and EurekaSyncers, of the whole cluster or of each namespace in watchNamespaces; and behind these, whatever the
 * modes of the configuration in force read beside them. A watch that is not allowed or broken does not hold the others up.
 */
#ifndef EK_APP_WATCHES_H
#define EK_APP_WATCHES_H

#include "kube/reflector.h"
#include "sync/engine.h"
#include "sync/reads.h"

struct ek_watch {
	const char *resource;            /* "services" */
	const char *namespace_;          /* of the configuration; NULL: all */
	struct ek_reflector *reflector;
	const struct ek_read *read;      /* that some modes read it is all that it is watched for; NULL: everybody needs it */
};

struct ek_watches {
	struct ek_watch *at;
	unsigned n, n_needed;            /* the first n_needed are needed by everybody */
	struct ek_loop *loop;
	struct ek_kube *kube;
	struct ek_engine *engine;
	const struct ek_config *config;  /* the first one */
	struct ek_timer confirm_timer;   /* first lists that were empty are asked for once more */
	void (*on_synced)(void *arg);    /* a list was committed */
	void *arg;
};

/* Starts all that the configuration asks for; loop, kube, engine and config are set, and live as long as they do. */
void ek_watches_start(struct ek_watches *watches);
/* After another configuration was tried: starts what modes read now, ends what none does any more. */
void ek_watches_update(struct ek_watches *watches);
void ek_watches_stop(struct ek_watches *watches);
/* Of those that everybody needs: */
bool ek_watches_are_synced(const struct ek_watches *watches);                     /* each was listed once */
bool ek_watches_have_whole_namespace(const struct ek_watches *watches);           /* all resources of one of them were */
/* For the engine: why modes do not see a resource yet. */
void ek_watches_explain(void *watches, const struct ek_read *read, const char *namespace_, struct ek_read_problem *out);
void ek_watches_relist(struct ek_watches *watches, enum ek_store_kind kind);
void ek_watches_relist_read(struct ek_watches *watches, const struct ek_read *read);

#endif
