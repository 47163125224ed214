/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.h - the rules that every structure crossing the plugin border obeys.
 *
 * A plugin and the host are compiled at different times by different people.  What they share is the layout of the structures in this directory, so that layout
 * follows a few strict rules:
 *
 *  - Every structure starts with `uint32_t size`: the size its *creator* was compiled with.  A reader that knows a later version asks EK_HAS() before it touches
 *    a field that was appended after 0.1; everything older is always there.
 *  - Fields are only ever appended.  No field changes its meaning, type or place.
 *  - No structure has implicit padding: gaps are explicit `reserved` fields, which the creator sets to zero and the reader ignores.  (A later field must not be
 *    able to hide in old padding, where EK_HAS() would answer wrongly.)
 *  - Structures cross by pointer and never embed one another by value.  An array is an array of *pointers* plus a count, so an element may grow as well.
 *  - Integers have fixed width; strings are NUL-terminated UTF-8.  A `const char *` that "may be NULL" says so; every other one is never NULL.
 *  - Nothing that depends on a C library instance crosses: no FILE, no errno, no locale, no setjmp, no signal, no fork, no exit, no malloc/free pair.
 *  - No preprocessor symbol changes a structure of these headers.
 *
 * Ownership.  A pointer to const is *borrowed*: it is valid for the duration of the call that carries it unless its comment names another end.  Whoever wants to
 * keep what it points to copies it.  Nothing is allocated on one side of the border and freed on the other.
 *
 * Threads.  Host and plugins run on one thread, the host's event loop.  Every function of these headers is called on it and must be called on it, with the single
 * exception of ek_host.post (host.h).
 *
 * Units stand in the names: _ms is milliseconds, _seconds seconds, _bytes bytes.  Times are monotonic unless the name says `wall`.
 *
 * Supported are 64-bit little-endian Linux systems (x86-64, aarch64).
 */
#ifndef EK_EUREKUBE_TYPES_H
#define EK_EUREKUBE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define EK_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define EK_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

EK_STATIC_ASSERT(sizeof(void *) == 8, "the plugin ABI is defined for 64-bit systems");

/*
 * EK_HAS(p, field): true when the structure `*p`, as its creator knew it, reaches to the end of `field`.  Needed only for fields that a header marks with
 * "since 0.2" or later; evaluates `p` twice.
 */
#define EK_HAS(p, field) ((size_t)(p)->size >= offsetof(__typeof__(*(p)), field) + sizeof((p)->field))

/*
 * EK_SEALED(type, last): fails to compile when `type` has padding after its last field.  Each structure of these headers is sealed right below its definition.
 * Padding between fields is refused by the layout test, which compiles these headers with -Wpadded.
 */
#define EK_SEALED(type, last) \
	EK_STATIC_ASSERT(sizeof(type) == offsetof(type, last) + sizeof(((type *)0)->last), "a public structure must not end in padding")

/* Lets the compiler check the arguments of a printf-like function; `f` and `a` are the 1-based positions of the format and of the first argument. */
#define EK_PRINTF(f, a) __attribute__((format(printf, f, a)))

/*
 * A key with a value: a label, a metadata entry, an HTTP header.  Both are never NULL; the value may be empty.  Arrays of pairs are not sorted unless their
 * comment says so, and a key appears at most once in one array.
 */
struct ek_pair {
	uint32_t size;
	uint32_t reserved;
	const char *key;
	const char *value;
};
EK_SEALED(struct ek_pair, value);

#endif
