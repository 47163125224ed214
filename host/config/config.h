/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration document (design.md 1.2) as a struct. Reading validates everything that can be judged without loading plugins: unknown keys, types (line and
 * column), names, two defaults, patterns, CIDRs. Options stay as values until the plugin that declares them is known. Immutable once read.
 */
#ifndef EK_CONFIG_CONFIG_H
#define EK_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "base/value.h"
#include "plugin/catalog.h"    /* struct ek_plugin_rules */
#include "plugin/services.h"   /* enum ek_auth_type */

enum ek_rollout_stage { EK_ROLLOUT_OFF, EK_ROLLOUT_SHADOW, EK_ROLLOUT_CANARY };

struct ek_config_label { const char *key, *value; };

/* One entry of rollout.select: a syncer is chosen when every field that is set fits. */
struct ek_config_selection {
	int64_t percent;                         /* -1 unset */
	unsigned n_namespaces; const char **namespaces;
	unsigned n_labels; struct ek_config_label *labels;
};

/* A second version of a mode. */
struct ek_config_rollout {
	const char *plugin, *sha256;
	const struct ek_value *options;          /* NULL: those of the first version */
	enum ek_rollout_stage stage;
	unsigned n_selections; struct ek_config_selection *selections;
	int64_t failures;                        /* in a row, after which a syncer goes back to the first version */
};

struct ek_config_mode {
	const char *name, *plugin, *sha256;      /* sha256 "" if none */
	const struct ek_value *options;          /* may be NULL */
	struct ek_config_rollout *rollout;       /* NULL: none, or its stage is Off */
};

struct ek_config_registry {
	const char *name, *plugin, *sha256;
	bool is_default;
	const struct ek_value *options;
	enum ek_auth_type auth;
	const char *username_file, *password_file, *token_file, *cert_file, *key_file; /* NULL none */
	const char *ca_file;
	bool insecure_skip_verify;
	int64_t requests_per_second;             /* 0 adaptive */
	int64_t connections;
};

struct ek_config_cidr { uint8_t address[16]; uint8_t family, bits; };
struct ek_config_grant { const char *from, *to; };
struct ek_config_names { const char *namespace_; unsigned n; const char **patterns; };

struct ek_config {
	struct ek_arena arena;
	const char *cluster_id;                  /* "" : from kube-system's UID */
	unsigned n_former; const char **former_cluster_ids;
	unsigned n_namespaces; const char **watch_namespaces;
	struct ek_plugin_rules plugins;
	unsigned n_modes; struct ek_config_mode *modes;
	unsigned n_registries; struct ek_config_registry *registries;
	bool allow_without_pod;
	unsigned n_families; int families[2];
	unsigned n_deny; struct ek_config_cidr *deny;
	unsigned n_grants; struct ek_config_grant *grants;
	unsigned n_names; struct ek_config_names *names;
	struct { int64_t syncer_percent, syncer_min, registry_percent, registry_min, window_seconds, confirm_seconds; bool is_block; } guard;
	int64_t audit_seconds;
	int64_t finalizer_wait_seconds;
	uint64_t hash;                           /* of the bytes, for "unchanged" */
};

/* EK_OK with *out (free with ek_config_free), or EK_INVALID with "line L, column C: ..." . */
int ek_config_read(const char *bytes, size_t n, struct ek_config **out, struct ek_error *err);
void ek_config_free(struct ek_config *config);
const struct ek_config_mode *ek_config_find_mode(const struct ek_config *config, const char *name);
bool ek_config_watches(const struct ek_config *config, const char *namespace_);
const struct ek_config_registry *ek_config_find_registry(const struct ek_config *config, const char *name); /* NULL name: the default one */

#endif
