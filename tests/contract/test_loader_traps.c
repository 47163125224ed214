/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong between plugins, libraries and the dynamic loader when nobody watches: a number used again, a name used twice, symbols that
 * leak, files that were stripped, cut or spoilt. Each trap is a real file of tests/bad-plugins (trap-*), or a decent one changed here.
 * Read next: test_loader.c for the rules, docs/loading.md for both in words.
 */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "kit/plugin_dir.h"
#include "plugin/elffile.h"

#define PAGE 4096

static const struct ek_plugin *load_mode(const char *name)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_plugin *plugin = NULL;
	char file[128];

	plugin_put(name);
	snprintf(file, sizeof(file), "%s.so", name);
	if (plugin_load(file, NULL, EK_PLUGIN_MODE, &plugin, &err) != EK_OK)
		fail_msg("%s", err.message);
	return plugin;
}

static void assert_refused(const char *file, const char *message)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_plugin *plugin = NULL;

	assert_int_equal(plugin_load(file, NULL, EK_PLUGIN_MODE, &plugin, &err), EK_INVALID);
	assert_string_equal(err.message, message);
}

/* The traps answer by failing: what they say is the message. */
static const char *answer_of(const struct ek_plugin *plugin)
{
	static struct ek_error err;
	const struct ek_mode_ops *ops = plugin->ops;

	assert_int_equal(ops->desired(NULL, NULL, NULL, NULL, &err), EK_INVALID);
	return err.message;
}

/* ---- Numbers and names used again ---- */

/* The dynamic loader knows a library by its path, /proc/self/fd/N: whoever closed N would be given the old library for the next one. */
static void test_what_is_loaded_later_is_itself_and_not_what_had_its_descriptor_number(void **state)
{
	static const char *const names[] = { "decent", "trap-own-cjson", "trap-cxx", "marks" };
	static const char *const called[] = { "decent", "owncjson", "cxx", "marks" };
	struct ek_catalog *catalog = plugin_catalog(false);
	struct ek_error err;
	char file[128];

	for (unsigned i = 0; i < 4; i++) {
		const struct ek_library *library;

		plugin_put(names[i]);
		snprintf(file, sizeof(file), "%s.so", names[i]);
		library = plugin_catalog_load(catalog, file, EK_PLUGIN_MODE, &err);
		if (!library)
			fail_msg("%s", err.message);
		assert_string_equal(library->plugin->name, called[i]);
	}
	assert_int_equal(ek_catalog_count(catalog), 4);
	ek_catalog_free(catalog);
}

static void test_an_image_that_would_be_taken_for_an_older_library_is_refused(void **state)
{
	struct ek_image image, next;
	const struct ek_plugin *plugin;
	struct ek_error err = EK_ERROR_INIT;

	plugin_put("decent");
	plugin_put("marks");
	assert_int_equal(ek_image_open(plugin_dir, "decent.so", NULL, &image, &err), EK_OK);
	assert_int_equal(ek_image_map(&image, EK_PLUGIN_MODE, &plugin, &err), EK_OK);
	close(image.fd); /* what must not be done */
	assert_int_equal(ek_image_open(plugin_dir, "marks.so", NULL, &next, &err), EK_OK);
	assert_int_equal(dup2(next.fd, image.fd), image.fd);
	if (next.fd != image.fd)
		close(next.fd);
	next.fd = image.fd;
	assert_int_equal(ek_image_map(&next, EK_PLUGIN_MODE, &plugin, &err), EK_INVALID);
	assert_string_equal(err.message, "marks.so: cannot be told apart from an earlier plugin; restart the process to load it");
	assert_false(plugin_is_marked());
	/* The number stays taken, so that no other test gets it; nothing else is done with it. */
}

/* Comes before those that bring the library. */
static void test_a_library_that_is_nowhere_is_named(void **state)
{
	plugin_put("trap-needs-any");
	assert_refused("trap-needs-any.so", "trap-needs-any.so: cannot be loaded: libek-answer.so.1: cannot open shared object file: No such "
		"file or directory; install that library, or link it statically");
}

/* As the linker was told it: whoever needs it looks for it there. */
static const char *path_of_answer_one(void)
{
	static char path[1024];
	char here[512];
	const char *built = plugin_built("one/libek-answer");

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(path, sizeof(path), "%s%s%s.1", built[0] == '/' ? "" : here, built[0] == '/' ? "" : "/", built);
	return path;
}

static void test_another_version_of_a_library_that_the_process_holds_is_refused(void **state)
{
	char message[256];

	assert_string_equal(answer_of(load_mode("trap-needs-one")), "one");
	plugin_put("trap-needs-two");
	snprintf(message, sizeof(message),
		"trap-needs-two.so: brings a libek-answer.so.1 of its own, but this process has that of %.64s, and holds one of a name; link it "
		"statically", path_of_answer_one());
	assert_refused("trap-needs-two.so", message);
	/* The first wins: who does not insist is given what is there. */
	assert_string_equal(answer_of(load_mode("trap-needs-any")), "one");
}

static void test_a_plugin_that_was_built_with_a_sanitizer_is_refused_by_a_host_that_was_not(void **state)
{
	plugin_put("trap-sanitized");
	assert_refused("trap-sanitized.so",
		"trap-sanitized.so: was built with a sanitizer (libasan.so.99), and this program was not; build it without");
}

/* ---- Symbols ---- */

static void test_a_plugin_with_a_cjson_of_its_own_calls_that_and_the_host_does_not(void **state)
{
	const char *before = cJSON_Version();

	assert_string_equal(answer_of(load_mode("trap-own-cjson")), "bundled");
	assert_string_equal(cJSON_Version(), before);
	assert_string_not_equal(before, "bundled");
	/* Nor does whoever is loaded later and looks the name up. */
	assert_ptr_equal(dlsym(RTLD_DEFAULT, "cJSON_Version"), (void *)(uintptr_t)cJSON_Version);
}

static void test_an_entry_that_lies_nowhere_is_refused(void **state)
{
	plugin_put("trap-entry-absolute");
	assert_refused("trap-entry-absolute.so",
		"trap-entry-absolute.so: has its entry outside of itself (in no file); define the plugin by EK_PLUGIN_DEFINE");
}

/* Writes another number over the address of the entry. */
static void move_entry(struct ek_buf *bytes, const void *to)
{
	struct ek_elf_dynamic dynamic;
	struct ek_elf elf;

	assert_int_equal(ek_elf_open(bytes->at, bytes->n, &elf, NULL), EK_OK);
	assert_int_equal(ek_elf_open_dynamic(&elf, &dynamic, NULL), EK_OK);
	for (uint64_t i = 1; i < dynamic.n_symbols; i++) {
		Elf64_Sym symbol = ek_elf_symbol(&dynamic, i);
		char *at = bytes->at + (dynamic.symbols - elf.bytes) + i * sizeof(symbol);

		if (strcmp(dynamic.text + symbol.st_name, EK_PLUGIN_ENTRY_SYMBOL) != 0)
			continue;
		symbol.st_value = (Elf64_Addr)(uintptr_t)to;
		memcpy(at, &symbol, sizeof(symbol));
	}
}

static void test_an_entry_that_is_no_code_is_not_called(void **state)
{
	struct ek_buf *bytes = plugin_bytes("decent");

	move_entry(bytes, (const void *)16);
	plugin_put_bytes("moved.so", bytes->at, bytes->n, 0644);
	assert_refused("moved.so", "moved.so: has a broken table of dynamic symbols; build it anew");
}

static void test_an_entry_that_lies_in_another_file_is_refused(void **state)
{
	struct ek_buf *bytes = plugin_bytes("trap-entry-absolute");
	const void *elsewhere = dlsym(RTLD_DEFAULT, "cJSON_Version");
	char message[256];
	Dl_info info;

	assert_true(dladdr(elsewhere, &info));
	move_entry(bytes, elsewhere);
	plugin_put_bytes("moved.so", bytes->at, bytes->n, 0644);
	snprintf(message, sizeof(message), "moved.so: has its entry outside of itself (in %s); define the plugin by EK_PLUGIN_DEFINE",
		info.dli_fname);
	assert_refused("moved.so", message);
}

/* ---- C++ ---- */

static void test_a_plugin_in_cxx_has_its_statics_and_its_exceptions(void **state)
{
	assert_string_equal(answer_of(load_mode("trap-cxx")), "constructed, thrown, caught, 1");
}

static void test_a_plugin_in_cxx_whose_variables_would_be_everybodys_is_refused(void **state)
{
	plugin_put("trap-cxx-unique");
	assert_refused("trap-cxx-unique.so",
		"trap-cxx-unique.so: has GNU_UNIQUE symbols (shared_by_all), which all plugins would share; build it with -fno-gnu-unique");
}

/* ---- In a process of its own ---- */

enum { LOADED = 40, REFUSED };

/* How a child ended that loads the file: LOADED, REFUSED, or anything else for a crash. */
static int end_of_child(const char *file, bool is_orderly)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct ek_plugin *plugin;

		for (unsigned i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
			signal(crashes[i], SIG_DFL); /* cmocka's own handler would go on with the other tests */
		alarm(20);
		status = plugin_load(file, NULL, EK_PLUGIN_MODE, &plugin, NULL) == EK_OK ? LOADED : REFUSED;
		if (is_orderly)
			exit(status);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void test_destructors_run_when_the_process_ends_and_find_their_code_still_there(void **state)
{
	plugin_put("trap-cxx");
	assert_int_equal(end_of_child("trap-cxx.so", true), LOADED);
	assert_true(plugin_is_marked());
}

/* ---- Stripped, cut, spoilt ---- */

static void test_a_stripped_file_keeps_its_note_and_loads(void **state)
{
	struct ek_buf *bytes = plugin_bytes("decent");
	char command[1200];

	snprintf(command, sizeof(command), "strip --strip-all -o '%s' '%s'", plugin_path("stripped.so"), plugin_built("decent"));
	assert_int_equal(system(command), 0);
	assert_int_equal(end_of_child("stripped.so", false), LOADED);

	/* Section headers are for linkers and debuggers. */
	memset(bytes->at + offsetof(Elf64_Ehdr, e_shoff), 0, sizeof(Elf64_Off));
	memset(bytes->at + offsetof(Elf64_Ehdr, e_shnum), 0, sizeof(Elf64_Half));
	memset(bytes->at + offsetof(Elf64_Ehdr, e_shstrndx), 0, sizeof(Elf64_Half));
	plugin_put_bytes("sectionless.so", bytes->at, bytes->n, 0644);
	assert_int_equal(end_of_child("sectionless.so", false), LOADED);
}

/* The end of what is mapped; behind it are the sections' headers and what debuggers read. */
static size_t end_of_segments(const struct ek_buf *bytes)
{
	Elf64_Ehdr header;
	size_t end = 0;

	memcpy(&header, bytes->at, sizeof(header));
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, bytes->at + header.e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_offset + segment.p_filesz > end)
			end = segment.p_offset + segment.p_filesz;
	}
	return end;
}

static void check_cut(const struct ek_buf *bytes, size_t n, size_t end)
{
	plugin_put_bytes("cut.so", bytes->at, n, 0644);
	assert_int_equal(end_of_child("cut.so", false), n < end ? REFUSED : LOADED);
}

static void test_a_file_cut_at_any_page_is_refused_if_a_byte_is_missing_that_is_mapped(void **state)
{
	static const char *const names[] = { "decent", "trap-cxx" };

	for (unsigned i = 0; i < 2; i++) {
		const struct ek_buf *bytes = plugin_bytes(names[i]);
		size_t end = end_of_segments(bytes);

		for (size_t n = 0; n < bytes->n; n += PAGE)
			check_cut(bytes, n, end);
		check_cut(bytes, end - 1, end);
		check_cut(bytes, end, end);
	}
}

static Elf64_Phdr find_segment(const struct ek_buf *bytes, uint32_t type)
{
	Elf64_Phdr segment = { 0 };
	Elf64_Ehdr header;

	memcpy(&header, bytes->at, sizeof(header));
	for (unsigned i = 0; i < header.e_phnum; i++) {
		memcpy(&segment, bytes->at + header.e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == type)
			return segment;
	}
	fail_msg("there is no segment of type %u", type);
	return segment;
}

/* Whether the file gets past all checks of the bytes; what does not is never mapped. */
static bool would_be_mapped(const char *file)
{
	struct ek_image image;
	bool is_good;

	assert_int_equal(ek_image_open(plugin_dir, file, NULL, &image, NULL), EK_OK);
	is_good = ek_image_check(&image, EK_PLUGIN_MODE, NULL) == EK_OK;
	ek_image_close(&image);
	return is_good;
}

struct outcomes {
	unsigned n_loaded, n_refused, n_crashed;
};

static void spoil_byte(struct ek_buf *bytes, size_t at, unsigned char mask, struct outcomes *outcomes)
{
	int end = REFUSED;

	bytes->at[at] = (char)(bytes->at[at] ^ mask);
	plugin_put_bytes("spoilt.so", bytes->at, bytes->n, 0644);
	bytes->at[at] = (char)(bytes->at[at] ^ mask);
	if (would_be_mapped("spoilt.so"))
		end = end_of_child("spoilt.so", false);
	outcomes->n_loaded += end == LOADED;
	outcomes->n_refused += end == REFUSED;
	outcomes->n_crashed += end != LOADED && end != REFUSED;
	if (end != LOADED && end != REFUSED)
		print_message("byte %zu flipped by 0x%02x: the process ended with %d\n", at, mask, end);
}

static void spoil(struct ek_buf *bytes, size_t from, size_t to, struct outcomes *outcomes)
{
	static const unsigned char masks[] = { 0x01, 0x10, 0x80, 0xff };

	for (size_t at = from; at < to; at++)
		for (unsigned i = 0; i < sizeof(masks); i++)
			spoil_byte(bytes, at, masks[i], outcomes);
}

static void assert_survived(struct outcomes outcomes)
{
	assert_int_equal(outcomes.n_crashed, 0);
	assert_true(outcomes.n_refused > 100);
	assert_true(outcomes.n_loaded > 10); /* what nobody reads, the physical addresses for one */
}

static void test_no_flipped_byte_of_the_headers_crashes_the_process(void **state)
{
	struct ek_buf *bytes = plugin_bytes("decent");
	struct outcomes outcomes = { 0 };
	Elf64_Ehdr header;

	memcpy(&header, bytes->at, sizeof(header));
	spoil(bytes, 0, header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr), &outcomes);
	assert_survived(outcomes);
}

/* The tags. Where a value is spoilt that is the address of code, other code runs: only a digest finds that. */
static void test_no_flipped_tag_of_the_dynamic_table_crashes_the_process(void **state)
{
	struct ek_buf *bytes = plugin_bytes("trap-cxx");
	struct outcomes outcomes = { 0 };
	Elf64_Phdr table = find_segment(bytes, PT_DYNAMIC);

	for (size_t at = table.p_offset; at < table.p_offset + table.p_filesz; at += sizeof(Elf64_Dyn))
		spoil(bytes, at, at + sizeof(Elf64_Sxword), &outcomes);
	assert_survived(outcomes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLUGIN_CASE(test_what_is_loaded_later_is_itself_and_not_what_had_its_descriptor_number),
		PLUGIN_CASE(test_an_image_that_would_be_taken_for_an_older_library_is_refused),
		PLUGIN_CASE(test_a_library_that_is_nowhere_is_named),
		PLUGIN_CASE(test_another_version_of_a_library_that_the_process_holds_is_refused),
		PLUGIN_CASE(test_a_plugin_that_was_built_with_a_sanitizer_is_refused_by_a_host_that_was_not),
		PLUGIN_CASE(test_a_plugin_with_a_cjson_of_its_own_calls_that_and_the_host_does_not),
		PLUGIN_CASE(test_an_entry_that_lies_nowhere_is_refused),
		PLUGIN_CASE(test_an_entry_that_is_no_code_is_not_called),
		PLUGIN_CASE(test_an_entry_that_lies_in_another_file_is_refused),
		PLUGIN_CASE(test_a_plugin_in_cxx_has_its_statics_and_its_exceptions),
		PLUGIN_CASE(test_a_plugin_in_cxx_whose_variables_would_be_everybodys_is_refused),
		PLUGIN_CASE(test_destructors_run_when_the_process_ends_and_find_their_code_still_there),
		PLUGIN_CASE(test_a_stripped_file_keeps_its_note_and_loads),
		PLUGIN_CASE(test_a_file_cut_at_any_page_is_refused_if_a_byte_is_missing_that_is_mapped),
		PLUGIN_CASE(test_no_flipped_byte_of_the_headers_crashes_the_process),
		PLUGIN_CASE(test_no_flipped_tag_of_the_dynamic_table_crashes_the_process),
	};

	return cmocka_run_group_tests_name("loader traps", tests, NULL, NULL);
}
