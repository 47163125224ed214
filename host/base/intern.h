/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interned strings: one copy of each text, counted. Namespaces, node names, zones, port names and service names occur
 * thousands of times in a cluster; the store keeps pointers to these. Equal texts have equal pointers.
 */
#ifndef EK_BASE_INTERN_H
#define EK_BASE_INTERN_H

#include <stddef.h>

struct ek_intern;
struct ek_intern *ek_intern_new(void);
void ek_intern_free(struct ek_intern *pool);
const char *ek_intern_ref(struct ek_intern *pool, const char *text, size_t n); /* adds a reference */
void ek_intern_unref(struct ek_intern *pool, const char *interned);            /* NULL is ignored */
size_t ek_intern_count(const struct ek_intern *pool);
size_t ek_intern_bytes(const struct ek_intern *pool);

#endif
