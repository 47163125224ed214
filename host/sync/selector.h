/* SPDX-License-Identifier: Apache-2.0 */
/* Which Services a syncer selects: all its terms are ANDed. Pure. */
#ifndef EK_SYNC_SELECTOR_H
#define EK_SYNC_SELECTOR_H

#include <stdbool.h>

#include "kube/resources.h"
#include "sync/syncer.h"

/* The namespace is the caller's to compare; everything else of the selector is judged here, by the rules of Kubernetes' label selectors. */
bool ek_selector_matches(const struct ek_selector *selector, const struct ek_record_service *service);

/* One of 64 bits for a Service's name: two names may share a bit, one name never has two. */
uint64_t ek_name_bit(const char *name);

/* "app=rating, name rating" for messages. */
void ek_selector_describe(const struct ek_selector *selector, char *buffer, size_t size);

#endif
