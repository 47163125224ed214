/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - the token and the TLS material by which the API server knows us, as they are now.
 *
 * The kubelet replaces token files, and CA and client certificates rotate too; so files are read by path again and again,
 * compared by content, and an unreadable file leaves the last good content in force. A credential plugin (exec_credential.h) is run when what
 * it gave is over. Secrets are wiped when replaced.
 */
#ifndef EK_KUBE_CREDENTIALS_H
#define EK_KUBE_CREDENTIALS_H

#include <stdbool.h>

#include "io/http.h"
#include "kube/config.h"
#include "kube/exec_credential.h"

struct ek_credentials;

/* What of the TLS material has changed, for the HTTP client; a mask. */
enum {
	EK_CREDENTIALS_CA = 1,
	EK_CREDENTIALS_CERTIFICATE = 2,  /* ours: connections made with the old one belong to another identity */
};

/*
 * Reads everything once. NULL with err when a file that is needed cannot be read; the message names it. on_run_end comes after each
 * run of the credential plugin with what has changed; it may be NULL when the config has none.
 */
struct ek_credentials *ek_credentials_new(struct ek_loop *loop, const struct ek_kube_config *config,
	void (*on_run_end)(void *arg, unsigned changed), void *arg, struct ek_error *err);
void ek_credentials_free(struct ek_credentials *credentials);

/* Reads the files again; what changed. */
unsigned ek_credentials_refresh(struct ek_credentials *credentials);
/* Before a request: whether it can be sent now, after on_run_end, or not at all (ek_credentials_failure). */
enum ek_exec_state ek_credentials_prepare(struct ek_credentials *credentials);
const char *ek_credentials_failure(const struct ek_credentials *credentials);
/* Whether there is anything that can be had anew: without it a refused credential stays refused. */
bool ek_credentials_can_change(const struct ek_credentials *credentials);

/* Which credential a request was sent with, and how the API server took it. */
uint64_t ek_credentials_generation(const struct ek_credentials *credentials);
void ek_credentials_answered(struct ek_credentials *credentials, uint64_t generation, bool is_refused);

/* Borrowed until the next refresh or run. */
void ek_credentials_tls(const struct ek_credentials *credentials, struct ek_http_tls *out);
/* The authorize callback of an HTTP client; arg is the credentials. */
int ek_credentials_authorize(void *arg, char *value, size_t size, struct ek_error *err);

#endif
