/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - the conformance kit: one rule of mode.h or registry.h, one function, one line of output.
 *
 * A rule makes what it needs (an instance, a view of a cluster), looks, and cleans up. It returns NULL when the plugin keeps it, otherwise what was seen; the text
 * may live in check->seen. The host is tests/kit/fake_host: nothing is sent and no time passes but the rule's own.
 */
#ifndef EK_SDK_CHECK_CHECK_H
#define EK_SDK_CHECK_CHECK_H

#include <stdbool.h>

#include <eurekube/mode.h>
#include <eurekube/registry.h>

#include "base/arena.h"
#include "kit/fake_host.h"

struct ek_check {
	const struct ek_plugin *plugin;
	struct ek_arena arena;                           /* of the options; as long as the check */
	const struct ek_option_value *const *options;    /* as the command line and the plugin's defaults say */
	uint32_t n_options;
	const struct ek_option_value *const *instance_options;
	uint32_t n_instance_options;
	unsigned n_failed;
	char seen[512];
};

typedef const char *(*ek_check_rule)(struct ek_check *check);

/* Runs one rule and prints "ok   NAME: TEXT" or "FAIL NAME: TEXT: what was seen". */
void ek_check_run(struct ek_check *check, const char *name, const char *text, ek_check_rule rule);

/* Formats into check->seen and returns it. */
EK_PRINTF(2, 3) const char *ek_check_saw(struct ek_check *check, const char *format, ...);

/* A host for one instance, with the options of this check. End it by fake_host_end(). */
struct fake_host *ek_check_host(const struct ek_check *check);

/*
 * Values for declared options: `given` holds "name=value" texts (value as in YAML), NULL-ended. A required option that is not given gets a sample: a URL that leads
 * nowhere, the smallest number, the first choice. EK_OK, or EK_INVALID.
 */
int ek_check_resolve(struct ek_check *check, const struct ek_option *const *declared, const char *const *given, const char *what,
                     const struct ek_option_value *const **values, uint32_t *n_values, struct ek_error *err);

void ek_check_mode(struct ek_check *check);      /* mode_rules.c */
void ek_check_registry(struct ek_check *check);  /* registry_rules.c */

#endif
