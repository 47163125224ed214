/* SPDX-License-Identifier: Apache-2.0 */
/* Has the function, but not the note. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

__attribute__((visibility("default"))) const struct ek_plugin *ek_plugin_entry_v0(void);
const struct ek_plugin *ek_plugin_entry_v0(void)
{
	static const struct ek_plugin descriptor = {
		.size = sizeof(descriptor), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR, .kind = EK_PLUGIN_MODE,
		.name = "no-note", .version = "1.0.0", .ops = &ops
	};
	return &descriptor;
}
