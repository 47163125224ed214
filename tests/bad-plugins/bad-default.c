/* SPDX-License-Identifier: Apache-2.0 */
/* Declares an option for the syncers whose default is out of its own bounds. */
#include <eurekube/mode.h>

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
	const struct ek_sink *sink, struct ek_error *err)
{
	return EK_OK;
}

static const struct ek_mode_ops ops = { .size = sizeof(ops), .desired = desired };

static const struct ek_option weight = {
	.size = sizeof(weight), .type = EK_OPTION_INTEGER, .name = "weight", .default_value = "0", .help = "How much.",
	.minimum = 1, .maximum = 100
};
static const struct ek_option *const options[] = { &weight, NULL };

EK_PLUGIN_DEFINE(baddefault, MODE, .version = "1.0.0", .ops = &ops, .instance_options = options);
