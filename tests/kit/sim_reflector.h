/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of stories about one reflector, in simulated time: a server that gives one scripted answer after another, so that
 * each byte of an answer can be wrong on purpose, and a sink that writes down what it is told.
 *
 * A story: GIVEN(w, answers...); when_reflector_starts(w, ms); when_...; then_....  Requests are counted from 0. Without a script left, a
 * request is answered by a watch that stays open and says nothing.
 */
#ifndef EK_KIT_SIM_REFLECTOR_H
#define EK_KIT_SIM_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/serve.h"
#include "kit/sim.h"
#include "kube/reflector.h"

#define SERVER "kube:6443"
#define PATH   "/apis/discovery.k8s.io/v1/endpointslices"
#define MINUTE 60000
#define HOUR   (60 * MINUTE)

/* Documents. */
#define OBJECT(name, rv)      "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" OBJECT(name, rv) "}\n"
#define BOOKMARK(rv)          "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv "\"}}}\n"
#define MARK(rv)                                                                                                       \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{\"k8s.io/initial-events-end\":\"true\"},"   \
	"\"resourceVersion\":\"" rv "\"}}}\n"
#define PAGE(items, rv, token) "{\"metadata\":{\"resourceVersion\":\"" rv "\",\"continue\":\"" token "\"},\"items\":[" items "]}"
#define STATUS(code, reason)                                                                                           \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"told by the script\",\"reason\":\"" reason          \
	"\",\"code\":" #code "}"
#define TOO_LARGE                                                                                                      \
	"{\"kind\":\"Status\",\"message\":\"Too large resource version\",\"reason\":\"Timeout\",\"details\":{"         \
	"\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}],\"retryAfterSeconds\":1},\"code\":504}"
#define ERROR_EVENT(status)   "{\"type\":\"ERROR\",\"object\":" status "}\n"
#define REPLY(code, text)     { .status = (code), .body = (text) }
#define VIEW                  EVENT("ADDED", "a", "7") EVENT("ADDED", "b", "3") MARK("10")

enum ending { CLOSED, OPEN, CUT };

struct answer {
	int status;              /* 0: 200, a stream */
	const char *body;
	enum ending ending;      /* of a stream */
	const char *headers;
};

struct asked {
	char query[1024];
	char authorization[64];
	char encoding[64], agent[128];
	int64_t at_ms;
};

struct world {
	struct ek_loop *loop;
	struct ek_serve *serve;
	struct ek_http *http;
	struct ek_kube *kube;
	struct ek_reflector *reflector;
	struct answer script[64];
	unsigned n_script, n_asked;
	struct asked asked[256];
	struct ek_serve_stream *stream;   /* the last one that is open */
	bool is_repeating;                /* the last answer again and again */
	char told[8192];                  /* what the sink was told */
	int refuses;                      /* the sink refuses this many more objects */
};

/* token_file: NULL none; of a simulated file. audit_ms: 0 none. */
struct world *a_reflector_world(const char *token_file, int64_t audit_ms);
struct world *a_synced_world(void);    /* its first answer was VIEW, and the watch after it is open */
void end_story(struct world *w);          /* checks that nothing was left behind */

void given_script(struct world *w, const struct answer *answers, size_t n);
#define GIVEN(w, ...)                                                                                                  \
	do {                                                                                                           \
		const struct answer answers_[] = { __VA_ARGS__ };                                                      \
		given_script((w), answers_, sizeof(answers_) / sizeof(answers_[0]));                                  \
	} while (0)

void when_reflector_starts(struct world *w, int64_t then_ms);
void when_stream_sends(struct world *w, const char *bytes);                         /* on the open stream */
void when_stream_ends(struct world *w, bool abruptly, int64_t then_ms);           /* the open stream */

void then_sink_heard(struct world *w, const char *wanted);                        /* the sink, since it was last asked */
void then_query_has(struct world *w, unsigned i, const char *words);
void then_query_lacks(struct world *w, unsigned i, const char *words);
void then_watched_from(struct world *w, unsigned i, const char *version);
void then_listed_from(struct world *w, unsigned i, const char *version);    /* by a stream; NULL: the newest */
void then_came_after(struct world *w, unsigned i, int64_t low, int64_t high);   /* between request i - 1 and i */
void then_watch_is_broken(struct world *w, const char *problem);
void then_watch_works(struct world *w);
const struct ek_reflector_stats *stats_of(struct world *w);

#endif
