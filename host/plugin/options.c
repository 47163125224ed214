/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns what a document says under `options` into the values that a plugin receives, by the plugin's own declarations.
 * It knows no plugin and no option by name, and does not judge whether values make sense together.
 * Read next: eurekube/plugin.h for declarations, loader.c for who checks them.
 */
#include "plugin/options.h"

#include "base/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX       64
#define DEFAULT_NODES_MAX 256
#define NAMES_SHOWN       160 /* bytes of a list of names in a message */

/* What a value is judged by, and how a message about it begins. */
struct place {
	const char *what;                 /* "registries.main.options" */
	const struct ek_option *option;
	const struct ek_value *at;        /* where it stands; NULL unknown */
};

/* ---- Saying no ---- */

/* A document of its own (a syncer's options) is read from one line that nobody wrote: no position then. */
static const char *position(char *buffer, size_t size, const struct ek_value *at, bool is_known)
{
	buffer[0] = '\0';
	if (is_known && at && at->line)
		snprintf(buffer, size, "line %u, column %u: ", at->line, at->column);
	return buffer;
}

EK_PRINTF(3, 4)
static int refuse(const struct place *place, struct ek_error *err, const char *format, ...)
{
	char where[48], why[224];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return ek_fail(err, EK_INVALID, "%s%s.%s %s", position(where, sizeof(where), place->at, true), place->what,
		place->option->name, why);
}

/* ---- Scalars ---- */

static bool is_scalar(const struct ek_value *value)
{
	return value->kind == EK_VALUE_SCALAR;
}

static bool read_integer(const char *text, int64_t *out, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-' || text[0] == '+']))
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	*rest = end;
	return errno == 0;
}

/* "90", "90s", "1500ms", "2m" -> milliseconds */
static bool read_duration(const char *text, int64_t *out_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 } };
	const char *unit;
	int64_t number;

	if (!read_integer(text, &number, &unit) || number < 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(unit, units[i].unit))
			return !__builtin_mul_overflow(number, units[i].ms, out_ms);
	return false;
}

static bool is_bounded(const struct ek_option *option)
{
	return option->minimum != 0 || option->maximum != 0;
}

static int check_bounds(const struct place *place, int64_t number, const char *unit, struct ek_error *err)
{
	const struct ek_option *option = place->option;

	if (!is_bounded(option) || (number >= option->minimum && number <= option->maximum))
		return EK_OK;
	return refuse(place, err, "is %lld%s, but must be from %lld%s to %lld%s", (long long)number, unit,
		(long long)option->minimum, unit, (long long)option->maximum, unit);
}

static int take_integer(const struct place *place, const struct ek_value *given, struct ek_option_value *value,
	struct ek_error *err)
{
	const char *rest;

	if (!is_scalar(given) || given->is_quoted || !read_integer(given->text, &value->integer, &rest) || *rest)
		return refuse(place, err, "must be a whole number");
	return check_bounds(place, value->integer, "", err);
}

static int take_duration(const struct place *place, const struct ek_value *given, struct ek_option_value *value,
	struct ek_error *err)
{
	if (!is_scalar(given) || !read_duration(given->text, &value->integer))
		return refuse(place, err, "must be a duration like 90, 90s, 1500ms or 2m");
	return check_bounds(place, value->integer, "ms", err);
}

static int take_boolean(const struct place *place, const struct ek_value *given, struct ek_option_value *value,
	struct ek_error *err)
{
	bool is_true = is_scalar(given) && !given->is_quoted && !strcmp(given->text, "true");

	if (!is_true && (!is_scalar(given) || given->is_quoted || strcmp(given->text, "false") != 0))
		return refuse(place, err, "must be true or false");
	value->integer = is_true;
	return EK_OK;
}

static int take_string(const struct place *place, const struct ek_value *given, struct ek_option_value *value,
	struct ek_error *err)
{
	if (!is_scalar(given))
		return refuse(place, err, "must be a string");
	value->text = given->text;
	return EK_OK;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t n = strlen(text);

	for (const char *at = choices; n && at; at = strchr(at, '|')) {
		at += *at == '|';
		if (!strncmp(at, text, n) && (at[n] == '|' || at[n] == '\0') && !strchr(text, '|'))
			return true;
	}
	return false;
}

static int take_choice(const struct place *place, const struct ek_value *given, struct ek_option_value *value,
	struct ek_error *err)
{
	if (!is_scalar(given) || !is_choice(place->option->choices, given->text))
		return refuse(place, err, "must be one of %s", place->option->choices);
	value->text = given->text;
	return EK_OK;
}

static int take_list(const struct place *place, const struct ek_value *given, struct ek_arena *arena,
	struct ek_option_value *value, struct ek_error *err)
{
	const char **list;
	uint32_t n = 0;

	if (given->kind != EK_VALUE_LIST)
		return refuse(place, err, "must be a list of strings");
	list = ek_arena_alloc(arena, (given->n + 1) * sizeof(*list));
	for (const struct ek_value *item = given->first; item; item = item->next) {
		if (!is_scalar(item))
			return refuse(place, err, "must be a list of strings; its element %u is none", n + 1);
		list[n++] = item->text;
	}
	value->list = list;
	value->n_list = n;
	if (is_bounded(place->option) && ((int64_t)n < place->option->minimum || (int64_t)n > place->option->maximum))
		return refuse(place, err, "has %u elements, but must have from %lld to %lld", n,
			(long long)place->option->minimum, (long long)place->option->maximum);
	return EK_OK;
}

static int take(const struct place *place, const struct ek_value *given, struct ek_arena *arena,
	struct ek_option_value *value, struct ek_error *err)
{
	switch ((enum ek_option_type)place->option->type) {
	case EK_OPTION_STRING:
		return take_string(place, given, value, err);
	case EK_OPTION_INTEGER:
		return take_integer(place, given, value, err);
	case EK_OPTION_BOOLEAN:
		return take_boolean(place, given, value, err);
	case EK_OPTION_DURATION:
		return take_duration(place, given, value, err);
	case EK_OPTION_LIST:
		return take_list(place, given, arena, value, err);
	case EK_OPTION_ENUM:
		return take_choice(place, given, value, err);
	}
	return refuse(place, err, "is of a type that this host does not know");
}

/* ---- Defaults ---- */

static void take_nothing(const struct ek_option *option, struct ek_option_value *value)
{
	static const char *const none[] = { NULL };

	if (option->type == EK_OPTION_STRING || option->type == EK_OPTION_ENUM)
		value->text = "";
	else if (option->type == EK_OPTION_LIST)
		value->list = none;
}

static int take_default(const struct place *place, struct ek_arena *arena, struct ek_option_value *value,
	struct ek_error *err)
{
	const char *text = place->option->default_value;
	const struct ek_value *given;

	if (!text) {
		take_nothing(place->option, value);
		return EK_OK;
	}
	if (ek_yaml_read(text, strlen(text), DEFAULT_NODES_MAX, arena, &given, NULL) != EK_OK)
		return refuse(place, err, "is not YAML: %.80s", text);
	if (given->kind == EK_VALUE_NULL) {
		take_nothing(place->option, value);
		return EK_OK;
	}
	return take(place, given, arena, value, err);
}

/* ---- One set of options ---- */

static const struct ek_option *find_declaration(const struct ek_option *const *declared, const char *name)
{
	for (; declared && *declared; declared++)
		if (!strcmp((*declared)->name, name))
			return *declared;
	return NULL;
}

static void list_names(const struct ek_option *const *declared, char *buffer, size_t size)
{
	size_t n = 0;

	buffer[0] = '\0';
	for (; declared && *declared; declared++) {
		int more = snprintf(buffer + n, size - n, "%s%s", n ? ", " : "", (*declared)->name);

		if (more < 0 || (size_t)more >= size - n) {
			snprintf(buffer + n, size - n, "%s", size - n > 5 ? ", ..." : "");
			return;
		}
		n += (size_t)more;
	}
}

static int refuse_unknown(const struct ek_option *const *declared, const struct ek_value *given, const char *what,
	bool is_located, struct ek_error *err)
{
	char where[48], names[NAMES_SHOWN];

	position(where, sizeof(where), given, is_located);
	if (!declared || !*declared)
		return ek_fail(err, EK_INVALID, "%s%s: there is no option \"%.60s\"; the plugin has none", where, what,
			given->key);
	list_names(declared, names, sizeof(names));
	return ek_fail(err, EK_INVALID, "%s%s: there is no option \"%.60s\"; there are: %s", where, what, given->key,
		names);
}

static int check_names(const struct ek_option *const *declared, const struct ek_value *given, const char *what,
	struct ek_error *err)
{
	bool is_located;
	char where[48];

	if (!given || given->kind == EK_VALUE_NULL)
		return EK_OK;
	is_located = given->key != NULL;
	if (given->kind != EK_VALUE_MAP)
		return ek_fail(err, EK_INVALID, "%s%s must be a map of options", position(where, sizeof(where), given, is_located),
			what);
	for (const struct ek_value *member = given->first; member; member = member->next)
		if (!find_declaration(declared, member->key))
			return refuse_unknown(declared, member, what, is_located, err);
	return EK_OK;
}

static int resolve_one(const struct ek_option *option, const struct ek_value *given, const char *what,
	struct ek_arena *arena, struct ek_option_value *value, struct ek_error *err)
{
	const struct ek_value *member = ek_value_get(given, option->name);
	bool is_located = given && given->key;
	struct place place = { .what = what, .option = option, .at = is_located ? (member ? member : given) : NULL };

	*value = (struct ek_option_value){ .size = sizeof(*value), .type = option->type, .name = option->name };
	if (member && member->kind != EK_VALUE_NULL) {
		value->is_set = 1;
		return take(&place, member, arena, value, err);
	}
	if (option->flags & EK_OPTION_REQUIRED)
		return refuse(&place, err, "must be given: %s", option->help);
	return take_default(&place, arena, value, err);
}

int ek_options_resolve(const struct ek_option *const *declared, const struct ek_value *given, const char *what,
	struct ek_arena *arena, const struct ek_option_value *const **values, uint32_t *n_values, struct ek_error *err)
{
	const struct ek_option_value **list;
	struct ek_option_value *all;
	uint32_t n = 0;
	int code = check_names(declared, given, what, err);

	if (code != EK_OK)
		return code;
	while (declared && declared[n])
		n++;
	list = ek_arena_alloc(arena, (n + 1) * sizeof(*list));
	all = ek_arena_alloc(arena, (n + 1) * sizeof(*all));
	for (uint32_t i = 0; i < n; i++) {
		list[i] = &all[i];
		code = resolve_one(declared[i], given, what, arena, &all[i], err);
		if (code != EK_OK)
			return code;
	}
	*values = list;
	*n_values = n;
	return EK_OK;
}

/* ---- Declarations ---- */

static bool is_option_name(const char *name)
{
	size_t n = 0;

	if (!name || name[0] < 'a' || name[0] > 'z')
		return false;
	while (isalnum((unsigned char)name[n]))
		n++;
	return name[n] == '\0' && n <= 63;
}

static int check_default(const struct ek_option *option, struct ek_error *err)
{
	struct place place = { .what = "default of", .option = option };
	struct ek_option_value value = { 0 };
	struct ek_arena arena;
	struct ek_error why = EK_ERROR_INIT;
	int code;

	ek_arena_init(&arena);
	code = take_default(&place, &arena, &value, &why);
	ek_arena_clear(&arena);
	if (code != EK_OK) /* "default of.port must be ..." -> behind the name */
		return ek_fail(err, EK_INVALID, "the default of option %s%s", option->name,
			why.message + strlen(place.what) + 1 + strlen(option->name));
	return EK_OK;
}

static int check_one(const struct ek_option *option, struct ek_error *err)
{
	if (option->size < sizeof(*option))
		return ek_fail(err, EK_INVALID, "an option's declaration is %u bytes, but has %zu in this ABI; set .size",
			option->size, sizeof(*option));
	if (!is_option_name(option->name))
		return ek_fail(err, EK_INVALID, "the option name \"%.60s\" is not lowerCamelCase", option->name ? option->name : "");
	if (option->type < EK_OPTION_STRING || option->type > EK_OPTION_ENUM)
		return ek_fail(err, EK_INVALID, "option %s is of the unknown type %u", option->name, option->type);
	if (!option->help || !option->help[0])
		return ek_fail(err, EK_INVALID, "option %s has no help", option->name);
	if (option->type == EK_OPTION_ENUM && (!option->choices || !option->choices[0]))
		return ek_fail(err, EK_INVALID, "option %s is an ENUM without choices", option->name);
	if (option->minimum > option->maximum)
		return ek_fail(err, EK_INVALID, "option %s has a minimum above its maximum", option->name);
	if (!(option->flags & EK_OPTION_REQUIRED))
		return check_default(option, err);
	if (option->default_value)
		return ek_fail(err, EK_INVALID, "option %s is required and has a default; it can be one of them", option->name);
	return EK_OK;
}

int ek_options_check(const struct ek_option *const *declared, struct ek_error *err)
{
	uint32_t n = 0;

	for (; declared && declared[n]; n++) {
		int code = n < OPTIONS_MAX ? check_one(declared[n], err)
					   : ek_fail(err, EK_TOO_BIG, "more than %d options are declared", OPTIONS_MAX);

		if (code != EK_OK)
			return code;
		for (uint32_t i = 0; i < n; i++)
			if (!strcmp(declared[i]->name, declared[n]->name))
				return ek_fail(err, EK_INVALID, "option %s is declared twice", declared[n]->name);
	}
	return EK_OK;
}
