/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_cluster.h - the part of a cluster that modes are shown: two Services of two types, with five endpoints, their pods and two nodes. Every call makes it anew in
 * memory of its own, so that a mode that remembers pointers is found out.
 */
#ifndef EK_SDK_CHECK_SAMPLE_CLUSTER_H
#define EK_SDK_CHECK_SAMPLE_CLUSTER_H

#include <stdbool.h>

#include <eurekube/mode.h>

#include "base/arena.h"

#define EK_SAMPLE_ENDPOINTS 5

struct ek_sample_wish {
	uint32_t reads;               /* enum ek_reads: what is filled */
	uint32_t flags;               /* of every endpoint */
	bool mixes_flags;             /* instead: of each endpoint another combination */
	int only;                     /* this endpoint alone, counted over all Services; -1: all */
	bool has_no_services;
	bool has_odd_objects;         /* of the resources that the mode reads: of every shape, whatever was given */
};

const struct ek_cluster *ek_sample_cluster(struct ek_arena *arena, const struct ek_sample_wish *wish);

#endif
