/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `eurekube run`. */
#ifndef EK_APP_OPTIONS_H
#define EK_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eurekube/error.h>

#include "base/log.h"

struct ek_run_options {
	const char *config_file;
	char config_map_namespace[64], config_map[254]; /* config_map "": none given */
	const char *kubeconfig, *context;    /* NULL: the usual places */
	char listen_host[64], debug_host[64];
	uint16_t listen_port, debug_port;
	enum ek_log_level log_level;
	enum ek_log_format log_format;
	bool is_help;
};

/* "HOST:PORT", ":PORT", "[::1]:PORT"; the host comes without its brackets. EK_OK, or EK_INVALID. */
int ek_address_read(const char *text, char *host, size_t size, uint16_t *port, struct ek_error *err);

/* EK_OK, or EK_INVALID with what is wrong and what to do. */
int ek_run_options_read(int argc, char **argv, struct ek_run_options *out, struct ek_error *err);
extern const char ek_run_help[];

#endif
