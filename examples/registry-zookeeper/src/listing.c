/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the whole registry: the applications below the root, one after another, and the nodes of each, a window of them at a time. It also probes. It says OK only when
 * it has read everything; what vanished meanwhile is left out. Read node.c next.
 */
#include "zk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
	char **at;
	int n;
};

struct zk_listing {
	struct names applications, ids;
	int application; /* the index of the one being read */
	int n_asked, n_read;
	int failure;     /* rc of the first request that failed */
	bool is_stopped; /* the host has heard enough */
};

static void read_next_application(struct zk_call *call);

static void clear_names(struct names *names)
{
	for (int i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
	*names = (struct names){ 0 };
}

static bool copy_names(struct names *names, const struct String_vector *strings)
{
	clear_names(names);
	if (strings->count <= 0)
		return true;
	names->at = calloc((size_t)strings->count, sizeof(*names->at));
	if (!names->at)
		return false;
	for (; names->n < strings->count; names->n++) {
		names->at[names->n] = strdup(strings->data[names->n]);
		if (!names->at[names->n])
			return false;
	}
	return true;
}

void zk_listing_free(struct zk_listing *listing)
{
	if (!listing)
		return;
	clear_names(&listing->applications);
	clear_names(&listing->ids);
	free(listing);
}

static const char *application_of(const struct zk_call *call)
{
	return call->listing->applications.at[call->listing->application];
}

/* ---- The nodes of one application --------------------------------------------------------------------------------------------------------------------------- */

/* False for what cannot be a path of ours: too long, or in a folder below. */
static bool node_path(const struct zk_call *call, int i, char path[ZK_PATH_MAX])
{
	const char *id = call->listing->ids.at[i];

	return strlen(id) <= EK_ID_MAX && snprintf(path, ZK_PATH_MAX, "%s/%s/%s", call->zk->root, application_of(call), id) < ZK_PATH_MAX;
}

static void give_entry(struct zk_call *call, const char *value, int n_value, const struct Stat *stat)
{
	const struct ek_host *host = call->zk->host;
	char path[ZK_PATH_MAX];

	if (call->is_cancelled || call->zk->is_closing || call->listing->is_stopped || !node_path(call, call->listing->n_read, path))
		return;
	call->listing->is_stopped = host->list_entry(host, call->token, zk_node_read(call->zk, path, value, n_value, stat)) != 0;
}

static void ask_nodes(struct zk_call *call);

/* They are answered in the order in which they were asked. */
static void on_node(int rc, const char *value, int n_value, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;
	struct zk_listing *listing = call->listing;

	if (rc == ZOK)
		give_entry(call, value, n_value, stat);
	else if (rc != ZNONODE && !listing->failure)
		listing->failure = rc;
	listing->n_read++;
	if (!listing->failure && !listing->is_stopped && !call->is_cancelled && !call->zk->is_closing) {
		ask_nodes(call);
		return;
	}
	if (listing->n_read < listing->n_asked)
		return;
	if (listing->failure)
		zk_call_end_rc(call, listing->failure, false);
	else
		zk_call_end(call, EK_CANCELLED, NULL);
}

static void ask_nodes(struct zk_call *call)
{
	struct zk_listing *listing = call->listing;
	char path[ZK_PATH_MAX];
	int rc = ZOK;

	while (listing->n_asked < listing->ids.n && listing->n_asked - listing->n_read < ZK_WINDOW) {
		if (!node_path(call, listing->n_asked, path))
			rc = ZBADARGUMENTS;
		else
			rc = zoo_aget(call->zk->handle, path, 0, on_node, call);
		if (rc != ZOK)
			break;
		listing->n_asked++;
	}
	if (rc != ZOK)
		listing->failure = rc;
	if (listing->n_read < listing->n_asked)
		return; /* the answers that are due go on */
	if (rc != ZOK) {
		zk_call_end_rc(call, rc, false);
		return;
	}
	listing->application++;
	read_next_application(call);
}

/* Names that no id can have are nothing of ours. */
static void leave_out_odd_names(struct names *names)
{
	int kept = 0;

	for (int i = 0; i < names->n; i++) {
		if (strlen(names->at[i]) <= EK_ID_MAX)
			names->at[kept++] = names->at[i];
		else
			free(names->at[i]);
	}
	names->n = kept;
}

static void on_ids(int rc, const struct String_vector *strings, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;
	struct zk_listing *listing = call->listing;

	if (!zk_call_may_go_on(call))
		return;
	if (rc == ZNONODE) { /* a container that has just gone */
		listing->application++;
		read_next_application(call);
	} else if (rc != ZOK) {
		zk_call_end_rc(call, rc, false);
	} else if (!copy_names(&listing->ids, strings)) {
		zk_call_end(call, EK_RETRY, "out of memory");
	} else {
		leave_out_odd_names(&listing->ids);
		listing->n_asked = listing->n_read = 0;
		ask_nodes(call);
	}
}

/* ---- The applications --------------------------------------------------------------------------------------------------------------------------------------- */

static void read_next_application(struct zk_call *call)
{
	struct zk_listing *listing = call->listing;

	while (listing->application < listing->applications.n && !zk_is_application(call->zk, application_of(call)))
		listing->application++;
	if (listing->application == listing->applications.n) {
		zk_call_end(call, EK_OK, NULL);
		return;
	}
	snprintf(call->path, sizeof(call->path), "%s/%s", call->zk->root, application_of(call));
	zk_call_started(call, zoo_aget_children(call->zk->handle, call->path, 0, on_ids, call));
}

static void on_applications(int rc, const struct String_vector *strings, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (!zk_call_may_go_on(call))
		return;
	if (rc == ZNONODE)
		zk_call_end(call, EK_OK, NULL); /* nobody has ever registered */
	else if (rc != ZOK)
		zk_call_end_rc(call, rc, false);
	else if (!copy_names(&call->listing->applications, strings))
		zk_call_end(call, EK_RETRY, "out of memory");
	else
		read_next_application(call);
}

static void on_probed(int rc, const struct Stat *stat, const void *data)
{
	zk_call_end_rc((struct zk_call *)data, rc == ZNONODE ? ZOK : rc, false);
}

void zk_listing_send(struct zk_call *call)
{
	zhandle_t *handle = call->zk->handle;

	snprintf(call->path, sizeof(call->path), "%s", call->zk->root[0] ? call->zk->root : "/");
	if (call->kind == ZK_PROBE) {
		zk_call_started(call, zoo_aexists(handle, call->path, 0, on_probed, call));
		return;
	}
	call->listing = calloc(1, sizeof(*call->listing));
	if (!call->listing) {
		zk_call_end(call, EK_RETRY, "out of memory");
		return;
	}
	zk_sync(call);
	zk_call_started(call, zoo_aget_children(handle, call->path, 0, on_applications, call));
}
