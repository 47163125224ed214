/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the bytes of a candidate: opens the file under the path rules, copies it into a sealed memory file, and hashes that.
 * What it returns can change no more, whoever writes to the file later; it does not look into the bytes and runs none of them.
 * Read next: loader.c for what is then read from the bytes, catalog.c for who asks.
 */
#include "plugin/loader.h"

#include "plugin/refuse.h"

#include <openssl/evp.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* since Linux 6.3 */
#endif

#define SEALS       (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define COPY_BYTES  65536
#define PIN_PREFIX  "sha256:"
#define HEX_BYTES   64

static bool is_pinned(const char *sha256)
{
	return sha256 && sha256[0];
}

/* ---- Path rules ---- */

/* What is wrong with the owner or the mode; NULL: nothing. */
static const char *fault_of(const struct stat *stat)
{
	if (stat->st_uid != 0 && stat->st_uid != geteuid())
		return "belongs to another user than root and the one that runs this process; change its owner";
	if (stat->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by its group or by others; run chmod go-w on it";
	return NULL;
}

static int open_directory(const char *directory, bool must_be_safe, int *fd, struct ek_error *err)
{
	char path[PATH_MAX];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s", directory);
	struct stat stat;
	const char *fault;

	/* With a slash behind it, a symbolic link would be followed. */
	for (n = n < sizeof(path) ? n : sizeof(path) - 1; n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (must_be_safe ? O_NOFOLLOW : 0));
	if (*fd < 0 && must_be_safe && errno == ENOTDIR && lstat(path, &stat) == 0 && S_ISLNK(stat.st_mode))
		return ek_refuse(err, "plugin directory", "%s is a symbolic link; name the directory itself, or pin the file by sha256", path);
	if (*fd < 0)
		return ek_refuse(err, "plugin directory", "%s cannot be opened: %s", path, strerror(errno));
	fault = must_be_safe && fstat(*fd, &stat) == 0 ? fault_of(&stat) : NULL;
	if (!fault)
		return EK_OK;
	close(*fd);
	return ek_refuse(err, "plugin directory", "%s %s, or pin the file by sha256", path, fault);
}

static int check_file(int fd, const char *name, bool must_be_safe, off_t *n_bytes, struct ek_error *err)
{
	struct stat stat;
	const char *fault;

	if (fstat(fd, &stat) != 0)
		return ek_refuse(err, name, "cannot be examined: %s", strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return ek_refuse(err, name, "is not a regular file");
	fault = must_be_safe ? fault_of(&stat) : NULL;
	if (fault)
		return ek_refuse(err, name, "%s, or pin it by sha256", fault);
	if (stat.st_size > (off_t)EK_PLUGIN_FILE_MAX)
		return ek_refuse(err, name, "has %lld bytes; a plugin has at most %u", (long long)stat.st_size, EK_PLUGIN_FILE_MAX);
	*n_bytes = stat.st_size;
	return EK_OK;
}

static int open_file(int directory_fd, const char *file, const char *name, bool must_be_safe, int *fd, struct ek_error *err)
{
	/* Without O_NONBLOCK a FIFO would make the whole process wait for a writer. */
	*fd = openat(directory_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (must_be_safe ? O_NOFOLLOW : 0));
	if (*fd >= 0)
		return EK_OK;
	if (errno == ELOOP && must_be_safe)
		return ek_refuse(err, name, "is a symbolic link; put the file itself there, or pin it by sha256");
	if (errno == ENOENT)
		return ek_refuse(err, name, "is not there; put the file into the plugin directory or correct its name");
	return ek_refuse(err, name, "cannot be opened: %s", strerror(errno));
}

/* ---- The sealed copy ---- */

static int copy_all(int from, int to)
{
	unsigned char buffer[COPY_BYTES];
	size_t total = 0;

	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		total += (size_t)n;
		if (total > EK_PLUGIN_FILE_MAX) {
			errno = EFBIG;
			return -1;
		}
		for (ssize_t at = 0, written; at < n; at += written) {
			written = write(to, buffer + at, (size_t)(n - at));
			if (written < 0)
				return -1;
		}
	}
}

/* Kernels before 6.3 do not know MFD_EXEC, and all their memory files are executable. */
static int create_memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static int copy_sealed(int from, struct ek_image *image, struct ek_error *err)
{
	struct stat stat;

	image->fd = create_memory_file(image->name);
	if (image->fd < 0 && (errno == EACCES || errno == EPERM))
		return ek_refuse(err, image->name, "cannot be loaded: this system forbids executable memory files; set the sysctl "
			"vm.memfd_noexec to 0 or 1");
	if (image->fd < 0 || copy_all(from, image->fd) != 0 || fcntl(image->fd, F_ADD_SEALS, SEALS) != 0 ||
		fstat(image->fd, &stat) != 0)
		return ek_refuse(err, image->name, "cannot be copied into memory: %s", strerror(errno));
	image->n_bytes = (size_t)stat.st_size;
	return EK_OK;
}

/* ---- The digest ---- */

static void write_digest(const unsigned char *sum, unsigned n, char *digest)
{
	size_t at = (size_t)snprintf(digest, EK_DIGEST_MAX, PIN_PREFIX);

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(digest + at, EK_DIGEST_MAX - at, "%02x", sum[i]);
}

static int digest_image(struct ek_image *image, struct ek_error *err)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	void *bytes = image->n_bytes ? mmap(NULL, image->n_bytes, PROT_READ, MAP_PRIVATE, image->fd, 0) : NULL;
	int is_done;

	if (bytes == MAP_FAILED)
		return ek_refuse(err, image->name, "cannot be read from memory: %s", strerror(errno));
	is_done = EVP_Digest(bytes ? bytes : "", image->n_bytes, sum, &n, EVP_sha256(), NULL);
	if (bytes)
		munmap(bytes, image->n_bytes);
	if (!is_done || n * 2 != HEX_BYTES)
		return ek_refuse(err, image->name, "cannot be hashed; does libcrypto offer SHA-256 here?");
	write_digest(sum, n, image->digest);
	return EK_OK;
}

static int check_pin(const struct ek_image *image, const char *sha256, struct ek_error *err)
{
	const char *hex = image->digest + strlen(PIN_PREFIX);

	if (!is_pinned(sha256))
		return EK_OK;
	if (!strncmp(sha256, PIN_PREFIX, strlen(PIN_PREFIX)))
		sha256 += strlen(PIN_PREFIX);
	if (strcasecmp(sha256, hex) == 0)
		return EK_OK;
	return ek_refuse(err, image->name, "has sha256 %s, but the configuration wants %.64s; correct one of them", hex, sha256);
}

/* ---- Opening ---- */

static int open_candidate(const char *directory, const char *file, const char *name, bool is_pinned_, int *fd,
	struct ek_error *err)
{
	int directory_fd = AT_FDCWD;
	int code = EK_OK;

	if (directory && (strchr(file, '/') || !strcmp(file, ".") || !strcmp(file, "..") || !file[0]))
		return ek_refuse(err, file, "is not a file name; name a file inside the plugin directory, without '/'");
	if (directory)
		code = open_directory(directory, !is_pinned_, &directory_fd, err);
	if (code != EK_OK)
		return code;
	code = open_file(directory_fd, file, name, !is_pinned_, fd, err);
	if (directory)
		close(directory_fd);
	return code;
}

static int take_bytes(int fd, const char *sha256, struct ek_image *image, struct ek_error *err)
{
	off_t n_bytes;
	int code = check_file(fd, image->name, !is_pinned(sha256), &n_bytes, err);

	if (code == EK_OK)
		code = copy_sealed(fd, image, err);
	if (code == EK_OK)
		code = digest_image(image, err);
	if (code == EK_OK)
		code = check_pin(image, sha256, err);
	return code;
}

int ek_image_open(const char *directory, const char *file, const char *sha256, struct ek_image *out, struct ek_error *err)
{
	const char *base = directory ? NULL : strrchr(file, '/');
	int fd = -1;
	int code;

	*out = (struct ek_image){ .fd = -1 };
	snprintf(out->name, sizeof(out->name), "%s", base ? base + 1 : file);
	code = open_candidate(directory, file, out->name, is_pinned(sha256), &fd, err);
	if (code != EK_OK)
		return code;
	code = take_bytes(fd, sha256, out, err);
	close(fd);
	if (code != EK_OK)
		ek_image_close(out);
	return code;
}

void ek_image_close(struct ek_image *image)
{
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
}
