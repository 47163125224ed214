/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in memory before the real ones, and watches that follow them.
 * Real files can be read but not watched, and nothing is ever written to them.
 * Next: kit/sim.h, for the whole of the simulated world.
 */
#include "kit/sim_inside.h"

#include "base/alloc.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
	struct file *next;
	char *path;
	char *bytes;          /* NULL: there is no such file */
	size_t n;
};

struct ek_file_watch {
	struct ek_loop *loop;
	struct ek_file_watch *next, **prev;
	char *path;
	void (*fn)(void *arg);
	void *arg;
	struct ek_timer changed;
};

/* ek_file_read has no loop to hang these on. */
static struct file *files;

static struct file *find_file(const char *path)
{
	struct file *file = files;

	while (file && strcmp(file->path, path))
		file = file->next;
	return file;
}

static void tell_watches(const char *path)
{
	for (struct ek_loop *loop = sim_loops; loop; loop = loop->next_loop)
		for (struct ek_file_watch *watch = loop->file_watches; watch; watch = watch->next)
			if (!path || !strcmp(watch->path, path))
				sim_io_arm(loop, &watch->changed, (int64_t)sim_below(loop, 1000));
}

void sim_file_write(const char *path, const void *bytes, size_t n)
{
	struct file *file = find_file(path);

	if (!file) {
		file = ek_xcalloc(1, sizeof(*file));
		file->path = ek_xstrdup(path);
		file->next = files;
		files = file;
	}
	free(file->bytes);
	file->bytes = bytes ? ek_xmalloc(n + 1) : NULL;
	file->n = n;
	if (bytes)
		memcpy(file->bytes, bytes, n);
	tell_watches(path);
}

void sim_file_clear(void)
{
	while (files) {
		struct file *next = files->next;

		free(files->path);
		free(files->bytes);
		free(files);
		files = next;
	}
}

static int read_real(const char *path, struct ek_buf *buf, struct ek_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char block[16384];
	ssize_t n;

	if (fd < 0)
		return ek_fail(err, errno == ENOENT ? EK_GONE : EK_AUTH, "cannot read %s: %s", path,
			strerror(errno));
	while ((n = read(fd, block, sizeof(block))) > 0)
		if (ek_buf_add(buf, block, (size_t)n))
			break;
	close(fd);
	return buf->is_over ? ek_fail(err, EK_TOO_BIG, "%s is larger than %zu bytes", path, buf->limit) :
		n < 0 ? ek_fail(err, EK_RETRY, "cannot read %s", path) : EK_OK;
}

int ek_file_read(const char *path, struct ek_buf *buf, struct ek_error *err)
{
	struct file *file = find_file(path);

	ek_buf_reset(buf);
	if (!file)
		return read_real(path, buf, err);
	if (!file->bytes)
		return ek_fail(err, EK_GONE, "cannot read %s: No such file or directory", path);
	if (ek_buf_add(buf, file->bytes, file->n))
		return ek_fail(err, EK_TOO_BIG, "%s is larger than %zu bytes", path, buf->limit);
	return EK_OK;
}

static void tell(void *arg)
{
	struct ek_file_watch *watch = arg;

	watch->fn(watch->arg);
}

struct ek_file_watch *ek_file_watch(struct ek_loop *loop, const char *path, void (*fn)(void *arg), void *arg)
{
	struct ek_file_watch *watch = ek_xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->path = ek_xstrdup(path);
	watch->fn = fn;
	watch->arg = arg;
	ek_timer_init(&watch->changed, tell, watch);
	watch->next = loop->file_watches;
	watch->prev = &loop->file_watches;
	if (watch->next)
		watch->next->prev = &watch->next;
	loop->file_watches = watch;
	loop->n_file_watches++;
	return watch;
}

void ek_file_unwatch(struct ek_file_watch *watch)
{
	if (!watch)
		return;
	sim_io_disarm(watch->loop, &watch->changed);
	*watch->prev = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	watch->loop->n_file_watches--;
	free(watch->path);
	free(watch);
}
