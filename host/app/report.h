/* SPDX-License-Identifier: Apache-2.0 */
/* What the listeners answer: /healthz, /readyz and /metrics on the pod's address, /debug/state and its part /debug/plugins on localhost. */
#ifndef EK_APP_REPORT_H
#define EK_APP_REPORT_H

#include "base/buf.h"
#include "io/serve.h"

struct ek_app;

/* Handlers for ek_serve_config; arg is the struct ek_app. */
void ek_report_public(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange);
void ek_report_debug(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange);

/* metrics.c: Prometheus text; state.c: the debug state as JSON. */
void ek_metrics_write(struct ek_app *app, struct ek_buf *out);
void ek_state_write(struct ek_app *app, struct ek_buf *out);
void ek_plugins_write(struct ek_app *app, struct ek_buf *out);   /* small, however many syncers there are */

#endif
