/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommand `plugin`: whether a file would load, and its digest for a pin in the configuration. */
#ifndef EK_APP_CMD_PLUGIN_H
#define EK_APP_CMD_PLUGIN_H

int ek_cmd_plugin(int argc, char **argv);

#endif
