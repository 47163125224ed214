/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where plugins may be mapped from: memory files, and directories on read-only mounts for systems that forbid the former. What a system may
 * forbid is forbidden to a child process by a filter of system calls, which needs no rights; the real sysctl and real mounts are for
 * tests/house/test_memory_files.sh.
 * Read next: host/plugin/image.c, docs/loading.md.
 */
#include "plugin/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/plugin_dir.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* ---- Loading, here or in a process of its own ---- */

struct attempt {
	bool (*forbid)(void);          /* done to a child, which then loads; NULL: loads here */
	const char *file, *sha256;
	bool in_place;
};

struct outcome {
	bool is_possible;              /* forbid() could be done */
	char message[256];             /* "" loaded */
};

static struct outcome load_here(const struct attempt *attempt)
{
	struct ek_catalog *catalog =
		ek_catalog_new(&(struct ek_plugin_rules){ .directory = plugin_dir, .read_only_directory = attempt->in_place });
	struct outcome outcome = { .is_possible = true };
	struct ek_error err = EK_ERROR_INIT;

	ek_catalog_load(catalog, attempt->file, attempt->sha256, EK_PLUGIN_MODE, &err);
	snprintf(outcome.message, sizeof(outcome.message), "%s", err.message);
	ek_catalog_free(catalog);
	return outcome;
}

static struct outcome load_in_child(const struct attempt *attempt)
{
	struct outcome outcome = { .is_possible = false };
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (attempt->forbid())
			outcome = load_here(attempt);
		_exit(write(ends[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &outcome, sizeof(outcome)), sizeof(outcome));
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return outcome;
}

static void assert_refused(struct attempt attempt, const char *message)
{
	struct outcome outcome = attempt.forbid ? load_in_child(&attempt) : load_here(&attempt);

	if (!outcome.is_possible) {
		print_message("this kernel takes no filters of system calls; skipped\n");
		skip();
	}
	assert_string_equal(outcome.message, message);
}

/* ---- What a system may forbid ---- */

static bool install(struct sock_filter *filter, unsigned short n)
{
	struct sock_fprog program = { .len = n, .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The call NUMBER fails with ERROR when any of the BITS is set in its argument ARG. */
#define FORBID(number, arg, bits, error)                                                                          \
	{                                                                                                         \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                            \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 3),                                              \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (arg)),              \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, 1),                                               \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error)), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), \
	}

/* As vm.memfd_noexec=2 does it. */
static bool forbid_executable_memory_files(void)
{
	struct sock_filter filter[] = FORBID(SYS_memfd_create, 1, MFD_EXEC, EACCES);

	return install(filter, sizeof(filter) / sizeof(filter[0]));
}

static bool forbid_memory_files(void)
{
	struct sock_filter filter[] = FORBID(SYS_memfd_create, 1, MFD_CLOEXEC, EPERM);

	return install(filter, sizeof(filter) / sizeof(filter[0]));
}

/* As a security module does it: the file is there, but its mapping may not run. */
static bool forbid_executable_mappings(void)
{
	struct sock_filter filter[] = FORBID(SYS_mmap, 2, PROT_EXEC, EACCES);

	return install(filter, sizeof(filter) / sizeof(filter[0]));
}

/* ---- Memory files ---- */

#define FORBIDDEN \
	"decent.so: cannot be loaded: this system forbids executable memory files; set the sysctl vm.memfd_noexec to 0 or 1, or " \
	"plugins.readOnlyDirectory"

static void test_where_memory_files_may_not_run_the_refusal_says_what_to_set(void **state)
{
	plugin_put("decent");
	assert_refused((struct attempt){ .file = "decent.so", .forbid = forbid_executable_memory_files }, FORBIDDEN);
	assert_refused((struct attempt){ .file = "decent.so", .forbid = forbid_executable_mappings }, FORBIDDEN);
}

static void test_what_is_wrong_with_the_file_is_said_first(void **state)
{
	plugin_put("newer-minor");
	assert_refused((struct attempt){ .file = "newer-minor.so", .forbid = forbid_executable_memory_files },
		"newer-minor.so: host speaks ABI 0.2, plugin was built for 0.3; build it against this host's SDK");
}

static void test_where_there_are_no_memory_files_at_all_the_refusal_says_so(void **state)
{
	plugin_put("decent");
	assert_refused((struct attempt){ .file = "decent.so", .forbid = forbid_memory_files },
		"decent.so: cannot be copied: this system forbids memory files (memfd_create: Operation not permitted); allow them, or set "
		"plugins.readOnlyDirectory");
}

/* ---- Read-only directories ---- */

static void test_a_directory_that_can_be_written_is_not_read_only(void **state)
{
	plugin_put("decent");
	assert_refused((struct attempt){ .file = "decent.so", .in_place = true },
		"decent.so: lies on a mount that can be written; with plugins.readOnlyDirectory the plugin directory has to be mounted "
		"read-only");
}

static void test_in_place_a_pin_does_not_replace_the_path_rules(void **state)
{
	char message[256], pin[EK_DIGEST_MAX];
	struct attempt attempt = { .file = "decent.so", .sha256 = pin, .in_place = true };

	plugin_put("decent");
	snprintf(pin, sizeof(pin), "%s", plugin_digest("decent.so"));
	assert_int_equal(chmod(plugin_path("decent.so"), 0664), 0);
	assert_refused(attempt, "decent.so: can be written by its group or by others; run chmod go-w on it");
	assert_int_equal(chmod(plugin_path("decent.so"), 0644), 0);
	assert_int_equal(symlink("decent.so", plugin_path("link.so")), 0);
	attempt.file = "link.so";
	assert_refused(attempt, "link.so: is a symbolic link; put the file itself there");
	assert_int_equal(chmod(plugin_dir, 0777), 0);
	snprintf(message, sizeof(message), "plugin directory: %s can be written by its group or by others; run chmod go-w on it", plugin_dir);
	assert_refused(attempt, message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLUGIN_CASE(test_where_memory_files_may_not_run_the_refusal_says_what_to_set),
		PLUGIN_CASE(test_what_is_wrong_with_the_file_is_said_first),
		PLUGIN_CASE(test_where_there_are_no_memory_files_at_all_the_refusal_says_so),
		PLUGIN_CASE(test_a_directory_that_can_be_written_is_not_read_only),
		PLUGIN_CASE(test_in_place_a_pin_does_not_replace_the_path_rules),
	};

	return cmocka_run_group_tests_name("loader places", tests, NULL, NULL);
}
