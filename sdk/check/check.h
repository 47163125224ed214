/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - the conformance kit: one rule of the headers, one function, one line of output.
 *
 * Rules stand in tables, one per kind of plugin; `eurekube-plugin-check --list-rules` prints them. A rule makes what it needs (an instance, see subject.h), looks, and
 * cleans up. It returns NULL when the plugin keeps it, otherwise what was seen; the text may live in check->seen. The host is tests/kit/fake_host: nothing is sent and
 * no time passes but the rule's own, unless the plugin has sockets of its own.
 *
 * A plugin that breaks one rule should be told of that one: a rule that would say nothing new after another has failed names the other in `needs`, and is skipped.
 */
#ifndef EK_SDK_CHECK_CHECK_H
#define EK_SDK_CHECK_CHECK_H

#include <stdbool.h>

#include <eurekube/mode.h>
#include <eurekube/registry.h>

#include "base/arena.h"
#include "kit/fake_host.h"
#include "report.h"
#include "sample_objects.h"

#define EK_CHECK_MANY 10000          /* operations or entries */
#define EK_CHECK_MANY_MS 60000       /* and how long they may take, really */
#define EK_CHECK_RULES_MAX 64

struct ek_live;
struct ek_process_state;

/* The values of a plugin's own options, or of a syncer's. */
struct ek_option_set {
	const struct ek_option_value *const *values;
	uint32_t n;
};

/* How a registry plugin reaches what it speaks to; known once an operation has completed. */
enum ek_reach { EK_REACH_NOBODY, EK_REACH_HTTP, EK_REACH_SOCKETS };

struct ek_check {
	struct ek_report *report;
	struct ek_live *live;                   /* requests are really sent; NULL: they are not */
	struct ek_process_state *before;        /* the plugin was loaded */
	uint64_t descriptor;                    /* its hash, then */
	const struct ek_plugin *plugin;
	struct ek_arena arena;                  /* of the options; as long as the check */
	const char *const *given;               /* by --option, "name=value", NULL-ended */
	struct ek_option_set options, instance_options;
	struct ek_given_objects objects[EK_RESOURCES_MAX + 1]; /* by --objects; ended by a plural of NULL */
	char samples[2][64];                    /* for required options: a URL, a server; both take connections and answer nothing */
	unsigned sample;                        /* which of them suits */
	enum ek_reach reach;
	bool is_unanswered;                     /* the registry was given time to answer, and did not */
	const char *broken[EK_CHECK_RULES_MAX]; /* rules that have failed, or could not be looked at for that */
	unsigned n_broken, n_failed;
	int64_t slowest_ms;                     /* call into the plugin, of late */
	bool looks_at_threads;                  /* the running rule does */
	bool has_seen_signals_open;             /* in one of them */
	bool is_skipped;                        /* by the running rule */
	char seen[512];
};

struct ek_rule {
	const char *name;                       /* NULL ends a table */
	const char *text;                       /* what a plugin that keeps it does */
	const char *needs;                      /* a rule without which this one says nothing; NULL none */
	const char *(*run)(struct ek_check *check);
};

extern const struct ek_rule ek_mode_rules[];     /* mode_rules.c */
extern const struct ek_rule ek_registry_rules[]; /* registry_rules.c: before a registry that does not answer, or answers nonsense */
extern const struct ek_rule ek_live_rules[];     /* live_rules.c: what can be seen only where the registry answers */
extern const struct ek_rule ek_process_rules[];  /* process_rules.c: of both kinds, at the end */

/* Runs each rule and reports "ok   NAME: TEXT", "FAIL NAME: TEXT: what was seen" or "skip NAME: TEXT: why". */
void ek_check_run(struct ek_check *check, const struct ek_rule *rules);

/* Formats into check->seen and returns it. */
EK_PRINTF(2, 3) const char *ek_check_saw(struct ek_check *check, const char *format, ...);
/* What a rule returns that cannot be judged here. */
EK_PRINTF(2, 3) const char *ek_check_skip(struct ek_check *check, const char *format, ...);

int64_t ek_check_clock_ms(void);                 /* real time, for patience */

/* ---- process_rules.c ---- */

/* Runs one cycle - make, use, end - a hundred times and looks at what is left. */
const char *ek_check_cycles(struct ek_check *check, const char *(*cycle)(struct ek_check *check));
/* Runs one cycle up to five times, until no call into the plugin has taken long. */
const char *ek_check_prompt(struct ek_check *check, const char *(*cycle)(struct ek_check *check));
/* Runs one cycle, which looks at its threads, and waits for them to end. */
const char *ek_check_threads(struct ek_check *check, const char *(*cycle)(struct ek_check *check));
void ek_check_look_at_threads(struct ek_check *check);
struct ek_process_state *ek_process_state_new(void); /* as it is now; free() it */
uint64_t ek_check_hash_descriptor(const struct ek_plugin *plugin);

/* ---- options.c ---- */

/* Opens the silent server to which samples lead. False: that does not work here. */
bool ek_check_make_samples(struct ek_check *check);

/*
 * Values for declared options: `given` holds "name=value" texts (value as in YAML), NULL-ended. A required option that is not given gets a sample. EK_OK, or
 * EK_INVALID.
 */
int ek_check_resolve(struct ek_check *check, const struct ek_option *const *declared, const char *const *given, const char *what,
                     struct ek_option_set *set, struct ek_error *err);
/* The plugin's own options as given; creates an instance to see which samples suit it. */
int ek_check_resolve_own(struct ek_check *check, struct ek_error *err);
/* As given, but one of them "name=value". */
int ek_check_resolve_with(struct ek_check *check, const char *one, struct ek_option_set *set, struct ek_error *err);
/* As given, but whatever may say where the registry is leads to the silent server. */
int ek_check_resolve_nowhere(struct ek_check *check, struct ek_option_set *set, struct ek_error *err);

/* The rule "options", for plugins of either kind. */
const char *ek_check_options(struct ek_check *check);

/* ---- live.c: sends a plugin's requests for it, one after the other ---- */

struct ek_live *ek_live_new(void);
void ek_live_free(struct ek_live *live);
void ek_live_answer(struct ek_live *live, struct fake_host *fake, struct fake_request *request);

#endif
