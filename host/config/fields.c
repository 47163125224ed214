/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one map by a table of rules and says where a document is wrong.
 * It knows no key of the configuration by name.
 * Read next: config.c for the root of the document.
 */
#include "config/fields.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_SHOWN 140 /* bytes of a list of keys in a message */

/* ---- Places ---- */

struct ek_place ek_place_member(const struct ek_place *place, const struct ek_value *member)
{
	struct ek_place inside = *place;

	inside.at = member;
	inside.path = ek_arena_printf(place->arena, "%s%s%s", place->path, place->path[0] ? "." : "", member->key);
	return inside;
}

struct ek_place ek_place_item(const struct ek_place *place, const struct ek_value *item, unsigned i)
{
	struct ek_place inside = *place;

	inside.at = item;
	inside.path = ek_arena_printf(place->arena, "%s[%u]", place->path, i);
	return inside;
}

int ek_place_fail(const struct ek_place *place, const char *format, ...)
{
	char why[224];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (!place->at || !place->at->line)
		return ek_fail(place->err, EK_INVALID, "%s%s%s", place->path, place->path[0] ? ": " : "", why);
	return ek_fail(place->err, EK_INVALID, "line %u, column %u: %s%s%s", place->at->line, place->at->column, place->path,
		place->path[0] ? ": " : "", why);
}

static bool is_absent(const struct ek_value *value)
{
	return !value || value->kind == EK_VALUE_NULL;
}

int ek_place_expect_map(const struct ek_place *place)
{
	if (is_absent(place->at) || place->at->kind == EK_VALUE_MAP)
		return EK_OK;
	return ek_place_fail(place, "must be a map");
}

int ek_place_expect_list(const struct ek_place *place)
{
	if (is_absent(place->at) || place->at->kind == EK_VALUE_LIST)
		return EK_OK;
	return ek_place_fail(place, "must be a list");
}

int ek_place_texts(const struct ek_place *place, int (*check)(const struct ek_place *place, const char *text), unsigned *n,
	const char ***texts)
{
	if (ek_place_expect_list(place) != EK_OK)
		return EK_INVALID;
	if (is_absent(place->at))
		return EK_OK;
	*texts = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(**texts));
	for (const struct ek_value *item = place->at->first; item; item = item->next) {
		struct ek_place inside = ek_place_item(place, item, *n);

		if (item->kind != EK_VALUE_SCALAR || !item->text[0])
			return ek_place_fail(&inside, "must be a text that is not empty");
		if (check && check(&inside, item->text) != EK_OK)
			return EK_INVALID;
		(*texts)[(*n)++] = item->text;
	}
	return EK_OK;
}

/* ---- Values ---- */

static int read_text(const struct ek_place *place, const struct ek_field_rule *rule, const char **out)
{
	if (place->at->kind != EK_VALUE_SCALAR)
		return ek_place_fail(place, "must be a text");
	if (rule->is_required && !place->at->text[0])
		return ek_place_fail(place, "must not be empty");
	if (rule->check && rule->check(place, place->at->text) != EK_OK)
		return EK_INVALID;
	*out = rule->type == EK_FIELD_PATH && !place->at->text[0] ? NULL : place->at->text;
	return EK_OK;
}

static int read_integer(const struct ek_place *place, const struct ek_field_rule *rule, int64_t *out)
{
	const char *text = place->at->text;
	long long number;
	char *end;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (place->at->kind != EK_VALUE_SCALAR || place->at->is_quoted || !isdigit((unsigned char)text[text[0] == '-']) || *end || errno)
		return ek_place_fail(place, "must be a whole number");
	if (number < rule->minimum || number > rule->maximum)
		return ek_place_fail(place, "is %lld, but must be from %lld to %lld", number, (long long)rule->minimum,
			(long long)rule->maximum);
	*out = number;
	return EK_OK;
}

static int read_boolean(const struct ek_place *place, bool *out)
{
	const struct ek_value *value = place->at;

	if (value->kind != EK_VALUE_SCALAR || value->is_quoted || (strcmp(value->text, "true") != 0 && strcmp(value->text, "false") != 0))
		return ek_place_fail(place, "must be true or false");
	*out = value->text[0] == 't';
	return EK_OK;
}

static int read_value(const struct ek_place *place, const struct ek_field_rule *rule, void *target)
{
	void *out = (char *)target + rule->offset;

	switch (rule->type) {
	case EK_FIELD_TEXT:
	case EK_FIELD_PATH:
		return read_text(place, rule, out);
	case EK_FIELD_INTEGER:
		return read_integer(place, rule, out);
	case EK_FIELD_BOOLEAN:
		return read_boolean(place, out);
	case EK_FIELD_RAW:
		*(const struct ek_value **)out = place->at;
		return ek_place_expect_map(place);
	case EK_FIELD_OWN:
		break;
	}
	return rule->read(place, target);
}

/* ---- Maps ---- */

static const struct ek_field_rule *find_rule(const struct ek_field_rule *rules, const char *key)
{
	for (; rules->key; rules++)
		if (!strcmp(rules->key, key))
			return rules;
	return NULL;
}

static int refuse_key(const struct ek_place *place, const struct ek_field_rule *rules, const struct ek_value *member)
{
	char keys[KEYS_SHOWN] = "";
	struct ek_place here = *place;

	for (; rules->key; rules++) {
		size_t n = strlen(keys);

		snprintf(keys + n, sizeof(keys) - n, "%s%s", n ? ", " : "", rules->key);
	}
	here.at = member;
	return ek_place_fail(&here, "there is no key \"%.60s\" here; there are: %s", member->key, keys);
}

static int check_required(const struct ek_place *place, const struct ek_field_rule *rules)
{
	for (; rules->key; rules++)
		if (rules->is_required && is_absent(ek_value_get(place->at, rules->key)))
			return ek_place_fail(place, "%s must be given", rules->key);
	return EK_OK;
}

int ek_fields_read(const struct ek_place *place, const struct ek_field_rule *rules, void *target)
{
	if (ek_place_expect_map(place) != EK_OK)
		return EK_INVALID;
	for (const struct ek_value *member = place->at ? place->at->first : NULL; member; member = member->next) {
		const struct ek_field_rule *rule = find_rule(rules, member->key);
		struct ek_place inside;

		if (!rule)
			return refuse_key(place, rules, member);
		if (is_absent(member))
			continue;
		inside = ek_place_member(place, member);
		if (read_value(&inside, rule, target) != EK_OK)
			return EK_INVALID;
	}
	return check_required(place, rules);
}

/* ---- Checks for texts ---- */

#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

int ek_check_name(const struct ek_place *place, const char *text)
{
	size_t n = strlen(text);

	if (n >= 1 && n <= 63 && strspn(text, LOWER_DIGITS "-") == n && text[0] != '-' && text[n - 1] != '-')
		return EK_OK;
	return ek_place_fail(place, "\"%.64s\" is no name; it must match [a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", text);
}

int ek_check_cluster_id(const struct ek_place *place, const char *text)
{
	size_t n = strlen(text);

	if (n >= 1 && n <= 20 && strspn(text, LOWER_DIGITS "-") == n)
		return EK_OK;
	return ek_place_fail(place, "\"%.64s\" is no cluster id; it must match [a-z0-9-]{1,20}", text);
}

int ek_check_file_name(const struct ek_place *place, const char *text)
{
	if (!strchr(text, '/'))
		return EK_OK;
	return ek_place_fail(place, "must be the name of a file in plugins.directory, without '/'");
}

int ek_check_sha256(const struct ek_place *place, const char *text)
{
	const char *hex = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;

	if (!text[0] || (strlen(hex) == 64 && strspn(hex, "0123456789abcdefABCDEF") == 64))
		return EK_OK;
	return ek_place_fail(place, "must be 64 hex digits; `eurekube plugin digest` prints them");
}
