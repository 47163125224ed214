/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a syncer: the finalizer that makes the API server wait for us, deregistration and its confirmation, and the release when a registry stays away too
 * long. Also the doubt about a syncer that a LIST did not show. Read status.c next.
 */
#include <stdio.h>
#include <string.h>

#include "kube/patch.h"
#include "sync/claims.h"
#include "sync/outcome.h"
#include "sync/reconcile.h"
#include "sync/status.h"

#define PATCH_GAP_MS 1000
#define CONFIRM_RETRY_MS 5000

static int64_t now_ms(const struct ek_sync_syncer *syncer)
{
	return ek_loop_now_ms(syncer->engine->loop);
}

static void format_path(const struct ek_sync_syncer *syncer, char *buffer, size_t size)
{
	snprintf(buffer, size, "/apis/eurekube.io/v1alpha1/namespaces/%s/eurekasyncers/%s", syncer->object->namespace_, syncer->object->name);
}

/* ---- patching the finalizer ---- */

static void on_patched(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_sync_syncer *syncer = arg;

	syncer->finalizer_call = NULL;
	if (reply->code == EK_OK) {
		syncer->attempts = 0;
		ek_engine_take_written(syncer, (struct ek_slice){ reply->body, reply->body_bytes });
		return;
	}
	if (reply->code == EK_GONE)
		return;
	/* 409, and 422 for a failed test: somebody changed the list; the watch brings it, then we try again. */
	if (reply->code != EK_CONFLICT && reply->code != EK_INVALID)
		EK_WARN(&syncer->engine->log, "finalizer could not be changed", EK_S("syncer", syncer->key), EK_S("error", reply->message));
	syncer->attempts++;
	ek_queue_add_at(&syncer->item, now_ms(syncer) + ek_retry_delay_ms(syncer->attempts, ek_loop_random(syncer->engine->loop)));
}

static void patch_finalizer(struct ek_sync_syncer *syncer, bool is_add)
{
	const struct ek_syncer_object *object = syncer->object;
	struct ek_buf body;
	char path[512];
	int64_t due = syncer->finalizer_sent_ms + PATCH_GAP_MS;
	int code;

	if (syncer->finalizer_call)
		return;
	if (syncer->finalizer_sent_ms && due > now_ms(syncer)) {
		ek_queue_add_at(&syncer->item, due);
		return;
	}
	ek_buf_init(&body, 65536);
	code = is_add ? ek_patch_add_finalizer(&body, object->uid, object->finalizers, object->n_finalizers, EK_SYNCER_FINALIZER)
	              : ek_patch_remove_finalizer(&body, object->uid, object->finalizers, object->n_finalizers, EK_SYNCER_FINALIZER);
	if (code == EK_OK) {
		struct ek_kube_request request = {
			.method = "PATCH", .path = path, .content_type = "application/json-patch+json",
			.body = body.at, .body_bytes = body.n, .on_done = on_patched, .arg = syncer,
		};

		format_path(syncer, path, sizeof(path));
		syncer->finalizer_sent_ms = now_ms(syncer);
		syncer->finalizer_call = ek_kube_call(syncer->engine->with.kube, &request, NULL);
		if (!syncer->finalizer_call)
			ek_queue_add_at(&syncer->item, now_ms(syncer) + PATCH_GAP_MS);
	}
	ek_buf_clear(&body);
}

bool ek_finalizer_ensure(struct ek_sync_syncer *syncer)
{
	const struct ek_syncer_object *object = syncer->object;
	bool is_needed = object->policy == EK_POLICY_SYNC && !object->is_orphan, has = ek_syncer_object_has_finalizer(object);

	if (syncer->fault_kind != EK_FAULT_NONE && syncer->is_frozen)
		return has || !is_needed; /* a syncer that cannot be served needs none; one that was served keeps it */
	if (is_needed && !has)
		patch_finalizer(syncer, true);
	else if (!is_needed && has)
		patch_finalizer(syncer, false);
	return has || !is_needed;
}

/* ---- deregistering ---- */

static void forget_entries(struct ek_sync_syncer *syncer)
{
	struct ek_ledger_entry *entry, *next;

	for (entry = syncer->entries; entry; entry = next) {
		next = entry->syncer_next;
		if (entry->op)
			ek_entry_leave_renewals(entry); /* its completion wakes us again */
		else
			ek_entry_forget(entry);
	}
}

static void remove_entries(struct ek_sync_syncer *syncer)
{
	struct ek_follow follow = { .syncer = syncer, .may_remove = true };
	struct ek_ledger_entry *entry, *next;

	for (entry = syncer->entries; entry; entry = next) {
		next = entry->syncer_next;
		entry->want_status = EK_STATUS_NONE;
		ek_follow_plan(&follow, entry, NULL);
	}
	for (unsigned i = 0; i < syncer->engine->n_registries; i++) {
		ek_ops_flush(syncer->engine->registries[i]);
		ek_ops_wake_waiter(syncer->engine->registries[i]);
	}
}

/* Whether every registry has shown us what it holds; before that, nothing proves that nothing of this syncer is left. */
static bool is_all_known(const struct ek_engine *engine)
{
	for (unsigned i = 0; i < engine->n_registries; i++)
		if (engine->registries[i]->phase != EK_REGISTRY_OPEN && engine->registries[i]->phase != EK_REGISTRY_BROKEN)
			return false;
	return true;
}

static void abandon_when_late(struct ek_sync_syncer *syncer)
{
	int64_t end = syncer->deleting_since_ms + syncer->engine->with.config->finalizer_wait_seconds * 1000;
	char note[256];

	if (syncer->is_abandoned)
		return;
	if (now_ms(syncer) < end) {
		ek_queue_add_at(&syncer->item, end);
		return;
	}
	syncer->is_abandoned = true;
	snprintf(note, sizeof(note), "gave up deregistering after %lld s because the registry did not answer; what is left ends with its leases",
	         (long long)syncer->engine->with.config->finalizer_wait_seconds);
	EK_WARN(&syncer->engine->log, "deregistration abandoned", EK_S("syncer", syncer->key));
	ek_status_event(syncer, "DeregistrationAbandoned", note);
}

static bool is_keeping(const struct ek_sync_syncer *syncer)
{
	return syncer->object->is_orphan || syncer->object->policy != EK_POLICY_SYNC || syncer->is_abandoned;
}

/* What is only remembered as removed is not left. */
static bool is_anything_left(const struct ek_sync_syncer *syncer)
{
	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next)
		if (entry->op || entry->known != EK_KNOWN_ABSENT)
			return true;
	return false;
}

static bool is_finished(const struct ek_sync_syncer *syncer)
{
	return !is_anything_left(syncer) && (is_keeping(syncer) || is_all_known(syncer->engine));
}

void ek_finalize(struct ek_sync_syncer *syncer)
{
	if (!syncer->deleting_since_ms)
		syncer->deleting_since_ms = now_ms(syncer);
	ek_claims_release(syncer);
	if (!is_keeping(syncer)) {
		remove_entries(syncer);
		if (!is_finished(syncer))
			abandon_when_late(syncer);
	}
	if (is_keeping(syncer))
		forget_entries(syncer);
	if (!is_finished(syncer))
		return;
	if (syncer->is_gone && !syncer->entries)
		ek_engine_drop_syncer(syncer->engine, syncer);
	else if (!syncer->is_gone && ek_syncer_object_has_finalizer(syncer->object))
		patch_finalizer(syncer, false);
}

/* ---- doubt ---- */

static void on_confirmed(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_sync_syncer *syncer = arg;

	syncer->confirm_call = NULL;
	if (!syncer->is_doubtful)
		return;
	if (reply->code == EK_GONE) {
		syncer->is_doubtful = false;
		syncer->is_gone = true;
		ek_queue_add(&syncer->item);
		return;
	}
	if (reply->code == EK_OK) {
		EK_WARN(&syncer->engine->log, "a list did not show an EurekaSyncer that exists; it is kept", EK_S("syncer", syncer->key));
		syncer->is_doubtful = false; /* served on, instead of waiting for a list that shows it */
		ek_queue_add(&syncer->item);
		return;
	}
	ek_loop_arm(syncer->engine->loop, &syncer->confirm_timer, CONFIRM_RETRY_MS);
}

void ek_confirm_absence(struct ek_sync_syncer *syncer)
{
	char path[512];
	struct ek_kube_request request = { .method = "GET", .path = path, .on_done = on_confirmed, .arg = syncer };

	if (syncer->confirm_call || !syncer->is_doubtful)
		return;
	format_path(syncer, path, sizeof(path));
	syncer->confirm_call = ek_kube_call(syncer->engine->with.kube, &request, NULL);
	if (!syncer->confirm_call)
		ek_loop_arm(syncer->engine->loop, &syncer->confirm_timer, CONFIRM_RETRY_MS);
}
