/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics in Prometheus' text format, gathered when they are asked for from the counters that the parts keep. Labels are bounded: names from the
 * configuration, and fixed words. Read state.c next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/report.h"
#include "app/run.h"
#include "sync/comparison.h"

static const char *const op_names[] = { "", "put", "remove", "renew", "set_status", "get" };
static const char *const code_names[EK_OP_RESULTS] = { "ok", "retry", "throttled", "gone", "expired", "conflict",
	                                               "invalid", "too_big", "auth", "unknown", "plugin", "cancelled" };

static void head(struct ek_buf *out, const char *name, const char *type, const char *help)
{
	ek_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_histogram(struct ek_buf *out, const char *name, const char *label, const struct ek_histogram *histogram)
{
	const char *comma = label[0] ? "," : "";
	uint64_t below = 0;

	for (unsigned i = 0; i < EK_SYNC_LATENCY_BUCKETS; i++) {
		below += histogram->counts[i];
		ek_buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, label, comma, ek_histogram_bounds[i], below);
	}
	ek_buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma, histogram->n);
	ek_buf_addf(out, "%s_sum{%s} %.6f\n%s_count{%s} %" PRIu64 "\n", name, label, histogram->sum, name, label, histogram->n);
}

struct tally {
	uint64_t held, pending, removing, foreign, overridden, failing;
};

static void count_entry(void *arg, struct ek_ledger_entry *entry)
{
	struct tally *tally = arg;

	tally->overridden += entry->known == EK_KNOWN_HELD && entry->is_overridden;
	tally->failing += entry->last_code != EK_OK;
	if (entry->known == EK_KNOWN_FOREIGN)
		tally->foreign++;
	else if (!entry->want_status)
		tally->removing++;
	else if (entry->known == EK_KNOWN_HELD)
		tally->held++;
	else
		tally->pending++;
}

static void write_instances(struct ek_engine *engine, struct ek_buf *out)
{
	head(out, "eurekube_instances", "gauge", "Instances by registry and state.");
	for (unsigned i = 0; i < engine->n_registries; i++) {
		struct ek_sync_registry *registry = engine->registries[i];
		const char *name = registry->config->name;
		struct tally tally = { 0 };

		ek_ledger_each(&registry->ledger, count_entry, &tally);
		ek_buf_addf(out, "eurekube_instances{registry=\"%s\",state=\"registered\"} %" PRIu64 "\n", name, tally.held);
		ek_buf_addf(out, "eurekube_instances{registry=\"%s\",state=\"pending\"} %" PRIu64 "\n", name, tally.pending);
		ek_buf_addf(out, "eurekube_instances{registry=\"%s\",state=\"removing\"} %" PRIu64 "\n", name, tally.removing);
		ek_buf_addf(out, "eurekube_instances{registry=\"%s\",state=\"foreign\"} %" PRIu64 "\n", name, tally.foreign);
		ek_buf_addf(out, "eurekube_instances{registry=\"%s\",state=\"overridden\"} %" PRIu64 "\n", name, tally.overridden);
		ek_buf_addf(out, "eurekube_instances{registry=\"%s\",state=\"failing\"} %" PRIu64 "\n", name, tally.failing);
	}
}

static void write_requests(struct ek_engine *engine, struct ek_buf *out)
{
	head(out, "eurekube_registry_requests_total", "counter", "Operations by registry, kind and outcome.");
	for (unsigned i = 0; i < engine->n_registries; i++)
		for (unsigned kind = EK_OP_PUT; kind <= EK_OP_GET; kind++)
			for (unsigned code = 0; code < EK_OP_RESULTS; code++)
				if (engine->registries[i]->results[kind][code])
					ek_buf_addf(out, "eurekube_registry_requests_total{registry=\"%s\",operation=\"%s\",result=\"%s\"} %" PRIu64 "\n",
					            engine->registries[i]->config->name, op_names[kind], code_names[code],
					            engine->registries[i]->results[kind][code]);
	head(out, "eurekube_registry_late_completions_total", "counter", "Completions that came late, twice, or for nothing.");
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_buf_addf(out, "eurekube_registry_late_completions_total{registry=\"%s\"} %" PRIu64 "\n", engine->registries[i]->config->name,
		            engine->registries[i]->late_completions);
	head(out, "eurekube_registry_open", "gauge", "1 when the registry has been read and writes go out.");
	for (unsigned i = 0; i < engine->n_registries; i++)
		ek_buf_addf(out, "eurekube_registry_open{registry=\"%s\"} %d\n", engine->registries[i]->config->name,
		            engine->registries[i]->phase == EK_REGISTRY_OPEN);
	head(out, "eurekube_lease_lateness_seconds", "histogram", "How late renewals were sent.");
	for (unsigned i = 0; i < engine->n_registries; i++) {
		char label[96];

		snprintf(label, sizeof(label), "registry=\"%.64s\"", engine->registries[i]->config->name);
		write_histogram(out, "eurekube_lease_lateness_seconds", label, &engine->registries[i]->lateness);
	}
}

static const char *label_of(const struct ek_mode_version *version)
{
	return version->library ? version->library->plugin->version : "";
}

static void write_version(struct ek_buf *out, const char *mode, const char *channel, const struct ek_mode_version *version)
{
	ek_buf_addf(out, "eurekube_mode_runs_total{mode=\"%s\",channel=\"%s\",version=\"%s\",result=\"success\"} %" PRIu64 "\n", mode, channel,
	            label_of(version), version->n_ok);
	ek_buf_addf(out, "eurekube_mode_runs_total{mode=\"%s\",channel=\"%s\",version=\"%s\",result=\"error\"} %" PRIu64 "\n", mode, channel,
	            label_of(version), version->n_failed);
}

struct rollout_tally {
	uint64_t stable, canary, differing_syncers, differing_instances, rolled_back;
};

static struct rollout_tally tally_mode(const struct ek_engine *engine, const struct ek_sync_mode *mode)
{
	struct rollout_tally tally = { 0 };

	for (const struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next) {
		if (strcmp(syncer->object->mode, mode->config->name) != 0)
			continue;
		tally.stable += syncer->version && !syncer->is_canary;
		tally.canary += syncer->version && syncer->is_canary;
		tally.rolled_back += syncer->rollback != NULL;
		if (!syncer->comparison)
			continue;
		tally.differing_syncers += syncer->comparison->n_differing || syncer->comparison->failure;
		tally.differing_instances += syncer->comparison->n_differing;
	}
	return tally;
}

static void write_rollout(const struct ek_engine *engine, const struct ek_sync_mode *mode, struct ek_buf *out)
{
	struct rollout_tally tally = tally_mode(engine, mode);
	const char *name = mode->config->name;

	ek_buf_addf(out, "eurekube_mode_syncers{mode=\"%s\",channel=\"stable\",version=\"%s\"} %" PRIu64 "\n", name, label_of(mode->stable), tally.stable);
	if (!mode->canary)
		return;
	ek_buf_addf(out, "eurekube_mode_syncers{mode=\"%s\",channel=\"canary\",version=\"%s\"} %" PRIu64 "\n", name, label_of(mode->canary), tally.canary);
	ek_buf_addf(out, "eurekube_rollout_differing_syncers{mode=\"%s\"} %" PRIu64 "\n", name, tally.differing_syncers);
	ek_buf_addf(out, "eurekube_rollout_differing_instances{mode=\"%s\"} %" PRIu64 "\n", name, tally.differing_instances);
	ek_buf_addf(out, "eurekube_rollout_rolled_back_syncers{mode=\"%s\"} %" PRIu64 "\n", name, tally.rolled_back);
}

static void write_modes(struct ek_engine *engine, struct ek_buf *out)
{
	head(out, "eurekube_mode_runs_total", "counter", "How often a version of a mode was asked, by result.");
	for (unsigned i = 0; i < engine->n_modes; i++) {
		write_version(out, engine->modes[i]->config->name, "stable", engine->modes[i]->stable);
		if (engine->modes[i]->canary)
			write_version(out, engine->modes[i]->config->name, "canary", engine->modes[i]->canary);
	}
	head(out, "eurekube_rollout_rollbacks_total", "counter", "Syncers that went back to the first version of their mode.");
	for (unsigned i = 0; i < engine->n_modes; i++)
		ek_buf_addf(out, "eurekube_rollout_rollbacks_total{mode=\"%s\"} %" PRIu64 "\n", engine->modes[i]->config->name, engine->modes[i]->n_rollbacks);
	ek_buf_adds(out, "# TYPE eurekube_mode_syncers gauge\n# TYPE eurekube_rollout_differing_syncers gauge\n"
	            "# TYPE eurekube_rollout_differing_instances gauge\n# TYPE eurekube_rollout_rolled_back_syncers gauge\n");
	for (unsigned i = 0; i < engine->n_modes; i++)
		write_rollout(engine, engine->modes[i], out);
}

static void write_reconciles(struct ek_engine *engine, struct ek_buf *out)
{
	head(out, "eurekube_reconcile_total", "counter", "Evaluations by mode and result.");
	for (unsigned i = 0; i < engine->n_modes; i++) {
		ek_buf_addf(out, "eurekube_reconcile_total{mode=\"%s\",result=\"success\"} %" PRIu64 "\n", engine->modes[i]->config->name, engine->modes[i]->n_ok);
		ek_buf_addf(out, "eurekube_reconcile_total{mode=\"%s\",result=\"error\"} %" PRIu64 "\n", engine->modes[i]->config->name, engine->modes[i]->n_failed);
	}
	head(out, "eurekube_propagation_seconds", "histogram", "From a slice's change to the registry's acknowledgement.");
	write_histogram(out, "eurekube_propagation_seconds", "", &engine->propagation);
	head(out, "eurekube_syncers", "gauge", "EurekaSyncers in view.");
	ek_buf_addf(out, "eurekube_syncers %u\n", HASH_COUNT(engine->syncers));
	head(out, "eurekube_deletes_held", "gauge", "1 while removals are held because the view is not to be trusted.");
	ek_buf_addf(out, "eurekube_deletes_held %d\n", engine->is_view_suspect);
	head(out, "workqueue_depth", "gauge", "Syncers waiting for their turn.");
	ek_buf_addf(out, "workqueue_depth{name=\"syncers\"} %zu\n", engine->queue.depth);
	head(out, "workqueue_adds_total", "counter", "Syncers put into the work queue.");
	ek_buf_addf(out, "workqueue_adds_total{name=\"syncers\"} %" PRIu64 "\n", engine->queue.adds);
	head(out, "eurekube_status_writes_total", "counter", "Status patches acknowledged.");
	ek_buf_addf(out, "eurekube_status_writes_total %" PRIu64 "\n", engine->status_writes);
}

static void write_watches(struct ek_app *app, struct ek_buf *out)
{
	head(out, "eurekube_watch_restarts_total", "counter", "Watches that ended, by resource and cause.");
	for (int i = 0; i < EK_N_WATCHES; i++)
		for (int cause = 0; cause < EK_N_CAUSES && app->reflectors[i]; cause++)
			ek_buf_addf(out, "eurekube_watch_restarts_total{resource=\"%s\",cause=\"%s\"} %" PRIu64 "\n", ek_watch_names[i],
			            ek_reflector_cause_text((enum ek_reflector_cause)cause), ek_reflector_stats(app->reflectors[i])->restarts[cause]);
	head(out, "eurekube_watch_synced", "gauge", "1 when the resource has been listed once.");
	for (int i = 0; i < EK_N_WATCHES; i++)
		ek_buf_addf(out, "eurekube_watch_synced{resource=\"%s\"} %d\n", ek_watch_names[i],
		            app->reflectors[i] && ek_reflector_stats(app->reflectors[i])->is_synced);
	head(out, "eurekube_watch_events_total", "counter", "Events read, by resource.");
	for (int i = 0; i < EK_N_WATCHES; i++)
		if (app->reflectors[i])
			ek_buf_addf(out, "eurekube_watch_events_total{resource=\"%s\"} %" PRIu64 "\n", ek_watch_names[i],
			            ek_reflector_stats(app->reflectors[i])->events);
}

static void write_objects(struct ek_engine *engine, struct ek_buf *out)
{
	struct ek_store_stats stats;

	ek_store_stats(engine->store, &stats);
	head(out, "eurekube_objects", "gauge", "Objects in view.");
	ek_buf_addf(out, "eurekube_objects{resource=\"services\"} %zu\neurekube_objects{resource=\"endpointslices\"} %zu\n"
	            "eurekube_objects{resource=\"endpoints\"} %zu\n", stats.services, stats.slices, stats.endpoints);
}

static void write_process(struct ek_buf *out)
{
	long pages = 0, unused = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return;
	if (fscanf(file, "%ld %ld", &unused, &pages) == 2) {
		head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
		ek_buf_addf(out, "process_resident_memory_bytes %lld\n", (long long)pages * sysconf(_SC_PAGESIZE));
	}
	fclose(file);
}

void ek_metrics_write(struct ek_app *app, struct ek_buf *out)
{
	head(out, "eurekube_build_info", "gauge", "The version that runs.");
	ek_buf_addf(out, "eurekube_build_info{version=\"%s\"} 1\n", EK_VERSION);
	head(out, "eurekube_config_valid", "gauge", "1 when the newest configuration is in force.");
	ek_buf_addf(out, "eurekube_config_valid %d\n", app->is_config_valid);
	head(out, "eurekube_log_lines_dropped_total", "counter", "Log lines that could not be written.");
	ek_buf_addf(out, "eurekube_log_lines_dropped_total %" PRIu64 "\n", ek_log_dropped());
	write_process(out);
	write_watches(app, out);
	if (!app->engine)
		return;
	write_objects(app->engine, out);
	write_instances(app->engine, out);
	write_requests(app->engine, out);
	write_reconciles(app->engine, out);
	write_modes(app->engine, out);
}
