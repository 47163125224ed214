/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host as one plugin instance sees it, under the hand of a test: time stands still until it is moved, HTTP requests are written down and answered by the test,
 * completions and entries are collected. It needs no loop, no socket and no test framework.
 *
 * It also watches the border: a completion inside the call that started the operation, a second completion, a callback after `closed`, a request without a
 * deadline. What it saw first stands in `fault`; a test asks for it at its end, by fake_host_end().
 *
 * Every call into the plugin goes through the functions below, so that "inside a call" can be known.
 */
#ifndef EK_KIT_FAKE_HOST_H
#define EK_KIT_FAKE_HOST_H

#include <stdbool.h>

#include <eurekube/host.h>
#include <eurekube/mode.h>
#include <eurekube/registry.h>

/* A copy of an ek_entry; texts are "" where the plugin gave NULL. */
struct fake_entry {
	char *application, *id, *address, *vip_address, *owner;
	char *metadata;                /* "key=value\n" for each, in the order given */
	uint32_t flags, n_metadata;
	int32_t status, instance_status, port, secure_port, renew_seconds, lease_seconds;
	int64_t revision;
};

struct fake_completion {
	uint64_t token;
	int32_t code, http_status;
	int64_t revision, retry_after_ms;
	char *message;                 /* "" for NULL */
	bool has_entry;
	struct fake_entry entry;
};

struct fake_request {
	struct ek_http_request asked;  /* its numbers and callbacks; its texts are these: */
	char *method, *url, *body;     /* body is NUL-terminated */
	char *headers;                 /* "Name: value\n" for each */
	int64_t at_ms;                 /* when it was sent */
	bool is_taken, is_ended;
};

struct fake_timer;
struct fake_watch;
struct fake_posts;

#define FAKE_HOST_OPTIONS 32

struct fake_host {
	struct ek_host host;           /* first: this is what the plugin gets */
	const struct ek_plugin *plugin;
	void *self;
	int64_t now_ms, wall_ms;
	const char *fault;             /* the first breach; NULL none */

	struct ek_option_value values[FAKE_HOST_OPTIONS];
	char *option_texts[FAKE_HOST_OPTIONS];
	const char **option_lists[FAKE_HOST_OPTIONS];
	uint32_t n_options;

	struct fake_request **requests; /* all of them, in order */
	uint32_t n_requests;
	uint32_t n_http;               /* calls of host->http */
	uint32_t http_fails_from, http_fails_for; /* from the n-th call (counted from 1), so many are refused; 0 none */

	struct fake_timer *timers;
	struct fake_watch *watches;
	struct fake_posts *posts;
	uint64_t n_timers_made;

	struct fake_completion *completions;
	uint32_t n_completions;
	struct fake_entry *entries;    /* given by list_entry */
	uint32_t n_entries, stop_after; /* list_entry says "stop" from this entry on; 0 never */

	uint32_t n_inside;             /* calls into the plugin that have not returned */
	uint32_t n_lost, n_changed, n_closed, n_logs;
	uint32_t n_uses;               /* calls of the host's slots, logs included */
	char last_log[256];
};

/* The one breach that has a rule of its own in the conformance kit. */
extern const char fake_fault_undeclared[];

/* For one instance of this plugin. Options have their defaults until fake_host_set. */
struct fake_host *fake_host_new(const struct ek_plugin *plugin);
/* Frees; returns the fault, or what is left: a timer, a request, a watch after `closed`. NULL: all is well. */
const char *fake_host_end(struct fake_host *fake);

/* Sets an option as text, a list with commas. False for an option that is not declared. */
bool fake_host_set(struct fake_host *fake, const char *name, const char *text);
const struct ek_option_value *fake_host_value(const struct fake_host *fake, const char *name);

/* The registry's operations. close returns after `closed`, or with a fault when that never comes. */
int fake_host_create(struct fake_host *fake, struct ek_error *err);
void fake_host_close(struct fake_host *fake);
const struct ek_registry_traits *fake_host_traits(struct fake_host *fake);
void fake_host_apply(struct fake_host *fake, const struct ek_op *op);
void fake_host_apply_all(struct fake_host *fake, const struct ek_op *const *ops, uint32_t n);
void fake_host_list(struct fake_host *fake, const struct ek_scope *scope, uint64_t token);
void fake_host_probe(struct fake_host *fake, uint64_t token);
void fake_host_cancel(struct fake_host *fake, uint64_t token);

/* Runs what is due. Each callback is a call into the plugin. */
void fake_host_advance(struct fake_host *fake, int64_t ms);

/*
 * Waits for real, at most so long, until a timer is due, a descriptor that the plugin watches can be used, or one of its threads posts; runs what has come. Time
 * moves by what has really passed.
 */
void fake_host_wait(struct fake_host *fake, int64_t ms);

/* The oldest request that no test has taken yet; NULL none. */
struct fake_request *fake_host_request(struct fake_host *fake);
uint32_t fake_host_open_requests(const struct fake_host *fake);

struct fake_answer {
	int status;                    /* 0: no answer, see code */
	int32_t code;                  /* what the transport says; EK_OK with a status */
	const char *body;              /* NULL: empty */
	uint32_t piece_bytes;          /* streamed bodies: in pieces of this size; 0: at once */
	const char *content_type;      /* NULL: application/json */
	int64_t retry_after_ms;
};
void fake_host_answer(struct fake_host *fake, struct fake_request *request, const struct fake_answer *answer);
/* Ends the requests whose own deadline has passed, as the host does; nobody had answered them. */
void fake_host_time_out(struct fake_host *fake);

/* The completion of a token; NULL if there is none. */
const struct fake_completion *fake_host_done(const struct fake_host *fake, uint64_t token);
void fake_host_forget_entries(struct fake_host *fake); /* n_entries is 0 then */
uint32_t fake_host_times_done(const struct fake_host *fake, uint64_t token);

#endif
