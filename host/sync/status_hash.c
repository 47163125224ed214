/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares statuses by hash: what the API server gives back has its keys in another order and lacks what is null or empty. It reads JSON and nothing else.
 * Read status_json.c next.
 */
#include "sync/status_hash.h"

#include "base/hash.h"

static uint64_t hash_value(struct ek_json *json);

/* The kind goes through the hash first: seeds that are neighbours collide for texts of one byte. */
static uint64_t hash_scalar(const char *kind, struct ek_slice text)
{
	return ek_hash64(ek_hash64_text(EK_HASH_SEED, kind), text.at, text.n);
}

static uint64_t hash_object(struct ek_json *json)
{
	uint64_t sum = 0;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		uint64_t name = ek_hash64(EK_HASH_SEED, key.at, key.n), value = hash_value(json);

		if (value)
			sum += ek_hash64(name, &value, sizeof(value)); /* a sum does not know order */
	}
	return sum;
}

static uint64_t hash_array(struct ek_json *json)
{
	uint64_t hash = EK_HASH_SEED;
	bool has = false;

	for (ek_json_enter_array(json); ek_json_next_item(json); has = true) {
		uint64_t value = hash_value(json);

		hash = ek_hash64(hash, &value, sizeof(value));
	}
	return has ? hash : 0;
}

/* 0 for what counts as absent. */
static uint64_t hash_value(struct ek_json *json)
{
	char scratch[4096];
	struct ek_slice text;

	switch (ek_json_peek(json)) {
	case EK_JSON_OBJECT:
		return hash_object(json);
	case EK_JSON_ARRAY:
		return hash_array(json);
	case EK_JSON_STRING:
		text = ek_json_slice(json, scratch, sizeof(scratch));
		return hash_scalar("text", text);
	case EK_JSON_NULL:
	case EK_JSON_END:
		ek_json_skip(json);
		return 0;
	default:
		return hash_scalar("word", ek_json_raw(json));
	}
}

uint64_t ek_status_hash(struct ek_slice status)
{
	struct ek_json json;

	ek_json_init(&json, status.at, status.n);
	return hash_value(&json);
}
