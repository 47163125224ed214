/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files become plugins, and with which words all others are refused; that nothing of a refused file runs.
 * The files are those of tests/bad-plugins, copied into a directory of the test's own and there changed where a case asks for it.
 * Read next: host/plugin/loader.h.
 */
#include "plugin/loader.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
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

#include "kit/plugin_dir.h"

static const char wrong_pin[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void assert_refused(const char *file, const char *sha256, enum ek_plugin_kind kind, const char *message)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_plugin *plugin = NULL;

	assert_int_equal(plugin_load(file, sha256, kind, &plugin, &err), EK_INVALID);
	assert_null(plugin);
	assert_string_equal(err.message, message);
	assert_string_equal(err.reason, "PluginUnavailable");
	assert_int_equal(err.code, EK_INVALID);
}

/* ---- Descriptors, notes and exports ---- */

static void test_a_decent_plugin_gives_its_descriptor(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_plugin *plugin = NULL;

	plugin_put("decent");
	assert_int_equal(plugin_load("decent.so", "", EK_PLUGIN_MODE, &plugin, &err), EK_OK);
	assert_string_equal(plugin->name, "decent");
	assert_string_equal(plugin->version, "1.2.3");
	assert_int_equal(err.code, 0); /* untouched */
}

struct refusal {
	const char *name, *message;
};

static void test_each_bad_plugin_is_refused_with_its_remedy(void **state)
{
	static const struct refusal cases[] = {
		{ "newer-minor", "newer-minor.so: host speaks ABI 0.2, plugin was built for 0.3; build it against this host's SDK" },
		{ "wrong-major", "wrong-major.so: host speaks ABI 0.2, plugin was built for 9.2; build it against this host's SDK" },
		{ "wrong-kind", "wrong-kind.so: says it is of kind 7; a plugin is a MODE or a REGISTRY" },
		{ "no-note", "no-note.so: has no EureKube note; is it a plugin? EK_PLUGIN_DEFINE makes the note" },
		{ "two-notes", "two-notes.so: has 2 EureKube notes; use EK_PLUGIN_DEFINE once per shared object" },
		{ "no-entry",
			"no-entry.so: does not export ek_plugin_entry_v0; define the plugin by EK_PLUGIN_DEFINE and link it with plugin.map" },
		{ "entry-is-data",
			"entry-is-data.so: exports ek_plugin_entry_v0, but not as a function; define the plugin by EK_PLUGIN_DEFINE" },
		{ "exports-more", "exports-more.so: exports more than ek_plugin_entry_v0 (cJSON_Parse); link it with plugin.map" },
		{ "gnu-unique",
			"gnu-unique.so: has GNU_UNIQUE symbols (shared_counter), which all plugins would share; build it with "
			"-fno-gnu-unique" },
		{ "undefined-symbol",
			"undefined-symbol.so: cannot be loaded: undefined symbol: no_such_function_anywhere; link it with -Wl,-z,defs to "
			"see what it lacks" },
		{ "no-descriptor", "no-descriptor.so: returned no descriptor; define the plugin by EK_PLUGIN_DEFINE" },
		{ "contradiction",
			"contradiction.so: says one thing in its note (ABI 0.2, kind 1) and another in its descriptor (0.2, 2); define it "
			"by EK_PLUGIN_DEFINE" },
		{ "short-descriptor",
			"short-descriptor.so: has a descriptor of 24 bytes, but ABI 0.2 has 64; define it by EK_PLUGIN_DEFINE" },
		{ "short-ops", "short-ops.so: has mode operations of 24 bytes, but ABI 0.2 has 56; set .size to sizeof" },
		{ "no-ops", "no-ops.so: has no operations; set .ops" },
		{ "missing-slots", "missing-slots.so: lacks create, close and traits in its registry operations; they are mandatory" },
		{ "no-destroy", "no-destroy.so: lacks destroy and desired in its mode operations; they are mandatory" },
		{ "bad-name", "bad-name.so: calls itself \"Bad_Name\"; a plugin's name is [a-z][a-z0-9-]{0,31}" },
		{ "no-version",
			"no-version.so: has no proper version; set .version to 1 to 31 printable characters without spaces" },
		{ "duplicate-option",
			"duplicate-option.so: declares options that cannot be used: option zone is declared twice" },
		{ "bad-default",
			"bad-default.so: declares instance options that cannot be used: the default of option weight is 0, but must be "
			"from 1 to 100" },
	};
	char file[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plugin_put(cases[i].name);
		snprintf(file, sizeof(file), "%s.so", cases[i].name);
		assert_refused(file, NULL, (enum ek_plugin_kind)0, cases[i].message);
	}
}

static void test_a_plugin_of_the_other_kind_is_refused(void **state)
{
	plugin_put("decent");
	assert_refused("decent.so", NULL, EK_PLUGIN_REGISTRY, "decent.so: is a mode plugin, but a registry plugin is needed here");
}

static void test_no_code_of_a_refused_plugin_runs(void **state)
{
	static const char *const refused[] = { "newer-minor", "wrong-major" };
	const struct ek_plugin *plugin;
	struct ek_error err = EK_ERROR_INIT;
	char file[128];

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		plugin_put(refused[i]);
		snprintf(file, sizeof(file), "%s.so", refused[i]);
		assert_int_equal(plugin_load(file, NULL, EK_PLUGIN_MODE, &plugin, &err), EK_INVALID);
		assert_false(plugin_is_marked());
	}
	plugin_put("marks");
	assert_int_equal(plugin_load("marks.so", NULL, EK_PLUGIN_REGISTRY, &plugin, &err), EK_INVALID);
	assert_false(plugin_is_marked());
	assert_int_equal(plugin_load("marks.so", wrong_pin, EK_PLUGIN_MODE, &plugin, &err), EK_INVALID);
	assert_false(plugin_is_marked());
	/* The mark works: the same constructor in a plugin that is accepted. */
	assert_int_equal(plugin_load("marks.so", NULL, EK_PLUGIN_MODE, &plugin, &err), EK_OK);
	assert_true(plugin_is_marked());
}

static void test_all_missing_operations_are_named_at_once_for_static_plugins_too(void **state)
{
	static const struct ek_registry_ops ops = { .size = sizeof(ops) };
	static const struct ek_plugin plugin = { .size = sizeof(plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR,
		.kind = EK_PLUGIN_REGISTRY, .name = "hollow", .version = "1", .ops = &ops };
	struct ek_error err = EK_ERROR_INIT;

	assert_int_equal(ek_descriptor_check(&plugin, EK_PLUGIN_REGISTRY, &err), EK_INVALID);
	assert_string_equal(err.message,
		"hollow: lacks create, close, traits, apply and list in its registry operations; they are mandatory");
}

/* ---- Bytes that are no plugin ---- */

static void test_files_that_are_no_whole_shared_object_are_refused(void **state)
{
	struct ek_buf *decent = plugin_bytes("decent");
	Elf64_Ehdr *header = (Elf64_Ehdr *)decent->at;

	plugin_put_bytes("empty.so", "", 0, 0644);
	assert_refused("empty.so", NULL, EK_PLUGIN_MODE, "empty.so: is empty");
	plugin_put_bytes("text.so", "#!/bin/sh\necho hello\n", 21, 0644);
	assert_refused("text.so", NULL, EK_PLUGIN_MODE, "text.so: is not an ELF file; a plugin is a shared object");
	plugin_put_bytes("short.so", decent->at, 40, 0644);
	assert_refused("short.so", NULL, EK_PLUGIN_MODE, "short.so: is not a whole shared object; copy it again or build it anew");
	plugin_put_bytes("half.so", decent->at, decent->n / 4, 0644);
	assert_refused("half.so", NULL, EK_PLUGIN_MODE, "half.so: is not a whole shared object; copy it again or build it anew");
	header->e_type = ET_REL;
	plugin_put_bytes("object.so", decent->at, decent->n, 0644);
	assert_refused("object.so", NULL, EK_PLUGIN_MODE, "object.so: is not a shared object; link it with -shared");
	header->e_type = ET_DYN;
	header->e_machine = EM_S390;
	plugin_put_bytes("alien.so", decent->at, decent->n, 0644);
#if defined(__x86_64__)
	assert_refused("alien.so", NULL, EK_PLUGIN_MODE, "alien.so: was built for another machine; this host needs one for x86-64");
#else
	assert_refused("alien.so", NULL, EK_PLUGIN_MODE, "alien.so: was built for another machine; this host needs one for aarch64");
#endif
}

/* Whatever the bytes say, looking at them neither crashes nor reads beyond them (the sanitizers would tell). */
static void test_no_spoilt_byte_leads_the_reader_out_of_the_file(void **state)
{
	struct ek_buf *decent = plugin_bytes("decent");
	const size_t n_looked_at = decent->n < 8192 ? decent->n : 8192;
	struct ek_image image;
	unsigned n_refused = 0;

	for (size_t i = 0; i < n_looked_at; i++) {
		char was = decent->at[i];
		struct ek_error err = EK_ERROR_INIT;

		decent->at[i] = (char)~was;
		plugin_put_bytes("spoilt.so", decent->at, decent->n, 0644);
		decent->at[i] = was;
		assert_int_equal(ek_image_open(plugin_dir, "spoilt.so", NULL, &image, &err), EK_OK);
		n_refused += ek_image_check(&image, EK_PLUGIN_MODE, &err) != EK_OK;
		ek_image_close(&image);
	}
	assert_true(n_refused > 64); /* the header at least */
	assert_true(n_refused < n_looked_at);
	for (size_t n = 0; n < n_looked_at; n += 7) {
		struct ek_error err = EK_ERROR_INIT;

		plugin_put_bytes("cut.so", decent->at, n, 0644);
		assert_int_equal(ek_image_open(plugin_dir, "cut.so", NULL, &image, &err), EK_OK);
		assert_int_equal(ek_image_check(&image, EK_PLUGIN_MODE, &err), EK_INVALID);
		ek_image_close(&image);
	}
}

/* ---- Paths ---- */

static void test_a_name_must_be_a_file_inside_the_directory(void **state)
{
	plugin_put("decent");
	assert_refused("../decent.so", NULL, EK_PLUGIN_MODE,
		"../decent.so: is not a file name; name a file inside the plugin directory, without '/'");
	assert_refused("/decent.so", NULL, EK_PLUGIN_MODE,
		"/decent.so: is not a file name; name a file inside the plugin directory, without '/'");
	assert_refused("a\nb/c", NULL, EK_PLUGIN_MODE, "a?b/c: is not a file name; name a file inside the plugin directory, without '/'");
	assert_refused(".", NULL, EK_PLUGIN_MODE, ".: is not a file name; name a file inside the plugin directory, without '/'");
	assert_refused("..", NULL, EK_PLUGIN_MODE, "..: is not a file name; name a file inside the plugin directory, without '/'");
	assert_refused("", NULL, EK_PLUGIN_MODE, ": is not a file name; name a file inside the plugin directory, without '/'");
	assert_refused("nowhere.so", NULL, EK_PLUGIN_MODE,
		"nowhere.so: is not there; put the file into the plugin directory or correct its name");
	assert_int_equal(mkdir(plugin_path("folder.so"), 0755), 0);
	assert_refused("folder.so", NULL, EK_PLUGIN_MODE, "folder.so: is not a regular file");
	assert_int_equal(mkfifo(plugin_path("pipe.so"), 0644), 0);
	assert_refused("pipe.so", NULL, EK_PLUGIN_MODE, "pipe.so: is not a regular file");
}

/* Refused as it is, accepted once the bytes themselves are pinned. */
static void assert_needs_pin(const char *file, const char *pin, const char *message)
{
	struct ek_image image;
	struct ek_error err = EK_ERROR_INIT;

	assert_int_equal(ek_image_open(plugin_dir, file, NULL, &image, &err), EK_INVALID);
	assert_int_equal(image.fd, -1);
	assert_string_equal(err.message, message);
	if (ek_image_open(plugin_dir, file, pin, &image, &err) != EK_OK)
		fail_msg("%s", err.message);
	assert_int_equal(ek_image_check(&image, EK_PLUGIN_MODE, &err), EK_OK);
	ek_image_close(&image);
}

static void test_without_a_pin_the_path_must_be_safe(void **state)
{
	char pin[EK_DIGEST_MAX];

	plugin_put("decent");
	snprintf(pin, sizeof(pin), "%s", plugin_digest("decent.so") + strlen("sha256:"));
	assert_int_equal(symlink("decent.so", plugin_path("link.so")), 0);
	assert_needs_pin("link.so", pin, "link.so: is a symbolic link; put the file itself there, or pin it by sha256");
	assert_int_equal(chmod(plugin_path("decent.so"), 0664), 0);
	assert_needs_pin("decent.so", pin,
		"decent.so: can be written by its group or by others; run chmod go-w on it, or pin it by sha256");
	assert_int_equal(chmod(plugin_path("decent.so"), 0646), 0);
	assert_needs_pin("decent.so", pin,
		"decent.so: can be written by its group or by others; run chmod go-w on it, or pin it by sha256");
	assert_int_equal(chmod(plugin_path("decent.so"), 0644), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(plugin_path("decent.so"), 12345, 12345), 0);
		assert_needs_pin("decent.so", pin,
			"decent.so: belongs to another user than root and the one that runs this process; change its owner, or pin "
			"it by sha256");
	}
}

static void test_without_a_pin_the_directory_must_be_safe(void **state)
{
	char was[sizeof(plugin_dir)], pin[EK_DIGEST_MAX], message[256];

	plugin_put("decent");
	snprintf(pin, sizeof(pin), "%s", plugin_digest("decent.so"));
	assert_int_equal(chmod(plugin_dir, 0770), 0);
	snprintf(message, sizeof(message),
		"plugin directory: %s can be written by its group or by others; run chmod go-w on it, or pin the file by sha256", plugin_dir);
	assert_needs_pin("decent.so", pin, message);
	assert_int_equal(chmod(plugin_dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(plugin_dir, 12345, 12345), 0);
		snprintf(message, sizeof(message),
			"plugin directory: %s belongs to another user than root and the one that runs this process; change its owner, or pin "
			"the file by sha256", plugin_dir);
		assert_needs_pin("decent.so", pin, message);
		assert_int_equal(chown(plugin_dir, 0, 0), 0);
	}

	memcpy(was, plugin_dir, sizeof(was));
	assert_int_equal(symlink(was, plugin_path("itself")), 0);
	snprintf(plugin_dir, sizeof(plugin_dir), "%.40s/itself/", was);
	snprintf(message, sizeof(message),
		"plugin directory: %.40s/itself is a symbolic link; name the directory itself, or pin the file by sha256", was);
	assert_needs_pin("decent.so", pin, message);
	snprintf(plugin_dir, sizeof(plugin_dir), "/nowhere/at/all");
	assert_refused("decent.so", NULL, EK_PLUGIN_MODE,
		"plugin directory: /nowhere/at/all cannot be opened: No such file or directory");
	memcpy(plugin_dir, was, sizeof(was));
}

static void test_bytes_that_are_not_the_pinned_ones_are_refused(void **state)
{
	char message[256], upper[EK_DIGEST_MAX];
	const struct ek_plugin *plugin;
	struct ek_error err = EK_ERROR_INIT;

	plugin_put("decent");
	snprintf(message, sizeof(message), "decent.so: has sha256 %s, but the configuration wants %s; correct one of them",
		plugin_digest("decent.so") + strlen("sha256:"), wrong_pin);
	assert_refused("decent.so", wrong_pin, EK_PLUGIN_MODE, message);
	assert_int_equal(plugin_load("decent.so", plugin_digest("decent.so"), EK_PLUGIN_MODE, &plugin, &err), EK_OK);
	/* As some tools print it. */
	snprintf(upper, sizeof(upper), "%s", plugin_digest("decent.so") + strlen("sha256:"));
	for (char *at = upper; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	assert_int_equal(plugin_load("decent.so", upper, EK_PLUGIN_MODE, &plugin, &err), EK_OK);
}

static void test_a_digest_is_the_sha256_of_the_bytes(void **state)
{
	plugin_put_bytes("abc", "abc", 3, 0644);
	assert_string_equal(plugin_digest("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_a_file_that_is_too_large_is_refused(void **state)
{
	plugin_put_bytes("large.so", "", 0, 0644);
	assert_int_equal(truncate(plugin_path("large.so"), EK_PLUGIN_FILE_MAX + 1), 0);
	assert_refused("large.so", NULL, EK_PLUGIN_MODE, "large.so: has 16777217 bytes; a plugin has at most 16777216");
}

static void test_later_writes_to_the_file_do_not_reach_the_image(void **state)
{
	struct ek_image image;
	struct ek_error err = EK_ERROR_INIT;

	plugin_put("decent");
	assert_int_equal(ek_image_open(plugin_dir, "decent.so", NULL, &image, &err), EK_OK);
	assert_int_equal(truncate(plugin_path("decent.so"), 0), 0);
	assert_int_equal(ek_image_check(&image, EK_PLUGIN_MODE, &err), EK_OK);
	assert_int_equal(write(image.fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(image.fd, 0), -1);
	assert_int_equal(fcntl(image.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ek_image_close(&image);
}

/* ---- Catalog ---- */

static void test_one_digest_is_one_library_under_whatever_name(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(false), *other = plugin_catalog(false);
	const struct ek_library *library;
	struct ek_buf *decent;
	struct ek_error err;

	plugin_put("decent");
	library = plugin_catalog_load(catalog, "decent.so", EK_PLUGIN_MODE, &err);
	assert_non_null(library);
	assert_string_equal(library->label, "decent/1.2.3");
	assert_string_equal(library->file, "decent.so");
	assert_string_equal(library->digest, plugin_digest("decent.so"));
	decent = plugin_bytes("decent");
	plugin_put_bytes("copy.so", decent->at, decent->n, 0644);
	assert_ptr_equal(plugin_catalog_load(catalog, "copy.so", EK_PLUGIN_MODE, &err), library);
	assert_int_equal(ek_catalog_count(catalog), 1);
	assert_ptr_equal(ek_catalog_at(catalog, 0), library);
	assert_null(ek_catalog_at(catalog, 1));
	assert_null(plugin_catalog_load(catalog, "copy.so", EK_PLUGIN_REGISTRY, &err));
	assert_string_equal(err.message, "copy.so: is a mode plugin, but a registry plugin is needed here");
	/* A catalog of its own, but the process maps it once. */
	assert_ptr_equal(plugin_catalog_load(other, "decent.so", EK_PLUGIN_MODE, &err)->plugin, library->plugin);
	ek_catalog_free(other);
	ek_catalog_free(catalog);
}

static void test_a_file_that_changed_is_another_library_beside_the_old_one(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(false);
	const struct ek_library *old, *new;
	struct ek_buf *decent;
	struct ek_error err;

	plugin_put("decent");
	old = plugin_catalog_load(catalog, "decent.so", EK_PLUGIN_MODE, &err);
	decent = plugin_bytes("decent");
	ek_buf_adds(decent, "new");
	plugin_put_bytes("decent.so", decent->at, decent->n, 0644);
	new = plugin_catalog_load(catalog, "decent.so", EK_PLUGIN_MODE, &err);
	assert_non_null(old);
	assert_non_null(new);
	assert_ptr_not_equal(old, new);
	assert_ptr_not_equal(old->plugin, new->plugin);
	assert_string_not_equal(old->digest, new->digest);
	ek_catalog_free(catalog);
}

static void test_a_plugin_refused_after_it_was_mapped_is_not_mapped_again(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(false);
	struct ek_error first, second;
	const struct ek_library *library;

	plugin_put("no-ops");
	assert_null(plugin_catalog_load(catalog, "no-ops.so", EK_PLUGIN_REGISTRY, &first));
	assert_null(plugin_catalog_load(catalog, "no-ops.so", EK_PLUGIN_REGISTRY, &second));
	assert_string_equal(second.message, first.message);
	assert_string_equal(second.message, "no-ops.so: has no operations; set .ops");
	/* What is loaded next is itself, not the refused one under a descriptor number used again. */
	plugin_put("decent");
	library = plugin_catalog_load(catalog, "decent.so", EK_PLUGIN_MODE, &first);
	assert_non_null(library);
	assert_string_equal(library->plugin->name, "decent");
	assert_int_equal(ek_catalog_count(catalog), 1);
	ek_catalog_free(catalog);
}

static void test_require_digest_wants_a_pin(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(true);
	struct ek_error err = EK_ERROR_INIT;

	plugin_put("decent");
	assert_null(ek_catalog_load(catalog, "decent.so", "", EK_PLUGIN_MODE, &err));
	assert_string_equal(err.message,
		"decent.so: has no sha256, and plugins.requireDigest is set; `eurekube plugin digest` prints it");
	assert_non_null(ek_catalog_load(catalog, "decent.so", plugin_digest("decent.so"), EK_PLUGIN_MODE, &err));
	ek_catalog_free(catalog);
}

static int desire_nothing(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink,
	struct ek_error *err)
{
	return EK_OK;
}

static void test_a_static_plugin_is_found_by_its_file_name(void **state)
{
	static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desire_nothing };
	static const struct ek_plugin plugin = { .size = sizeof(plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR,
		.kind = EK_PLUGIN_MODE, .name = "built-in", .version = "1", .ops = &ops };
	struct ek_catalog *catalog = plugin_catalog(true);
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_library *library;

	ek_catalog_add_static(catalog, "built-in.so", &plugin);
	library = ek_catalog_load(catalog, "built-in.so", NULL, EK_PLUGIN_MODE, &err);
	assert_non_null(library);
	assert_ptr_equal(library->plugin, &plugin);
	assert_string_equal(library->digest, "static");
	assert_null(ek_catalog_load(catalog, "built-in.so", "00", EK_PLUGIN_MODE, &err));
	assert_string_equal(err.message, "built-in.so: is part of this program and has no sha256; leave it out");
	ek_catalog_free(catalog);
}

/* Comes last: it uses up what the process may map. */
static void test_a_process_maps_at_most_32_plugins(void **state)
{
	struct ek_catalog *catalog = plugin_catalog(false);
	struct ek_buf *decent = plugin_bytes("decent");
	struct ek_error err = EK_ERROR_INIT;
	unsigned n = 0;

	for (; n < 40; n++) {
		ek_buf_adds(decent, "*");
		plugin_put_bytes("many.so", decent->at, decent->n, 0644);
		if (!plugin_catalog_load(catalog, "many.so", EK_PLUGIN_MODE, &err))
			break;
	}
	assert_true(n > 20 && n < 32);
	assert_string_equal(err.message, "many.so: is one plugin too many: a process maps 32 different ones; restart it");
	plugin_put("decent");
	assert_non_null(plugin_catalog_load(catalog, "decent.so", EK_PLUGIN_MODE, &err));
	ek_catalog_free(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLUGIN_CASE(test_a_decent_plugin_gives_its_descriptor),
		PLUGIN_CASE(test_each_bad_plugin_is_refused_with_its_remedy),
		PLUGIN_CASE(test_a_plugin_of_the_other_kind_is_refused),
		PLUGIN_CASE(test_no_code_of_a_refused_plugin_runs),
		PLUGIN_CASE(test_all_missing_operations_are_named_at_once_for_static_plugins_too),
		PLUGIN_CASE(test_files_that_are_no_whole_shared_object_are_refused),
		PLUGIN_CASE(test_no_spoilt_byte_leads_the_reader_out_of_the_file),
		PLUGIN_CASE(test_a_name_must_be_a_file_inside_the_directory),
		PLUGIN_CASE(test_without_a_pin_the_path_must_be_safe),
		PLUGIN_CASE(test_without_a_pin_the_directory_must_be_safe),
		PLUGIN_CASE(test_bytes_that_are_not_the_pinned_ones_are_refused),
		PLUGIN_CASE(test_a_digest_is_the_sha256_of_the_bytes),
		PLUGIN_CASE(test_a_file_that_is_too_large_is_refused),
		PLUGIN_CASE(test_later_writes_to_the_file_do_not_reach_the_image),
		PLUGIN_CASE(test_one_digest_is_one_library_under_whatever_name),
		PLUGIN_CASE(test_a_file_that_changed_is_another_library_beside_the_old_one),
		PLUGIN_CASE(test_a_plugin_refused_after_it_was_mapped_is_not_mapped_again),
		PLUGIN_CASE(test_require_digest_wants_a_pin),
		PLUGIN_CASE(test_a_static_plugin_is_found_by_its_file_name),
		PLUGIN_CASE(test_a_process_maps_at_most_32_plugins),
	};

	return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
