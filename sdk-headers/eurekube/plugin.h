/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.h - what a shared object must contain to be a EureKube plugin.
 *
 * A plugin is an ELF shared object with exactly one exported symbol, the function `ek_plugin_entry_v0`, and one ELF note.  Both are made by EK_PLUGIN_DEFINE, once
 * per shared object:
 *
 *     static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };
 *     EK_PLUGIN_DEFINE(mymode, MODE, .version = "1.0.0", .ops = &ops);
 *
 * How the host loads it.
 *   1. The file's bytes are copied into a sealed memory file; size, path rules and, if the configuration gives one, the SHA-256 are checked on that copy.
 *   2. The ELF note is read from the bytes: ABI version and kind are compared *before any code of the plugin runs*, constructors included.
 *   3. Exports are read from the bytes: anything but the entry is refused, so two plugins can never see each other's symbols.
 *   4. It is mapped with RTLD_NOW | RTLD_LOCAL, the entry is called, and the descriptor it returns is checked against the note; every missing mandatory slot of the
 *      operations is named in one message.
 * A shared object is never unmapped; instances (ek_mode_ops.create, ek_registry_ops.create) come and go as the configuration changes, and several instances of one
 * plugin, or of two versions of it, may live at the same time.  So a plugin has no mutable global state: everything lives in its instance.
 *
 * What a plugin may use: libc, the libraries it links, and what the host hands it.  It must not start processes, change signal handlers, the locale or the working
 * directory, call exit or abort on purpose, or unwind (longjmp, C++ exceptions) across the border.  It may start threads; these block all signals and call nothing
 * of the host but `post`.
 *
 * ABI version.  Until release 1.0 the major is 0 and host and plugin must agree on the minor as well, so that this border can still be improved.  1.0 freezes
 * `ek_plugin_entry_v1`; from then on a host X.Y loads plugins built for X.0 to X.Y.
 *
 * ABI changes
 *   0.1  first version.
 *   0.2  modes read any resource: ek_mode_ops.resources_of, ek_cluster.resources, struct ek_resource_read, ek_object_list, ek_object and ek_tree.
 */
#ifndef EK_EUREKUBE_PLUGIN_H
#define EK_EUREKUBE_PLUGIN_H

#include <eurekube/types.h>

#define EK_ABI_MAJOR 0
#define EK_ABI_MINOR 2

/* What the plugin varies.  `ops` points to struct ek_mode_ops or struct ek_registry_ops accordingly. */
enum ek_plugin_kind {
	EK_PLUGIN_MODE = 1,
	EK_PLUGIN_REGISTRY = 2,
};

/*
 * Options are data: a plugin declares name, type, default and help of what it understands; the host parses, validates, documents and reports errors with line and
 * column.  A plugin never sees an option that it did not declare, nor a value of another type.
 */
enum ek_option_type {
	EK_OPTION_STRING = 1,
	EK_OPTION_INTEGER = 2,  /* int64_t */
	EK_OPTION_BOOLEAN = 3,
	EK_OPTION_DURATION = 4, /* written "90", "90s", "1500ms" or "2m"; handed over in milliseconds */
	EK_OPTION_LIST = 5,     /* a list of strings */
	EK_OPTION_ENUM = 6,     /* a string out of `choices` */
};

enum ek_option_flag {
	EK_OPTION_REQUIRED = 1u << 0, /* no default: the document must give it */
};

/*
 * One declaration.  `name` is lowerCamelCase, unique in its array.  `minimum` and `maximum` bound an INTEGER, a DURATION (in milliseconds) or the number of
 * elements of a LIST, and are ignored when both are 0.
 */
struct ek_option {
	uint32_t size;
	uint32_t type;              /* enum ek_option_type */
	uint32_t flags;             /* enum ek_option_flag */
	uint32_t reserved;
	const char *name;
	const char *default_value;  /* as one would write it in YAML; NULL: empty, 0, false */
	const char *choices;        /* ENUM only: "single|batch" */
	const char *help;           /* one sentence */
	int64_t minimum;
	int64_t maximum;
};
EK_SEALED(struct ek_option, maximum);

/*
 * One value, for a declared option.  The host always hands over one value per declaration, in the order of declaration, with defaults filled in; `is_set` tells
 * whether the user wrote it.  Values live as long as the instance (create) or the call (per-syncer ones) that received them.
 */
struct ek_option_value {
	uint32_t size;
	uint32_t type;
	const char *name;
	const char *text;              /* STRING, ENUM; otherwise NULL */
	int64_t integer;               /* INTEGER; DURATION in milliseconds; BOOLEAN 0 or 1 */
	const char *const *list;       /* LIST; otherwise NULL */
	uint32_t n_list;
	uint32_t is_set;
};
EK_SEALED(struct ek_option_value, is_set);

/*
 * The descriptor that the entry returns.  It and all it points to live as long as the process and never change.
 *
 * `options` and `instance_options` are arrays of pointers ended by NULL, or NULL for none: the former belong to the plugin's entry in the configuration
 * (`modes.X.options`, `registries.X.options`), the latter to each EurekaSyncer (`spec.modeOptions`, `spec.registryOptions`).
 */
struct ek_plugin {
	uint32_t size;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t kind;                 /* enum ek_plugin_kind */
	uint32_t reserved;
	const char *name;              /* [a-z][a-z0-9-]{0,31} */
	const char *version;           /* the plugin's own, at most 31 bytes, shown in status and logs */
	const char *build_id;          /* may be NULL: commit or build number, shown by `eurekube plugin list` */
	const struct ek_option *const *options;
	const struct ek_option *const *instance_options;
	const void *ops;
};
EK_SEALED(struct ek_plugin, ops);

/* The type of the one exported function.  It does nothing but return the descriptor, and may be called any number of times. */
typedef const struct ek_plugin *(*ek_plugin_entry_fn)(void);
#define EK_PLUGIN_ENTRY_SYMBOL "ek_plugin_entry_v0"

/*
 * The ELF note (section .note.eurekube, PT_NOTE, so that `strip` keeps it).  Layout of an ELF note: name size, description size, type, name, description; all
 * words 4-byte aligned (System V ABI, "Note Section").
 */
#define EK_NOTE_NAME "EureKube"
#define EK_NOTE_TYPE 1
struct ek_plugin_note {
	uint32_t name_size;
	uint32_t description_size;
	uint32_t type;
	char name[12]; /* "EureKube" and padding */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t kind;
};
EK_SEALED(struct ek_plugin_note, kind);

/* Clang's address sanitizer would put a red zone behind the note, and readers of notes would take it for part of it. */
#ifdef __clang__
#define EK_NOTE_ALONE __attribute__((no_sanitize("address")))
#else
#define EK_NOTE_ALONE
#endif

/*
 * EK_PLUGIN_DEFINE(name, KIND, fields...): the note, the descriptor and the entry.  `name` without quotes, KIND is MODE or REGISTRY, then designated initialisers
 * of struct ek_plugin (.version and .ops at least).
 */
#define EK_PLUGIN_DEFINE(plugin_name, plugin_kind, ...)                                                              \
	EK_NOTE_ALONE __attribute__((section(".note.eurekube"), used, aligned(4))) static const struct ek_plugin_note ek_note_ = { \
		sizeof(EK_NOTE_NAME), 8, EK_NOTE_TYPE, EK_NOTE_NAME, EK_ABI_MAJOR, EK_ABI_MINOR,             \
		EK_PLUGIN_##plugin_kind                                                                              \
	};                                                                                                           \
	__attribute__((visibility("default"))) const struct ek_plugin *ek_plugin_entry_v0(void);                     \
	const struct ek_plugin *ek_plugin_entry_v0(void)                                                             \
	{                                                                                                            \
		static const struct ek_plugin descriptor = {                                                         \
			.size = sizeof(struct ek_plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR,      \
			.kind = EK_PLUGIN_##plugin_kind, .name = #plugin_name, __VA_ARGS__                           \
		};                                                                                                   \
		return &descriptor;                                                                                  \
	}                                                                                                            \
	EK_STATIC_ASSERT(sizeof(#plugin_name) <= 33, "a plugin's name has at most 32 bytes")

#endif
