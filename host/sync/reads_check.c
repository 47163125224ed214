/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges what a plugin says that it reads: names that the API can have, ways to fields, and not too much of either.
 * It does not ask whether the resource is there; the API server will say. Secrets are refused here, once and for all.
 * Read reads.c next.
 */
#include "sync/reads.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define GROUP_MAX 253
#define LABEL_MAX 63
#define PATH_MAX_BYTES 253

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A DNS label of `n` bytes. */
static bool is_label(const char *at, size_t n)
{
	return n && n <= LABEL_MAX && strspn(at, LOWER "-") >= n && at[0] != '-' && at[n - 1] != '-';
}

static bool is_plain_label(const char *text)
{
	return ek_text_is_good(text, LABEL_MAX) && is_label(text, strlen(text));
}

static bool is_group(const char *text)
{
	if (!ek_text_is_good(text, GROUP_MAX))
		return false;
	while (*text) {
		size_t n = strcspn(text, ".");

		if (!is_label(text, n) || (text[n] && !text[n + 1]))
			return false;
		text += n + (text[n] == '.');
	}
	return true;
}

static bool is_field(const char *text)
{
	unsigned n_parts = 0;

	if (!ek_text_is_good(text, PATH_MAX_BYTES) || !*text)
		return false;
	while (*text) {
		size_t n = strcspn(text, ".");

		if (!n || strspn(text, LOWER UPPER "_-$/") < n || ++n_parts > EK_RESOURCE_PATH_MAX || (text[n] && !text[n + 1]))
			return false;
		text += n + (text[n] == '.');
	}
	return true;
}

static const char *judge_fields(const struct ek_resource_read *read, char *buffer, size_t size)
{
	if (!read->n_fields || read->n_fields > EK_RESOURCE_FIELDS_MAX || !read->fields) {
		snprintf(buffer, size, "asks for %u fields of %s; 1 to %d are possible", read->fields ? read->n_fields : 0, read->plural,
		         EK_RESOURCE_FIELDS_MAX);
		return buffer;
	}
	for (uint32_t i = 0; i < read->n_fields; i++) {
		if (is_field(read->fields[i]))
			continue;
		snprintf(buffer, size, "asks for a field of %s, number %u, whose path is none: at most %d names joined by dots", read->plural, i + 1,
		         EK_RESOURCE_PATH_MAX);
		return buffer;
	}
	return NULL;
}

static const char *judge(const struct ek_resource_read *read, uint32_t number, char *buffer, size_t size)
{
	const char *wrong = NULL;

	if (!read || read->size < sizeof(*read))
		wrong = "is NULL or has no size";
	else if (!is_group(read->group))
		wrong = "has a group that is no DNS name";
	else if (!is_plain_label(read->version))
		wrong = "has a version that is no DNS label";
	else if (!is_plain_label(read->plural))
		wrong = "has a plural that is no DNS label";
	else if (read->is_namespaced > 1)
		wrong = "is namespaced neither 0 nor 1 times";
	if (wrong) {
		snprintf(buffer, size, "declares a resource, number %u, that %s", number, wrong);
		return buffer;
	}
	if (!read->group[0] && strcmp(read->plural, "secrets") == 0) {
		snprintf(buffer, size, "asks for Secrets, which no mode may read");
		return buffer;
	}
	return judge_fields(read, buffer, size);
}

const char *ek_reads_fault(const struct ek_resource_read *const *declared, uint32_t n, char *buffer, size_t size)
{
	const char *fault = NULL;

	if (n > EK_RESOURCES_MAX || (n && !declared)) {
		if (declared)
			snprintf(buffer, size, "declares %u resources; at most %d are possible", n, EK_RESOURCES_MAX);
		else
			snprintf(buffer, size, "declares %u resources, which are NULL", n);
		return buffer;
	}
	for (uint32_t i = 0; i < n && !fault; i++)
		fault = judge(declared[i], i + 1, buffer, size);
	return fault;
}
