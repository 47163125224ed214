/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes Events (events.k8s.io/v1), best effort: created once per (object, reason, note); the same again within 30 minutes is only counted and, from the second
 * time on, patched into `series` at most once a minute. At most 1,000 keys and 10 creations a second with a burst of 50; above that dropped and counted.
 * Never blocks, never retries validation errors.
 */
#ifndef EK_KUBE_EVENT_H
#define EK_KUBE_EVENT_H

#include "kube/client.h"

struct ek_recorder;

struct ek_event_object {
	const char *api_version, *kind, *namespace_, *name, *uid;   /* namespace_ "" for cluster-scoped */
};

struct ek_recorder *ek_recorder_new(struct ek_loop *loop, struct ek_kube *kube, const char *reporting_controller, const char *reporting_instance);
void ek_recorder_free(struct ek_recorder *recorder);
/* type: "Normal" or "Warning"; reason, action: CamelCase; note is cut to 1,024 bytes. */
void ek_recorder_emit(struct ek_recorder *recorder, const struct ek_event_object *regarding, const char *type, const char *reason, const char *action, const char *note);
uint64_t ek_recorder_dropped(const struct ek_recorder *recorder);

#endif
