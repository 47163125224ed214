/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of a scenario: a simulated loop, a cluster and an Eureka of stand-in servers, and the whole operator with its
 * plugins linked statically. A scenario is a dialogue:
 *
 *     SCENARIO(pod_mode, a_deleted_pod_leaves_eureka)
 *     {
 *             given_pods(w, "shop/web", 2);
 *             given_syncer(w, "shop/web", NULL);
 *             when_started(w);
 *             then_up(w, "shop/WEB/web-1");
 *             when_pod_vanishes(w, "shop/web", "web-1");
 *             then_gone(w, "shop/WEB/web-1");
 *     }
 *
 * Services and syncers are named "namespace/name", instances "namespace/APPLICATION/pod" or, with another port than 8080,
 * "namespace/APPLICATION/pod:port". A Service lives in the world with its pods; each change of a pod is written to its slice as the slice
 * controller would. Everything waited for has a deadline in virtual time: 3 s, or what within() says.
 *
 * EK_SEED=n chooses another seed of the simulation, EK_LOG=debug shows the operator's log.
 */
#ifndef EK_KIT_WORLD_H
#define EK_KIT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/run.h"
#include "kit/fake_eureka.h"
#include "kit/fake_kube.h"
#include "kit/sim.h"

#define EUREKA_ORIGIN "eureka-0:8761"
#define KUBE_ORIGIN   "kube:6443"
#define SOON_MS       3000

struct world_pod {
	struct world_pod *next;
	char name[80], ip[40], uid[96];
	bool is_ready, is_terminating;
	int64_t changed_ms;            /* when its conditions changed last */
};

struct world_service {
	struct world_service *next;
	char ns[64], name[64];
	const char *port_name;
	int port;
	struct world_pod *pods;
	bool is_absent;                /* deleted: nothing is written */
	int64_t changed_ms;
	unsigned n_pods_ever;
};

struct world {
	uint64_t seed;
	struct ek_loop *loop;
	struct fake_kube *kube;
	struct ek_serve *kube_serve;
	struct fake_eureka *eureka;
	struct ek_serve *eureka_serve;
	struct ek_kube_config kube_config;
	struct ek_catalog *catalog;
	struct ek_config *config;
	struct ek_app *app;            /* NULL: the operator is not running */
	bool is_stopped;
	struct world_service *services;
	unsigned n_services_ever;
	/* Called before Eureka sees a cancellation; NULL: nobody. */
	void (*on_cancel)(struct world *w, const char *application, const char *id);
	void *arg;                     /* the scenario's own */
};

/* ---- The cluster ---- */

struct world_service *world_service(struct world *w, const char *service);             /* aborts without it */
struct world_pod *world_pod(struct world *w, const char *service, const char *pod);    /* NULL: not there */
void world_publish(struct world *w, struct world_service *service);                     /* writes its slice */

void given_service(struct world *w, const char *service);                               /* port http 8080, no pods */
void given_service_on(struct world *w, const char *service, const char *port_name, int port);
void given_pods(struct world *w, const char *service, unsigned n);                      /* ready ones, name-1 to name-n; the Service too */
void when_pod_comes(struct world *w, const char *service, const char *pod);             /* ready */
void when_pod_is_ready(struct world *w, const char *service, const char *pod, bool is_ready);
void when_pod_terminates(struct world *w, const char *service, const char *pod);
void when_pod_vanishes(struct world *w, const char *service, const char *pod);
void when_pod_is_reborn(struct world *w, const char *service, const char *pod);         /* same name and address, another UID */
void when_service_deleted(struct world *w, const char *service);                        /* with its slice */

/* Selects label app = the syncer's name. `spec`: more members, NULL none. */
void given_syncer(struct world *w, const char *syncer, const char *spec);
void given_syncer_at(struct world *w, const char *syncer, const char *created, const char *selector, const char *spec);
void when_spec_changes(struct world *w, const char *syncer, const char *merge);         /* members of spec */
void when_syncer_deleted(struct world *w, const char *syncer);
bool syncer_exists(struct world *w, const char *syncer);
/* A value of its status, "" if there is none. */
const char *status_of(struct world *w, const char *syncer, const char *path);
const char *ready_of(struct world *w, const char *syncer, const char *field);           /* of condition Ready */

/* ---- The operator ---- */

void given_config(struct world *w, const char *yaml);   /* instead of WORLD_CONFIG; while the operator is not running */
extern const char WORLD_CONFIG[];
void when_config_changes(struct world *w, const char *yaml);   /* the file that the running operator watches */
void when_launched(struct world *w);
void when_started(struct world *w);                     /* launched, and every registry open */
void when_killed(struct world *w);                      /* gone; what it registered stays */
bool is_open(struct world *w);
struct ek_sync_registry *world_registry(struct world *w, const char *name);
/* One of the operator's own pages; copied into `body`, the status is returned. */
int when_asked(struct world *w, const char *url, char *body, size_t size);

/* ---- Time ---- */

void pass_ms(struct world *w, int64_t ms);
int64_t now_ms(struct world *w);

/* Waits in steps of 5 ms for an expression of w to hold. */
#define within(w, ms, condition)                                                                              \
	do {                                                                                                  \
		int64_t end_ = now_ms(w) + (ms);                                                              \
		while (!(condition)) {                                                                        \
			if (now_ms(w) >= end_)                                                                \
				fail_msg("%s:%d: seed %llu: not within %lld ms: %s", __FILE__, __LINE__,      \
					(unsigned long long)(w)->seed, (long long)(ms), #condition);          \
			pass_ms((w), 5);                                                                      \
		}                                                                                             \
	} while (0)
#define soon(w, condition) within(w, SOON_MS, condition)

/* ---- Eureka ---- */

const struct fake_instance *instance_of(struct world *w, const char *instance);         /* NULL: not there */
bool is_up(struct world *w, const char *instance);
const char *mark_of(struct world *w, const char *instance, const char *key);            /* metadata; "" none */
unsigned n_ops(struct world *w, enum fake_op op, const char *instance);                 /* since the log was reset */
/* shop/web with n pods, the operator started, all of them up and told so; the log of Eureka is reset. */
void given_web_served(struct world *w, unsigned n);
#define then_up(w, instance)   soon(w, is_up(w, instance))
#define then_gone(w, instance) soon(w, !instance_of(w, instance))

/* ---- Scenarios ---- */

struct world *world_new(uint64_t seed);
void world_free(struct world *w);                       /* stops the operator in order, and checks that nothing is left */

struct world_scenario {
	struct world_scenario *next;
	const char *name;
	void (*run)(struct world *w);
};
void world_add_scenario(struct world_scenario *scenario);
int world_run_scenarios(void);                          /* all that this program defines, each in a world of its own */
uint64_t world_number(const char *variable, uint64_t otherwise);   /* from the environment */
void world_choose_log(void);                            /* EK_LOG, else silence; for programs with a main of their own */

#define SCENARIO(group, sentence)                                                                             \
	static void group##__##sentence(struct world *w);                                                     \
	static struct world_scenario group##__##sentence##_ = { NULL, #group "__" #sentence, group##__##sentence }; \
	__attribute__((constructor)) static void group##__##sentence##_add(void)                              \
	{                                                                                                     \
		world_add_scenario(&group##__##sentence##_);                                                  \
	}                                                                                                     \
	static void group##__##sentence(struct world *w)

#endif
