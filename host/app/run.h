/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running operator: the pieces of one process and how they are joined. `eurekube run` makes one on the real loop; a scenario test makes one on a simulated loop
 * and a catalog of statically linked plugins.
 */
#ifndef EK_APP_RUN_H
#define EK_APP_RUN_H

#include "app/watches.h"
#include "config/config.h"
#include "io/file.h"
#include "io/serve.h"
#include "kube/reflector.h"
#include "sync/engine.h"

struct ek_app_config {
	struct ek_loop *loop;
	struct ek_catalog *catalog;          /* the caller's; outlives the app */
	const struct ek_config *config;      /* likewise; NULL: the ConfigMap brings the first one */
	const char *config_file;             /* read again when it changes; NULL none */
	const char *config_map_namespace, *config_map_name; /* watched; NULL none */
	const struct ek_kube_config *kube;
	const char *listen_host, *debug_host; /* NULL: no such listener */
	uint16_t listen_port, debug_port;
	void (*on_stopped)(void *arg);       /* after ek_app_stop: everything is closed */
	void (*on_failed)(void *arg, const struct ek_error *err); /* the first document of the ConfigMap cannot be used; NULL with `config` */
	void *arg;
};

struct ek_app {
	struct ek_app_config with;
	struct ek_http *http;
	struct ek_kube *kube;
	struct ek_recorder *recorder;
	struct ek_engine *engine;            /* NULL until the cluster's name is known */
	struct ek_watches watches;
	struct ek_serve *listener, *debug;
	struct ek_file_watch *file_watch;
	struct ek_config_map *config_map;
	struct ek_config *first_config;      /* ours, when the ConfigMap brought it */
	bool is_config_valid;
	struct ek_kube_call *identity_call;
	struct ek_timer identity_timer;
	struct ek_timer patience_timer;      /* with namespaces that cannot be listed */
	bool is_patience_over;
	char cluster_id[32];
	int64_t started_ms;
	bool is_stopping;
	struct ek_log log;
};

/* NULL with err when it cannot even begin (credentials that cannot be read, a port that is taken). An API server that is away is waited for. */
struct ek_app *ek_app_new(const struct ek_app_config *config, struct ek_error *err);
/* Ends without deregistering anything; on_stopped comes on a later turn. */
void ek_app_stop(struct ek_app *app);
void ek_app_free(struct ek_app *app);

/* For configure.c: the first document is there, or is not to be had. */
void ek_app_begin(struct ek_app *app, struct ek_config *config);
void ek_app_fail(struct ek_app *app, const struct ek_error *err);

/* The subcommand. */
int ek_cmd_run(int argc, char **argv);

#endif
