/* SPDX-License-Identifier: Apache-2.0 */
/* The watch splitter: bytes in pieces of any size give the same events as the same bytes at once. */
#include "fuzz/fuzz.h"

#include <stdio.h>

#include "base/hash.h"
#include "kube/watch.h"

struct outcome {
	uint64_t hash;
	size_t n;
	int code;
};

static int on_event(void *arg, const struct ek_watch_event *event, struct ek_error *err)
{
	struct outcome *outcome = arg;

	(void)err;
	outcome->n++;
	outcome->hash = ek_hash64(ek_hash64_text(outcome->hash, event->resource_version), event->object.at ? event->object.at : "", event->object.n);
	outcome->hash += (uint64_t)event->type + event->is_initial_end + (uint64_t)event->status_code;
	return EK_OK;
}

static struct outcome run(const uint8_t *data, size_t size, size_t piece)
{
	struct outcome outcome = { .hash = EK_HASH_SEED };
	struct ek_watch_splitter splitter;
	struct ek_error err = EK_ERROR_INIT;

	ek_watch_splitter_init(&splitter, on_event, &outcome);
	for (size_t at = 0; at < size && outcome.code == EK_OK; at += piece)
		outcome.code = ek_watch_splitter_feed(&splitter, (const char *)data + at, piece < size - at ? piece : size - at, &err);
	ek_watch_splitter_clear(&splitter);
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
	return 0;
}
