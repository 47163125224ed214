/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small document as a tree: what the configuration, a kubeconfig or a syncer's options look like after reading. Every node
 * knows its line and column, so that validation can say where. Nodes live in the arena they were read into.
 * Never used for lists of objects (those are streamed).
 */
#ifndef EK_BASE_VALUE_H
#define EK_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "base/arena.h"

enum ek_value_kind { EK_VALUE_NULL, EK_VALUE_SCALAR, EK_VALUE_LIST, EK_VALUE_MAP };

struct ek_value {
	enum ek_value_kind kind;
	bool is_quoted;                /* a scalar written in quotes: never a number or boolean */
	const char *text;              /* SCALAR: its text, unescaped; otherwise "" */
	const struct ek_value *first;  /* LIST, MAP: first member, linked by next, in the order of the document */
	const struct ek_value *next;
	const char *key;               /* this node's key in its map, NULL in lists and at the root */
	unsigned n;                    /* members */
	unsigned line, column;         /* 1-based; of the key in a map, else of the value */
};

/* NULL when `map` is NULL, not a map, or has no such key. */
const struct ek_value *ek_value_get(const struct ek_value *map, const char *key);
/* The scalar's text, or `otherwise` when value is NULL, null, or not a scalar. */
const char *ek_value_text(const struct ek_value *value, const char *otherwise);
/* EK_OK, or EK_INVALID with "line L, column C: ..." in err. A NULL or null value gives `otherwise`. */
int ek_value_integer(const struct ek_value *value, int64_t minimum, int64_t maximum, int64_t otherwise, int64_t *out, struct ek_error *err);
int ek_value_boolean(const struct ek_value *value, bool otherwise, bool *out, struct ek_error *err);

#endif
