/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflector_state.h - the inside of a reflector, shared by its two halves: reflector.c opens requests and obeys verdicts,
 * reflector_read.c reads what they bring.
 */
#ifndef EK_KUBE_REFLECTOR_STATE_H
#define EK_KUBE_REFLECTOR_STATE_H

#include "base/buf.h"
#include "kube/reflector.h"
#include "kube/reflector_endings.h"
#include "kube/status.h"

#define EK_REFLECTOR_SHORT_MS   1000  /* a watch that lives longer works */
#define EK_REFLECTOR_SILENCE_MS 15000 /* in the middle of initial events */
#define EK_REFLECTOR_ANSWER_MS  30000 /* a server begins to answer a watch at once, whatever there is to tell */
#define EK_REFLECTOR_QUIET_MS   (3 * 60 * 1000) /* a watch without a word: as likely a dead server behind a balancer as a quiet cluster */

struct ek_reflector {
	struct ek_loop *loop;
	struct ek_kube *kube;
	struct ek_reflector_config config;
	char *path, *selectors;

	/* What goes on. */
	struct ek_kube_call *call;      /* NULL: waiting for next_timer */
	enum ek_activity activity;
	enum ek_version asked;
	bool has_begun;                 /* the sink collects a view */
	bool is_answered;               /* the server has begun to answer */
	bool refuses_streams, in_one_piece, is_continued, is_audit;
	struct ek_watch_splitter events;
	struct ek_list_splitter items;
	struct ek_buf continue_token;
	struct ek_buf query;
	char view_version[EK_RV_MAX];   /* of the first page */
	int64_t started_ms;             /* of this request or, in a stream, of the watch after the view */
	uint64_t n_events_here;

	/* How it ended, noticed before the answer was over. */
	bool has_ending;
	struct ek_ending ending;
	char problem[256];
	int64_t retry_after_ms;         /* what the server asked for */

	/* What comes next. */
	struct ek_verdict plan;
	bool wants_list;
	struct ek_timer next_timer, settle_timer, silence_timer, audit_timer;
	unsigned n_failures, n_expired, n_empty;
	int64_t outage_since_ms;        /* 0: none */

	struct ek_reflector_stats stats;
};

/* reflector_read.c: the callbacks of a stream and of a page, up to the end of the body. */
int ek_reflector_on_event(void *arg, const struct ek_watch_event *event, struct ek_error *err);
int ek_reflector_on_item(void *arg, struct ek_slice item, struct ek_error *err);
void ek_reflector_on_stream_head(void *arg);
int ek_reflector_on_stream_body(void *arg, const char *bytes, size_t n);
void ek_reflector_on_page_head(void *arg);
int ek_reflector_on_page_body(void *arg, const char *bytes, size_t n);
/* How the answer as a whole ended, unless something in it has told already. */
void ek_reflector_note_reply(struct ek_reflector *r, const struct ek_kube_reply *reply);
int ek_reflector_note_undecodable(struct ek_reflector *r, const char *message);

/* reflector.c */
void ek_reflector_begin_view(struct ek_reflector *r);
void ek_reflector_commit_view(struct ek_reflector *r, const char *version);
/* Something came: from now on the stream may be silent for so long again. */
void ek_reflector_await_more(struct ek_reflector *r);
/* What was wrong is over. */
void ek_reflector_settle(struct ek_reflector *r);

#endif
