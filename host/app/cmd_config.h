/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommand `config check`: whether a configuration would be taken, and why not. */
#ifndef EK_APP_CMD_CONFIG_H
#define EK_APP_CMD_CONFIG_H

int ek_cmd_config(int argc, char **argv);

#endif
