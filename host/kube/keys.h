/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of endpoints: 32 bits of a hash of a pod's name or of an address, as it stands in instance ids (sync/identity.h). Endpoints that share a key may influence
 * each other's place in a view; two that share none cannot. A hash that two names happen to share only makes more be looked at, never less.
 *
 * A set of keys says what has to be looked at. It is bounded: beyond EK_KEYS_MAX it means everything, and so does a change that no key can name.
 */
#ifndef EK_KUBE_KEYS_H
#define EK_KUBE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/resources.h"

#define EK_KEYS_MAX 512

struct ek_keys {
	uint32_t *at;                  /* owned */
	uint32_t n, room;
	bool is_all;                   /* then `at` is empty */
};

void ek_keys_add(struct ek_keys *keys, uint32_t key);              /* once */
void ek_keys_add_all(struct ek_keys *keys, const struct ek_keys *more);
void ek_keys_set_all(struct ek_keys *keys);
bool ek_keys_has(const struct ek_keys *keys, uint32_t key);
void ek_keys_clear(struct ek_keys *keys);                          /* empty, and frees */

uint32_t ek_key_of(const char *name);

/* The two keys of an endpoint; the same one twice where there is no pod. */
struct ek_endpoint_keys {
	uint32_t address, pod;
};
struct ek_endpoint_keys ek_endpoint_keys(const struct ek_record_slice *slice, const struct ek_record_endpoint *endpoint);

#endif
