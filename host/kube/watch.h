/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts bytes into documents, purely: a watch body into events, a list body into items. Bytes come in pieces of any size; each whole
 * document is handed on as one contiguous slice and then forgotten, so memory is one document, never the list.
 */
#ifndef EK_KUBE_WATCH_H
#define EK_KUBE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <eurekube/error.h>
#include <eurekube/json.h>

#include "base/buf.h"

#define EK_WATCH_EVENT_MAX (16u << 20)  /* one event or item, as client-go */
#define EK_RV_MAX 64                    /* a resourceVersion with its NUL */

enum ek_watch_type { EK_WATCH_ADDED, EK_WATCH_MODIFIED, EK_WATCH_DELETED, EK_WATCH_BOOKMARK, EK_WATCH_ERROR };

struct ek_watch_event {
	enum ek_watch_type type;
	struct ek_slice object;                     /* raw JSON of the object */
	char resource_version[EK_RV_MAX];           /* of the object; "" for ERROR */
	bool is_initial_end;                        /* BOOKMARK with k8s.io/initial-events-end: "true" */
	int status_code;                            /* ERROR: Status.code */
	char status_reason[64];                     /* ERROR: Status.reason */
	char status_message[256];
};

/* Watch framing: one JSON document per line. */
struct ek_watch_splitter {
	struct ek_buf line;
	int (*on_event)(void *arg, const struct ek_watch_event *event, struct ek_error *err);
	void *arg;
};
void ek_watch_splitter_init(struct ek_watch_splitter *s, int (*on_event)(void *arg, const struct ek_watch_event *event, struct ek_error *err), void *arg);
void ek_watch_splitter_clear(struct ek_watch_splitter *s);
/* EK_OK, or the first failure: EK_INVALID (undecodable line), EK_TOO_BIG, or what on_event returned. Dead after a failure. */
int ek_watch_splitter_feed(struct ek_watch_splitter *s, const char *bytes, size_t n, struct ek_error *err);

/* List framing: {"kind":..., "metadata":{...}, "items":[ ... ]} with keys in any order (CR lists put metadata last). */
struct ek_list_splitter {
	struct ek_buf pending;        /* the current item, or metadata object */
	int (*on_item)(void *arg, struct ek_slice item, struct ek_error *err);
	void *arg;
	char resource_version[EK_RV_MAX];
	struct ek_buf continue_token; /* "" none */
	size_t n_items;
	bool is_complete;             /* the closing brace was seen, and items and a resourceVersion before it */
	/* private scanner state */
	int state, separation;
	size_t depth;
	bool in_string, is_escaped, has_items;
	struct ek_buf key;
};
void ek_list_splitter_init(struct ek_list_splitter *s, int (*on_item)(void *arg, struct ek_slice item, struct ek_error *err), void *arg);
void ek_list_splitter_clear(struct ek_list_splitter *s);
int ek_list_splitter_feed(struct ek_list_splitter *s, const char *bytes, size_t n, struct ek_error *err);

/* Orders two resourceVersions as digit strings of any length: <0, 0, >0; *is_known false if either is malformed (then only equality counts). */
int ek_rv_compare(const char *a, const char *b, bool *is_known);

#endif
