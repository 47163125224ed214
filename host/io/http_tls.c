/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects certificates and keys for a client, from memory or from files.
 * It does not parse them: the TLS library does, and says what is wrong with them.
 * Next: http.c, which hands them over.
 */
#include "io/http_tls.h"

#include "base/alloc.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PEM_BYTES  (1024u * 1024)
#define MAX_CA_COPY    (64u * 1024)

static void read_file(struct ek_tls_material *material, struct ek_buf *buf, const char *path)
{
	struct ek_error err = EK_ERROR_INIT;

	if (!path || buf->n || !ek_file_read(path, buf, &err))
		return;
	if (!material->is_bad)
		material->problem = err;
	material->is_bad = true;
}

static void read_files(struct ek_tls_material *material)
{
	material->is_bad = false;
	if (!material->ca_path)
		read_file(material, &material->ca, material->ca_file);
	read_file(material, &material->cert, material->cert_file);
	read_file(material, &material->key, material->key_file);
	if (material->ca_file && material->ca.n > MAX_CA_COPY) {
		material->ca_path = ek_xstrdup(material->ca_file);
		ek_buf_clear(&material->ca);
	}
}

static void take(struct ek_buf *buf, char **path, const char *pem, size_t n, const char *file)
{
	ek_buf_init(buf, MAX_PEM_BYTES);
	*path = NULL;
	if (pem && n)
		ek_buf_add(buf, pem, n);
	else if (file && *file)
		*path = ek_xstrdup(file);
}

void ek_tls_material_init(struct ek_tls_material *material, const struct ek_http_tls *tls)
{
	memset(material, 0, sizeof(*material));
	take(&material->ca, &material->ca_file, tls->ca_pem, tls->ca_pem_bytes, tls->ca_file);
	take(&material->cert, &material->cert_file, tls->cert_pem, tls->cert_pem_bytes, tls->cert_file);
	take(&material->key, &material->key_file, tls->key_pem, tls->key_pem_bytes, tls->key_file);
	material->server_name = ek_xstrdup(tls->server_name);
	material->insecure_skip_verify = tls->insecure_skip_verify;
	read_files(material);
}

void ek_tls_material_clear(struct ek_tls_material *material)
{
	if (material->key.n)
		explicit_bzero(material->key.at, material->key.n);
	ek_buf_clear(&material->ca);
	ek_buf_clear(&material->cert);
	ek_buf_clear(&material->key);
	free(material->ca_path);
	free(material->server_name);
	free(material->ca_file);
	free(material->cert_file);
	free(material->key_file);
	memset(material, 0, sizeof(*material));
}

int ek_tls_material_retry(struct ek_tls_material *material, struct ek_error *err)
{
	if (material->is_bad)
		read_files(material);
	if (!material->is_bad)
		return EK_OK;
	if (err)
		*err = material->problem;
	return material->problem.code;
}
