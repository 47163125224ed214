/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflector_query.h - the paths of lists and watches, with their parameters in the combinations that API servers accept. Pure.
 */
#ifndef EK_KUBE_REFLECTOR_QUERY_H
#define EK_KUBE_REFLECTOR_QUERY_H

#include <stdbool.h>

#include "base/buf.h"
#include "kube/reflector_endings.h"

#define EK_REFLECTOR_PAGE 500

struct ek_list_query {
	const char *path;
	const char *selectors;       /* escaped; NULL or "" none */
	enum ek_activity activity;
	const char *version;         /* "" the newest, for lists */
	const char *continue_token;  /* "" the first page */
	bool in_one_piece;
	int timeout_seconds;         /* of a stream or watch */
};

/* Replaces what `out` holds. EK_OK, or EK_TOO_BIG. */
int ek_list_query_write(const struct ek_list_query *query, struct ek_buf *out);

#endif
