/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads single values out of a tree: texts, integers, booleans, each with its place when it is wrong.
 * It does not know which keys a document may have.
 * Next: yaml.c, which makes the trees.
 */
#include "base/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct ek_value *ek_value_get(const struct ek_value *map, const char *key)
{
	const struct ek_value *member;

	if (!map || map->kind != EK_VALUE_MAP)
		return NULL;
	for (member = map->first; member; member = member->next)
		if (strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

const char *ek_value_text(const struct ek_value *value, const char *otherwise)
{
	return value && value->kind == EK_VALUE_SCALAR ? value->text : otherwise;
}

static bool is_absent(const struct ek_value *value)
{
	return !value || value->kind == EK_VALUE_NULL;
}

__attribute__((format(printf, 3, 4)))
static int refuse(const struct ek_value *value, struct ek_error *err, const char *format, ...)
{
	char what[200];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (value->key)
		return ek_fail(err, EK_INVALID, "line %u, column %u: %.64s: %s", value->line, value->column, value->key, what);
	return ek_fail(err, EK_INVALID, "line %u, column %u: %s", value->line, value->column, what);
}

/* A plain decimal number, nothing before or behind it. */
static bool parse_integer(const char *text, int64_t *number)
{
	const char *digits = text + (text[0] == '-');
	char *end;

	if (digits[0] < '0' || digits[0] > '9' || (digits[0] == '0' && digits[1]))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && !*end;
}

int ek_value_integer(const struct ek_value *value, int64_t minimum, int64_t maximum, int64_t otherwise, int64_t *out, struct ek_error *err)
{
	int64_t number;

	if (is_absent(value)) {
		*out = otherwise;
		return EK_OK;
	}
	if (value->kind != EK_VALUE_SCALAR || value->is_quoted || !parse_integer(value->text, &number))
		return refuse(value, err, "an integer was expected");
	if (number < minimum || number > maximum)
		return refuse(value, err, "%lld is not between %lld and %lld", (long long)number, (long long)minimum, (long long)maximum);
	*out = number;
	return EK_OK;
}

int ek_value_boolean(const struct ek_value *value, bool otherwise, bool *out, struct ek_error *err)
{
	bool is_true, is_false;

	if (is_absent(value)) {
		*out = otherwise;
		return EK_OK;
	}
	is_true = value->kind == EK_VALUE_SCALAR && !value->is_quoted && strcmp(value->text, "true") == 0;
	is_false = value->kind == EK_VALUE_SCALAR && !value->is_quoted && strcmp(value->text, "false") == 0;
	if (!is_true && !is_false)
		return refuse(value, err, "true or false was expected");
	*out = is_true;
	return EK_OK;
}
