/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommand `plugin`: whether a file would load, its digest for a pin in the configuration, and what a running operator has loaded. */
#ifndef EK_APP_CMD_PLUGIN_H
#define EK_APP_CMD_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

int ek_cmd_plugin(int argc, char **argv);

/* cmd_plugin_list.c: asks the operator at host:port and prints what it says. The exit status. */
int ek_plugin_list(const char *host, uint16_t port, bool is_json);

#endif
