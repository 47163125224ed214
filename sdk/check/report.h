/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what the kit says: a line for each rule as it ends, or one JSON document at the end. While a plugin runs, standard output and error belong to nobody:
 * what is written there is the plugin's, and is looked at by the rule "quiet".
 */
#ifndef EK_SDK_CHECK_REPORT_H
#define EK_SDK_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <eurekube/plugin.h>

enum ek_verdict { EK_VERDICT_PASS, EK_VERDICT_FAIL, EK_VERDICT_SKIPPED };

struct ek_report;

/* Takes standard output and error away from everybody else. NULL: that does not work here. */
struct ek_report *ek_report_open(bool is_json);
void ek_report_plugin(struct ek_report *report, const char *file, const struct ek_plugin *plugin, const char *digest);
void ek_report_rule(struct ek_report *report, const char *name, const char *text, enum ek_verdict verdict, const char *seen);
/* How many bytes others have written to standard output and error so far; the first of them in `sample`. */
size_t ek_report_strays(const struct ek_report *report, char *sample, size_t size);
/* Prints what is left to print and gives standard output and error back. */
void ek_report_close(struct ek_report *report);

#endif
