/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all rules share: running, reporting, options and the host.
 * It holds no rule itself.
 * Read next: mode_rules.c and registry_rules.c.
 */
#include "check.h"

#include "base/buf.h"
#include "base/yaml.h"
#include "plugin/options.h"

#include <string.h>

#define OPTIONS_MAX_BYTES 65536
#define OPTIONS_MAX_NODES 4096
#define SAMPLE_URL        "http://registry.invalid:8761/eureka/"

void ek_check_run(struct ek_check *check, const char *name, const char *text, ek_check_rule rule)
{
	const char *fault;

	check->seen[0] = '\0';
	fault = rule(check);
	if (fault) {
		check->n_failed++;
		printf("FAIL %s: %s: %s\n", name, text, fault);
	} else {
		printf("ok   %s: %s\n", name, text);
	}
	fflush(stdout); /* should the next one crash */
}

const char *ek_check_saw(struct ek_check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->seen, sizeof(check->seen), format, args);
	va_end(args);
	return check->seen;
}

struct fake_host *ek_check_host(const struct ek_check *check)
{
	struct fake_host *fake = fake_host_new(check->plugin);

	for (uint32_t i = 0; i < fake->n_options; i++)
		fake->values[i] = *check->options[i];
	return fake;
}

/* ---- Options ---- */

static void add_sample(struct ek_buf *text, const struct ek_option *option)
{
	switch ((enum ek_option_type)option->type) {
	case EK_OPTION_STRING:
		ek_buf_addf(text, "\"%s\"", SAMPLE_URL);
		break;
	case EK_OPTION_INTEGER:
		ek_buf_addf(text, "%lld", (long long)option->minimum);
		break;
	case EK_OPTION_BOOLEAN:
		ek_buf_adds(text, "false");
		break;
	case EK_OPTION_DURATION:
		ek_buf_addf(text, "%lldms", (long long)(option->maximum ? option->minimum : 1000));
		break;
	case EK_OPTION_LIST:
		ek_buf_adds(text, "[");
		for (int64_t i = 0; i < (option->minimum > 1 ? option->minimum : 1); i++)
			ek_buf_addf(text, "%s\"%s\"", i ? ", " : "", SAMPLE_URL);
		ek_buf_adds(text, "]");
		break;
	case EK_OPTION_ENUM:
		ek_buf_addf(text, "\"%.*s\"", (int)strcspn(option->choices, "|"), option->choices);
		break;
	}
}

static bool is_given(const char *const *given, const char *name)
{
	size_t n = strlen(name);

	for (; *given; given++)
		if (!strncmp(*given, name, n) && (*given)[n] == '=')
			return true;
	return false;
}

static void write_document(const struct ek_option *const *declared, const char *const *given, struct ek_buf *text)
{
	for (const char *const *at = given; *at; at++)
		ek_buf_addf(text, "%.*s: %s\n", (int)strcspn(*at, "="), *at, strchr(*at, '=') ? strchr(*at, '=') + 1 : "");
	for (; declared && *declared; declared++) {
		if (!((*declared)->flags & EK_OPTION_REQUIRED) || is_given(given, (*declared)->name))
			continue;
		ek_buf_addf(text, "%s: ", (*declared)->name);
		add_sample(text, *declared);
		ek_buf_adds(text, "\n");
	}
}

int ek_check_resolve(struct ek_check *check, const struct ek_option *const *declared, const char *const *given, const char *what,
	const struct ek_option_value *const **values, uint32_t *n_values, struct ek_error *err)
{
	const struct ek_value *root = NULL;
	struct ek_buf text;
	int code;

	ek_buf_init(&text, OPTIONS_MAX_BYTES);
	write_document(declared, given, &text);
	code = ek_yaml_read(text.at, text.n, OPTIONS_MAX_NODES, &check->arena, &root, err);
	if (code == EK_OK)
		code = ek_options_resolve(declared, root, what, &check->arena, values, n_values, err);
	ek_buf_clear(&text);
	return code;
}
