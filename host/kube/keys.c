/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes keys of endpoints and keeps small sets of them. What is done with them is store_index.c's and store_trace.c's; it looks at no slice but the one it is given.
 * Read store_index.c next.
 */
#include "kube/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

bool ek_keys_has(const struct ek_keys *keys, uint32_t key)
{
	for (uint32_t i = 0; i < keys->n; i++)
		if (keys->at[i] == key)
			return true;
	return keys->is_all;
}

void ek_keys_set_all(struct ek_keys *keys)
{
	ek_keys_clear(keys);
	keys->is_all = true;
}

void ek_keys_add(struct ek_keys *keys, uint32_t key)
{
	if (ek_keys_has(keys, key))
		return;
	if (keys->n == EK_KEYS_MAX) {
		ek_keys_set_all(keys);
		return;
	}
	if (keys->n == keys->room) {
		keys->room = keys->room ? keys->room * 2 : 8;
		keys->at = ek_xrealloc(keys->at, keys->room, sizeof(*keys->at));
	}
	keys->at[keys->n++] = key;
}

void ek_keys_add_all(struct ek_keys *keys, const struct ek_keys *more)
{
	if (more->is_all)
		ek_keys_set_all(keys);
	for (uint32_t i = 0; i < more->n; i++)
		ek_keys_add(keys, more->at[i]);
}

void ek_keys_clear(struct ek_keys *keys)
{
	free(keys->at);
	*keys = (struct ek_keys){ .at = NULL };
}

/* Colons become dashes, as they do in an instance's id. */
uint32_t ek_key_of(const char *name)
{
	size_t n = strlen(name);
	char text[EK_ADDRESS_TEXT];

	if (n >= sizeof(text) || !memchr(name, ':', n))
		return (uint32_t)ek_hash64(EK_HASH_SEED, name, n);
	for (size_t i = 0; i < n; i++)
		text[i] = name[i] == ':' ? '-' : name[i];
	return (uint32_t)ek_hash64(EK_HASH_SEED, text, n);
}

struct ek_endpoint_keys ek_endpoint_keys(const struct ek_record_slice *slice, const struct ek_record_endpoint *endpoint)
{
	char text[EK_ADDRESS_TEXT];
	struct ek_endpoint_keys keys = { .address = ek_key_of(ek_record_address(endpoint, text)) };

	keys.pod = endpoint->has_pod ? ek_key_of(slice->texts + endpoint->pod_name) : keys.address;
	return keys;
}
