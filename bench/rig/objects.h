/* SPDX-License-Identifier: Apache-2.0 */
/* Large clusters as JSON, one object at a time. `head` goes behind the first brace: `"kind":"Service","apiVersion":"v1",` in an event, "" in a list. */
#ifndef EK_BENCH_RIG_OBJECTS_H
#define EK_BENCH_RIG_OBJECTS_H

#include <stdio.h>

struct rig_slice {
	unsigned service, number;      /* the number-th slice of this Service */
	unsigned first, n_endpoints;   /* endpoints are numbered through the whole cluster */
	unsigned second;               /* of its trigger time, 0 to 9 */
};

void rig_write_service(FILE *out, const char *head, unsigned service);
void rig_write_slice(FILE *out, const char *head, const struct rig_slice *slice);

#endif
