/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host services that one plugin instance is given (struct ek_host), bound to loop, HTTP client, options and secrets. It guards the border: every call into
 * the plugin is timed (over 50 ms is counted and logged), callbacks of a closed instance are swallowed, completions go to the owner.
 */
#ifndef EK_PLUGIN_SERVICES_H
#define EK_PLUGIN_SERVICES_H

#include <eurekube/host.h>
#include <eurekube/registry.h>

#include "io/http.h"
#include "io/loop.h"
#include "plugin/catalog.h"

struct ek_services;

/* What the owner (sync/registry) hears of a registry instance. All NULL for modes. */
struct ek_services_owner {
	void (*on_op_done)(void *arg, uint64_t token, const struct ek_result *result);
	int (*on_list_entry)(void *arg, uint64_t token, const struct ek_entry *entry); /* NULL: what was given was garbage */
	void (*on_lost)(void *arg, const char *why);
	void (*on_changed)(void *arg, const char *application, const char *id);
	void (*on_closed)(void *arg);
	void *arg;
};

enum ek_auth_type { EK_AUTH_NONE, EK_AUTH_BASIC, EK_AUTH_BEARER, EK_AUTH_MTLS };

struct ek_services_config {
	const char *name;                          /* "registry main", "mode pod"; copied */
	const struct ek_library *library;
	const struct ek_option_value *const *options; /* must outlive the instance */
	uint32_t n_options;
	enum ek_auth_type auth;
	const char *username_file, *password_file, *token_file, *cert_file, *key_file; /* NULL none; copied */
	const char *ca_file;                       /* NULL: the system's */
	bool insecure_skip_verify;
	uint32_t connections;                      /* 0: 16 */
	struct ek_services_owner owner;
	uint64_t *misbehaviours;                   /* EK_N_MISBEHAVIOURS counters that outlive the instance; NULL none */
};

struct ek_services *ek_services_new(struct ek_loop *loop, struct ek_http *http, const struct ek_services_config *config);
void ek_services_free(struct ek_services *services);   /* after destroy / on_closed; stops what the plugin forgot */
const struct ek_host *ek_services_host(struct ek_services *services);

/*
 * Around every call into the plugin. A completion before leave breaks the contract: it is counted, logged once, and handed to the owner on the next turn.
 * enter_ending is for `cancel`, where a completion is in order; it comes on the next turn all the same. enter_closing is the same for `close`: from then on the
 * plugin may say that it is closed, and at no other time. The owner is called with no call open, so it may call plugins, and its time does not count as theirs;
 * only entering the same instance within itself is our bug.
 */
void ek_services_enter(struct ek_services *services);
void ek_services_enter_ending(struct ek_services *services);
void ek_services_enter_closing(struct ek_services *services);
void ek_services_leave(struct ek_services *services);

/* Ways in which a plugin breaks its contract at run time. Each is contained, counted, and logged when its count is a power of two. */
enum ek_misbehaviour {
	EK_MISBEHAVIOUR_EARLY,                     /* completes an operation inside the call that started it */
	EK_MISBEHAVIOUR_TWICE,                     /* completes an operation that is completed, or that never was */
	EK_MISBEHAVIOUR_NEVER,                     /* does not complete an operation within its deadline */
	EK_MISBEHAVIOUR_CLOSED,                    /* calls after it has said that it is closed, or says so without being asked */
	EK_MISBEHAVIOUR_GARBAGE,                   /* hands over what is no text, no number in range, no pointer, no handle that is alive */
	EK_MISBEHAVIOUR_REFUSED,                   /* emits an instance that is not acceptable, or goes on after a refusal */
	EK_MISBEHAVIOUR_TOO_MANY,                  /* timers, descriptors, requests, posts, news, instances beyond their bounds */
	EK_MISBEHAVIOUR_THREAD,                    /* calls from another thread than the loop's */
	EK_N_MISBEHAVIOURS
};
const char *ek_misbehaviour_name(enum ek_misbehaviour kind);

/* Whether this is the loop's thread; counted if not. */
bool ek_services_is_ours(struct ek_services *services);

/* `what` completes "the plugin ..." */
EK_PRINTF(3, 4) void ek_services_blame(struct ek_services *services, enum ek_misbehaviour kind, const char *what, ...);
/* "eureka/0.1.0" */
const char *ek_services_label(const struct ek_services *services);

struct ek_services_stats {
	uint64_t calls, slow_calls, requests;
	uint64_t misbehaviours[EK_N_MISBEHAVIOURS];
	int64_t longest_us;
	uint64_t timers, watches;                  /* live now */
};
void ek_services_stats(const struct ek_services *services, struct ek_services_stats *out);
/* Counters and gauges that the plugin keeps: fn(arg, name, is_counter, value). */
void ek_services_each_metric(const struct ek_services *services, void (*fn)(void *arg, const char *name, bool is_counter, double value), void *arg);

#endif
