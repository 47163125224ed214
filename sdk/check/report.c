/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints verdicts as lines for people or as one JSON document for programs, and keeps aside what the plugin itself writes.
 * It judges nothing.
 * Read next: check.c, which runs the rules.
 */
#include "report.h"

#include <eurekube/json.h>

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES_MAX 64
#define JSON_MAX 262144

struct line {
	const char *name, *text;   /* literals */
	enum ek_verdict verdict;
	char seen[512];
};

struct ek_report {
	bool is_json;
	FILE *out;
	int fds[2];                /* what standard output and error were */
	int strays;                /* what they are now */
	char file[256], plugin[128], version[64], digest[80];
	uint32_t kind, abi_major, abi_minor;
	struct line lines[RULES_MAX];
	unsigned n_lines;
};

static const char *const words[] = { "ok  ", "FAIL", "skip" }, *const verdicts[] = { "pass", "fail", "skipped" };

struct ek_report *ek_report_open(bool is_json)
{
	struct ek_report *report = ek_xcalloc(1, sizeof(*report));

	report->is_json = is_json;
	report->fds[0] = dup(STDOUT_FILENO);
	report->fds[1] = dup(STDERR_FILENO);
	report->strays = memfd_create("strays", MFD_CLOEXEC);
	report->out = fdopen(dup(STDOUT_FILENO), "w");
	if (report->fds[0] >= 0 && report->fds[1] >= 0 && report->strays >= 0 && report->out &&
		dup2(report->strays, STDOUT_FILENO) >= 0 && dup2(report->strays, STDERR_FILENO) >= 0)
		return report;
	free(report);
	return NULL;
}

void ek_report_plugin(struct ek_report *report, const char *file, const struct ek_plugin *plugin, const char *digest)
{
	snprintf(report->file, sizeof(report->file), "%s", file);
	snprintf(report->digest, sizeof(report->digest), "%s", digest);
	if (!plugin)
		return;
	snprintf(report->plugin, sizeof(report->plugin), "%s", plugin->name);
	snprintf(report->version, sizeof(report->version), "%s", plugin->version);
	report->kind = plugin->kind;
	report->abi_major = plugin->abi_major;
	report->abi_minor = plugin->abi_minor;
}

void ek_report_rule(struct ek_report *report, const char *name, const char *text, enum ek_verdict verdict, const char *seen)
{
	struct line *line = &report->lines[report->n_lines < RULES_MAX ? report->n_lines++ : RULES_MAX - 1];

	*line = (struct line){ .name = name, .text = text, .verdict = verdict };
	snprintf(line->seen, sizeof(line->seen), "%s", seen ? seen : "");
	if (report->is_json)
		return;
	fprintf(report->out, "%s %s: %s%s%s\n", words[verdict], name, text, text[0] && line->seen[0] ? ": " : "", line->seen);
	fflush(report->out); /* should the next one crash */
}

size_t ek_report_strays(const struct ek_report *report, char *sample, size_t size)
{
	struct stat stat;
	ssize_t n;

	fflush(stdout);
	fflush(stderr);
	sample[0] = '\0';
	if (fstat(report->strays, &stat))
		return 0;
	n = pread(report->strays, sample, size - 1, 0);
	sample[n > 0 ? n : 0] = '\0';
	sample[strcspn(sample, "\r\n")] = '\0';
	return (size_t)stat.st_size;
}

/* ---- JSON ---- */

static void pair(struct ek_json_writer *writer, const char *key, const char *text)
{
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text);
}

static unsigned count(const struct ek_report *report, enum ek_verdict verdict)
{
	unsigned n = 0;

	for (unsigned i = 0; i < report->n_lines; i++)
		n += report->lines[i].verdict == verdict;
	return n;
}

static void write_rules(struct ek_json_writer *writer, const struct ek_report *report)
{
	ek_json_write_array(writer);
	for (unsigned i = 0; i < report->n_lines; i++) {
		ek_json_write_object(writer);
		pair(writer, "name", report->lines[i].name);
		pair(writer, "verdict", verdicts[report->lines[i].verdict]);
		pair(writer, "rule", report->lines[i].text);
		pair(writer, "message", report->lines[i].seen);
		ek_json_write_object_end(writer);
	}
	ek_json_write_array_end(writer);
}

static void write_report(struct ek_json_writer *writer, const struct ek_report *report)
{
	char abi[32] = "";

	if (report->kind)
		snprintf(abi, sizeof(abi), "%u.%u", report->abi_major, report->abi_minor);
	ek_json_write_object(writer);
	pair(writer, "tool", "eurekube-plugin-check/" EK_VERSION);
	pair(writer, "file", report->file);
	pair(writer, "plugin", report->plugin);
	pair(writer, "version", report->version);
	pair(writer, "kind", report->kind == EK_PLUGIN_MODE ? "mode" : report->kind == EK_PLUGIN_REGISTRY ? "registry" : "");
	pair(writer, "abi", abi);
	pair(writer, "digest", report->digest);
	for (int verdict = EK_VERDICT_PASS; verdict <= EK_VERDICT_SKIPPED; verdict++) {
		ek_json_write_key(writer, verdicts[verdict]);
		ek_json_write_integer(writer, count(report, (enum ek_verdict)verdict));
	}
	ek_json_write_key(writer, "rules");
	write_rules(writer, report);
	ek_json_write_object_end(writer);
}

static void print_json(const struct ek_report *report)
{
	struct ek_json_writer writer;
	char *text = ek_xmalloc(JSON_MAX);

	ek_json_writer_init(&writer, text, JSON_MAX);
	write_report(&writer, report);
	if (ek_json_writer_finish(&writer))
		fprintf(report->out, "%s\n", text);
	free(text);
}

void ek_report_close(struct ek_report *report)
{
	if (report->is_json)
		print_json(report);
	fflush(stdout);
	fflush(stderr);
	dup2(report->fds[0], STDOUT_FILENO);
	dup2(report->fds[1], STDERR_FILENO);
	fclose(report->out);
	close(report->fds[0]);
	close(report->fds[1]);
	close(report->strays);
	free(report);
}
