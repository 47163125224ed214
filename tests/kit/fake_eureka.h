/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for a Spring Cloud Eureka server, as a state machine: requests in, answers out. It follows the real one where a
 * registrar can tell: validation and its texts, lastDirtyTimestamp rules, status rules and overrides, the lease clock with its
 * doubled duration after a renewal, eviction by ticks with self-preservation, the shapes of its answers. Served under /eureka and /eureka/v2.
 * Peers and the batch endpoint are not there.
 *
 *     struct fake_eureka *eureka = fake_eureka_new(loop, NULL);
 *     struct ek_serve *serve = ek_serve_new(loop, &(struct ek_serve_config){ .host = "eureka-0", .port = 8761,
 *             .handle = fake_eureka_handle, .arg = eureka }, NULL);
 *     ...
 *     ek_serve_free(serve);
 *     fake_eureka_free(eureka);
 */
#ifndef EK_KIT_FAKE_EUREKA_H
#define EK_KIT_FAKE_EUREKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/serve.h"
#include "kit/fake_http.h"

struct fake_eureka;

struct fake_eureka_config {
	int64_t eviction_ms;            /* 0: 60000; negative: never evicts */
	bool preserves_itself;          /* self-preservation; off by default */
	int64_t cache_ms;               /* how long lists may lag behind, aligned to multiples of wall time; 0: not at all */
	bool collapses_lists;           /* one-element lists as objects, as old servers write them */
	bool has_plain_404;             /* empty 404 bodies, as without Spring */
	unsigned close_every;           /* Connection: close on every n-th answer; 0 never, Tomcat's is 100 */
	const char *authorization;      /* what the Authorization header must be, else 401; copied; NULL: none needed */
};

struct fake_eureka *fake_eureka_new(struct ek_loop *loop, const struct fake_eureka_config *config);
void fake_eureka_free(struct fake_eureka *eureka);      /* after the listener is gone */
void fake_eureka_handle(void *eureka, const struct ek_serve_request *request, struct ek_serve_exchange *exchange);

/* ---- What it holds ---- */

/* An instance as callers see it now. Borrowed until the next change. */
struct fake_instance {
	const char *app, *id;
	const char *host, *address, *vip;
	const char *status, *overridden;        /* "UP"; overridden "UNKNOWN" if nobody set one */
	int port;
	bool has_port;                          /* port enabled */
	int secure_port;
	bool has_secure_port;
	int64_t registered_ms, renewed_ms;      /* wall time; renewed: of the last renewal itself, 0 never */
	int64_t dirty_ms;                       /* lastDirtyTimestamp */
	int64_t lease_seconds, renew_seconds;
	const char *json;                       /* as GET gives it, {"instance":...} */
};

size_t fake_eureka_n(const struct fake_eureka *eureka, const char *app);       /* NULL: all; expired leases count until evicted */
const struct fake_instance *fake_eureka_find(struct fake_eureka *eureka, const char *app, const char *id);
/* The only, else the first instance of the application with this address. */
const struct fake_instance *fake_eureka_at(struct fake_eureka *eureka, const char *app, const char *address);
const char *fake_eureka_metadata(struct fake_eureka *eureka, const char *app, const char *id, const char *key); /* NULL none; until the next call */
void fake_eureka_each(struct fake_eureka *eureka, void (*fn)(void *arg, const struct fake_instance *instance), void *arg);

/* Registers what {"instance":...} says, as a stranger would; aborts if the server would refuse it. */
void fake_eureka_register(struct fake_eureka *eureka, const char *app, const char *json);
/* A stranger's plain instance with metadata as JSON members (NULL none). */
void fake_eureka_stranger(struct fake_eureka *eureka, const char *app, const char *id, const char *address, const char *metadata);
bool fake_eureka_cancel(struct fake_eureka *eureka, const char *app, const char *id);
/* As the dashboard's or an administrator's PUT .../status?value=; status NULL: drops the override. */
bool fake_eureka_override(struct fake_eureka *eureka, const char *app, const char *id, const char *status);

/* ---- Faults ---- */

void fake_eureka_rule(struct fake_eureka *eureka, const struct fake_rule *rule);   /* see fake_http.h; paths begin /eureka/ */
void fake_eureka_drop_rules(struct fake_eureka *eureka);
void fake_eureka_restart(struct fake_eureka *eureka);              /* everything it held is gone; the log stays */
void fake_eureka_close_gate(struct fake_eureka *eureka, bool is_closed);   /* 403 to reads of lists, as a server that found no peer */
void fake_eureka_show_nothing(struct fake_eureka *eureka, bool is_empty);  /* lists are empty, single reads are not */
void fake_eureka_lag(struct fake_eureka *eureka, int64_t cache_ms);        /* changes cache_ms */
void fake_eureka_authorization(struct fake_eureka *eureka, const char *value); /* changes what is needed */

/* ---- What was asked ---- */

enum fake_op {
	FAKE_OP_REGISTER, FAKE_OP_RENEW, FAKE_OP_CANCEL, FAKE_OP_STATUS, FAKE_OP_UNSTATUS, FAKE_OP_METADATA, FAKE_OP_GET,
	FAKE_OP_LIST,        /* all, delta, one application, vip */
	FAKE_OP_OTHER, FAKE_N_OPS
};

struct fake_op_record {
	int64_t at_ms;             /* loop time */
	enum fake_op op;
	int status;                /* as answered; 0: a rule decided */
	int64_t dirty_ms;          /* lastDirtyTimestamp sent; 0 none */
	const char *app, *id;      /* "" where there is none */
};

unsigned fake_eureka_count(const struct fake_eureka *eureka, enum fake_op op);     /* since the last reset */
unsigned fake_eureka_count_of(const struct fake_eureka *eureka, enum fake_op op, const char *app, const char *id);  /* id NULL: all */
/* The latest 50,000 at least, oldest first. */
const struct fake_op_record *fake_eureka_log(const struct fake_eureka *eureka, size_t *n);
void fake_eureka_reset_log(struct fake_eureka *eureka);
unsigned fake_eureka_n_evicted(const struct fake_eureka *eureka);

#endif
