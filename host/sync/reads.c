/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Knows which views the versions of modes need, wakes the syncers that a change of one concerns, and puts what is in them before a version that is asked.
 * It watches nothing itself; app/watches.c does. What may be declared at all is in reads_check.c.
 * Read mode_turn.c next.
 */
#include "sync/reads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/complete.h"
#include "sync/doubts.h"

#define OBJECTS_BYTES_MAX ((size_t)64 << 20)
#define LOOK_AGAIN_MS 1000 /* while a view is being listed, or is not believed */
#define EARLY_MS 2000

/* ---- which there are ---- */

static bool same_declaration(const struct ek_resource_read *a, const struct ek_resource_read *b)
{
	if (!a || !b)
		return a == b;
	if (a->is_namespaced != b->is_namespaced || a->n_fields != b->n_fields || strcmp(a->group, b->group) != 0 ||
	    strcmp(a->version, b->version) != 0 || strcmp(a->plural, b->plural) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_fields; i++)
		if (strcmp(a->fields[i], b->fields[i]) != 0)
			return false;
	return true;
}

bool ek_reads_uses(const struct ek_mode_version *version, const struct ek_read *read)
{
	if (!version)
		return false;
	for (uint32_t i = 0; i < version->n_resources; i++)
		if (version->resources[i] == read)
			return true;
	return version->pods == read || version->nodes == read;
}

static void on_commit(void *arg, const char *namespace_, size_t before, size_t after)
{
	ek_doubts_on_read(arg, namespace_, before, after);
}

static void on_change(void *arg, const char *namespace_)
{
	struct ek_read *read = arg;

	ek_doubts_on_read_event(read);
	for (struct ek_sync_syncer *syncer = read->engine->syncers; syncer; syncer = syncer->hh.next) {
		const struct ek_sync_mode *mode;

		if (namespace_ && strcmp(syncer->object->selector.namespace_, namespace_) != 0)
			continue;
		mode = ek_engine_find_mode(read->engine, syncer->object->mode);
		if (mode && (ek_reads_uses(mode->stable, read) || ek_reads_uses(mode->canary, read)))
			ek_queue_add(&syncer->item);
	}
}

static bool is_taken(const struct ek_engine *engine, const char *name)
{
	for (const struct ek_read *read = engine->reads; read; read = read->next)
		if (strcmp(read->name, name) == 0)
			return true;
	return false;
}

/* Other fields of the same resource are another view, with a number behind the name. */
static void give_name(struct ek_read *read)
{
	const char *group = read->declared ? read->declared->group : "";
	char name[sizeof(read->name)];

	snprintf(name, sizeof(name), "%s%s%.253s", read->plural, *group ? "." : "", group);
	for (unsigned number = 2; is_taken(read->engine, name); number++)
		snprintf(name, sizeof(name), "%s%s%.253s-%u", read->plural, *group ? "." : "", group, number);
	snprintf(read->name, sizeof(read->name), "%s", name);
}

static const struct ek_resource_read *copy_declaration(const struct ek_resource_read *from, struct ek_arena *arena)
{
	struct ek_resource_read *copy = ek_arena_alloc(arena, sizeof(*copy));
	const char **fields = ek_arena_alloc(arena, from->n_fields * sizeof(*fields));

	for (uint32_t i = 0; i < from->n_fields; i++)
		fields[i] = ek_arena_strdup(arena, from->fields[i]);
	*copy = (struct ek_resource_read){
		.size = sizeof(*copy), .is_namespaced = from->is_namespaced, .group = ek_arena_strdup(arena, from->group),
		.version = ek_arena_strdup(arena, from->version), .plural = ek_arena_strdup(arena, from->plural), .n_fields = from->n_fields, .fields = fields,
	};
	return copy;
}

/* What all kinds have in common. */
static struct ek_read *add_read(struct ek_engine *engine, const struct ek_record_reader *reader, const struct ek_resource_read *where)
{
	struct ek_read *read = ek_xcalloc(1, sizeof(*read));
	bool is_tree = reader == &ek_tree_reader;

	read->engine = engine;
	read->reader = reader;
	read->is_namespaced = where->is_namespaced;
	ek_arena_init(&read->arena);
	snprintf(read->plural, sizeof(read->plural), "%s", where->plural);
	snprintf(read->group, sizeof(read->group), "%s%.253s/%.63s", where->group[0] ? "/apis/" : "/api", where->group, where->version);
	if (is_tree) {
		read->declared = copy_declaration(where, &read->arena);
		ek_tree_fields_init(&read->fields, read->declared->fields, read->declared->n_fields, &read->arena);
	}
	read->objects = ek_objects_new(&(struct ek_objects_config){
		.reader = reader, .reader_arg = &read->fields, .is_namespaced = read->is_namespaced, .max_bytes = is_tree ? OBJECTS_BYTES_MAX : 0,
		.on_commit = on_commit, .on_change = on_change, .arg = read });
	read->next = engine->reads;
	engine->reads = read;
	return read;
}

static struct ek_read *need(struct ek_engine *engine, const struct ek_record_reader *reader, const struct ek_resource_read *where)
{
	const struct ek_resource_read *declared = reader == &ek_tree_reader ? where : NULL;
	struct ek_read *read = engine->reads;

	while (read && (read->reader != reader || !same_declaration(read->declared, declared)))
		read = read->next;
	if (!read)
		read = add_read(engine, reader, where);
	read->n_users++;
	return read;
}

int ek_reads_begin(struct ek_engine *engine, struct ek_mode_version *version, const struct ek_resource_read *const *declared, uint32_t n,
                   struct ek_error *err)
{
	static const struct ek_resource_read pods = { .is_namespaced = 1, .group = "", .version = "v1", .plural = "pods" };
	static const struct ek_resource_read nodes = { .group = "", .version = "v1", .plural = "nodes" };
	char buffer[160];
	const char *fault = ek_reads_fault(declared, n, buffer, sizeof(buffer));

	if (fault)
		return ek_completion_blame(version, EK_MISBEHAVIOUR_GARBAGE, err, "%s", fault);
	if (version->reads & EK_READS_PODS)
		version->pods = need(engine, &ek_pod_reader, &pods);
	if (version->reads & EK_READS_NODES)
		version->nodes = need(engine, &ek_node_reader, &nodes);
	for (uint32_t i = 0; i < n; i++)
		version->resources[version->n_resources++] = need(engine, &ek_tree_reader, declared[i]);
	return EK_OK;
}

void ek_reads_end(struct ek_mode_version *version)
{
	if (version->pods)
		version->pods->n_users--;
	if (version->nodes)
		version->nodes->n_users--;
	for (uint32_t i = 0; i < version->n_resources; i++)
		version->resources[i]->n_users--;
}

static void free_read(struct ek_read *read)
{
	ek_doubts_forget_read(read);
	ek_objects_free(read->objects);
	ek_arena_clear(&read->arena);
	free(read);
}

void ek_reads_sweep(struct ek_engine *engine)
{
	struct ek_read **at = &engine->reads, *read;

	while ((read = *at)) {
		if (read->n_users) {
			at = &read->next;
			continue;
		}
		*at = read->next;
		free_read(read);
	}
	for (read = engine->reads; read; read = read->next)
		if (!read->name[0])
			give_name(read);
}

void ek_reads_clear(struct ek_engine *engine)
{
	struct ek_read *read;

	while ((read = engine->reads)) {
		engine->reads = read->next;
		free_read(read);
	}
}

/* ---- is it in view? ---- */

static const char *scope_of(const struct ek_read *read, const struct ek_sync_syncer *syncer)
{
	return read->is_namespaced ? syncer->object->selector.namespace_ : NULL;
}

static int tell_unlisted(const struct ek_read *read, const char *mode, const char *namespace_, bool *is_waiting, struct ek_error *err)
{
	const struct ek_engine *engine = read->engine;
	struct ek_read_problem why = { .status = 0 };

	if (engine->with.explain_read)
		engine->with.explain_read(engine->with.explain_arg, read, namespace_, &why);
	*is_waiting = !why.status && !why.problem[0];
	if (why.status == 401 || why.status == 403)
		return ek_fail_reason(err, EK_RETRY, "ResourceUnavailable",
		                      "mode %.40s reads %.80s, and the operator may not: allow it to list and watch them by a role (RBAC)", mode, read->name);
	if (why.status == 404)
		return ek_fail_reason(err, EK_RETRY, "ResourceUnavailable",
		                      "mode %.40s reads %.80s, which the API server does not have in %.80s: install its CRD", mode, read->name, read->group);
	return ek_fail_reason(err, EK_RETRY, "ResourceUnavailable", "mode %.40s reads %.80s, which %s not been listed yet%s%.80s", mode, read->name,
	                      namespace_ ? "in this namespace have" : "have", why.problem[0] ? ": " : "", why.problem);
}

/* Something of it was registered before this process: it was there once. */
static bool has_adopted(const struct ek_sync_syncer *syncer)
{
	for (const struct ek_ledger_entry *entry = syncer->entries; entry; entry = entry->syncer_next)
		if (entry->known == EK_KNOWN_HELD && !entry->put_at_ms)
			return true;
	return false;
}

static bool is_in_view(struct ek_sync_syncer *syncer, const struct ek_read *read, bool *is_waiting, struct ek_error *err)
{
	const char *mode = syncer->object->mode, *namespace_ = read ? scope_of(read, syncer) : NULL;

	if (!read)
		return true;
	switch (ek_objects_state(read->objects, namespace_)) {
	case EK_OBJECTS_WHOLE:
		return true;
	case EK_OBJECTS_UNCONFIRMED:
		if (!has_adopted(syncer))
			return true;
		*is_waiting = true;
		ek_fail_reason(err, EK_RETRY, "ResourceListEmpty",
		               "mode %.40s reads %.80s, of which there are none, although instances are registered; another list, within seconds, decides",
		               mode, read->name);
		return false;
	case EK_OBJECTS_DOUBTED:
		*is_waiting = true;
		ek_fail_reason(err, EK_RETRY, "ResourceListEmpty",
		               "mode %.40s reads %.80s; there were some, and then a list came back empty, which is not believed: it is asked for again "
		               "until it shows some", mode, read->name);
		return false;
	default:
		tell_unlisted(read, mode, namespace_, is_waiting, err);
		return false;
	}
}

static bool is_all_in_view(struct ek_sync_syncer *syncer, const struct ek_mode_version *version, bool *is_waiting, struct ek_error *err)
{
	if (!is_in_view(syncer, version->pods, is_waiting, err) || !is_in_view(syncer, version->nodes, is_waiting, err))
		return false;
	for (uint32_t i = 0; i < version->n_resources; i++)
		if (!is_in_view(syncer, version->resources[i], is_waiting, err))
			return false;
	return true;
}

/* ---- showing ---- */

/* The endpoints of a view are made for one evaluation; only a version that reads pods is shown them. */
static void set_pods(const struct ek_cluster *cluster, const struct ek_objects *pods, struct ek_arena *arena)
{
	for (uint32_t s = 0; s < cluster->n_services; s++) {
		const struct ek_service *service = cluster->services[s];

		for (uint32_t e = 0; e < service->n_endpoints; e++) {
			struct ek_endpoint *endpoint = (struct ek_endpoint *)(uintptr_t)service->endpoints[e];
			const struct ek_record *pod = NULL;

			if (pods && endpoint->pod_name && endpoint->pod_uid)
				pod = ek_objects_find(pods, service->namespace_, endpoint->pod_name);
			if (pod && strcmp(pod->uid, endpoint->pod_uid) == 0)
				endpoint->pod = ek_record_pod_view((const struct ek_record_pod *)pod, arena);
			else
				endpoint->pod = NULL;
		}
	}
}

static void set_nodes(struct ek_cluster *cluster, const struct ek_read *read, struct ek_arena *arena)
{
	const struct ek_node **nodes;
	size_t n;
	struct ek_record *const *records = ek_objects_in(read->objects, NULL, &n);

	nodes = ek_arena_alloc(arena, n * sizeof(*nodes));
	for (size_t i = 0; i < n; i++)
		nodes[i] = ek_record_node_view((const struct ek_record_node *)records[i], arena);
	cluster->nodes = nodes;
	cluster->n_nodes = (uint32_t)n;
}

/* NULL: one of the objects cannot be shown. */
static const struct ek_object_list *make_list(struct ek_sync_syncer *syncer, const struct ek_read *read, struct ek_error *err)
{
	struct ek_arena *arena = &syncer->engine->scratch;
	struct ek_object_list *list = ek_arena_alloc(arena, sizeof(*list));
	const struct ek_object **objects;
	size_t n;
	struct ek_record *const *records = ek_objects_in(read->objects, scope_of(read, syncer), &n);

	objects = ek_arena_alloc(arena, n * sizeof(*objects));
	for (size_t i = 0; i < n; i++) {
		const struct ek_record_tree *tree = (const struct ek_record_tree *)records[i];

		if (tree->unfit) {
			ek_fail_reason(err, EK_RETRY, "ResourceUnreadable", "mode %.40s reads %.80s, of which %.80s %s; make it smaller", syncer->object->mode,
			               read->name, tree->base.name, tree->unfit);
			return NULL;
		}
		objects[i] = ek_record_tree_view(tree, arena);
	}
	*list = (struct ek_object_list){ .size = sizeof(*list), .n_objects = (uint32_t)n, .objects = objects };
	return list;
}

static bool set_resources(struct ek_sync_syncer *syncer, struct ek_cluster *cluster, const struct ek_mode_version *version, struct ek_error *err)
{
	const struct ek_object_list **lists = ek_arena_alloc(&syncer->engine->scratch, version->n_resources * sizeof(*lists));

	for (uint32_t i = 0; i < version->n_resources; i++) {
		lists[i] = make_list(syncer, version->resources[i], err);
		if (!lists[i])
			return false;
	}
	cluster->resources = lists;
	cluster->n_resources = version->n_resources;
	return true;
}

/* Nothing is known against it but that it is not there. */
static void wait_for_list(struct ek_sync_syncer *syncer)
{
	int64_t now = ek_loop_now_ms(syncer->engine->loop);

	if (!syncer->unread_since_ms)
		syncer->unread_since_ms = now;
	ek_queue_add_at(&syncer->item, now + LOOK_AGAIN_MS);
}

bool ek_reads_is_early(const struct ek_sync_syncer *syncer)
{
	return syncer->unread_since_ms && ek_loop_now_ms(syncer->engine->loop) - syncer->unread_since_ms < EARLY_MS;
}

const struct ek_cluster *ek_reads_show(struct ek_sync_syncer *syncer, const struct ek_mode_version *version, const struct ek_cluster *cluster,
                                       bool *is_waiting, struct ek_error *err)
{
	struct ek_engine *engine = syncer->engine;
	struct ek_cluster *shown;

	*is_waiting = false;
	if (!version->pods && !version->nodes && !version->n_resources)
		return cluster;
	if (!is_all_in_view(syncer, version, is_waiting, err)) {
		if (*is_waiting)
			wait_for_list(syncer);
		else
			syncer->unread_since_ms = 0;
		return NULL;
	}
	syncer->unread_since_ms = 0;
	shown = ek_arena_alloc(&engine->scratch, sizeof(*shown));
	*shown = *cluster;
	if (!set_resources(syncer, shown, version, err))
		return NULL;
	if (version->nodes)
		set_nodes(shown, version->nodes, &engine->scratch);
	if (version->pods)
		set_pods(shown, version->pods->objects, &engine->scratch);
	return shown;
}

void ek_reads_hide(const struct ek_mode_version *version, const struct ek_cluster *cluster)
{
	if (version->pods)
		set_pods(cluster, NULL, NULL);
}
