/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two versions of a mode see differently for one syncer: which instances, and in them which fields. Counted in full, listed up to a bound; a comparison owns
 * its texts and outlives the evaluation that it was made in.
 */
#ifndef EK_SYNC_COMPARISON_H
#define EK_SYNC_COMPARISON_H

#include <eurekube/json.h>

#include "sync/evaluate.h"

#define EK_COMPARISON_LISTED 20
#define EK_COMPARISON_FIELDS 16

enum ek_difference_kind { EK_DIFFERENCE_ADDED, EK_DIFFERENCE_REMOVED, EK_DIFFERENCE_CHANGED }; /* by the second version */

struct ek_field_difference {
	const char *name;                  /* "metadata.version" */
	const char *stable, *canary;       /* its values, cut; NULL unset */
};

struct ek_instance_difference {
	const char *id;
	enum ek_difference_kind kind;
	unsigned n_fields;                 /* at most EK_COMPARISON_FIELDS; none unless CHANGED */
	struct ek_field_difference *fields;
};

struct ek_comparison {
	struct ek_arena arena;
	size_t n_differing;
	unsigned n_listed;
	struct ek_instance_difference listed[EK_COMPARISON_LISTED];
	const char *failure;               /* why the second version computed nothing; NULL: it did */
	uint64_t hash;                     /* of all differences: another one, other differences */
};

/* Instances with a status, sorted by id. */
struct ek_wanted_list {
	struct ek_wanted **at;
	size_t n;
};
struct ek_wanted_list ek_wanted_sort(struct ek_arena *scratch, struct ek_wanted *const *wanted, size_t n);
const struct ek_wanted *ek_wanted_find(const struct ek_wanted_list *list, const char *id);

/* Free with ek_comparison_free. */
struct ek_comparison *ek_comparison_new(const struct ek_wanted_list *stable, const struct ek_wanted_list *canary);
struct ek_comparison *ek_comparison_of_failure(const char *message);
void ek_comparison_free(struct ek_comparison *comparison);

/* Members differing, failure, instances of an object that the caller has opened. */
void ek_comparison_write(struct ek_json_writer *writer, const struct ek_comparison *comparison, bool with_values);

#endif
