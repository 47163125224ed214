/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of a plugin's declared options, from texts as one would write them. It checks nothing: that is the real host's. Read fake_host.c next.
 */
#include "kit/fake_host_inside.h"

#include <stdlib.h>
#include <string.h>

static int64_t duration_ms(const char *text)
{
	char *unit = NULL;
	int64_t n = strtoll(text, &unit, 10);

	if (strcmp(unit, "ms") == 0)
		return n;
	return strcmp(unit, "m") == 0 ? n * 60000 : n * 1000;
}

static void split_list(struct fake_host *fake, uint32_t i, char *text)
{
	struct ek_option_value *value = &fake->values[i];
	char *rest = NULL;

	free(fake->option_lists[i]);
	fake->option_lists[i] = calloc(strlen(text) + 1, sizeof(char *));
	value->n_list = 0;
	for (char *item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest))
		fake->option_lists[i][value->n_list++] = item;
	value->list = fake->option_lists[i];
}

static void set_value(struct fake_host *fake, uint32_t i, const char *given)
{
	struct ek_option_value *value = &fake->values[i];
	char *text = fake_host_copy(given);

	free(fake->option_texts[i]);
	fake->option_texts[i] = text;
	value->text = NULL;
	switch (value->type) {
	case EK_OPTION_INTEGER:
		value->integer = strtoll(text, NULL, 10);
		break;
	case EK_OPTION_BOOLEAN:
		value->integer = strcmp(text, "true") == 0;
		break;
	case EK_OPTION_DURATION:
		value->integer = duration_ms(text);
		break;
	case EK_OPTION_LIST:
		split_list(fake, i, text);
		break;
	default:
		value->text = text;
		break;
	}
}

void fake_host_set_defaults(struct fake_host *fake)
{
	const struct ek_option *const *declared = fake->plugin->options;

	for (uint32_t i = 0; declared && declared[i] && i < FAKE_HOST_OPTIONS; i++) {
		fake->values[i] = (struct ek_option_value){ .size = sizeof(fake->values[i]), .type = declared[i]->type, .name = declared[i]->name };
		set_value(fake, i, declared[i]->default_value);
		fake->n_options++;
	}
}

bool fake_host_set(struct fake_host *fake, const char *name, const char *text)
{
	for (uint32_t i = 0; i < fake->n_options; i++) {
		if (strcmp(fake->values[i].name, name) == 0) {
			fake->values[i].is_set = 1;
			set_value(fake, i, text);
			return true;
		}
	}
	return false;
}

const struct ek_option_value *fake_host_value(const struct fake_host *fake, const char *name)
{
	for (uint32_t i = 0; i < fake->n_options; i++)
		if (strcmp(fake->values[i].name, name) == 0)
			return &fake->values[i];
	return NULL;
}

void fake_host_clear_options(struct fake_host *fake)
{
	for (uint32_t i = 0; i < fake->n_options; i++) {
		free(fake->option_texts[i]);
		free(fake->option_lists[i]);
	}
}
