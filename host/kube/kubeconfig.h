/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubeconfig.h - the pure half of kube/config: files that are already read become one way to reach a cluster.
 *
 * Several files are merged as kubectl merges a KUBECONFIG list: the first file that defines a cluster, user or context of
 * some name wins whole, the first that sets current-context decides it, and a relative path belongs to the file it stands in.
 */
#ifndef EK_KUBE_KUBECONFIG_H
#define EK_KUBE_KUBECONFIG_H

#include "base/value.h"
#include "kube/config.h"

#define EK_KUBECONFIG_MAX_NODES 200000u
#define EK_KUBECONFIG_MAX_BYTES (16u << 20)

struct ek_kubeconfig_file {
	const char *path;       /* for messages */
	const char *directory;  /* relative paths resolve against it; NULL: left as they are */
	const struct ek_value *root;
};

/* Fills `out` (whatever it held is overwritten); on failure it is left empty. context NULL or "": the current one. */
int ek_kubeconfig_resolve(const struct ek_kubeconfig_file *files, unsigned n, const char *context,
	struct ek_kube_config *out, struct ek_error *err);

/* The in-cluster case with its surroundings named: host and port may be NULL (then EK_GONE), `directory` holds token, ca.crt, namespace. */
int ek_kube_config_from_pod(const char *host, const char *port, const char *directory, struct ek_kube_config *out,
	struct ek_error *err);

#endif
