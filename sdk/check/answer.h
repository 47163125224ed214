/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - a sink that writes down what a mode emits, as text that can be compared, and finds fault with instances that no mode may emit. */
#ifndef EK_SDK_CHECK_ANSWER_H
#define EK_SDK_CHECK_ANSWER_H

#include <stdbool.h>

#include <eurekube/mode.h>

#include "base/buf.h"

#define EK_ANSWER_CODE EK_TOO_BIG       /* how a sink refuses here */
#define EK_ANSWER_REASON "CheckRefused"

struct ek_answer {
	struct ek_sink sink;            /* first */
	struct ek_buf text;             /* one line for each instance */
	unsigned n;                     /* emitted */
	unsigned refuses_from;          /* the n-th, counted from 1; 0 none */
	bool went_on;                   /* after a refusal */
	unsigned n_sources;             /* of them with an endpoint behind */
	const char *fault;              /* NULL: all instances were proper */
};

void ek_answer_init(struct ek_answer *answer);
void ek_answer_clear(struct ek_answer *answer);

#endif
