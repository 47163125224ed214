/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger as a table: finding, growing, dropping, walking, and what it notes of failures.
 * It does not judge entries: test_plan.c does.
 * Read next: host/sync/ledger.c.
 */
#include "sync/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 5000

static const char *id_of(int i)
{
	static char id[64];

	snprintf(id, sizeof(id), "c:n:A:pod-%d:8080", i);
	return id;
}

static void what_is_added_is_found_however_many_there_are(void **state)
{
	struct ek_ledger ledger;
	struct ek_ledger_entry *first;

	ek_ledger_init(&ledger);
	first = ek_ledger_add(&ledger, id_of(0));
	for (int i = 1; i < MANY; i++)
		assert_string_equal(ek_ledger_add(&ledger, id_of(i))->id, id_of(i));
	assert_int_equal(ledger.n, MANY);
	assert_ptr_equal(ek_ledger_find(&ledger, id_of(0)), first); /* entries stay where they are */
	for (int i = 0; i < MANY; i++)
		assert_string_equal(ek_ledger_find(&ledger, id_of(i))->id, id_of(i));
	assert_null(ek_ledger_find(&ledger, id_of(MANY)));
	ek_ledger_clear(&ledger);
}

static void the_entries_of_one_name_are_found_without_application_and_port(void **state)
{
	static const char *const ids[] = { "c:n:A:pod-1:8080", "c:n:B:pod-1:9090", "c:other:A:pod-1:8080", "c:n:A:pod-2:8080" };
	const struct ek_ledger_entry *entry = NULL;
	struct ek_ledger ledger;
	uint32_t key;
	unsigned n = 0;

	ek_ledger_init(&ledger);
	for (size_t i = 0; i < 4; i++)
		ek_ledger_add(&ledger, ids[i]);
	key = (uint32_t)ek_ledger_find(&ledger, ids[0])->name_hash;
	while ((entry = ek_ledger_next_named(&ledger, "n", key, entry))) {
		assert_true(strcmp(entry->id, ids[0]) == 0 || strcmp(entry->id, ids[1]) == 0);
		n++;
	}
	assert_int_equal(n, 2);
	assert_string_equal(ek_ledger_find_named(&ledger, "n", key, ids[1])->id, ids[1]);
	assert_null(ek_ledger_find_named(&ledger, "n", key, ids[2]));
	ek_ledger_clear(&ledger);
}

static void a_new_entry_knows_nothing_and_wants_nothing(void **state)
{
	struct ek_ledger ledger;
	const struct ek_ledger_entry *entry;

	ek_ledger_init(&ledger);
	entry = ek_ledger_add(&ledger, "a");
	assert_int_equal(entry->known, EK_KNOWN_NOTHING);
	assert_int_equal(entry->want_status, EK_STATUS_NONE);
	assert_null(entry->wheel_prev);
	assert_null(entry->syncer_prev);
	ek_ledger_clear(&ledger);
}

static void the_other_entries_stay_when_one_is_dropped(void **state)
{
	struct ek_ledger ledger;

	ek_ledger_init(&ledger);
	for (int i = 0; i < MANY; i++)
		ek_ledger_add(&ledger, id_of(i));
	for (int i = 0; i < MANY; i += 2)
		ek_ledger_drop(&ledger, ek_ledger_find(&ledger, id_of(i)));
	assert_int_equal(ledger.n, MANY / 2);
	for (int i = 0; i < MANY; i++)
		assert_true((ek_ledger_find(&ledger, id_of(i)) != NULL) == (i % 2 == 1));
	ek_ledger_clear(&ledger);
}

struct walk {
	struct ek_ledger *ledger;
	size_t n;
};

static void drop_every_one(void *arg, struct ek_ledger_entry *entry)
{
	struct walk *walk = arg;

	walk->n++;
	ek_ledger_drop(walk->ledger, entry);
}

static void a_walk_may_drop_the_entry_it_is_given(void **state)
{
	struct ek_ledger ledger;
	struct walk walk = { .ledger = &ledger };

	ek_ledger_init(&ledger);
	for (int i = 0; i < MANY; i++)
		ek_ledger_add(&ledger, id_of(i));
	ek_ledger_each(&ledger, drop_every_one, &walk);
	assert_int_equal(walk.n, MANY);
	assert_int_equal(ledger.n, 0);
	ek_ledger_clear(&ledger);
}

static void a_failure_is_noted_since_its_first_time(void **state)
{
	struct ek_ledger ledger;
	struct ek_ledger_entry *entry;
	char text[400];

	ek_ledger_init(&ledger);
	entry = ek_ledger_add(&ledger, "a");
	ek_ledger_note_failure(entry, EK_RETRY, "no route", 5000);
	ek_ledger_note_failure(entry, EK_RETRY, "no route", 6000);
	assert_string_equal(entry->last_message, "no route");
	assert_int_equal(entry->failing_since_wall_ms, 5000);
	ek_ledger_note_failure(entry, EK_AUTH, "who are you", 7000);
	assert_int_equal(entry->last_code, EK_AUTH);
	assert_string_equal(entry->last_message, "who are you");
	assert_int_equal(entry->failing_since_wall_ms, 5000);
	ek_ledger_note_failure(entry, EK_RETRY, NULL, 8000);
	assert_null(entry->last_message);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ek_ledger_note_failure(entry, EK_RETRY, text, 9000);
	assert_int_equal(strlen(entry->last_message), 255);
	ek_ledger_clear(&ledger);
}

static void success_wipes_the_failure(void **state)
{
	struct ek_ledger ledger;
	struct ek_ledger_entry *entry;

	ek_ledger_init(&ledger);
	entry = ek_ledger_add(&ledger, "a");
	ek_ledger_note_failure(entry, EK_RETRY, "no route", 5000);
	entry->attempts = 3;
	entry->retry_at_ms = 9000;
	ek_ledger_note_success(entry);
	assert_int_equal(entry->last_code, EK_OK);
	assert_null(entry->last_message);
	assert_int_equal(entry->attempts, 0);
	assert_int_equal(entry->retry_at_ms, 0);
	assert_int_equal(entry->failing_since_wall_ms, 0);
	ek_ledger_note_failure(entry, EK_RETRY, "again", 7000);
	assert_int_equal(entry->failing_since_wall_ms, 7000);
	ek_ledger_clear(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_found_however_many_there_are),
		cmocka_unit_test(the_entries_of_one_name_are_found_without_application_and_port),
		cmocka_unit_test(a_new_entry_knows_nothing_and_wants_nothing),
		cmocka_unit_test(the_other_entries_stay_when_one_is_dropped),
		cmocka_unit_test(a_walk_may_drop_the_entry_it_is_given),
		cmocka_unit_test(a_failure_is_noted_since_its_first_time),
		cmocka_unit_test(success_wipes_the_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
