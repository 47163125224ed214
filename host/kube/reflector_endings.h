/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflector_endings.h - the table of endings: what was seen when a list or a watch ended -> what comes next. Pure.
 *
 * The rules behind it: resuming a watch is always cheaper than listing, so only what says that the position is lost leads to a
 * list; whoever asks the server to slow down is obeyed; and nothing that goes wrong is repeated without a pause.
 */
#ifndef EK_KUBE_REFLECTOR_ENDINGS_H
#define EK_KUBE_REFLECTOR_ENDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/reflector.h"

#define EK_REFLECTOR_MAX_FAILURES 8 /* in a row: then even the position is doubted */
#define EK_REFLECTOR_MAX_EMPTY    3 /* whole lifetimes without a word: a position in the future is answered by silence */

enum ek_activity {
	EK_READING_STREAM, /* the initial events of a streaming list */
	EK_READING_PAGES,  /* a LIST */
	EK_WATCHING,
};

/* What a list asks for. */
enum ek_version {
	EK_VERSION_NEWEST, /* resourceVersion unset */
	EK_VERSION_LAST,   /* not older than what we have seen; served from the server's cache */
};

struct ek_ending {
	enum ek_activity during;
	enum ek_version asked;     /* when it was a list */
	int code;                  /* enum ek_code of the reply or of the ERROR event; EK_OK: the body ended cleanly */
	int status;                /* HTTP's or the Status document's; 0 when the transport failed */
	bool is_expired;           /* reason Expired or Gone, whatever the status */
	bool is_rv_too_large;
	bool is_undecodable;       /* a document that we could not read, or half a list */
	bool is_silent;            /* a streaming list that said nothing for too long */
	bool is_short;             /* a watch of less than a second in which nothing happened */
	bool is_audit;             /* a list beside a good position: the view and the watch could go on without it */
	bool is_continued;         /* a LIST's second or later page */
	unsigned n_failures;       /* in a row before this one */
	unsigned n_expired;        /* since the last watch that worked, before this one */
	unsigned n_empty;          /* clean lifetimes without an event in a row, with this one */
};

enum ek_next { EK_NEXT_WATCH, EK_NEXT_LIST };

enum ek_pace {
	EK_PACE_AT_ONCE,           /* no failure */
	EK_PACE_BACKOFF,
	EK_PACE_SLOW,              /* somebody must install it first: backoff up to half a minute from the start */
};

struct ek_verdict {
	enum ek_next next;
	enum ek_version version;   /* for EK_NEXT_LIST */
	enum ek_pace pace;
	enum ek_reflector_cause cause;
	bool refuses_streams;      /* this server has no streaming lists: do not ask again */
	bool in_pages;             /* this one time by LIST instead of a stream */
	bool in_one_piece;         /* a LIST without pages */
};

struct ek_verdict ek_ending_judge(const struct ek_ending *ending);

/*
 * How long to wait: half a second doubling to 5 s in the first ten minutes of an outage, 30 s later, jittered by half;
 * never less than the server asked for (of that, a minute at most). n_failures counts this one.
 */
int64_t ek_backoff_ms(enum ek_pace pace, unsigned n_failures, int64_t outage_ms, int64_t retry_after_ms, uint64_t random);

#endif
