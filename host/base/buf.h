/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a limit. It is always NUL-terminated behind its contents, so `at` can be printed.
 * Growth beyond `limit` is refused (EK_TOO_BIG), sticky in `is_over`, and leaves the contents as they were;
 * memory running out aborts (style R16).
 */
#ifndef EK_BASE_BUF_H
#define EK_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdarg.h>

#include <eurekube/types.h>

struct ek_buf {
	char *at;      /* never NULL after init; "" when empty */
	size_t n;
	size_t room;
	size_t limit;
	bool is_over;
};

void ek_buf_init(struct ek_buf *buf, size_t limit_bytes);
void ek_buf_clear(struct ek_buf *buf);              /* frees, leaves it reusable with the same limit */
void ek_buf_reset(struct ek_buf *buf);              /* forgets the contents, keeps the memory */
int ek_buf_add(struct ek_buf *buf, const void *bytes, size_t n); /* EK_OK or EK_TOO_BIG */
int ek_buf_adds(struct ek_buf *buf, const char *text);
EK_PRINTF(2, 3) int ek_buf_addf(struct ek_buf *buf, const char *format, ...);
void ek_buf_drop_front(struct ek_buf *buf, size_t n);
char *ek_buf_take(struct ek_buf *buf);              /* gives the memory away; free() it; buf is empty afterwards */

#endif
