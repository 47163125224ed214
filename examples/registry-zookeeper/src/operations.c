/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT, REMOVE and GET as ZooKeeper requests, one step after another. It keeps no copy of what the server holds: every condition is judged on a node just read, and the
 * write that follows carries that node's version. Read listing.c next.
 *
 * PUT without a revision creates; with one it reads first. A node of our own session is overwritten. A node of another session (mostly one that an earlier process
 * left behind) would go with that session, so it is deleted and created anew in one transaction, which callers cannot see the middle of.
 */
#include "zk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void create(struct zk_call *call);
static void make_parent(struct zk_call *call);

static void succeed(struct zk_call *call, int64_t revision)
{
	struct ek_result result = { .size = sizeof(result), .code = EK_OK, .revision = revision };

	zk_call_end_with(call, &result);
}

/* A detour is taken only so often. */
static bool may_try_again(struct zk_call *call)
{
	if (!zk_call_may_go_on(call))
		return false;
	if (++call->attempts <= ZK_ATTEMPTS_MAX)
		return true;
	zk_call_end(call, EK_RETRY, "the node or its parents keep changing");
	return false;
}

static void conflict(struct zk_call *call)
{
	zk_call_end(call, EK_CONFLICT, "the node was changed by somebody else");
}

/* ---- Replacing what is there -------------------------------------------------------------------------------------------------------------------------------- */

static void on_confirmed(int rc, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;
	bool is_ours = rc == ZOK && stat->ephemeralOwner == call->zk->session && stat->version == 0;

	succeed(call, is_ours ? stat->mzxid : 0); /* it was written; only the revision may be unknown */
}

static void on_replaced(int rc, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (rc == ZNONODE && may_try_again(call))
		create(call);
	else if (rc == ZOK && zoo_aexists(call->zk->handle, call->path, 0, on_confirmed, call) != ZOK)
		succeed(call, 0);
	else if (rc != ZOK && rc != ZNONODE)
		zk_call_end_rc(call, rc, true);
}

static void on_overwritten(int rc, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (rc == ZOK)
		succeed(call, stat->mzxid);
	else if (rc != ZNONODE)
		zk_call_end_rc(call, rc, true);
	else if (may_try_again(call))
		create(call);
}

static void replace(struct zk_call *call, const struct Stat *stat)
{
	struct zk *zk = call->zk;
	zoo_op_t ops[2];

	if (stat->ephemeralOwner == zk->session) {
		zk_call_started(call, zoo_aset(zk->handle, call->path, call->document, call->n_document, stat->version, on_overwritten, call));
		return;
	}
	zoo_delete_op_init(&ops[0], call->path, stat->version);
	zoo_create_op_init(&ops[1], call->path, call->document, call->n_document, &zk->acl, ZOO_EPHEMERAL, call->created, sizeof(call->created));
	zk_call_started(call, zoo_amulti(zk->handle, 2, ops, call->results, on_replaced, call));
}

static void on_looked(int rc, const char *value, int n_value, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (!zk_call_may_go_on(call))
		return;
	if (rc == ZNONODE) {
		if (may_try_again(call))
			create(call);
	} else if (rc != ZOK) {
		zk_call_end_rc(call, rc, false);
	} else if (call->revision ? stat->mzxid != call->revision :
		!zk_entry_is_owned_by(zk_node_read(call->zk, call->path, value, n_value, stat), call->owner)) {
		conflict(call);
	} else {
		replace(call, stat);
	}
}

static void look(struct zk_call *call)
{
	zk_call_started(call, zoo_aget(call->zk->handle, call->path, 0, on_looked, call));
}

/* ---- Creating ----------------------------------------------------------------------------------------------------------------------------------------------- */

static void on_created(int rc, const char *path, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (rc == ZOK) {
		succeed(call, stat->mzxid);
	} else if (rc == ZNONODE) {
		call->n_parent = (size_t)(strrchr(call->path, '/') - call->path);
		if (may_try_again(call))
			make_parent(call);
	} else if (rc != ZNODEEXISTS) {
		zk_call_end_rc(call, rc, true);
	} else if (call->revision) {
		conflict(call);
	} else if (may_try_again(call)) {
		look(call);
	}
}

static void create(struct zk_call *call)
{
	struct zk *zk = call->zk;

	zk_call_started(call, zoo_acreate2(zk->handle, call->path, call->document, call->n_document, &zk->acl, ZOO_EPHEMERAL, on_created, call));
}

/* Down again one step, or up one more. */
static void on_parent(int rc, const char *path, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (rc == ZNONODE) {
		while (call->n_parent > 0 && call->path[--call->n_parent] != '/')
			;
		if (call->n_parent == 0) {
			zk_call_end(call, EK_INVALID, "the root of the connection does not exist");
			return;
		}
	} else if (rc == ZOK || rc == ZNODEEXISTS) {
		call->n_parent += strcspn(call->path + call->n_parent + 1, "/") + 1;
	} else {
		zk_call_end_rc(call, rc, false);
		return;
	}
	if (!may_try_again(call))
		return;
	if (call->path[call->n_parent])
		make_parent(call);
	else
		create(call);
}

/* As Curator does: a container is deleted by the server some time after its last child. */
static void make_parent(struct zk_call *call)
{
	struct zk *zk = call->zk;
	char path[ZK_PATH_MAX];

	snprintf(path, sizeof(path), "%.*s", (int)call->n_parent, call->path);
	zk_call_started(call, zoo_acreate(zk->handle, path, "", 0, &zk->acl, ZOO_CONTAINER, on_parent, call));
}

/* ---- REMOVE and GET ----------------------------------------------------------------------------------------------------------------------------------------- */

static void on_removed(int rc, const void *data)
{
	zk_call_end_rc((struct zk_call *)data, rc, true);
}

static void remove_version(struct zk_call *call, int32_t version)
{
	zk_call_started(call, zoo_adelete(call->zk->handle, call->path, version, on_removed, call));
}

static void on_found(int rc, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (!zk_call_may_go_on(call))
		return;
	if (rc != ZOK)
		zk_call_end_rc(call, rc, false);
	else if (stat->mzxid != call->revision)
		conflict(call);
	else
		remove_version(call, stat->version);
}

static void on_got(int rc, const char *value, int n_value, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;
	struct ek_result result = { .size = sizeof(result), .code = EK_OK };

	if (rc != ZOK) {
		zk_call_end_rc(call, rc, false);
		return;
	}
	result.entry = zk_node_read(call->zk, call->path, value, n_value, stat);
	result.revision = stat->mzxid;
	zk_call_end_with(call, &result);
}

static void on_synced(int rc, const char *path, const void *data)
{
	/* Requests of one session are answered in their order, so the read behind it tells whether it failed. */
}

void zk_sync(struct zk_call *call)
{
	zoo_async(call->zk->handle, call->path, on_synced, NULL);
}

/* ---- Starting ----------------------------------------------------------------------------------------------------------------------------------------------- */

static void keep_instance(struct zk_call *call, const struct ek_instance *instance)
{
	size_t n = zk_node_write(call->zk, instance);

	if (n == 0) {
		zk_call_preset(call, EK_TOO_BIG, "the instance does not fit into a node; it has too much metadata");
		return;
	}
	call->document = malloc(n);
	call->owner = strdup(instance->owner ? instance->owner : "");
	if (!call->document || !call->owner) {
		zk_call_preset(call, EK_RETRY, "out of memory");
		return;
	}
	memcpy(call->document, call->zk->scratch, n);
	call->n_document = (int)n;
}

void zk_operation_init(struct zk_call *call, const struct ek_op *op)
{
	call->revision = op->revision;
	if (call->preset != EK_OK)
		return;
	if (zk_node_path(call->zk, op->application, op->id, call->path) != EK_OK)
		zk_call_preset(call, EK_INVALID, "the application or the id cannot be the name of a node");
	else if (op->kind == EK_OP_PUT)
		keep_instance(call, op->instance);
	else if (op->kind != EK_OP_REMOVE && op->kind != EK_OP_GET)
		zk_call_preset(call, EK_INVALID, "ZooKeeper knows neither renewals nor overrides");
}

void zk_operation_send(struct zk_call *call)
{
	zhandle_t *handle = call->zk->handle;

	if (call->kind == EK_OP_PUT && call->revision) {
		look(call);
	} else if (call->kind == EK_OP_PUT) {
		create(call);
	} else if (call->kind == EK_OP_REMOVE && call->revision) {
		zk_call_started(call, zoo_aexists(handle, call->path, 0, on_found, call));
	} else if (call->kind == EK_OP_REMOVE) {
		remove_version(call, -1);
	} else {
		zk_sync(call);
		zk_call_started(call, zoo_aget(handle, call->path, 0, on_got, call));
	}
}
