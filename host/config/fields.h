/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h - a map of the document against a table of what it may hold. Each table row names a key, its type and where the value goes; what no row names is
 * refused, with line, column and the keys there are. Values that are absent or null leave what the caller has put there as default.
 */
#ifndef EK_CONFIG_FIELDS_H
#define EK_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "base/value.h"

/* Where we are: passed down while the tree is walked. */
struct ek_place {
	struct ek_arena *arena;          /* of the configuration */
	const struct ek_value *at;       /* the map being read; may be NULL */
	const char *path;                /* "modes.pod"; "" at the root */
	struct ek_error *err;
};

enum ek_field_type {
	EK_FIELD_TEXT,                   /* const char *; an empty text is one */
	EK_FIELD_PATH,                   /* const char *; an empty text becomes NULL */
	EK_FIELD_INTEGER,                /* int64_t, within minimum and maximum */
	EK_FIELD_BOOLEAN,                /* bool */
	EK_FIELD_RAW,                    /* const struct ek_value *; a map */
	EK_FIELD_OWN,                    /* read() does it */
};

struct ek_field_rule {
	const char *key;
	enum ek_field_type type;
	bool is_required;
	size_t offset;                   /* in the target; not for OWN */
	int64_t minimum, maximum;
	/* OWN: `place` stands at the value, its path names it. EK_FIELD_TEXT: may judge the text that was taken. */
	int (*read)(const struct ek_place *place, void *target);
	int (*check)(const struct ek_place *place, const char *text);
};

/* EK_OK, or EK_INVALID with place->err filled. Rows end with a NULL key. */
int ek_fields_read(const struct ek_place *place, const struct ek_field_rule *rules, void *target);

/* A place one level further down. */
struct ek_place ek_place_member(const struct ek_place *place, const struct ek_value *member);
struct ek_place ek_place_item(const struct ek_place *place, const struct ek_value *item, unsigned i);

/* "line L, column C: path: ..." */
EK_PRINTF(2, 3) int ek_place_fail(const struct ek_place *place, const char *format, ...);

/* Lists and maps: EK_INVALID unless the place is one (or absent). */
int ek_place_expect_list(const struct ek_place *place);
int ek_place_expect_map(const struct ek_place *place);

/* A list of texts that each pass `check` (NULL: any but empty ones). */
int ek_place_texts(const struct ek_place *place, int (*check)(const struct ek_place *place, const char *text), unsigned *n,
                   const char ***texts);

/* Checks for texts. */
int ek_check_name(const struct ek_place *place, const char *text);       /* [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?, as Kubernetes' labels */
int ek_check_cluster_id(const struct ek_place *place, const char *text); /* [a-z0-9-]{1,20} */
int ek_check_file_name(const struct ek_place *place, const char *text);  /* no slash */
int ek_check_sha256(const struct ek_place *place, const char *text);     /* empty, or 64 hex digits */

#endif
