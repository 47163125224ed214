/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps one collection in view: streaming list where the server has it, else LIST in pages, then watch; resumes, relists on 410, backs off with
 * jitter, never trusts half a view. What it reads goes to a sink as raw documents; the sink parses.
 *
 * For the sink: begin; add*; then commit (the complete view, replaces what was) or abort (throw it away, the old view goes on). After the
 * first commit, change for each live event. A non-zero return of add or change is treated as an undecodable document: relist.
 * What follows each way in which a list or a watch can end is a table: reflector_endings.h.
 */
#ifndef EK_KUBE_REFLECTOR_H
#define EK_KUBE_REFLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/client.h"
#include "kube/watch.h"

struct ek_reflector;

struct ek_reflector_sink {
	void (*begin)(void *arg);
	int (*add)(void *arg, struct ek_slice object, struct ek_error *err);
	void (*commit)(void *arg);
	void (*abort)(void *arg);
	int (*change)(void *arg, enum ek_watch_type type, struct ek_slice object, struct ek_error *err); /* ADDED, MODIFIED, DELETED */
};

enum ek_reflector_cause { EK_CAUSE_END, EK_CAUSE_TRANSPORT, EK_CAUSE_EXPIRED, EK_CAUSE_AUTH, EK_CAUSE_THROTTLED, EK_CAUSE_SERVER, EK_CAUSE_DECODE, EK_CAUSE_AUDIT, EK_N_CAUSES };

struct ek_reflector_config {
	const char *name;              /* "endpointslices", for logs and metrics; static */
	const char *path;              /* /apis/discovery.k8s.io/v1/endpointslices; copied */
	const char *selectors;         /* "labelSelector=..." already escaped, or NULL; copied */
	const struct ek_reflector_sink *sink;
	void *sink_arg;
	void (*on_synced)(void *arg);  /* after each commit */
	void *arg;
	int64_t audit_ms;              /* relist this often, jittered by 20%; 0 never */
};

struct ek_reflector_stats {
	bool is_synced;                /* a view was committed at least once */
	bool is_broken;                /* no working watch or list at the moment; over when an event came or a watch has lived for a second */
	int64_t broken_since_ms;       /* loop time; 0 when not broken */
	int64_t last_event_ms;         /* loop time of the last byte that told something */
	uint64_t lists, watches, events, bytes;
	uint64_t restarts[EK_N_CAUSES];
	char resource_version[EK_RV_MAX];
	char problem[256];             /* why it is broken; "" */
	int status;                    /* HTTP: likewise; 0 none */
};

struct ek_reflector *ek_reflector_new(struct ek_loop *loop, struct ek_kube *kube, const struct ek_reflector_config *config);
void ek_reflector_start(struct ek_reflector *reflector);
void ek_reflector_free(struct ek_reflector *reflector);        /* stops; aborts a view in progress */
void ek_reflector_relist(struct ek_reflector *reflector);      /* soon, keeping the view meanwhile */
const struct ek_reflector_stats *ek_reflector_stats(const struct ek_reflector *reflector);
const char *ek_reflector_cause_text(enum ek_reflector_cause cause);

#endif
