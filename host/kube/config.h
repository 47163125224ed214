/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How to reach the API server: from a kubeconfig (`--kubeconfig`, else KUBECONFIG, else in-cluster, else ~/.kube/config) or from the pod's service account.
 * Holds paths for what rotates (token file, CA file, certificates) and bytes for what was given inline.
 */
#ifndef EK_KUBE_CONFIG_H
#define EK_KUBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <eurekube/error.h>

/* A program that hands out credentials. */
struct ek_kube_exec {
	char *api_version;
	char **argv;                   /* NULL-terminated; argv[0] is the command, a path if it has a slash */
	char **environment;            /* NULL-terminated "NAME=value" */
	char *install_hint;            /* NULL none */
	bool provide_cluster_info;
	char *cluster_config;          /* JSON for it, from the cluster's extensions; NULL none */
};

/* A request header. */
struct ek_kube_header {
	char *name, *value;
};

#define EK_KUBE_MAX_IMPERSONATION 64

struct ek_kube_config {
	char *source;                  /* for messages: the file, or "in-cluster" */
	char *context;                 /* name; NULL in cluster */
	char *server;                  /* https://host:port[/prefix], without trailing slash */
	char *namespace_;              /* of the context or the pod; "default" if none */
	char *ca_file, *ca_pem;        /* at most one; both NULL: the system's */
	char *cert_file, *cert_pem, *key_file, *key_pem;
	char *token, *token_file;      /* token_file wins once read */
	char *tls_server_name;
	char *proxy_url;
	bool insecure_skip_tls_verify;
	struct ek_kube_exec *exec;     /* NULL none, or made idle by another credential */
	struct ek_kube_header *impersonation;   /* Impersonate-...: in whose name we act; the last has no name; NULL none */
};

/* path NULL: the usual places. context NULL: the current one. Whatever is unsupported (auth-provider, basic) is EK_INVALID and named. */
int ek_kube_config_load(const char *path, const char *context, struct ek_kube_config *out, struct ek_error *err);
/* From KUBECONFIG-style bytes, relative paths resolved against `directory`; the pure part. */
int ek_kube_config_parse(const char *bytes, size_t n, const char *directory, const char *context, struct ek_kube_config *out, struct ek_error *err);
int ek_kube_config_in_cluster(struct ek_kube_config *out, struct ek_error *err);
void ek_kube_config_clear(struct ek_kube_config *config);   /* wipes secrets, frees */

#endif
