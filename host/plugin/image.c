/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the bytes of a candidate: opens the file under the path rules, copies it into a sealed memory file, and hashes that. What it returns
 * can change no more, whoever writes to the file later; or, in place, it is the file itself, on a mount that nobody writes to. It does not look
 * into the bytes and runs none.
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
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_NOEXEC_SEAL 0x0008U /* both since Linux 6.3 */
#define MFD_EXEC        0x0010U
#endif

#define SEALS       (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define COPY_BYTES  65536
#define PIN_PREFIX  "sha256:"
#define HEX_BYTES   64

/* What is asked for. */
struct candidate {
	const char *directory, *file, *sha256;
	const char *name;              /* of the file, for messages */
	bool is_in_place;
	bool is_only_read;             /* never to be mapped */
};

static bool is_pinned(const struct candidate *candidate)
{
	return candidate->sha256 && candidate->sha256[0];
}

/* The bytes of a pinned file are trusted wherever they come from; in place it matters who can change them later. */
static bool must_be_safe(const struct candidate *candidate)
{
	return candidate->is_in_place || !(is_pinned(candidate) || candidate->is_only_read);
}

/* The end of a message about a path, where a pin would do. */
static const char *or_pin(const struct candidate *candidate, const char *text)
{
	return candidate->is_in_place ? "" : text;
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

static int open_directory(const struct candidate *candidate, int *fd, struct ek_error *err)
{
	char path[PATH_MAX];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s", candidate->directory);
	const char *pin = or_pin(candidate, ", or pin the file by sha256"), *fault;
	bool is_strict = must_be_safe(candidate);
	struct stat stat;

	/* With a slash behind it, a symbolic link would be followed. */
	for (n = n < sizeof(path) ? n : sizeof(path) - 1; n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_strict ? O_NOFOLLOW : 0));
	if (*fd < 0 && is_strict && errno == ENOTDIR && lstat(path, &stat) == 0 && S_ISLNK(stat.st_mode))
		return ek_refuse(err, "plugin directory", "%s is a symbolic link; name the directory itself%s", path, pin);
	if (*fd < 0)
		return ek_refuse(err, "plugin directory", "%s cannot be opened: %s", path, strerror(errno));
	fault = is_strict && fstat(*fd, &stat) == 0 ? fault_of(&stat) : NULL;
	if (!fault)
		return EK_OK;
	close(*fd);
	return ek_refuse(err, "plugin directory", "%s %s%s", path, fault, pin);
}

static int check_file(const struct candidate *candidate, int fd, struct ek_error *err)
{
	struct stat stat;
	const char *fault;

	if (fstat(fd, &stat) != 0)
		return ek_refuse(err, candidate->name, "cannot be examined: %s", strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return ek_refuse(err, candidate->name, "is not a regular file");
	fault = must_be_safe(candidate) ? fault_of(&stat) : NULL;
	if (fault)
		return ek_refuse(err, candidate->name, "%s%s", fault, or_pin(candidate, ", or pin it by sha256"));
	if (stat.st_size > (off_t)EK_PLUGIN_FILE_MAX)
		return ek_refuse(err, candidate->name, "has %lld bytes; a plugin has at most %u", (long long)stat.st_size, EK_PLUGIN_FILE_MAX);
	return EK_OK;
}

static int open_file(const struct candidate *candidate, int directory_fd, int *fd, struct ek_error *err)
{
	bool is_strict = must_be_safe(candidate);

	/* Without O_NONBLOCK a FIFO would make the whole process wait for a writer. */
	*fd = openat(directory_fd, candidate->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (is_strict ? O_NOFOLLOW : 0));
	if (*fd >= 0)
		return EK_OK;
	if (errno == ELOOP && is_strict)
		return ek_refuse(err, candidate->name, "is a symbolic link; put the file itself there%s",
			or_pin(candidate, ", or pin it by sha256"));
	if (errno == ENOENT)
		return ek_refuse(err, candidate->name, "is not there; put the file into the plugin directory or correct its name");
	return ek_refuse(err, candidate->name, "cannot be opened: %s", strerror(errno));
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

static bool is_forbidden(int error)
{
	return error == EACCES || error == EPERM;
}

/*
 * Kernels before 6.3 do not know MFD_EXEC, and all their memory files are executable. Where none may be, one that is only read still shows what the file
 * is; that it cannot run is said when it is to be mapped.
 */
static int create_memory_file(const char *name, bool *may_run)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	*may_run = true;
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 || !is_forbidden(errno))
		return fd;
	*may_run = false;
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
}

static int copy_sealed(int from, struct ek_image *image, struct ek_error *err)
{
	image->fd = create_memory_file(image->name, &image->may_run);
	if (image->fd < 0 && is_forbidden(errno))
		return ek_refuse(err, image->name, "cannot be copied: this system forbids memory files (memfd_create: %s); allow them, or set "
			"plugins.readOnlyDirectory", strerror(errno));
	if (image->fd < 0 || copy_all(from, image->fd) != 0 || fcntl(image->fd, F_ADD_SEALS, SEALS) != 0)
		return ek_refuse(err, image->name, "cannot be copied into memory: %s", strerror(errno));
	return EK_OK;
}

/* ---- In place ---- */

/* Of the file, not of its directory: another mount may lie over it. */
static int take_in_place(int from, struct ek_image *image, struct ek_error *err)
{
	struct statvfs mount;

	if (fstatvfs(from, &mount) != 0)
		return ek_refuse(err, image->name, "cannot be examined: %s", strerror(errno));
	if (!(mount.f_flag & ST_RDONLY))
		return ek_refuse(err, image->name, "lies on a mount that can be written; with plugins.readOnlyDirectory the plugin directory has "
			"to be mounted read-only");
	image->fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	if (image->fd < 0)
		return ek_refuse(err, image->name, "cannot be opened: %s", strerror(errno));
	image->is_in_place = true;
	image->may_run = true;
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

static int check_pin(const struct candidate *candidate, const struct ek_image *image, struct ek_error *err)
{
	const char *hex = image->digest + strlen(PIN_PREFIX), *sha256 = candidate->sha256;

	if (!is_pinned(candidate))
		return EK_OK;
	if (!strncmp(sha256, PIN_PREFIX, strlen(PIN_PREFIX)))
		sha256 += strlen(PIN_PREFIX);
	if (strcasecmp(sha256, hex) == 0)
		return EK_OK;
	return ek_refuse(err, image->name, "has sha256 %s, but the configuration wants %.64s; correct one of them", hex, sha256);
}

/* ---- Opening ---- */

static int open_candidate(const struct candidate *candidate, int *fd, struct ek_error *err)
{
	const char *file = candidate->file;
	int directory_fd = AT_FDCWD;
	int code = EK_OK;

	if (candidate->directory && (strchr(file, '/') || !strcmp(file, ".") || !strcmp(file, "..") || !file[0]))
		return ek_refuse(err, file, "is not a file name; name a file inside the plugin directory, without '/'");
	if (candidate->directory)
		code = open_directory(candidate, &directory_fd, err);
	if (code != EK_OK)
		return code;
	code = open_file(candidate, directory_fd, fd, err);
	if (candidate->directory)
		close(directory_fd);
	return code;
}

static int measure(struct ek_image *image, struct ek_error *err)
{
	struct stat stat;

	if (fstat(image->fd, &stat) != 0)
		return ek_refuse(err, image->name, "cannot be examined: %s", strerror(errno));
	image->n_bytes = (size_t)stat.st_size;
	return EK_OK;
}

static int take_bytes(const struct candidate *candidate, int fd, struct ek_image *image, struct ek_error *err)
{
	int code = check_file(candidate, fd, err);

	if (code == EK_OK)
		code = candidate->is_in_place ? take_in_place(fd, image, err) : copy_sealed(fd, image, err);
	if (code == EK_OK)
		code = measure(image, err);
	if (code == EK_OK)
		code = digest_image(image, err);
	if (code == EK_OK)
		code = check_pin(candidate, image, err);
	return code;
}

static int open_image(struct candidate *candidate, struct ek_image *out, struct ek_error *err)
{
	const char *base = candidate->directory ? NULL : strrchr(candidate->file, '/');
	int fd = -1, code;

	*out = (struct ek_image){ .fd = -1 };
	snprintf(out->name, sizeof(out->name), "%s", base ? base + 1 : candidate->file);
	candidate->name = out->name;
	code = open_candidate(candidate, &fd, err);
	if (code != EK_OK)
		return code;
	code = take_bytes(candidate, fd, out, err);
	close(fd);
	if (code != EK_OK)
		ek_image_close(out);
	return code;
}

int ek_image_open(const char *directory, const char *file, const char *sha256, struct ek_image *out, struct ek_error *err)
{
	struct candidate candidate = { .directory = directory, .file = file, .sha256 = sha256 };

	return open_image(&candidate, out, err);
}

int ek_image_open_in_place(const char *directory, const char *file, const char *sha256, struct ek_image *out, struct ek_error *err)
{
	struct candidate candidate = { .directory = directory, .file = file, .sha256 = sha256, .is_in_place = true };

	return open_image(&candidate, out, err);
}

int ek_image_read(const char *path, struct ek_image *out, struct ek_error *err)
{
	struct candidate candidate = { .file = path, .is_only_read = true };

	return open_image(&candidate, out, err);
}

void ek_image_close(struct ek_image *image)
{
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
}
