/* SPDX-License-Identifier: Apache-2.0 */
/* It has a cJSON of its own, visible to the compiler; only the version script keeps it apart from the host's. */
#include <eurekube/mode.h>

__attribute__((visibility("default"))) const char *cJSON_Version(void);

__attribute__((visibility("default"))) const char *cJSON_Version(void)
{
	return "bundled";
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return ek_fail(err, EK_INVALID, "%s", cJSON_Version());
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(owncjson, MODE, .version = "1.0.0", .ops = &ops);
