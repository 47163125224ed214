/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subject.h - one instance of the plugin under check, and the host before it. Time flies for a plugin that has no sockets of its own: two minutes pass in no time. For
 * one that has, it passes as it does.
 */
#ifndef EK_SDK_CHECK_SUBJECT_H
#define EK_SDK_CHECK_SUBJECT_H

#include "check.h"

#define EK_SUBJECT_APPLICATION "EK-CHECK"  /* what the kit writes to a registry that answers belongs to it */
#define EK_SUBJECT_OWNER "kit/check/check"
#define EK_SUBJECT_INSTANCES 64

struct ek_subject {
	struct ek_check *check;
	struct fake_host *fake;
	void *self;
	uint64_t token;                    /* the last one given out */
	const struct ek_mode_ops *mode;    /* NULL: it is a registry */
	const struct ek_registry_ops *registry;
};

/* EK_OK; or what create returned: then nothing is left to be closed, and *left is what was left behind nevertheless, or NULL. */
int ek_subject_create(struct ek_check *check, const struct ek_option_set *options, struct ek_subject *subject, const char **left, struct ek_error *err);
/* The same with the options of the check, as rules begin: NULL, or what is wrong. */
const char *ek_subject_open(struct ek_check *check, struct ek_subject *subject);

/*
 * Ends it and gives it time to end. Returns `fault` if there is one, else the first breach that the host has seen in this instance's life, else what was left behind.
 */
const char *ek_subject_close(struct ek_subject *subject, const char *fault);

/* A call into the plugin that began then has returned. */
void ek_subject_called(const struct ek_subject *subject, int64_t began_ms);

/* ---- Registries ---- */

/* The i-th of the instances that the kit registers: complete, UP, with the marks and one pair more. Valid until the next call with the same i. */
const struct ek_instance *ek_subject_instance(unsigned i);

/* An operation that may take three seconds. */
struct ek_op ek_subject_op(struct ek_subject *subject, enum ek_op_kind kind, const struct ek_instance *instance);
/* Starts one; returns its token. */
uint64_t ek_subject_start(struct ek_subject *subject, enum ek_op_kind kind, const struct ek_instance *instance);
/* Lists by these applications, all of them where n is 0; returns its token. */
uint64_t ek_subject_list(struct ek_subject *subject, const char *const *applications, uint32_t n);

/*
 * Lets the world go on until so many operations have completed in all: requests are answered alike, or sent where `answer` is NULL and the check is live. False: in two
 * minutes they did not.
 */
bool ek_subject_settle(struct ek_subject *subject, const struct fake_answer *answer, uint32_t n_completions);
/* A little longer, for what should not come any more. */
void ek_subject_linger(struct ek_subject *subject, const struct fake_answer *answer);

/* Starts one and waits for it; how it ended, NULL: not at all. */
const struct fake_completion *ek_subject_do(struct ek_subject *subject, enum ek_op_kind kind, const struct ek_instance *instance);

#endif
