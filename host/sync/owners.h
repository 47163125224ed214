/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of a registry that carry our mark while nobody knows their EurekaSyncer. Before they are left to their leases the API server is asked for that syncer by
 * its name, since a list may have left it out: if it is there it is served, and what the registry holds for it is adopted after all.
 */
#ifndef EK_SYNC_OWNERS_H
#define EK_SYNC_OWNERS_H

#include "sync/engine.h"
#include "sync/identity.h"

/* Asks once, however many entries name it; nothing for a namespace that is not watched. */
void ek_owners_ask(struct ek_sync_registry *registry, const struct ek_owner *owner);
void ek_owners_init(struct ek_engine *engine);
void ek_owners_clear(struct ek_engine *engine);

#endif
