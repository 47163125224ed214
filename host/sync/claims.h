/* SPDX-License-Identifier: Apache-2.0 */
/* Application names between syncers of this cluster: the older one wins. See claims.c. */
#ifndef EK_SYNC_CLAIMS_H
#define EK_SYNC_CLAIMS_H

#include "sync/engine.h"

/* The syncer that holds the application against this one, because it is older and wants it too; NULL: it is claimed for this one now. */
struct ek_sync_syncer *ek_claims_holder(struct ek_sync_syncer *syncer, struct ek_sync_registry *registry, const char *application);

/* After an evaluation without fault: lets go of what it did not claim again. Whoever was in conflict is looked at again. */
void ek_claims_settle(struct ek_sync_syncer *syncer);
void ek_claims_release(struct ek_sync_syncer *syncer);
void ek_claims_clear(struct ek_engine *engine);

#endif
