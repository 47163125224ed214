/* SPDX-License-Identifier: Apache-2.0 */
/* The list splitter: bytes in pieces of any size give the same items, version and token as the same bytes at once. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "kube/watch.h"

struct outcome {
	uint64_t hash;
	size_t n;
	int code;
	bool is_complete;
	char version[EK_RV_MAX];
};

static int on_item(void *arg, struct ek_slice item, struct ek_error *err)
{
	struct outcome *outcome = arg;

	(void)err;
	outcome->n++;
	outcome->hash = ek_hash64(outcome->hash, item.at, item.n);
	return EK_OK;
}

static struct outcome run(const uint8_t *data, size_t size, size_t piece)
{
	struct outcome outcome = { .hash = EK_HASH_SEED };
	struct ek_list_splitter splitter;
	struct ek_error err = EK_ERROR_INIT;

	ek_list_splitter_init(&splitter, on_item, &outcome);
	for (size_t at = 0; at < size && outcome.code == EK_OK; at += piece)
		outcome.code = ek_list_splitter_feed(&splitter, (const char *)data + at, piece < size - at ? piece : size - at, &err);
	outcome.is_complete = splitter.is_complete;
	memcpy(outcome.version, splitter.resource_version, sizeof(outcome.version));
	outcome.hash = ek_hash64(outcome.hash, splitter.continue_token.n ? splitter.continue_token.at : "", splitter.continue_token.n);
	ek_list_splitter_clear(&splitter);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? 1 + data[0] % 61 : 1;
	struct outcome whole, pieces;

	if (size)
		data++, size--;
	whole = run(data, size, size ? size : 1);
	pieces = run(data, size, piece);
	FUZZ_ASSERT(whole.code == pieces.code);
	FUZZ_ASSERT(whole.n == pieces.n && whole.hash == pieces.hash);
	FUZZ_ASSERT(whole.code != EK_OK || (whole.is_complete == pieces.is_complete && strcmp(whole.version, pieces.version) == 0));
	return 0;
}
