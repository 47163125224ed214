/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease wheel in virtual time: when entries come out of it, how they are spread, and that nothing is lost.
 * It renews nothing: test_serving.c shows leases living.
 * Read next: host/sync/lease.c.
 */
#include "sync/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/sim.h"

#define PERIOD 27000
#define MANY   1000

struct bench {
	struct ek_loop *loop;
	struct ek_ledger ledger;
	struct ek_lease_wheel wheel;
	bool goes_on;                  /* what comes out goes in again for its next turn */
	unsigned n_renewed, most_in_a_second, in_this_second;
	int64_t latest, earliest, second;
	int64_t due_first[MANY];       /* by number: when it came out first */
	unsigned n_turns[MANY];
};

static void renew(void *arg, struct ek_ledger_entry *entry)
{
	struct bench *bench = arg;
	int64_t now = ek_loop_now_ms(bench->loop), late = now - entry->due_ms;
	int number = atoi(entry->id + 1);

	assert_null(entry->wheel_prev);
	bench->latest = late > bench->latest ? late : bench->latest;
	bench->earliest = late < bench->earliest ? late : bench->earliest;
	if (now / 1000 != bench->second)
		bench->in_this_second = 0;
	bench->second = now / 1000;
	if (++bench->in_this_second > bench->most_in_a_second)
		bench->most_in_a_second = bench->in_this_second;
	bench->n_renewed++;
	if (!bench->n_turns[number]++)
		bench->due_first[number] = now;
	if (bench->goes_on)
		ek_lease_add_next(&bench->wheel, entry);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->loop = sim_loop_new(7);
	ek_ledger_init(&bench->ledger);
	ek_lease_init(&bench->wheel, bench->loop, PERIOD, renew, bench);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	ek_lease_clear(&bench->wheel);
	assert_int_equal(sim_armed_timers(bench->loop), 0);
	ek_ledger_clear(&bench->ledger);
	ek_loop_free(bench->loop);
	free(bench);
	return 0;
}

static struct ek_ledger_entry *an_entry(struct bench *bench, int number)
{
	char id[32];

	snprintf(id, sizeof(id), "p%d", number);
	return ek_ledger_add(&bench->ledger, id);
}

static void a_burst_of_registrations_is_no_burst_of_renewals(void **state)
{
	struct bench *bench = *state;

	bench->goes_on = true;
	for (int i = 0; i < MANY; i++)
		ek_lease_add_next(&bench->wheel, an_entry(bench, i));
	sim_advance(bench->loop, 10 * PERIOD + bench->wheel.slot_ms);
	/* 37 a second would be even */
	if (bench->most_in_a_second > 75)
		fail_msg("%u renewals in one second", bench->most_in_a_second);
	assert_in_range(bench->n_renewed, 10 * MANY, 10 * MANY + 10);
	for (int i = 0; i < MANY; i++)
		assert_in_range(bench->n_turns[i], 10, 11);
}

static void nobody_is_early_nor_late_by_more_than_a_slot(void **state)
{
	struct bench *bench = *state;

	bench->goes_on = true;
	for (int i = 0; i < MANY; i++) {
		ek_lease_add_next(&bench->wheel, an_entry(bench, i));
		sim_advance(bench->loop, 13);
	}
	sim_advance(bench->loop, 5 * PERIOD);
	assert_in_range(bench->latest, 0, bench->wheel.slot_ms);
	assert_int_equal(bench->earliest, 0);
}

static void the_first_turn_comes_within_one_period(void **state)
{
	struct bench *bench = *state;
	int64_t start = ek_loop_now_ms(bench->loop);

	for (int i = 0; i < MANY; i++)
		ek_lease_add_next(&bench->wheel, an_entry(bench, i));
	sim_advance(bench->loop, PERIOD + bench->wheel.slot_ms);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(bench->n_turns[i], 1);
		assert_in_range(bench->due_first[i], start, start + PERIOD + bench->wheel.slot_ms);
	}
}

static void what_is_due_beyond_the_ring_comes_at_its_time(void **state)
{
	struct bench *bench = *state;
	static const int64_t delays[] = { 0, 1, 53000, 54000, 55000, 300000, 3600000, 86400000 };
	int64_t start = ek_loop_now_ms(bench->loop);

	for (int i = 0; i < 8; i++)
		ek_lease_add_at(&bench->wheel, an_entry(bench, i), start + delays[i]);
	sim_advance(bench->loop, 86400000 + bench->wheel.slot_ms);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(bench->n_turns[i], 1);
		assert_in_range(bench->due_first[i], start + delays[i], start + delays[i] + bench->wheel.slot_ms);
	}
}

static void what_was_due_already_comes_at_once(void **state)
{
	struct bench *bench = *state;

	sim_advance(bench->loop, 100000);
	ek_lease_add_at(&bench->wheel, an_entry(bench, 0), 5);
	sim_advance(bench->loop, bench->wheel.slot_ms);
	assert_int_equal(bench->n_turns[0], 1);
}

static void an_entry_that_is_moved_comes_once(void **state)
{
	struct bench *bench = *state;
	struct ek_ledger_entry *entry = an_entry(bench, 0);
	int64_t start = ek_loop_now_ms(bench->loop);

	ek_lease_add_at(&bench->wheel, entry, start + 5000);
	ek_lease_add_at(&bench->wheel, an_entry(bench, 1), start + 6000);
	ek_lease_add_at(&bench->wheel, entry, start + 9000);
	assert_int_equal(bench->wheel.n, 2);
	sim_advance(bench->loop, 8000);
	assert_int_equal(bench->n_turns[0], 0);
	sim_advance(bench->loop, 100000);
	assert_int_equal(bench->n_turns[0], 1);
	assert_in_range(bench->due_first[0], start + 9000, start + 9000 + bench->wheel.slot_ms);
}

static void what_is_taken_out_never_comes(void **state)
{
	struct bench *bench = *state;
	struct ek_ledger_entry *entries[MANY];

	for (int i = 0; i < MANY; i++)
		ek_lease_add_next(&bench->wheel, entries[i] = an_entry(bench, i));
	for (int i = 0; i < MANY; i += 2) {
		ek_lease_remove(&bench->wheel, entries[i]);
		ek_lease_remove(&bench->wheel, entries[i]); /* twice does no harm */
	}
	sim_advance(bench->loop, 2 * PERIOD);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(bench->n_turns[i], i % 2);
	assert_int_equal(bench->wheel.n, 0);
}

static void an_empty_wheel_keeps_no_timer(void **state)
{
	struct bench *bench = *state;
	struct ek_ledger_entry *entry = an_entry(bench, 0);

	assert_int_equal(sim_armed_timers(bench->loop), 0);
	ek_lease_add_next(&bench->wheel, entry);
	assert_int_equal(sim_armed_timers(bench->loop), 1);
	ek_lease_remove(&bench->wheel, entry);
	assert_int_equal(sim_armed_timers(bench->loop), 0);
}

static void a_wheel_that_slept_empty_starts_where_time_is(void **state)
{
	struct bench *bench = *state;
	int64_t now;

	ek_lease_add_next(&bench->wheel, an_entry(bench, 0));
	sim_advance(bench->loop, 1000000);
	assert_int_equal(bench->n_turns[0], 1);
	now = ek_loop_now_ms(bench->loop);
	ek_lease_add_at(&bench->wheel, an_entry(bench, 1), now + 500);
	sim_advance(bench->loop, 10000);
	assert_in_range(bench->due_first[1], now + 500, now + 500 + bench->wheel.slot_ms);
}

#define WHEEL(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHEEL(a_burst_of_registrations_is_no_burst_of_renewals),
		WHEEL(nobody_is_early_nor_late_by_more_than_a_slot),
		WHEEL(the_first_turn_comes_within_one_period),
		WHEEL(what_is_due_beyond_the_ring_comes_at_its_time),
		WHEEL(what_was_due_already_comes_at_once),
		WHEEL(an_entry_that_is_moved_comes_once),
		WHEEL(what_is_taken_out_never_comes),
		WHEEL(an_empty_wheel_keeps_no_timer),
		WHEEL(a_wheel_that_slept_empty_starts_where_time_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
