/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalog leaves behind when documents come and go: two files asked for in turn stay two mappings, and what is refused leaves nothing that grows.
 * The real operator does the same in tests/e2e/test_plugin_loading.py; here nothing but the catalog can be the cause.
 * Read next: host/plugin/catalog.h.
 */
#include "plugin/catalog.h"

#include <dirent.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kit/plugin_dir.h"

#define CHANGES 100
#define SETTLED 4

/* What this process holds now. */
struct footprint {
	unsigned n_mappings;           /* of memory files: other mappings are the allocator's */
	unsigned n_descriptors;
	size_t heap_bytes;             /* in use; 0 where a sanitizer has the heap */
};

static unsigned count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		n += strstr(line, "/memfd:") != NULL;
	fclose(maps);
	return n;
}

static unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(directory);
	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

static struct footprint look(void)
{
	struct footprint now = { .n_mappings = count_mappings(), .n_descriptors = count_descriptors() };

	now.heap_bytes = mallinfo2().uordblks;
	return now;
}

static void assert_no_more(struct footprint settled, struct footprint late)
{
	assert_int_equal(late.n_mappings, settled.n_mappings);
	assert_int_equal(late.n_descriptors, settled.n_descriptors);
	assert_true(late.heap_bytes <= settled.heap_bytes);
}

/* Two libraries: decent.so, and other.so with the same code and another digest. */
static void put_two(void)
{
	struct ek_buf *bytes = plugin_bytes("decent");

	plugin_put_bytes("decent.so", bytes->at, bytes->n, 0644);
	ek_buf_adds(bytes, "!");
	plugin_put_bytes("other.so", bytes->at, bytes->n, 0644);
}

static const char *file_of(unsigned change)
{
	return change % 2 ? "other.so" : "decent.so";
}

static void test_a_hundred_changes_between_two_files_stay_two_mappings(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(false);
	struct footprint settled = { 0 };
	struct ek_error err;

	put_two();
	for (unsigned change = 0; change < CHANGES; change++) {
		const struct ek_library *library = plugin_catalog_load(catalog, file_of(change), EK_PLUGIN_MODE, &err);

		assert_non_null(library);
		assert_string_equal(library->file, file_of(change));
		if (change == SETTLED)
			settled = look();
	}
	assert_int_equal(ek_catalog_count(catalog), 2);
	assert_true(settled.n_mappings > 0);
	assert_no_more(settled, look());
	ek_catalog_free(catalog);
}

static void test_a_hundred_changes_of_the_directory_change_nothing_for_the_same_files(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(false);
	struct footprint settled = { 0 };
	char directory[80];
	struct ek_error err;

	put_two();
	for (unsigned change = 0; change < CHANGES; change++) {
		snprintf(directory, sizeof(directory), "%s%s", plugin_dir, change % 2 ? "/" : "");
		ek_catalog_set_rules(catalog, &(struct ek_plugin_rules){ .directory = directory });
		assert_non_null(plugin_catalog_load(catalog, file_of(change / 2), EK_PLUGIN_MODE, &err));
		if (change == SETTLED)
			settled = look();
	}
	assert_no_more(settled, look());
	ek_catalog_free(catalog);
}

static void test_a_hundred_catalogs_one_after_another_share_what_the_process_mapped(void **state)
{
	struct footprint settled = { 0 };
	struct ek_error err;

	put_two();
	for (unsigned change = 0; change < CHANGES; change++) {
		struct ek_catalog *catalog = plugin_catalog(false);

		assert_non_null(plugin_catalog_load(catalog, "decent.so", EK_PLUGIN_MODE, &err));
		assert_non_null(plugin_catalog_load(catalog, "other.so", EK_PLUGIN_MODE, &err));
		ek_catalog_free(catalog);
		if (change == SETTLED)
			settled = look();
	}
	assert_no_more(settled, look());
}

static void test_what_is_refused_a_hundred_times_leaves_nothing_that_grows(void **state)
{
	/* Before it is opened, before it is mapped, after it was mapped; the wrong kind of one that is there. */
	static const char *const refused[] = { "nowhere.so", "newer-minor.so", "no-ops.so", "decent.so" };
	struct ek_catalog *catalog = plugin_catalog(false);
	struct footprint settled = { 0 };
	struct ek_error err;

	plugin_put("newer-minor");
	plugin_put("no-ops");
	plugin_put("decent");
	for (unsigned change = 0; change < CHANGES; change++) {
		for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
			enum ek_plugin_kind kind = i == 1 ? EK_PLUGIN_MODE : EK_PLUGIN_REGISTRY;

			assert_null(plugin_catalog_load(catalog, refused[i], kind, &err));
			assert_non_null(strstr(err.message, refused[i]));
		}
		if (change == SETTLED)
			settled = look();
	}
	assert_no_more(settled, look());
	ek_catalog_free(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLUGIN_CASE(test_a_hundred_changes_between_two_files_stay_two_mappings),
		PLUGIN_CASE(test_a_hundred_changes_of_the_directory_change_nothing_for_the_same_files),
		PLUGIN_CASE(test_a_hundred_catalogs_one_after_another_share_what_the_process_mapped),
		PLUGIN_CASE(test_what_is_refused_a_hundred_times_leaves_nothing_that_grows),
	};

	return cmocka_run_group_tests_name("catalog growth", tests, NULL, NULL);
}
