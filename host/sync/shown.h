/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mode was shown: whether a pointer that it hands back is a Service of the view, or an endpoint of that Service. Cheap in whatever order it goes through
 * them.
 */
#ifndef EK_SYNC_SHOWN_H
#define EK_SYNC_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/mode.h>

#include "base/arena.h"

struct ek_shown {
	const struct ek_cluster *cluster;
	struct ek_arena *arena;             /* for the table */
	size_t n_endpoints;                 /* in the view */
	const struct ek_service *service;   /* asked for last */
	uint32_t next_service, next;        /* what is expected: the Service after it, and its endpoint */
	struct ek_shown_place *table;       /* open addressing; NULL until something comes out of order */
	size_t mask;
};

/* Borrows both until the last question. */
void ek_shown_init(struct ek_shown *shown, const struct ek_cluster *cluster, struct ek_arena *arena);
bool ek_shown_has_service(struct ek_shown *shown, const struct ek_service *service);
bool ek_shown_has_endpoint(struct ek_shown *shown, const struct ek_service *service, const struct ek_endpoint *endpoint);

#endif
