/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io/file on a real file system: bounded reading, and watches that follow what a path leads to.
 * A watch looks once a second, so each of its tests takes that long.
 * Next: host/io/file.h.
 */
#include "io/file.h"

#include "unit/io_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static struct ek_loop *loop;

static int set_up(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test_io_file.XXXXXX");
	loop = ek_loop_new();
	return mkdtemp(directory) && !chdir(directory) ? 0 : -1;
}

static void remove_all(void)
{
	static const char *const names[] = { "file", "later", "..data", "..data_tmp", "mounted", "a/file",
		"b/file" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	rmdir("a");
	rmdir("b");
}

static int tear_down(void **state)
{
	remove_all();
	ek_loop_free(loop);
	return chdir("/") || rmdir(directory);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void count(void *arg)
{
	++*(unsigned *)arg;
}

static void a_file_is_read_whole(void **state)
{
	struct ek_buf buf;

	ek_buf_init(&buf, 100);
	ek_buf_adds(&buf, "old");
	write_file("file", "contents\n");
	assert_int_equal(ek_file_read("file", &buf, NULL), EK_OK);
	assert_string_equal(buf.at, "contents\n");
	ek_buf_clear(&buf);
}

static void what_cannot_be_read_says_why(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_buf buf;

	ek_buf_init(&buf, 4);
	assert_int_equal(ek_file_read("missing", &buf, &err), EK_GONE);
	assert_string_equal(err.message, "cannot read missing: No such file or directory");
	write_file("file", "12345");
	assert_int_equal(ek_file_read("file", &buf, &err), EK_TOO_BIG);
	assert_int_equal(ek_file_read(".", &buf, &err), EK_INVALID);
	chmod("file", 0);
	if (geteuid())
		assert_int_equal(ek_file_read("file", &buf, &err), EK_AUTH);
	ek_buf_clear(&buf);
}

static void a_change_is_told_once_and_a_standstill_never(void **state)
{
	unsigned n = 0;
	struct ek_file_watch *watch;

	write_file("file", "one");
	watch = ek_file_watch(loop, "file", count, &n);
	io_wait_within(loop, &n, 1, 1100);
	assert_int_equal(n, 0);
	write_file("file", "two");
	assert_true(io_wait(loop, &n, 1));
	io_wait_within(loop, NULL, 1, 1100);
	assert_int_equal(n, 1);
	ek_file_unwatch(watch);
}

static void a_file_that_comes_later_and_vanishes_is_seen(void **state)
{
	unsigned n = 0;
	struct ek_file_watch *watch = ek_file_watch(loop, "later", count, &n);

	write_file("later", "x");
	assert_true(io_wait(loop, &n, 1));
	unlink("later");
	assert_true(io_wait(loop, &n, 2));
	ek_file_unwatch(watch);
}

/* As the kubelet does it: mounted -> ..data/file, ..data -> a, and ..data is replaced by a rename. */
static void the_swap_of_a_mounted_directory_is_seen(void **state)
{
	unsigned n = 0;
	struct ek_file_watch *watch;
	struct ek_buf buf;

	ek_buf_init(&buf, 100);
	assert_int_equal(mkdir("a", 0700) | mkdir("b", 0700), 0);
	write_file("a/file", "one");
	write_file("b/file", "two");
	assert_int_equal(symlink("a", "..data") | symlink("..data/file", "mounted"), 0);
	watch = ek_file_watch(loop, "mounted", count, &n);
	assert_int_equal(symlink("b", "..data_tmp") | rename("..data_tmp", "..data"), 0);
	assert_true(io_wait(loop, &n, 1));
	assert_int_equal(ek_file_read("mounted", &buf, NULL), EK_OK);
	assert_string_equal(buf.at, "two");
	ek_file_unwatch(watch);
	ek_buf_clear(&buf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_whole),
		TEST(what_cannot_be_read_says_why),
		TEST(a_change_is_told_once_and_a_standstill_never),
		TEST(a_file_that_comes_later_and_vanishes_is_seen),
		TEST(the_swap_of_a_mounted_directory_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
