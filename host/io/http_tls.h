/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a client's TLS settings with the files read into memory, so that all connections made under one generation use the
 * same bytes, whatever happens to the files meanwhile. Part of io/http.
 */
#ifndef EK_IO_HTTP_TLS_H
#define EK_IO_HTTP_TLS_H

#include "base/buf.h"
#include "io/http.h"

struct ek_tls_material {
	struct ek_buf ca, cert, key;    /* PEM; empty: none */
	char *ca_path;                  /* a bundle too large to be copied into each handle; NULL none */
	char *server_name;
	bool insecure_skip_verify;
	bool is_bad;                    /* a file could not be read; problem says which and why */
	struct ek_error problem;
	/* What was asked for, to try again when it is bad. */
	char *ca_file, *cert_file, *key_file;
};

void ek_tls_material_init(struct ek_tls_material *material, const struct ek_http_tls *tls);
void ek_tls_material_clear(struct ek_tls_material *material);    /* wipes the key */
int ek_tls_material_retry(struct ek_tls_material *material, struct ek_error *err);  /* EK_OK when all is there */

#endif
