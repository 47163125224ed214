/* SPDX-License-Identifier: Apache-2.0 */
/* Built against another SDK; its constructor leaves a mark, which must not happen. */
#include <eurekube/mode.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#undef EK_ABI_MINOR
#define EK_ABI_MINOR 3

/* Runs as soon as the file is mapped. */
__attribute__((constructor)) static void leave_mark(void)
{
	const char *path = getenv("EK_TEST_MARKER");

	if (path)
		close(open(path, O_CREAT | O_WRONLY, 0600));
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(newerminor, MODE, .version = "1.0.0", .ops = &ops);
