/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads whole small files, and looks once a second whether what a path leads to is still the same.
 * It uses no inotify: a stat of the path sees symlink swaps, files that come and go, and changes on
 * mounts that send no events alike. Next: io/loop.h, whose timers drive it.
 */
#include "io/file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_EVERY_MS 1000

static int fail_errno(const char *path, struct ek_error *err)
{
	int number = errno;
	int code = number == ENOENT || number == ENOTDIR ? EK_GONE :
		number == EACCES || number == EPERM ? EK_AUTH :
		number == EMFILE || number == ENFILE ? EK_RETRY : EK_INVALID;

	ek_fail(err, code, "cannot read %s: %s", path, strerror(number));
	if (err)
		err->os_errno = number;
	return code;
}

static int read_all(int fd, const char *path, struct ek_buf *buf, struct ek_error *err)
{
	char block[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(path, err);
		if (!n)
			return EK_OK;
		if (ek_buf_add(buf, block, (size_t)n))
			return ek_fail(err, EK_TOO_BIG, "%s is larger than %zu bytes", path, buf->limit);
	}
}

int ek_file_read(const char *path, struct ek_buf *buf, struct ek_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code;
	struct stat status;

	ek_buf_reset(buf);
	if (fd < 0)
		return fail_errno(path, err);
	if (!fstat(fd, &status) && !S_ISREG(status.st_mode))
		code = ek_fail(err, EK_INVALID, "%s is not a regular file", path);
	else
		code = read_all(fd, path, buf, err);
	close(fd);
	return code;
}

/* What must be equal for the contents to be the same. */
struct identity {
	bool exists;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct ek_file_watch {
	struct ek_loop *loop;
	char *path;
	void (*fn)(void *arg);
	void *arg;
	struct identity last;
	struct ek_timer look;
};

static struct identity identify(const char *path)
{
	struct identity identity;
	struct stat status;

	memset(&identity, 0, sizeof(identity));
	if (!stat(path, &status)) {
		identity.exists = true;
		identity.device = status.st_dev;
		identity.inode = status.st_ino;
		identity.size = status.st_size;
		identity.modified = status.st_mtim;
		identity.changed = status.st_ctim;
	}
	return identity;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
		a->size == b->size && is_same_time(a->modified, b->modified) &&
		is_same_time(a->changed, b->changed);
}

static void look(void *arg)
{
	struct ek_file_watch *watch = arg;
	struct identity now = identify(watch->path);
	bool has_changed = !is_same(&now, &watch->last);

	watch->last = now;
	ek_loop_arm(watch->loop, &watch->look, LOOK_EVERY_MS);
	if (has_changed)
		watch->fn(watch->arg);
}

struct ek_file_watch *ek_file_watch(struct ek_loop *loop, const char *path, void (*fn)(void *arg), void *arg)
{
	struct ek_file_watch *watch = ek_xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->path = ek_xstrdup(path);
	watch->fn = fn;
	watch->arg = arg;
	watch->last = identify(path);
	ek_timer_init(&watch->look, look, watch);
	ek_loop_arm(loop, &watch->look, LOOK_EVERY_MS);
	return watch;
}

void ek_file_unwatch(struct ek_file_watch *watch)
{
	if (!watch)
		return;
	ek_loop_disarm(watch->loop, &watch->look);
	free(watch->path);
	free(watch);
}
