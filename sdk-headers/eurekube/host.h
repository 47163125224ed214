/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - what the host does for a plugin instance.
 *
 * At `create` each plugin instance is given one `struct ek_host`.  It is a table of functions bound to that very instance: logs carry its name, metrics its label,
 * HTTP requests its TLS settings and credentials.  Each function takes the table itself as first argument.  The table lives until the instance is gone (for a mode:
 * destroy has returned; for a registry: `closed` has been called).
 *
 * Threading.  Everything happens on the host's loop thread, one callback at a time; a plugin needs no locks.  Only `post` may be called from other threads.
 *
 * Reentrancy.  No function here calls back into the plugin before it returns.  Completions, timers and descriptor events always come on a later turn of the loop.
 *
 * Time.  A callback into a plugin should take less than 5 ms.  Above 50 ms it is counted and logged with the plugin's name; at 5 s a watchdog reports it, at 8 s it
 * aborts the process, since a blocked loop lets every lease of every registry expire.
 *
 * Cancelling.  After a stop or cancel function has returned, the callback it concerns does not come any more.  Handles are dead from then on; a timer's or
 * request's handle is also dead once its callback has started.
 */
#ifndef EK_EUREKUBE_HOST_H
#define EK_EUREKUBE_HOST_H

#include <eurekube/error.h>
#include <eurekube/plugin.h>
#include <eurekube/types.h>

struct ek_result;
struct ek_entry;

enum ek_log_level {
	EK_LOG_DEBUG = 1,
	EK_LOG_INFO = 2,
	EK_LOG_WARN = 3,
	EK_LOG_ERROR = 4,
};

/* ---- HTTP -------------------------------------------------------------------------------------------------------------------------------------------------- */

/*
 * Which budget a request draws on.  Requests of one lane share connections and wait for each other when `limits.connections` are busy; the lanes do not wait for
 * one another, so renewals are never behind a storm of registrations.
 */
enum ek_http_lane {
	EK_HTTP_LANE_ORDINARY = 0,
	EK_HTTP_LANE_RENEW = 1,
};

/*
 * How a request ended.  `code` is EK_OK when a complete response arrived, whatever its status; otherwise EK_RETRY (nothing was sent or nothing can have happened),
 * EK_UNKNOWN (it had been sent; deadline or broken connection), EK_TOO_BIG (the response passed `max_body_bytes`), EK_AUTH (TLS refused) or EK_CANCELLED.
 */
struct ek_http_response {
	uint32_t size;
	int32_t code;
	int32_t http_status;        /* 0 without a response */
	uint32_t body_bytes;        /* what `body` holds; 0 when on_body took it */
	int64_t retry_after_ms;     /* from Retry-After, 0 none */
	const char *body;           /* NUL-terminated behind body_bytes; never NULL */
	const char *content_type;   /* without parameters, lower case, empty if none */
	const char *message;        /* for a person, when code is not EK_OK; never NULL, no secrets */
};
EK_SEALED(struct ek_http_response, message);

/*
 * A request.  All it points to is copied before `http` returns.  The host adds the credentials and TLS settings of the plugin's entry in the configuration, reuses
 * connections, follows no redirects, asks for no compression unless `accept_gzip`, sends neither Expect nor its environment's proxy.
 */
struct ek_http_request {
	uint32_t size;
	uint32_t lane;              /* enum ek_http_lane */
	const char *method;
	const char *url;            /* absolute, http or https, without credentials */
	const struct ek_pair *const *headers;
	uint32_t n_headers;
	uint32_t body_bytes;
	const void *body;           /* NULL for none */
	int32_t connect_timeout_ms; /* 0: 3000 */
	int32_t timeout_ms;         /* the whole request; 0: 10000; bounded by 60000 */
	uint32_t max_body_bytes;    /* 0: 1 MiB; bounds the whole response body, decompressed */
	uint32_t accept_gzip;       /* 1: offer gzip */
	void *arg;                  /* handed to the callbacks */

	/* May be NULL: then the body is collected and given to on_done.  Otherwise takes the body in pieces; returning anything but 0 ends the request with
	 * EK_CANCELLED (on_done still comes). */
	int (*on_body)(void *arg, const char *bytes, uint32_t n_bytes);

	/* Mandatory.  Comes exactly once, except after http_cancel.  The response is borrowed for the call. */
	void (*on_done)(void *arg, const struct ek_http_response *response);
};
EK_SEALED(struct ek_http_request, on_done);

/* ---- Descriptors ------------------------------------------------------------------------------------------------------------------------------------------- */

/* For libraries that own their sockets (ZooKeeper, gRPC).  A bit mask. */
enum ek_fd_event {
	EK_FD_READABLE = 1u << 0,
	EK_FD_WRITABLE = 1u << 1,
};

struct ek_timer_handle;
struct ek_http_handle;
struct ek_fd_handle;

/* ---- The table --------------------------------------------------------------------------------------------------------------------------------------------- */

/*
 * Every slot is always set.
 */
struct ek_host {
	uint32_t size;
	uint32_t reserved;

	/* Writes one line: a constant message and key/values.  `pairs` may be NULL when n_pairs is 0.  Rate-limited per instance; repeats are folded. */
	void (*log)(const struct ek_host *host, uint32_t level, const char *message, const struct ek_pair *const *pairs, uint32_t n_pairs);

	/* Monotonic milliseconds, a fresh reading each time.  Counts while the machine is suspended where the kernel can tell. */
	int64_t (*now_ms)(const struct ek_host *host);

	/* Milliseconds since 1970.  For printing and for formats that want it, never for measuring. */
	int64_t (*wall_ms)(const struct ek_host *host);

	/* Calls fn(arg) once, at least delay_ms from now.  NULL only when 10000 timers of the instance are running already. */
	struct ek_timer_handle *(*timer_start)(const struct ek_host *host, int64_t delay_ms, void (*fn)(void *arg), void *arg);

	/* Stops a timer that has not fired.  NULL is ignored. */
	void (*timer_stop)(const struct ek_host *host, struct ek_timer_handle *timer);

	/* The only slot for other threads: calls fn(arg) on the loop thread soon.  Must not be called after the plugin has called `closed`. */
	void (*post)(const struct ek_host *host, void (*fn)(void *arg), void *arg);

	/* Starts a request.  NULL with `err` filled when it cannot even be tried (bad URL, too many waiting); on_done does not come then. */
	struct ek_http_handle *(*http)(const struct ek_host *host, const struct ek_http_request *request, struct ek_error *err);

	/* Gives a request up; its callbacks do not come any more.  NULL is ignored. */
	void (*http_cancel)(const struct ek_host *host, struct ek_http_handle *handle);

	/* Calls fn(arg, events) whenever the descriptor is ready for one of `events` (level-triggered).  NULL with `err` filled on failure. */
	struct ek_fd_handle *(*fd_watch)(const struct ek_host *host, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events), void *arg, struct ek_error *err);

	/* Changes what is waited for; 0 pauses. */
	void (*fd_update)(const struct ek_host *host, struct ek_fd_handle *handle, uint32_t events);

	/* Ends the watch; the descriptor stays the plugin's.  Must be called before the descriptor is closed.  NULL is ignored. */
	void (*fd_stop)(const struct ek_host *host, struct ek_fd_handle *handle);

	/* Adds to a counter `eurekube_plugin_<name>_total`.  Name: [a-z_]{1,40}; at most 32 names per plugin. */
	void (*count)(const struct ek_host *host, const char *name, uint64_t delta);

	/* Sets a gauge `eurekube_plugin_<name>`; the names share the limit of `count`. */
	void (*gauge)(const struct ek_host *host, const char *name, double value);

	/* The value of a declared option of the plugin's entry in the configuration; NULL for a name that was not declared.  Lives as long as the instance. */
	const struct ek_option_value *(*option)(const struct ek_host *host, const char *name);

	/*
	 * Copies a secret of the entry's `auth` section ("username", "password", "token"), read anew from its file, into `buffer` and returns EK_OK.  The plugin
	 * wipes the buffer after use and writes the secret nowhere.  HTTP requests carry the credentials by themselves; this is for other protocols.  EK_GONE if
	 * not configured, EK_TOO_BIG if it does not fit.
	 */
	int (*secret)(const struct ek_host *host, const char *name, char *buffer, uint32_t buffer_bytes, struct ek_error *err);

	/* -- Only registries use what follows; see registry.h for when. -- */

	/* Completes an operation, a list or a probe: exactly once per token, never inside the call that started it.  Late, double and unknown completions are
	 * counted and otherwise ignored. */
	void (*op_done)(const struct ek_host *host, uint64_t token, const struct ek_result *result);

	/* One entry of a running list.  Returns 0, or non-zero when the plugin should stop reading and complete the list with EK_CANCELLED. */
	int (*list_entry)(const struct ek_host *host, uint64_t token, const struct ek_entry *entry);

	/* News nobody asked for: the registry has lost everything of ours (a session expired, a server came back empty).  The host puts everything again at a
	 * bounded rate. */
	void (*lost)(const struct ek_host *host, const char *why);

	/* News nobody asked for: the entry changed behind our back.  The host reads it. */
	void (*changed)(const struct ek_host *host, const char *application, const char *id);

	/* The end of `close`: the instance is freed and calls nothing any more. */
	void (*closed)(const struct ek_host *host);
};
EK_SEALED(struct ek_host, closed);

#endif
