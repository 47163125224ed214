/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services_inside.h - what the files behind services.h share. `struct ek_host` comes first, so a plugin's host pointer is its services.
 *
 * Life: ek_services_free makes an instance dead, and it is buried when no call into the plugin is under way and no posted call is pending. The last ones that
 * were buried are kept, so that a plugin that goes on using its host meets one that swallows everything instead of freed memory.
 *
 * What the plugin holds (timers, watches, requests) stands in one table, and the handles that it gets are not pointers but places in it: one that is dead, or was
 * never given out, is recognised, and free finds what was forgotten.
 */
#ifndef EK_PLUGIN_SERVICES_INSIDE_H
#define EK_PLUGIN_SERVICES_INSIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "io/file.h"
#include "plugin/services.h"

#define EK_METRICS_MAX 32
#define EK_RESULT_TEXT 512
#define EK_TIMERS_MAX 10000
#define EK_WATCHES_MAX 1000
#define EK_REQUESTS_MAX 10000   /* queued ones included */
#define EK_POSTS_MAX 100000
#define EK_NEWS_MAX 10000       /* in one call */
#define EK_BURIED_MAX 32

/* What the plugin is doing right now. */
enum ek_call_kind {
	EK_CALL_NONE,
	EK_CALL_STARTING,      /* the host called: a completion now is too early */
	EK_CALL_ENDING,        /* the host called to end something: a completion now is fine, but comes a turn later */
	EK_CALL_CALLBACK,      /* the plugin's own timer, request, descriptor or post */
};

struct ek_call {
	enum ek_call_kind kind;
	int64_t spent_us;
};

struct ek_metric {
	char name[41];
	bool is_counter;
	uint64_t count;
	double gauge;
};

struct ek_news;

/* What a handle stands for. */
enum ek_handle_kind { EK_HANDLE_TIMER = 1, EK_HANDLE_WATCH, EK_HANDLE_REQUEST };

struct ek_handle_slot {
	void *object;                          /* NULL: free */
	uint32_t generation;
	uint32_t next_free;                    /* index + 1; 0 ends */
	enum ek_handle_kind kind;
};

struct ek_handles {
	struct ek_handle_slot *slots;
	uint32_t n_slots, free_slot;           /* free_slot: index + 1, 0 none */
};

struct ek_services {
	struct ek_host host;
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_services_config config;      /* its texts live in `arena` */
	struct ek_arena arena;
	const char *who;                       /* for the watchdog */
	struct ek_log log;

	struct ek_call call;
	unsigned n_paused;
	bool is_closed;                        /* atomic, since post may be called from anywhere */
	bool is_dead, is_buried;
	bool may_close;                        /* it has been asked to */
	int n_posted;                          /* atomic */
	unsigned n_strangers, n_lost_posts, n_late_posts; /* atomic: from other threads, beyond the bound, after closed; told on the next turn */
	pthread_t thread;                      /* the loop's */
	unsigned n_requests, n_call_news;      /* in flight; told in the running call */
	bool has_lost_news;

	struct ek_handles handles;
	struct ek_http_client *client;         /* made by the first request */
	struct ek_file_watch *tls_files[3];
	struct ek_news *news, **news_end;      /* what came too early, in order */
	struct ek_timer news_timer;

	struct ek_services_stats stats;
	struct ek_metric metrics[EK_METRICS_MAX];
	unsigned n_metrics;
	bool told_bad_metric;
	int64_t log_refill_ms;
	unsigned log_credit, log_dropped;
};

static inline struct ek_services *ek_services_of(const struct ek_host *host)
{
	return (struct ek_services *)(uintptr_t)host;
}

/* services.c: around calls. While paused, the time is the host's own, and the host may call plugins. */
void ek_services_begin(struct ek_services *services, enum ek_call_kind kind);
struct ek_call ek_services_pause(struct ek_services *services);
void ek_services_resume(struct ek_services *services, struct ek_call call);

/* True for a call of a slot that counts: from the loop's thread, by an instance that has not closed. Blamed if not, and the slot does nothing then. */
bool ek_services_is_welcome(struct ek_services *services, const char *slot);

/* services_handles.c: what the plugin holds */
void *ek_handle_new(struct ek_services *services, enum ek_handle_kind kind, void *object);
/* What it stands for; NULL: nothing, and `slot` was blamed. A NULL handle is nobody's fault. */
void *ek_handle_find(struct ek_services *services, enum ek_handle_kind kind, const void *handle, const char *slot);
void ek_handle_drop(struct ek_services *services, const void *handle);
/* The next object of that kind from place *at on; NULL: there is none. */
void *ek_handle_next(const struct ek_services *services, enum ek_handle_kind kind, uint32_t *at);

/* services_check.c: what plugins hand over, copied or refused */
#define EK_TEXT_MAX 4096
/* Makes *out from what a plugin gave, with its message in `message`; false: it was garbage, and *out is a failure that says so. */
bool ek_services_take_result(struct ek_services *services, const struct ek_result *given, char message[EK_RESULT_TEXT], struct ek_result *out);
/* NULL, or what is wrong with an entry. */
const char *ek_services_judge_entry(const struct ek_entry *entry);

/* services_http.c */
struct ek_http_handle *ek_services_http(const struct ek_host *host, const struct ek_http_request *request, struct ek_error *err);
void ek_services_http_cancel(const struct ek_host *host, struct ek_http_handle *handle);
void ek_services_http_end(struct ek_services *services);      /* all requests, and the client */

/* services_auth.c */
int ek_services_secret(const struct ek_host *host, const char *name, char *buffer, uint32_t buffer_bytes, struct ek_error *err);
int ek_services_authorize(void *arg, char *value, size_t size, struct ek_error *err);

/* services_news.c */
void ek_services_news_init(struct ek_services *services);
void ek_services_news_end(struct ek_services *services);

/* services_tell.c */
void ek_services_tell_init(struct ek_services *services);

#endif
