/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one YAML (or JSON) document into a tree of values. yaml.c is the only file that includes yaml.h of libyaml. Refused: more than one
 * document, aliases that would make the tree larger than max_nodes, duplicate keys, keys that are not scalars, nesting above 64.
 */
#ifndef EK_BASE_YAML_H
#define EK_BASE_YAML_H

#include "base/value.h"

/* EK_OK with *root (a NULL-kind node for an empty document), or EK_INVALID / EK_TOO_BIG with "line L, column C: ..." in err. */
int ek_yaml_read(const char *bytes, size_t n, unsigned max_nodes, struct ek_arena *arena, const struct ek_value **root, struct ek_error *err);

#endif
