/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the status of a syncer and compares statuses. It judges nothing (status.c does). Read syncers.c next.
 */
#include "sync/status_json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sync/comparison.h"
#include "sync/doubts.h"
#include "sync/identity.h"
#include "sync/rollout.h"
#include "sync/status_hash.h"

#define FAILING_MAX 20

static void write_pair(struct ek_json_writer *writer, const char *key, const char *text)
{
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text);
}

static void write_count(struct ek_json_writer *writer, const char *key, size_t n)
{
	ek_json_write_key(writer, key);
	ek_json_write_integer(writer, (int64_t)n);
}

static void write_plugin(struct ek_json_writer *writer, const char *key, const struct ek_library *library, const char *channel)
{
	ek_json_write_key(writer, key);
	if (!library) {
		ek_json_write_null(writer);
		return;
	}
	ek_json_write_object(writer);
	write_pair(writer, "name", library->plugin->name);
	write_pair(writer, "version", library->plugin->version);
	write_pair(writer, "digest", library->digest);
	if (channel)
		write_pair(writer, "channel", channel);
	ek_json_write_object_end(writer);
}

static void write_conditions(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer)
{
	ek_json_write_key(writer, "conditions");
	ek_json_write_array(writer);
	for (int i = 0; i < EK_N_CONDITIONS; i++) {
		const struct ek_condition *condition = &syncer->conditions[i];

		if (!condition->status[0])
			continue;
		ek_json_write_object(writer);
		write_pair(writer, "type", ek_condition_names[i]);
		write_pair(writer, "status", condition->status);
		write_pair(writer, "reason", condition->reason);
		write_pair(writer, "message", condition->message);
		write_pair(writer, "lastTransitionTime", condition->since);
		write_count(writer, "observedGeneration", (size_t)condition->observed_generation);
		ek_json_write_object_end(writer);
	}
	ek_json_write_array_end(writer);
}

static void write_failing(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer)
{
	unsigned n = 0;

	ek_json_write_key(writer, "failingInstances");
	ek_json_write_array(writer);
	for (const struct ek_ledger_entry *entry = syncer->entries; entry && n < FAILING_MAX; entry = entry->syncer_next) {
		const char *message, *reason = ek_status_failure(entry, &message);
		time_t seconds = (time_t)(entry->failing_since_wall_ms / 1000);
		struct tm utc;
		char since[32];

		if (!reason)
			continue;
		n++;
		gmtime_r(&seconds, &utc);
		strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &utc);
		ek_json_write_object(writer);
		write_pair(writer, "id", entry->id);
		write_pair(writer, "reason", reason);
		write_pair(writer, "message", message);
		if (seconds)
			write_pair(writer, "since", since);
		ek_json_write_object_end(writer);
	}
	ek_json_write_array_end(writer);
}

/* The changes that are held. Its `why` is that of the condition. */
static void write_plan(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts)
{
	char hash[17], why[200] = "";

	ek_json_write_key(writer, "plan");
	if (!syncer->n_held) {
		ek_json_write_null(writer);
		return;
	}
	ek_digest_format(syncer->held_hash, hash);
	ek_doubts_explain(syncer, why, sizeof(why));
	ek_json_write_object(writer);
	write_pair(writer, "hash", hash);
	write_count(writer, "remove", counts->left);
	write_count(writer, "held", syncer->n_held);
	write_pair(writer, "why", why);
	ek_json_write_object_end(writer);
}

static void write_rollback(struct ek_json_writer *writer, const struct ek_rollback *rollback)
{
	ek_json_write_key(writer, "rollback");
	if (!rollback) {
		ek_json_write_null(writer);
		return;
	}
	ek_json_write_object(writer);
	write_pair(writer, "digest", rollback->digest);
	write_count(writer, "failures", (size_t)rollback->failures);
	write_pair(writer, "reason", rollback->reason);
	write_pair(writer, "message", rollback->message);
	write_pair(writer, "document", rollback->document);
	write_count(writer, "observedGeneration", (size_t)rollback->generation);
	ek_json_write_object_end(writer);
}

static void write_rollout(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer)
{
	const struct ek_sync_mode *mode = ek_engine_find_mode(syncer->engine, syncer->object->mode);

	ek_json_write_key(writer, "rollout");
	if (!syncer->comparison || !mode || !mode->config->rollout) {
		ek_json_write_null(writer);
		return;
	}
	ek_json_write_object(writer);
	write_pair(writer, "stage", ek_rollout_stage_name(mode->config->rollout->stage));
	write_pair(writer, "version", mode->canary->library->plugin->version);
	write_pair(writer, "digest", mode->canary->library->digest);
	ek_comparison_write(writer, syncer->comparison, false);
	ek_json_write_object_end(writer);
}

static void write_applications(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer)
{
	ek_json_write_key(writer, "applications");
	ek_json_write_array(writer);
	for (unsigned i = 0; i < syncer->n_applications; i++)
		ek_json_write_string(writer, syncer->applications[i]);
	ek_json_write_array_end(writer);
}

static void write_status(struct ek_json_writer *writer, const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts)
{
	ek_json_write_object(writer);
	write_count(writer, "observedGeneration", (size_t)syncer->object->generation);
	write_count(writer, "desired", counts->desired);
	write_count(writer, "registered", counts->registered);
	write_count(writer, "failing", counts->failing);
	write_count(writer, "overridden", counts->overridden);
	write_applications(writer, syncer);
	ek_json_write_key(writer, "registry");
	if (syncer->registry)
		ek_json_write_string(writer, syncer->registry->config->name);
	else
		ek_json_write_null(writer);
	write_plugin(writer, "modePlugin", syncer->version ? syncer->version->library : NULL, syncer->is_canary ? "canary" : "stable");
	write_plugin(writer, "registryPlugin", syncer->registry ? syncer->registry->library : NULL, NULL);
	write_conditions(writer, syncer);
	write_failing(writer, syncer);
	write_plan(writer, syncer, counts);
	write_rollout(writer, syncer);
	write_rollback(writer, syncer->rollback);
	ek_json_write_object_end(writer);
}

bool ek_status_json_build(struct ek_status_json *out, const struct ek_sync_syncer *syncer, const struct ek_status_counts *counts)
{
	static const char head[] = "{\"status\":";
	struct ek_json_writer writer;

	ek_json_writer_init(&writer, out->text, sizeof(out->text));
	ek_json_write_object(&writer);
	ek_json_write_key(&writer, "status");
	write_status(&writer, syncer, counts);
	ek_json_write_object_end(&writer);
	out->n = ek_json_writer_finish(&writer);
	if (!out->n)
		return false;
	out->hash = ek_status_hash((struct ek_slice){ out->text + sizeof(head) - 1, out->n - sizeof(head) });
	return true;
}
