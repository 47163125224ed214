/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts durations. The bounds are the same for all, from a turn of the loop to a late heartbeat.
 * It does not write them down; that is app/metrics.c's.
 * Next: histogram.h.
 */
#include "base/histogram.h"

const double ek_histogram_bounds[EK_HISTOGRAM_BUCKETS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30 };

void ek_histogram_add(struct ek_histogram *histogram, double seconds)
{
	unsigned i = 0;

	while (i < EK_HISTOGRAM_BUCKETS && seconds > ek_histogram_bounds[i])
		i++;
	histogram->counts[i]++;
	histogram->n++;
	histogram->sum += seconds;
	if (seconds > histogram->longest)
		histogram->longest = seconds;
}
