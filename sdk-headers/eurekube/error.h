/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - one error object for the host, the plugins and the SDK.
 *
 * An error says *what can be done next* (its code), what a user reads (its message) and, where a user's own resource is at fault, the CamelCase word under which
 * the fault appears in the resource's conditions (its reason).  It is a value: the caller keeps it on its stack, hands a pointer down as the last argument, and
 * reads it only after a call has failed.
 *
 * Rules.
 *  - A function that can fail returns EK_OK (0) or an `enum ek_code`, and takes `struct ek_error *err` last.  `err` may be NULL.
 *  - On success `*err` is untouched.  On failure the function fills it completely by ek_fail() or passes on what a deeper call has filled.
 *  - Filling an error cannot fail and allocates nothing; texts that are too long are cut.
 *  - `origin` ("eureka/0.1.0") and `object` ("EurekaSyncer rating/rating") are stamped by the host at the border; a plugin leaves them alone.
 *  - A message is one sentence for the person who can mend the fault; it names the thing and says what to do.  It carries no secret and no control character.
 *  - Our own mistakes are not errors: a broken invariant aborts the process.
 */
#ifndef EK_EUREKUBE_ERROR_H
#define EK_EUREKUBE_ERROR_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <eurekube/types.h>

/*
 * What can be done next.  The host turns each code into a policy in exactly one place (host/sync/outcome.c); a plugin only classifies.  Codes are stable numbers,
 * new ones may be appended; a reader treats a code that it does not know as EK_PLUGIN.
 */
enum ek_code {
	EK_OK = 0,
	/* It may work next time and had no effect: connection refused, 5xx before anything was done.  Backoff with jitter. */
	EK_RETRY = 1,
	/* The peer asks us to slow down; `retry_after_ms` holds its wish or 0.  Waiting is no failure. */
	EK_THROTTLED = 2,
	/* The entry is not there.  After a renewal: put it again.  After a removal: done. */
	EK_GONE = 3,
	/* The position in a stream is too old (Kubernetes' 410): list again. */
	EK_EXPIRED = 4,
	/* Somebody else changed or owns it: read that one entry, then decide. */
	EK_CONFLICT = 5,
	/* The request itself is wrong and will stay wrong until the user changes something.  No retry; the message goes to the user. */
	EK_INVALID = 6,
	/* A bound was passed: a document, a list, a string.  As EK_INVALID. */
	EK_TOO_BIG = 7,
	/* Not authenticated or not allowed: read the credentials again, then backoff. */
	EK_AUTH = 8,
	/* The deadline passed, or the connection broke after the request had left: it may or may not have taken effect.  The next step is a read. */
	EK_UNKNOWN = 9,
	/* Anything a plugin cannot classify.  As EK_RETRY, and counted against the plugin. */
	EK_PLUGIN = 10,
	/* The caller gave it up.  Silent. */
	EK_CANCELLED = 11,
};

/*
 * The error object, about 600 bytes, on the caller's stack.  `http_status`, `curl_code` and `os_errno` are 0 where they do not apply.  All texts are always
 * NUL-terminated.
 */
struct ek_error {
	uint32_t size;
	int32_t code;           /* enum ek_code */
	int32_t os_errno;
	int32_t http_status;
	int32_t curl_code;
	uint32_t reserved;
	int64_t retry_after_ms; /* with EK_THROTTLED: how long the peer wants us to wait, 0 unknown */
	char reason[64];        /* CamelCase, for a condition ("PortNotFound"); empty: the host derives one from the code */
	char origin[64];        /* who said it; stamped by the host */
	char object[192];       /* about what; stamped by the host */
	char message[256];
};
EK_SEALED(struct ek_error, message);

#define EK_ERROR_INIT { .size = sizeof(struct ek_error) }

/* Fills `err` (if not NULL) with code, reason (may be NULL) and the formatted message, clears every other field, returns `code`. */
EK_PRINTF(4, 0)
static inline int ek_fail_va(struct ek_error *err, int code, const char *reason, const char *format, va_list args)
{
	if (err) {
		memset(err, 0, sizeof(*err));
		err->size = (uint32_t)sizeof(*err);
		err->code = code;
		snprintf(err->reason, sizeof(err->reason), "%s", reason ? reason : "");
		vsnprintf(err->message, sizeof(err->message), format, args);
	}
	return code;
}

/* `return ek_fail(err, EK_RETRY, "cannot reach %s", url);` */
EK_PRINTF(3, 4)
static inline int ek_fail(struct ek_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ek_fail_va(err, code, NULL, format, args);
	va_end(args);
	return code;
}

/* The same with a reason for the syncer's condition: `return ek_fail_reason(err, EK_INVALID, "PortNotFound", "...");` */
EK_PRINTF(4, 5)
static inline int ek_fail_reason(struct ek_error *err, int code, const char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ek_fail_va(err, code, reason, format, args);
	va_end(args);
	return code;
}

/* Puts context in front of the message of a failed call: "read /etc/x: permission denied".  Keeps everything else.  Returns err's code. */
EK_PRINTF(2, 3)
static inline int ek_error_wrap(struct ek_error *err, const char *format, ...)
{
	char head[256], tail[256];
	va_list args;

	if (!err)
		return EK_PLUGIN;
	va_start(args, format);
	vsnprintf(head, sizeof(head), format, args);
	va_end(args);
	memcpy(tail, err->message, sizeof(tail));
	tail[sizeof(tail) - 1] = '\0';
	snprintf(err->message, sizeof(err->message), "%.120s: %.133s", head, tail);
	return err->code;
}

#endif
