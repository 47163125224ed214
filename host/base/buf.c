/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing byte buffer with a limit.
 * It does not know what the bytes mean, and it never grows silently past its limit.
 * Next: log.c, which builds its lines in one.
 */
#include "base/buf.h"

#include <eurekube/error.h>

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

/* What every buffer without memory points to; never written. */
static char nothing[1];

static int refuse(struct ek_buf *buf)
{
	buf->is_over = true;
	return EK_TOO_BIG;
}

/* Makes room for n more bytes and the NUL. */
static int grow(struct ek_buf *buf, size_t n)
{
	size_t needed, room;

	if (buf->is_over || n > buf->limit || buf->n > buf->limit - n)
		return refuse(buf);
	needed = buf->n + n + 1;
	if (needed <= buf->room)
		return EK_OK;
	room = buf->room ? buf->room : FIRST_ROOM;
	while (room < needed)
		room = room > SIZE_MAX / 2 ? needed : room * 2;
	if (room - 1 > buf->limit)
		room = buf->limit + 1;
	buf->at = ek_xrealloc(buf->room ? buf->at : NULL, room, 1);
	buf->room = room;
	return EK_OK;
}

void ek_buf_init(struct ek_buf *buf, size_t limit_bytes)
{
	*buf = (struct ek_buf){ .at = nothing, .limit = limit_bytes };
	if (buf->limit > SIZE_MAX - 1)
		buf->limit = SIZE_MAX - 1;
}

void ek_buf_clear(struct ek_buf *buf)
{
	if (buf->room)
		free(buf->at);
	ek_buf_init(buf, buf->limit);
}

void ek_buf_reset(struct ek_buf *buf)
{
	buf->n = 0;
	buf->is_over = false;
	if (buf->room)
		buf->at[0] = '\0';
}

int ek_buf_add(struct ek_buf *buf, const void *bytes, size_t n)
{
	if (grow(buf, n))
		return EK_TOO_BIG;
	if (n)
		memcpy(buf->at + buf->n, bytes, n);
	buf->n += n;
	buf->at[buf->n] = '\0';
	return EK_OK;
}

int ek_buf_adds(struct ek_buf *buf, const char *text)
{
	return ek_buf_add(buf, text, strlen(text));
}

int ek_buf_addf(struct ek_buf *buf, const char *format, ...)
{
	size_t left = buf->room > buf->n ? buf->room - buf->n : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(left ? buf->at + buf->n : NULL, left, format, args);
	va_end(args);
	if (n < 0)
		EK_BUG("bad format \"%s\"", format);
	if ((size_t)n >= left) {
		if (left)
			buf->at[buf->n] = '\0';
		if (grow(buf, (size_t)n))
			return EK_TOO_BIG;
		va_start(args, format);
		vsnprintf(buf->at + buf->n, (size_t)n + 1, format, args);
		va_end(args);
	} else if (buf->is_over) {
		buf->at[buf->n] = '\0';
		return EK_TOO_BIG;
	}
	buf->n += (size_t)n;
	return EK_OK;
}

void ek_buf_drop_front(struct ek_buf *buf, size_t n)
{
	if (n >= buf->n) {
		buf->n = 0;
	} else if (n) {
		memmove(buf->at, buf->at + n, buf->n - n);
		buf->n -= n;
	}
	if (buf->room)
		buf->at[buf->n] = '\0';
}

char *ek_buf_take(struct ek_buf *buf)
{
	char *taken = buf->room ? buf->at : ek_xstrndup("", 0);

	ek_buf_init(buf, buf->limit);
	return taken;
}
