/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - the token and the TLS material by which the API server knows us, as they are on disk now.
 *
 * The kubelet replaces token files, and CA and client certificates rotate too; so files are read by path again and again,
 * compared by content, and an unreadable file leaves the last good content in force. Secrets are wiped when replaced.
 */
#ifndef EK_KUBE_CREDENTIALS_H
#define EK_KUBE_CREDENTIALS_H

#include <stdbool.h>

#include "io/http.h"
#include "kube/config.h"

struct ek_credentials;

/* Reads everything once. NULL with err when a file that is needed cannot be read; the message names it. */
struct ek_credentials *ek_credentials_new(const struct ek_kube_config *config, struct ek_error *err);
void ek_credentials_free(struct ek_credentials *credentials);

/* Reads the files again. True when the TLS material changed, which the HTTP client must then be told. */
bool ek_credentials_refresh(struct ek_credentials *credentials);
/* Whether there is any file to read again: without one a refused credential stays refused. */
bool ek_credentials_can_change(const struct ek_credentials *credentials);

/* Borrowed until the next refresh. */
void ek_credentials_tls(const struct ek_credentials *credentials, struct ek_http_tls *out);
/* The authorize callback of an HTTP client; arg is the credentials. */
int ek_credentials_authorize(void *arg, char *value, size_t size, struct ek_error *err);

#endif
