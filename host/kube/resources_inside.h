/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of Services and of slices share: texts into the pool, arrays that grow, and texts that lie behind a record. */
#ifndef EK_KUBE_RESOURCES_INSIDE_H
#define EK_KUBE_RESOURCES_INSIDE_H

#include <stdlib.h>

#include <eurekube/json.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/intern.h"

#define EK_RESOURCE_TEXT 1024 /* more than any name, label or address of the API */

/* The next value as an interned text; NULL for null and "". */
static inline const char *ek_read_interned(struct ek_json *json, struct ek_intern *pool)
{
	char scratch[EK_RESOURCE_TEXT];
	struct ek_slice text = ek_json_slice(json, scratch, sizeof(scratch));

	return text.n ? ek_intern_ref(pool, text.at, text.n) : NULL;
}

/* Replaces what an earlier, equal key has left there. */
static inline void ek_read_into(struct ek_json *json, struct ek_intern *pool, const char **interned)
{
	ek_intern_unref(pool, *interned);
	*interned = ek_read_interned(json, pool);
}

/* Behind the texts so far; where it begins, 0 for an empty one. The texts begin with a NUL, so nothing begins at 0. */
static inline uint32_t ek_keep_text(struct ek_json *json, struct ek_buf *texts, struct ek_slice text)
{
	uint32_t at = (uint32_t)texts->n;

	if (!text.n)
		return 0;
	if (ek_buf_add(texts, text.at, text.n) || ek_buf_add(texts, "", 1)) {
		ek_json_fail(json, "its texts are too long");
		return 0;
	}
	return at;
}

static inline uint32_t ek_read_kept(struct ek_json *json, struct ek_buf *texts)
{
	char scratch[EK_RESOURCE_TEXT];

	return ek_keep_text(json, texts, ek_json_slice(json, scratch, sizeof(scratch)));
}

/* Room for one more element of `size` bytes behind `n`. */
static inline void *ek_grow(void *array, uint32_t n, uint32_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room ? *room * 2 : 8;
	return ek_xrealloc(array, *room, size);
}

#endif
