/* build: no-version-script */
/* SPDX-License-Identifier: Apache-2.0 */
/* Exports a function of its own beside the entry. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

EK_PLUGIN_DEFINE(exportsmore, MODE, .version = "1.0.0", .ops = &ops);

__attribute__((visibility("default"))) int cJSON_Parse(void);
int cJSON_Parse(void)
{
	return 0;
}
