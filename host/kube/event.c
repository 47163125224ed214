/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports Kubernetes Events, best effort: one object per thing to say, a count for its repetitions, and bounds on everything.
 * It never delays its caller and never repeats what a server found invalid; a lost Event is a lost Event.
 * Read next: event_body.c for the documents, client.c for the way there.
 */
#include "kube/event.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "kube/event_body.h"

#include <uthash.h>

#include <stdio.h>
#include <stdlib.h>

#define MAX_KEYS        1000
#define CREATIONS_BURST 50
#define CREATION_MS     100              /* one more creation each: 10 a second */
#define FORGET_MS       (30 * 60 * 1000) /* not said for so long: said anew */
#define SERIES_MS       60000            /* between two patches of one count */
#define SWEEP_MS        10000            /* how often what waits is looked at */
#define MAX_TRIES       6
#define REQUEST_MS      10000

/* One thing to say about one object. */
struct entry {
	UT_hash_handle hh; /* insertion order is order of last use */
	uint64_t key;
	struct ek_recorder *recorder;
	struct ek_kube_call *call;
	struct ek_event_text text;
	char *path;           /* of the collection */
	bool is_created;      /* the server has it */
	uint64_t count, told; /* occurrences, and how many of them the server knows */
	unsigned n_tries;
	int64_t said_ms, sent_ms; /* loop time of the last occurrence, and of the last request */
	int64_t said_wall_ms;
};

struct ek_recorder {
	struct ek_loop *loop;
	struct ek_kube *kube;
	char *controller, *instance;
	struct entry *entries;
	struct ek_timer sweep_timer;
	int64_t allowance, allowed_at_ms; /* a bucket of creations, in ms */
	uint64_t dropped;
	bool was_forbidden;
};

static uint64_t key_of(const struct ek_event_object *o, const char *type, const char *reason, const char *note)
{
	const char *const parts[] = { o->api_version, o->kind, o->namespace_, o->name, o->uid, type, reason, note };
	uint64_t hash = EK_HASH_SEED;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		hash = ek_hash64_text(hash, parts[i]);
	return hash;
}

static void free_entry(struct entry *entry)
{
	HASH_DEL(entry->recorder->entries, entry);
	ek_kube_cancel(entry->call);
	ek_event_text_clear(&entry->text);
	free(entry->path);
	free(entry);
}

/* ---- What a server says about an Event ---- */

static void give_up(struct entry *entry)
{
	entry->recorder->dropped++;
	free_entry(entry);
}

static void explain(struct entry *entry, const struct ek_kube_reply *reply)
{
	bool is_forbidden = reply->status == 403;

	/* A namespace that is being deleted refuses everything, and missing rights are said once. */
	if (is_forbidden && entry->recorder->was_forbidden)
		return;
	entry->recorder->was_forbidden = is_forbidden || entry->recorder->was_forbidden;
	EK_WARN(NULL, "event was not accepted", EK_S("object", entry->text.regarding.name), EK_S("reason", entry->text.reason),
		EK_S("answer", reply->message));
}

static bool may_pass(int code)
{
	return code == EK_RETRY || code == EK_UNKNOWN || code == EK_THROTTLED || code == EK_PLUGIN;
}

static void on_created(void *arg, const struct ek_kube_reply *reply)
{
	struct entry *entry = arg;

	entry->call = NULL;
	if (reply->code == EK_OK || reply->code == EK_CONFLICT) { /* it got there the first time */
		entry->is_created = true;
		entry->n_tries = 0;
		entry->told = 1;
	} else if (!may_pass(reply->code) || ++entry->n_tries >= MAX_TRIES) {
		explain(entry, reply);
		give_up(entry);
	}
}

static void name_event(struct entry *entry)
{
	struct ek_recorder *r = entry->recorder;
	uint64_t suffix = (uint64_t)entry->said_wall_ms * 1000000u + ek_loop_random(r->loop) % 1000000u;

	snprintf(entry->text.name, sizeof(entry->text.name), "%.230s.%llx", entry->text.regarding.name,
		(unsigned long long)suffix);
	entry->text.wall_ms = entry->said_wall_ms;
}

static void on_patched(void *arg, const struct ek_kube_reply *reply)
{
	struct entry *entry = arg;

	entry->call = NULL;
	if (reply->code == EK_GONE) {
		entry->is_created = false; /* it has expired there: the next sweep says it anew */
		name_event(entry);
		ek_loop_arm(entry->recorder->loop, &entry->recorder->sweep_timer, SWEEP_MS);
	} else if (reply->code != EK_OK && !may_pass(reply->code)) {
		explain(entry, reply);
		give_up(entry);
	}
}

/* ---- Sending ---- */

static bool take_allowance(struct ek_recorder *r)
{
	int64_t now = ek_loop_now_ms(r->loop), full = CREATIONS_BURST * CREATION_MS;

	r->allowance += now - r->allowed_at_ms;
	r->allowed_at_ms = now;
	if (r->allowance > full)
		r->allowance = full;
	if (r->allowance < CREATION_MS)
		return false;
	r->allowance -= CREATION_MS;
	return true;
}

static bool create(struct entry *entry, struct ek_kube_request *request, char *body, size_t size)
{
	request->method = "POST";
	request->path = entry->path;
	request->content_type = "application/json";
	request->body_bytes = ek_event_write(&entry->text, entry->recorder->controller, entry->recorder->instance, body, size);
	request->on_done = on_created;
	return request->body_bytes > 0;
}

static bool patch(struct entry *entry, struct ek_kube_request *request, char *path, size_t path_size, char *body,
	size_t size)
{
	snprintf(path, path_size, "%s/%s", entry->path, entry->text.name);
	request->method = "PATCH";
	request->path = path;
	request->content_type = "application/merge-patch+json";
	request->body_bytes = ek_event_write_series(entry->count, entry->said_wall_ms, body, size);
	request->on_done = on_patched;
	entry->told = entry->count;
	return request->body_bytes > 0;
}

static void send_entry(struct entry *entry)
{
	char body[8192], path[1024];
	struct ek_kube_request request = { .body = body, .timeout_ms = REQUEST_MS, .arg = entry };
	bool is_written = entry->is_created ? patch(entry, &request, path, sizeof(path), body, sizeof(body))
					    : create(entry, &request, body, sizeof(body));

	entry->sent_ms = ek_loop_now_ms(entry->recorder->loop);
	if (is_written)
		entry->call = ek_kube_call(entry->recorder->kube, &request, NULL);
	if (!entry->call && (!is_written || ++entry->n_tries >= MAX_TRIES))
		give_up(entry);
}

static bool has_news(const struct entry *entry)
{
	return !entry->is_created || entry->count > entry->told;
}

/* A count goes out at once the first time, then once a minute; a creation that failed is tried again at each sweep. */
static bool is_due(const struct entry *entry, int64_t now)
{
	if (entry->call || !has_news(entry))
		return false;
	if (!entry->is_created)
		return now - entry->sent_ms >= SWEEP_MS;
	return entry->told == 1 || now - entry->sent_ms >= SERIES_MS;
}

static void sweep(void *arg)
{
	struct ek_recorder *r = arg;
	struct entry *entry, *next;
	int64_t now = ek_loop_now_ms(r->loop);
	bool is_waiting = false;

	HASH_ITER (hh, r->entries, entry, next) {
		if (!has_news(entry))
			continue;
		is_waiting = true;
		if (is_due(entry, now))
			send_entry(entry);
	}
	if (is_waiting)
		ek_loop_arm(r->loop, &r->sweep_timer, SWEEP_MS);
}

/* ---- Saying something ---- */

static struct entry *find_entry(struct ek_recorder *r, uint64_t key)
{
	struct entry *entry;

	HASH_FIND(hh, r->entries, &key, sizeof(key), entry);
	if (entry && !entry->call && ek_loop_now_ms(r->loop) - entry->said_ms > FORGET_MS) {
		free_entry(entry);
		return NULL;
	}
	return entry;
}

/* The one that was used longest ago and waits for nothing. */
static bool make_room(struct ek_recorder *r)
{
	struct entry *entry, *next;

	if (HASH_COUNT(r->entries) < MAX_KEYS)
		return true;
	HASH_ITER (hh, r->entries, entry, next) {
		if (entry->call || has_news(entry))
			continue;
		free_entry(entry);
		return true;
	}
	return false;
}

static struct entry *add_entry(struct ek_recorder *r, uint64_t key, const struct ek_event_text *text)
{
	struct entry *entry = ek_xcalloc(1, sizeof(*entry));
	const char *space = text->regarding.namespace_[0] ? text->regarding.namespace_ : "default";
	char path[256];

	snprintf(path, sizeof(path), "/apis/events.k8s.io/v1/namespaces/%.63s/events", space);
	entry->key = key;
	entry->recorder = r;
	entry->path = ek_xstrdup(path);
	ek_event_text_copy(&entry->text, text);
	HASH_ADD(hh, r->entries, key, sizeof(entry->key), entry);
	return entry;
}

/* Moves it behind those that were used before. */
static void touch(struct entry *entry)
{
	struct ek_recorder *r = entry->recorder;

	HASH_DEL(r->entries, entry);
	HASH_ADD(hh, r->entries, key, sizeof(entry->key), entry);
	entry->said_ms = ek_loop_now_ms(r->loop);
	entry->said_wall_ms = ek_loop_wall_ms(r->loop);
	entry->count++;
}

void ek_recorder_emit(struct ek_recorder *r, const struct ek_event_object *regarding, const char *type, const char *reason,
	const char *action, const char *note)
{
	const struct ek_event_text text = { .regarding = *regarding, .type = type, .reason = reason, .action = action, .note = note };
	uint64_t key = key_of(regarding, type, reason, note);
	struct entry *entry = find_entry(r, key);
	bool is_new = !entry;

	if (is_new && (!make_room(r) || !take_allowance(r))) {
		r->dropped++;
		return;
	}
	if (is_new)
		entry = add_entry(r, key, &text);
	touch(entry);
	if (is_new)
		name_event(entry);
	if (is_new || is_due(entry, entry->said_ms))
		send_entry(entry);
	if (!ek_timer_is_armed(&r->sweep_timer))
		ek_loop_arm(r->loop, &r->sweep_timer, SWEEP_MS);
}

struct ek_recorder *ek_recorder_new(struct ek_loop *loop, struct ek_kube *kube, const char *reporting_controller,
	const char *reporting_instance)
{
	struct ek_recorder *r = ek_xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->kube = kube;
	r->controller = ek_xstrdup(reporting_controller);
	r->instance = ek_xstrndup(reporting_instance, strnlen(reporting_instance, EK_EVENT_MAX_WORD));
	r->allowance = CREATIONS_BURST * CREATION_MS;
	r->allowed_at_ms = ek_loop_now_ms(loop);
	ek_timer_init(&r->sweep_timer, sweep, r);
	return r;
}

void ek_recorder_free(struct ek_recorder *r)
{
	struct entry *entry, *next;

	if (!r)
		return;
	HASH_ITER (hh, r->entries, entry, next) {
		free_entry(entry);
	}
	ek_loop_disarm(r->loop, &r->sweep_timer);
	free(r->controller);
	free(r->instance);
	free(r);
}

uint64_t ek_recorder_dropped(const struct ek_recorder *r)
{
	return r->dropped;
}
