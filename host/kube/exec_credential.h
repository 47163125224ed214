/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_credential.h - credentials from a program (`exec` of a kubeconfig's user), as client-go's credential plugins.
 *
 * The program runs when there is no credential, when the one we hold has expired, and when the API server has refused it; and shortly before it
 * expires, while it still serves. One run at a time, in the background, for 60 s at most. After a failure, or a credential that
 * was refused at once, the next run waits: 1 s, doubling to 30 s. What it says on standard error is logged, with everything
 * masked that may be a secret.
 */
#ifndef EK_KUBE_EXEC_CREDENTIAL_H
#define EK_KUBE_EXEC_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "kube/config.h"

/* What the program hands out: a token, a certificate with its key, or both. */
struct ek_exec_credential {
	char *token;
	char *cert_pem, *key_pem;
	int64_t expires_ms;     /* wall clock; 0: good until it is refused */
};

/* The pure part: its output. EK_INVALID with a sentence that names no secret; `out` is then empty. */
int ek_exec_credential_read(const char *bytes, size_t n, const char *api_version, struct ek_exec_credential *out, struct ek_error *err);
void ek_exec_credential_clear(struct ek_exec_credential *credential);   /* wipes */

enum ek_exec_state {
	EK_EXEC_READY,          /* ek_exec_current serves */
	EK_EXEC_WAITING,        /* on_end will tell */
	EK_EXEC_FAILED,         /* ek_exec_failure says why, and when it is tried again */
};

struct ek_exec;

/* on_end comes after each run, good or bad. */
struct ek_exec *ek_exec_new(struct ek_loop *loop, const struct ek_kube_config *config, void (*on_end)(void *arg), void *arg);
void ek_exec_free(struct ek_exec *exec);        /* kills a run; NULL is ignored */

/* Before each request: starts a run if one is needed. ca_pem, of n bytes, is what provideClusterInfo tells; NULL none. */
enum ek_exec_state ek_exec_prepare(struct ek_exec *exec, const char *ca_pem, size_t n);
/* Borrowed until the next on_end; NULL: there never was one. */
const struct ek_exec_credential *ek_exec_current(const struct ek_exec *exec);
const char *ek_exec_failure(const struct ek_exec *exec);

/* Grows with each new credential: says by which one a request was sent. */
uint64_t ek_exec_generation(const struct ek_exec *exec);
/* The API server took the credential of that generation, or answered 401 to it. A refusal of one that was replaced meanwhile is no news. */
void ek_exec_accepted(struct ek_exec *exec, uint64_t generation);
void ek_exec_refused(struct ek_exec *exec, uint64_t generation);

#endif
