/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs rules and keeps in mind which of them have failed.
 * It holds no rule itself and knows nothing of either kind of plugin.
 * Read next: mode_rules.c and registry_rules.c.
 */
#include "check.h"

#include <string.h>
#include <time.h>

int64_t ek_check_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *ek_check_saw(struct ek_check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->seen, sizeof(check->seen), format, args);
	va_end(args);
	return check->seen;
}

const char *ek_check_skip(struct ek_check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->seen, sizeof(check->seen), format, args);
	va_end(args);
	check->is_skipped = true;
	return check->seen;
}

static bool is_broken(const struct ek_check *check, const char *name)
{
	for (unsigned i = 0; name && i < check->n_broken; i++)
		if (!strcmp(check->broken[i], name))
			return true;
	return false;
}

static void mark_broken(struct ek_check *check, const char *name)
{
	if (check->n_broken < EK_CHECK_RULES_MAX)
		check->broken[check->n_broken++] = name;
}

static void run_one(struct ek_check *check, const struct ek_rule *rule)
{
	const char *fault;

	check->seen[0] = '\0';
	check->is_skipped = false;
	if (is_broken(check, rule->needs)) {
		mark_broken(check, rule->name);
		ek_report_rule(check->report, rule->name, rule->text, EK_VERDICT_SKIPPED, ek_check_skip(check, "needs %s", rule->needs));
		return;
	}
	fault = rule->run(check);
	if (fault && !check->is_skipped) {
		mark_broken(check, rule->name);
		check->n_failed++;
	}
	ek_report_rule(check->report, rule->name, rule->text,
		check->is_skipped ? EK_VERDICT_SKIPPED : fault ? EK_VERDICT_FAIL : EK_VERDICT_PASS, fault);
}

void ek_check_run(struct ek_check *check, const struct ek_rule *rules)
{
	for (; rules->name; rules++)
		run_one(check, rules);
}
