/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fake host share. */
#ifndef EK_KIT_FAKE_HOST_INSIDE_H
#define EK_KIT_FAKE_HOST_INSIDE_H

#include "kit/fake_host.h"

void fake_host_breach(struct fake_host *fake, const char *fault); /* a literal; the first one counts */
char *fake_host_copy(const char *text);                           /* NULL becomes "" */

/* fake_host_options.c */
void fake_host_set_defaults(struct fake_host *fake);
void fake_host_clear_options(struct fake_host *fake);

/* fake_host_http.c */
struct ek_http_handle *fake_host_http(const struct ek_host *host, const struct ek_http_request *request, struct ek_error *err);
void fake_host_http_cancel(const struct ek_host *host, struct ek_http_handle *handle);
void fake_host_free_requests(struct fake_host *fake);

/* fake_host_entries.c: also checks what registry.h says of entries */
struct fake_entry fake_host_copy_entry(struct fake_host *fake, const struct ek_entry *entry);

#endif
