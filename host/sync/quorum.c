/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what a syncer selects into a store of its own, asks the mode again with that view, and marks what neither view asks for. It removes nothing and holds
 * nothing; a view that is contradicted is listed again. Read removals.c next.
 */
#include "sync/quorum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eurekube/json.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "kube/watch.h"
#include "sync/evaluate.h"
#include "sync/guard.h"
#include "sync/mode_turn.h"
#include "sync/outcome.h"
#include "sync/selector.h"

#define READS_MAX 8        /* at a time, of all syncers */
#define BUSY_MS 100        /* until one of them has ended, perhaps */
#define GAP_MS 1000        /* between two reads for one syncer */
#define DEADLINE_MS 30000
#define NAMES_MAX 50       /* Services in one query */
#define QUERY_MAX 65536
#define TOLD_AFTER 3

struct ek_quorum {
	struct ek_sync_syncer *syncer;
	struct ek_kube_call *call;
	struct ek_store *store;                  /* NULL: none is running */
	enum ek_store_kind kind;                 /* what is being read */
	int64_t generation;                      /* of the syncer that it is read for */
	struct ek_list_splitter splitter;
	struct ek_arena arena;
	const char **names;                      /* the Services found */
	size_t n_names, next;                    /* next: the first whose slices are not read yet */
	int64_t ended_ms;                        /* 0: never */
	unsigned attempts;                       /* failed ones in a row */
	char problem[256];
};

static void read_next(struct ek_quorum *quorum);

/* ---- the queries ---- */

static void add_escaped(struct ek_buf *out, const char *text)
{
	char escaped[3 * 512 + 1];

	if (!*text)
		return;
	if (strlen(text) > 512 || !ek_url_escape(text, escaped, sizeof(escaped)))
		out->is_over = true;
	else
		ek_buf_adds(out, escaped);
}

static void add_label(struct ek_buf *out, const char **separator, const char *key, const char *value)
{
	ek_buf_adds(out, *separator);
	add_escaped(out, key);
	ek_buf_adds(out, "%3D");
	add_escaped(out, value);
	*separator = "%2C";
}

/* Expressions are left to the selector itself: a query that finds more is no worse. */
static void write_services_query(const struct ek_selector *selector, struct ek_buf *out)
{
	const char *separator = "labelSelector=";

	ek_buf_addf(out, "/api/v1/namespaces/%s/services?", selector->namespace_);
	if (selector->service_name) {
		ek_buf_adds(out, "fieldSelector=metadata.name%3D");
		add_escaped(out, selector->service_name);
		separator = "&labelSelector=";
	}
	if (selector->app)
		add_label(out, &separator, "app", selector->app);
	for (unsigned i = 0; i < selector->n_labels; i++)
		add_label(out, &separator, selector->labels[i].key, selector->labels[i].value);
}

static void write_slices_query(struct ek_quorum *quorum, struct ek_buf *out)
{
	const char *separator = "";
	size_t end = quorum->next + NAMES_MAX < quorum->n_names ? quorum->next + NAMES_MAX : quorum->n_names;

	ek_buf_addf(out, "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices?labelSelector=kubernetes.io%%2Fservice-name%%20in%%20%%28",
	            quorum->syncer->object->selector.namespace_);
	for (; quorum->next < end; quorum->next++) {
		ek_buf_adds(out, separator);
		add_escaped(out, quorum->names[quorum->next]);
		separator = "%2C";
	}
	ek_buf_adds(out, "%29");
}

/* ---- the end ---- */

static void finish(struct ek_quorum *quorum)
{
	struct ek_engine *engine = quorum->syncer->engine;

	engine->n_quorum_reads--;
	ek_list_splitter_clear(&quorum->splitter);
	ek_store_free(quorum->store);
	quorum->store = NULL;
	ek_arena_clear(&quorum->arena);
	quorum->ended_ms = ek_loop_now_ms(engine->loop);
	for (struct ek_ledger_entry *entry = quorum->syncer->entries; entry; entry = entry->syncer_next)
		entry->is_asked = false;
	ek_queue_add(&quorum->syncer->item);
}

static void fail(struct ek_quorum *quorum, const char *problem)
{
	quorum->attempts++;
	quorum->syncer->engine->quorum_failed++;
	snprintf(quorum->problem, sizeof(quorum->problem), "%s", problem);
	finish(quorum);
}

/* What is asked for there is not gone, whatever our view says. */
static size_t spare_wanted(struct ek_sync_syncer *syncer, const struct ek_mode_turn *turn)
{
	size_t n = 0;

	for (size_t i = 0; i < turn->n_wanted; i++) {
		struct ek_ledger_entry *entry = ek_ledger_find(&syncer->registry->ledger, turn->wanted[i]->instance.id);

		if (!turn->wanted[i]->instance.status || !entry || entry->syncer != syncer || !entry->is_asked)
			continue;
		entry->is_asked = false;
		n++;
	}
	return n;
}

static void relist(struct ek_engine *engine)
{
	if (!engine->with.relist)
		return;
	engine->with.relist(engine->with.relist_arg, EK_STORE_SERVICES);
	engine->with.relist(engine->with.relist_arg, EK_STORE_SLICES);
}

static size_t count_endpoints(const struct ek_cluster *cluster)
{
	size_t n = 0;

	for (uint32_t i = 0; i < cluster->n_services; i++)
		n += cluster->services[i]->n_endpoints;
	return n;
}

/* An answer without anything of what events have shown is one of a filter, or a change that the next event brings. */
static bool is_hollow(struct ek_sync_syncer *syncer, const struct ek_cluster *read)
{
	struct ek_cluster ours;
	uint64_t mask;

	if (read->n_services && count_endpoints(read))
		return false;
	ek_evaluate_view(syncer, syncer->engine->store, &ours, &mask);
	return (ours.n_services && !read->n_services) || (count_endpoints(&ours) && !count_endpoints(read));
}

/* The mode is asked with this view as it was with ours; when it cannot answer, nothing is confirmed. */
static bool ask_mode(struct ek_quorum *quorum, struct ek_mode_turn *turn)
{
	struct ek_sync_syncer *syncer = quorum->syncer;
	struct ek_cluster cluster;
	uint64_t mask;

	*turn = (struct ek_mode_turn){ .n_wanted = 0 };
	if (quorum->generation != syncer->object->generation) {
		fail(quorum, "the EurekaSyncer was edited meanwhile"); /* another selector was read for */
		return false;
	}
	ek_arena_reset(&syncer->engine->scratch);
	ek_evaluate_view(syncer, quorum->store, &cluster, &mask);
	if (is_hollow(syncer, &cluster)) {
		fail(quorum, "the API server's answer shows nothing of what its events have shown");
		return false;
	}
	if (!cluster.n_services)
		return true;
	if (!syncer->version || !syncer->version->library || !syncer->registry || !syncer->registry->library) {
		fail(quorum, "the plugins of this syncer have changed meanwhile");
		return false;
	}
	if (ek_mode_turn(syncer, syncer->version, syncer->registry, &cluster, turn))
		return true;
	fail(quorum, turn->fault.message);
	return false;
}

static void judge(struct ek_quorum *quorum)
{
	struct ek_sync_syncer *syncer = quorum->syncer;
	struct ek_engine *engine = syncer->engine;
	struct ek_mode_turn turn;
	size_t n_contradicted;

	if (!ask_mode(quorum, &turn))
		return;
	n_contradicted = turn.n_wanted ? spare_wanted(syncer, &turn) : 0;
	for (struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next)
		entry->is_confirmed = entry->is_confirmed || (entry->is_asked && !entry->want_status);
	if (n_contradicted) {
		EK_WARN(&engine->log, "etcd still holds endpoints that the view does not show; they are kept, and everything is listed again",
		        EK_S("syncer", syncer->key), EK_I("endpoints", (int64_t)n_contradicted));
		engine->quorum_contradicted++;
		relist(engine);
	}
	engine->quorum_ok++;
	quorum->attempts = 0;
	finish(quorum);
}

/* ---- reading ---- */

static int on_item(void *arg, struct ek_slice item, struct ek_error *err)
{
	struct ek_quorum *quorum = arg;

	return ek_store_sink(quorum->kind)->add(ek_store_feed(quorum->store, quorum->kind, NULL), item, err);
}

static int on_body(void *arg, const char *bytes, size_t n)
{
	struct ek_quorum *quorum = arg;
	struct ek_error err = EK_ERROR_INIT;

	return ek_list_splitter_feed(&quorum->splitter, bytes, n, &err) != EK_OK;
}

static bool note_service(void *arg, const struct ek_record_service *service)
{
	struct ek_quorum *quorum = arg;

	if (!ek_selector_matches(&quorum->syncer->object->selector, service))
		return true;
	if (quorum->n_names % 64 == 0) {
		const char **bigger = ek_arena_alloc(&quorum->arena, (quorum->n_names + 64) * sizeof(*bigger));

		if (quorum->n_names)
			memcpy(bigger, quorum->names, quorum->n_names * sizeof(*bigger));
		quorum->names = bigger;
	}
	quorum->names[quorum->n_names++] = service->name;
	return true;
}

/* After the Services come their slices, in as many answers as it takes. */
static void go_on(struct ek_quorum *quorum)
{
	const struct ek_reflector_sink *sink = ek_store_sink(quorum->kind);

	if (quorum->kind == EK_STORE_SERVICES) {
		sink->commit(ek_store_feed(quorum->store, quorum->kind, NULL));
		ek_store_each_service(quorum->store, quorum->syncer->object->selector.namespace_, note_service, quorum);
		quorum->kind = EK_STORE_SLICES;
		sink->begin(ek_store_feed(quorum->store, quorum->kind, NULL));
	}
	if (quorum->next < quorum->n_names) {
		read_next(quorum);
		return;
	}
	sink->commit(ek_store_feed(quorum->store, EK_STORE_SLICES, NULL));
	judge(quorum);
}

static void on_done(void *arg, const struct ek_kube_reply *reply)
{
	struct ek_quorum *quorum = arg;

	quorum->call = NULL;
	if (reply->code == EK_OK && quorum->splitter.is_complete)
		go_on(quorum);
	else
		fail(quorum, reply->code == EK_OK || reply->code == EK_CANCELLED ? "the API server's answer is no whole list" : reply->message);
}

static void read_next(struct ek_quorum *quorum)
{
	struct ek_sync_syncer *syncer = quorum->syncer;
	struct ek_kube_stream_request request = { .deadline_ms = DEADLINE_MS, .on_body = on_body, .on_done = on_done, .arg = quorum };
	struct ek_error err = EK_ERROR_INIT;
	struct ek_buf path;

	ek_list_splitter_clear(&quorum->splitter);
	ek_list_splitter_init(&quorum->splitter, on_item, quorum);
	ek_buf_init(&path, QUERY_MAX);
	if (quorum->kind == EK_STORE_SERVICES)
		write_services_query(&syncer->object->selector, &path);
	else
		write_slices_query(quorum, &path);
	request.path = path.at;
	if (!path.is_over)
		quorum->call = ek_kube_stream(syncer->engine->with.kube, &request, &err);
	if (!quorum->call)
		fail(quorum, path.is_over ? "the selector is too long to be read by" : err.message);
	ek_buf_clear(&path);
}

static void start(struct ek_quorum *quorum)
{
	struct ek_sync_syncer *syncer = quorum->syncer;

	for (struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next)
		entry->is_asked = entry->verdict == EK_GUARD_CONFIRM && !entry->want_status;
	syncer->engine->n_quorum_reads++;
	quorum->store = ek_store_new(NULL);
	quorum->kind = EK_STORE_SERVICES;
	quorum->generation = syncer->object->generation;
	quorum->names = NULL;
	quorum->n_names = quorum->next = 0;
	ek_store_sink(quorum->kind)->begin(ek_store_feed(quorum->store, quorum->kind, NULL));
	read_next(quorum);
}

void ek_quorum_ask(struct ek_sync_syncer *syncer)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_quorum *quorum = syncer->quorum;
	int64_t now = ek_loop_now_ms(engine->loop), due;

	if (!quorum) {
		quorum = syncer->quorum = ek_xcalloc(1, sizeof(*quorum));
		quorum->syncer = syncer;
		ek_arena_init(&quorum->arena);
		ek_list_splitter_init(&quorum->splitter, on_item, quorum);
	}
	if (quorum->store)
		return;
	due = !quorum->ended_ms ? now : quorum->ended_ms + (quorum->attempts ? ek_retry_delay_ms(quorum->attempts, ek_loop_random(engine->loop)) : GAP_MS);
	if (due <= now && engine->n_quorum_reads < READS_MAX)
		start(quorum);
	else
		ek_queue_add_at(&syncer->item, due > now ? due : now + BUSY_MS);
}

void ek_quorum_clear(struct ek_sync_syncer *syncer)
{
	struct ek_quorum *quorum = syncer->quorum;

	if (!quorum)
		return;
	ek_kube_cancel(quorum->call);
	if (quorum->store) {
		syncer->engine->n_quorum_reads--;
		ek_store_free(quorum->store);
	}
	ek_list_splitter_clear(&quorum->splitter);
	ek_arena_clear(&quorum->arena);
	free(quorum);
	syncer->quorum = NULL;
}

const char *ek_quorum_problem(const struct ek_sync_syncer *syncer)
{
	return syncer->quorum && syncer->quorum->attempts >= TOLD_AFTER ? syncer->quorum->problem : NULL;
}
