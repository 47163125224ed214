/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views that are not to be believed: a LIST that shows nothing or less than half of what was there, or, after a start, a cluster that asks for less than half of what
 * a registry holds for it. As long as one stands, what only it speaks against is not removed (guard.h). A doubt ends when a later list shows enough again, or,
 * unless the list was empty, when nothing is held for its sake: that is how a person's approval ends it.
 */
#ifndef EK_SYNC_DOUBTS_H
#define EK_SYNC_DOUBTS_H

#include "sync/engine.h"
#include "sync/reads.h"

void ek_doubts_init(struct ek_engine *engine);
void ek_doubts_stop(struct ek_engine *engine);   /* nothing is asked any more */
void ek_doubts_clear(struct ek_engine *engine);

void ek_doubts_on_commit(struct ek_engine *engine, enum ek_store_kind kind, const char *namespace_, size_t before, size_t after);
void ek_doubts_on_event(struct ek_engine *engine, const char *namespace_); /* something is there: the lists in doubt are asked for again */
void ek_doubts_on_listed(struct ek_sync_registry *registry);               /* its list is in the ledger, with all that nobody asks for */
void ek_doubts_forget(const struct ek_sync_registry *registry);            /* it is about to be freed */

/* Of what only some modes read (reads.h): a list was taken in; something is there; it is about to be freed. */
void ek_doubts_on_read(struct ek_read *read, const char *namespace_, size_t before, size_t after);
void ek_doubts_on_read_event(struct ek_read *read);
void ek_doubts_forget_read(const struct ek_read *read);

/* For people: why what this syncer does not ask for any more may be there all the same. False: there is no doubt. */
bool ek_doubts_explain(const struct ek_sync_syncer *syncer, char *why, size_t size);
bool ek_doubts_hold(const struct ek_sync_syncer *syncer, const struct ek_ledger_entry *entry);

#endif
