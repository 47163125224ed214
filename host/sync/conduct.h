/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins did against their contract, by plugin and by entry of the configuration. It outlives their instances: one that could not start, or that goes on after
 * it has closed, is told of as well, and no counter falls because the configuration changes.
 */
#ifndef EK_SYNC_CONDUCT_H
#define EK_SYNC_CONDUCT_H

#include "sync/engine.h"

struct ek_conduct {
	struct ek_conduct *next;
	char plugin[80], instance[80];           /* "eureka/0.1.0", "registry main" */
	uint64_t n[EK_N_MISBEHAVIOURS];
};

/* The counters of one; NULL when there are too many already. They live as long as the engine. */
uint64_t *ek_conduct_of(struct ek_engine *engine, const char *plugin, const char *instance);
void ek_conduct_clear(struct ek_engine *engine);

#endif
