/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label and field selectors as the fake API server evaluates them, on the JSON of one object.
 * Only the fields that every resource has can be selected by.
 * Next: fake_kube_list.c.
 */
#include "kit/fake_kube_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " ");
	for (n = strlen(text); n && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
	return text;
}

/* Cuts at the next comma outside parentheses. */
static char *next_term(char **rest)
{
	char *start = *rest, *at = start;
	int depth = 0;

	if (!start)
		return NULL;
	for (; *at && (*at != ',' || depth); at++)
		depth += (*at == '(') - (*at == ')');
	*rest = *at ? at + 1 : NULL;
	*at = '\0';
	return trim(start);
}

static bool is_among(char *list, const char *value)
{
	char *item;

	list = strchr(list, '(');
	if (!list || !value)
		return false;
	list++;
	list[strcspn(list, ")")] = '\0';
	while ((item = next_term(&list)))
		if (!strcmp(item, value))
			return true;
	return false;
}

static const char *label(const cJSON *labels, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(labels, key);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static bool does_match(char *term, const cJSON *labels)
{
	char *at;
	const char *value;

	if (!*term)
		return true;
	if (*term == '!')
		return !label(labels, trim(term + 1));
	if ((at = strstr(term, " notin "))) {
		*at = '\0';
		return !is_among(at + 1, label(labels, trim(term)));
	}
	if ((at = strstr(term, " in "))) {
		*at = '\0';
		return is_among(at + 1, label(labels, trim(term)));
	}
	if ((at = strstr(term, "!="))) {
		*at = '\0';
		value = label(labels, trim(term));
		return !value || strcmp(value, trim(at + 2));
	}
	if ((at = strchr(term, '='))) {
		*at = '\0';
		value = label(labels, trim(term));
		return value && !strcmp(value, trim(at + 1 + (at[1] == '=')));
	}
	return label(labels, term);
}

static bool match_labels(const char *selector, const cJSON *metadata)
{
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(metadata, "labels");
	char *copy = strdup(selector), *rest = copy, *term;
	bool does = true;

	while (does && (term = next_term(&rest)))
		does = does_match(term, labels);
	free(copy);
	return does;
}

static bool match_fields(const char *selector, const cJSON *metadata)
{
	char *copy = strdup(selector), *rest = copy, *term;
	bool does = true;

	while (does && (term = next_term(&rest))) {
		char *at = strchr(term, '=');
		bool is_not = at && at > term && at[-1] == '!';
		const char *value, *field = term + (strncmp(term, "metadata.", 9) ? 0 : 9);

		if (!at)
			continue;
		value = at + 1 + (at[1] == '=');
		*(at - is_not) = '\0';
		does = !strcmp(fake_json_text(metadata, field), value) != is_not;
	}
	free(copy);
	return does;
}

bool fake_select(const char *labels, const char *fields, const char *json)
{
	cJSON *root;
	const cJSON *metadata;
	bool does;

	if (!*labels && !*fields)
		return true;
	root = cJSON_Parse(json);
	metadata = cJSON_GetObjectItemCaseSensitive(root, "metadata");
	does = match_labels(labels, metadata) && match_fields(fields, metadata);
	cJSON_Delete(root);
	return does;
}
