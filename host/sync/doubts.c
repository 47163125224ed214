/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the views that are in doubt, has them listed again until they are whole, and says what is held for their sake. What counts as a fall is guard.c's rule, and
 * what is done with an instance that is held is removals.c's. Read removals.c next.
 */
#include "sync/doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "sync/guard.h"

#define RELIST_GAP_MS 2000 /* between two times, however many events say that it may help */
#define ASK_MS 10000      /* how often a list in doubt is asked for again */
#define ASKED_MAX 30      /* a list that only shows less; then the audit is enough */
#define SETTLED_MS 5000   /* every syncer has had its turn since */

struct ek_doubt {
	struct ek_doubt *next;
	const struct ek_sync_registry *registry; /* after its start; NULL: a list */
	const struct ek_read *read;              /* whose list; NULL: that of `kind` */
	enum ek_store_kind kind;
	char *namespace_;                        /* NULL: all */
	size_t expected, shown;
	unsigned n_asked;
	int64_t since_ms;
};

static const char *const resources[EK_STORE_N_KINDS] = { [EK_STORE_SERVICES] = "services", [EK_STORE_SLICES] = "endpointslices" };

/* The one about the same list. */
static struct ek_doubt **find_list(struct ek_engine *engine, const struct ek_doubt *like)
{
	struct ek_doubt **at = &engine->doubts;

	while (*at && ((*at)->registry || (*at)->read != like->read || (*at)->kind != like->kind || !ek_text_same((*at)->namespace_, like->namespace_)))
		at = &(*at)->next;
	return at;
}

static struct ek_doubt *add(struct ek_engine *engine, const struct ek_doubt *from)
{
	struct ek_doubt *doubt = ek_xcalloc(1, sizeof(*doubt));

	*doubt = *from;
	doubt->namespace_ = ek_xstrdup(from->namespace_);
	doubt->since_ms = ek_loop_now_ms(engine->loop);
	doubt->next = engine->doubts;
	engine->doubts = doubt;
	if (!ek_timer_is_armed(&engine->doubt_timer))
		ek_loop_arm(engine->loop, &engine->doubt_timer, ASK_MS);
	return doubt;
}

static void drop(struct ek_doubt **at)
{
	struct ek_doubt *doubt = *at;

	*at = doubt->next;
	free(doubt->namespace_);
	free(doubt);
}

static void explain(const struct ek_doubt *doubt, char *why, size_t size)
{
	const char *name = doubt->read ? doubt->read->name : resources[doubt->kind];

	if (doubt->registry)
		snprintf(why, size, "after the start the cluster asks for only %zu of the %zu instances that registry %.60s holds for it", doubt->shown,
		         doubt->expected, doubt->registry->config->name);
	else if (!doubt->shown)
		snprintf(why, size, "the API server answered an empty list of %.80s", name);
	else
		snprintf(why, size, "the API server listed only %zu %.80s where there were %zu", doubt->shown, name, doubt->expected);
}

static void tell(struct ek_engine *engine, const struct ek_doubt *doubt)
{
	char why[200];

	explain(doubt, why, sizeof(why));
	EK_WARN(&engine->log, "the view is in doubt; what it does not show any more is not removed", EK_S("why", why),
	        EK_S("namespace", doubt->namespace_ ? doubt->namespace_ : ""));
}

/* ---- asking again ---- */

/* Whether another list may help, and is worth its price. */
static bool is_to_be_asked(const struct ek_doubt *doubt)
{
	return !doubt->shown || doubt->n_asked < ASKED_MAX;
}

static void relist(struct ek_engine *engine)
{
	bool is_asked[EK_STORE_N_KINDS] = { false };

	for (struct ek_doubt *doubt = engine->doubts; doubt; doubt = doubt->next) {
		if (!is_to_be_asked(doubt))
			continue;
		doubt->n_asked++;
		if (doubt->read && engine->with.relist_read)
			engine->with.relist_read(engine->with.relist_arg, doubt->read);
		is_asked[doubt->kind] = is_asked[doubt->kind] || !doubt->read;
		is_asked[EK_STORE_SLICES] = is_asked[EK_STORE_SLICES] || doubt->registry;
	}
	for (int kind = 0; kind < EK_STORE_N_KINDS; kind++)
		if (is_asked[kind] && engine->with.relist)
			engine->with.relist(engine->with.relist_arg, (enum ek_store_kind)kind);
}

/* Now, or as soon as it may be; and then again and again. */
static void ask_again(struct ek_engine *engine)
{
	int64_t now = ek_loop_now_ms(engine->loop), wait = engine->relisted_ms ? engine->relisted_ms + RELIST_GAP_MS - now : 0;

	ek_loop_arm(engine->loop, &engine->doubt_timer, wait > 0 ? wait : ASK_MS);
	if (wait > 0)
		return;
	engine->relisted_ms = now;
	relist(engine);
}

/* ---- ending ---- */

/* What is on its way out for a reason of its own is not missing. */
static bool is_leaving(const struct ek_ledger_entry *entry)
{
	return !entry->want_status && (entry->is_seen_going || entry->is_confirmed || entry->is_approved);
}

/* What its last list showed under our mark, and what the cluster asks for there; the same ones or others. */
static void count_held(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_doubt *doubt = arg;

	if (entry->known == EK_KNOWN_FOREIGN || is_leaving(entry))
		return;
	doubt->expected += entry->list_round == doubt->registry->list_round;
	doubt->shown += entry->want_status != EK_STATUS_NONE;
}

static size_t count_removals_held(const struct ek_engine *engine)
{
	size_t n = 0;

	for (const struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		n += syncer->n_held;
	return n;
}

/* The cluster asks again for enough of what the registry holds. */
static bool is_registry_whole(const struct ek_engine *engine, const struct ek_doubt *doubt)
{
	struct ek_doubt now = { .registry = doubt->registry };

	for (unsigned i = 0; i < engine->n_registries; i++)
		if (engine->registries[i] == doubt->registry)
			ek_ledger_each(&engine->registries[i]->ledger, count_held, &now);
	return !ek_guard_is_fall(doubt->expected, now.shown);
}

static bool is_over(const struct ek_engine *engine, const struct ek_doubt *doubt)
{
	if (doubt->registry && is_registry_whole(engine, doubt))
		return true;
	if (!doubt->registry && !doubt->shown)
		return false; /* only a list that shows something ends it */
	return engine->is_started && ek_loop_now_ms(engine->loop) - doubt->since_ms >= SETTLED_MS && count_removals_held(engine) == 0;
}

static void on_due(void *arg)
{
	struct ek_engine *engine = arg;
	struct ek_doubt **at = &engine->doubts;
	bool is_any_over = false;

	while (*at) {
		if (!is_over(engine, *at)) {
			at = &(*at)->next;
			continue;
		}
		drop(at);
		is_any_over = true;
	}
	if (is_any_over)
		ek_engine_requeue_all(engine);
	if (engine->doubts)
		ask_again(engine);
}

/* ---- what raises and ends them ---- */

static void take_list(struct ek_engine *engine, struct ek_doubt *found)
{
	struct ek_doubt **at = find_list(engine, found);

	if (*at && (*at)->expected > found->expected)
		found->expected = (*at)->expected;
	if (!ek_guard_is_fall(found->expected, found->shown)) {
		if (!*at)
			return;
		drop(at);
		ek_engine_requeue_all(engine);
		return;
	}
	if (!*at) {
		tell(engine, add(engine, found));
		return;
	}
	(*at)->expected = found->expected;
	(*at)->shown = found->shown;
}

void ek_doubts_on_commit(struct ek_engine *engine, enum ek_store_kind kind, const char *namespace_, size_t before, size_t after)
{
	take_list(engine, &(struct ek_doubt){ .kind = kind, .namespace_ = (char *)(uintptr_t)namespace_, .expected = before, .shown = after });
}

/* Unlike of Services and slices, of another resource there may be none; that the first list is empty says nothing. */
void ek_doubts_on_read(struct ek_read *read, const char *namespace_, size_t before, size_t after)
{
	struct ek_doubt found = { .read = read, .namespace_ = (char *)(uintptr_t)namespace_, .expected = before, .shown = after };

	if (before || *find_list(read->engine, &found))
		take_list(read->engine, &found);
}

static void forget(struct ek_engine *engine, const struct ek_sync_registry *registry, const struct ek_read *read)
{
	struct ek_doubt **at = &engine->doubts;

	while (*at)
		if ((registry && (*at)->registry == registry) || (read && (*at)->read == read))
			drop(at);
		else
			at = &(*at)->next;
}

void ek_doubts_forget(const struct ek_sync_registry *registry)
{
	forget(registry->engine, registry, NULL);
}

void ek_doubts_forget_read(const struct ek_read *read)
{
	forget(read->engine, NULL, read);
}

static bool is_about(const struct ek_doubt *doubt, const char *namespace_)
{
	return !doubt->registry && (!doubt->namespace_ || strcmp(doubt->namespace_, namespace_) == 0);
}

void ek_doubts_on_event(struct ek_engine *engine, const char *namespace_)
{
	const struct ek_doubt *doubt = engine->doubts;

	while (doubt && (doubt->read || !is_about(doubt, namespace_)))
		doubt = doubt->next;
	if (doubt)
		ask_again(engine);
}

void ek_doubts_on_read_event(struct ek_read *read)
{
	const struct ek_doubt *doubt = read->engine->doubts;

	while (doubt && doubt->read != read)
		doubt = doubt->next;
	if (doubt)
		ask_again(read->engine);
}

static const struct ek_doubt *find_registry(const struct ek_engine *engine, const struct ek_sync_registry *registry)
{
	const struct ek_doubt *doubt = engine->doubts;

	while (doubt && doubt->registry != registry)
		doubt = doubt->next;
	return doubt;
}

static void requeue_held(struct ek_engine *engine)
{
	for (struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		if (syncer->n_held)
			ek_queue_add(&syncer->item);
}

void ek_doubts_on_listed(struct ek_sync_registry *registry)
{
	struct ek_engine *engine = registry->engine;
	struct ek_doubt found = { .registry = registry };
	size_t least = (size_t)engine->with.config->guard.registry_min;

	ek_ledger_each(&registry->ledger, count_held, &found);
	found.expected += registry->list_skipped;
	if (!find_registry(engine, registry) && ek_guard_is_fall_at_start(found.expected, found.shown, least))
		tell(engine, add(engine, &found));
	requeue_held(engine);
}

/* ---- questions ---- */

/* Whether it is about what this syncer asks for, in that registry. */
static bool concerns(const struct ek_doubt *doubt, const struct ek_sync_syncer *syncer, const struct ek_sync_registry *registry)
{
	if (doubt->registry)
		return doubt->registry == registry;
	return is_about(doubt, syncer->object->selector.namespace_) && (!doubt->read || ek_reads_uses(syncer->version, doubt->read));
}

static const struct ek_doubt *find_for(const struct ek_sync_syncer *syncer, const struct ek_sync_registry *registry)
{
	const struct ek_doubt *doubt = syncer->engine->doubts;

	while (doubt && !concerns(doubt, syncer, registry))
		doubt = doubt->next;
	return doubt;
}

bool ek_doubts_hold(const struct ek_sync_syncer *syncer, const struct ek_ledger_entry *entry)
{
	bool is_just_listed = entry->registry->list_token && !entry->put_at_ms; /* there may be more: all are looked at when the list has ended */

	return is_just_listed || find_for(syncer, entry->registry) ||
	       !ek_store_is_listed(syncer->engine->store, syncer->object->selector.namespace_);
}

bool ek_doubts_explain(const struct ek_sync_syncer *syncer, char *why, size_t size)
{
	const char *namespace_ = syncer->object->selector.namespace_;
	const struct ek_doubt *doubt = find_for(syncer, syncer->registry);

	if (doubt)
		explain(doubt, why, size);
	else if (!ek_store_is_listed(syncer->engine->store, namespace_))
		snprintf(why, size, "namespace %.63s could not be listed yet", namespace_);
	else
		return false;
	return true;
}

void ek_doubts_init(struct ek_engine *engine)
{
	ek_timer_init(&engine->doubt_timer, on_due, engine);
}

void ek_doubts_stop(struct ek_engine *engine)
{
	ek_loop_disarm(engine->loop, &engine->doubt_timer);
}

void ek_doubts_clear(struct ek_engine *engine)
{
	ek_doubts_stop(engine);
	while (engine->doubts)
		drop(&engine->doubts);
}
