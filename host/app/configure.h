/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a running app: where its document comes from, what is done with each new text, and what is said about a bad one. A bad document
 * leaves the one before in force; the first one may not be bad.
 */
#ifndef EK_APP_CONFIGURE_H
#define EK_APP_CONFIGURE_H

#include "app/run.h"

int ek_configure_read_file(const char *path, struct ek_config **out, struct ek_error *err);

void ek_configure_watch(struct ek_app *app);  /* by with.config_file or with.config_map_name */
void ek_configure_end(struct ek_app *app);

#endif
