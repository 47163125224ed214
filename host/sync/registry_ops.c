/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of one registry that are in flight: tokens, deadlines, room, batches, and what each outcome means for the ledger. It decides nothing
 * about what should be sent (plan.c) nor when to renew (lease.c). Read adopt.c next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sync/outcome.h"
#include "sync/reconcile.h"
#include "sync/registry.h"
#include "sync/status.h"

static void on_deadline(void *arg);

void ek_ops_init(struct ek_sync_registry *registry)
{
	ek_timer_init(&registry->deadline_timer, on_deadline, registry);
	registry->tokens = 1;
}

void ek_ops_clear(struct ek_sync_registry *registry)
{
	ek_loop_disarm(registry->engine->loop, &registry->deadline_timer);
	free(registry->slots);
	registry->slots = NULL;
	registry->n_slots = registry->free_slot = registry->first_slot = registry->last_slot = 0;
}

/* ---- slots and tokens ---- */

/* Generations begin elsewhere in each registry, so that a plugin that mistakes one of its instances for another answers nothing that was asked there. */
static uint32_t take_slot(struct ek_sync_registry *registry)
{
	uint32_t index, first = (uint32_t)ek_hash64_text(EK_HASH_SEED, registry->config->name);

	if (!registry->free_slot) {
		uint32_t n = registry->n_slots ? registry->n_slots * 2 : 32;

		registry->slots = ek_xrealloc(registry->slots, n, sizeof(*registry->slots));
		memset(registry->slots + registry->n_slots, 0, (n - registry->n_slots) * sizeof(*registry->slots));
		for (uint32_t i = registry->n_slots; i < n; i++) {
			registry->slots[i].generation = first;
			registry->slots[i].next = i + 1 < n ? i + 2 : 0;
		}
		registry->free_slot = registry->n_slots + 1;
		registry->n_slots = n;
	}
	index = registry->free_slot - 1;
	registry->free_slot = registry->slots[index].next;
	return index;
}

static void append_slot(struct ek_sync_registry *registry, uint32_t index)
{
	struct ek_op_slot *slot = &registry->slots[index];

	slot->is_busy = true;
	slot->next = 0;
	slot->previous = registry->last_slot;
	if (registry->last_slot)
		registry->slots[registry->last_slot - 1].next = index + 1;
	else
		registry->first_slot = index + 1;
	registry->last_slot = index + 1;
}

static void release_slot(struct ek_sync_registry *registry, uint32_t index)
{
	struct ek_op_slot *slot = &registry->slots[index];

	if (slot->previous)
		registry->slots[slot->previous - 1].next = slot->next;
	else
		registry->first_slot = slot->next;
	if (slot->next)
		registry->slots[slot->next - 1].previous = slot->previous;
	else
		registry->last_slot = slot->previous;
	slot->is_busy = false;
	slot->entry = NULL;
	slot->generation++;
	slot->next = registry->free_slot;
	registry->free_slot = index + 1;
}

/* Beyond what the plugin is told, so that one that keeps its own deadlines is never at fault. */
#define DEADLINE_GRACE_MS 1000

static uint64_t start_slot(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, uint32_t kind, int64_t timeout_ms)
{
	uint32_t index = take_slot(registry);
	struct ek_op_slot *slot = &registry->slots[index];

	append_slot(registry, index);
	slot->entry = entry;
	slot->kind = kind;
	slot->started_us = ek_loop_now_us(registry->engine->loop);
	slot->deadline_ms = slot->started_us / 1000 + timeout_ms + DEADLINE_GRACE_MS;
	if (!ek_timer_is_armed(&registry->deadline_timer) || registry->deadline_timer.due_ms > slot->deadline_ms)
		ek_loop_arm(registry->engine->loop, &registry->deadline_timer, timeout_ms + DEADLINE_GRACE_MS);
	return ((uint64_t)slot->generation << 32) | (index + 1);
}

static struct ek_op_slot *find_slot(struct ek_sync_registry *registry, uint64_t token)
{
	uint32_t index = (uint32_t)token - 1;

	if (index >= registry->n_slots || !registry->slots[index].is_busy || registry->slots[index].generation != (uint32_t)(token >> 32))
		return NULL;
	return &registry->slots[index];
}

/* ---- room ---- */

static bool take_token(struct ek_sync_registry *registry, int64_t *wait_until_ms)
{
	double rate = (double)registry->config->requests_per_second;
	int64_t now = ek_loop_now_ms(registry->engine->loop);

	if (rate <= 0)
		return true;
	registry->tokens += (double)(now - registry->tokens_at_ms) * rate / 1000;
	if (registry->tokens > (rate < 1 ? 1 : rate))
		registry->tokens = rate < 1 ? 1 : rate;
	registry->tokens_at_ms = now;
	if (registry->tokens >= 1)
		return true;
	*wait_until_ms = now + (int64_t)((1 - registry->tokens) * 1000 / rate) + 1;
	return false;
}

bool ek_ops_has_room(struct ek_sync_registry *registry, int64_t *wait_until_ms)
{
	*wait_until_ms = 0;
	return registry->n_ordinary < EK_OPS_MAX && take_token(registry, wait_until_ms);
}

void ek_ops_wait_for_room(struct ek_sync_registry *registry, struct ek_sync_syncer *syncer)
{
	struct ek_sync_syncer **last = &registry->waiters;

	if (syncer->is_waiting)
		return;
	while (*last)
		last = &(*last)->wait_next;
	syncer->is_waiting = true;
	syncer->wait_next = NULL;
	*last = syncer;
}

/* One at a time: it may need all the room, and each of them would look at everything it selects to find out. */
void ek_ops_wake_waiter(struct ek_sync_registry *registry)
{
	struct ek_sync_syncer *syncer = registry->waiters;

	if (!syncer || registry->n_ordinary > EK_OPS_MAX / 4)
		return;
	registry->waiters = syncer->wait_next;
	syncer->is_waiting = false;
	if (ek_part_wake_blocked(syncer))
		ek_ops_wait_for_room(registry, syncer); /* behind the others */
}

/* ---- sending ---- */

void ek_ops_flush(struct ek_sync_registry *registry)
{
	unsigned sent = 0;

	while (sent < registry->n_batch) {
		unsigned n = registry->n_batch - sent;

		if (n > registry->traits.max_batch)
			n = registry->traits.max_batch;
		ek_services_enter(registry->services);
		registry->ops->apply(registry->instance->self, registry->batch + sent, n);
		ek_services_leave(registry->services);
		sent += n;
	}
	registry->n_batch = 0;
}

void ek_ops_add(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, enum ek_op_kind kind, const struct ek_instance *instance)
{
	struct ek_op *op;

	if (entry->op)
		EK_BUG("a second operation on %s", entry->id);
	if (registry->n_batch == EK_OPS_MAX)
		ek_ops_flush(registry);
	op = &registry->batch_ops[registry->n_batch];
	*op = (struct ek_op){
		.size = sizeof(*op), .kind = kind, .application = entry->application, .id = entry->id, .instance = instance,
		.revision = entry->revision, .timeout_ms = (int32_t)registry->op_timeout_ms,
	};
	op->token = start_slot(registry, entry, kind, registry->op_timeout_ms);
	registry->batch[registry->n_batch++] = op;
	entry->op = (uint8_t)kind;
	if (kind == EK_OP_RENEW) {
		registry->n_renewals++;
		return;
	}
	registry->n_ordinary++;
	registry->tokens -= 1;
	if (kind == EK_OP_PUT) {
		entry->put_at_ms = ek_loop_now_ms(registry->engine->loop);
		entry->sent_digest = entry->want_digest;
		entry->sent_pod = entry->want_pod;
		entry->sent_status = entry->want_status;
	}
}

uint64_t ek_ops_start_list(struct ek_sync_registry *registry, int64_t timeout_ms)
{
	return start_slot(registry, NULL, EK_OP_KIND_LIST, timeout_ms);
}

/* ---- outcomes ---- */

static void note_propagation(struct ek_sync_registry *registry, struct ek_ledger_entry *entry)
{
	int64_t now = ek_loop_wall_ms(registry->engine->loop);

	if (entry->trigger_wall_ms && now >= entry->trigger_wall_ms)
		ek_histogram_add(&registry->engine->propagation, (double)(now - entry->trigger_wall_ms) / 1000);
	entry->trigger_wall_ms = 0;
}

static void after_put(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, const struct ek_result *result)
{
	entry->known = EK_KNOWN_HELD;
	entry->held_digest = entry->sent_digest;
	entry->held_pod = entry->sent_pod;
	entry->held_status = entry->sent_status;
	entry->is_overridden = false;
	if (result->revision)
		entry->revision = result->revision;
	entry->renewed_at_ms = ek_loop_now_ms(registry->engine->loop);
	note_propagation(registry, entry);
	ek_entry_renew_next(entry);
}

static void after_remove(struct ek_sync_registry *registry, struct ek_ledger_entry *entry)
{
	entry->known = EK_KNOWN_ABSENT;
	entry->removed_at_ms = ek_loop_now_ms(registry->engine->loop);
	entry->is_overridden = false;
	ek_entry_leave_renewals(entry);
	note_propagation(registry, entry);
}

static void after_renew(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, const struct ek_result *result)
{
	if (result->code == EK_OK) {
		if (result->revision)
			entry->revision = result->revision;
		entry->renewed_at_ms = ek_loop_now_ms(registry->engine->loop);
		ek_entry_renew_next(entry);
		return;
	}
	entry->known = EK_KNOWN_ABSENT; /* GONE: whatever we believed, it is not there; it is put again */
	ek_entry_leave_renewals(entry);
}

/* Success, and the two meanings of GONE that are no failure. False: a failure. */
static bool take_success(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, uint32_t kind, const struct ek_result *result)
{
	bool is_gone = result->code == EK_GONE;

	if (result->code != EK_OK && !is_gone)
		return false;
	switch (kind) {
	case EK_OP_PUT:
		if (is_gone)
			return false;
		after_put(registry, entry, result);
		return true;
	case EK_OP_REMOVE:
		after_remove(registry, entry);
		return true;
	case EK_OP_RENEW:
		after_renew(registry, entry, result);
		return true;
	default:
		ek_adopt_apply(entry, is_gone ? NULL : result->entry);
		return true;
	}
}

/* What is the plugin's fault names it. */
static void note_failure(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, const struct ek_result *result)
{
	int64_t wall_ms = ek_loop_wall_ms(registry->engine->loop);
	char message[600];

	if (result->code != EK_PLUGIN || (result->message && strncmp(result->message, "plugin ", 7) == 0)) {
		ek_ledger_note_failure(entry, result->code, result->message, wall_ms);
		return;
	}
	snprintf(message, sizeof(message), "plugin %s failed: %.500s", registry->library->label, result->message ? result->message : "it did not say why");
	ek_ledger_note_failure(entry, result->code, message, wall_ms);
}

/* A lease is worth more than manners: try again soon, well before it ends; a registry that asks for patience gets a third of it. */
static int64_t delay_renewal(const struct ek_sync_registry *registry, const struct ek_ledger_entry *entry, const struct ek_result *result)
{
	int64_t delay = ek_retry_delay_ms(entry->attempts < 3 ? entry->attempts : 3, ek_loop_random(registry->engine->loop));
	int64_t patience = registry->traits.lease_ms / 3;

	if (delay > registry->traits.renew_ms)
		delay = registry->traits.renew_ms > 1000 ? registry->traits.renew_ms : 1000;
	if (result->retry_after_ms > delay)
		delay = result->retry_after_ms < patience ? result->retry_after_ms : delay > patience ? delay : patience;
	return delay;
}

static void take_failure(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, uint32_t kind, const struct ek_result *result)
{
	struct ek_loop *loop = registry->engine->loop;
	struct ek_outcome outcome = ek_outcome_of(result->code);
	/* What is refused for good is put no more; but what must go, or be read, is tried again. */
	bool is_counted = outcome.is_counted || (outcome.is_permanent && kind != EK_OP_PUT);
	int64_t now = ek_loop_now_ms(loop), delay;

	note_failure(registry, entry, result);
	if (is_counted && entry->attempts < UINT16_MAX)
		entry->attempts++;
	if (kind == EK_OP_RENEW) {
		ek_entry_renew_at(entry, now + delay_renewal(registry, entry, result));
		return;
	}
	if (outcome.is_read_next)
		entry->known = EK_KNOWN_NOTHING;
	if (outcome.is_permanent && kind == EK_OP_PUT)
		entry->is_refused = true;
	delay = result->retry_after_ms > 0 ? result->retry_after_ms : is_counted ? ek_retry_delay_ms(entry->attempts, ek_loop_random(loop)) : 1000;
	if (delay > 300000)
		delay = 300000;
	if (outcome.is_read_next && entry->attempts <= 1)
		delay = 0;
	entry->retry_at_ms = now + delay;
}

/* ---- a registry that comes back, or came back empty ---- */

#define GONE_RUN 3
#define WAKE_GAP_MS 5000

static void wake_failed(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	if (entry->op || (entry->last_code != EK_RETRY && entry->last_code != EK_UNKNOWN))
		return;
	entry->retry_at_ms = 0;
	if (entry->wheel_prev)
		ek_entry_renew_at(entry, ek_loop_now_ms(registry->engine->loop));
	ek_entry_changed(entry);
}

static void renew_held(void *arg, struct ek_ledger_entry *entry)
{
	struct ek_sync_registry *registry = arg;

	if (!entry->op && entry->known == EK_KNOWN_HELD)
		ek_entry_renew_at(entry, ek_loop_now_ms(registry->engine->loop));
}

/*
 * The first answer after a silence wakes all that waits for its next try. Several renewals in a row that find nothing mean that more is lost: every other
 * instance is asked for at once instead of in its turn, as fast as there is room.
 */
static void note_reach(struct ek_sync_registry *registry, uint32_t kind, const struct ek_result *result)
{
	int64_t now = ek_loop_now_ms(registry->engine->loop);
	int32_t code = result->code;
	bool was_away = registry->is_away;

	registry->is_away = (code == EK_RETRY || code == EK_UNKNOWN) && !result->http_status;
	if (was_away && !registry->is_away && now - registry->woken_ms >= WAKE_GAP_MS) {
		registry->woken_ms = now;
		ek_ledger_each(&registry->ledger, wake_failed, registry);
	}
	if (kind != EK_OP_RENEW)
		return;
	registry->gone_run = code == EK_GONE ? registry->gone_run + 1 : code == EK_OK ? 0 : registry->gone_run;
	if (registry->gone_run == GONE_RUN && registry->phase == EK_REGISTRY_OPEN)
		ek_ledger_each(&registry->ledger, renew_held, registry);
}

/* NULL, or why this is no answer to what was asked. */
static const char *judge_answer(const struct ek_sync_registry *registry, const struct ek_op_slot *slot, const struct ek_result *result)
{
	if (slot->kind == EK_OP_KIND_LIST && result->code == EK_OK && registry->is_list_spoiled)
		return "listed garbage, or without end";
	if (slot->kind == EK_OP_GET && result->code == EK_OK && !result->entry)
		return "answered a read with neither the entry nor EK_GONE";
	if (slot->entry && result->entry && strcmp(result->entry->id, slot->entry->id) != 0)
		return "answered with the entry of another id";
	return NULL;
}

/* A read or a renewal by itself mends nothing: a write that fails again and again, with those in between that work, is a failure. */
static bool is_success_whole(const struct ek_ledger_entry *entry, uint32_t kind)
{
	if (kind != EK_OP_GET && kind != EK_OP_RENEW)
		return true;
	return entry->want_status ? entry->known == EK_KNOWN_HELD && entry->held_digest == entry->want_digest : entry->known != EK_KNOWN_HELD;
}

/* is_overdue: the plugin has let its time pass. The entry may be gone afterwards. */
static void finish_op(struct ek_sync_registry *registry, struct ek_ledger_entry *entry, uint32_t kind, const struct ek_result *result, bool is_overdue)
{
	bool was_probe = kind == EK_OP_RENEW && !entry->is_probed;
	bool is_quiet = kind == EK_OP_RENEW && result->code == EK_OK && entry->last_code == EK_OK; /* nothing new: a heartbeat costs no turn */
	int32_t code = result->code >= 0 && result->code < EK_OP_RESULTS ? result->code : EK_PLUGIN;

	entry->op = 0;
	if (code != EK_OK)
		entry->is_misbehaved = code == EK_PLUGIN || is_overdue;
	registry->results[kind][code]++;
	if (kind == EK_OP_RENEW) {
		registry->n_renewals--;
		ek_registry_pump(registry);
	} else {
		registry->n_ordinary--;
	}
	if (!take_success(registry, entry, kind, result))
		take_failure(registry, entry, kind, result);
	else if (is_success_whole(entry, kind))
		ek_ledger_note_success(entry);
	entry->is_probed = entry->is_probed || kind == EK_OP_RENEW;
	note_reach(registry, kind, result);
	if (!is_quiet)
		ek_entry_changed(entry);
	if (was_probe)
		ek_registry_probed(registry);
	ek_ops_wake_waiter(registry);
}

static void end_op(struct ek_sync_registry *registry, struct ek_op_slot *slot, const struct ek_result *result, bool was_completed)
{
	struct ek_ledger_entry *entry = slot->entry;
	uint32_t kind = slot->kind;

	slot->was_completed = was_completed;
	snprintf(slot->last_id, sizeof(slot->last_id), "%s", entry ? entry->id : "");
	release_slot(registry, (uint32_t)(slot - registry->slots));
	if (kind == EK_OP_KIND_LIST)
		ek_registry_listed(registry, result);
	else
		finish_op(registry, entry, kind, result, !was_completed && result->code != EK_CANCELLED);
}

/* The slot whose last operation had this token; NULL: it was another one, or none. */
static const struct ek_op_slot *find_last(const struct ek_sync_registry *registry, uint64_t token)
{
	uint32_t index = (uint32_t)token - 1;
	const struct ek_op_slot *slot = index < registry->n_slots ? &registry->slots[index] : NULL;

	return slot && slot->generation == (uint32_t)(token >> 32) + 1 ? slot : NULL;
}

/*
 * A completion for nothing. After the deadline it is merely late, which a plugin may be. Otherwise it comes twice, or its token was never given out; if it can be
 * told whose it was, that syncer hears of it.
 */
static void take_stray(struct ek_sync_registry *registry, uint64_t token)
{
	const struct ek_op_slot *last = find_last(registry, token);
	const struct ek_ledger_entry *entry = last && last->last_id[0] ? ek_ledger_find(&registry->ledger, last->last_id) : NULL;
	char note[400];

	registry->late_completions++;
	if (last && !last->was_completed)
		return;
	ek_services_blame(registry->services, EK_MISBEHAVIOUR_TWICE, "completes an operation twice, or one that never was");
	if (!entry || !entry->syncer)
		return;
	snprintf(note, sizeof(note), "plugin %s completed an operation on %.200s twice; the second was ignored", registry->library->label, entry->id);
	ek_status_event(entry->syncer, "PluginMisbehaved", note);
}

void ek_ops_stray_entry(struct ek_sync_registry *registry, uint64_t token)
{
	const struct ek_op_slot *last = find_last(registry, token);

	if (!last || last->was_completed)
		ek_services_blame(registry->services, EK_MISBEHAVIOUR_GARBAGE, "lists an entry for a list that does not run");
}

void ek_ops_done(struct ek_sync_registry *registry, uint64_t token, const struct ek_result *result)
{
	struct ek_op_slot *slot = find_slot(registry, token);
	struct ek_result other = { .size = sizeof(other), .code = EK_PLUGIN };
	const char *wrong;
	char message[200];

	if (!slot) {
		take_stray(registry, token);
		return;
	}
	wrong = judge_answer(registry, slot, result);
	if (wrong) {
		ek_services_blame(registry->services, EK_MISBEHAVIOUR_GARBAGE, "%s", wrong);
		snprintf(message, sizeof(message), "plugin %s %s", registry->library->label, wrong);
		other.message = message;
		result = &other;
	}
	end_op(registry, slot, result, true);
}

void ek_ops_abort(struct ek_sync_registry *registry)
{
	while (registry->first_slot) {
		uint32_t index = registry->first_slot - 1;
		struct ek_result result = { .size = sizeof(result), .code = EK_CANCELLED, .message = "the plugin was replaced" };

		end_op(registry, &registry->slots[index], &result, false);
	}
	ek_loop_disarm(registry->engine->loop, &registry->deadline_timer);
}

/* The plugin was told its time, and had a little more: that it has not answered is its own fault. The outcome is unknown all the same. */
static void expire(struct ek_sync_registry *registry, uint32_t at)
{
	struct ek_op_slot *slot = &registry->slots[at - 1];
	uint64_t token = ((uint64_t)slot->generation << 32) | at;
	struct ek_ledger_entry *entry = slot->entry;
	struct ek_result result = { .size = sizeof(result), .code = entry ? EK_UNKNOWN : EK_PLUGIN }; /* a list that does not end changes nothing */
	char message[160];

	if (registry->ops->cancel) {
		ek_services_enter_ending(registry->services);
		registry->ops->cancel(registry->instance->self, token);
		ek_services_leave(registry->services);
	}
	ek_services_blame(registry->services, EK_MISBEHAVIOUR_NEVER, "does not complete an operation within the time it was given");
	snprintf(message, sizeof(message), "plugin %s did not complete the %s within the time it was given", registry->library->label,
	         entry ? "operation" : "list");
	result.message = message;
	end_op(registry, slot, &result, false);
}

/* Operations of one registry share one timeout, but lists have a longer one, so the whole row is looked at. */
static void on_deadline(void *arg)
{
	struct ek_sync_registry *registry = arg;
	struct ek_loop *loop = registry->engine->loop;
	int64_t now = ek_loop_now_ms(loop), next_ms = INT64_MAX;
	uint32_t at = registry->first_slot;

	while (at) {
		struct ek_op_slot *slot = &registry->slots[at - 1];
		uint32_t index = at;

		at = slot->next;
		if (slot->deadline_ms > now) {
			if (slot->deadline_ms < next_ms)
				next_ms = slot->deadline_ms;
			continue;
		}
		expire(registry, index);
	}
	if (registry->first_slot && !ek_timer_is_armed(&registry->deadline_timer))
		ek_loop_arm(loop, &registry->deadline_timer, next_ms == INT64_MAX ? registry->op_timeout_ms : next_ms - now);
}
