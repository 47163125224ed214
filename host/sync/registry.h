/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One registry in use: opening (renew first, then list, then write), adoption and audit, and the operations in flight. Whatever is sent to a registry
 * goes through here, whatever it answers comes back here, and each change of an entry puts its syncer into the work queue.
 */
#ifndef EK_SYNC_REGISTRY_H
#define EK_SYNC_REGISTRY_H

#include "sync/engine.h"
#include "sync/plan.h"

/* registry.c: lifecycle */
struct ek_sync_registry *ek_registry_new(struct ek_engine *engine, const struct ek_config_registry *config);
void ek_registry_use(struct ek_sync_registry *registry, struct ek_registry_instance *instance); /* retires the one before; waits to be opened if it was broken */
void ek_registry_open(struct ek_sync_registry *registry);   /* the ledger holds what is wanted: probe, list, then open */
void ek_registry_close(struct ek_sync_registry *registry);  /* retires its instance; nothing is sent any more */
void ek_registry_free(struct ek_sync_registry *registry);   /* closed */
void ek_registry_list_soon(struct ek_sync_registry *registry);

/* instance.c: the plugin's side of a registry */
struct ek_registry_instance *ek_instance_new(struct ek_engine *engine, const struct ek_config *config, const struct ek_config_registry *entry,
                                             struct ek_error *err);
void ek_instance_retire(struct ek_registry_instance *instance); /* closes it; it frees itself when it has closed */
void ek_instances_free(struct ek_engine *engine);               /* the retired ones, closed or not, at the very end */

void ek_registry_renew(void *arg, struct ek_ledger_entry *entry);
void ek_registry_pump(struct ek_sync_registry *registry);   /* renewals that wait for room */
void ek_entry_leave_renewals(struct ek_ledger_entry *entry); /* out of wheel and list of due ones alike */
void ek_entry_renew_next(struct ek_ledger_entry *entry);     /* at its next regular turn; nothing where there are no leases */
void ek_entry_renew_at(struct ek_ledger_entry *entry, int64_t due_ms);
void ek_registry_probed(struct ek_sync_registry *registry); /* one entry less to wait for */
void ek_registry_listed(struct ek_sync_registry *registry, const struct ek_result *result); /* a list has ended */
bool ek_registry_is_leased(const struct ek_sync_registry *registry);

/* adopt.c: what the registry holds, against the ledger */
void ek_adopt_begin(struct ek_sync_registry *registry);
int ek_adopt_entry(struct ek_sync_registry *registry, const struct ek_entry *found); /* NULL: garbage */
void ek_adopt_end(struct ek_sync_registry *registry);       /* a complete list */
/* Takes over what a GET, or a list that is never stale, says about one entry. NULL: not there. */
void ek_adopt_apply(struct ek_ledger_entry *entry, const struct ek_entry *found);

/* registry_ops.c: operations in flight */
void ek_ops_init(struct ek_sync_registry *registry);
void ek_ops_clear(struct ek_sync_registry *registry);
bool ek_ops_has_room(struct ek_sync_registry *registry, int64_t *wait_until_ms); /* for an ordinary operation; *wait_until_ms 0: until one ends */
void ek_ops_wait_for_room(struct ek_sync_registry *registry, struct ek_sync_syncer *syncer);
void ek_ops_wake_waiter(struct ek_sync_registry *registry); /* the next one, if there is room; also asked after a turn that left some */
void ek_ops_add(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, enum ek_op_kind kind, const struct ek_instance *instance);
void ek_ops_flush(struct ek_sync_registry *registry);        /* sends what was added; borrowed instances end here */
uint64_t ek_ops_start_list(struct ek_sync_registry *registry, int64_t timeout_ms);
void ek_ops_abort(struct ek_sync_registry *registry);        /* ends what is in flight: its outcome is unknown */
void ek_ops_done(struct ek_sync_registry *registry, uint64_t token, const struct ek_result *result);
/* An entry for a list that is not running; blamed unless that list has just ended by its deadline. */
void ek_ops_stray_entry(struct ek_sync_registry *registry, uint64_t token);

/* Links and unlinks an entry with its syncer; unlinking drops the entry when nothing holds it any more. */
void ek_entry_link(struct ek_ledger_entry *entry, struct ek_sync_syncer *syncer);
void ek_entry_unlink(struct ek_ledger_entry *entry);
void ek_entry_forget(struct ek_ledger_entry *entry);         /* out of wheel, list and ledger */
/* Says that something about the entry changed. One that is neither wanted nor held is forgotten at once, so it may be gone afterwards. */
void ek_entry_changed(struct ek_ledger_entry *entry);

#endif
