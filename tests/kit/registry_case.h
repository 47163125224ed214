/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short words for contract tests of a registry plugin over the fake host; each fails the running cmocka test with what it found. Operations here have token 1
 * unless a test makes its own.
 */
#ifndef EK_KIT_REGISTRY_CASE_H
#define EK_KIT_REGISTRY_CASE_H

#include "kit/fake_host.h"
#include "kit/sample_instance.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Creates the instance; a refusal fails the test. Options come before, by fake_host_set. */
struct fake_host *started(struct fake_host *fake);
/* Closes, frees, and fails if the plugin broke a rule of the border or left something behind. */
void end(struct fake_host *fake);

/* Applies one operation on the sample instance. */
void apply(struct fake_host *fake, enum ek_op_kind kind, int64_t revision);
/* The next request must be this one. */
struct fake_request *expect(struct fake_host *fake, const char *method, const char *url);
void answer(struct fake_host *fake, struct fake_request *request, int status, const char *body);
void answer_in_pieces(struct fake_host *fake, struct fake_request *request, const char *body, uint32_t piece_bytes); /* 200 */
void break_off(struct fake_host *fake, struct fake_request *request, int32_t code);
/* How token 1 ended: it must have, and once. */
const struct fake_completion *done(struct fake_host *fake);
void expect_nothing_yet(struct fake_host *fake);

#endif
