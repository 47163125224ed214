/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What base/timers promises: order, and freedom of the callbacks.
 * It has no clock: the tests say what time it is.
 * Next: host/base/timers.h.
 */
#include "base/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 6

struct fixture {
	struct ek_timers timers;
	struct ek_timer timer[N];
	char fired[64];
	struct ek_timer *victim;   /* what a callback disarms */
	struct ek_timer *revived;  /* what a callback arms for now */
};

struct owner {
	struct fixture *f;
	char name;
};

static struct owner owners[N];

static void note(void *arg)
{
	struct owner *owner = arg;
	size_t n = strlen(owner->f->fired);

	owner->f->fired[n] = owner->name;
	if (owner->f->victim)
		ek_timers_disarm(&owner->f->timers, owner->f->victim);
	owner->f->victim = NULL;
	if (owner->f->revived)
		ek_timers_arm(&owner->f->timers, owner->f->revived, 0);
	owner->f->revived = NULL;
}

static void set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	ek_timers_init(&f->timers);
	for (int i = 0; i < N; i++) {
		owners[i] = (struct owner){ f, (char)('a' + i) };
		ek_timer_init(&f->timer[i], note, &owners[i]);
	}
}

static void timers_fire_by_deadline(void **state)
{
	struct fixture f;

	set_up(&f);
	ek_timers_arm(&f.timers, &f.timer[0], 30);
	ek_timers_arm(&f.timers, &f.timer[1], 10);
	ek_timers_arm(&f.timers, &f.timer[2], 20);
	assert_int_equal(ek_timers_next_due(&f.timers), 10);
	assert_int_equal(ek_timers_run(&f.timers, 9), 0);
	assert_int_equal(ek_timers_run(&f.timers, 20), 2);
	assert_string_equal(f.fired, "bc");
	assert_int_equal(ek_timers_run(&f.timers, 1000), 1);
	assert_string_equal(f.fired, "bca");
	assert_true(ek_timers_next_due(&f.timers) == INT64_MAX);
	ek_timers_clear(&f.timers);
}

static void equal_deadlines_fire_in_the_order_of_arming(void **state)
{
	struct fixture f;

	set_up(&f);
	for (int i = N - 1; i >= 0; i--)
		ek_timers_arm(&f.timers, &f.timer[i], 5);
	ek_timers_arm(&f.timers, &f.timer[3], 5);
	ek_timers_run(&f.timers, 5);
	assert_string_equal(f.fired, "fecbad");
	ek_timers_clear(&f.timers);
}

static void a_fired_timer_is_not_armed_and_may_be_armed_again(void **state)
{
	struct fixture f;

	set_up(&f);
	ek_timers_arm(&f.timers, &f.timer[0], 1);
	assert_true(ek_timer_is_armed(&f.timer[0]));
	ek_timers_run(&f.timers, 1);
	assert_false(ek_timer_is_armed(&f.timer[0]));
	ek_timers_arm(&f.timers, &f.timer[0], 2);
	ek_timers_arm(&f.timers, &f.timer[0], 9);
	assert_int_equal(ek_timers_run(&f.timers, 8), 0);
	assert_int_equal(ek_timers_run(&f.timers, 9), 1);
	ek_timers_clear(&f.timers);
}

static void a_callback_may_disarm_one_that_is_due_as_well(void **state)
{
	struct fixture f;

	set_up(&f);
	for (int i = 0; i < 4; i++)
		ek_timers_arm(&f.timers, &f.timer[i], i);
	f.victim = &f.timer[1];
	assert_int_equal(ek_timers_run(&f.timers, 10), 3);
	assert_string_equal(f.fired, "acd");
	assert_false(ek_timer_is_armed(&f.timer[1]));
	ek_timers_clear(&f.timers);
}

static void what_a_callback_arms_for_now_waits_for_the_next_run(void **state)
{
	struct fixture f;

	set_up(&f);
	ek_timers_arm(&f.timers, &f.timer[0], 0);
	f.revived = &f.timer[0];
	assert_int_equal(ek_timers_run(&f.timers, 0), 1);
	assert_true(ek_timer_is_armed(&f.timer[0]));
	assert_int_equal(ek_timers_run(&f.timers, 0), 1);
	assert_string_equal(f.fired, "aa");
	ek_timers_clear(&f.timers);
}

static void a_callback_may_move_one_that_is_due_to_later(void **state)
{
	struct fixture f;

	set_up(&f);
	ek_timers_arm(&f.timers, &f.timer[0], 0);
	ek_timers_arm(&f.timers, &f.timer[1], 0);
	f.revived = &f.timer[1];
	assert_int_equal(ek_timers_run(&f.timers, 0), 1);
	assert_int_equal(ek_timers_run(&f.timers, 0), 1);
	assert_string_equal(f.fired, "ab");
	ek_timers_clear(&f.timers);
}

static int64_t last_due;
static void check_order(void *arg)
{
	struct ek_timer *timer = arg;

	assert_true(timer->due_ms >= last_due);
	last_due = timer->due_ms;
}

static void a_thousand_armed_and_disarmed_at_random_fire_in_order(void **state)
{
	enum { MANY = 1000 };
	struct ek_timer *many = calloc(MANY, sizeof(*many));
	struct ek_timers timers;
	unsigned armed = 0, fired;
	uint32_t random = 12345;

	ek_timers_init(&timers);
	for (int i = 0; i < MANY; i++)
		ek_timer_init(&many[i], check_order, &many[i]);
	for (int i = 0; i < 20 * MANY; i++) {
		struct ek_timer *timer;

		random = random * 1664525u + 1013904223u;
		timer = &many[(random >> 8) % MANY];
		if (random >> 31)
			ek_timers_arm(&timers, timer, (random >> 4) % 500);
		else
			ek_timers_disarm(&timers, timer);
	}
	for (int i = 0; i < MANY; i++)
		armed += ek_timer_is_armed(&many[i]);
	last_due = 0;
	fired = ek_timers_run(&timers, 250);
	fired += ek_timers_run(&timers, 500);
	assert_int_equal(fired, armed);
	ek_timers_clear(&timers);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_by_deadline),
		cmocka_unit_test(equal_deadlines_fire_in_the_order_of_arming),
		cmocka_unit_test(a_fired_timer_is_not_armed_and_may_be_armed_again),
		cmocka_unit_test(a_callback_may_disarm_one_that_is_due_as_well),
		cmocka_unit_test(what_a_callback_arms_for_now_waits_for_the_next_run),
		cmocka_unit_test(a_callback_may_move_one_that_is_due_to_later),
		cmocka_unit_test(a_thousand_armed_and_disarmed_at_random_fire_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
