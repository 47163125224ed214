/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_body.h - the documents of events.k8s.io/v1, written within the limits that API servers check. Pure.
 */
#ifndef EK_KUBE_EVENT_BODY_H
#define EK_KUBE_EVENT_BODY_H

#include "kube/event.h"

#define EK_EVENT_MAX_NOTE 1024
#define EK_EVENT_MAX_WORD 128   /* reason, action, reporting controller and instance */

struct ek_event_text {
	struct ek_event_object regarding;
	const char *type, *reason, *action, *note;
	char name[254];         /* of the Event */
	int64_t wall_ms;        /* when it happened first */
};

/* Copies every string (the note cut to what is allowed, between characters); clear frees them. */
void ek_event_text_copy(struct ek_event_text *to, const struct ek_event_text *from);
void ek_event_text_clear(struct ek_event_text *text);

/* Both return the length, 0 when it did not fit. */
size_t ek_event_write(const struct ek_event_text *text, const char *controller, const char *instance, char *buffer, size_t size);
size_t ek_event_write_series(uint64_t count, int64_t last_wall_ms, char *buffer, size_t size);

#endif
