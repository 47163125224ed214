/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h - what the API server means by an answer, in one place: the HTTP status, the Status document of an error body or
 * of an ERROR event, and the code by which everybody else decides. Pure.
 */
#ifndef EK_KUBE_STATUS_H
#define EK_KUBE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

struct ek_kube_status {
	int status;              /* Status.code; 0 unknown */
	char reason[64];         /* "Expired", "AlreadyExists"; "" unknown */
	char message[256];       /* printable, cut; "" none */
	int64_t retry_after_ms;  /* details.retryAfterSeconds; 0 none */
	bool is_rv_too_large;    /* a cause ResourceVersionTooLarge: the server has not seen what we have */
};

/*
 * Reads a Status document; anything else (a proxy's HTML, an empty body) gives its first words as message. Never fails: a
 * broken document is an unknown status.
 */
void ek_kube_status_read(const char *bytes, size_t n, struct ek_kube_status *out);

/* enum ek_code for a complete answer with this HTTP status. */
int ek_kube_status_code(int http_status);

#endif
