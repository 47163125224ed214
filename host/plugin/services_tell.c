/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin wants people to see: its log lines, counters and gauges, within bounds.
 * It does not print metrics; app/metrics does, by ek_services_each_metric.
 * Read next: base/log.h for the folding of repeats.
 */
#include "plugin/services_inside.h"

#include <string.h>

#define LOG_FIELDS     12
#define LOG_BURST      100  /* lines at once, then 20 a second; what repeats is folded besides */
#define LOG_PER_SECOND 20

/* ---- Log ---- */

static bool may_log(struct ek_services *services)
{
	int64_t now_ms = ek_loop_now_ms(services->loop);
	int64_t refill = (now_ms - services->log_refill_ms) * LOG_PER_SECOND / 1000;

	if (refill > 0) {
		services->log_credit = refill + services->log_credit > LOG_BURST ? LOG_BURST : services->log_credit + (unsigned)refill;
		services->log_refill_ms = now_ms;
	}
	if (!services->log_credit) {
		services->log_dropped++;
		return false;
	}
	services->log_credit--;
	return true;
}

/* The log cuts long texts and mends bad ones; here they need only be there. */
static bool is_line(const char *message, const struct ek_pair *const *pairs, uint32_t n_pairs)
{
	if (!message || (n_pairs && !pairs))
		return false;
	for (uint32_t i = 0; i < n_pairs && i < LOG_FIELDS; i++)
		if (!pairs[i] || !pairs[i]->key || !pairs[i]->value)
			return false;
	return true;
}

static void log_line(const struct ek_host *host, uint32_t level, const char *message, const struct ek_pair *const *pairs,
	uint32_t n_pairs)
{
	struct ek_services *services = ek_services_of(host);
	struct ek_field fields[LOG_FIELDS + 1];
	enum ek_log_level known = level > EK_LOG_ERROR ? EK_LOG_ERROR : level < EK_LOG_DEBUG ? EK_LOG_DEBUG : (enum ek_log_level)level;
	unsigned n = 0;

	if (!ek_services_is_welcome(services, "log"))
		return;
	if (!is_line(message, pairs, n_pairs)) {
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "logs a text that is NULL");
		return;
	}
	if (!ek_log_is_on(known) || !may_log(services))
		return;
	for (; n < n_pairs && n < LOG_FIELDS; n++)
		fields[n] = EK_S(pairs[n]->key, pairs[n]->value);
	if (services->log_dropped)
		fields[n++] = EK_I("dropped_before", services->log_dropped);
	services->log_dropped = 0;
	ek_log_write(&services->log, known, message, fields, n);
}

/* ---- Metrics ---- */

static bool is_metric_name(const char *name)
{
	static const char *const ours[] = { "calls", "slow_calls", "longest_call_seconds", "misbehaviour" };
	size_t n = name && strnlen(name, 41) <= 40 ? strspn(name, "abcdefghijklmnopqrstuvwxyz_") : 0;

	for (size_t i = 0; n && i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(name, ours[i]) == 0)
			return false;
	/* A gauge that ends like a counter would be one series with another one's counter, and the whole page unreadable. */
	return n && name[n] == '\0' && !(n >= 6 && strcmp(name + n - 6, "_total") == 0);
}

/* NULL: not to be had, and that was said once. */
static struct ek_metric *find_metric(struct ek_services *services, const char *name, bool is_counter)
{
	if (!ek_services_is_welcome(services, is_counter ? "count" : "gauge"))
		return NULL;
	for (unsigned i = 0; name && i < services->n_metrics; i++)
		if (!strcmp(services->metrics[i].name, name) && services->metrics[i].is_counter == is_counter)
			return &services->metrics[i];
	if (is_metric_name(name) && services->n_metrics < EK_METRICS_MAX) {
		struct ek_metric *metric = &services->metrics[services->n_metrics++];

		snprintf(metric->name, sizeof(metric->name), "%s", name);
		metric->is_counter = is_counter;
		return metric;
	}
	if (!services->told_bad_metric)
		EK_WARN(&services->log, "a plugin's metric is left out; names are [a-z_]{1,40}, not those of the host, at most 32", EK_S("metric", name ? name : "NULL"));
	services->told_bad_metric = true;
	return NULL;
}

static void count(const struct ek_host *host, const char *name, uint64_t delta)
{
	struct ek_metric *metric = find_metric(ek_services_of(host), name, true);

	if (metric)
		metric->count += delta;
}

static void gauge(const struct ek_host *host, const char *name, double value)
{
	struct ek_metric *metric = find_metric(ek_services_of(host), name, false);

	if (metric)
		metric->gauge = value;
}

void ek_services_each_metric(const struct ek_services *services, void (*fn)(void *arg, const char *name, bool is_counter, double value),
	void *arg)
{
	for (unsigned i = 0; i < services->n_metrics; i++) {
		const struct ek_metric *metric = &services->metrics[i];

		fn(arg, metric->name, metric->is_counter, metric->is_counter ? (double)metric->count : metric->gauge);
	}
}

void ek_services_tell_init(struct ek_services *services)
{
	services->log_credit = LOG_BURST;
	services->log_refill_ms = ek_loop_now_ms(services->loop);
	services->host.log = log_line;
	services->host.count = count;
	services->host.gauge = gauge;
}
