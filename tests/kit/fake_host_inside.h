/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fake host share. */
#ifndef EK_KIT_FAKE_HOST_INSIDE_H
#define EK_KIT_FAKE_HOST_INSIDE_H

#include "kit/fake_host.h"

struct fake_host *fake_host_use(const struct ek_host *host);         /* how every slot begins */
void fake_host_breach(struct fake_host *fake, const char *fault); /* a literal; the first one counts */
void *fake_host_grow(void *list, uint32_t n, size_t size);        /* room for one more behind n; doubles */
char *fake_host_copy(const char *text);                           /* NULL becomes "" */

int64_t fake_host_next_due(const struct fake_host *fake);         /* of its timers, from now; INT64_MAX none */

/* fake_host_wait.c */
struct fake_posts *fake_posts_new(void);
void fake_posts_free(struct fake_posts *posts);
void fake_host_run_posts(struct fake_host *fake);
bool fake_host_has_posts(const struct fake_host *fake);
void fake_host_post(const struct ek_host *host, void (*fn)(void *arg), void *arg);
struct ek_fd_handle *fake_host_fd_watch(const struct ek_host *host, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events), void *arg,
                                        struct ek_error *err);
void fake_host_fd_update(const struct ek_host *host, struct ek_fd_handle *handle, uint32_t events);
void fake_host_fd_stop(const struct ek_host *host, struct ek_fd_handle *handle);

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
