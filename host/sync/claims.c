/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which syncer holds which application of which registry: the older one, for as long as it wants it. It binds only the syncers of this cluster; instances of other
 * clusters and of JVMs elsewhere share an application freely. Read finalizer.c next.
 */
#include "sync/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct ek_claim {
	UT_hash_handle hh;
	char key[160];              /* registry/APPLICATION */
	struct ek_sync_syncer *syncer;
	uint32_t evaluation;        /* the syncer's last one that wanted it */
};

struct ek_sync_syncer *ek_claims_holder(struct ek_sync_syncer *syncer, struct ek_sync_registry *registry, const char *application)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_claim *claim;
	char key[160];

	snprintf(key, sizeof(key), "%.64s/%.64s", registry->config->name, application);
	HASH_FIND_STR(engine->claims, key, claim);
	if (!claim) {
		claim = ek_xcalloc(1, sizeof(*claim));
		snprintf(claim->key, sizeof(claim->key), "%s", key);
		HASH_ADD_STR(engine->claims, key, claim);
	}
	if (claim->syncer && claim->syncer != syncer) {
		if (ek_syncer_object_age(claim->syncer->object, syncer->object) < 0)
			return claim->syncer;
		ek_queue_add(&claim->syncer->item);
	}
	claim->syncer = syncer;
	claim->evaluation = engine->evaluation;
	return NULL;
}

static void wake_conflicts(struct ek_engine *engine)
{
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		if (strcmp(syncer->fault.reason, "Conflict") == 0)
			ek_queue_add(&syncer->item);
}

/* Keeps the claims of evaluation `keep` (0: none), lets go of the syncer's others. */
static void release(struct ek_sync_syncer *syncer, uint32_t keep)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_claim *claim, *next;
	bool has_released = false;

	HASH_ITER(hh, engine->claims, claim, next) {
		if (claim->syncer != syncer || (keep && claim->evaluation == keep))
			continue;
		HASH_DEL(engine->claims, claim);
		free(claim);
		has_released = true;
	}
	if (has_released)
		wake_conflicts(engine);
}

void ek_claims_settle(struct ek_sync_syncer *syncer)
{
	release(syncer, syncer->engine->evaluation);
}

void ek_claims_release(struct ek_sync_syncer *syncer)
{
	release(syncer, 0);
}

void ek_claims_clear(struct ek_engine *engine)
{
	struct ek_claim *claim, *next;

	HASH_ITER(hh, engine->claims, claim, next) {
		HASH_DEL(engine->claims, claim);
		free(claim);
	}
}
