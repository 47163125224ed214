/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps a sealed image and takes its descriptor, after its note and its exports have been read from the bytes.
 * It never unmaps, does not choose files and remembers nothing: the catalog sees to it that one digest is mapped once.
 * Read next: elfnote.c for what is read before anything runs, descriptor.c for what a descriptor must be.
 */
#include "plugin/loader.h"

#include "plugin/descriptor.h"
#include "plugin/elfnote.h"
#include "plugin/refuse.h"

#include <dlfcn.h>
#include <link.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* ---- Before anything runs ---- */

static int check_note(const struct ek_plugin_note *note, enum ek_plugin_kind kind, const char *name, struct ek_error *err)
{
	if (note->abi_major != EK_ABI_MAJOR || note->abi_minor != EK_ABI_MINOR)
		return ek_refuse(err, name, "host speaks ABI %d.%d, plugin was built for %u.%u; build it against this host's SDK",
			EK_ABI_MAJOR, EK_ABI_MINOR, note->abi_major, note->abi_minor);
	return ek_plugin_kind_check(note->kind, kind, name, err);
}

static int check_bytes(const void *bytes, const struct ek_image *image, enum ek_plugin_kind kind, struct ek_plugin_note *note,
	struct ek_elf_dynamic *dynamic, struct ek_error *err)
{
	struct ek_error why = EK_ERROR_INIT;
	struct ek_elf elf;

	if (ek_elf_open(bytes, image->n_bytes, &elf, &why) != EK_OK || ek_elf_read_note(&elf, note, &why) != EK_OK)
		return ek_refuse_because(err, image->name, &why);
	if (check_note(note, kind, image->name, err) != EK_OK)
		return EK_INVALID;
	if (ek_elf_open_dynamic(&elf, dynamic, &why) != EK_OK ||
		ek_elf_check_exports(dynamic, EK_PLUGIN_ENTRY_SYMBOL, &why) != EK_OK)
		return ek_refuse_because(err, image->name, &why);
	return EK_OK;
}

/* The bytes for reading; NULL with err where that fails. Unmapped by the caller. */
static void *read_image(const struct ek_image *image, struct ek_error *err)
{
	void *bytes;

	if (image->n_bytes == 0) {
		ek_refuse(err, image->name, "is empty");
		return NULL;
	}
	bytes = mmap(NULL, image->n_bytes, PROT_READ, MAP_PRIVATE, image->fd, 0);
	if (bytes != MAP_FAILED)
		return bytes;
	ek_refuse(err, image->name, "cannot be read from memory: %s", strerror(errno));
	return NULL;
}

int ek_image_check(const struct ek_image *image, enum ek_plugin_kind kind, struct ek_error *err)
{
	struct ek_elf_dynamic dynamic;
	struct ek_plugin_note note;
	void *bytes = read_image(image, err);
	int code;

	if (!bytes)
		return EK_INVALID;
	code = check_bytes(bytes, image, kind, &note, &dynamic, err);
	munmap(bytes, image->n_bytes);
	return code;
}

/* ---- Libraries ---- */

/* The one that the process holds under this name, whoever brought it; false: none yet. */
static bool find_held(const char *name, char *path, size_t size)
{
	void *handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
	struct link_map *map = NULL;

	if (!handle)
		return false;
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		map = NULL;
	snprintf(path, size, "%s", map ? map->l_name : "");
	dlclose(handle);
	return path[0] != '\0';
}

/* The one that the plugin's own search path leads to; false: none. */
static bool find_own(const char *search, const char *name, struct stat *out)
{
	char path[PATH_MAX];

	while (*search) {
		size_t n = strcspn(search, ":");
		int length = snprintf(path, sizeof(path), "%.*s/%s", (int)n, search, name);

		if (search[0] == '/' && length > 0 && (size_t)length < sizeof(path) && stat(path, out) == 0)
			return true;
		search += n + (search[n] == ':');
	}
	return false;
}

/* Their run times end the process when they are not there from its beginning. */
static bool is_sanitizer(const char *library)
{
	static const char *const names[] = { "libasan.so", "libhwasan.so", "liblsan.so", "libtsan.so" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(library, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The dynamic loader goes by names: whoever comes second is given the library of whoever came first, in silence. */
static int check_library(const char *search, const char *library, const char *name, struct ek_error *err)
{
	struct stat own, held;
	char path[PATH_MAX];

	if (is_sanitizer(library) && !find_held(library, path, sizeof(path)))
		return ek_refuse(err, name, "was built with a sanitizer (%.40s), and this program was not; build it without", library);
	if (strchr(library, '/') || !find_own(search, library, &own) || !find_held(library, path, sizeof(path)))
		return EK_OK;
	if (stat(path, &held) == 0 && own.st_dev == held.st_dev && own.st_ino == held.st_ino)
		return EK_OK;
	return ek_refuse(err, name, "brings a %.48s of its own, but this process has that of %.64s, and holds one of a name; link it statically",
		library, path);
}

static int check_libraries(const struct ek_elf_dynamic *dynamic, const char *name, struct ek_error *err)
{
	struct ek_elf_libraries libraries;
	struct ek_error why = EK_ERROR_INIT;
	int code = EK_OK;

	if (ek_elf_read_libraries(dynamic, &libraries, &why) != EK_OK)
		return ek_refuse_because(err, name, &why);
	for (unsigned i = 0; i < libraries.n && code == EK_OK; i++)
		code = check_library(libraries.search, libraries.names[i], name, err);
	return code;
}

/* All that can be said before it is mapped. */
static int check_image(const struct ek_image *image, enum ek_plugin_kind kind, struct ek_plugin_note *note, struct ek_error *err)
{
	struct ek_elf_dynamic dynamic;
	void *bytes = read_image(image, err);
	int code;

	if (!bytes)
		return EK_INVALID;
	code = check_bytes(bytes, image, kind, note, &dynamic, err);
	if (code == EK_OK)
		code = check_libraries(&dynamic, image->name, err);
	munmap(bytes, image->n_bytes);
	return code;
}

/* ---- Mapping ---- */

/* What to do about the dynamic loader's refusal. */
static const char *remedy_for(const char *why)
{
	if (strstr(why, "undefined symbol"))
		return "; link it with -Wl,-z,defs to see what it lacks";
	return strstr(why, "cannot open shared object file") ? "; install that library, or link it statically" : "";
}

/* "/proc/self/fd/7: undefined symbol: foo" -> "undefined symbol: foo" */
static const char *why_not(const char *path)
{
	const char *text = dlerror();
	size_t n = strlen(path);

	if (!text)
		return "no reason given";
	if (!strncmp(text, path, n) && !strncmp(text + n, ": ", 2))
		return text + n + 2;
	return text;
}

static int check_executable(const struct ek_image *image, struct ek_error *err)
{
	void *page = image->may_run ? mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, image->fd, 0) : MAP_FAILED;

	if (page != MAP_FAILED) {
		munmap(page, 1);
		return EK_OK;
	}
	if (image->is_in_place)
		return ek_refuse(err, image->name, "cannot be mapped for running: %s; mount the plugin directory without noexec", strerror(errno));
	return ek_refuse(err, image->name, "cannot be loaded: this system forbids executable memory files; set the sysctl vm.memfd_noexec "
		"to 0 or 1, or plugins.readOnlyDirectory");
}

static int map_image(const struct ek_image *image, void **handle, struct ek_error *err)
{
	char path[40];
	const char *why;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image->fd);
	/* The dynamic loader compares names: were there an old library of this one, we would be given that. */
	if (dlopen(path, RTLD_NOW | RTLD_NOLOAD))
		return ek_refuse(err, image->name, "cannot be told apart from an earlier plugin; restart the process to load it");
	*handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (*handle)
		return EK_OK;
	why = why_not(path);
	return ek_refuse(err, image->name, "cannot be loaded: %s%s", why, remedy_for(why));
}

/* The entry, provided that it lies in what has just been mapped. */
static int find_entry(void *handle, const char *name, ek_plugin_entry_fn *entry, struct ek_error *err)
{
	struct link_map *mapped = NULL, *owner = NULL;
	Dl_info info;

	*(void **)entry = dlsym(handle, EK_PLUGIN_ENTRY_SYMBOL);
	if (!*entry)
		return ek_refuse(err, name, "does not define %s; define the plugin by EK_PLUGIN_DEFINE", EK_PLUGIN_ENTRY_SYMBOL);
	if (dlinfo(handle, RTLD_DI_LINKMAP, &mapped) != 0 ||
		!dladdr1(*(void **)entry, &info, (void **)&owner, RTLD_DL_LINKMAP) || owner != mapped)
		return ek_refuse(err, name, "has its entry outside of itself (in %s); define the plugin by EK_PLUGIN_DEFINE",
			owner && owner->l_name[0] ? owner->l_name : "no file");
	return EK_OK;
}

static int take_descriptor(void *handle, const struct ek_plugin_note *note, const char *name, const struct ek_plugin **out,
	struct ek_error *err)
{
	const struct ek_plugin *plugin;
	ek_plugin_entry_fn entry;
	int code = find_entry(handle, name, &entry, err);

	if (code != EK_OK)
		return code;
	plugin = entry();
	if (!plugin)
		return ek_refuse(err, name, "returned no descriptor; define the plugin by EK_PLUGIN_DEFINE");
	if (plugin->size >= sizeof(*plugin) && (plugin->abi_major != note->abi_major || plugin->abi_minor != note->abi_minor ||
						       plugin->kind != note->kind))
		return ek_refuse(err, name, "says one thing in its note (ABI %u.%u, kind %u) and another in its descriptor (%u.%u, %u); "
			"define it by EK_PLUGIN_DEFINE", note->abi_major, note->abi_minor, note->kind, plugin->abi_major,
			plugin->abi_minor, plugin->kind);
	code = ek_descriptor_check_as(plugin, (enum ek_plugin_kind)note->kind, name, err);
	if (code == EK_OK)
		*out = plugin;
	return code;
}

int ek_image_map(struct ek_image *image, enum ek_plugin_kind kind, const struct ek_plugin **out, struct ek_error *err)
{
	struct ek_plugin_note note;
	void *handle;
	int code = check_image(image, kind, &note, err);

	if (code == EK_OK)
		code = check_executable(image, err);
	if (code == EK_OK)
		code = map_image(image, &handle, err);
	if (code != EK_OK)
		return code;
	code = take_descriptor(handle, &note, image->name, out, err);
	/* Mapped and refused: were the number of its memory file used again, the dynamic loader would take the next one for this. */
	if (code != EK_OK)
		image->fd = -1;
	return code;
}
