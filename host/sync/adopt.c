/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry says it holds, against what we believe. Entries under our mark are adopted as they are, differences in a list that may be stale are marked
 * for a single read, and foreign entries are left alone. It sends nothing: an entry that is not known any more is read by reconcile's next step. Read
 * reconcile.c next.
 */
#include <string.h>

#include "base/hash.h"
#include "sync/identity.h"
#include "sync/owners.h"
#include "sync/registry.h"

#define LISTED_MAX 1000000 /* entries of one list */
/* After a write of ours a cached list is behind for so long. */
#define LIST_GRACE_MS 5000
#define ORPHANS_MAX 20000 /* in the ledger at once */

static bool is_our_cluster(const struct ek_engine *engine, const char *cluster_id)
{
	const struct ek_config *config = engine->with.config;

	if (strcmp(cluster_id, engine->with.cluster_id) == 0)
		return true;
	for (unsigned i = 0; i < config->n_former; i++)
		if (strcmp(cluster_id, config->former_cluster_ids[i]) == 0)
			return true;
	return false;
}

static bool read_owner(const struct ek_engine *engine, const struct ek_entry *found, struct ek_owner *owner)
{
	const char *mark = found->instance ? ek_instance_mark(found->instance, EK_MARK_OWNER) : NULL;

	return ek_owner_parse(mark, owner) && is_our_cluster(engine, owner->cluster_id);
}

static void take_over(struct ek_ledger_entry *entry, const struct ek_entry *found)
{
	const char *pod = ek_instance_mark(found->instance, EK_MARK_POD);

	entry->known = EK_KNOWN_HELD;
	if (!ek_digest_parse(ek_instance_mark(found->instance, EK_MARK_DIGEST), &entry->held_digest))
		entry->held_digest = 0;
	entry->held_pod = pod ? ek_hash64_text(EK_HASH_SEED, pod) : 0;
	entry->held_status = (uint8_t)found->status;
	entry->is_overridden = (found->flags & EK_ENTRY_OVERRIDDEN) != 0;
	entry->revision = found->revision; /* opaque: a smaller one is no older one */
	if (!(found->flags & EK_ENTRY_RENEWABLE))
		entry->held_digest = 0; /* it cannot be kept alive: put it again */
	if (!entry->wheel_prev)
		ek_entry_renew_next(entry);
}

void ek_adopt_apply(struct ek_ledger_entry *entry, const struct ek_entry *found)
{
	struct ek_owner owner;

	if (!found) {
		entry->known = EK_KNOWN_ABSENT;
		entry->is_overridden = false;
		ek_entry_leave_renewals(entry);
		return;
	}
	if (read_owner(entry->registry->engine, found, &owner)) {
		take_over(entry, found);
		return;
	}
	entry->known = EK_KNOWN_FOREIGN;
	ek_entry_leave_renewals(entry);
}

static void occupy_room(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	if (!entry->want_status && registry->orphan_room)
		registry->orphan_room--;
}

void ek_adopt_begin(struct ek_sync_registry *registry)
{
	registry->list_round++;
	registry->list_ours = registry->list_orphans = registry->list_foreign = registry->list_skipped = 0;
	registry->is_list_spoiled = false;
	registry->orphan_room = ORPHANS_MAX;
	ek_ledger_each(&registry->ledger, occupy_room, registry);
}

/* How many more may be taken in: what nobody wants is removed in portions, so that a registry cannot fill our memory. */
static bool take_orphan_room(struct ek_sync_registry *registry)
{
	if (!registry->orphan_room) {
		registry->list_skipped++;
		return false;
	}
	registry->orphan_room--;
	return true;
}

/* Nobody asked for this entry, yet it carries our mark: its syncer decides what becomes of it. Without a syncer, which the API server is asked for, it is left to its lease. */
static void adopt_orphan(struct ek_sync_registry *registry, const struct ek_entry *found, const struct ek_owner *owner)
{
	struct ek_engine *engine = registry->engine;
	struct ek_sync_syncer *syncer = ek_engine_find_syncer(engine, owner->namespace_, owner->name);
	struct ek_ledger_entry *entry;

	registry->list_orphans++;
	if (!syncer)
		ek_owners_ask(registry, owner);
	if (!syncer || strlen(found->id) > EK_ID_MAX || strlen(found->application) > EK_APPLICATION_MAX)
		return;
	if (!take_orphan_room(registry))
		return;
	entry = ek_ledger_add(&registry->ledger, found->id);
	entry->registry = registry;
	entry->application = ek_intern_ref(engine->pool, found->application, strlen(found->application));
	entry->list_round = registry->list_round;
	ek_entry_link(entry, syncer);
	take_over(entry, found);
	if (syncer->is_frozen) {
		entry->want_status = entry->held_status ? entry->held_status : EK_STATUS_UP;
		entry->want_digest = entry->held_digest;
		entry->want_pod = entry->held_pod;
	} else if (registry->traits.list_age_ms > 0) {
		entry->known = EK_KNOWN_NOTHING;
	}
	ek_entry_changed(entry);
}

static bool agrees(const struct ek_ledger_entry *entry, const struct ek_entry *found)
{
	uint64_t digest = 0;

	ek_digest_parse(ek_instance_mark(found->instance, EK_MARK_DIGEST), &digest);
	return digest == entry->want_digest && found->status == entry->want_status && (found->flags & EK_ENTRY_RENEWABLE);
}

static bool was_just_written(const struct ek_sync_registry *registry, const struct ek_ledger_entry *entry)
{
	int64_t now = ek_loop_now_ms(registry->engine->loop), limit = registry->traits.list_age_ms + LIST_GRACE_MS;

	return (entry->put_at_ms && now - entry->put_at_ms < limit) || (entry->removed_at_ms && now - entry->removed_at_ms < limit);
}

static void compare_known(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, const struct ek_entry *found, bool is_ours)
{
	if (entry->op || was_just_written(registry, entry))
		return;
	if (is_ours && agrees(entry, found)) {
		take_over(entry, found);
	} else if (registry->traits.list_age_ms > 0 || entry->known == EK_KNOWN_NOTHING) {
		if (registry->traits.list_age_ms == 0)
			ek_adopt_apply(entry, found);
		else
			entry->known = EK_KNOWN_NOTHING;
	} else {
		ek_adopt_apply(entry, found);
	}
	ek_entry_changed(entry);
}

/* One entry that is none spoils the whole list, and so does one too many. */
static bool is_list_sound(struct ek_sync_registry *registry, const struct ek_entry *found)
{
	bool is_full = registry->list_ours + registry->list_foreign == LISTED_MAX;

	if (is_full && !registry->is_list_spoiled)
		ek_services_blame(registry->services, EK_MISBEHAVIOUR_TOO_MANY, "lists more than %d entries", LISTED_MAX);
	registry->is_list_spoiled = registry->is_list_spoiled || is_full || !found;
	return !registry->is_list_spoiled;
}

int ek_adopt_entry(struct ek_sync_registry *registry, const struct ek_entry *found)
{
	struct ek_ledger_entry *entry;
	struct ek_owner owner;
	bool is_ours;

	if (!is_list_sound(registry, found))
		return 1;
	is_ours = read_owner(registry->engine, found, &owner);
	entry = ek_ledger_find(&registry->ledger, found->id);
	if (is_ours)
		registry->list_ours++;
	else
		registry->list_foreign++;
	if (entry) {
		entry->list_round = registry->list_round;
		compare_known(registry, entry, found, is_ours);
	} else if (is_ours) {
		adopt_orphan(registry, found, &owner);
	}
	return 0;
}

/* Not in a complete list: believed where lists are exact, read where they may be stale. */
static void settle_unlisted(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	if (entry->list_round == registry->list_round || entry->op || was_just_written(registry, entry))
		return;
	if (entry->known == EK_KNOWN_ABSENT)
		return;
	if (registry->traits.list_age_ms == 0)
		ek_adopt_apply(entry, NULL);
	else
		entry->known = EK_KNOWN_NOTHING;
	ek_entry_changed(entry);
}

void ek_adopt_end(struct ek_sync_registry *registry)
{
	if (registry->list_skipped)
		EK_WARN(&registry->engine->log, "registry holds more orphans than are removed at once; the rest waits for the next list",
		        EK_S("registry", registry->config->name), EK_I("waiting", (int64_t)registry->list_skipped));
	ek_ledger_each(&registry->ledger, settle_unlisted, registry);
}
