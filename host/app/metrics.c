/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics in Prometheus' text format, gathered when they are asked for from the counters that the parts keep. Labels are bounded: names from the
 * configuration, and fixed words. Read state.c next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/report.h"
#include "app/run.h"
#include "base/alloc.h"
#include "sync/comparison.h"
#include "sync/conduct.h"

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

	for (unsigned i = 0; i < EK_HISTOGRAM_BUCKETS; i++) {
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

static const char *version_of(const struct ek_mode_version *version)
{
	return version->library ? version->library->plugin->version : "";
}

struct mode_tally {
	uint64_t stable, canary, differing_syncers, differing_instances, rolled_back;
};

static struct mode_tally tally_mode(const struct ek_engine *engine, const struct ek_sync_mode *mode)
{
	struct mode_tally tally = { 0 };

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

static void write_by_version(struct ek_buf *out, const char *name, const struct ek_sync_mode *mode, const char *more, uint64_t stable, uint64_t canary)
{
	ek_buf_addf(out, "%s{mode=\"%s\",channel=\"stable\",version=\"%s\"%s} %" PRIu64 "\n", name, mode->config->name, version_of(mode->stable), more, stable);
	if (mode->canary)
		ek_buf_addf(out, "%s{mode=\"%s\",channel=\"canary\",version=\"%s\"%s} %" PRIu64 "\n", name, mode->config->name, version_of(mode->canary), more,
		            canary);
}

static void write_by_mode(struct ek_engine *engine, struct ek_buf *out, const char *name, const char *help, uint64_t (*value)(const struct mode_tally *tally))
{
	head(out, name, "gauge", help);
	for (unsigned i = 0; i < engine->n_modes; i++) {
		struct mode_tally tally = tally_mode(engine, engine->modes[i]);

		if (engine->modes[i]->canary)
			ek_buf_addf(out, "%s{mode=\"%s\"} %" PRIu64 "\n", name, engine->modes[i]->config->name, value(&tally));
	}
}

static uint64_t differing_syncers(const struct mode_tally *tally)
{
	return tally->differing_syncers;
}

static uint64_t differing_instances(const struct mode_tally *tally)
{
	return tally->differing_instances;
}

static uint64_t rolled_back(const struct mode_tally *tally)
{
	return tally->rolled_back;
}

static void write_modes(struct ek_engine *engine, struct ek_buf *out)
{
	head(out, "eurekube_mode_runs_total", "counter", "How often a version of a mode was asked, by result.");
	for (unsigned i = 0; i < engine->n_modes; i++) {
		const struct ek_sync_mode *mode = engine->modes[i];

		write_by_version(out, "eurekube_mode_runs_total", mode, ",result=\"success\"", mode->stable->n_ok, mode->canary ? mode->canary->n_ok : 0);
		write_by_version(out, "eurekube_mode_runs_total", mode, ",result=\"error\"", mode->stable->n_failed, mode->canary ? mode->canary->n_failed : 0);
	}
	head(out, "eurekube_mode_syncers", "gauge", "EurekaSyncers by the version of their mode that serves them.");
	for (unsigned i = 0; i < engine->n_modes; i++) {
		struct mode_tally tally = tally_mode(engine, engine->modes[i]);

		write_by_version(out, "eurekube_mode_syncers", engine->modes[i], "", tally.stable, tally.canary);
	}
	write_by_mode(engine, out, "eurekube_rollout_differing_syncers", "EurekaSyncers that two versions of their mode see differently.", differing_syncers);
	write_by_mode(engine, out, "eurekube_rollout_differing_instances", "Instances that two versions of their mode see differently.", differing_instances);
	write_by_mode(engine, out, "eurekube_rollout_rolled_back_syncers", "EurekaSyncers that are back with the first version.", rolled_back);
	head(out, "eurekube_rollout_rollbacks_total", "counter", "How often a syncer went back to the first version of its mode.");
	for (unsigned i = 0; i < engine->n_modes; i++)
		ek_buf_addf(out, "eurekube_rollout_rollbacks_total{mode=\"%s\"} %" PRIu64 "\n", engine->modes[i]->config->name, engine->modes[i]->n_rollbacks);
}

static void write_reconciles(struct ek_engine *engine, struct ek_buf *out)
{
	size_t n_held = 0;

	head(out, "eurekube_reconcile_total", "counter", "Evaluations by mode and result.");
	for (unsigned i = 0; i < engine->n_modes; i++) {
		ek_buf_addf(out, "eurekube_reconcile_total{mode=\"%s\",result=\"success\"} %" PRIu64 "\n", engine->modes[i]->config->name, engine->modes[i]->n_ok);
		ek_buf_addf(out, "eurekube_reconcile_total{mode=\"%s\",result=\"error\"} %" PRIu64 "\n", engine->modes[i]->config->name, engine->modes[i]->n_failed);
	}
	head(out, "eurekube_propagation_seconds", "histogram", "From a slice's change to the registry's acknowledgement.");
	write_histogram(out, "eurekube_propagation_seconds", "", &engine->propagation);
	head(out, "eurekube_syncers", "gauge", "EurekaSyncers in view.");
	ek_buf_addf(out, "eurekube_syncers %u\n", HASH_COUNT(engine->syncers));
	for (const struct ek_sync_syncer *syncer = engine->syncers; syncer; syncer = syncer->hh.next)
		n_held += syncer->n_held;
	head(out, "eurekube_deletes_held", "gauge", "Removals that are held until the view is whole again or a person approves them.");
	ek_buf_addf(out, "eurekube_deletes_held %zu\n", n_held);
	head(out, "eurekube_quorum_reads_total", "counter", "Reads that look for what the view does not show any more.");
	ek_buf_addf(out, "eurekube_quorum_reads_total{result=\"confirmed\"} %" PRIu64 "\n", engine->quorum_ok - engine->quorum_contradicted);
	ek_buf_addf(out, "eurekube_quorum_reads_total{result=\"contradicted\"} %" PRIu64 "\n", engine->quorum_contradicted);
	ek_buf_addf(out, "eurekube_quorum_reads_total{result=\"error\"} %" PRIu64 "\n", engine->quorum_failed);
	head(out, "workqueue_depth", "gauge", "Syncers waiting for their turn.");
	ek_buf_addf(out, "workqueue_depth{name=\"syncers\"} %zu\n", engine->queue.depth);
	head(out, "workqueue_adds_total", "counter", "Syncers put into the work queue.");
	ek_buf_addf(out, "workqueue_adds_total{name=\"syncers\"} %" PRIu64 "\n", engine->queue.adds);
	head(out, "eurekube_status_writes_total", "counter", "Status patches acknowledged.");
	ek_buf_addf(out, "eurekube_status_writes_total %" PRIu64 "\n", engine->status_writes);
}

/* ---- plugins: one group of series per metric, over all instances ---- */

struct plugin_metric {
	struct ek_buf *out;
	const char *name;
	void (*write)(const struct plugin_metric *metric, const char *labels, const struct ek_services_stats *stats);
	void (*look)(const struct plugin_metric *metric, const struct ek_services *services, const char *labels); /* instead of write */
	void *arg;
};

static void write_calls(const struct plugin_metric *metric, const char *labels, const struct ek_services_stats *stats)
{
	ek_buf_addf(metric->out, "%s{%s} %" PRIu64 "\n", metric->name, labels, stats->calls);
}

static void write_slow_calls(const struct plugin_metric *metric, const char *labels, const struct ek_services_stats *stats)
{
	ek_buf_addf(metric->out, "%s{%s} %" PRIu64 "\n", metric->name, labels, stats->slow_calls);
}

static void write_longest_call(const struct plugin_metric *metric, const char *labels, const struct ek_services_stats *stats)
{
	ek_buf_addf(metric->out, "%s{%s} %.6f\n", metric->name, labels, (double)stats->longest_us / 1e6);
}

static void visit(const struct plugin_metric *metric, const struct ek_services *services, const char *what, const char *name, const char *more)
{
	struct ek_services_stats stats;
	char labels[200];

	snprintf(labels, sizeof(labels), "plugin=\"%s\",instance=\"%s %.60s%s\"", ek_services_label(services), what, name, more);
	if (metric->look) {
		metric->look(metric, services, labels);
		return;
	}
	ek_services_stats(services, &stats);
	metric->write(metric, labels, &stats);
}

static void each_plugin(struct ek_engine *engine, const struct plugin_metric *metric)
{
	for (unsigned i = 0; i < engine->n_modes; i++) {
		const struct ek_sync_mode *mode = engine->modes[i];

		if (mode->stable->library)
			visit(metric, mode->stable->services, "mode", mode->config->name, "");
		if (mode->canary && mode->canary->library)
			visit(metric, mode->canary->services, "mode", mode->config->name, " canary");
	}
	for (unsigned i = 0; i < engine->n_registries; i++)
		if (engine->registries[i]->instance)
			visit(metric, engine->registries[i]->services, "registry", engine->registries[i]->config->name, "");
}

static void write_plugin_metric(struct ek_engine *engine, const struct plugin_metric *metric, const char *type, const char *help)
{
	head(metric->out, metric->name, type, help);
	each_plugin(engine, metric);
}

/* What plugins count themselves: eurekube_plugin_NAME_total, eurekube_plugin_NAME. Gathered first, since the series of one name must stand together. */
struct own_metric {
	char name[64], labels[200];
	bool is_counter;
	double value;
};

struct own_metrics {
	struct own_metric *at;
	size_t n, room;
	const char *labels;
};

static void gather_own(void *arg, const char *name, bool is_counter, double value)
{
	struct own_metrics *all = arg;
	struct own_metric *metric;

	if (all->n == all->room) {
		all->room = all->room ? all->room * 2 : 16;
		all->at = ek_xrealloc(all->at, all->room, sizeof(*all->at));
	}
	metric = &all->at[all->n++];
	*metric = (struct own_metric){ .is_counter = is_counter, .value = value };
	snprintf(metric->name, sizeof(metric->name), "eurekube_plugin_%.40s%s", name, is_counter ? "_total" : "");
	snprintf(metric->labels, sizeof(metric->labels), "%s", all->labels);
}

static void gather_instance(const struct plugin_metric *metric, const struct ek_services *services, const char *labels)
{
	struct own_metrics *all = metric->arg;

	all->labels = labels;
	ek_services_each_metric(services, gather_own, all);
}

static int compare_own(const void *a, const void *b)
{
	const struct own_metric *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->labels, y->labels);
}

static void write_own(struct ek_engine *engine, struct ek_buf *out)
{
	struct own_metrics all = { 0 };

	each_plugin(engine, &(struct plugin_metric){ .out = out, .look = gather_instance, .arg = &all });
	if (all.n)
		qsort(all.at, all.n, sizeof(*all.at), compare_own);
	for (size_t i = 0; i < all.n; i++) {
		if (i == 0 || strcmp(all.at[i].name, all.at[i - 1].name) != 0)
			head(out, all.at[i].name, all.at[i].is_counter ? "counter" : "gauge", "Told by the plugin itself.");
		ek_buf_addf(out, "%s{%s} %.15g\n", all.at[i].name, all.at[i].labels, all.at[i].value);
	}
	free(all.at);
}

static void write_conduct(const struct ek_engine *engine, struct ek_buf *out)
{
	head(out, "eurekube_plugin_misbehaviour_total", "counter", "What plugins did against their contract, and was contained.");
	for (const struct ek_conduct *conduct = engine->conduct; conduct; conduct = conduct->next)
		for (int kind = 0; kind < EK_N_MISBEHAVIOURS; kind++)
			ek_buf_addf(out, "eurekube_plugin_misbehaviour_total{plugin=\"%s\",instance=\"%s\",kind=\"%s\"} %" PRIu64 "\n", conduct->plugin,
			            conduct->instance, ek_misbehaviour_name((enum ek_misbehaviour)kind), conduct->n[kind]);
}

static void write_plugins(struct ek_engine *engine, struct ek_buf *out)
{
	write_plugin_metric(engine, &(struct plugin_metric){ .out = out, .name = "eurekube_plugin_calls_total", .write = write_calls }, "counter", "Calls into plugins.");
	write_plugin_metric(engine, &(struct plugin_metric){ .out = out, .name = "eurekube_plugin_slow_calls_total", .write = write_slow_calls }, "counter",
	                    "Calls that took more than 50 ms.");
	write_plugin_metric(engine, &(struct plugin_metric){ .out = out, .name = "eurekube_plugin_longest_call_seconds", .write = write_longest_call }, "gauge",
	                    "The longest call since the instance was made.");
	write_conduct(engine, out);
	write_own(engine, out);
}

/* resource="services", and namespace="shop" where they are watched one by one. */
static const char *watch_labels(const struct ek_watch *watch, char *labels, size_t size)
{
	snprintf(labels, size, watch->namespace_ ? "resource=\"%s\",namespace=\"%.63s\"" : "resource=\"%s\"", watch->resource, watch->namespace_);
	return labels;
}

static void write_watch_number(struct ek_app *app, struct ek_buf *out, const char *name, const char *type, const char *help,
                               int64_t (*value)(struct ek_app *app, const struct ek_reflector_stats *stats))
{
	char labels[160];

	head(out, name, type, help);
	for (unsigned i = 0; i < app->watches.n; i++)
		ek_buf_addf(out, "%s{%s} %lld\n", name, watch_labels(&app->watches.at[i], labels, sizeof(labels)),
		            (long long)value(app, ek_reflector_stats(app->watches.at[i].reflector)));
}

static int64_t is_synced(struct ek_app *app, const struct ek_reflector_stats *stats)
{
	(void)app;
	return stats->is_synced;
}

static int64_t is_broken(struct ek_app *app, const struct ek_reflector_stats *stats)
{
	(void)app;
	return stats->is_broken;
}

static int64_t n_events(struct ek_app *app, const struct ek_reflector_stats *stats)
{
	(void)app;
	return (int64_t)stats->events;
}

static int64_t n_bytes(struct ek_app *app, const struct ek_reflector_stats *stats)
{
	(void)app;
	return (int64_t)stats->bytes;
}

static int64_t n_lists(struct ek_app *app, const struct ek_reflector_stats *stats)
{
	(void)app;
	return (int64_t)stats->lists;
}

static int64_t event_age(struct ek_app *app, const struct ek_reflector_stats *stats)
{
	return stats->last_event_ms ? (ek_loop_now_ms(app->with.loop) - stats->last_event_ms) / 1000 : 0;
}

static void write_watches(struct ek_app *app, struct ek_buf *out)
{
	char labels[160];

	head(out, "eurekube_watch_restarts_total", "counter", "Watches that ended, by resource and cause.");
	for (unsigned i = 0; i < app->watches.n; i++)
		for (int cause = 0; cause < EK_N_CAUSES; cause++)
			ek_buf_addf(out, "eurekube_watch_restarts_total{%s,cause=\"%s\"} %" PRIu64 "\n",
			            watch_labels(&app->watches.at[i], labels, sizeof(labels)), ek_reflector_cause_text((enum ek_reflector_cause)cause),
			            ek_reflector_stats(app->watches.at[i].reflector)->restarts[cause]);
	write_watch_number(app, out, "eurekube_watch_synced", "gauge", "1 when the resource has been listed once.", is_synced);
	write_watch_number(app, out, "eurekube_watch_broken", "gauge", "1 while there is no working watch or list.", is_broken);
	write_watch_number(app, out, "eurekube_watch_events_total", "counter", "Events read, by resource.", n_events);
	write_watch_number(app, out, "eurekube_watch_bytes_total", "counter", "Bytes read, by resource.", n_bytes);
	write_watch_number(app, out, "eurekube_watch_lists_total", "counter", "Lists read, by resource.", n_lists);
	write_watch_number(app, out, "eurekube_watch_last_event_age_seconds", "gauge", "Since something was heard last.", event_age);
}

static void write_objects(struct ek_engine *engine, struct ek_buf *out)
{
	struct ek_store_stats stats;

	ek_store_stats(engine->store, &stats);
	head(out, "eurekube_objects", "gauge", "Objects in view.");
	ek_buf_addf(out, "eurekube_objects{resource=\"services\"} %zu\neurekube_objects{resource=\"endpointslices\"} %zu\n"
	            "eurekube_objects{resource=\"endpoints\"} %zu\n", stats.services, stats.slices, stats.endpoints);
	for (const struct ek_read *read = engine->reads; read; read = read->next) {
		struct ek_objects_stats more;

		ek_objects_stats(read->objects, &more);
		ek_buf_addf(out, "eurekube_objects{resource=\"%s\"} %zu\n", read->name, more.n);
	}
}

/* A turn is what the loop does from waking up to sleeping again; meanwhile nothing is read. */
static void write_loop(const struct ek_loop *loop, struct ek_buf *out)
{
	const struct ek_histogram *turns = ek_loop_turns(loop);

	head(out, "eurekube_loop_turn_seconds", "histogram", "How long the event loop was busy between two waits.");
	write_histogram(out, "eurekube_loop_turn_seconds", "", turns);
	head(out, "eurekube_loop_longest_turn_seconds", "gauge", "The longest of them since the start.");
	ek_buf_addf(out, "eurekube_loop_longest_turn_seconds %.6f\n", turns->longest);
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
	write_loop(app->with.loop, out);
	write_watches(app, out);
	if (!app->engine)
		return;
	write_objects(app->engine, out);
	write_instances(app->engine, out);
	write_requests(app->engine, out);
	write_reconciles(app->engine, out);
	write_modes(app->engine, out);
	write_plugins(app->engine, out);
}
