/* SPDX-License-Identifier: Apache-2.0 */
/* Durations by size, as a Prometheus histogram wants them; of fixed size, a few comparisons each. Zeroed is empty. */
#ifndef EK_BASE_HISTOGRAM_H
#define EK_BASE_HISTOGRAM_H

#include <stdint.h>

#define EK_HISTOGRAM_BUCKETS 12

struct ek_histogram {
	uint64_t counts[EK_HISTOGRAM_BUCKETS + 1], n;   /* counts: up to each bound and above the one before; the last: above all */
	double sum, longest;
};
extern const double ek_histogram_bounds[EK_HISTOGRAM_BUCKETS]; /* seconds */
void ek_histogram_add(struct ek_histogram *histogram, double seconds);

#endif
