/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges how a syncer is doing, writes it as a merge patch to the status subresource, and tells a Warning Event when it stops being Ready for a new reason. What
 * the JSON looks like is in status_json.c. Read syncers.c next.
 */
#include "sync/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sync/doubts.h"
#include "sync/identity.h"
#include "sync/outcome.h"
#include "sync/quorum.h"
#include "sync/reads.h"
#include "sync/rollout.h"
#include "sync/status_json.h"

#define COALESCE_MS 300
#define GAP_MS 1000
#define RETRY_MS 5000
#define SHOWN_AFTER 3

const char *ek_status_failure(const struct ek_ledger_entry *entry, const char **message)
{
	if (entry->known == EK_KNOWN_FOREIGN && entry->want_status) {
		*message = "the registry holds an entry of this id that is not ours; remove it there, or change spec.application";
		return "Conflict";
	}
	if (entry->last_code == EK_OK || (entry->attempts < SHOWN_AFTER && !entry->is_refused))
		return NULL;
	*message = entry->last_message ? entry->last_message : "";
	if (entry->is_misbehaved)
		return "PluginMisbehaved";
	return ek_outcome_of(entry->last_code).reason;
}

static bool is_settled(const struct ek_ledger_entry *entry)
{
	return entry->known == EK_KNOWN_HELD && entry->held_digest == entry->want_digest &&
	       (entry->held_status == entry->want_status || entry->is_overridden);
}

void ek_status_count(const struct ek_sync_syncer *syncer, struct ek_status_counts *out)
{
	const char *message;

	memset(out, 0, sizeof(*out));
	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next) {
		out->desired += entry->want_status != EK_STATUS_NONE;
		out->registered += entry->known == EK_KNOWN_HELD;
		out->failing += ek_status_failure(entry, &message) != NULL;
		out->overridden += entry->known == EK_KNOWN_HELD && entry->is_overridden;
		out->pending += entry->want_status && !is_settled(entry);
		out->left += !entry->want_status && entry->known != EK_KNOWN_ABSENT;
	}
}

/* ---- judging ---- */

static void set(struct ek_condition *condition, const char *status, const char *reason, const char *message)
{
	snprintf(condition->status, sizeof(condition->status), "%s", status);
	snprintf(condition->reason, sizeof(condition->reason), "%s", reason);
	snprintf(condition->message, sizeof(condition->message), "%s", message);
}

static void set_all(struct ek_condition *conditions, const char *ready, enum ek_fault_kind kind, const char *reason, const char *message)
{
	set(&conditions[EK_CONDITION_READY], ready, reason, message);
	if (kind == EK_FAULT_STALLED)
		set(&conditions[EK_CONDITION_STALLED], "True", reason, message);
	else
		set(&conditions[EK_CONDITION_STALLED], "False", "NotStalled", "");
	if (kind == EK_FAULT_PASSING)
		set(&conditions[EK_CONDITION_RECONCILING], "True", reason, message);
	else
		set(&conditions[EK_CONDITION_RECONCILING], "False", "Settled", "");
}

static void judge_failing(const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts, struct ek_condition *conditions)
{
	const struct ek_ledger_entry *entry = syncer->entries;
	const char *reason = NULL, *message = "";
	char text[400];

	while (entry && !(reason = ek_status_failure(entry, &message)))
		entry = entry->syncer_next;
	snprintf(text, sizeof(text), "%zu of %zu instances are failing: %.255s", counts->failing, counts->desired, message);
	set_all(conditions, "False", reason && strcmp(reason, "Conflict") == 0 ? EK_FAULT_STALLED : EK_FAULT_PASSING, reason ? reason : "Failing", text);
}

static void judge_held(const struct ek_sync_syncer *syncer, struct ek_condition *conditions)
{
	char text[512], plan[17], why[200];

	if (!syncer->n_held || !ek_doubts_explain(syncer, why, sizeof(why))) {
		snprintf(text, sizeof(text), "%zu removals wait until the API server confirms that their endpoints are gone: %.200s",
		         syncer->n_held + syncer->n_unconfirmed, ek_quorum_problem(syncer) ? ek_quorum_problem(syncer) : "");
	} else {
		ek_digest_format(syncer->held_hash, plan);
		snprintf(text, sizeof(text), "%zu removals are held because %s; if they are meant: kubectl annotate esync %.60s -n %.63s --overwrite "
		         EK_SYNCER_APPROVE "=%s", syncer->n_held, why, syncer->object->name, syncer->object->namespace_, plan);
	}
	set_all(conditions, "False", EK_FAULT_PASSING, "DeletesHeld", text);
}

static void judge_served(const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts, struct ek_condition *conditions)
{
	char text[200];

	if (syncer->object->is_suspended) {
		set_all(conditions, "True", EK_FAULT_NONE, "Suspended", "leases are kept alive, nothing else changes until spec.suspend is false");
		return;
	}
	if (syncer->n_held || (counts->left && ek_quorum_problem(syncer))) {
		judge_held(syncer, conditions);
		return;
	}
	if (counts->pending || counts->left) {
		snprintf(text, sizeof(text), "%zu to register or update, %zu to remove", counts->pending, counts->left);
		set_all(conditions, counts->pending ? "False" : "True", EK_FAULT_PASSING, "Progressing", text);
		return;
	}
	if (!counts->desired)
		set_all(conditions, "True", EK_FAULT_NONE, "NoEndpoints", "the selected Services have no ready endpoint");
	else
		set_all(conditions, "True", EK_FAULT_NONE, "Served", "registered as declared");
}

/* Beside the others, and only while it holds. */
static void judge_rollback(const struct ek_sync_syncer *syncer, struct ek_condition *condition)
{
	const char *missing = ek_rollout_missing(syncer);

	if (syncer->rollback)
		set(condition, "True", syncer->rollback->reason, syncer->rollback->message);
	else if (missing)
		set(condition, "True", "PluginUnavailable", missing);
}

/* False: too early to say anything. */
static bool judge(const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts, struct ek_condition *conditions)
{
	const struct ek_sync_registry *registry = syncer->registry;
	char text[400];

	if (!syncer->is_evaluated || (syncer->is_frozen && ek_reads_is_early(syncer)))
		return false;
	if (syncer->fault_kind != EK_FAULT_NONE && syncer->n_held) {
		judge_held(syncer, conditions); /* why nothing is selected is no use to whoever must decide about what is held */
		return true;
	}
	if (syncer->fault_kind != EK_FAULT_NONE) {
		set_all(conditions, "False", syncer->fault_kind, syncer->fault.reason, syncer->fault.message);
		return true;
	}
	if (registry && registry->problem.code != EK_OK) {
		snprintf(text, sizeof(text), "registry %.60s: %.255s", registry->config->name, registry->problem.message);
		set_all(conditions, "False", EK_FAULT_PASSING, registry->problem.reason, text);
		return true;
	}
	if (registry && registry->phase != EK_REGISTRY_OPEN)
		return false;
	if (counts->failing)
		judge_failing(syncer, counts, conditions);
	else
		judge_served(syncer, counts, conditions);
	return true;
}

static void stamp(struct ek_sync_syncer *syncer, struct ek_condition *fresh)
{
	time_t seconds = (time_t)(ek_loop_wall_ms(syncer->engine->loop) / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	for (int i = 0; i < EK_N_CONDITIONS; i++) {
		const struct ek_condition *old = &syncer->conditions[i];

		fresh[i].observed_generation = syncer->object->generation;
		if (old->since[0] && strcmp(old->status, fresh[i].status) == 0)
			memcpy(fresh[i].since, old->since, sizeof(fresh[i].since));
		else
			strftime(fresh[i].since, sizeof(fresh[i].since), "%Y-%m-%dT%H:%M:%SZ", &utc);
	}
}

/* ---- Events ---- */

void ek_status_event(struct ek_sync_syncer *syncer, const char *reason, const char *note)
{
	struct ek_event_object regarding = {
		.api_version = "eurekube.io/v1alpha1", .kind = "EurekaSyncer", .namespace_ = syncer->object->namespace_,
		.name = syncer->object->name, .uid = syncer->object->uid,
	};

	if (syncer->engine->with.recorder)
		ek_recorder_emit(syncer->engine->with.recorder, &regarding, "Warning", reason, "Reconcile", note);
}

static void tell_when_worse(struct ek_sync_syncer *syncer, const struct ek_condition *fresh)
{
	const struct ek_condition *old = &syncer->conditions[EK_CONDITION_READY], *now = &fresh[EK_CONDITION_READY];

	if (strcmp(now->status, "False") != 0 || strcmp(now->reason, "Progressing") == 0)
		return;
	if (strcmp(old->status, "False") == 0 && strcmp(old->reason, now->reason) == 0)
		return;
	ek_status_event(syncer, now->reason, now->message);
}

/* ---- writing ---- */

static void arm(struct ek_sync_syncer *syncer, int64_t delay_ms)
{
	int64_t now = ek_loop_now_ms(syncer->engine->loop), due = now + delay_ms;

	if (syncer->status_written_ms && due < syncer->status_written_ms + GAP_MS)
		due = syncer->status_written_ms + GAP_MS;
	if (!ek_timer_is_armed(&syncer->status_timer))
		ek_loop_arm(syncer->engine->loop, &syncer->status_timer, due - now);
}

static void on_written(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_sync_syncer *syncer = arg;

	syncer->status_call = NULL;
	if (reply->code == EK_OK) {
		syncer->status_hash = syncer->status_sent;
		syncer->engine->status_writes++;
		ek_engine_take_written(syncer, (struct ek_slice){ reply->body, reply->body_bytes });
	} else if (reply->code != EK_GONE && !syncer->is_gone) {
		EK_WARN(&syncer->engine->log, "status could not be written", EK_S("syncer", syncer->key), EK_S("error", reply->message));
		ek_loop_disarm(syncer->engine->loop, &syncer->status_timer);
		arm(syncer, RETRY_MS);
		return;
	}
	if (syncer->is_status_dirty)
		arm(syncer, COALESCE_MS);
}

static void send(struct ek_sync_syncer *syncer, const struct ek_status_json *json)
{
	char path[512];
	struct ek_kube_request request = {
		.method = "PATCH", .path = path, .content_type = "application/merge-patch+json",
		.body = json->text, .body_bytes = json->n, .on_done = on_written, .arg = syncer,
	};

	snprintf(path, sizeof(path), "/apis/eurekube.io/v1alpha1/namespaces/%s/eurekasyncers/%s/status", syncer->object->namespace_, syncer->object->name);
	syncer->status_written_ms = ek_loop_now_ms(syncer->engine->loop);
	syncer->status_sent = json->hash;
	syncer->status_call = ek_kube_call(syncer->engine->with.kube, &request, NULL);
	if (!syncer->status_call)
		arm(syncer, RETRY_MS);
}

static void on_due(void *arg)
{
	struct ek_sync_syncer *syncer = arg;
	struct ek_condition fresh[EK_N_CONDITIONS];
	struct ek_status_counts counts;
	struct ek_status_json json;

	if (syncer->status_call) {
		syncer->is_status_dirty = true;
		return;
	}
	syncer->is_status_dirty = false;
	if (syncer->object->is_deleting || syncer->is_gone)
		return;
	memset(fresh, 0, sizeof(fresh));
	ek_status_count(syncer, &counts);
	if (!judge(syncer, &counts, fresh))
		return;
	judge_rollback(syncer, &fresh[EK_CONDITION_ROLLED_BACK]);
	stamp(syncer, fresh);
	tell_when_worse(syncer, fresh);
	memcpy(syncer->conditions, fresh, sizeof(fresh));
	if (!ek_status_json_build(&json, syncer, &counts)) {
		EK_ERROR(&syncer->engine->log, "status does not fit its buffer", EK_S("syncer", syncer->key));
		return;
	}
	if (json.hash != syncer->status_hash)
		send(syncer, &json);
}

void ek_status_init(struct ek_sync_syncer *syncer)
{
	ek_timer_init(&syncer->status_timer, on_due, syncer);
}

void ek_status_clear(struct ek_sync_syncer *syncer)
{
	ek_loop_disarm(syncer->engine->loop, &syncer->status_timer);
	ek_kube_cancel(syncer->status_call);
	syncer->status_call = NULL;
}

void ek_status_touch(struct ek_sync_syncer *syncer)
{
	if (syncer->engine->is_started && !syncer->is_gone)
		arm(syncer, COALESCE_MS);
}

void ek_status_observed(struct ek_sync_syncer *syncer)
{
	if (!syncer->has_conditions) {
		memcpy(syncer->conditions, syncer->object->conditions, sizeof(syncer->conditions));
		ek_rollout_restore(syncer);
	}
	syncer->has_conditions = true;
	if (!syncer->status_call)
		syncer->status_hash = syncer->object->status_hash;
	ek_status_touch(syncer);
}
