/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values for a plugin's options, from the command line and from samples, and the rule that holds them against what the plugin declares.
 * Parsing and validation are the host's own (plugin/options.c); what a value means is the plugin's.
 * Read next: subject.h.
 */
#include "check.h"

#include "base/buf.h"
#include "base/yaml.h"
#include "plugin/options.h"
#include "subject.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT_MAX_BYTES 65536
#define NODES_MAX 4096
#define GIVEN_MAX 80

/* ---- Samples ---- */

bool ek_check_make_samples(struct ek_check *check)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* stays open; whoever connects waits in vain */

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) || listen(fd, SOMAXCONN) || getsockname(fd, (struct sockaddr *)&address, &n))
		return false;
	snprintf(check->samples[0], sizeof(check->samples[0]), "http://127.0.0.1:%d/", ntohs(address.sin_port));
	snprintf(check->samples[1], sizeof(check->samples[1]), "127.0.0.1:%d", ntohs(address.sin_port));
	return true;
}

static void add_sample(const struct ek_check *check, struct ek_buf *text, const struct ek_option *option)
{
	const char *server = check->samples[check->sample];

	switch ((enum ek_option_type)option->type) {
	case EK_OPTION_STRING:
		ek_buf_addf(text, "\"%s\"", server);
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
			ek_buf_addf(text, "%s\"%s\"", i ? ", " : "", server);
		ek_buf_adds(text, "]");
		break;
	case EK_OPTION_ENUM:
		ek_buf_addf(text, "\"%.*s\"", (int)strcspn(option->choices, "|"), option->choices);
		break;
	}
}

/* ---- Resolving ---- */

static bool is_for(const char *given, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(given, name, n) && given[n] == '=';
}

static bool is_given(const char *const *given, const char *name)
{
	for (; *given; given++)
		if (is_for(*given, name))
			return true;
	return false;
}

static void write_document(const struct ek_check *check, const struct ek_option *const *declared, const char *const *given, struct ek_buf *text)
{
	for (const char *const *at = given; *at; at++)
		ek_buf_addf(text, "%.*s: %s\n", (int)strcspn(*at, "="), *at, strchr(*at, '=') ? strchr(*at, '=') + 1 : "");
	for (; declared && *declared; declared++) {
		if (!((*declared)->flags & EK_OPTION_REQUIRED) || is_given(given, (*declared)->name))
			continue;
		ek_buf_addf(text, "%s: ", (*declared)->name);
		add_sample(check, text, *declared);
		ek_buf_adds(text, "\n");
	}
}

int ek_check_resolve(struct ek_check *check, const struct ek_option *const *declared, const char *const *given, const char *what,
	struct ek_option_set *set, struct ek_error *err)
{
	const struct ek_value *root = NULL;
	struct ek_buf text;
	int code;

	ek_buf_init(&text, TEXT_MAX_BYTES);
	write_document(check, declared, given, &text);
	code = ek_yaml_read(text.at, text.n, NODES_MAX, &check->arena, &root, err);
	if (code == EK_OK)
		code = ek_options_resolve(declared, root, what, &check->arena, &set->values, &set->n, err);
	ek_buf_clear(&text);
	return code;
}

/*
 * Samples of the form that the plugin takes, if there is one; which it is, only the plugin knows. Else what it said to the first form is what it says to
 * the rule "create".
 */
static int resolve_in_form(struct ek_check *check, int (*resolve)(struct ek_check *check, struct ek_option_set *set, struct ek_error *err),
	struct ek_option_set *set, struct ek_error *err)
{
	struct ek_error refusal = EK_ERROR_INIT;
	struct ek_subject subject;
	const char *left;

	for (check->sample = 0; check->sample < 2; check->sample++) {
		int code = resolve(check, set, err);

		if (code != EK_OK)
			return code;
		if (ek_subject_create(check, set, &subject, &left, &refusal) == EK_OK) {
			ek_subject_close(&subject, NULL);
			return EK_OK;
		}
	}
	check->sample = 0;
	return resolve(check, set, err);
}

static int resolve_given(struct ek_check *check, struct ek_option_set *set, struct ek_error *err)
{
	return ek_check_resolve(check, check->plugin->options, check->given, "option", set, err);
}

int ek_check_resolve_own(struct ek_check *check, struct ek_error *err)
{
	return resolve_in_form(check, resolve_given, &check->options, err);
}

int ek_check_resolve_with(struct ek_check *check, const char *one, struct ek_option_set *set, struct ek_error *err)
{
	const char *given[GIVEN_MAX + 2] = { one };
	char name[80];
	unsigned n = 1;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(one, "="), one);
	for (const char *const *at = check->given; *at && n < GIVEN_MAX; at++)
		if (!is_for(*at, name))
			given[n++] = *at;
	return ek_check_resolve(check, check->plugin->options, given, "option", set, err);
}

static bool may_say_where(const struct ek_option *const *declared, const char *given)
{
	for (; declared && *declared; declared++)
		if (is_for(given, (*declared)->name) && ((*declared)->flags & EK_OPTION_REQUIRED))
			return (*declared)->type == EK_OPTION_STRING || (*declared)->type == EK_OPTION_LIST;
	return false;
}

static int resolve_nowhere(struct ek_check *check, struct ek_option_set *set, struct ek_error *err)
{
	const char *given[GIVEN_MAX + 1] = { NULL };
	unsigned n = 0;

	for (const char *const *at = check->given; *at && n < GIVEN_MAX; at++)
		if (!may_say_where(check->plugin->options, *at))
			given[n++] = *at;
	return ek_check_resolve(check, check->plugin->options, given, "option", set, err);
}

int ek_check_resolve_nowhere(struct ek_check *check, struct ek_option_set *set, struct ek_error *err)
{
	return resolve_in_form(check, resolve_nowhere, set, err);
}

/* ---- The rule ---- */

/* A create that fails says why, and leaves nothing. */
static const char *judge_refusal(struct ek_check *check, const char *what, int code, const struct ek_error *err, const char *left)
{
	if (code < EK_RETRY || code > EK_CANCELLED)
		return ek_check_saw(check, "with %s create returned %d, which is no code", what, code);
	if (err->code != code || !err->message[0])
		return ek_check_saw(check, "with %s create returned %d, but its error says %d: \"%.200s\"", what, code, err->code, err->message);
	return left ? ek_check_saw(check, "with %s create failed, and %s", what, left) : NULL;
}

static const char *create_with(struct ek_check *check, const struct ek_option_set *options, const char *what, bool may_fail)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_subject subject;
	const char *left, *fault = NULL;
	int code = ek_subject_create(check, options, &subject, &left, &err);

	if (code != EK_OK)
		return may_fail ? judge_refusal(check, what, code, &err, left) : NULL; /* the rule "create" tells that */
	if (subject.fake->fault == fake_fault_undeclared)
		fault = fake_fault_undeclared;
	ek_subject_close(&subject, NULL);
	return fault;
}

static const char *after(const char *text, char c)
{
	const char *at = strchr(text, c);

	return at ? at + 1 : NULL;
}

/* The i-th value at the edge of what an option allows, as "name=value"; false: there is no more. */
static bool edge_of(const struct ek_option *option, unsigned i, char *text, size_t size)
{
	static const char *const booleans[] = { "false", "true" };
	const char *unit = option->type == EK_OPTION_DURATION ? "ms" : "", *choice = option->choices;

	switch ((enum ek_option_type)option->type) {
	case EK_OPTION_BOOLEAN:
		return i < 2 && snprintf(text, size, "%s=%s", option->name, booleans[i]);
	case EK_OPTION_INTEGER:
	case EK_OPTION_DURATION:
		return (option->minimum || option->maximum) && i < 2 &&
		       snprintf(text, size, "%s=%lld%s", option->name, (long long)(i ? option->maximum : option->minimum), unit);
	case EK_OPTION_ENUM:
		for (; i && choice; i--)
			choice = after(choice, '|');
		return choice && snprintf(text, size, "%s=\"%.*s\"", option->name, (int)strcspn(choice, "|"), choice);
	case EK_OPTION_STRING:
		return i < 2 && snprintf(text, size, "%s=\"%s\"", option->name, i ? "no such thing, is there?" : "");
	case EK_OPTION_LIST:
		break;
	}
	return false;
}

const char *ek_check_options(struct ek_check *check)
{
	const char *fault = create_with(check, &check->options, "", false);
	const struct ek_option *const *declared = check->plugin->options;
	char edge[256];

	for (; declared && *declared && !fault; declared++) {
		for (unsigned i = 0; !fault && edge_of(*declared, i, edge, sizeof(edge)); i++) {
			struct ek_error err = EK_ERROR_INIT;
			struct ek_option_set set;

			if (ek_check_resolve_with(check, edge, &set, &err) != EK_OK)
				return ek_check_saw(check, "%s is refused by the host: %s", edge, err.message);
			fault = create_with(check, &set, edge, true);
		}
	}
	return fault;
}
