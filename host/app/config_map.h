/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration in a ConfigMap, watched through the API: a reflector of that one object, whose key eurekube.yaml is handed on whenever it has changed. It reads no
 * document.
 */
#ifndef EK_APP_CONFIG_MAP_H
#define EK_APP_CONFIG_MAP_H

#include "kube/reflector.h"
#include "kube/resources.h"

#define EK_CONFIG_KEY "eurekube.yaml"
#define EK_CONFIG_MAX (1u << 20)

struct ek_config_map;

struct ek_config_map_config {
	struct ek_loop *loop;
	struct ek_kube *kube;
	const char *namespace_, *name;      /* must outlive it */
	/* The text changed. Borrowed for the call; the owner must not be freed in it. */
	void (*on_text)(void *arg, const char *text, size_t n);
	/* There is no such object, or no such key: what to do is in `problem`. */
	void (*on_missing)(void *arg, const char *problem);
	void *arg;
};

struct ek_config_map *ek_config_map_watch(const struct ek_config_map_config *config);
void ek_config_map_free(struct ek_config_map *map);
const char *ek_config_map_uid(const struct ek_config_map *map); /* "" while unknown */

#endif
