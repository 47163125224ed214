/* SPDX-License-Identifier: Apache-2.0 */
/* Declares one option twice. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

static const struct ek_option zone = {
	.size = sizeof(zone), .type = EK_OPTION_STRING, .name = "zone", .help = "The zone."
};
static const struct ek_option *const options[] = { &zone, &zone, NULL };

EK_PLUGIN_DEFINE(duplicateoption, MODE, .version = "1.0.0", .ops = &ops, .options = options);
