/* build: no-version-script */
/* SPDX-License-Identifier: Apache-2.0 */
/* A symbol that would be one and the same in all plugins; C++ makes such ones. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(gnuunique, MODE, .version = "1.0.0", .ops = &ops);

__asm__(".data\n"
	".globl shared_counter\n"
	".type shared_counter, %gnu_unique_object\n"
	".size shared_counter, 4\n"
	"shared_counter: .long 0\n"
	".text\n");
