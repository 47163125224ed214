/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the directory, and copies built plugins into it.
 * It asserts that its own work succeeds, and nothing about plugins.
 * Read next: tests/contract/test_loader.c for how it is used.
 */
#include "kit/plugin_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char plugin_dir[64];

int plugin_dir_make(void **state)
{
	snprintf(plugin_dir, sizeof(plugin_dir), "/tmp/eurekube-plugins-XXXXXX");
	if (!mkdtemp(plugin_dir))
		return -1;
	return setenv("EK_TEST_MARKER", plugin_path("marker"), 1);
}

int plugin_dir_remove(void **state)
{
	char command[128];

	unsetenv("EK_TEST_MARKER");
	snprintf(command, sizeof(command), "rm -rf '%s'", plugin_dir);
	return system(command);
}

const char *plugin_built(const char *name)
{
	static char path[512];
	const char *build = getenv("EK_TEST_BUILD");

	snprintf(path, sizeof(path), "%s/bad-plugins/%s.so", build ? build : "build/release", name);
	return path;
}

const char *plugin_path(const char *file)
{
	static char path[2][512];
	static unsigned turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", plugin_dir, file);
	return path[turn];
}

struct ek_buf *plugin_bytes(const char *name)
{
	static struct ek_buf buf;
	char piece[4096];
	ssize_t n;
	int fd = open(plugin_built(name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("%s: %s; build it, and set EK_TEST_BUILD", plugin_built(name), strerror(errno));
	ek_buf_clear(&buf);
	ek_buf_init(&buf, EK_PLUGIN_FILE_MAX);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		assert_int_equal(ek_buf_add(&buf, piece, (size_t)n), EK_OK);
	close(fd);
	return &buf;
}

void plugin_put_bytes(const char *file, const void *bytes, size_t n, mode_t mode)
{
	int fd;

	unlink(plugin_path(file));
	fd = open(plugin_path(file), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

void plugin_put(const char *name)
{
	struct ek_buf *buf = plugin_bytes(name);
	char file[128];

	snprintf(file, sizeof(file), "%s.so", name);
	plugin_put_bytes(file, buf->at, buf->n, 0644);
}

const char *plugin_digest(const char *file)
{
	static char digest[EK_DIGEST_MAX];
	struct ek_image image;
	struct ek_error err = EK_ERROR_INIT;

	if (ek_image_open(NULL, plugin_path(file), NULL, &image, &err) != EK_OK)
		fail_msg("%s", err.message);
	memcpy(digest, image.digest, sizeof(digest));
	ek_image_close(&image);
	return digest;
}

int plugin_load(const char *file, const char *sha256, enum ek_plugin_kind kind, const struct ek_plugin **plugin, struct ek_error *err)
{
	struct ek_image image;
	int code = ek_image_open(plugin_dir, file, sha256, &image, err);

	if (code == EK_OK) {
		code = ek_image_map(&image, kind, plugin, err);
		if (code != EK_OK)
			ek_image_close(&image);
	}
	return code;
}

struct ek_catalog *plugin_catalog(bool require_digest)
{
	return ek_catalog_new(&(struct ek_plugin_rules){ .directory = plugin_dir, .require_digest = require_digest });
}

const struct ek_library *plugin_catalog_load(struct ek_catalog *catalog, const char *file, enum ek_plugin_kind kind, struct ek_error *err)
{
	*err = (struct ek_error)EK_ERROR_INIT;
	return ek_catalog_load(catalog, file, NULL, kind, err);
}

bool plugin_is_marked(void)
{
	return access(plugin_path("marker"), F_OK) == 0;
}
