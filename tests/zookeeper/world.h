/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of the ZooKeeper plugin on a loop of its own, behind the real host services. Two worlds are two operators: while one loop is not run, that operator hangs.
 */
#ifndef EK_TESTS_ZOOKEEPER_WORLD_H
#define EK_TESTS_ZOOKEEPER_WORLD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/yaml.h"
#include "io/http.h"
#include "io/loop.h"
#include "kit/sample_instance.h"
#include "plugin/options.h"
#include "plugin/services.h"

#define LIMIT_MS 20000
#define MAX_SEEN 2000

struct seen_entry {
	char id[256], application[64], address[64], owner[64], version[16];
	uint32_t flags, n_metadata;
	int32_t status, port, secure_port;
	int64_t revision;
};

struct zoo {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_catalog *catalog;
	struct ek_arena arena;
	struct ek_services *services;
	const struct ek_registry_ops *ops;
	void *self;
	uint64_t token;
	bool is_done, is_closed, is_late;
	int32_t code;
	int64_t revision;
	char message[256];
	bool has_entry;
	struct seen_entry entry;                     /* of a GET */
	struct seen_entry *entries;                  /* of a list */
	unsigned n_entries, stop_after, n_lost;
	struct ek_timer limit;
};

/* With these options of the configuration, as YAML; NULL if the plugin refuses them, which zoo_refusal then tells. */
struct zoo *zoo_open(const char *options);
extern char zoo_refusal[256];
void zoo_close(struct zoo *zoo);
/* On the server that the test was given, below a root that belongs to this test. */
struct zoo *zoo_at(const char *root);

/* Carries out one operation and waits for it. Returns its code. */
int32_t zoo_do(struct zoo *zoo, enum ek_op_kind kind, const struct ek_instance *instance, int64_t revision);
int32_t zoo_list(struct zoo *zoo);
int32_t zoo_probe(struct zoo *zoo);
/* The operation without waiting. */
void zoo_start(struct zoo *zoo, enum ek_op_kind kind, const struct ek_instance *instance, int64_t revision, int32_t timeout_ms);
void zoo_cancel(struct zoo *zoo);
void zoo_wait(struct zoo *zoo);

#endif
