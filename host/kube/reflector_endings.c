/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides what follows the end of a list or a watch, and after how long.
 * It does nothing itself and keeps no state: reflector.c counts failures and carries out the verdict.
 * Read next: reflector.c.
 */
#include "kube/reflector_endings.h"

#define BACKOFF_MS         1000 /* half of it is jitter: 0.5 to 1 s the first time */
#define BACKOFF_MAX_MS     5000
#define BACKOFF_LATE_MS    30000
#define OUTAGE_IS_LONG_MS  (10 * 60 * 1000)
#define RETRY_AFTER_MAX_MS 60000

/* The same again: a watch goes on where it was, a list starts over. */
static struct ek_verdict again(const struct ek_ending *ending, enum ek_reflector_cause cause)
{
	return (struct ek_verdict){
		.next = ending->during == EK_WATCHING ? EK_NEXT_WATCH : EK_NEXT_LIST,
		.version = ending->during == EK_WATCHING ? EK_VERSION_LAST : ending->asked,
		.pace = EK_PACE_BACKOFF,
		.cause = cause,
	};
}

static struct ek_verdict list(enum ek_version version, enum ek_pace pace, enum ek_reflector_cause cause)
{
	return (struct ek_verdict){ .next = EK_NEXT_LIST, .version = version, .pace = pace, .cause = cause };
}

/* A position that failed many times is given up: from a watch to a list not older than it, from there to any list. */
static struct ek_verdict again_but_not_for_ever(const struct ek_ending *ending, enum ek_reflector_cause cause)
{
	if (ending->n_failures < EK_REFLECTOR_MAX_FAILURES)
		return again(ending, cause);
	return list(ending->during == EK_WATCHING ? EK_VERSION_LAST : EK_VERSION_NEWEST, EK_PACE_BACKOFF, cause);
}

static struct ek_verdict judge_clean_end(const struct ek_ending *ending)
{
	struct ek_verdict verdict = again_but_not_for_ever(ending, EK_CAUSE_END);

	if (ending->during != EK_WATCHING || ending->is_short)
		return verdict;
	verdict = again(ending, EK_CAUSE_END);
	if (ending->n_empty >= EK_REFLECTOR_MAX_EMPTY)
		return list(EK_VERSION_LAST, EK_PACE_AT_ONCE, EK_CAUSE_END);
	verdict.pace = EK_PACE_AT_ONCE;
	return verdict;
}

static struct ek_verdict judge_expired(const struct ek_ending *ending)
{
	enum ek_version version = ending->is_rv_too_large ? EK_VERSION_NEWEST : EK_VERSION_LAST;
	struct ek_verdict verdict;

	/* After a restart each server says so once, and the wait for the server is behind us. Twice in a row is a fault. */
	if (ending->during == EK_WATCHING)
		return list(version, ending->n_expired ? EK_PACE_BACKOFF : EK_PACE_AT_ONCE, EK_CAUSE_EXPIRED);
	if (ending->asked == EK_VERSION_LAST && !ending->is_continued)
		return list(EK_VERSION_NEWEST, EK_PACE_AT_ONCE, EK_CAUSE_EXPIRED);
	verdict = again(ending, EK_CAUSE_EXPIRED);
	if (ending->is_continued) {
		verdict.pace = EK_PACE_AT_ONCE;
		verdict.in_pages = true;
		verdict.in_one_piece = true;
	}
	return verdict;
}

/* The request is not understood: a streaming list may not exist, a position may be malformed. */
static struct ek_verdict judge_refusal(const struct ek_ending *ending)
{
	struct ek_verdict verdict = list(EK_VERSION_NEWEST, EK_PACE_BACKOFF, EK_CAUSE_SERVER);

	if (ending->during == EK_READING_STREAM) {
		verdict.version = ending->asked;
		verdict.pace = EK_PACE_AT_ONCE;
		verdict.refuses_streams = true;
	} else if (ending->during == EK_READING_PAGES && ending->asked == EK_VERSION_NEWEST) {
		verdict.pace = EK_PACE_SLOW;
	}
	return verdict;
}

static struct ek_verdict judge_auth(const struct ek_ending *ending)
{
	if (!ending->status)
		return again_but_not_for_ever(ending, EK_CAUSE_TRANSPORT); /* TLS */
	return again(ending, EK_CAUSE_AUTH);
}

static struct ek_verdict judge_failure(const struct ek_ending *ending)
{
	switch (ending->code) {
	case EK_THROTTLED:
		return again(ending, EK_CAUSE_THROTTLED);
	case EK_AUTH:
		return judge_auth(ending);
	case EK_GONE: /* no such collection; it may come, or come back */
		return list(ending->during == EK_WATCHING ? EK_VERSION_LAST : ending->asked, EK_PACE_SLOW, EK_CAUSE_SERVER);
	case EK_INVALID:
	case EK_TOO_BIG:
	case EK_CONFLICT:
		return judge_refusal(ending);
	default:
		return again_but_not_for_ever(ending, ending->status >= 300 ? EK_CAUSE_SERVER : EK_CAUSE_TRANSPORT);
	}
}

static struct ek_verdict judge(const struct ek_ending *ending)
{
	struct ek_verdict verdict;

	if (ending->is_undecodable) {
		verdict = list(EK_VERSION_LAST, EK_PACE_BACKOFF, EK_CAUSE_DECODE);
		verdict.in_pages = ending->during == EK_READING_STREAM;
		return verdict;
	}
	if (ending->is_silent) {
		verdict = list(ending->asked, EK_PACE_AT_ONCE, EK_CAUSE_SERVER);
		verdict.in_pages = true;
		return verdict;
	}
	if (ending->is_rv_too_large || ending->is_expired || ending->code == EK_EXPIRED)
		return judge_expired(ending);
	return ending->code == EK_OK ? judge_clean_end(ending) : judge_failure(ending);
}

struct ek_verdict ek_ending_judge(const struct ek_ending *ending)
{
	struct ek_verdict verdict = judge(ending);

	if (ending->is_audit && ending->during != EK_WATCHING && verdict.pace != EK_PACE_AT_ONCE)
		verdict.next = EK_NEXT_WATCH;
	return verdict;
}

int64_t ek_backoff_ms(enum ek_pace pace, unsigned n_failures, int64_t outage_ms, int64_t retry_after_ms, uint64_t random)
{
	bool is_late = pace == EK_PACE_SLOW || outage_ms >= OUTAGE_IS_LONG_MS;
	int64_t cap = is_late ? BACKOFF_LATE_MS : BACKOFF_MAX_MS;
	int64_t base = BACKOFF_MS, delay;

	if (pace == EK_PACE_AT_ONCE)
		return 0;
	for (unsigned i = 1; i < n_failures && base < cap; i++)
		base *= 2;
	if (base > cap)
		base = cap;
	delay = base / 2 + (int64_t)(random % (uint64_t)(base / 2 + 1));
	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	return delay > retry_after_ms ? delay : retry_after_ms;
}
